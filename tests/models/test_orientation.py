"""Order and sign of latent axes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.orientation import orient


def with_weights(model, weights):
    """Copy of a fitted model with other weights."""
    from copy import copy

    other = copy(model)
    other.weights_ = weights
    return other


class TestOrientedFit:
    """What `fit` promises about its axes."""

    def test_axes_are_ordered_by_their_kl_on_the_training_rows(self, fitted, curves):
        rows = curves[fitted.training_rows_]
        mean, deviation = fitted.transform(rows), fitted.transform_std(rows)
        kl = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).mean(axis=0)
        np.testing.assert_allclose(fitted.kl_, kl, rtol=1e-4)
        assert fitted.kl_[0] >= fitted.kl_[1]
        np.testing.assert_allclose(fitted.axis_variances_, mean.var(axis=0), rtol=1e-4)

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(4))
    def test_the_decoded_mean_falls_along_every_axis(self, curves, seed):
        model = BetaVAE(
            hidden_layer_sizes=(16,), n_components=3, max_epochs=2, random_state=seed
        ).fit(curves)
        for axis in np.eye(3):
            low, high = model.inverse_transform(np.stack([-axis, axis])).mean(axis=1)
            assert high < low

    def test_the_history_follows_the_order_of_the_axes(self, fitted, curves):
        best = fitted.history_[fitted.best_epoch_ - 1].validation_kl_per_axis
        rows = curves[fitted.validation_rows_]
        mean, deviation = fitted.transform(rows), fitted.transform_std(rows)
        kl = 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation)).mean(axis=0)
        np.testing.assert_allclose(best, kl, rtol=1e-4)


class TestOrient:
    """Folding an order and signs into the weights."""

    @settings(max_examples=10, deadline=None)
    @given(
        order=st.permutations([0, 1]),
        signs=st.lists(st.sampled_from([-1.0, 1.0]), min_size=2, max_size=2),
    )
    def test_coordinates_move_as_asked_and_no_curve_changes(self, fitted, curves, order, signs):
        turned = with_weights(fitted, orient(fitted.weights_, np.array(order), np.array(signs)))
        expected = (fitted.transform(curves) * np.array(signs))[:, order]
        np.testing.assert_allclose(turned.transform(curves), expected, rtol=1e-6, atol=1e-7)
        deviations = fitted.transform_std(curves)[:, order]
        np.testing.assert_allclose(turned.transform_std(curves), deviations, rtol=1e-6)
        # The sum over two latent inputs is taken in another order.
        np.testing.assert_allclose(
            turned.reconstruct(curves), fitted.reconstruct(curves), rtol=1e-5, atol=1e-6
        )

    def test_the_identity_changes_nothing(self, fitted):
        same = orient(fitted.weights_, np.arange(2), np.ones(2))
        assert all((same[name] == array).all() for name, array in fitted.weights_.items())
