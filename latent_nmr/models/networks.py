"""The encoder and decoder of the β-VAE, in flax.nnx.

Layer sizes are those of A. Rao et al., Phys. Rev. Research 5, 043098 (2023): an encoder
1882→512→128→16→(2, 2) for the full curve and 400→128→32→16→(2, 2) for the echo window, with
mirrored decoders. Hidden layers are leaky ReLU with slope 0.01 (or, where asked for, GELU), the
heads for mean and log-variance are linear, the output is a sigmoid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from latent_nmr._jax_settings import own_settings

NEGATIVE_SLOPE = 0.01
PUBLISHED_ACTIVATION = "leaky_relu"
# GELU as x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))) (D. Hendrycks and K. Gimpel, arXiv:1606.08415).
ACTIVATIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    PUBLISHED_ACTIVATION: partial(nnx.leaky_relu, negative_slope=NEGATIVE_SLOPE),
    "gelu": partial(nnx.gelu, approximate=True),
}

# Hidden layer sizes by number of inputs; any other width gets the default.
PUBLISHED_SIZES = {1882: (512, 128, 16), 400: (128, 32, 16)}
DEFAULT_SIZES = (128, 32, 16)

# The decoder's first curve stays inside this range, where a sigmoid still learns.
OUTPUT_RANGE = (1e-3, 1 - 1e-3)

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Architecture:
    """Sizes that decide the shape of every weight, and the activation of hidden layers."""

    n_features: int
    hidden_layer_sizes: tuple[int, ...]
    n_components: int
    activation: str = PUBLISHED_ACTIVATION

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by dotted name, from arithmetic alone.

        Tracing the network for them takes seconds where a damaged card names many layers.
        """
        n_latent, hidden = self.n_components, self.hidden_layer_sizes
        encoder, decoder = (self.n_features, *hidden), (n_latent, *hidden[::-1])
        layers = {f"encoder.layers.{i}": sizes for i, sizes in enumerate(pairwise(encoder))}
        layers |= dict.fromkeys(("mean_head", "log_variance_head"), (hidden[-1], n_latent))
        layers |= {f"decoder.layers.{i}": sizes for i, sizes in enumerate(pairwise(decoder))}
        layers["output"] = (hidden[0], self.n_features)
        shapes: dict[str, tuple[int, ...]] = {}
        for name, (n_in, n_out) in layers.items():
            shapes |= {f"{name}.kernel": (n_in, n_out), f"{name}.bias": (n_out,)}
        return shapes


class Perceptron(nnx.Module):
    """Linear layers, each followed by an activation of `ACTIVATIONS`."""

    def __init__(self, sizes: Sequence[int], activation: str, *, rngs: nnx.Rngs):
        layers = [nnx.Linear(n_in, n_out, rngs=rngs) for n_in, n_out in pairwise(sizes)]
        self.layers = nnx.List(layers)
        self.activation = activation

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers:
            x = ACTIVATIONS[self.activation](layer(x))
        return x


class VAE(nnx.Module):
    """Encoder to a diagonal Gaussian posterior and decoder to the logits of a sigmoid."""

    def __init__(self, architecture: Architecture, *, rngs: nnx.Rngs):
        n_features, hidden = architecture.n_features, architecture.hidden_layer_sizes
        n_latent, activation = architecture.n_components, architecture.activation
        self.encoder = Perceptron((n_features, *hidden), activation, rngs=rngs)
        self.mean_head = nnx.Linear(hidden[-1], n_latent, rngs=rngs)
        self.log_variance_head = nnx.Linear(hidden[-1], n_latent, rngs=rngs)
        self.decoder = Perceptron((n_latent, *hidden[::-1]), activation, rngs=rngs)
        self.output = nnx.Linear(hidden[0], n_features, rngs=rngs)

    def encode(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Posterior mean and log-variance of rows `x`, each of shape (n_rows, n_components)."""
        h = self.encoder(x)
        return self.mean_head(h), self.log_variance_head(h)

    def decode_logits(self, z: jax.Array) -> jax.Array:
        """Logits of the decoded rows, shape (n_rows, n_features)."""
        return self.output(self.decoder(z))

    def decode(self, z: jax.Array) -> jax.Array:
        """Decoded rows in (0, 1), shape (n_rows, n_features)."""
        return nnx.sigmoid(self.decode_logits(z))


def layer_sizes(n_features: int, requested: Sequence[int] | None) -> tuple[int, ...]:
    """Hidden layer sizes: those requested, else the published ones for this width."""
    if requested is None:
        return PUBLISHED_SIZES.get(n_features, DEFAULT_SIZES)
    return tuple(map(int, requested))


@cache
@own_settings()
def graph_of(architecture: Architecture) -> nnx.GraphDef:
    """Static structure of the network: one object per architecture, so jit caches hold."""
    return nnx.split(nnx.eval_shape(lambda: VAE(architecture, rngs=nnx.Rngs(0))))[0]


@partial(jax.jit, static_argnames="architecture")
def data_matched_state(architecture: Architecture, key: jax.Array, rows: jax.Array) -> nnx.State:
    """Random weights, fitted to the scale of `rows` by :func:`match_data`, in one compilation."""
    return match_data(graph_of(architecture), initial_state(architecture, key), rows)


def initial_state(architecture: Architecture, key: jax.Array) -> nnx.State:
    """Random weights: LeCun-normal kernels, zero biases."""
    return nnx.split(VAE(architecture, rngs=nnx.Rngs(key)))[1]


def match_data(graph: nnx.GraphDef, state: nnx.State, rows: jax.Array) -> nnx.State:
    """Fit the first and last layer of fresh weights to the scale of the data.

    The first layer then sees centred rows of unit variance, and the decoder starts from the mean
    curve. Layers and their number stay as they are; training needs about half as many epochs,
    and early stopping no longer ends it before the second axis is in use.

    Parameters
    ----------
    graph : GraphDef
        From :func:`graph_of`.
    state : State
        From :func:`initial_state`.
    rows : Array, shape (n_rows, n_features)
        Training data.
    """
    mean = rows.mean(axis=0)
    spread = jnp.sqrt(rows.var(axis=0).mean())
    spread = jnp.where(spread > 0, spread, 1.0)
    model = nnx.merge(graph, state, copy=True)  # the weights given stay as they are
    first, output = model.encoder.layers[0], model.output
    first.kernel[...] = first.kernel[...] / spread
    first.bias[...] = -mean @ first.kernel[...]
    output.bias[...] = jax.scipy.special.logit(jnp.clip(mean, *OUTPUT_RANGE))
    return nnx.split(model)[1]


def weights_of(state: nnx.State) -> Weights:
    """Weights as NumPy arrays under dotted names such as ``encoder.layers.0.kernel``."""
    flat = nnx.to_flat_state(state)
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in flat}


@cache
@own_settings()
def _abstract_weights(architecture: Architecture) -> tuple[tuple[tuple, nnx.Variable], ...]:
    """Path and shape of every weight, without its numbers."""
    abstract = nnx.eval_shape(lambda: initial_state(architecture, jax.random.key(0)))
    return tuple(nnx.to_flat_state(abstract))


def weight_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Shape of every weight of an architecture, by dotted name."""
    flat = _abstract_weights(architecture)
    return {".".join(map(str, path)): tuple(leaf.shape) for path, leaf in flat}


def state_of(architecture: Architecture, weights: Mapping[str, np.ndarray]) -> nnx.State:
    """Turn named weights back into the network's state."""
    filled = [
        (path, leaf.replace(jnp.asarray(weights[".".join(map(str, path))])))
        for path, leaf in _abstract_weights(architecture)
    ]
    return nnx.from_flat_state(filled)
