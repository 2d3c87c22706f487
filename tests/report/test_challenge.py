"""Words for a challenge: values as JSON holds them, and tables."""

import json

import numpy as np
import pytest

from latent_nmr.report.challenge import challenge_lines, challenge_values
from latent_nmr.studies._result import as_records, record
from latent_nmr.studies.challenge import ChallengeResult

FACTS = {
    "edition": "2020", "source": "my data", "targets": ["alpha", "d"], "n_curves": 60, "n_seeds": 2,
    "n_evaluation": 7, "published": {"deep": 0.04}, "submitted": "mine", "also": ["other"],
    "models": {"deep": "window", "mine": "record", "peeking": "window"}, "marks": {},
}  # fmt: skip
FAILURES = [{"model": "mine", "seed": 1, "reason": "ValueError: no"}]


def rows_of(model, group, seed, value, **own):
    facts = {"model": model, "group": group, "seed": seed, "features": FACTS["models"][model]} | own
    for score, target, factor in (
        ("mse", "alpha", 1), ("mse", "d", 2), ("mse", "mean", 3), ("mse", "sum", 4),
        ("score_2020", "", 5),
    ):  # fmt: skip
        yield record("challenge", **facts, target=target, score=score, value=value * factor)


def rows():
    for model, seeds in {"deep": (0, 1), "mine": (0,), "peeking": (0, 1)}.items():
        for seed in seeds:
            yield from rows_of(model, "test part", seed, 0.1 * (seed + 1))
            yield from rows_of(model, "other", seed, 20.0)
            if model != "peeking":
                yield from rows_of(model, "evaluation part", seed, 0.5)
            facts = {"model": model, "features": FACTS["models"][model], "seed": seed}
            yield record("challenge", **facts, score="seconds", value=3.0)


@pytest.fixture(scope="module")
def values():
    return challenge_values(ChallengeResult(as_records(list(rows())), FACTS, {}, FAILURES))


class TestValues:
    """What challenge.json holds."""

    def test_every_model_has_a_row_with_the_values_of_its_seeds(self, values):
        deep, mine, peeking = values["rows"]
        assert [row["model"] for row in values["rows"]] == ["deep", "mine", "peeking"]
        assert deep["scores"]["mse_alpha"] == [0.1, 0.2]
        assert mine["scores"]["score_2020"] == [0.5]
        assert deep["others"]["other"]["mse_sum"] == [80.0, 80.0]
        assert mine["evaluation"]["mse_d"] == [1.0]
        assert "evaluation" not in peeking
        assert deep["seconds"] == [3.0, 3.0]
        assert json.loads(json.dumps(values, allow_nan=False)) == values

    def test_bins_without_curves_have_no_score(self):
        ends = [{"angle_from": low, "angle_to": low + 20} for low in (30.0, 50.0)]
        nothing = {"angle_from": np.nan, "angle_to": np.nan}
        records = [row | nothing for row in rows()]
        for pair, value in zip(ends, (0.25, np.nan), strict=True):
            facts = {"model": "mine", "group": "test part", "seed": None, "score": "r2"}
            records.append(record("challenge", **facts, target="alpha", value=value) | pair)
        found = challenge_values(ChallengeResult(as_records(records), {**FACTS, "edition": "spin"}))
        assert found["by_angle"] == {
            "edges_deg": [30.0, 50.0, 70.0],
            "r2": {"alpha": {"mine": [0.25, None]}},
        }
        assert found["rows"][0]["scores"]["mse_alpha"] == [0.1, 0.2]
        text = "\n".join(challenge_lines(found))
        assert "R² within bins of θ (degrees):   30-50    50-70" in text
        assert text.count("  alpha, mine") == 1
        assert "0.250        -" in text


class TestLines:
    """Tables for a terminal."""

    def test_means_and_deviations_are_those_of_the_values(self, values):
        lines = challenge_lines(values)
        head = (
            "test part, mean squared error of standardised targets: alpha, d, mean, sum, score_2020"
        )
        place = lines.index(head)
        assert lines[place + 1].startswith("  public deep network ")
        assert "0.150 ± 0.071   0.300 ± 0.141" in lines[place + 1]
        assert lines[place + 2].split() == ["mine", "0.100", "0.200", "0.300", "0.400", "0.500"]
        assert "epoch chosen on the test part" in lines[place + 3]
        assert "evaluation part, 7 curves, mean squared" in "\n".join(lines)
        assert "scored on other, mean squared" in "\n".join(lines)

    def test_what_is_published_what_cannot_be_learned_and_what_failed_is_said(self, values):
        lines = challenge_lines(values)
        assert "published  public deep network 0.04 (of data with one frozen line)" in lines
        assert sum("no model can learn it" in line for line in lines) == 1
        assert lines[-1] == "failed     mine, seed 1: ValueError: no"
        other = challenge_lines({**values, "edition": "2021-gauss", "failures": []})
        assert not any("no model can learn it" in line or "failed" in line for line in other)
