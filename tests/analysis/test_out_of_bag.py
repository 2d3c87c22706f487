"""Out-of-bag predictions: scikit-learn's own, and no number where there is none."""

import warnings

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from latent_nmr.analysis.classification import resampled_scores
from latent_nmr.analysis.forest_regression import regress
from latent_nmr.analysis.out_of_bag import out_of_bag
from latent_nmr.analysis.screening import screen

DRAW = np.random.default_rng(0)
X = DRAW.uniform(size=(120, 4))
VALUES = 5 + X[:, 0]  # far from zero
LABELS = np.where(X[:, 1] + 0.1 * DRAW.standard_normal(120) > 0.6, "power", "gaussian")


@pytest.mark.parametrize(
    ("forest", "target", "own"),
    [
        (RandomForestRegressor(60, oob_score=True, random_state=0), VALUES, "oob_prediction_"),
        (
            RandomForestClassifier(
                60, oob_score=True, random_state=0, class_weight="balanced_subsample"
            ),
            LABELS,
            "oob_decision_function_",
        ),
    ],
    ids=["regressor", "classifier"],
)
def test_it_is_scikit_learns_own_to_the_digit(forest, target, own):
    forest.fit(X, target)
    np.testing.assert_array_equal(out_of_bag(forest, X), getattr(forest, own))


@pytest.mark.parametrize("n_trees", [1, 3])
def test_a_row_that_every_tree_saw_has_none(n_trees):
    forest = RandomForestRegressor(n_trees, random_state=0).fit(X, VALUES)
    seen = np.all([np.isin(np.arange(120), drawn) for drawn in forest.estimators_samples_], axis=0)
    assert 0 < seen.sum() < 120
    np.testing.assert_array_equal(np.isnan(out_of_bag(forest, X)), seen)


class TestFewTrees:
    """Scores of forests of few trees: of the rows that have a prediction, without a warning."""

    def test_a_regression_is_not_scored_on_zeros(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = regress(X, VALUES, np.arange(100), np.arange(100, 120), 0, n_trees=3)
        assert np.isnan(found["out_of_bag"]).any()
        assert found["scores"]["mae_out_of_bag"] < 0.3  # a single zero of a hundred adds 0.05

    def test_a_classification_leaves_them_out(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            told = np.repeat(LABELS == "power", 4).reshape(-1, 4).astype(float)
            found = resampled_scores(told, LABELS, np.arange(120), 0, n_trees=3)
        # Every column says the class: only a row without a prediction could be wrong.
        assert found["out_of_bag"]["f1_macro"] == found["out_of_bag_leaky"]["f1_macro"] == 1

    def test_screening_leaves_them_out(self):
        strength = np.linspace(0.1, 0.3, 120)
        rows = np.arange(0, 120, 2), np.arange(1, 120, 2)
        whole = screen(X, LABELS, strength, *rows, 0, n_trees=3)
        lost = strength.copy()
        lost[rows[0][:3]] = np.nan  # of the lowest W, and none of them goes to the highest
        found = screen(X, LABELS, lost, *rows, 0, n_trees=3)
        assert found[1:] == whole[1:]
