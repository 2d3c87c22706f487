"""Noise of a receiver, from what is neither blanked nor signal.

Blanked parts (zeros that a receiver writes while it is gated off, or that pad a record) hold no
noise, so that the standard deviation of a tail may be zero where the noise is not.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError

ComplexArray = npt.NDArray[np.complex128]

# A receiver never gives one value this often in succession, unless it is gated off.
SHORTEST_BLANK = 8
# Filters of receivers fall off towards the edges of their band.
USABLE_BAND = 0.8
# Fewest values of a spectrum that say more than the quiet parts of a record.
FEWEST_BINS, FEWEST_QUIET = 48, 16
# Bins on either side of the carrier that are the signal's in any case.
SMALLEST_REACH = 12
# The power about a cusp falls to 0.35 of itself from one ring of frequencies to the next. Medians
# of a few dozen values scatter by a quarter: one ring that does not fall may do so by chance.
STILL_FALLING, LEVEL_RINGS = 0.7, 2
NEAREST_BINS = 256  # noise of receivers is coloured: nearby it is most alike
# Variance of a mean of neighbouring powers under a Hann window, over that of independent ones:
# 1 + 2 (|2/3|² + |1/6|²), from the correlation of its transforms one and two bins apart.
HANN_EXCESS = 1 + 2 * (4 / 9 + 1 / 36)
# Standard deviation of the median of n exponential numbers, over the median: 1/(ln 2 · √n).
MEDIAN_EXCESS = 1 / np.log(2)


@dataclass(frozen=True)
class Noise:
    """White noise about one frequency.

    Attributes
    ----------
    density : float
        Variance of one channel (real or imaginary) per MHz of bandwidth.
    relative_error : float
        Standard error of `sd`, as a part of it.
    n_values : int
        Values that it is estimated from.
    source : {"spectrum", "quiet", "lowest"}
        Frequencies beside the signal's; samples away from the echo; or, where a record is all
        signal, the lowest tenth of its spectrum, which signal may still lift.
    """

    density: float
    relative_error: float
    n_values: int
    source: str

    def sd(self, bandwidth: float) -> float:
        """Standard deviation of one channel in a band of this many MHz in all."""
        return float(np.sqrt(self.density * bandwidth))


def blanked_samples(signal: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Samples in runs of at least eight equal values, which no receiver gives that is open.

    Parameters
    ----------
    signal : array_like, shape (..., n_time)

    Returns
    -------
    ndarray of bool, shape (..., n_time)

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.noise import blanked_samples
    >>> int(blanked_samples(np.r_[0, 1, np.zeros(9), 2]).sum())
    9
    """
    values = np.asarray(signal)
    found = np.zeros(values.shape, bool)
    for row, marks in zip(
        values.reshape(-1, values.shape[-1]), found.reshape(-1, values.shape[-1]), strict=True
    ):
        starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]])
        lengths = np.diff(np.r_[starts, len(row)])
        marks[:] = np.repeat(lengths >= SHORTEST_BLANK, lengths)
    return found


def stretches(marks: npt.NDArray[np.bool_]) -> list[slice]:
    """Runs of true values, from the first to the last."""
    edges = np.flatnonzero(np.diff(np.r_[False, marks, False]))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def longest_stretch(measured: npt.NDArray[np.bool_]) -> slice:
    """The longest run of measured samples."""
    found = stretches(measured)
    if not found:
        raise InputError(
            "signal must have samples that are not blanked, but has none. Give the record of a "
            "receiver that was open."
        )
    return max(found, key=lambda s: s.stop - s.start)


def periodogram(
    signal: ComplexArray, dwell: float
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.float64]]:
    """Frequencies (MHz, rising) and power: the variance of one channel per MHz, Hann window."""
    window = np.hanning(len(signal) + 2)[1:-1]
    spectrum = np.fft.fftshift(np.fft.fft(window * signal))
    frequencies = np.fft.fftshift(np.fft.fftfreq(len(signal), dwell))
    return frequencies, np.abs(spectrum) ** 2 * dwell / (2 * np.sum(window**2))


def running_median(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Median of each value's neighbours, `width` of them in all, at the ends of those there are."""
    from scipy.ndimage import median_filter

    width = min(width, 2 * len(values) - 1)
    return median_filter(values, size=width, mode="reflect")


def noise_floor(power: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Noise density at every frequency of a periodogram, from its running median."""
    return running_median(power, _floor_width(len(power))) / np.log(2)


def floor_freedom(n_values: int) -> float:
    """Half the degrees of freedom of :func:`noise_floor`: one over its relative variance."""
    n_used = min(n_values, _floor_width(n_values))
    return n_used / (HANN_EXCESS * MEDIAN_EXCESS**2)


def _floor_width(n_values: int) -> int:
    return int(np.clip(n_values // 2, 65, NEAREST_BINS)) | 1


def estimate_noise(
    signal: npt.ArrayLike,
    dwell: float,
    *,
    carrier: float = 0.0,
    measured: npt.NDArray[np.bool_] | None = None,
    quiet: npt.NDArray[np.bool_] | None = None,
) -> Noise:
    """Estimate the noise of one record near a signal at `carrier`.

    From the median power at the nearest frequencies on which the signal does not reach: it needs
    no part of the record without signal. A record that is sampled as slowly as its signal permits
    has no such frequencies; there, from the samples marked as quiet; without any, from the lowest
    powers of the spectrum.

    Parameters
    ----------
    signal : array_like, shape (n_time,)
    dwell : float
        Time between samples, µs.
    carrier : float
        Frequency of the signal on the record, MHz.
    measured : ndarray of bool, shape (n_time,), optional
        Samples that are not blanked; by default those that :func:`blanked_samples` leaves.
    quiet : ndarray of bool, shape (n_time,), optional
        Samples without signal.

    Returns
    -------
    Noise

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.noise import estimate_noise
    >>> noise = np.random.default_rng(0).normal(scale=3, size=(2, 4096)).T @ [1, 1j]
    >>> noise[3000:] = 0
    >>> found = estimate_noise(noise, dwell=0.1)
    >>> abs(found.sd(bandwidth=10) / 3 - 1) < 3 * found.relative_error
    True
    """
    values = np.asarray(signal, np.complex128)
    open_parts = ~blanked_samples(values) if measured is None else measured
    part = values[longest_stretch(open_parts)]
    frequencies, power = periodogram(part, dwell)
    beside = _beside_signal(frequencies, power, carrier, dwell)
    if len(beside) >= FEWEST_BINS:
        return Noise(
            density=float(np.median(beside) / np.log(2)),
            relative_error=float(0.5 * MEDIAN_EXCESS * np.sqrt(HANN_EXCESS / len(beside))),
            n_values=len(beside),
            source="spectrum",
        )
    samples = values[open_parts if quiet is None else open_parts & quiet]
    return _from_quiet(samples, dwell) if len(samples) >= FEWEST_QUIET else _from_lowest(power)


def _beside_signal(
    frequencies: npt.NDArray[np.floating],
    power: npt.NDArray[np.float64],
    carrier: float,
    dwell: float,
) -> npt.NDArray[np.float64]:
    """Powers at the frequencies nearest to a signal that it does not reach."""
    if len(power) < FEWEST_BINS:
        return power[:0]
    centre = int(np.argmin(np.abs(frequencies - carrier)))
    distance = np.abs(np.arange(len(power)) - centre)
    reach, level, n_level = SMALLEST_REACH, np.inf, 0
    while reach < len(power):
        # A signal ends where the power stops falling; lines in a ring hardly change its median.
        ring = (distance > reach) & (distance <= max(1.5 * reach, reach + SMALLEST_REACH))
        before, level = level, float(np.median(power[ring])) if ring.any() else 0.0
        n_level = n_level + 1 if level > STILL_FALLING * before else 0
        if n_level == LEVEL_RINGS:
            break
        reach = int(1.3 * reach)
    usable = (np.abs(frequencies) <= USABLE_BAND / (2 * dwell)) & (distance > reach)
    order = np.argsort(distance[usable], kind="stable")[:NEAREST_BINS]
    return power[usable][order]


def _from_quiet(samples: ComplexArray, dwell: float) -> Noise:
    """Noise from samples without signal."""
    centred = samples - samples.mean()
    variance = float(np.sum(np.abs(centred) ** 2) / (2 * (len(samples) - 1)))
    error = 0.5 / np.sqrt(len(samples) - 1)
    return Noise(variance * dwell, float(error), len(samples), "quiet")


def _from_lowest(power: npt.NDArray[np.float64]) -> Noise:
    """Noise from the lowest tenth of a spectrum, of a record that is all signal; a rough one."""
    part = 0.1
    typical = -np.log(1 - part)  # of the mean, for exponential numbers
    error = 0.5 * np.sqrt(part * HANN_EXCESS / ((1 - part) * len(power))) / typical
    lowest = float(np.quantile(power, part))
    return Noise(lowest / typical, float(error), len(power), "lowest")
