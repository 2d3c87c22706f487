"""Random forests for W, L and couplings."""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score

from latent_nmr.analysis.forest_regression import members, regress


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
