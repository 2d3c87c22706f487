"""Band-limited resampling of a record to other times.

Each new value is the best linear estimate from its nearest samples for a signal whose spectrum
falls in steps of octaves up to a band's edge and is zero beyond (Gaussian-process interpolation
with a sum of kernels sin(πBt)/(πBt)). Unlike a windowed sine it needs no samples beyond the end of
a record, and reaches up to a few percent of half the sampling rate.
"""

import numpy as np
import numpy.typing as npt

from latent_nmr.data.measured.noise import stretches
from latent_nmr.errors import InputError

ComplexArray = npt.NDArray[np.complex128]
FloatArray = npt.NDArray[np.float64]

# Samples that a new value is made of, and the part of half the sampling rate that is kept.
N_NEAREST, KEPT_BAND = 192, 0.985
# The spectrum is lower by this factor in each of its octaves than in the one below.
OCTAVES, FALL = 6, 16.0
# Variance of rounding beside that of the signal, which keeps the equations solvable.
ROUNDING = 1e-12
# A new time this far beyond the last sample, in samples, is still that sample's.
TOLERANCE = 1e-6


def resample(
    signal: npt.ArrayLike,
    time: npt.ArrayLike,
    new_time: npt.ArrayLike,
    *,
    measured: npt.NDArray[np.bool_] | None = None,
) -> tuple[ComplexArray, npt.NDArray[np.bool_]]:
    """Values of a record at other times, where it has been measured.

    Nothing is filtered: noise beyond half of the new sampling rate is folded back unless
    :func:`latent_nmr.data.measured.mixing.band_limit` took it away before.

    Parameters
    ----------
    signal : array_like, shape (..., n_time)
    time : array_like, shape (n_time,)
        Evenly spaced, µs.
    new_time : array_like, shape (n_new,)
        µs.
    measured : ndarray of bool, shape (n_time,), optional
        Samples that are not blanked: the others are not used, and no value is made up for them.

    Returns
    -------
    signal : ndarray of complex128, shape (..., n_new)
        NaN where nothing was measured.
    covered : ndarray of bool, shape (n_new,)
        Where something was.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.resample import resample
    >>> time, new_time = np.arange(100) * 0.5, np.linspace(-10, 40, 7)
    >>> slow = lambda t: np.exp(-(((t - 25) / 8) ** 2))
    >>> values, covered = resample(slow(time), time, new_time)
    >>> covered.tolist()
    [False, False, True, True, True, True, True]
    >>> bool(np.abs(values - slow(new_time))[covered].max() < 1e-4)
    True
    """
    values = np.asarray(signal, np.complex128)
    times, wanted = np.asarray(time, np.float64), np.asarray(new_time, np.float64)
    if values.shape[-1] != len(times) or len(times) < 2:
        raise InputError(
            f"signal must have one value per time, of two at least, but has shape {values.shape} "
            f"and there are {len(times)} times. Give the record's own times."
        )
    marks = np.ones(len(times), bool) if measured is None else measured
    dwell = float(times[-1] - times[0]) / (len(times) - 1)
    places = (wanted - times[0]) / dwell
    made = np.full((*values.shape[:-1], len(wanted)), np.nan, np.complex128)
    covered = np.zeros(len(wanted), bool)
    for part in stretches(marks):
        inside = (places >= part.start - TOLERANCE) & (places <= part.stop - 1 + TOLERANCE)
        if inside.any() and part.stop - part.start > 1:
            made[..., inside] = _interpolated(values[..., part], places[inside] - part.start)
            covered |= inside
    return made, covered


def _interpolated(values: ComplexArray, places: FloatArray) -> ComplexArray:
    """Values at fractional `places` (samples) of one uninterrupted stretch."""
    from scipy.linalg import cho_factor, cho_solve, toeplitz

    n_used = min(N_NEAREST, values.shape[-1])
    first = np.clip(np.round(places).astype(int) - n_used // 2, 0, values.shape[-1] - n_used)
    steps = np.arange(float(n_used))
    covariance = toeplitz(_covariance(steps)) + ROUNDING * np.eye(n_used)
    towards = _covariance(places - first - steps[:, None])
    weights = cho_solve(cho_factor(covariance), towards)
    near = values[..., first[:, None] + np.arange(n_used)]
    return np.einsum("...nk,kn->...n", near, weights)


def _covariance(distance: FloatArray) -> FloatArray:
    """Covariance of a signal with itself at a distance in samples; 1 at none."""
    bands = KEPT_BAND * 2.0 ** -np.arange(OCTAVES)
    weights = bands * FALL ** np.arange(OCTAVES)
    parts = (w * np.sinc(b * distance) for w, b in zip(weights, bands, strict=True))
    return sum(parts, np.zeros_like(distance, np.float64)) / weights.sum()
