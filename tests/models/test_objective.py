"""What is minimised and what is recorded, against the objective written in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from scipy import stats
from scipy.special import expit

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.epochs import Objective, objective_parts, run_epoch
from latent_nmr.models.inference import EVIDENCE_POINTS
from latent_nmr.models.networks import (
    graph_of,
    initial_state,
    state_of,
    weight_shapes,
    weights_of,
)
from tests.models import reference
from tests.models.problems import ARCHITECTURE, fit, same

GRAPH = graph_of(ARCHITECTURE)
WEIGHTS = reference.random_weights(weight_shapes(ARCHITECTURE))
LIKELIHOODS = pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])


def one_epoch(rows, *, beta=2.0, learning_rate=0.0, n_batches=4, batch_size=50):
    """State, optimiser state and parts after an epoch from fresh weights."""
    state = initial_state(ARCHITECTURE, jax.random.key(0))
    return run_epoch(
        GRAPH,
        state,
        optax.adam(learning_rate).init(state),
        jnp.asarray(rows),
        jnp.arange(len(rows)),
        Objective(beta, 0.05),
        learning_rate,
        jax.random.key(1),
        likelihood="gaussian",
        n_batches=n_batches,
        batch_size=batch_size,
    )


@pytest.fixture(scope="module")
def gradients(curves):
    """Gradient of the objective in every weight, by β."""
    found = {}
    for beta in (0.0, 1.0, 4.0):
        moments = one_epoch(curves, beta=beta, n_batches=1, batch_size=200)[1][0].mu
        found[beta] = {name: 10 * array for name, array in weights_of(moments).items()}
    return found


@pytest.fixture(scope="module")
def plain(curves):
    return fit(curves)


class TestParts:
    """Reconstruction and KL of given rows and noise."""

    @LIKELIHOODS
    def test_they_are_means_over_rows_of_sums_over_time_and_of_kl_per_axis(
        self, curves, likelihood
    ):
        x = curves.astype(np.float64)
        noise = np.random.default_rng(0).normal(size=(200, 2))
        with jax.enable_x64(True):
            model = nnx.merge(GRAPH, state_of(ARCHITECTURE, WEIGHTS))
            arrays = jnp.asarray(x), jnp.asarray(noise)
            parts = objective_parts(model, *arrays, Objective(2.0, 0.05), likelihood)
        mean, log_variance = reference.encode(WEIGHTS, x)
        z = mean + np.exp(log_variance / 2) * noise
        expected = reference.misfit(x, reference.logits(WEIGHTS, z), likelihood, 0.05)
        # Float64 throughout; the reference takes differences of densities thousands apart.
        assert float(parts.reconstruction) == pytest.approx(expected.mean(), rel=1e-12)
        np.testing.assert_allclose(
            parts.kl, reference.kl(mean, log_variance).mean(axis=0), rtol=1e-12
        )

    @LIKELIHOODS
    def test_the_score_is_minus_both_with_the_whole_density_and_without_beta(
        self, curves, likelihood
    ):
        model = BetaVAE(
            hidden_layer_sizes=(8,), likelihood=likelihood, beta=7.0, max_epochs=1, random_state=0
        )
        mean, log_variance = reference.encode(model.fit(curves).weights_, curves)
        # The expectation is taken at these points, the same for every row.
        half = jax.random.normal(jax.random.key(0), (EVIDENCE_POINTS // 2, 2))
        losses = np.zeros(len(curves))
        for point in np.concatenate([half, -half]).astype(np.float64):
            decoded = reference.logits(model.weights_, mean + np.exp(log_variance / 2) * point)
            if likelihood == "gaussian":
                losses -= stats.norm.logpdf(curves, expit(decoded), 0.02).sum(axis=1)
            else:
                losses += reference.misfit(curves, decoded, likelihood, 0.02)
        expected = -(losses / EVIDENCE_POINTS + reference.kl(mean, log_variance).sum(axis=1))
        np.testing.assert_allclose(model.score_samples(curves), expected, rtol=1e-5)
        expected = expected.mean()
        # Float32 logits are right to 1e-6, and losses of order 10³ nats as steep as 1/σ.
        assert model.score(curves) == pytest.approx(expected, rel=1e-5)


class TestGradient:
    """What a step follows: Adam's first moment after one step is a tenth of the gradient."""

    def test_beta_multiplies_the_kl_and_nothing_else(self, gradients):
        for name, plain in gradients[0.0].items():
            kl = gradients[1.0][name] - plain
            # Differences of float32 numbers as large as the gradient itself.
            rounding = 50 * np.finfo(np.float32).eps * np.abs(gradients[4.0][name]).max()
            np.testing.assert_allclose(gradients[4.0][name], plain + 4 * kl, rtol=0, atol=rounding)

    def test_the_decoder_does_not_feel_beta_and_the_heads_do(self, gradients):
        for name, plain in gradients[0.0].items():
            feels = np.abs(gradients[4.0][name] - plain).max() > 1e-3
            assert feels == name.startswith(("encoder", "mean_head", "log_variance_head"))


class TestEpoch:
    """One call of `run_epoch`."""

    @pytest.mark.parametrize(("n_batches", "batch_size"), [(4, 50), (8, 50)])
    def test_whole_passes_meet_every_row_equally_often(self, curves, n_batches, batch_size):
        state, _, parts = one_epoch(curves, n_batches=n_batches, batch_size=batch_size)
        mean, log_variance = reference.encode(weights_of(state), curves)
        expected = reference.kl(mean, log_variance).mean(axis=0)
        # The KL needs no noise, and with learning rate 0 the weights stand still. Its float32
        # terms of order one cancel to a fifth at least.
        np.testing.assert_allclose(parts.kl, expected, rtol=1e-5)

    def test_learning_rate_nought_changes_no_weight(self, curves):
        assert same(one_epoch(curves)[0], initial_state(ARCHITECTURE, jax.random.key(0)))

    def test_every_batch_is_one_step(self, curves):
        assert int(one_epoch(curves, n_batches=8)[1][0].count) == 8


class TestSchedule:
    """How many steps an epoch has, and what the key decides."""

    def test_the_same_key_gives_the_same_bits_and_another_key_others(self, curves, plain):
        assert same(fit(curves).state, plain.state)
        assert not same(fit(curves, key=1).state, plain.state)

    def test_few_steps_are_filled_up_to_the_minimum(self, curves, plain):
        # 150 rows in batches of 50 are three steps.
        assert same(fit(curves, min_epoch_steps=3).state, plain.state)
        assert not same(fit(curves, min_epoch_steps=4).state, plain.state)

    def test_a_batch_is_at_most_all_rows(self, curves):
        all_rows, more = (fit(curves, batch_size=size).state for size in (150, 10_000))
        assert same(all_rows, more)

    def test_the_record_of_the_best_epoch_holds_the_kl_of_the_weights_returned(self, curves):
        result = fit(curves, max_epochs=3)
        mean, log_variance = reference.encode(weights_of(result.state), curves[150:])
        expected = reference.kl(mean, log_variance).mean(axis=0)
        best = result.history[result.best_epoch - 1]
        np.testing.assert_allclose(best.validation_kl_per_axis, expected, rtol=1e-5)
        assert best.validation_kl == pytest.approx(expected.sum(), rel=1e-5)

    def test_weights_from_before_the_loss_exploded_are_returned(self, curves):
        # A step of ten lets the posterior's variance overflow after a few epochs of one step.
        options = {"batch_size": 150, "learning_rate": 10.0, "patience": 50}
        result = fit(curves, max_epochs=50, **options)
        assert result.stop_reason == "loss not finite"
        assert [record.is_finite() for record in result.history[-2:]] == [True, False]
        until_best = fit(curves, max_epochs=result.best_epoch, **options)
        assert same(result.state, until_best.state)
        assert all(np.isfinite(array).all() for array in weights_of(result.state).values())
