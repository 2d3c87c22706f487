"""What noisy echoes say of a material to first order: features, their slopes and information.

Features are those that a posterior reads off noisy rows: amplitudes, and with a trusted phase local
frequencies. Re and Im are not used: the mean offset of 10⁴ sites differs by 0.9 kHz from draw to
draw and turns the late signal by more than a radian, which no covariance describes; of a local
frequency it is a constant.
"""

from collections.abc import Sequence as Items
from functools import partial
from itertools import combinations
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr.analysis.information import (
    cross_information,
    fisher_information,
    log_unbiased,
    matched_filters,
)
from latent_nmr.models.posterior.receiver import RECORD, read_off
from latent_nmr.studies.design._slopes import Repeats

FloatArray = npt.NDArray[np.float64]

# Draws of noise on the echo of every draw of offsets; of all materials the same.
N_NOISES, NOISE_SEED = 64, 0
# Principal components of features that are kept.
N_COMPONENTS = 32


class Features(NamedTuple):
    """What is read off noisy rows of one material, on average over the noise.

    Attributes
    ----------
    rows : ndarray, shape (n_offsets, n_noises, n_features)
    slopes : ndarray, shape (n_slopes, 3, n_features)
        Derivatives with respect to u of what the first draws have on average over noise.
    """

    rows: FloatArray
    slopes: FloatArray


@own_settings()
def features_of(repeats: Repeats, snr: float, *, phase: bool) -> Features:
    """Features behind a receiver whose noise is drawn `N_NOISES` times.

    Parameters
    ----------
    repeats : Repeats
    snr : float
        |M(0)| over the standard deviation of the noise of a column.
    phase : bool
        Whether phase and carrier are trusted.
    """
    rows, slopes = (
        jnp.asarray(np.concatenate([own.real, own.imag], axis=-1), jnp.float32) for own in repeats
    )
    shape = (len(rows), N_NOISES, rows.shape[1])
    noise = jax.random.normal(seed_key(NOISE_SEED), shape) / snr
    found = _with_noise(rows, noise, phase=phase)
    along = [
        _slopes_with_noise(rows[k], slopes[k], noise[k], phase=phase) for k in range(len(slopes))
    ]
    return Features(np.asarray(found, np.float64), np.asarray(along, np.float64))


def _read(row: jax.Array, *, phase: bool) -> jax.Array:
    """Amplitudes of one row, and with a trusted phase local frequencies."""
    amplitudes, phases = (own[0] for own in read_off(row[None], RECORD))
    if not phase:
        return amplitudes
    n_pairs = 2 * (len(amplitudes) // 2)  # M itself, which comes after the frequencies
    return jnp.concatenate([amplitudes, phases[:-n_pairs]])


@partial(jax.jit, static_argnames="phase")
def _with_noise(rows: jax.Array, noise: jax.Array, *, phase: bool) -> jax.Array:
    read = partial(_read, phase=phase)
    return jax.vmap(jax.vmap(read))(rows[:, None] + noise)


@partial(jax.jit, static_argnames="phase")
def _slopes_with_noise(row: jax.Array, slopes: jax.Array, noise: jax.Array, *, phase: bool):
    read = partial(_read, phase=phase)

    def along(slope: jax.Array) -> jax.Array:
        return jax.vmap(lambda own: jax.jvp(read, (row + own,), (slope,))[1])(noise).mean(axis=0)

    return jax.vmap(along)(slopes)


class Information(NamedTuple):
    """What an echo says of one material.

    Attributes
    ----------
    fisher : ndarray, shape (3, 3)
        About its normal scores u.
    is_scattered : bool
        Whether derivatives of different draws agree in less than half of what they are.
    """

    fisher: FloatArray
    is_scattered: bool


def information_of(features: Items[Features]) -> list[Information]:
    r"""Information about u in the features of every material.

    Features are whitened by their noise and projected onto their first principal components among
    all materials and draws, which are so few that the covariance P within materials, pooled over
    all, can be inverted. Of each material the filters W = P⁻¹ J are those of half of its draws, and
    the information in Wᵀ x is

    .. math:: F = (W^T J')^T (W^T Σ W)^{-1} W^T J'

    with J' of the other half and Σ of its own draws, whose matrix is 3 × 3: where P is not its
    covariance, F is smaller. Products are of different draws only, so that what derivatives scatter
    by adds nothing on average.
    """
    reduced = _reduced(features)
    pooled = np.mean([_covariance(own.rows, np.eye(own.rows.shape[2])) for own in reduced], axis=0)
    return [_information(own, pooled) for own in reduced]


def _reduced(features: Items[Features]) -> list[Features]:
    """Whitened, and in principal components."""
    within = np.mean([own.rows.var(axis=1, ddof=1).mean(axis=0) for own in features], axis=0)
    # The first amplitude is 1 always, and says nothing.
    says = within > np.finfo(np.float32).eps ** 2
    scale = np.where(says, np.sqrt(within), np.inf)
    means = np.concatenate([own.rows.mean(axis=1) for own in features]) / scale
    _, _, directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    kept = directions[: min(N_COMPONENTS, len(means) - 1)].T / scale[:, None]
    return [Features(own.rows @ kept, own.slopes @ kept) for own in features]


def _covariance(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """Covariance of sums of the features of one material, of offsets and of noise."""
    sums = rows @ weights
    n_offsets, _, n_sums = sums.shape
    means = sums.mean(axis=1)
    rest = (sums - means[:, None]).reshape(-1, n_sums)
    # Dividing by all: the means hold what is missing of the noise.
    noise = rest.T @ rest / len(rest)
    offsets = np.cov(means.T, ddof=1).reshape(n_sums, n_sums)
    if n_sums < n_offsets:
        offsets = log_unbiased(offsets, n_offsets - 1)
    return offsets + noise


def _information(own: Features, pooled: FloatArray) -> Information:
    jacobians = own.slopes.transpose(0, 2, 1)
    draws, found = range(len(jacobians)), []
    for half in combinations(draws, len(jacobians) // 2):
        others = jacobians[[draw for draw in draws if draw not in half]]
        weights = matched_filters(jacobians[list(half)].mean(axis=0), pooled)
        covariance = _covariance(own.rows, weights)
        found.append(cross_information(weights.T @ others, covariance))
    values, vectors = np.linalg.eigh(np.mean(found, axis=0))
    fisher = (vectors * np.maximum(values, 0)) @ vectors.T
    alike = np.mean([np.trace(fisher_information(one, pooled)) for one in jacobians])
    agreed = np.trace(cross_information(jacobians, pooled))
    return Information(fisher, bool(agreed < alike / 2))
