"""Estimators of any origin."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from latent_nmr.studies._estimators import (
    checked_coordinates,
    checked_predictions,
    reason_of,
    seeded,
)


class TestSeeded:
    def test_a_copy_is_seeded_and_the_original_stays_as_it_was(self):
        forest = RandomForestRegressor(3)
        assert seeded(forest, 7).random_state == 7
        assert forest.random_state is None

    def test_the_parts_of_a_pipeline_are_seeded(self):
        copy = seeded(make_pipeline(PCA(2), LinearRegression()), 5)
        assert copy["pca"].random_state == 5

    def test_what_cannot_be_cloned_is_copied_with_its_parts_and_seeded(self):
        class Plain:
            def __init__(self):
                self.random_state, self.weights = None, [1.0]

        plain = Plain()
        copy = seeded(plain, 3)
        copy.weights.append(2.0)
        assert (copy.random_state, plain.random_state, plain.weights) == (3, None, [1.0])

    def test_what_has_no_seed_is_copied(self):
        model = LinearRegression()
        assert seeded(model, 1) is not model


class TestReturnedArrays:
    @pytest.mark.parametrize(
        "found",
        [
            np.ones((4, 2), np.float32),
            np.full((4, 2), 6e4, np.float16),
            np.ones((4, 1)).tolist(),
            np.full((4, 2), 1e150),
            pd.DataFrame({"a": [1, 2, 3, 4]}),
        ],
    )
    def test_coordinates_are_taken_as_they_are(self, found):
        np.testing.assert_array_equal(checked_coordinates(found, 4), found)

    def test_sparse_matrices_are_filled(self):
        dense = np.eye(4, 2)
        np.testing.assert_array_equal(checked_coordinates(csr_array(dense), 4), dense)
        np.testing.assert_array_equal(checked_predictions(csr_array(dense), 4, 2), dense)

    @pytest.mark.parametrize(
        ("found", "message"),
        [
            (np.zeros(4), "shape (n_curves, n_columns) with n_curves = 4, but returned (4,)"),
            (np.zeros((3, 2)), "returned (3, 2)"),
            (np.zeros((4, 0)), "returned (4, 0)"),
            ([[1.0], [np.nan], [np.inf], [2.0]], "returned 2 values that are NaN or infinite"),
            (np.full((4, 2), "a"), "must return numbers, but returned dtype <U1"),
            (np.full((4, 2), 1e160), "finite in float64, but returned values up to 1e+160"),
            (np.full((4, 2), 1e30, np.float32), "finite in float32, but returned values up to"),
        ],
    )
    def test_other_coordinates_are_refused(self, found, message):
        with pytest.raises(ValueError, match=re.escape(message)):
            checked_coordinates(found, 4)

    def test_one_column_of_predictions_is_a_vector(self):
        assert checked_predictions(np.arange(3)[:, None], 3).shape == (3,)

    @pytest.mark.parametrize("found", [np.zeros((3, 2)), np.zeros(2), [0.0, np.nan, 1.0]])
    def test_other_predictions_are_refused(self, found):
        with pytest.raises(ValueError, match="predict"):
            checked_predictions(found, 3)


def test_a_reason_is_one_line():
    assert reason_of(ValueError("two\n  lines")) == "ValueError: two lines"
    assert reason_of(RuntimeError()) == "RuntimeError"
