"""Order and sign of three axes, where a permutation is not its own inverse."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.networks import Architecture, weight_shapes
from latent_nmr.models.orientation import orient
from latent_nmr.models.vae_fit import oriented
from tests.models import reference

ARCHITECTURE = Architecture(n_features=12, hidden_layer_sizes=(6, 5), n_components=3)
WEIGHTS = {
    name: array.astype(np.float32)
    for name, array in reference.random_weights(weight_shapes(ARCHITECTURE)).items()
}
ROWS = np.random.default_rng(1).random((20, 12))

orders = st.permutations([0, 1, 2]).map(np.array)
signs = st.tuples(*[st.sampled_from([-1.0, 1.0])] * 3).map(np.array)


@pytest.fixture(scope="module")
def models(curves):
    """Several fits, so that some had to be turned."""
    options = {"n_components": 3, "max_epochs": 2, "min_epoch_steps": 20}
    return [
        BetaVAE(hidden_layer_sizes=(8,), random_state=seed, **options).fit(curves)
        for seed in range(4)
    ]


class TestOrient:
    """Axis k of the turned weights is the old axis order[k] times its sign."""

    @given(orders, signs)
    def test_means_are_permuted_and_signed_and_variances_permuted(self, order, sign):
        turned = orient(WEIGHTS, order, sign)
        mean, log_variance = reference.encode(WEIGHTS, ROWS)
        new_mean, new_log_variance = reference.encode(turned, ROWS)
        # Column by column the same sums; a sign costs no rounding.
        np.testing.assert_allclose(new_mean, (mean * sign)[:, order], rtol=1e-13)
        np.testing.assert_allclose(new_log_variance, log_variance[:, order], rtol=1e-13)

    @given(orders, signs)
    def test_no_reconstruction_changes(self, order, sign):
        turned = orient(WEIGHTS, order, sign)
        before = reference.decode(WEIGHTS, reference.encode(WEIGHTS, ROWS)[0])
        after = reference.decode(turned, reference.encode(turned, ROWS)[0])
        # A float64 sum over three latent inputs, in another order.
        np.testing.assert_allclose(after, before, rtol=1e-13)

    @given(orders, signs)
    def test_the_inverse_order_with_the_permuted_signs_undoes_it(self, order, sign):
        back = orient(orient(WEIGHTS, order, sign), np.argsort(order), sign[order])
        assert back.keys() == WEIGHTS.keys()
        for name, array in WEIGHTS.items():
            np.testing.assert_array_equal(back[name], array)

    def test_the_weights_given_are_left_alone(self):
        before = deepcopy(WEIGHTS)
        orient(WEIGHTS, np.array([2, 0, 1]), np.array([-1.0, 1.0, -1.0]))
        for name, array in before.items():
            np.testing.assert_array_equal(WEIGHTS[name], array)


class TestFit:
    """Axes of fitted models."""

    def test_kl_on_the_training_rows_falls_from_axis_to_axis(self, models, curves):
        for model in models:
            posterior = reference.encode(model.weights_, curves[model.training_rows_])
            kl = reference.kl(*posterior).mean(axis=0)
            assert (np.diff(kl) <= 0).all()
            np.testing.assert_allclose(model.kl_, kl, rtol=1e-4)
            variances = posterior[0].var(axis=0)
            np.testing.assert_allclose(model.axis_variances_, variances, rtol=1e-4)

    def test_the_decoded_mean_falls_from_minus_one_to_plus_one(self, models):
        for model in models:
            low, high = (
                reference.decode(model.weights_, sign * np.eye(3)).mean(axis=1) for sign in (-1, 1)
            )
            assert (high < low).all()

    def test_a_second_orientation_is_the_identity(self, models, curves):
        for model in models:
            rows = curves[model.training_rows_]
            weights, order, kl, variances = oriented(model.architecture_, model.weights_, rows)
            for name, array in model.weights_.items():
                np.testing.assert_array_equal(weights[name], array)
            assert order.tolist() == [0, 1, 2]
            np.testing.assert_array_equal(kl, model.kl_)
            np.testing.assert_array_equal(variances, model.axis_variances_)

    def test_the_history_follows_its_axes(self, models, curves):
        for model in models:
            posterior = reference.encode(model.weights_, curves[model.validation_rows_])
            kl = reference.kl(*posterior).mean(axis=0)
            best = model.history_[model.best_epoch_ - 1]
            np.testing.assert_allclose(best.validation_kl_per_axis, kl, rtol=1e-4)
            # Means over the epoch's steps, so of the same order only.
            assert np.argmax(best.kl_per_axis) == np.argmax(best.validation_kl_per_axis)
