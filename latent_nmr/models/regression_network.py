"""The networks of the challenge in flax.nnx, and their training: one epoch is one jitted scan.

Layers are linear, each behind a batch normalisation where asked for (S. Ioffe and C. Szegedy,
ICML 2015), with He-normal kernels and an activation each but the last. Batch norm's means and
variances are weights that no gradient moves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice, pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from latent_nmr._jax_settings import own_settings
from latent_nmr.models.epochs import shuffled_rows

ACTIVATIONS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "relu": nnx.relu,
    "selu": nnx.selu,
    "tanh": jnp.tanh,
    "gelu": nnx.gelu,
}
# Of a layer whose outputs are read as coordinates.
LINEAR = "linear"
SOLVERS: Mapping[str, Callable[..., optax.GradientTransformation]] = {
    "adam": optax.adam,
    "nadam": optax.nadam,
}
# As Keras, with which the challenge's networks were trained, has them.
NORM_MOMENTUM, NORM_EPSILON = 0.99, 1e-3
# Of the seven hidden layers of the published network; other numbers of layers cut or repeat them.
PUBLISHED_ACTIVATIONS = ("relu", "relu", "selu", "tanh", "relu", "selu", "relu")

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class NetworkShape:
    """Sizes and kinds of all layers.

    Attributes
    ----------
    n_features : int
    hidden_layer_sizes : tuple of int
    activations : tuple of str
        One per hidden layer, of `ACTIVATIONS`, or `LINEAR`.
    n_targets : int
    batch_norm : bool
        Before every layer, the last one too.
    """

    n_features: int
    hidden_layer_sizes: tuple[int, ...]
    activations: tuple[str, ...]
    n_targets: int
    batch_norm: bool

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of every linear layer."""
        return list(pairwise((self.n_features, *self.hidden_layer_sizes, self.n_targets)))

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by dotted name, from arithmetic alone."""
        shapes: dict[str, tuple[int, ...]] = {}
        for number, (n_in, n_out) in enumerate(self.layers):
            shapes[f"layers.{number}.kernel"] = (n_in, n_out)
            shapes[f"layers.{number}.bias"] = (n_out,)
            if self.batch_norm:
                names = ("mean", "var", "scale", "bias")
                shapes |= {f"norms.{number}.{name}": (n_in,) for name in names}
        return shapes


class RegressionNetwork(nnx.Module):
    """Perceptron with a linear output and, where asked for, batch norm before every layer."""

    def __init__(self, shape: NetworkShape, *, rngs: nnx.Rngs):
        init = nnx.initializers.he_normal()
        self.layers = nnx.List(
            [nnx.Linear(*sizes, kernel_init=init, rngs=rngs) for sizes in shape.layers]
        )
        self.norms = nnx.List(
            [
                nnx.BatchNorm(n_in, momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON, rngs=rngs)
                for n_in, _ in shape.layers
                if shape.batch_norm
            ]
        )
        self.activations = shape.activations

    def __call__(
        self, x: jax.Array, *, is_training: bool = False, n_layers: int | None = None
    ) -> jax.Array:
        """Map rows (n_rows, n_features) to standardised targets (n_rows, n_targets).

        With `n_layers`, to the outputs of that many layers.
        """
        for number, layer in enumerate(islice(self.layers, n_layers)):
            if self.norms:
                x = self.norms[number](x, use_running_average=not is_training)
            x = layer(x)
            if number < len(self.activations) and self.activations[number] != LINEAR:
                x = ACTIVATIONS[self.activations[number]](x)
        return x


@cache
@own_settings()
def graph_of(shape: NetworkShape) -> nnx.GraphDef:
    """Static structure of the network: one object per shape, so that jit caches hold."""
    return nnx.split(nnx.eval_shape(lambda: RegressionNetwork(shape, rngs=nnx.Rngs(0))))[0]


@partial(jax.jit, static_argnames="shape")
def initial_states(shape: NetworkShape, key: jax.Array) -> tuple[nnx.State, nnx.State]:
    """Fresh weights, and the statistics of batch norm, which no gradient moves."""
    _, parameters, statistics = nnx.split(
        RegressionNetwork(shape, rngs=nnx.Rngs(key)), nnx.Param, nnx.BatchStat
    )
    return parameters, statistics


@partial(jax.jit, static_argnames="solver")  # one program instead of two for every shape
def solver_at_rest(parameters: nnx.State, *, solver: str) -> optax.OptState:
    """Optimiser before its first step, which does not depend on the learning rate."""
    return SOLVERS[solver](1.0).init(parameters)


def mean_loss(outputs: jax.Array, targets: jax.Array, class_sizes: tuple[int, ...]) -> jax.Array:
    """Mean over rows and targets of the squared error, or of the cross-entropy of classes.

    Parameters
    ----------
    outputs : Array, shape (n_rows, n_numbers + sum of `class_sizes`)
        Standardised numbers, then the logits of each classification.
    targets : Array, shape (n_rows, n_numbers + n_classifications)
        Standardised numbers, then the class of each row, counted from 0.
    class_sizes : tuple of int
        Classes of each classification.
    """
    if not class_sizes:
        return jnp.mean((outputs - targets) ** 2)
    n_numbers = targets.shape[1] - len(class_sizes)
    total = jnp.sum((outputs[:, :n_numbers] - targets[:, :n_numbers]) ** 2, axis=1)
    start = n_numbers
    for place, size in enumerate(class_sizes, n_numbers):
        logits = outputs[:, start : start + size]
        classes = targets[:, place].astype(jnp.int32)
        total += optax.softmax_cross_entropy_with_integer_labels(logits, classes)
        start += size
    return jnp.mean(total) / targets.shape[1]


@partial(jax.jit, static_argnames=("shape", "solver", "batch_size", "n_batches", "class_sizes"))
def run_epoch(
    parameters,
    statistics,
    optimiser_state,
    rows,
    targets,
    learning_rate,
    key,
    *,
    shape: NetworkShape,
    solver: str,
    batch_size: int,
    n_batches: int,
    class_sizes: tuple[int, ...] = (),
):
    """Take `n_batches` steps through shuffled rows; the mean loss is each step's own.

    Parameters
    ----------
    parameters, statistics, optimiser_state
        As from :func:`initial_states`, and of the optimiser.
    rows : Array, shape (n_rows, n_features)
    targets : Array, shape (n_rows, n_targets)
        Standardised; of classifications as :func:`mean_loss` has them.
    learning_rate : float
        Traced: plateaus lower it and nothing is recompiled.
    key : Array
        Of this epoch's order.

    Returns
    -------
    parameters, statistics, optimiser_state, loss
    """
    order = shuffled_rows(key, rows.shape[0], n_batches * batch_size)
    order = order.reshape(n_batches, batch_size)
    transformation = SOLVERS[solver](learning_rate)

    def loss(parameters, statistics, batch):
        model = nnx.merge(graph_of(shape), parameters, statistics, copy=True)
        outputs = model(rows[batch], is_training=True)
        value = mean_loss(outputs, targets[batch], class_sizes)
        return value, nnx.state(model, nnx.BatchStat)

    def take_step(carry, batch):
        parameters, statistics, optimiser_state = carry
        (value, statistics), gradient = jax.value_and_grad(loss, has_aux=True)(
            parameters, statistics, batch
        )
        update, optimiser_state = transformation.update(gradient, optimiser_state, parameters)
        return (optax.apply_updates(parameters, update), statistics, optimiser_state), value

    carry, losses = jax.lax.scan(take_step, (parameters, statistics, optimiser_state), order)
    return *carry, losses.mean()


@partial(jax.jit, static_argnames=("shape", "n_layers"))
def apply(parameters, statistics, rows, *, shape: NetworkShape, n_layers: int | None = None):
    """Standardised targets of rows, with batch norm's running means: rows do not mix."""
    return nnx.merge(graph_of(shape), parameters, statistics)(rows, n_layers=n_layers)


@partial(jax.jit, static_argnames="shape")
def sensitivities(parameters, statistics, rows, *, shape: NetworkShape):
    """Derivative of every target with respect to every input, (n_rows, n_targets, n_features)."""
    model = nnx.merge(graph_of(shape), parameters, statistics, copy=True)
    return jax.vmap(jax.jacrev(lambda row: model(row[None])[0]))(rows)


def weights_of(parameters: nnx.State, statistics: nnx.State) -> Weights:
    """All weights as NumPy arrays under dotted names such as ``layers.0.kernel``."""
    found = {}
    for state in (parameters, statistics):
        for path, leaf in nnx.to_flat_state(state):
            found[".".join(map(str, path))] = np.asarray(leaf[...])
    return found


@own_settings()
def states_of(shape: NetworkShape, weights: Mapping[str, np.ndarray]):
    """Turn named weights back into parameters and statistics."""
    states = []
    for abstract in _abstract_states(shape):
        filled = [
            (path, leaf.replace(jnp.asarray(weights[".".join(map(str, path))])))
            for path, leaf in nnx.to_flat_state(abstract)
        ]
        states.append(nnx.from_flat_state(filled) if filled else abstract)
    return tuple(states)


@cache
@own_settings()
def _abstract_states(shape: NetworkShape):
    return nnx.eval_shape(lambda: initial_states(shape, jax.random.key(0)))
