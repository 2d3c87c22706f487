"""Speed of training the challenge's public networks."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr.models.challenge_models import DEEP, WIDTH, DeepNetwork
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.models.regression_network import (
    NORM_EPSILON,
    NORM_MOMENTUM,
    SOLVERS,
    NetworkShape,
    initial_states,
    run_epoch,
)
from latent_nmr.studies.speed.timing import in_turns, seconds

BATCH_SIZE, LEARNING_RATE = 32, 1e-3

# What contenders copy: activations and epochs by edition, the width of every hidden layer, and what
# batch norm adds to a variance and keeps of its running mean.
NETWORKS: dict[str, DeepNetwork] = DEEP
HIDDEN_WIDTH = WIDTH
EPSILON, MOMENTUM = NORM_EPSILON, NORM_MOMENTUM

Rows = npt.NDArray[np.float32]


def network_times(
    network: DeepNetwork,
    rows: Rows,
    targets: Rows,
    repeats: int,
    contenders: Mapping[str, Callable[[], object]] | None = None,
) -> dict[str, Any]:
    """Seconds per epoch of a public network, and of one whole training.

    Parameters
    ----------
    network : DeepNetwork
    rows : ndarray, shape (n_curves, n_features)
    targets : ndarray, shape (n_curves, n_targets)
    repeats : int
    contenders : mapping of callable, optional
        Further functions that train one epoch per call; they take turns with ours.
    """
    others = dict(contenders or {})
    times = in_turns({"latent_nmr": epoch_of_network(network, rows, targets), **others}, repeats)
    ours = times["latent_nmr"]["median_s"]
    return {
        "n_epochs": network.n_epochs,
        "seconds_per_epoch": times,
        **{f"{name}_over_ours": times[name]["median_s"] / ours for name in others},
        "training_s": seconds(whole_training(network, rows, targets)),
    }


def epoch_of_network(network: DeepNetwork, rows: Rows, targets: Rows) -> Callable[[], None]:
    """One epoch of a public network per call; rows (n_curves, n_features), targets of each."""
    widths = (WIDTH,) * len(network.activations)
    shape = NetworkShape(
        rows.shape[1], widths, network.activations, targets.shape[1], batch_norm=True
    )
    carry = initial_states(shape, jax.random.key(0))
    carry = (*carry, SOLVERS["nadam"](LEARNING_RATE).init(carry[0]))
    data, wanted = jnp.asarray(rows), jnp.asarray(targets)
    epochs, n_batches = iter(range(10**9)), -(-len(rows) // BATCH_SIZE)

    def run():
        nonlocal carry
        *carry, loss = run_epoch(
            *carry, data, wanted, LEARNING_RATE, jax.random.key(next(epochs)),
            shape=shape, solver="nadam", batch_size=BATCH_SIZE, n_batches=n_batches,
        )  # fmt: skip
        if not np.isfinite(float(loss)):
            raise RuntimeError("training left the finite numbers")

    return run


def whole_training(network: DeepNetwork, rows: Rows, targets: Rows) -> Callable[[], object]:
    """All epochs of `fit`, from compilation to the weights kept.

    All rows train; a ninth of them, repeated, chooses the epoch.
    """
    n_chosen = len(rows) // 9
    X, y = (np.concatenate([part, part[:n_chosen]]) for part in (rows, targets))
    model = CurveRegressor(
        (WIDTH,) * len(network.activations), activation=network.activations,
        batch_size=BATCH_SIZE, max_epochs=network.n_epochs, random_state=0,
    )  # fmt: skip
    return lambda: model.fit(X, y, validation_rows=range(len(rows), len(rows) + n_chosen))
