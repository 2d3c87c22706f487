r"""Probabilities of kernels, and for each a mixture of Gaussians with full covariances.

.. math:: p(k|x) \, \sum_j w_{kj} \, \mathcal N(u; \mu_{kj}, (\Lambda_{kj} \Lambda_{kj}^T)^{-1})

with triangular :math:`\Lambda` (C. M. Bishop, Mixture density networks, NCRG/94/004), over normal
scores u of the prior, see :mod:`latent_nmr.models.posterior.prior`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

N_PARAMETERS = 3
# Log-weight, mean, logarithms of the diagonal of Λ, and what is below it.
N_PER_COMPONENT = 1 + 3 * N_PARAMETERS
# A parameter is known to no less than e^-9 of the prior's deviation: single precision ends there.
MOST_SHARP = 9.0


class Mixture(NamedTuple):
    """Posteriors of rows.

    Attributes
    ----------
    kernel_logits : Array, shape (n_rows, n_kernels)
    log_weights : Array, shape (n_rows, n_kernels, n_components)
        Normalised.
    means : Array, shape (n_rows, n_kernels, n_components, 3)
    log_diagonals : Array, shape (n_rows, n_kernels, n_components, 3)
        Logarithms of the diagonal of Λ.
    below : Array, shape (n_rows, n_kernels, n_components, 3)
        Λ₁₀, Λ₂₀, Λ₂₁, each over the diagonal of its row.
    """

    kernel_logits: Any
    log_weights: Any
    means: Any
    log_diagonals: Any
    below: Any


def n_outputs(n_kernels: int, n_components: int) -> int:
    """Outputs of a network that gives one mixture per row."""
    return n_kernels * (1 + n_components * N_PER_COMPONENT)


def as_mixture(outputs: jax.Array, n_kernels: int, n_components: int) -> Mixture:
    """Mixtures from a network's outputs, shape (n_rows, n_outputs)."""
    rest = outputs[:, n_kernels:].reshape(-1, n_kernels, n_components, N_PER_COMPONENT)
    sharp = MOST_SHARP * jnp.tanh(rest[..., 4:7] / MOST_SHARP)
    weights = jax.nn.log_softmax(rest[..., 0], axis=-1)
    return Mixture(outputs[:, :n_kernels], weights, rest[..., 1:4], sharp, rest[..., 7:10])


def log_kernel(mixture: Mixture) -> jax.Array:
    """log p(kernel | x), shape (n_rows, n_kernels)."""
    return jax.nn.log_softmax(mixture.kernel_logits, axis=-1)


def of_kernels(mixture: Mixture, kernel: npt.NDArray[np.int64]) -> Mixture:
    """Posteriors given the kernel, a number for each row, shape (n_rows,)."""
    is_own = np.arange(mixture.kernel_logits.shape[1]) == kernel[:, None]
    return mixture._replace(kernel_logits=np.where(is_own, 0.0, -np.inf))


def log_density(mixture: Mixture, kernel: jax.Array, scores: jax.Array) -> jax.Array:
    """log p(u | kernel, x) of one point per row: `kernel` (n_rows,) and `scores` (n_rows, 3)."""
    place = kernel[:, None, None]
    weights = jnp.take_along_axis(mixture.log_weights, place, axis=1)[:, 0]
    means, diagonals, below = (
        jnp.take_along_axis(part, place[..., None], axis=1)[:, 0]
        for part in (mixture.means, mixture.log_diagonals, mixture.below)
    )
    rest = scores[:, None] - means
    # Λᵀ (u - μ), row by row of Λᵀ's transpose: each has the scale of its own diagonal.
    scaled = jnp.exp(diagonals)
    parts = [
        rest[..., 0],
        rest[..., 1] + below[..., 0] * rest[..., 0],
        rest[..., 2] + below[..., 1] * rest[..., 0] + below[..., 2] * rest[..., 1],
    ]
    squares = jnp.sum((scaled * jnp.stack(parts, axis=-1)) ** 2, axis=-1)
    constant = 0.5 * N_PARAMETERS * np.log(2 * np.pi)
    return jax.nn.logsumexp(weights + diagonals.sum(axis=-1) - 0.5 * squares - constant, axis=-1)


def draw(
    mixture: Mixture, n_draws: int, random_state: np.random.RandomState
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Draw kernels, shape (n_rows, n_draws), and scores, (n_rows, n_draws, 3), on the host."""
    logits, weights, means, diagonals, below = (np.asarray(part, np.float64) for part in mixture)
    n_rows = len(logits)
    kernel = _choice(logits, n_draws, random_state)
    rows = np.arange(n_rows)[:, None]
    own = weights[rows, kernel]
    component = _choice(own.reshape(n_rows * n_draws, -1), 1, random_state).reshape(n_rows, n_draws)
    means, diagonals, below = (part[rows, kernel, component] for part in (means, diagonals, below))
    noise = random_state.standard_normal((n_rows, n_draws, N_PARAMETERS)) * np.exp(-diagonals)
    first = noise[..., 0]
    second = noise[..., 1] - below[..., 0] * first
    third = noise[..., 2] - below[..., 1] * first - below[..., 2] * second
    return kernel, means + np.stack([first, second, third], axis=-1)


def _choice(
    logits: npt.NDArray[np.float64], n_draws: int, random_state: np.random.RandomState
) -> npt.NDArray[np.int64]:
    """Numbers of classes drawn for every row of logits, shape (n_rows, n_draws)."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    ends = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    place = random_state.random_sample((len(logits), n_draws))
    # The last end is 1 but for rounding, and no draw is to lie behind it.
    return (place[:, :, None] > ends[:, None, :-1]).sum(axis=-1)
