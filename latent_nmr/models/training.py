"""Fitting the β-VAE: one epoch is one jitted scan over data that stay on the device."""

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
from flax import nnx

from latent_nmr.errors import NumericalError
from latent_nmr.models.losses import kl_divergence, reconstruction_loss, reparametrise
from latent_nmr.models.networks import Architecture, data_matched_state, graph_of

# Unrolled steps of the epoch's scan: quicker where a step is short (400 inputs), but two to
# three seconds more to compile, which only epochs of many steps earn back.
UNROLL, UNROLL_FROM_STEPS = 4, 100


class Objective(NamedTuple):
    """Numbers in the objective; traced, so that changing them compiles nothing."""

    beta: float
    scale: float


class Parts(NamedTuple):
    """Means over rows of the objective's parts, in nats per curve.

    `reconstruction` has shape (), `kl` shape (n_components,).
    """

    reconstruction: jax.Array
    kl: jax.Array


class EpochRecord(NamedTuple):
    """One line of the training history; losses in nats per curve."""

    epoch: int
    reconstruction: float
    kl: float
    validation_reconstruction: float
    validation_kl: float
    validation_kl_per_axis: tuple[float, ...]
    seconds: float


@dataclass(frozen=True)
class Schedule:
    """How long and in which portions to train.

    An epoch passes all rows, and small sets several times until it has `min_epoch_steps`
    steps, so that `patience` counts comparable pieces of work for any number of rows.
    """

    batch_size: int
    min_epoch_steps: int
    max_epochs: int
    patience: int
    learning_rate: float


@dataclass(frozen=True)
class Fit:
    """Outcome of a training: the weights of the best epoch, and how it went."""

    state: nnx.State
    history: list[EpochRecord]
    best_epoch: int
    stop_reason: str


def train(
    training_rows: npt.NDArray[np.float32],
    validation_rows: npt.NDArray[np.float32],
    architecture: Architecture,
    *,
    objective: Objective,
    likelihood: str,
    schedule: Schedule,
    key: jax.Array,
    on_epoch: Callable[[EpochRecord], None] | None = None,
) -> Fit:
    """Train until the validation reconstruction has not improved for `patience` epochs.

    Parameters
    ----------
    training_rows, validation_rows : ndarray of float32, shape (n_rows, n_features)
    architecture : Architecture
    objective : Objective
    likelihood : {"gaussian", "bernoulli"}
    schedule : Schedule
    key : Array
        JAX key for weights, batch order and latent noise.
    on_epoch : callable, optional
        Called with each epoch's record.

    Returns
    -------
    Fit
        With the weights of the epoch whose validation reconstruction was lowest.

    Raises
    ------
    NumericalError
        If no epoch has a finite loss.
    """
    init_key, epoch_key, validation_key = jax.random.split(key, 3)
    graph = graph_of(architecture)
    training_data, validation_data = jnp.asarray(training_rows), jnp.asarray(validation_rows)
    state = data_matched_state(architecture, init_key, training_data)
    optimiser_state = optax.adam(schedule.learning_rate).init(state)
    batch_size = min(schedule.batch_size, len(training_rows))
    n_batches = max(-(-len(training_rows) // batch_size), schedule.min_epoch_steps)

    history: list[EpochRecord] = []
    best_state, best_epoch, best_loss = None, 0, np.inf
    stop_reason = "max_epochs reached"
    for epoch in range(1, schedule.max_epochs + 1):
        start = time.perf_counter()
        state, optimiser_state, parts = run_epoch(
            graph,
            state,
            optimiser_state,
            training_data,
            objective,
            schedule.learning_rate,
            jax.random.fold_in(epoch_key, epoch),
            likelihood=likelihood,
            n_batches=n_batches,
            batch_size=batch_size,
        )
        held_out = evaluate(
            graph, state, validation_data, objective.scale, validation_key, likelihood=likelihood
        )
        record = _to_record(epoch, parts, held_out, start)
        history.append(record)
        if on_epoch is not None:
            on_epoch(record)
        if not np.isfinite(
            [record.reconstruction, record.kl, record.validation_reconstruction]
        ).all():
            stop_reason = "loss not finite"
            break
        if record.validation_reconstruction < best_loss:
            best_state, best_epoch = state, epoch
            best_loss = record.validation_reconstruction
        elif epoch - best_epoch >= schedule.patience:
            stop_reason = "validation reconstruction stopped improving"
            break
    if best_state is None:
        raise NumericalError(
            "the loss must stay finite, but is not in the first epoch. "
            "Lower the learning rate or raise the likelihood's scale."
        )
    return Fit(best_state, history, best_epoch, stop_reason)


@partial(jax.jit, static_argnames=("graph", "likelihood", "n_batches", "batch_size"))
def run_epoch(
    graph,
    state,
    optimiser_state,
    data,
    objective,
    learning_rate,
    key,
    *,
    likelihood,
    n_batches,
    batch_size,
):
    """Take `n_batches` optimiser steps through shuffled rows, which are reshuffled when used up.

    Filling the last batch from the next shuffle gives all batches one shape and equal weight.
    """
    order_key, noise_key = jax.random.split(key)
    order = shuffled_rows(order_key, data.shape[0], n_batches * batch_size)
    order = order.reshape(n_batches, batch_size)
    # All latent noise of the epoch at once: cheaper than a draw per batch.
    n_latent = latent_size(state)
    noise = jax.random.normal(noise_key, (n_batches, batch_size, n_latent), data.dtype)
    optimiser = optax.adam(learning_rate)

    def loss(state, rows, noise):
        parts = objective_parts(nnx.merge(graph, state), rows, noise, objective.scale, likelihood)
        return parts.reconstruction + objective.beta * parts.kl.sum(), parts

    def take_step(carry, batch):
        state, optimiser_state = carry
        rows, noise = batch
        gradient, parts = jax.grad(loss, has_aux=True)(state, data[rows], noise)
        update, optimiser_state = optimiser.update(gradient, optimiser_state, state)
        return (optax.apply_updates(state, update), optimiser_state), parts

    unroll = UNROLL if n_batches >= UNROLL_FROM_STEPS else 1
    (state, optimiser_state), parts = jax.lax.scan(
        take_step, (state, optimiser_state), (order, noise), unroll=unroll
    )
    return state, optimiser_state, jax.tree.map(lambda part: part.mean(axis=0), parts)


def shuffled_rows(key: jax.Array, n_rows: int, length: int) -> jax.Array:
    """Row numbers of shape (length,): one random order of all rows after another."""
    n_passes = -(-length // n_rows)
    keys = jax.random.split(key, n_passes)
    return jax.vmap(lambda k: jax.random.permutation(k, n_rows))(keys).reshape(-1)[:length]


@partial(jax.jit, static_argnames=("graph", "likelihood"))
def evaluate(graph, state, data, scale, key, *, likelihood) -> Parts:
    """Mean parts of the objective over rows, with one latent sample per row from `key`."""
    noise = jax.random.normal(key, (data.shape[0], latent_size(state)), data.dtype)
    return objective_parts(nnx.merge(graph, state), data, noise, scale, likelihood)


def objective_parts(model, rows, noise, scale, likelihood) -> Parts:
    """Mean reconstruction loss and KL per axis of `rows` for given standard normal `noise`."""
    mean, log_variance = model.encode(rows)
    logits = model.decode_logits(reparametrise(mean, log_variance, noise))
    misfit = reconstruction_loss(rows, logits, likelihood, scale)
    return Parts(misfit.mean(), kl_divergence(mean, log_variance).mean(axis=0))


def latent_size(state: Any) -> int:
    """Number of latent axes, read off the mean head's bias."""
    return state["mean_head"]["bias"].shape[0]


def _to_record(epoch: int, parts: Parts, held_out: Parts, start: float) -> EpochRecord:
    parts, held_out = jax.device_get((parts, held_out))
    return EpochRecord(
        epoch=epoch,
        reconstruction=float(parts.reconstruction),
        kl=float(parts.kl.sum()),
        validation_reconstruction=float(held_out.reconstruction),
        validation_kl=float(held_out.kl.sum()),
        validation_kl_per_axis=tuple(float(axis) for axis in held_out.kl),
        seconds=time.perf_counter() - start,
    )
