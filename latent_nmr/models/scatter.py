r"""The law of one repeat of a material around what is decoded from another: the scatter of repeats.

With N the covariance of rows about the mean of their material, the row x' of another repeat lies
around the decoded row x̂ of a first as

.. math:: p(x'|z) = \mathcal N(\hat x(z), N + \sigma^2 I).

What varies between repeats of one material, the random offsets of its spins, so counts little, and
what does not counts much, however small it is. N is kept as its largest `N_DIRECTIONS` principal
variances; of the others every column has an equal part.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import scipy.linalg

from latent_nmr.errors import InputError
from latent_nmr.models.repeats import contrasts_within

N_DIRECTIONS = 64


class Scatter(NamedTuple):
    """Covariance of repeats: of `variances` along `directions`, and `rest` along all others.

    Attributes
    ----------
    directions : Array, shape (n_directions, n_features)
        Orthonormal rows.
    variances : Array, shape (n_directions,)
        Falling.
    rest : Array, shape (1,)
    """

    directions: npt.NDArray[np.float32] | jax.Array
    variances: npt.NDArray[np.float32] | jax.Array
    rest: npt.NDArray[np.float32] | jax.Array


def scatter_shapes(n_features: int) -> dict[str, tuple[int, ...]]:
    """Shape of every array of a `Scatter` of rows of some width."""
    n_directions = min(N_DIRECTIONS, n_features)
    shapes = (n_directions, n_features), (n_directions,), (1,)
    return dict(zip(Scatter._fields, shapes, strict=True))


def scatter_of(X: npt.NDArray[np.floating], materials: npt.NDArray[np.int64]) -> Scatter:
    """Scatter of the rows `X` about the mean of their material.

    Parameters
    ----------
    X : ndarray, shape (n_rows, n_features)
    materials : ndarray of int, shape (n_rows,)
        Of some, `X` has several rows.

    Raises
    ------
    InputError
        If all repeats are equal.
    """
    codes = np.unique(materials, return_inverse=True)[1]
    contrasts = contrasts_within(X.astype(np.float64), codes)
    if not contrasts.any():
        raise InputError(
            "repeats of a material must differ, as their scatter is the law that rows are decoded "
            "by, but are the same rows. Give repeated measurements, or likelihood='gaussian'."
        )
    covariance = contrasts.T @ contrasts / len(contrasts)
    n_features = len(covariance)
    n_directions = min(N_DIRECTIONS, n_features)
    wanted = [n_features - n_directions, n_features - 1]
    variances, columns = scipy.linalg.eigh(covariance, subset_by_index=wanted)
    # Rounding leaves variances of -1e-20 where there is none.
    variances = np.maximum(variances[::-1], 0)
    n_left = n_features - n_directions
    rest = max(np.trace(covariance) - variances.sum(), 0) / n_left if n_left else 0.0
    arrays = columns[:, ::-1].T, variances, [rest]
    return Scatter(*(np.ascontiguousarray(array, np.float32) for array in arrays))


def scattered_loss(residuals: jax.Array, scatter: Scatter, scale: jax.Array | float) -> jax.Array:
    """½ rᵀ (N + σ²)⁻¹ r of every row r of `residuals`, shape (n_rows, n_features), in nats."""
    along = residuals @ scatter.directions.T
    across = jnp.sum(residuals**2, axis=1) - jnp.sum(along**2, axis=1)
    floor = scatter.rest[0] + scale**2
    of_directions = jnp.sum(along**2 / (scatter.variances + scale**2)[None], axis=1)
    return 0.5 * (across / floor + of_directions)


def scattered_normaliser(scatter: Scatter, scale: float) -> float:
    """½ log det 2π(N + σ²), in nats, which :func:`scattered_loss` leaves out."""
    n_directions, n_features = scatter.directions.shape
    along = np.log(np.asarray(scatter.variances, np.float64) + scale**2).sum()
    across = (n_features - n_directions) * math.log(float(scatter.rest[0]) + scale**2)
    return 0.5 * float(n_features * math.log(2 * math.pi) + along + across)
