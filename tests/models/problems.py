"""Small training problems that several tests share."""

import jax
import numpy as np

from latent_nmr.models.epochs import Objective
from latent_nmr.models.networks import Architecture
from latent_nmr.models.schedule import Schedule
from latent_nmr.models.training import Problem, train

ARCHITECTURE = Architecture(n_features=24, hidden_layer_sizes=(8,), n_components=2)
TRAINING_ROWS, VALIDATION_ROWS = np.arange(150), np.arange(150, 200)


def small_problem(*, key=0, likelihood="gaussian", beta=2.0, **schedule):
    """Two hundred rows of 24 columns; one epoch of few steps, unless the schedule says more."""
    usual = {
        "batch_size": 50,
        "min_epoch_steps": 1,
        "max_epochs": 1,
        "patience": 5,
        "learning_rate": 1e-3,
    }
    return Problem(
        architecture=ARCHITECTURE,
        objective=Objective(beta, 0.05),
        likelihood=likelihood,
        schedule=Schedule(**(usual | schedule)),
        training_rows=TRAINING_ROWS,
        validation_rows=VALIDATION_ROWS,
        key=jax.random.key(key),
    )


def fit(rows, *, on_epoch=None, keeper=None, **options):
    """Outcome of training a small problem."""
    return train(small_problem(**options), rows, on_epoch=on_epoch, keeper=keeper)


def same(a, b):
    """Whether two trees of arrays hold the same bits."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all((np.asarray(one) == np.asarray(two)).all() for one, two in pairs)
