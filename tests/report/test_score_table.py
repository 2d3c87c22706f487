"""Rows of a table of scores, there and back."""

import pytest

from latent_nmr.analysis.score_names import SCORES, order_name, order_scores, score_of
from latent_nmr.report.score_table import Cell, Row, columns_of, find_row

ROW = Row("vae", 2, (0, 1), {"rms": (0.01, 0.02), "rho_1_W": (0.8, 0.7)}, seconds=(3.0, 4.0))


def test_a_row_comes_back_from_json():
    assert Row.from_json(ROW.as_json()) == ROW


def test_a_score_needs_one_value_per_seed():
    with pytest.raises(ValueError, match=r"rms of pca has 2 for 1 seeds\. Give as many"):
        Row("pca", 2, (0,), {"rms": (0.1, 0.2)})


def test_spread_is_the_sample_standard_deviation_and_none_is_shown_for_one_seed():
    assert Cell((1.0, 3.0)).deviation == pytest.approx(2**0.5)
    assert Cell((1.0, 3.0)).text(1) == "2.0 ± 1.4"
    assert (Cell((2.0,)).deviation, Cell((2.0,)).text(2)) == (0.0, "2.00")


def test_columns_are_all_scores_of_any_row_in_the_order_of_their_list():
    other = Row("pca", 2, (0,), {"r2_W": (0.7,), "rms": (0.03,)})
    assert columns_of([ROW, other]) == ["rms", "r2_W", "rho_1_W"]


def test_a_row_is_found_by_method_dimension_and_role():
    floor = Row("shuffled", 2, (0,), {}, role="floor")
    assert find_row([floor, ROW], "vae", 2) is ROW
    assert find_row([floor, ROW], "shuffled", 2, role="floor") is floor
    assert find_row([floor, ROW], "shuffled", 2) is None


def test_an_order_is_neither_good_nor_bad_and_is_known_by_its_name():
    assert list(order_scores(["rms", order_name(2, "L")])) == ["rho_2_L"]
    assert score_of("rho_2_L").larger_is_better is None
    assert score_of("rms") is SCORES["rms"]
    with pytest.raises(KeyError):
        score_of("nonsense")
