"""The winners' pipeline of 2020."""

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.svm import SVR

from latent_nmr.errors import InputError
from latent_nmr.models.targetwise import TargetwiseRegressor, winners_pipeline


def test_every_target_has_its_own_model_and_columns():
    model = winners_pipeline(["alpha", "xi", "p", "d"], 942)
    alpha, xi, p, d = model.regressors
    assert isinstance(alpha[-1], LinearRegression)
    assert alpha[1].k == 300
    for ridge in (xi, d):
        assert isinstance(ridge[-1], BayesianRidge)
        assert ridge[1].k == 100
    machine = p.regressor[-1]
    assert isinstance(machine, SVR)
    assert (machine.kernel, machine.C) == ("poly", 10.0)


def test_linear_targets_are_found_each_by_its_own_columns():
    draw = np.random.default_rng(0)
    X = draw.standard_normal((300, 40))
    y = np.stack([X[:, 0] + 2 * X[:, 1], X[:, 5] - X[:, 6]], axis=1)
    model = winners_pipeline(["alpha", "d"], 40).fit(X[:200], y[:200])
    np.testing.assert_allclose(model.predict(X[200:]), y[200:], atol=0.05)


def test_as_many_targets_as_models():
    with pytest.raises(InputError, match=r"one column per regressor \(1\), but has 2"):
        TargetwiseRegressor([LinearRegression()]).fit(np.zeros((5, 2)), np.zeros((5, 2)))


def test_columns_in_single_precision_are_fitted_in_double():
    # Smooth curves: neighbouring columns differ in the last digits of a float32.
    draw = np.random.default_rng(0)
    t = np.linspace(0, 1, 300)
    rates = draw.uniform(0.5, 1, 200)
    X = np.exp(-rates[:, None] * t).astype(np.float32)
    single = winners_pipeline(["alpha"], 300).fit(X, rates[:, None])
    double = winners_pipeline(["alpha"], 300).fit(X.astype(np.float64), rates[:, None])
    np.testing.assert_array_equal(single.predict(X), double.predict(X.astype(np.float64)))
    assert np.abs(single.predict(X)[:, 0] - rates).max() < 1e-3
