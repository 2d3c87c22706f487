"""Fitting the β-VAE: epoch after epoch until the held-out reconstruction stops improving."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax
from flax import nnx

from latent_nmr._jax_settings import own_settings
from latent_nmr.errors import NumericalError
from latent_nmr.models.epochs import Objective, Parts, evaluate, run_epoch
from latent_nmr.models.networks import Architecture, data_matched_state, graph_of
from latent_nmr.models.repeats import Pairs, Repeats
from latent_nmr.models.schedule import EpochRecord, Schedule, is_better, stop_reason


@dataclass(frozen=True)
class Problem:
    """What is to be trained, on which rows of the data."""

    architecture: Architecture
    objective: Objective
    likelihood: str
    schedule: Schedule
    training_rows: npt.NDArray[np.int64]
    validation_rows: npt.NDArray[np.int64]
    key: jax.Array
    # Where the objective looks at repeats.
    training_repeats: Repeats | None = None
    validation_pairs: Pairs | None = None
    validation_materials: npt.NDArray[np.int64] | None = None  # of every held-out row
    # What the encoder is to see instead of the rows.
    augment: str | None = None

    @own_settings()
    def keys(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Keys of weights, epochs and the validation part's latent noise."""
        init_key, epoch_key, validation_key = jax.random.split(self.key, 3)
        return init_key, epoch_key, validation_key

    @own_settings()
    def rows(self) -> tuple[jax.Array | Repeats, jax.Array, Pairs | None]:
        """What to train on, and the rows and pairs held out, as arrays of JAX."""
        own = self.training_repeats or self.training_rows
        parts = own, self.validation_rows, self.validation_pairs
        return jax.tree.map(jnp.asarray, parts)

    def objective_in(self, epoch: int) -> Objective:
        """Objective in an epoch, with β as far as it has risen."""
        return self.objective._replace(beta=self.objective.beta * self.schedule.beta_share(epoch))


@dataclass(frozen=True)
class Progress:
    """A training between two epochs: all that is needed to go on."""

    state: nnx.State
    optimiser_state: optax.OptState
    best_state: nnx.State
    best_epoch: int = 0
    history: tuple[EpochRecord, ...] = ()


@dataclass(frozen=True)
class Fit:
    """Outcome of a training: the weights of the best epoch, and how it went."""

    state: nnx.State
    history: list[EpochRecord]
    best_epoch: int
    stop_reason: str


class Keeper(Protocol):
    """Keeps progress where it survives the process."""

    def restore(self, start: Progress) -> Progress:
        """Return kept progress of the same shape as `start`, or `start` itself."""
        ...

    def keep(self, progress: Progress, *, is_last: bool) -> None:
        """Keep progress, if it is time to."""
        ...


def train(
    problem: Problem,
    data: npt.NDArray[np.float32] | jax.Array,
    *,
    on_epoch: Callable[[EpochRecord], None] | None = None,
    keeper: Keeper | None = None,
) -> Fit:
    """Train until the validation reconstruction has not improved for `patience` epochs.

    Parameters
    ----------
    problem : Problem
    data : ndarray or Array of float32, shape (n_rows, n_features)
    on_epoch : callable, optional
        Called with each epoch's record.
    keeper : Keeper, optional
        Where progress is kept and taken up again, to the same final weights bit for bit.

    Returns
    -------
    Fit
        With the weights of the epoch whose validation reconstruction, and contrast where there is
        one, was lowest.

    Raises
    ------
    NumericalError
        If no epoch has a finite loss.
    """
    schedule = problem.schedule
    with own_settings():
        rows, parts = jnp.asarray(data), problem.rows()
    progress = beginning(problem, rows)
    if keeper is not None:
        progress = keeper.restore(progress)
    try:
        while not stop_reason(progress.history, progress.best_epoch, schedule):
            progress = next_epoch(problem, progress, rows, *parts)
            if on_epoch is not None:
                on_epoch(progress.history[-1])
            if keeper is not None:
                stop = stop_reason(progress.history, progress.best_epoch, schedule)
                keeper.keep(progress, is_last=bool(stop))
    except KeyboardInterrupt:
        if keeper is not None and progress.history:
            keeper.keep(progress, is_last=True)
        raise
    return outcome(progress.best_state, progress.history, progress.best_epoch, schedule)


@own_settings()
def next_epoch(
    problem: Problem,
    progress: Progress,
    rows: jax.Array,
    training_rows: jax.Array | Repeats,
    validation_rows: jax.Array,
    validation_pairs: Pairs | None,
) -> Progress:
    """Progress after one more epoch."""
    start, epoch = time.perf_counter(), len(progress.history) + 1
    graph, schedule = graph_of(problem.architecture), problem.schedule
    _, epoch_key, validation_key = problem.keys()
    objective = problem.objective_in(epoch)
    state, optimiser_state, parts = run_epoch(
        graph,
        progress.state,
        progress.optimiser_state,
        rows,
        training_rows,
        objective,
        schedule.rate(epoch),
        jax.random.fold_in(epoch_key, epoch),
        likelihood=problem.likelihood,
        augment=problem.augment,
        **schedule.portions(len(problem.training_rows)),
    )
    held_out = evaluate(
        graph,
        state,
        rows,
        validation_rows,
        objective,
        validation_key,
        validation_pairs,
        likelihood=problem.likelihood,
        augment=problem.augment,
    )
    parts, held_out = jax.device_get((parts, held_out))
    record = to_record(epoch, objective.beta, parts, held_out, start)
    is_best = is_better(record, progress.history, progress.best_epoch, schedule)
    return Progress(
        state,
        optimiser_state,
        best_state=state if is_best else progress.best_state,
        best_epoch=epoch if is_best else progress.best_epoch,
        history=(*progress.history, record),
    )


@own_settings()
def beginning(problem: Problem, rows: jax.Array) -> Progress:
    """Fresh weights, fitted to the training rows' scale, and Adam at rest."""
    init_key, _, _ = problem.keys()
    own = rows[jnp.asarray(problem.training_rows)]
    state = data_matched_state(problem.architecture, init_key, own)
    return Progress(state, adam_at_rest(state), state)


@jax.jit  # one program instead of two for every shape of a weight
def adam_at_rest(state: nnx.State) -> optax.OptState:
    """Adam before its first step, which does not depend on the learning rate."""
    return optax.adam(1.0).init(state)


def outcome(
    best_state: nnx.State, history: Sequence[EpochRecord], best: int, schedule: Schedule
) -> Fit:
    """What a training that has stopped leaves; raises `NumericalError` if that is nothing."""
    if not best:
        raise NumericalError(
            "the loss must stay finite, but is not in the first epoch. "
            "Lower the learning rate or raise the likelihood's scale."
        )
    return Fit(best_state, list(history), best, stop_reason(history, best, schedule))


def to_record(
    epoch: int, beta: float | jax.Array, parts: Parts, held_out: Parts, start: float
) -> EpochRecord:
    """History line of an epoch that began at `start` (`time.perf_counter`)."""
    return EpochRecord(
        epoch=epoch,
        beta=float(beta),
        reconstruction=float(parts.reconstruction),
        kl=float(parts.kl.sum()),
        kl_per_axis=tuple(map(float, parts.kl)),
        validation_reconstruction=float(held_out.reconstruction),
        validation_kl=float(held_out.kl.sum()),
        validation_kl_per_axis=tuple(map(float, held_out.kl)),
        seconds=time.perf_counter() - start,
        contrast=float(parts.contrast),
        validation_contrast=float(held_out.contrast),
    )


def print_epoch(record: EpochRecord) -> None:
    """Print one line about an epoch."""
    print(
        f"epoch {record.epoch:4d}  reconstruction {record.reconstruction:9.3f}  "
        f"KL {record.kl:6.3f}  validation {record.validation_reconstruction:9.3f}"
    )
