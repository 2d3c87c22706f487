"""Narrow lines that run through a whole record: clocks and mixers of the receiver, not spins.

A spur keeps its amplitude and phase from the first sample to the last. An echo has them for its
own duration only, which is what the two are distinguished by; a decay of spins that hardly decays
within the record cannot be.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latent_nmr.data.measured.noise import longest_stretch, noise_floor, periodogram

ComplexArray = npt.NDArray[np.complex128]

# A line stands out of the noise with this probability of being none, over all frequencies.
SIGNIFICANCE = 1e-4
# Parts of the record in which a spur must have its amplitude.
N_PARTS = 8
# Of which this many are enough: an echo may stand in the others.
N_STEADY = 5
# Amplitudes of a steady line agree to this, noise aside; those of a broad echo do not.
SLACK = 0.1
# A line that is seen by the whole record comes from most of its parts: this much of it at least.
LEAST_SHARE = 0.5
MOST_SPURS = 64
# The frequencies of an echo may have a steady part, where strongly coupled spins go on for longer
# than the record: a line stands out of those beside it, too, from this to that bin on either side.
BESIDE = np.arange(3, 11)
# An echo may fill a record that is shorter than this, in samples, as a spur does.
SHORTEST = 512


@dataclass(frozen=True)
class Spur:
    """A narrow line: amplitude · exp(2πi frequency t).

    Attributes
    ----------
    frequency : float
        MHz.
    amplitude : float
    """

    frequency: float
    amplitude: float


def remove_spurs(
    signal: npt.ArrayLike,
    time: npt.ArrayLike,
    *,
    measured: npt.NDArray[np.bool_] | None = None,
) -> tuple[ComplexArray, list[Spur]]:
    """Subtract narrow lines that are steady through a record.

    The strongest line of the spectrum that stands out of the noise is taken if most eighths of
    the record show it with one amplitude and phase; its amplitude is the median of theirs, so that
    an echo at the same frequency adds little to it. This is repeated until none is left.

    Parameters
    ----------
    signal : array_like, shape (n_time,)
        One record.
    time : array_like, shape (n_time,)
        Evenly spaced, µs.
    measured : ndarray of bool, shape (n_time,), optional
        Samples that are not blanked; the others are left as they are.

    Returns
    -------
    signal : ndarray of complex128, shape (n_time,)
    spurs : list of Spur
        What was subtracted, the strongest first.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.spurs import remove_spurs
    >>> time = np.arange(2000) * 0.1
    >>> noise = np.random.default_rng(0).normal(size=(2000, 2)) @ [1, 1j]
    >>> _, spurs = remove_spurs(noise + 2 * np.exp(2j * np.pi * 1.5 * time), time)
    >>> [round(spur.frequency, 2) for spur in spurs]
    [1.5]
    """
    values, times = np.array(signal, np.complex128), np.asarray(time, np.float64)
    marks = np.ones(len(values), bool) if measured is None else measured
    part = longest_stretch(marks)
    found: list[Spur] = []
    if part.stop - part.start < SHORTEST:
        return values, found
    dwell = float(times[-1] - times[0]) / (len(times) - 1)
    rest = values[part]
    floor = noise_floor(periodogram(rest, dwell)[1])
    threshold = np.log(len(rest) / SIGNIFICANCE)
    refused = np.zeros(len(rest), bool)
    for _ in range(MOST_SPURS):
        frequencies, power = periodogram(rest, dwell)
        height = np.where(refused, 0, power / floor)
        top = int(np.argmax(height))
        if height[top] < threshold:
            break
        # The same line may need a second look, its neighbours having been in the way.
        refused[top] = True
        if power[top] < threshold * _beside(power, top):
            refused[max(0, top - 2) : top + 3] = True
            continue
        frequency = _refined(rest, dwell, float(frequencies[top]))
        amplitude = _steady_amplitude(rest, dwell, frequency, threshold)
        if amplitude == 0:
            # Not steady, and so are the frequencies beside it that the same signal reaches.
            refused[max(0, top - 2) : top + 3] = True
            continue
        shift = np.exp(-2j * np.pi * frequency * (times[part.start] - times[0]))
        line = amplitude * np.exp(2j * np.pi * frequency * (times - times[0])) * shift
        values[marks] -= line[marks]
        rest = values[part]
        found.append(Spur(frequency, float(abs(amplitude))))
    return values, sorted(found, key=lambda spur: -spur.amplitude)


def _beside(power: npt.NDArray[np.float64], top: int) -> float:
    """Mean power at frequencies beside a line, from their median."""
    places = np.concatenate([top - BESIDE, top + BESIDE]) % len(power)
    return float(np.median(power[places]) / np.log(2))


def _refined(values: ComplexArray, dwell: float, frequency: float) -> float:
    """The frequency of a line, between the values of a transform."""
    from scipy.optimize import minimize_scalar

    window = np.hanning(len(values) + 2)[1:-1] * values
    phases = -2j * np.pi * dwell * (np.arange(len(values)) - len(values) / 2)
    step = 1 / (len(values) * dwell)
    best = minimize_scalar(
        lambda f: -float(np.abs(np.sum(window * np.exp(phases * f)))),
        bounds=(frequency - step, frequency + step),
        method="bounded",
        options={"xatol": 1e-4 * step},
    )
    return float(best.x)


def _steady_amplitude(
    values: ComplexArray, dwell: float, frequency: float, threshold: float
) -> complex:
    """Amplitude of a line at the first sample; 0 if parts of the record do not agree on it.

    `threshold` is the power, over that of the noise, by which lines stand out of the whole record.
    """
    turned = values * np.exp(-2j * np.pi * frequency * dwell * np.arange(len(values)))
    means = np.array([part.mean() for part in np.array_split(turned, N_PARTS)], np.complex128)
    typical = complex(np.median(np.real(means)), np.median(np.imag(means)))
    # Noise of one of the means, from neighbours: what is steady drops out of differences.
    noise = np.median(np.abs(np.diff(turned))) / np.sqrt(2)
    spread = noise / np.sqrt(len(values) / N_PARTS)
    near = np.abs(means - typical) <= SLACK * abs(typical) + 2.5 * spread
    window = np.hanning(len(values) + 2)[1:-1]
    whole = abs(np.sum(window * turned)) / window.sum()
    # What an echo shows of a frequency the other parts do not: their median is noise then. A line
    # of that power has this amplitude; half of a complex normal's lengths exceed 1.18 deviations.
    least = np.sqrt(2 * threshold / len(values)) * noise / 1.18
    is_steady = near.sum() >= N_STEADY and abs(typical) > max(LEAST_SHARE * whole, least)
    return complex(np.mean(means[near])) if is_steady else 0j
