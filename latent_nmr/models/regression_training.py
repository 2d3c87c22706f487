"""Training a network from curves to parameters: plateaus, early stopping, the best epoch kept."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings
from latent_nmr.errors import InputError, NumericalError
from latent_nmr.models.regression_network import (
    NetworkShape,
    Weights,
    apply,
    initial_states,
    mean_loss,
    run_epoch,
    solver_at_rest,
    weights_of,
)

Rows = npt.NDArray[np.int64]


def finite_targets(y: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Targets as a table, shape (n_rows, n_targets); refuses None, which scikit-learn lets pass."""
    targets = np.asarray(y, np.float64).reshape(len(np.asarray(y)), -1)
    if len(bad := np.argwhere(~np.isfinite(targets))):
        row, column = bad[0]
        raise InputError(
            f"y must be finite, but row {row} has {targets[row, column]} in column {column}. Drop "
            f"or repair such rows ({len(np.unique(bad[:, 0]))} of {len(targets)})."
        )
    return targets


class RegressionRecord(NamedTuple):
    """One epoch: mean losses of standardised targets and classes, learning rate, seconds."""

    epoch: int
    learning_rate: float
    training_error: float
    validation_error: float
    seconds: float


@dataclass(frozen=True)
class RegressionSchedule:
    """How long and in which portions to train; fields as of the estimators."""

    solver: str
    learning_rate: float
    batch_size: int
    max_epochs: int
    plateau_factor: float
    plateau_patience: int
    patience: int | None
    min_epoch_steps: int = 1


class Course:
    """Learning rate, best epoch and its weights, as a training goes on."""

    def __init__(self, schedule: RegressionSchedule):
        self.schedule, self.rate = schedule, schedule.learning_rate
        self.history: list[RegressionRecord] = []
        self.best, self.weights = 0, {}
        self._lowered_at = 0

    def add(self, record: RegressionRecord, weights: Callable[[], Weights]) -> bool:
        """Note an epoch, and whether another one is due."""
        self.history.append(record)
        epoch, schedule = record.epoch, self.schedule
        if not math.isfinite(record.validation_error):
            return False
        best = self.history[self.best - 1].validation_error if self.best else math.inf
        if not self.best or record.validation_error < best:
            self.best, self.weights = epoch, weights()
        if schedule.patience is not None and epoch - self.best >= schedule.patience:
            return False
        if epoch - max(self.best, self._lowered_at) >= schedule.plateau_patience:
            self.rate, self._lowered_at = self.rate * schedule.plateau_factor, epoch
        return epoch < schedule.max_epochs


def validation_loss(
    outputs: jax.Array, targets: jax.Array, class_sizes: tuple[int, ...] = ()
) -> float:
    """What of an epoch is to be low, summed up in double precision where all are numbers."""
    if class_sizes:
        return float(mean_loss(outputs, targets, class_sizes))
    return float(np.mean((np.asarray(outputs) - np.asarray(targets)) ** 2, dtype=np.float64))


def train_network(
    shape: NetworkShape,
    schedule: RegressionSchedule,
    data: tuple[jax.Array, jax.Array],
    split: tuple[Rows, Rows],
    key: jax.Array,
    on_epoch: Callable[[RegressionRecord], None] | None = None,
    *,
    class_sizes: tuple[int, ...] = (),
) -> Course:
    """Train one network; what is kept are the weights of its best epoch.

    Parameters
    ----------
    shape : NetworkShape
    schedule : RegressionSchedule
    data : tuple of Array
        Scaled rows (n_rows, n_features) and standardised targets (n_rows, n_targets).
    split : tuple of ndarray of int
        Rows to train on and rows held out.
    key : Array
    on_epoch : callable, optional
        Called with the record of each epoch.
    class_sizes : tuple of int
        Number of classes of each of the last columns of the targets, which are then classes
        counted from 0.

    Raises
    ------
    NumericalError
        If the error is not finite in the first epoch.
    """
    with own_settings():
        init_key, epoch_key = jax.random.split(key)
        parameters, statistics = initial_states(shape, init_key)
        solver_state = solver_at_rest(parameters, solver=schedule.solver)
        (own_rows, own_targets), (asked, wanted) = (
            tuple(part[jnp.asarray(rows)] for part in data) for rows in split
        )
    batch_size = min(schedule.batch_size, len(own_rows))
    portions: dict[str, Any] = {
        "batch_size": batch_size,
        "n_batches": max(-(-len(own_rows) // batch_size), schedule.min_epoch_steps),
    }
    course, epoch, is_due = Course(schedule), 0, True
    while is_due:
        start, epoch = time.perf_counter(), epoch + 1
        with own_settings():
            parameters, statistics, solver_state, loss = run_epoch(
                parameters, statistics, solver_state, own_rows, own_targets, course.rate,
                jax.random.fold_in(epoch_key, epoch), shape=shape, solver=schedule.solver,
                class_sizes=class_sizes, **portions,
            )  # fmt: skip
            found = apply(parameters, statistics, asked, shape=shape)
            error = validation_loss(found, wanted, class_sizes)
        seconds = time.perf_counter() - start
        record = RegressionRecord(epoch, course.rate, float(loss), error, seconds)
        if on_epoch is not None:
            on_epoch(record)
        state = parameters, statistics
        is_due = course.add(record, lambda state=state: weights_of(*state))
    if not course.best:
        raise NumericalError(
            "the error must stay finite, but is not in the first epoch. Lower learning_rate."
        )
    return course
