"""Trainings on the principal components of rows, and models that ignore what lies outside."""

import numpy as np
import pytest

from latent_nmr.errors import InputError, RangeWarning
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.many import fit_many
from latent_nmr.models.principal import PrincipalFilter
from tests.models.conftest import smooth_curves

OPTIONS = {"hidden_layer_sizes": (8,), "max_epochs": 2, "min_epoch_steps": 3, "random_state": 0}
N_COMPONENTS = 5


@pytest.fixture(scope="module")
def fitted():
    return BetaVAE(principal_components=N_COMPONENTS, **OPTIONS).fit(smooth_curves())


class TestFilter:
    """The projection on the first principal components."""

    def test_it_is_a_projection_that_loses_the_variance_of_the_others(self):
        X = np.random.default_rng(0).normal(size=(40, 9)).astype(np.float32)
        own = PrincipalFilter.of(X, 3)
        once = own.filtered(X)
        np.testing.assert_allclose(own.filtered(once), once, atol=1e-6)
        singular = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
        assert ((X - once) ** 2).sum() == pytest.approx((singular[3:] ** 2).sum(), rel=1e-4)

    def test_as_many_as_there_are_columns_change_nothing(self):
        X = np.random.default_rng(0).normal(size=(40, 9)).astype(np.float32)
        np.testing.assert_allclose(PrincipalFilter.of(X, 99).filtered(X), X, atol=1e-6)


class TestFit:
    """A β-VAE of filtered rows."""

    def test_what_lies_outside_the_components_moves_no_row(self, fitted):
        X = smooth_curves()
        own = PrincipalFilter.of(X, N_COMPONENTS)
        other = np.random.default_rng(0).normal(0, 0.1, X.shape)
        outside = other - other @ own.directions.T @ own.directions
        assert np.abs(outside).max() > 0.1
        Z = fitted.transform(X)
        np.testing.assert_allclose(fitted.transform(own.filtered(X)), Z, atol=1e-4)
        np.testing.assert_allclose(fitted.transform(X + outside), Z, atol=1e-4)

    def test_it_is_the_training_on_the_filtered_rows(self, fitted):
        rows = PrincipalFilter.of(smooth_curves(), N_COMPONENTS).filtered(smooth_curves())
        with pytest.warns(RangeWarning):  # a projection may leave [0, 1]
            plain = BetaVAE(**OPTIONS).fit(rows)
        assert plain.history_[-1][:8] == fitted.history_[-1][:8]
        np.testing.assert_allclose(plain.transform(rows), fitted.transform(rows), atol=1e-4)

    def test_many_are_fitted_as_one_is(self, fitted):
        template = BetaVAE(principal_components=N_COMPONENTS, **OPTIONS)
        (model,) = fit_many(smooth_curves(), seeds=[0], model=template, way="threads")
        for name, weights in fitted.weights_.items():
            np.testing.assert_array_equal(model.weights_[name], weights)

    def test_a_number_below_one_is_refused(self):
        with pytest.raises(InputError, match="principal_components must be"):
            BetaVAE(principal_components=0).fit(smooth_curves())
