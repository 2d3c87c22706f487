"""A probe in words: its tables as text, and fits that failed."""

import pytest

from latent_nmr.report.cells import cell
from latent_nmr.report.failures import failure_lines
from latent_nmr.report.probes import probe_lines


def values(**changed):
    """The content of probe.json of a small probe."""
    classification = {
        "target": "binary", "features": "points", "model": "knn",
        "scores": {"accuracy": [0.8, 0.9], "f1_macro": [0.7, 0.8], "f1_weighted": [0.75, 0.85],
                   "f1_binary": [0.6, 0.7]},
    }  # fmt: skip
    regression = {
        "target": "L", "group": "others", "features": "polynomial+latent", "model": "network",
        "scores": {"r2": [0.5, 0.6], "mae": [1.0, 2.0]},
    }  # fmt: skip
    leak = {
        "target": "binary", "group": "bin2", "features": "points", "model": "leaky",
        "scores": {"f1_macro": [0.9], "f1_weighted": [0.9], "accuracy": [0.91]},
    }  # fmt: skip
    tables = {
        "classification": [classification], "regression": [regression], "leak": [leak],
        "resampling": [], "screening": [], "elimination": [], "importances": [],
    }  # fmt: skip
    return {
        "n_curves": 150, "data": "echoes.zarr", "window": "echo", "n_training": 105,
        "n_held_out": 45, "n_seeds": 2, "n_forest_seeds": 2, "n_detail_seeds": 1, "seconds": 61.2,
        "tables": tables, "failures": [], **changed,
    }  # fmt: skip


def test_tables_say_what_was_fitted_and_its_scores():
    text = "\n".join(probe_lines(values()))
    assert "150 curves of echoes.zarr, echo window: 105 fitted, 45 scored" in text
    assert "2 seeds of split and fit, 1 of leak, elimination and screening" in text
    assert "points, k-NN  0.650 ± 0.071   0.750 ± 0.071" in text
    assert "L, Gaussian and RKKY, polynomials + latent axes, network  0.550 ± 0.071" in text
    assert "1.5000 ± 0.7071 lattice constants" in text
    assert "W 0.17 to 0.23 MHz, points, balance, then split: LEAKS  0.900" in text
    assert "1 min 1 s" in text


def test_more_seeds_of_forests_are_said():
    text = probe_lines(values(n_forest_seeds=10, n_detail_seeds=0))[0]
    assert text.endswith("2 seeds of split and fit, 10 of forests on points and polynomials")


def test_a_model_that_fails_has_one_line_for_each_reason():
    failed = [
        {"model": "mine", "features": name, "target": "W", "seed": seed, "reason": "ValueError: no"}
        for name in ("points", "pca")
        for seed in (0, 1)
    ]
    failed.append(
        {"model": "nan", "features": "nan", "target": "", "seed": 3, "reason": "ValueError: NaN"}
    )
    assert failure_lines(failed) == [
        "failed     mine: 4 fits, the first (features points, target W, seed 0): ValueError: no",
        "failed     nan: 1 fit (seed 3): ValueError: NaN",
    ]
    assert probe_lines(values(failures=failed))[-1].startswith("failed     nan")


class TestColumns:
    """A score that a row lacks leaves its place in the table."""

    @staticmethod
    def lines_of(*scores):
        entries = [
            {"target": "W", "group": "all", "features": "points", "model": "m", "scores": found}
            for found in scores
        ]
        tables = {**values()["tables"], "regression": entries}
        lines = probe_lines(values(tables=tables))
        place = next(n for n, line in enumerate(lines) if line.startswith("regression"))
        return lines[place : place + 1 + len(entries)]

    def test_cells_stand_under_those_of_the_same_score(self):
        whole = {"r2": [0.5, 0.6], "mae": [0.01, 0.02], "r2_out_of_bag": [0.7, 0.8]}
        rows = [{n: v for n, v in whole.items() if n != lacking} for lacking in ("", *whole)]
        _, full, *others = self.lines_of(*rows)
        texts = ("0.550 ± 0.071", "0.0150 ± 0.0071", "0.750 ± 0.071")
        places = [full.index(text) for text in (*texts, "MHz")]
        for lacking, line in enumerate(others):
            for number, place in enumerate(places):
                wanted = "-" if number == lacking else (*texts, "MHz")[number]
                assert line[place:].startswith(wanted), line

    def test_a_score_that_no_row_has_is_no_column(self):
        head, row = self.lines_of({"mae": [0.1]})
        assert head.endswith(": mae")
        assert row.split("  ", 2)[2].split() == ["0.1000", "MHz"]


def test_what_has_no_r2_is_said():
    constant = [
        {"target": "T", "group": "all", "part": "held-out", "seeds": [0, 2]},
        {"target": "T", "group": "others", "part": "training", "seeds": [1]},
    ]
    notes = [line for line in probe_lines(values(constant_labels=constant)) if "note" in line]
    assert notes == [
        "note       no R² of T, all kernels, with seed 0, 2: the held-out curves have one value "
        "only",
        "note       no R² out of bag of T, Gaussian and RKKY, with seed 1: the training curves "
        "have one value only",
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [([0.5], "0.500"), ([0.4, 0.6], "0.500 ± 0.141"), ([-2000.0, -4000.0], "-3.0e+03 ± 1.4e+03")],
)
def test_a_cell_is_the_mean_and_the_standard_deviation_of_several(given, text):
    assert cell(given) == text
