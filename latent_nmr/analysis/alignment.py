"""Procrustes alignment of the embeddings of several seeds, and the variance they share.

The prior of a VAE is an isotropic Gaussian and therefore invariant under rotations and reflections:
embeddings of different seeds may differ by one. Only this freedom is removed here. Embeddings are
centred and rotated but never rescaled, because the prior fixes the scale of every axis and a small
variance is a property of the axis.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import orthogonal_procrustes
from sklearn.utils import check_random_state

from latent_nmr.analysis._clouds import Cloud, check_clouds
from latent_nmr.analysis.strength import FEWEST_PERMUTATIONS, null_bound
from latent_nmr.errors import InputError, check_count

# Sweeps converge geometrically if the embeddings agree; if they do not, more sweeps do not help.
MOST_SWEEPS = 50
CONVERGED = 1e-12


@dataclass(frozen=True)
class Alignment:
    """Aligned embeddings of several seeds, and the fraction of variance that they share.

    Attributes
    ----------
    latents : tuple of ndarray, shape (n_curves, n_components)
        Centred and rotated: ``(latent - latent.mean(axis=0)) @ rotation``.
    rotations : ndarray, shape (n_seeds, n_components, n_components)
        Orthogonal matrices, reflections included; the first is the identity, so that axes keep
        the names they have in the first seed.
    stability : ndarray, shape (n_components,)
        Shared variance of each axis, see `shared_variance`.
    overall : float
        Shared variance of all axes together.
    unaligned : ndarray, shape (n_components,)
        `stability` before alignment.
    stability_null, overall_null
        95 % quantiles of the null distribution: rows permuted, then aligned in the same way.
    n_permutations : int
        Number of permutations.
    """

    latents: tuple[Cloud, ...]
    rotations: npt.NDArray[np.float64]
    stability: npt.NDArray[np.float64]
    overall: float
    unaligned: npt.NDArray[np.float64]
    stability_null: npt.NDArray[np.float64]
    overall_null: float
    n_permutations: int


def align(
    latents: Sequence[npt.NDArray[np.floating]],
    *,
    n_permutations: int = 199,
    random_state: int | np.random.RandomState | None = 0,
) -> Alignment:
    """Align the embeddings of several seeds with one another.

    Generalised Procrustes analysis [1]_ with rotations only: each embedding in turn is rotated onto
    the mean of the others (orthogonal Procrustes [2]_) until their agreement converges. Permuting
    the rows of each embedding gives the agreement that alignment alone produces, as in
    PROTEST [3]_.

    Parameters
    ----------
    latents : sequence of ndarray, shape (n_curves, n_components)
        The same curves, in the same order, embedded by each of at least two models.
    n_permutations : int
        Number of permutations for the null distribution, at least 19.
    random_state : int, RandomState or None
        Seed of the permutations.

    Returns
    -------
    Alignment

    Raises
    ------
    InputError
        If there are fewer than two embeddings, or they differ in shape or are not finite.

    References
    ----------
    .. [1] J. C. Gower, Psychometrika 40, 33 (1975).
    .. [2] P. H. Schönemann, Psychometrika 31, 1 (1966).
    .. [3] D. A. Jackson, Écoscience 2, 297 (1995).
    """
    clouds = check_clouds(latents)
    if len(clouds) < 2:
        raise InputError(
            f"latents must hold at least two embeddings to align, but hold {len(clouds)}. "
            "Give the embedding of one more model."
        )
    check_count("n_permutations", n_permutations, at_least=FEWEST_PERMUTATIONS)
    clouds = [cloud - cloud.mean(axis=0) for cloud in clouds]
    turned, rotations = _turn_together(clouds)
    random = check_random_state(random_state)
    null = []
    for _ in range(n_permutations):
        shuffled = [cloud[random.permutation(len(cloud))] for cloud in clouds]
        null.append(_shares(_turn_together(shuffled)[0]))
    stability, overall = _shares(turned)
    return Alignment(
        tuple(turned),
        rotations,
        stability,
        overall,
        shared_variance(clouds),
        np.array([null_bound(draws) for draws in np.array([axes for axes, _ in null]).T]),
        null_bound(np.array([whole for _, whole in null])),
        n_permutations,
    )


def shared_variance(latents: Sequence[npt.NDArray[np.floating]]) -> npt.NDArray[np.float64]:
    """R² of each axis with the mean of the same axis in the other seeds, averaged over seeds.

    R² is the squared correlation: 1 if an axis is the same in all seeds up to its scale, 0 if
    it is uncorrelated with the others or constant.

    Parameters
    ----------
    latents : sequence of ndarray, shape (n_curves, n_components)
        The same curves embedded by each of several models.

    Returns
    -------
    ndarray, shape (n_components,)
    """
    clouds = [cloud - cloud.mean(axis=0) for cloud in latents]
    return np.mean(
        [_squared_correlation(cloud, others, axis=0) for cloud, others in _against(clouds)], axis=0
    )


def _turn_together(clouds: Sequence[Cloud]) -> tuple[list[Cloud], npt.NDArray[np.float64]]:
    """Rotate centred embeddings onto one another; return them and their rotations."""
    rotations = [orthogonal_procrustes(cloud, clouds[0])[0] for cloud in clouds]
    turned = [cloud @ rotation for cloud, rotation in zip(clouds, rotations, strict=True)]
    agreement = -np.inf
    for _ in range(MOST_SWEEPS):
        for number, cloud in enumerate(clouds):
            others = sum(turned) - turned[number]
            rotations[number] = orthogonal_procrustes(cloud, others)[0]
            turned[number] = cloud @ rotations[number]
        before, agreement = agreement, float(np.sum(np.square(sum(turned))))
        if agreement - before <= CONVERGED * agreement:
            break
    # A common rotation changes nothing: the first embedding defines the frame.
    frame = rotations[0].T
    return [cloud @ frame for cloud in turned], np.array([each @ frame for each in rotations])


def _shares(clouds: Sequence[Cloud]) -> tuple[npt.NDArray[np.float64], float]:
    """Shared variance of each axis, and of all axes together."""
    overall = [_squared_correlation(cloud, others, axis=None) for cloud, others in _against(clouds)]
    return shared_variance(clouds), float(np.mean(overall))


def _against(clouds: Sequence[Cloud]) -> list[tuple[Cloud, Cloud]]:
    """Pair each embedding with the sum of the others."""
    total = np.sum(clouds, axis=0)
    return [(cloud, total - cloud) for cloud in clouds]


def _squared_correlation(a: Cloud, b: Cloud, axis: int | None) -> npt.NDArray[np.float64]:
    """Squared correlation of centred arrays, 0 where either is constant."""
    scale = np.sum(a**2, axis=axis) * np.sum(b**2, axis=axis)
    product = np.asarray(np.sum(a * b, axis=axis) ** 2)
    return np.divide(product, scale, out=np.zeros_like(product), where=np.asarray(scale) > 0)
