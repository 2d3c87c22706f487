"""Mixtures of Gaussians by kernel, against scipy and against their own draws."""

import numpy as np
import pytest
import scipy.stats

from latent_nmr.models.posterior.mixture import (
    MOST_SHARP,
    Mixture,
    as_mixture,
    draw,
    log_density,
    log_kernel,
    n_outputs,
)
from latent_nmr.models.posterior.receiver import RECORD, Conditions
from latent_nmr.models.posterior.tempering import SHAPE, fit_tempering, tempered

N_KERNELS, N_COMPONENTS = 2, 3


@pytest.fixture(scope="module")
def mixture():
    rng = np.random.default_rng(0)
    # Small, so that no Gaussian is so flat that a grid misses it.
    outputs = 0.4 * rng.normal(size=(4, n_outputs(N_KERNELS, N_COMPONENTS)))
    return as_mixture(np.float32(outputs), N_KERNELS, N_COMPONENTS)


def gaussians(mixture, row, kernel):
    """Weights and frozen Gaussians of scipy of one row and kernel."""
    found = []
    for number in range(N_COMPONENTS):
        own = [np.asarray(part, np.float64)[row, kernel, number] for part in mixture[1:]]
        log_weight, mean, log_diagonal, below = own
        root = np.diag(np.exp(log_diagonal))
        for (to, start), value in zip([(1, 0), (2, 0), (2, 1)], below, strict=True):
            root[to, start] = value * root[to, to]
        precision = root.T @ root
        found.append(
            (np.exp(log_weight), scipy.stats.multivariate_normal(mean, np.linalg.inv(precision)))
        )
    return found


class TestMixture:
    """Density, draws and class probabilities agree."""

    def test_its_density_is_that_of_scipy(self, mixture):
        points = np.random.default_rng(1).normal(size=(4, 3))
        kernel = np.array([0, 1, 0, 1])
        found = log_density(mixture, kernel, np.float32(points))
        for row in range(4):
            own = gaussians(mixture, row, kernel[row])
            expected = np.log(sum(weight * g.pdf(points[row]) for weight, g in own))
            assert float(found[row]) == pytest.approx(expected, abs=1e-4)

    def test_its_density_integrates_to_one(self, mixture):
        # A grid to six deviations of every component; sums of Gaussians on it are exact integrals.
        own = gaussians(mixture, 0, 1)
        spreads = np.sqrt([np.diag(g.cov) for _, g in own])
        means = np.array([g.mean for _, g in own])
        low, high = (means - 6 * spreads).min(axis=0), (means + 6 * spreads).max(axis=0)
        axes = [np.linspace(a, b, 60) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        row = type(mixture)(*(np.repeat(np.asarray(part)[:1], len(grid), 0) for part in mixture))
        density = np.exp(np.asarray(log_density(row, np.ones(len(grid), int), np.float32(grid))))
        cell = np.prod([axis[1] - axis[0] for axis in axes])
        assert density.sum() * cell == pytest.approx(1, abs=5e-3)

    def test_its_draws_have_its_shares_and_moments(self, mixture):
        n_draws = 40_000
        kernel, scores = draw(mixture, n_draws, np.random.RandomState(0))
        shares = np.exp(np.asarray(log_kernel(mixture)))
        for row in range(4):
            share = float(shares[row, 1])
            error = np.sqrt(share * (1 - share) / n_draws)
            assert (kernel[row] == 1).mean() == pytest.approx(share, abs=4 * error)
            own = gaussians(mixture, row, 0)
            drawn = scores[row][kernel[row] == 0]
            mean = sum(weight * g.mean for weight, g in own)
            error = drawn.std(axis=0) / np.sqrt(len(drawn))
            assert (np.abs(drawn.mean(axis=0) - mean) < 4 * error).all()
            second = sum(w * (g.cov + np.outer(g.mean, g.mean)) for w, g in own)
            products = drawn[:, :, None] * drawn[:, None]
            error = products.std(axis=0) / np.sqrt(len(drawn))
            assert (np.abs(products.mean(axis=0) - second) < 4.5 * error).all()

    def test_no_parameter_is_known_without_limit(self):
        outputs = np.full((1, n_outputs(1, 1)), 1e6, np.float32)
        assert np.asarray(as_mixture(outputs, 1, 1).log_diagonals).max() <= MOST_SHARP


class TestTempering:
    """Widths that are wrong by a factor are put right, and right ones are left alone."""

    def test_deviations_are_multiplied_parameter_by_parameter(self, mixture):
        factors = np.array([0.5, 1.5, 3.0])
        coefficients = np.zeros(SHAPE, np.float32)
        coefficients[:3, 0] = np.log(factors)
        given = Conditions(*np.ones((3, 4), np.float32))
        found = tempered(mixture, coefficients, given, RECORD)
        for (_, own), (_, wider) in zip(
            gaussians(mixture, 0, 1), gaussians(found, 0, 1), strict=True
        ):
            np.testing.assert_allclose(wider.cov, own.cov * np.outer(factors, factors), rtol=1e-4)
            np.testing.assert_array_equal(wider.mean, own.mean)

    @pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
    def test_the_factor_of_wrong_widths_is_found(self, factor):
        rng = np.random.default_rng(0)
        n_rows = 1500
        zeros = np.zeros((n_rows, 1, 1, 3))
        stated = np.full(zeros.shape, -np.log(factor))
        mixture = Mixture(np.zeros((n_rows, 1)), zeros[..., 0], zeros, stated, zeros)
        mixture = Mixture(*(part.astype(np.float32) for part in mixture))
        angles, phase = rng.uniform(0.5, 2.6, n_rows), rng.integers(0, 2, n_rows)
        given = Conditions(*np.float32([angles, phase, 10 ** rng.uniform(1, 3, n_rows)]))
        scores = rng.normal(size=(n_rows, 3)).astype(np.float32)
        kernel = np.zeros(n_rows, int)
        found = fit_tempering(mixture, given, kernel, scores, RECORD)
        after = np.asarray(tempered(mixture, found, given, RECORD).log_diagonals)
        # A deviation from n values is known to 1/√(2 n); 7 coefficients are fitted for each.
        assert after.mean() == pytest.approx(0, abs=0.05)
        assert after.std() < 4 * np.sqrt(7 / (2 * n_rows))
