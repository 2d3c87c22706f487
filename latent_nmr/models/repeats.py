r"""Repeats of a material in the β-VAE's objective: pairs of rows, and the contrast between them.

Notation: a and b number the materials of a batch, superscripts the two repeats drawn of each, z
posterior means.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr.errors import RepeatsError

# Distance of two points that a contrast takes for different, in units of the prior's width. With
# several hundred materials on a few axes of unit width, a distance of 1 would tell no two apart.
CONTRAST_SCALE = 0.1


class Repeats(NamedTuple):
    """Rows of the data by material.

    Attributes
    ----------
    rows : Array of int, shape (n_materials, n_most)
        Lines of materials with fewer than `n_most` rows are filled up with their first.
    counts : Array of int, shape (n_materials,)
        Rows of each.
    """

    rows: npt.NDArray[np.int64] | jax.Array
    counts: npt.NDArray[np.int64] | jax.Array

    def first_two(self, *, also_single: bool = False) -> "Pairs":
        """The first two rows of each material that has two, and perhaps the one of others twice."""
        repeated = np.asarray(self.counts) > 1
        chosen = repeated | also_single
        rows = np.asarray(self.rows)[chosen]
        second = rows[:, min(1, rows.shape[1] - 1)]
        return Pairs(rows[:, 0], second, repeated[chosen].astype(np.float32))


class Pairs(NamedTuple):
    """Two rows of each of some materials; `weights` is 0 where both are the same row."""

    first: npt.NDArray[np.int64] | jax.Array
    second: npt.NDArray[np.int64] | jax.Array
    weights: npt.NDArray[np.float32] | jax.Array


def repeats_of(groups: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> Repeats:
    """Some rows by material; `groups` has the material of every row of the data."""
    members: Sequence[npt.NDArray[np.int64]] = [
        rows[groups[rows] == material] for material in np.unique(groups[rows])
    ]
    counts = np.array([len(own) for own in members])
    lines = [np.pad(own, (0, counts.max() - len(own)), constant_values=own[0]) for own in members]
    return Repeats(np.stack(lines), counts)


def check_repeats(
    groups: npt.NDArray[np.int64] | None, rows: npt.NDArray[np.int64], needed_by: str, cure: str
) -> npt.NDArray[np.int64]:
    """Return `groups`; raise `RepeatsError` unless a material of `rows` has two of them."""
    counts = np.zeros(1, int) if groups is None else np.bincount(groups[rows])
    if groups is None or counts.max() < 2:
        found = "there are none" if groups is None else "each of the training part has one row"
        raise RepeatsError(
            f"groups must say which rows are repeats of one material, where {needed_by}, "
            f"but {found}.",
            f"Pass fit(X, groups=material), or set {cure}.",
        )
    return groups


def draw_pairs(key: jax.Array, repeats: Repeats, materials: jax.Array) -> Pairs:
    """Two different rows, where there are two, of each of some materials, of any shape."""
    first_key, second_key = jax.random.split(key)
    counts = jnp.asarray(repeats.counts)[materials]
    first = jax.random.randint(first_key, materials.shape, 0, counts)
    # Steps of 1 to count - 1 around the circle of a material's rows lead to every other one.
    step = 1 + jax.random.randint(second_key, materials.shape, 0, jnp.maximum(counts - 1, 1))
    second = (first + step) % counts
    rows = jnp.asarray(repeats.rows)
    weights = (counts > 1).astype(jnp.float32)
    return Pairs(rows[materials, first], rows[materials, second], weights)


def contrast_loss(first: jax.Array, second: jax.Array, weights: jax.Array) -> jax.Array:
    r"""How poorly repeats find each other among the materials of a batch, in nats per material.

    With :math:`d_{ab}^2 = |z_a^1 - z_b^2|^2 / s^2`, s = `CONTRAST_SCALE`, it is

    .. math:: C = -\frac 1 2 \Big\langle \log \frac{e^{-d_{aa}^2/2}}{\sum_b e^{-d_{ab}^2/2}}
        + \log \frac{e^{-d_{aa}^2/2}}{\sum_b e^{-d_{ba}^2/2}} \Big\rangle_a,

    the symmetric InfoNCE of A. van den Oord et al., arXiv:1807.03748 (2018), of temperature s²:
    log n where all points coincide, 0 where repeats coincide and materials lie far apart.

    Parameters
    ----------
    first, second : Array, shape (n_materials, n_components)
    weights : Array, shape (n_materials,)
        0 for materials that have one repeat only, which others are compared with all the same.
    """
    # |a - b|² = |a|² + |b|² - 2ab would lose the digits of near pairs.
    squares = jnp.sum((first[:, None] - second[None]) ** 2, axis=-1)
    affinities = -0.5 * squares / CONTRAST_SCALE**2
    rows = jax.nn.log_softmax(affinities, axis=1)
    columns = jax.nn.log_softmax(affinities, axis=0)
    found = 0.5 * (jnp.diagonal(rows) + jnp.diagonal(columns))
    return -jnp.sum(weights * found) / jnp.maximum(weights.sum(), 1.0)


def contrasts_within(
    X: npt.NDArray[np.floating], codes: npt.NDArray[np.int64]
) -> npt.NDArray[np.floating]:
    r"""Differences within materials that have the covariance of a row about its material.

    Row k + 1 of a material less the mean of the k before it, times :math:`\sqrt{k / (k + 1)}`
    (Helmert's contrasts): K - 1 rows of a material with K, independent if its repeats are.
    """
    order, counts = np.argsort(codes, kind="stable"), np.bincount(codes)
    starts = np.cumsum(counts) - counts
    sums, contrasts = X[order[starts]], []
    for k in range(1, counts.max()):
        further = counts > k
        rows = X[order[starts[further] + k]]
        contrasts.append(np.sqrt(k / (k + 1)) * (rows - sums[further] / k))
        sums[further] += rows
    return np.concatenate(contrasts)
