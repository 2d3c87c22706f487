"""Words for a study of latent axes."""

import numpy as np
import pytest

from latent_nmr.report.axes_summary import axes_lines, axes_values
from latent_nmr.studies.axes import AxesResult


def strength(values, null=0.2):
    return {"values": values, "null": null, "null_of_largest": null + 0.05}


def axis(name, orders, values):
    label = {
        "label": "W",
        "order": strength(values),
        "rho": values,
        "information": strength([value / 2 for value in values]),
    }
    kernel = {"label": "kernel", "order": None, "rho": [], "information": strength(values)}
    return {
        "axis": name,
        "orders": orders,
        "depends_on": orders,
        "labels": [label, kernel],
        "problem": "",
        "left_out": {"L": "is constant"},
        "n_curves": [24] * len(values),
        "n_permutations": 40,
        "n_information_permutations": 20,
    }


def result(n_models=2, **facts):
    stability = {
        "after_rotation": [0.85, 0.69],
        "before_rotation": [0.65, 0.61],
        "null": [0.02, 0.03],
        "overall": 0.8,
        "overall_null": 0.01,
        "rotations": np.tile(np.eye(2), (2, 1, 1)).tolist(),
    }
    common = {
        "axes": [axis("LA1", "W", [0.5, 0.7][:n_models]), axis("LA2", None, [0.1, 0.1][:n_models])],
        "models": ["a", "b"][:n_models],
        "aligned": False,
        "n_curves": 160,
        "n_unseen": [24, 24][:n_models],
        "differing_parameters": {},
        "axis_variances": [[1.0, 1.0]] * n_models,
        "likelihoods": ["gaussian"] * n_models,
        "stability": stability if n_models > 1 else None,
    }
    return AxesResult(None, common | facts)


def lines_of(n_models=2, **facts):
    return axes_lines(axes_values(result(n_models, **facts)))


def test_sentences_come_first_then_the_table_then_what_it_rests_on():
    assert lines_of() == [
        "LA1 orders W (|ρ| 0.60 ± 0.14, null 95 % 0.25)",
        "LA2 orders nothing among W (largest |ρ| 0.10 ± 0.00 with W, null 95 % 0.25)",
        "",
        "axis  label    |ρ|    sd  null 95 %  MI (nats)    sd  null 95 %",
        "LA1   W       0.60  0.14       0.20       0.30  0.07       0.20",
        "LA1   kernel     -     -          -       0.60  0.14       0.20",
        "LA2   W       0.10  0.00       0.20       0.05  0.00       0.20",
        "LA2   kernel     -     -          -       0.10  0.00       0.20",
        "",
        "curves     the 24 of 160 that each model was not trained on",
        "left out   L is constant",
        "null       40 permutations for |ρ|, 20 for MI; in the table of the label alone, in the "
        "sentences of the largest over all labels",
        "stability  LA1 0.85, LA2 0.69, overall 0.80: variance shared by the seeds after rotation, "
        "on all curves",
        "           LA1 0.65, LA2 0.61 as trained; null 95 % LA1 0.02, LA2 0.03, overall 0.01",
    ]


def test_one_model_has_neither_spread_nor_stability():
    text = "\n".join(lines_of(1))
    assert "±" not in text
    assert "stability" not in text
    assert "stability" not in axes_values(result(1))
    assert "the 24 of 160 that the model was not trained on" in text


@pytest.mark.parametrize(
    ("n_unseen", "words"),
    [
        ([160, 160], "all 160: no model was trained on any of them"),
        ([24, 30], "the 24 or 30 of 160 that each model was not trained on"),
    ],
)
def test_the_curves_are_counted(n_unseen, words):
    assert axes_values(result(n_unseen=n_unseen))["curves"] == words


def test_differing_settings_and_axes_out_of_use_are_named():
    lines = lines_of(
        differing_parameters={"beta": ["2.0", "3.0"]}, axis_variances=[[1.0, 1.0], [1.0, 0.001]]
    )
    assert lines[-2] == "note       the models differ in more than their seed: beta 2.0, 3.0"
    assert lines[-1].startswith("warning    b: LA2 is collapsed: ")
