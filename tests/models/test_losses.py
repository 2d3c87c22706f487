"""The parts of the objective against their closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from latent_nmr.models.losses import (
    kl_divergence,
    log_normaliser,
    reconstruction_loss,
    reparametrise,
)

# Ranges in which float32 keeps the compared sums to the stated tolerance.
means = st.floats(-10, 10, width=32)
log_variances = st.floats(-10, 5, width=32)
scales = st.floats(0.0078125, 2, width=32)


class TestKL:
    """KL divergence of a diagonal Gaussian from the standard normal."""

    @given(means, log_variances)
    def test_it_equals_the_closed_form_in_float64(self, mean, log_variance):
        variance = np.exp(np.float64(log_variance))
        expected = 0.5 * (mean**2 + variance - 1 - log_variance)
        found = float(kl_divergence(jnp.float32(mean), jnp.float32(log_variance)))
        # Terms up to 75, each rounded once or twice to 6e-8 of itself.
        assert found == pytest.approx(expected, rel=3e-6, abs=1e-6)

    @given(means, log_variances)
    def test_it_is_never_negative(self, mean, log_variance):
        assert float(kl_divergence(jnp.float32(mean), jnp.float32(log_variance))) >= 0

    def test_it_vanishes_at_the_prior_alone(self):
        assert float(kl_divergence(jnp.float32(0), jnp.float32(0))) == 0
        for mean, log_variance in ((0.01, 0.0), (0.0, 0.01), (0.0, -0.01)):
            assert float(kl_divergence(jnp.float32(mean), jnp.float32(log_variance))) > 1e-5

    def test_it_is_the_mean_log_ratio_of_the_densities(self):
        mean, deviation = 0.7, 0.4
        grid = np.linspace(mean - 10 * deviation, mean + 10 * deviation, 20001)
        q, p = stats.norm(mean, deviation), stats.norm()
        expected = np.trapezoid(q.pdf(grid) * (q.logpdf(grid) - p.logpdf(grid)), grid)
        found = float(kl_divergence(jnp.float32(mean), jnp.float32(2 * np.log(deviation))))
        assert found == pytest.approx(expected, rel=1e-5)


class TestReconstruction:
    """Minus the log-likelihood, summed over a row's features."""

    @given(scales, st.integers(0, 2**31))
    def test_gaussian_and_its_constant_are_minus_the_log_density(self, scale, seed):
        rng = np.random.default_rng(seed)
        x, logits = rng.uniform(0, 1, (3, 11)), rng.normal(size=(3, 11))
        expected = -stats.norm(expit(logits), scale).logpdf(x).sum(axis=1)
        arrays = jnp.asarray(x, jnp.float32), jnp.asarray(logits, jnp.float32)
        found = np.asarray(reconstruction_loss(*arrays, "gaussian", scale), np.float64)
        constant = log_normaliser(11, "gaussian", scale)
        # Differences of numbers near one carry 1e-7, relative to a misfit of a tenth.
        np.testing.assert_allclose(found + constant, expected, rtol=2e-5, atol=2e-5)

    def test_bernoulli_is_the_cross_entropy(self):
        rng = np.random.default_rng(0)
        x, logits = rng.uniform(0, 1, (3, 11)), rng.normal(0, 3, (3, 11))
        p = expit(logits)
        expected = -(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=1)
        arrays = jnp.asarray(x, jnp.float32), jnp.asarray(logits, jnp.float32)
        found = reconstruction_loss(*arrays, "bernoulli", 0.02)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert log_normaliser(11, "bernoulli", 0.02) == 0

    def test_bernoulli_of_certain_bits_is_minus_the_log_probability(self):
        logits = jnp.asarray([[2.0, -1.0]])
        found = float(reconstruction_loss(jnp.asarray([[1.0, 0.0]]), logits, "bernoulli", 1.0)[0])
        assert found == pytest.approx(-np.log(expit(2.0)) - np.log(expit(1.0)), rel=1e-6)

    def test_bernoulli_stays_finite_at_extreme_logits(self):
        x, logits = jnp.asarray([[1.0, 0.0, 1.0]]), jnp.asarray([[1e4, -1e4, -1e4]])
        found = reconstruction_loss(x, logits, "bernoulli", 1.0)
        np.testing.assert_allclose(found, [1e4], rtol=1e-6)

    @pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
    def test_it_is_summed_over_features(self, likelihood):
        rng = np.random.default_rng(0)
        x, logits = jnp.asarray(rng.uniform(0, 1, (2, 5))), jnp.asarray(rng.normal(size=(2, 5)))
        once = reconstruction_loss(x, logits, likelihood, 0.1)
        twice = reconstruction_loss(jnp.tile(x, 2), jnp.tile(logits, 2), likelihood, 0.1)
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-5)


class TestLearnedScale:
    """The Gaussian whose σ fits the rows at hand best."""

    @pytest.fixture
    def arrays(self):
        rng = np.random.default_rng(3)
        return rng.uniform(0, 1, (30, 11)), rng.normal(size=(30, 11))

    def test_its_misfit_is_that_of_the_most_likely_scale_and_its_logarithm(self, arrays):
        x, logits = arrays
        scales = np.linspace(0.05, 1, 2000)
        densities = stats.norm(expit(logits), scales[:, None, None]).logpdf(x).sum(axis=(1, 2))
        best = scales[densities.argmax()]
        found = reconstruction_loss(*map(jnp.asarray, arrays), "gaussian_learned", 7.0)
        expected = (x - expit(logits)) ** 2 / (2 * best**2) + np.log(best)
        # The grid knows σ to 0.0005 of about 0.4, and the sum is flat there.
        np.testing.assert_allclose(found, expected.sum(axis=1), rtol=0, atol=0.05)
        assert best not in (scales[0], scales[-1])

    def test_its_gradient_is_that_of_the_plain_gaussian_at_that_scale(self, arrays):
        x, logits = map(jnp.asarray, arrays)
        best = float(jnp.sqrt(jnp.mean((x - jax.nn.sigmoid(logits)) ** 2)))
        learned, plain = (
            jax.grad(lambda points, kind=kind: reconstruction_loss(x, points, kind, best).sum())(
                logits
            )
            for kind in ("gaussian_learned", "gaussian")
        )
        np.testing.assert_allclose(learned, plain, rtol=1e-4, atol=1e-6)

    def test_a_perfect_fit_is_finite(self):
        logits = jnp.zeros((2, 5))
        found = reconstruction_loss(jnp.full((2, 5), 0.5), logits, "gaussian_learned", 1.0)
        assert np.isfinite(found).all()


class TestReparametrise:
    """Latent samples from noise."""

    def test_samples_have_the_mean_and_the_variance_asked_for(self):
        n = 200_000
        noise = jax.random.normal(jax.random.key(0), (n, 1))
        z = np.asarray(reparametrise(jnp.full((n, 1), 2.0), jnp.full((n, 1), np.log(0.09)), noise))
        # Five standard errors of mean and standard deviation.
        assert z.mean() == pytest.approx(2.0, abs=5 * 0.3 / np.sqrt(n))
        assert z.std() == pytest.approx(0.3, abs=5 * 0.3 / np.sqrt(2 * n))

    def test_no_noise_is_the_mean(self):
        mean = jnp.asarray([[0.3, -1.0]])
        np.testing.assert_array_equal(
            reparametrise(mean, jnp.ones((1, 2)), jnp.zeros((1, 2))), mean
        )
