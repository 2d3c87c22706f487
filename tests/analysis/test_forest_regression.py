"""Random forests for W, L and couplings."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score

from latent_nmr.analysis.forest_regression import members, regress, regression_scores


class TestGroups:
    def test_power_and_others_part_the_rows(self):
        kernels = np.array(["power", "rkky", "gaussian", "power"])
        rows = np.array([3, 1, 2])
        assert members(kernels, rows, "all").tolist() == [3, 1, 2]
        assert members(kernels, rows, "power").tolist() == [3]
        assert members(kernels, rows, "others").tolist() == [1, 2]

    def test_without_kernels_there_is_only_all(self):
        rows = np.arange(4)
        assert members(None, rows, "all").tolist() == [0, 1, 2, 3]
        assert not len(members(None, rows, "power"))


@pytest.fixture(scope="module")
def linear():
    draw = np.random.default_rng(0)
    X = draw.uniform(size=(400, 5))
    y = 3 * X[:, 2] + 0.01 * draw.standard_normal(400)
    return X, y, regress(X, y, np.arange(300), np.arange(300, 400), 0)


class TestRegress:
    def test_scores_are_those_of_the_predictions(self, linear):
        _, y, found = linear
        predicted = np.array(found["predicted"])
        assert found["scores"]["r2"] == pytest.approx(r2_score(y[300:], predicted))
        assert found["scores"]["mae"] == pytest.approx(mean_absolute_error(y[300:], predicted))
        inside = np.array(found["out_of_bag"])
        assert found["scores"]["r2_out_of_bag"] == pytest.approx(r2_score(y[:300], inside))
        assert len(inside) == 300

    def test_it_finds_the_column_and_what_it_says(self, linear):
        found = linear[2]
        assert found["scores"]["r2"] > 0.9
        assert found["scores"]["r2_out_of_bag"] > 0.9
        assert np.argmax(found["importances"]) == 2

    def test_shuffled_values_score_nothing_held_out_nor_out_of_bag(self, linear):
        X, y, _ = linear
        dealt = y.copy()
        dealt[:300] = np.random.default_rng(1).permutation(y[:300])
        scores = regress(X, dealt, np.arange(300), np.arange(300, 400), 0)["scores"]
        assert scores["r2"] < 0.1
        assert scores["r2_out_of_bag"] < 0.1


# Of a hundred times 0.1, rounding leaves a variance above zero.
CONSTANTS = [np.zeros(5), np.full(100, 0.1), np.full(7, 1e9), np.array([0.3]), np.ones(9, "f4")]


class TestConstant:
    """There is no R² against one value: 0 or 1 would be said of it, or worse."""

    @pytest.mark.parametrize("truth", CONSTANTS, ids=["0", "0.1", "1e9", "one curve", "float32"])
    @pytest.mark.parametrize("error", [0.0, 0.25])
    def test_a_truth_of_one_value_has_an_error_and_no_r2(self, truth, error):
        assert regression_scores(truth, truth + error) == {"mae": pytest.approx(error, rel=1e-6)}

    def test_any_range_has_an_r2(self):
        truth = np.array([0.1, np.nextafter(0.1, 1), 0.1])
        assert set(regression_scores(truth, truth)) == {"r2", "mae"}

    @pytest.mark.parametrize("part", ["scored", "fitted"])
    def test_a_forest_leaves_out_the_r2_of_the_part_that_is_constant(self, linear, part):
        X, y, _ = linear
        fitted, scored = np.arange(300), np.arange(300, 400)
        values = y.copy()
        values[scored if part == "scored" else fitted] = 0.1
        found = regress(X, values, fitted, scored, 0, n_trees=20)["scores"]
        left_out = "r2" if part == "scored" else "r2_out_of_bag"
        assert set(found) == {"r2", "mae", "r2_out_of_bag", "mae_out_of_bag"} - {left_out}
