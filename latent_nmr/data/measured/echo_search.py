"""Find an echo on a record of noise: when, how wide, at which frequency, and how surely.

The record is compared with Gaussian pulses of many widths at all times and frequencies (a bank of
matched filters); |M| need not show the echo. Under noise alone, the power of each comparison,
over its mean, is an exponential number, which the probability of the largest follows from.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latent_nmr.data.measured.echo_shape import (
    EchoShape,
    fit_shape,
    plain_shape,
    subtract_shape,
)
from latent_nmr.data.measured.noise import (
    SHORTEST_BLANK,
    floor_freedom,
    longest_stretch,
    noise_floor,
    periodogram,
)
from latent_nmr.errors import InputError

ComplexArray = npt.NDArray[np.complex128]
FloatArray = npt.NDArray[np.floating]

# An echo is one where noise would show as much less often than this.
SIGNIFICANCE = 1e-3
# Standard deviations of the pulses: this many samples at least, this part of the record at most.
SHORTEST_SCALE, LONGEST_PART = 1.5, 1 / 12
# A pulse is cut at this many standard deviations; two pulses overlap by a half.
CUT, HOP = 3.0, 0.5
# Of a pulse that reaches over the end of the record, this much of its energy must be on it.
LEAST_ENERGY = 0.35
USABLE_BAND = 0.9
# Decays at the start that are set aside before an echo after them is looked for.
MOST_DECAYS = 3
# What is left of a decay that is no exponential is less than this part of it.
LEAST_OF_DECAY = 0.35


@dataclass(frozen=True)
class FoundEcho:
    """The best candidate for an echo on a record.

    Attributes
    ----------
    time : float
        Top of the echo, µs from the first sample.
    time_error : float
        Its standard error by noise alone, µs.
    rise, decay : float
        Times from half the height to the top, and back, µs.
    carrier : float
        Frequency of the echo on the record, MHz.
    amplitude : complex
        Height and phase at the top.
    p_value : float
        Probability that noise alone shows as much anywhere where the echo was looked for.
    kind : {"echo", "half", "none"}
        `half` has no left half on the record: an echo recorded from its top on, or a free
        induction decay. `none` is no more than noise shows.
    """

    time: float
    time_error: float
    rise: float
    decay: float
    carrier: float
    amplitude: complex
    p_value: float
    kind: str

    @property
    def width(self) -> float:
        """Full width at half maximum, µs; of a half echo, twice the half that is there."""
        return 2 * self.decay if self.kind == "half" else self.rise + self.decay

    @property
    def sigma(self) -> float:
        """The p-value in standard deviations of a normal distribution, one-sided; at least 0."""
        from scipy.stats import norm

        return float(norm.isf(np.clip(self.p_value, 1e-300, 0.5)))


@dataclass(frozen=True)
class Candidate:
    """Best comparison with a bank of pulses; `power` is over its mean under noise alone."""

    time: float
    carrier: float
    scale: float
    power: float
    p_value: float


def search_echo(
    signal: npt.ArrayLike,
    dwell: float,
    *,
    measured: npt.NDArray[np.bool_] | None = None,
    carrier_range: tuple[float, float] | None = None,
    time_range: tuple[float, float] | None = None,
) -> FoundEcho:
    """Look for an echo on one record.

    Parameters
    ----------
    signal : array_like, shape (n_time,)
        Complex, mixed down or not; without spurs, which
        :func:`latent_nmr.data.measured.spurs.remove_spurs` takes away.
    dwell : float
        Time between samples, µs.
    measured : ndarray of bool, shape (n_time,), optional
        Samples that are not blanked.
    carrier_range : (float, float), optional
        Frequencies to look at, MHz; by default nine tenths of the record's band.
    time_range : (float, float), optional
        Where the top of the echo may be, µs from the first sample.

    Returns
    -------
    FoundEcho
        The best there is, also where it is no more than noise: see `kind` and `p_value`.

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.echo_search import search_echo
    >>> time = np.arange(2000) * 0.1
    >>> echo = np.exp(-np.abs(time - 80) / 6 + 2j * np.pi * 1.5 * time)
    >>> noise = np.random.default_rng(0).normal(scale=0.5, size=(2000, 2)) @ [1, 1j]
    >>> found = search_echo(echo + noise, dwell=0.1)
    >>> found.kind, round(found.time), round(found.carrier, 2)
    ('echo', 80, 1.5)
    """
    values = np.asarray(signal, np.complex128)
    marks = np.ones(len(values), bool) if measured is None else measured
    part = longest_stretch(marks)
    if part.stop - part.start < 4 * SHORTEST_BLANK:
        raise InputError(
            f"the record must have at least {4 * SHORTEST_BLANK} samples in succession that are "
            f"not blanked, but has {part.stop - part.start}. Give a longer record."
        )
    rest, start = values[part], part.start * dwell
    if time_range is not None:
        time_range = (time_range[0] - start, time_range[1] - start)
    band = carrier_range or (-USABLE_BAND / (2 * dwell), USABLE_BAND / (2 * dwell))
    frequencies, power = periodogram(rest, dwell)
    floor = noise_floor(power)
    first: FoundEcho | None = None
    for _ in range(MOST_DECAYS):
        best = best_candidate(rest, dwell, (frequencies, floor), band, time_range)
        # Noise has no shape to fit.
        as_shape = fit_shape if best.p_value <= SIGNIFICANCE else plain_shape
        shape = as_shape(rest, dwell, best.time, best.carrier, 2.355 * best.scale)
        found = _described(rest, dwell, shape, best, start, (frequencies, floor))
        if found.kind == "none":
            break
        first = first or found
        if found.kind == "echo":
            # What is left of a decay that was set aside is none.
            is_left = abs(found.amplitude) < LEAST_OF_DECAY * abs(first.amplitude)
            return first if is_left and first is not found else found
        rest = subtract_shape(rest, dwell, shape)
    return first or found


def _described(
    values: ComplexArray,
    dwell: float,
    shape: EchoShape,
    best: Candidate,
    start: float,
    noise: tuple[FloatArray, FloatArray],
) -> FoundEcho:
    """What was fitted, with its kind and the error of its time."""
    if best.p_value > SIGNIFICANCE:
        kind = "none"
    else:
        # Less than half of the rise on the record is no left half.
        kind = "half" if shape.time < 0.5 * shape.rise or shape.time < 2 * dwell else "echo"
    density = float(np.interp(shape.carrier, *noise))
    return FoundEcho(
        time=shape.time + start,
        time_error=shape.time_error(density, len(values) * dwell),
        rise=shape.rise,
        decay=shape.decay,
        carrier=shape.carrier,
        amplitude=shape.amplitude,
        p_value=best.p_value,
        kind=kind,
    )


def scales(n_samples: int) -> FloatArray:
    """Standard deviations of the pulses, in samples: octaves."""
    longest = max(SHORTEST_SCALE, LONGEST_PART * n_samples)
    n_scales = int(np.log2(longest / SHORTEST_SCALE)) + 1
    return SHORTEST_SCALE * 2.0 ** np.arange(n_scales)


def best_candidate(
    values: ComplexArray,
    dwell: float,
    noise: tuple[FloatArray, FloatArray],
    band: tuple[float, float],
    time_range: tuple[float, float] | None,
) -> Candidate:
    """The comparison of largest power over all pulses, times and frequencies.

    `noise` is frequencies (MHz) and the noise's density there.
    """
    best, expected = None, 0.0
    sizes = scales(len(values))
    for size in sizes[::-1]:  # the longest see the narrowest band
        centres, frequencies, powers = _compared(values, dwell, size, noise)
        inside = (frequencies >= band[0]) & (frequencies <= band[1])
        if not inside.any():
            if best is not None:
                continue
            # A band narrower than the spacing of every pulse has the nearest of the first.
            inside[np.argmin(np.abs(frequencies - np.mean(band)))] = True
        times = centres * dwell
        allowed = np.ones(len(times), bool)
        if time_range is not None:
            allowed = (times >= time_range[0]) & (times <= time_range[1])
            if not allowed.any():
                allowed[np.argmin(np.abs(times - np.mean(time_range)))] = True
        looked = powers[np.ix_(allowed, inside)]
        row, column = np.unravel_index(int(np.argmax(looked)), looked.shape)
        top = float(looked[row, column])
        if best is None or top > best[0]:
            time, carrier = times[allowed][row], frequencies[inside][column]
            best = (top, float(time), float(carrier), float(size * dwell))
        expected += _independent_cells(times[allowed], frequencies[inside], size * dwell)
    assert best is not None
    p_value = chance_of(best[0], expected, len(sizes), floor_freedom(len(noise[1])))
    return Candidate(best[1], best[2], best[3], best[0], p_value)


def chance_of(power: float, n_cells: float, n_scales: int, freedom: float) -> float:
    """Probability that the largest of a bank reaches `power` under noise alone.

    Of white noise seen through Gaussian pulses, the regions above u number (u - 1) exp(-u) per
    cell of time times frequency for large u, and those at the edges add to it; for each scale of
    the bank. Their expected number bounds the probability. The noise that a power is measured by
    is itself estimated, with 2 `freedom` degrees of freedom: exp(-u) becomes (1 + u/ν)^-ν.
    """
    tail = np.exp(-min(freedom * np.log1p(power / freedom), 700.0))
    return float(min(1.0, (n_cells * max(power, 1.0) + n_scales) * tail))


def _independent_cells(times: FloatArray, frequencies: FloatArray, scale: float) -> float:
    """Area of time times frequency that a pulse was compared in, its own extent added."""
    duration = times[-1] - times[0] + 2 * scale
    width = frequencies[-1] - frequencies[0] + 1 / (np.pi * scale)
    return float(duration * width)


def _compared(
    values: ComplexArray, dwell: float, size: float, noise: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centres (samples), frequencies (MHz) and powers of comparisons with one pulse."""
    half = int(np.ceil(CUT * size))
    pulse = np.exp(-0.5 * (np.arange(-half, half + 1) / size) ** 2)
    n_bins = 2 * len(pulse)
    hop = max(1, int(HOP * size))
    centres = np.arange(0, len(values), hop)
    padded = np.pad(values, half)
    present = np.pad(np.ones(len(values)), half)
    segments = np.lib.stride_tricks.sliding_window_view(padded, len(pulse))[centres]
    energies = np.lib.stride_tricks.sliding_window_view(present, len(pulse))[centres] @ pulse**2
    spectra = np.fft.fftshift(np.fft.fft(segments * pulse, n_bins, axis=1), axes=1)
    frequencies = np.fft.fftshift(np.fft.fftfreq(n_bins, dwell))
    kept = energies >= LEAST_ENERGY * np.sum(pulse**2)
    variance = np.interp(frequencies, *noise) / dwell
    powers = np.abs(spectra[kept]) ** 2 / (2 * energies[kept, None] * variance)
    return centres[kept].astype(np.float64), frequencies, powers
