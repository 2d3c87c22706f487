"""Posteriors from simulations near one echo, against closed forms and the simulator."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.studies.posterior._quantities import QUANTITIES
from latent_nmr.studies.posterior._synthetic import local_posterior
from latent_nmr.studies.posterior.independent import Case, independent_check

N_FEATURES, NOISE = 40, 0.7
N_LAST = 2000
# Four fifths of the last simulations fit a regression, and coefficients of p features from n rows
# add p / (n - p) of the residual variance to estimates. Simulations are of draws 1.7 times as wide
# as the posterior: over what is then explained of parameters, 1 - 1 / (1 + 1.7²), it is this share
# of the squared width.
N_FITTED = 4 * N_LAST // 5
LOST = N_FEATURES / (N_FITTED - N_FEATURES) / (1 - 1 / (1 + 1.7**2))
# The width has an error of 1 / sqrt(2 n) from n simulations and from 4,000 draws: three of these.
WIDTH_ERROR = LOST / 2 + 3 * np.hypot(1 / np.sqrt(2 * N_LAST), 1 / np.sqrt(2 * 4000))
ROUNDS = (150, 150, 150, N_LAST)


class Linear:
    """Features that are linear in the parameters, with Gaussian noise."""

    def __init__(self, seed):
        random = np.random.default_rng(seed)
        self.slopes = random.standard_normal((N_FEATURES, 3)) * [1.0, 0.3, 0.05]
        self.observed = self(random.standard_normal((1, 3)), 77)[0, 0]

    def __call__(self, u, seed):
        noise = np.random.default_rng(seed).standard_normal((len(u), 1, N_FEATURES))
        return (u @ self.slopes.T)[:, None] + NOISE * noise

    def closed_form(self):
        precision = np.eye(3) + self.slopes.T @ self.slopes / NOISE**2
        covariance = np.linalg.inv(precision)
        return covariance @ self.slopes.T @ self.observed / NOISE**2, covariance


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_it_is_the_closed_form_where_features_are_linear(seed):
    linear = Linear(seed)
    mean, covariance = linear.closed_form()
    found = local_posterior(linear, linear.observed, 3, rounds=ROUNDS, seed=seed)
    deviations = np.sqrt(np.diag(covariance))
    assert np.abs(np.log(found.draws.std(axis=0) / deviations)).max() < WIDTH_ERROR
    # The part of the information that is lost is scatter of the mean, too.
    assert np.abs((found.draws.mean(axis=0) - mean) / deviations).max() < 3 * np.sqrt(LOST)


def test_features_that_say_nothing_leave_the_prior():
    def noise(u, seed):
        return np.random.default_rng(seed).standard_normal((len(u), 2, 10))

    found = local_posterior(noise, np.zeros(10), 2, seed=1)
    assert np.abs(found.draws.mean(axis=0)).max() < 0.15
    assert np.abs(found.draws.std(axis=0) - 1).max() < 0.15


def test_a_bent_relation_is_found_in_rounds():
    def bent(u, seed):
        noise = 0.01 * np.random.default_rng(seed).standard_normal((len(u), 1, 6))
        return np.exp(u[:, None] * np.linspace(0.5, 1, 6)) + noise

    truth = 1.2
    found = local_posterior(bent, bent(np.array([[truth]]), 5)[0, 0], 1, rounds=ROUNDS, seed=2)
    slopes = np.linspace(0.5, 1, 6) * np.exp(truth * np.linspace(0.5, 1, 6))
    deviation = 0.01 / np.sqrt((slopes**2).sum())
    assert abs(np.log(found.draws.std() / deviation)) < WIDTH_ERROR
    assert abs(found.draws.mean() - truth) < 4 * deviation


def test_the_mean_of_the_likelihood_bends_with_the_parameters():
    def squared(u, seed):
        noise = 0.3 * np.random.default_rng(seed).standard_normal((len(u), 1, 2))
        return np.concatenate([u + u**2 / 2] * 2, axis=1)[:, None] + noise

    truth = 1.0
    observed = squared(np.array([[truth]]), 4)[0, 0]
    found = local_posterior(squared, observed, 1, rounds=(N_LAST,), seed=3).draws[:, 0]
    grid = np.linspace(-5, 5, 4001)
    away = observed[:, None] - (grid + grid**2 / 2)
    weight = np.exp(-0.5 * ((away / 0.3) ** 2).sum(axis=0) - grid**2 / 2)
    mean = np.average(grid, weights=weight)
    deviation = np.sqrt(np.average((grid - mean) ** 2, weights=weight))
    assert abs(found.mean() - mean) < 0.2 * deviation
    assert abs(np.log(found.std() / deviation)) < WIDTH_ERROR


@pytest.mark.slow
def test_intervals_of_both_routes_are_of_the_same_echo_and_kept(tmp_path):
    model = ln.load_pretrained("posterior")
    case, few = Case("rkky", 60.0, True, 3), {"rounds": (24, 24), "n_edge": 8, "progress": False}
    found = independent_check(model, [case], folder=tmp_path, **few)
    assert [row["quantity"] for row in found] == list(QUANTITIES)
    for row in found:
        for ends in (row["local"], row["amortised"]):
            assert sorted(ends) == ends
        assert row["n_simulations"] == 48
        assert row["error"] >= 0
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "steps").iterdir()}
    assert independent_check(model, [case], folder=tmp_path, **few) == found
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "steps").iterdir()}
