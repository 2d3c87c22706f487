"""One epoch of training as one jitted scan over data that stay on the device."""

from functools import partial
from typing import Any, NamedTuple

import jax
import optax
from flax import nnx

from latent_nmr.models.losses import kl_divergence, reconstruction_loss, reparametrise


class Objective(NamedTuple):
    """Numbers in the objective; traced, so that changing them compiles nothing."""

    beta: float | jax.Array
    scale: float | jax.Array


class Parts(NamedTuple):
    """Means over rows of the objective's parts, in nats per curve.

    `reconstruction` has shape (), `kl` shape (n_components,).
    """

    reconstruction: jax.Array
    kl: jax.Array


def epoch_steps(
    graph,
    state,
    optimiser_state,
    data,
    training_rows,
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

    Parameters
    ----------
    graph, state, optimiser_state
        Network and Adam, split by `flax.nnx`.
    data : Array, shape (n_rows, n_features)
    training_rows : Array of int, shape (n_training,)
        Rows of `data` to train on.
    objective : Objective
    learning_rate : float
    key : Array
        Of this epoch: order of rows and latent noise.

    Returns
    -------
    state, optimiser_state, Parts
        The parts are means over the steps, each before its update.
    """
    order_key, noise_key = jax.random.split(key)
    order = shuffled_rows(order_key, training_rows.shape[0], n_batches * batch_size)
    order = training_rows[order].reshape(n_batches, batch_size)
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

    # Two steps a turn save some 5 % at 400 columns and cost nothing; more only costs compile
    # time, as does an odd step left over.
    unroll = 2 if n_batches % 2 == 0 else 1
    (state, optimiser_state), parts = jax.lax.scan(
        take_step, (state, optimiser_state), (order, noise), unroll=unroll
    )
    return state, optimiser_state, jax.tree.map(lambda part: part.mean(axis=0), parts)


def held_out_parts(graph, state, data, rows, scale, key, *, likelihood) -> Parts:
    """Mean parts of the objective over some rows of `data`, one latent sample each from `key`."""
    noise = jax.random.normal(key, (rows.shape[0], latent_size(state)), data.dtype)
    return objective_parts(nnx.merge(graph, state), data[rows], noise, scale, likelihood)


SHAPING = ("likelihood", "n_batches", "batch_size")
run_epoch = partial(jax.jit, static_argnames=("graph", *SHAPING))(epoch_steps)
evaluate = partial(jax.jit, static_argnames=("graph", "likelihood"))(held_out_parts)


@partial(jax.jit, static_argnames=("graph", *SHAPING))
def run_epochs(
    graph, states, optimiser_states, data, training_rows, objectives, learning_rate, keys, **shaping
):
    """One epoch of many models on the same `data`, side by side: `run_epoch` with a model axis."""

    def one(state, optimiser_state, rows, objective, key):
        carry = graph, state, optimiser_state
        return epoch_steps(*carry, data, rows, objective, learning_rate, key, **shaping)

    return jax.vmap(one)(states, optimiser_states, training_rows, objectives, keys)


@partial(jax.jit, static_argnames=("graph", "likelihood"))
def evaluate_all(graph, states, data, rows, scales, keys, *, likelihood) -> Parts:
    """`evaluate` with a model axis."""

    def one(state, rows, scale, key):
        return held_out_parts(graph, state, data, rows, scale, key, likelihood=likelihood)

    return jax.vmap(one)(states, rows, scales, keys)


def shuffled_rows(key: jax.Array, n_rows: int, length: int) -> jax.Array:
    """Row numbers of shape (length,): one random order of all rows after another."""
    n_passes = -(-length // n_rows)
    keys = jax.random.split(key, n_passes)
    return jax.vmap(lambda k: jax.random.permutation(k, n_rows))(keys).reshape(-1)[:length]


def objective_parts(model, rows, noise, scale, likelihood) -> Parts:
    """Mean reconstruction loss and KL per axis of `rows` for given standard normal `noise`."""
    mean, log_variance = model.encode(rows)
    logits = model.decode_logits(reparametrise(mean, log_variance, noise))
    misfit = reconstruction_loss(rows, logits, likelihood, scale)
    return Parts(misfit.mean(), kl_divergence(mean, log_variance).mean(axis=0))


def latent_size(state: Any) -> int:
    """Number of latent axes, read off the mean head's bias."""
    return state["mean_head"]["bias"].shape[0]
