"""Curves and a fitted model that the tests of this room share."""

import numpy as np
import pytest

from latent_nmr.models.beta_vae import BetaVAE


def smooth_curves(n_rows=200, n_columns=24, seed=0):
    """Bumps of two kinds, of random height and place, in [0, 1]; a two-parameter family."""
    rng = np.random.default_rng(seed)
    t = np.linspace(-1, 1, n_columns)
    height, place = rng.uniform(0.1, 0.9, (n_rows, 1)), rng.uniform(-0.5, 0.5, (n_rows, 1))
    return (height * np.exp(-((t - place) ** 2) / 0.1)).astype(np.float32)


@pytest.fixture(scope="session")
def curves():
    return smooth_curves()


@pytest.fixture(scope="session")
def fitted(curves):
    return BetaVAE(hidden_layer_sizes=(16, 8), max_epochs=12, random_state=0).fit(curves)
