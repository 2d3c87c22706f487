"""Training of a posterior: an epoch is one jitted scan, each row measured again in each."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax

from latent_nmr._jax_settings import own_settings
from latent_nmr.errors import NumericalError
from latent_nmr.models.epochs import shuffled_rows
from latent_nmr.models.networks import Weights
from latent_nmr.models.posterior.mixture import log_density, log_kernel
from latent_nmr.models.posterior.network import (
    PosteriorShape,
    initial_state,
    inputs_of,
    mixtures_of,
    state_of,
    weights_of,
)
from latent_nmr.models.posterior.receiver import Conditions, disturbed, draw_conditions
from latent_nmr.models.posterior.tempering import NAME, fit_tempering

Rows = npt.NDArray[np.int64]

# Share of the epochs in which the learning rate rises to its height.
RISING_SHARE = 0.05
# Epochs over which weights are averaged, with falling weight; the average is what is kept.
MEAN_EPOCHS = 2
MOST_GRADIENT = 5.0
# How often held-out rows are measured to judge an epoch.
N_JUDGED = 2
N_TEMPERED = 4
# Rows that go through the network at a time outside of training.
PIECE = 1024


class PosteriorRecord(NamedTuple):
    """One epoch: mean losses in nats per row, without the prior's constant, and seconds."""

    epoch: int
    learning_rate: float
    training_loss: float
    validation_loss: float
    seconds: float


class Data(NamedTuple):
    """Rows on the device with what belongs to them, see `EchoPosterior.fit`.

    Attributes
    ----------
    rows : Array, shape (n_rows, n_features)
    flip_angles : Array, shape (n_rows,)
        rad.
    kernel : Array of int, shape (n_rows,)
    scores : Array, shape (n_rows, 3)
    """

    rows: jax.Array
    flip_angles: jax.Array
    kernel: jax.Array
    scores: jax.Array


@dataclass(frozen=True)
class PosteriorSchedule:
    """How long and in which portions to train; fields as of `EchoPosterior`."""

    learning_rate: float
    weight_decay: float
    batch_size: int
    max_epochs: int
    patience: int
    carrier_error: float
    phase_share: float

    def rate_at(self, epoch: int) -> float:
        """Learning rate of an epoch: it rises, and falls to nought as a cosine."""
        n_rising = math.ceil(RISING_SHARE * self.max_epochs)
        if epoch <= n_rising:
            return self.learning_rate * epoch / n_rising
        fallen = (epoch - n_rising) / (self.max_epochs - n_rising + 1)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * fallen))


class Course(NamedTuple):
    """What a training leaves."""

    weights: Weights
    best_epoch: int
    history: list[PosteriorRecord]


def loss_of(shape, state, principal, data: Data, rows, given: Conditions) -> jax.Array:
    """-log p(kernel, u | row) of every row, shape (n_rows,), rows as they were measured."""
    mixture = mixtures_of(shape, state, principal, rows, given)
    own = jnp.take_along_axis(log_kernel(mixture), data.kernel[:, None], axis=1)[:, 0]
    return -own - log_density(mixture, data.kernel, data.scores)


def optimiser_of(learning_rate: float | jax.Array, weight_decay: float):
    """AdamW with clipped gradients; its state depends on neither number."""
    adam = optax.adamw(learning_rate, weight_decay=weight_decay)
    return optax.chain(optax.clip_by_global_norm(MOST_GRADIENT), adam)


@partial(jax.jit, static_argnames=("shape", "schedule", "n_batches"))
def run_epoch(
    carry, data: Data, principal, rows, learning_rate, key, *, shape, schedule, n_batches: int
):
    """Take `n_batches` steps; `carry` is (state, mean of states, optimiser's state)."""
    order_key, noise_key = jax.random.split(key)
    batch_size = schedule.batch_size
    order = rows[shuffled_rows(order_key, rows.shape[0], n_batches * batch_size)]
    optimiser = optimiser_of(learning_rate, schedule.weight_decay)

    def loss(state, own: Data, key):
        given, seen = measured(key, own, shape, schedule)
        return loss_of(shape, state, principal, own, seen, given).mean()

    def take_step(carry, batch):
        state, mean, optimiser_state = carry
        places, key = batch
        own = jax.tree.map(lambda part: part[places], data)
        value, gradient = jax.value_and_grad(loss)(state, own, key)
        update, optimiser_state = optimiser.update(gradient, optimiser_state, state)
        state = optax.apply_updates(state, update)
        mean = jax.tree.map(lambda m, s: m + (s - m) / (MEAN_EPOCHS * n_batches), mean, state)
        return (state, mean, optimiser_state), value

    keys = jax.random.split(noise_key, n_batches)
    carry, losses = jax.lax.scan(take_step, carry, (order.reshape(n_batches, -1), keys))
    return carry, losses.mean()


def measured(
    key: jax.Array, data: Data, shape: PosteriorShape, schedule: PosteriorSchedule
) -> tuple[Conditions, jax.Array]:
    """Conditions drawn for rows, and the rows as they are measured under them."""
    given_key, noise_key = jax.random.split(key)
    given = draw_conditions(given_key, data.flip_angles, shape.receiver, schedule.phase_share)
    seen = disturbed(noise_key, data.rows, given, shape.receiver, schedule.carrier_error)
    return given, seen


@partial(jax.jit, static_argnames=("shape", "schedule"))
def held_out_loss(state, data: Data, principal, rows, key, *, shape, schedule):
    """Sum of the losses of held-out rows, -1 standing for none, measured with this key."""
    own = jax.tree.map(lambda part: part[rows], data)
    given, seen = measured(key, own, shape, schedule)
    return jnp.sum(jnp.where(rows >= 0, loss_of(shape, state, principal, own, seen, given), 0.0))


def train(
    shape: PosteriorShape,
    schedule: PosteriorSchedule,
    data: Data,
    split: tuple[Rows, Rows],
    principal: dict[str, np.ndarray],
    key: jax.Array,
    on_epoch: Callable[[PosteriorRecord], None] | None = None,
) -> Course:
    """Train; what is kept are the averaged weights of the epoch with the lowest held-out loss.

    Raises
    ------
    NumericalError
        If the loss is not finite in the first epoch.
    """
    with own_settings():
        init_key, epoch_key, judge_key = jax.random.split(key, 3)
        known = {name: jnp.asarray(own) for name, own in principal.items()}
        state = initial_state(shape, init_key)
        carry: Any = state, state, optimiser_of(1.0, schedule.weight_decay).init(state)
        training = jnp.asarray(split[0])
    n_batches = -(-len(split[0]) // schedule.batch_size)
    history: list[PosteriorRecord] = []
    best, weights = 0, {}
    for epoch in range(1, schedule.max_epochs + 1):
        start, rate = time.perf_counter(), schedule.rate_at(epoch)
        with own_settings():
            carry, loss = run_epoch(
                carry, data, known, training, rate, jax.random.fold_in(epoch_key, epoch),
                shape=shape, schedule=schedule, n_batches=n_batches,
            )  # fmt: skip
            judged = _judged(shape, schedule, carry[1], data, known, split[1], judge_key)
        seconds = time.perf_counter() - start
        history.append(PosteriorRecord(epoch, rate, float(loss), judged, seconds))
        if on_epoch is not None:
            on_epoch(history[-1])
        if math.isfinite(judged) and (not best or judged < history[best - 1].validation_loss):
            best, weights = epoch, weights_of(carry[1])
        if not math.isfinite(judged) or epoch - best >= schedule.patience:
            break
    if not best:
        raise NumericalError(
            "the loss must stay finite, but is not in the first epoch. Lower learning_rate."
        )
    with own_settings():
        state = state_of(shape, weights)
        coefficients = _tempering(shape, schedule, state, data, known, split[1], judge_key)
    return Course(weights | {NAME: coefficients}, best, history)


def _tempering(shape, schedule, state, data, principal, rows: Rows, key) -> np.ndarray:
    """Coefficients that put widths right on held-out rows, measured N_TEMPERED times."""
    kept: list[Any] = []
    for number in range(N_TEMPERED):
        for start in range(0, len(rows), PIECE):
            own = jax.tree.map(lambda part: part[rows[start : start + PIECE]], data)  # noqa: B023
            own_key = jax.random.fold_in(key, (N_JUDGED + number) * len(rows) + start)
            given, seen = measured(own_key, own, shape, schedule)
            found = apply(state, principal, seen, given, shape=shape)
            kept.append((found, given, own.kernel, own.scores))
    joined = jax.tree.map(lambda *parts: np.concatenate(parts), *kept)
    return fit_tempering(*joined, receiver=shape.receiver)


def _judged(shape, schedule, state, data, principal, rows: Rows, key) -> float:
    """Mean loss of held-out rows, measured N_JUDGED times, the same way in every epoch."""
    total = 0.0
    for number in range(N_JUDGED):
        for start in range(0, len(rows), PIECE):
            piece = np.full(PIECE, -1)
            own = rows[start : start + PIECE]
            piece[: len(own)] = own
            own_key = jax.random.fold_in(key, number * len(rows) + start)
            total += float(
                held_out_loss(
                    state,
                    data,
                    principal,
                    jnp.asarray(piece),
                    own_key,
                    shape=shape,
                    schedule=schedule,
                )
            )
    return total / (N_JUDGED * len(rows))


@partial(jax.jit, static_argnames="shape")
def apply(state, principal, rows, given: Conditions, *, shape: PosteriorShape):
    """Mixtures of measured rows."""
    return mixtures_of(shape, state, principal, rows, given)


@partial(jax.jit, static_argnames="shape")
def network_inputs(principal, rows, given: Conditions, *, shape: PosteriorShape):
    """What the network takes of measured rows."""
    return inputs_of(shape, principal, rows, given)
