"""Rows of a formula instead of a simulator, and a posterior fitted to them."""

from typing import NamedTuple

import numpy as np
import pytest

from latent_nmr.models.posterior.echo_posterior import EchoPosterior
from latent_nmr.models.posterior.prior import Materials, Prior

N_SAMPLES = 24
PARAMETERS = {
    "n_mixtures": 2,
    "principal_components": 6,
    "batch_size": 128,
    "max_epochs": 25,
    "learning_rate": 1e-2,
    "random_state": 0,
}


class Rows(NamedTuple):
    """Rows with their materials and angles, degrees."""

    X: np.ndarray
    materials: Materials
    angles: np.ndarray

    @property
    def y(self):
        return labels_of(self.materials)


def labels_of(materials):
    """Materials under the names that a data set has."""
    kernels = np.array(Prior().kernels)
    return materials._replace(kernel=kernels[materials.kernel])._asdict()


def rows_of_a_formula(n_rows, seed=0):
    """α_x sets how |M| falls, α_z how its phase turns; what the kernel does is not seen."""
    random = np.random.RandomState(seed)
    materials = Prior().draw(n_rows, random)
    angles = random.uniform(30, 150, n_rows)
    t = np.linspace(0, 1, N_SAMPLES)
    fall = np.exp(-40 * materials.alpha_x[:, None] * t)
    turns = 60 * materials.alpha_z[:, None] * t
    signal = fall * np.exp(1j * turns)
    X = np.concatenate([signal.real, signal.imag], axis=1).astype(np.float32)
    return Rows(X, materials, angles)


@pytest.fixture(scope="session")
def training():
    return rows_of_a_formula(800)


@pytest.fixture(scope="session")
def held_out():
    return rows_of_a_formula(300, seed=1)


@pytest.fixture(scope="session")
def model(training):
    fitted = EchoPosterior((32,), **PARAMETERS)
    return fitted.fit(training.X, training.y, training.angles)
