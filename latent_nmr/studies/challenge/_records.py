"""What the fits of a challenge gave, as records, facts and arrays."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.challenge_scores import PUBLISHED
from latent_nmr.analysis.scores import has_r2
from latent_nmr.data._attributes import line_draw_of
from latent_nmr.data.echoes import sample_times
from latent_nmr.studies._identity import package_versions
from latent_nmr.studies._result import record
from latent_nmr.studies.challenge._contenders import PEEKING, Contender
from latent_nmr.studies.challenge._editions import COMPLEX, signals_of
from latent_nmr.studies.challenge._figures import marks_of, shown_rows
from latent_nmr.studies.challenge._fits import Contest
from latent_nmr.studies.challenge._result import EVALUATION_PART, TEST_PART, TIME

# Degrees: bins in which the couplings of the edition spin are scored.
ANGLE_EDGES = np.arange(30.0, 151.0, 20.0)

# Results of the fits that did not fail, by model and seed.
Done = Mapping[tuple[str, int], Mapping[str, Any]]


def records_of(
    contest: Contest, asked: Sequence[Contender], done: Done
) -> Iterator[dict[str, Any]]:
    """Every score of every fit, and its seconds."""
    has_angle = "theta" in contest.material.edition.targets
    own = {"angle_from": np.nan, "angle_to": np.nan} if has_angle else {}
    for contender in asked:
        for (name, seed), found in done.items():
            if name != contender.name:
                continue
            facts = {"features": contender.inputs, "model": name, "seed": seed}
            parts = {TEST_PART: found["scores"]}
            if "evaluation" in found:
                parts[EVALUATION_PART] = found["evaluation"]
            for group, scores in (parts | found["others"]).items():
                for title, value in scores.items():
                    score, target = split_title(title)
                    yield (
                        record(
                            "challenge",
                            **facts,
                            target=target,
                            group=group,
                            score=score,
                            value=value,
                        )
                        | own
                    )
            yield record("challenge", **facts, score=TIME, value=found["seconds"]) | own
        if has_angle and contender.name != PEEKING:
            yield from _by_angle(contest, contender, done)


def split_title(title: str) -> tuple[str, str]:
    """Score and target of a title such as `mse_alpha_x`; `score_2020` has no target."""
    if title == "score_2020":
        return title, ""
    score, _, target = title.partition("_")
    return score, target


def facts_of(
    contest: Contest, asked: Sequence[Contender], done: Done, n_seeds: int, seconds: float
) -> dict[str, Any]:
    """Everything that is said of the challenge beside its records."""
    material = contest.material
    edition, dataset = material.edition, material.dataset
    return {
        "edition": edition.name,
        "source": material.source,
        "part": material.part,
        "targets": list(edition.targets),
        "left_out": material.left_out,
        "line_draw": line_draw_of(dataset.attrs),
        "n_curves": len(material.targets),
        "n_evaluation": 0 if material.evaluation is None else material.evaluation.sizes["curve"],
        "n_seeds": n_seeds,
        "data_sha256": material.identity["data_sha256"],
        "packages": package_versions(),
        "published": PUBLISHED.get(edition.name, {}) if material.part == COMPLEX else {},
        "submitted": submitted(asked, done),
        "models": {one.name: one.inputs for one in asked},
        "also": list(material.others),
        "marks": marks_of(edition, dataset.attrs),
        "seconds": seconds,
    }


def submitted(asked: Sequence[Contender], done: Done) -> str:
    """The model whose predictions are submitted: ours, else the last one that was fitted."""
    names = [one.name for one in asked if one.name != PEEKING]
    fitted = [name for name in names if (name, 0) in done] or names
    return "best" if "best" in fitted else fitted[-1]


def arrays_of(contest: Contest, asked: Sequence[Contender], done: Done) -> dict[str, npt.NDArray]:
    """What the figures are drawn from, and the predictions to submit."""
    material = contest.material
    rows = shown_rows(material.targets)
    shown = material.dataset.isel(curve=rows)
    arrays: dict[str, npt.NDArray] = {
        "time": sample_times(material.dataset),
        **{f"shown {name}": rows for name, rows in signals_of(shown, material.part).items()},
        "shown targets": material.targets[rows],
        "truth": material.targets[contest.split(0)[1]],
    }
    for one in asked:
        found = done.get((one.name, 0), {})
        if "predicted" in found:
            arrays[f"predicted {one.name}"] = np.asarray(found["predicted"])
        if "saliency" in found:
            for name in ("saliency", "absolute_saliency"):
                arrays[f"{name.replace('_', ' ')} {one.name}"] = np.asarray(found[name])
            arrays[f"mean input {one.inputs}"] = contest.inputs("own", one.inputs).mean(axis=0)
    found = done.get((submitted(asked, done), 0), {})
    if "submission" in found:
        arrays["submission"] = np.asarray(found["submission"])
    return arrays


def _by_angle(contest: Contest, contender: Contender, done: Done) -> Iterator[dict[str, Any]]:
    """R² of the couplings in bins of the pulse angle, over the test parts of all seeds."""
    seeds = [seed for name, seed in done if name == contender.name]
    if not seeds:
        return
    names = list(contest.material.edition.targets)
    truth = np.concatenate([contest.material.targets[contest.split(seed)[1]] for seed in seeds])
    predicted = np.concatenate([done[contender.name, seed]["predicted"] for seed in seeds])
    bins = np.digitize(truth[:, names.index("theta")], ANGLE_EDGES[1:-1])
    for column, target in enumerate(names):
        if target == "theta":
            continue
        for number in range(len(ANGLE_EDGES) - 1):
            rows = bins == number
            facts = {"features": contender.inputs, "model": contender.name, "seed": None}
            ends = {"angle_from": ANGLE_EDGES[number], "angle_to": ANGLE_EDGES[number + 1]}
            value = _r2(truth[rows, column], predicted[rows, column])
            yield (
                record(
                    "challenge", **facts, target=target, group=TEST_PART, score="r2", value=value
                )
                | ends
            )


def _r2(truth: npt.NDArray, predicted: npt.NDArray) -> float:
    if not has_r2(truth):
        return float("nan")
    spread = float(np.sum((truth - truth.mean()) ** 2))
    return 1 - float(np.sum((truth - predicted) ** 2)) / spread
