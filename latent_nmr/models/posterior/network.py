"""From rows to mixtures: principal components of what is read off, a perceptron, and its head."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from latent_nmr._jax_settings import own_settings
from latent_nmr.models.networks import ACTIVATIONS, Weights
from latent_nmr.models.posterior.mixture import N_PER_COMPONENT, Mixture, as_mixture, n_outputs
from latent_nmr.models.posterior.receiver import N_COLUMNS, Conditions, n_read_off, read_off
from latent_nmr.models.posterior.tempering import NAME, SHAPE, tempered

ACTIVATION = ACTIVATIONS["gelu"]
# The two blocks of what is read off, by the names of their arrays in a file.
BLOCKS = ("amplitudes", "phases")
# Largest mean of a Gaussian before training, in standard deviations of the prior.
MEAN_SPREAD = 0.5


@dataclass(frozen=True)
class PosteriorShape:
    """What decides the shape of every weight.

    Attributes
    ----------
    n_features : int
        Columns of a row.
    receiver : str
    n_directions : tuple of int
        Principal components of amplitudes and of phases.
    hidden_layer_sizes : tuple of int
    n_kernels, n_mixtures : int
        Kernels, and Gaussians of each.
    """

    n_features: int
    receiver: str
    n_directions: tuple[int, int]
    hidden_layer_sizes: tuple[int, ...]
    n_kernels: int
    n_mixtures: int

    @property
    def n_inputs(self) -> int:
        """Numbers that the perceptron takes."""
        return sum(self.n_directions) + N_COLUMNS

    @property
    def n_outputs(self) -> int:
        """Numbers that it gives."""
        return n_outputs(self.n_kernels, self.n_mixtures)

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by its dotted name, from arithmetic alone."""
        shapes: dict[str, tuple[int, ...]] = {NAME: SHAPE}
        sizes = (self.n_inputs, *self.hidden_layer_sizes, self.n_outputs)
        for number, (n_in, n_out) in enumerate(itertools.pairwise(sizes)):
            shapes |= {f"layers.{number}.kernel": (n_in, n_out), f"layers.{number}.bias": (n_out,)}
        widths = n_read_off(self.n_features, self.receiver)
        for name, width, n_own in zip(BLOCKS, widths, self.n_directions, strict=True):
            if n_own:
                shapes |= {f"{name}.mean": (width,), f"{name}.directions": (n_own, width)}
        return shapes


class PosteriorNetwork(nnx.Module):
    """Perceptron with GELU; hidden layers of one width add to what went in."""

    def __init__(self, shape: PosteriorShape, *, rngs: nnx.Rngs):
        sizes = (shape.n_inputs, *shape.hidden_layer_sizes, shape.n_outputs)
        pairs = list(itertools.pairwise(sizes))
        self.layers = nnx.List([nnx.Linear(*pair, rngs=rngs) for pair in pairs])

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers[:-1]:
            y = ACTIVATION(layer(x))
            x = x + y if x.shape == y.shape else y
        return self.layers[-1](x)


@cache
@own_settings()
def graph_of(shape: PosteriorShape) -> nnx.GraphDef:
    """Static structure of the network: one object per shape, so that jit caches hold."""
    return nnx.split(nnx.eval_shape(lambda: PosteriorNetwork(shape, rngs=nnx.Rngs(0))))[0]


def initial_state(shape: PosteriorShape, key: jax.Array) -> nnx.State:
    """Random weights; the head is small, so that training begins near the prior."""
    model = PosteriorNetwork(shape, rngs=nnx.Rngs(key))
    head = model.layers[-1]
    head.kernel[...] = 0.1 * head.kernel[...]
    # Means of the Gaussians of a kernel differ from the start, or they would never part; together
    # they have the variance of the prior.
    spread = jnp.linspace(-MEAN_SPREAD, MEAN_SPREAD, shape.n_mixtures)
    if shape.n_mixtures == 1:
        spread = jnp.zeros(1)
    rest = jnp.zeros((shape.n_kernels, shape.n_mixtures, N_PER_COMPONENT))
    rest = rest.at[..., 1:4].set(spread[None, :, None])
    rest = rest.at[..., 4:7].set(-0.5 * jnp.log(1 - jnp.mean(spread**2)))
    bias: Any = head.bias
    bias[...] = jnp.concatenate([jnp.zeros(shape.n_kernels), rest.reshape(-1)])
    return nnx.split(model)[1]


def inputs_of(
    shape: PosteriorShape, principal: Mapping[str, jax.Array], rows: jax.Array, given: Conditions
) -> jax.Array:
    """What the perceptron takes, shape (n_rows, n_inputs); no phase where it is not trusted."""
    found = []
    for name, values, n_own in zip(
        BLOCKS, read_off(rows, shape.receiver), shape.n_directions, strict=True
    ):
        if n_own:
            own = (values - principal[f"{name}.mean"]) @ principal[f"{name}.directions"].T
            found.append(own * given.phase[:, None] if name == "phases" else own)
    return jnp.concatenate([*found, given.columns(shape.receiver)], axis=1)


def mixtures_of(
    shape: PosteriorShape,
    state: nnx.State,
    principal: Mapping[str, jax.Array],
    rows: jax.Array,
    given: Conditions,
) -> Mixture:
    """Posteriors of rows as they were measured."""
    outputs = nnx.merge(graph_of(shape), state)(inputs_of(shape, principal, rows, given))
    found = as_mixture(outputs, shape.n_kernels, shape.n_mixtures)
    if NAME not in principal:  # before and in training
        return found
    return tempered(found, principal[NAME], given, shape.receiver)


def weights_of(state: nnx.State) -> Weights:
    """Weights of the network as NumPy arrays under dotted names."""
    flat = nnx.to_flat_state(state)
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in flat}


def state_of(shape: PosteriorShape, weights: Mapping[str, np.ndarray]) -> nnx.State:
    """Turn named weights back into the network's state."""
    filled = [
        (path, leaf.replace(jnp.asarray(weights[".".join(map(str, path))])))
        for path, leaf in nnx.to_flat_state(_abstract_state(shape))
    ]
    return nnx.from_flat_state(filled)


def principal_of(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Means and directions of the blocks that there are, and coefficients of the tempering."""
    kept = (*BLOCKS, NAME)
    return {name: own for name, own in weights.items() if name.split(".")[0] in kept}


@cache
@own_settings()
def _abstract_state(shape: PosteriorShape) -> nnx.State:
    return nnx.eval_shape(lambda: initial_state(shape, jax.random.key(0)))
