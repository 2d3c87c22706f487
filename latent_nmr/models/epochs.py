"""One epoch of training as one jitted scan over data that stay on the device."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from latent_nmr.models.augmentation import augmented
from latent_nmr.models.losses import kl_divergence, reconstruction_loss, reparametrise
from latent_nmr.models.repeats import Pairs, Repeats, contrast_loss, draw_pairs
from latent_nmr.models.scatter import Scatter

# Folded into the key of an epoch, or of the validation part, where rows are augmented.
AUGMENT_ROLE = 7


class Objective(NamedTuple):
    """Numbers in the objective; traced, so that changing them compiles nothing."""

    beta: float | jax.Array
    scale: float | jax.Array
    contrast: float | jax.Array = 0.0
    # N of the likelihood "repeats", under which each of a pair is decoded from the other.
    scatter: Scatter | None = None


class Parts(NamedTuple):
    """Means over rows of the objective's parts, in nats per curve.

    `reconstruction` and `contrast` have shape (), `kl` shape (n_components,). The contrast is a
    mean over materials, and nought where the objective does not look at repeats.
    """

    reconstruction: jax.Array
    kl: jax.Array
    contrast: jax.Array


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
    augment=None,
):
    """Take `n_batches` optimiser steps through shuffled rows, which are reshuffled when used up.

    Filling the last batch from the next shuffle gives all batches one shape and equal weight.

    Parameters
    ----------
    graph, state, optimiser_state
        Network and Adam, split by `flax.nnx`.
    data : Array, shape (n_rows, n_features)
    training_rows : Array of int, shape (n_training,), or Repeats
        Rows of `data` to train on. Of repeats, batches hold pairs: the first half of a batch has a
        row of each of its materials, the second half another one, drawn again in each epoch.
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
    order, weights = batches(order_key, training_rows, n_batches, batch_size)
    # All latent noise of the epoch at once: cheaper than a draw per batch.
    n_latent = latent_size(state)
    noise = jax.random.normal(noise_key, (*order.shape, n_latent), data.dtype)
    # Where nothing is augmented, no key is drawn, and all other draws are what they are without.
    seen_keys = None
    if augment is not None:
        seen_keys = jax.random.split(jax.random.fold_in(key, AUGMENT_ROLE), len(order))
    optimiser = optax.adam(learning_rate)

    def loss(state, rows, noise, weights, seen_key):
        model = nnx.merge(graph, state)
        seen = rows if augment is None else augmented(seen_key, rows, augment)
        parts = objective_parts(model, rows, noise, objective, likelihood, weights, seen=seen)
        total = parts.reconstruction + objective.beta * parts.kl.sum()
        if weights is not None:
            total += objective.contrast * parts.contrast
        return total, parts

    def take_step(carry, batch):
        state, optimiser_state = carry
        rows, noise, weights, seen_key = batch
        gradient, parts = jax.grad(loss, has_aux=True)(state, data[rows], noise, weights, seen_key)
        update, optimiser_state = optimiser.update(gradient, optimiser_state, state)
        return (optax.apply_updates(state, update), optimiser_state), parts

    # Two steps a turn save some 5 % at 400 columns and cost nothing; more only costs compile
    # time, as does an odd step left over.
    unroll = 2 if n_batches % 2 == 0 else 1
    (state, optimiser_state), parts = jax.lax.scan(
        take_step, (state, optimiser_state), (order, noise, weights, seen_keys), unroll=unroll
    )
    return state, optimiser_state, jax.tree.map(lambda part: part.mean(axis=0), parts)


def held_out_parts(
    graph, state, data, rows, objective, key, pairs=None, *, likelihood, augment=None
) -> Parts:
    """Mean parts of the objective over some rows of `data`, one latent sample each from `key`.

    The contrast, if there are `pairs`, is that of all of them together. Where repeats are decoded
    from each other, the rows are those of the pairs.
    """
    model = nnx.merge(graph, state)
    if objective.scatter is not None and pairs is not None:
        rows = jnp.concatenate([pairs.first, pairs.second])
    noise = jax.random.normal(key, (rows.shape[0], latent_size(state)), data.dtype)
    own_key = jax.random.fold_in(key, AUGMENT_ROLE)

    def seen_rows(rows, number=0):
        own = data[rows]
        return (
            own if augment is None else augmented(jax.random.fold_in(own_key, number), own, augment)
        )

    seen = seen_rows(rows)
    parts = objective_parts(model, data[rows], noise, objective, likelihood, seen=seen)
    if pairs is None:
        return parts
    first, second = (
        model.encode(seen_rows(own, number))[0]
        for number, own in enumerate((pairs.first, pairs.second), start=1)
    )
    return parts._replace(contrast=contrast_loss(first, second, pairs.weights))


SHAPING = ("likelihood", "augment", "n_batches", "batch_size")
run_epoch = partial(jax.jit, static_argnames=("graph", *SHAPING))(epoch_steps)
evaluate = partial(jax.jit, static_argnames=("graph", "likelihood", "augment"))(held_out_parts)


@partial(jax.jit, static_argnames=("graph", *SHAPING))
def run_epochs(
    graph, states, optimiser_states, data, training_rows, objectives, learning_rate, keys, **shaping
):
    """One epoch of many models on the same `data`, side by side: `run_epoch` with a model axis."""

    def one(state, optimiser_state, rows, objective, key):
        carry = graph, state, optimiser_state
        return epoch_steps(*carry, data, rows, objective, learning_rate, key, **shaping)

    return jax.vmap(one)(states, optimiser_states, training_rows, objectives, keys)


@partial(jax.jit, static_argnames=("graph", "likelihood", "augment"))
def evaluate_all(
    graph, states, data, rows, objectives, keys, pairs=None, *, likelihood, augment=None
) -> Parts:
    """`evaluate` with a model axis."""

    def one(state, rows, objective, key, pairs):
        own = graph, state, data, rows, objective, key, pairs
        return held_out_parts(*own, likelihood=likelihood, augment=augment)

    return jax.vmap(one)(states, rows, objectives, keys, pairs)


def shuffled_rows(key: jax.Array, n_rows: int, length: int) -> jax.Array:
    """Row numbers of shape (length,): one random order of all rows after another."""
    n_passes = -(-length // n_rows)
    keys = jax.random.split(key, n_passes)
    return jax.vmap(lambda k: jax.random.permutation(k, n_rows))(keys).reshape(-1)[:length]


def batches(
    key: jax.Array, rows: jax.Array | Repeats, n_batches: int, batch_size: int
) -> tuple[jax.Array, jax.Array | None]:
    """Rows of every batch, (n_batches, batch_size), and weights (n_batches, n_pairs) of pairs."""
    if not isinstance(rows, Repeats):
        order = shuffled_rows(key, rows.shape[0], n_batches * batch_size)
        return rows[order].reshape(n_batches, batch_size), None
    order_key, pair_key = jax.random.split(key)
    n_pairs = batch_size // 2
    order = shuffled_rows(order_key, rows.counts.shape[0], n_batches * n_pairs)
    pairs: Pairs = draw_pairs(pair_key, rows, order.reshape(n_batches, n_pairs))
    both = jnp.concatenate([pairs.first, pairs.second], axis=1)
    return both, jnp.asarray(pairs.weights)


def objective_parts(model, rows, noise, objective, likelihood, weights=None, *, seen=None) -> Parts:
    """Mean parts of the objective of `rows` for given standard normal `noise`.

    With `weights` of pairs, or a scatter of repeats, row k and row n_pairs + k are repeats of one
    material. The encoder sees `seen` in the place of the rows, which are to be decoded.
    """
    mean, log_variance = model.encode(rows if seen is None else seen)
    logits = model.decode_logits(reparametrise(mean, log_variance, noise))
    target = rows
    if objective.scatter is not None:
        target = jnp.concatenate(jnp.split(rows, 2)[::-1])
    misfit = reconstruction_loss(target, logits, likelihood, objective.scale, objective.scatter)
    contrast = jnp.zeros(())
    if weights is not None:
        first, second = jnp.split(mean, 2)
        contrast = contrast_loss(first, second, weights)
    return Parts(misfit.mean(), kl_divergence(mean, log_variance).mean(axis=0), contrast)


def latent_size(state: Any) -> int:
    """Number of latent axes, read off the mean head's bias."""
    return state["mean_head"]["bias"].shape[0]
