"""Amplitude and local frequency: complex echoes in coordinates that no receiver phase changes.

M(t) = A(t) exp(iφ(t)), over what curves are normalised by; t in µs, frequencies in MHz. The local
frequency is the advance of the phase over a short lag,

    ν(t + lag/2) = arg[M(t + lag) M*(t)] / (2π lag),

which lies in the band ± 1/(2 lag). Where M vanishes there is no phase to be read, so that features
hold w ν, with the weight w = a / (a + floor) and a = |M(t)| |M(t + lag)|.

Of two echoes of the same material, such as those of first pulses of θ and 180° - θ, both rotate
with the offset of the carrier, which half the difference (ν₁ - ν₂)/2 does not see. It is taken from
the product of both advances, so that its band, ± 1/(4 lag), is the same for any offset. The weight
is that of the harmonic mean of both a: the scatter of a difference is that of the weaker signal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from latent_nmr._times import duration
from latent_nmr._units import in_unit
from latent_nmr.errors import InputError, check_number

# µs, between columns of amplitudes and of frequencies: the line is 0.05 MHz wide, and a frequency
# is a mean over the lag.
AMPLITUDE_INTERVAL, FREQUENCY_INTERVAL = 0.32, 0.64
# By how much of it the lag may miss a whole number of samples.
LAG_SLACK = 0.1
# By how much of an interval a sample may stand beside an even grid.
GRID_SLACK = 0.05
# On the way back w ν is divided by w, or by this where w is less and has amplified errors only.
SMALLEST_WEIGHT = 0.05


@dataclass(frozen=True)
class Polar:
    """Settings of features that are amplitude and local frequency, `part="polar"`.

    Features are |M(t)| every 0.32 µs, over what curves are divided by, then w ν every 0.64 µs, at
    the middle of each lag inside the window: ν = arg[M(t + lag) M*(t)] / (2π lag) and
    w = a / (a + weight_floor), a = |M(t)| |M(t + lag)|. A frequency w ν is mapped to
    (w ν / frequency_scale + 1) / 2, and cut at 0 and 1: 1/2 is the carrier's.

    Parameters
    ----------
    lag : float
        Time over which the phase advances, µs. ν lies in the band ± 1/(2 lag), 0.2 MHz: a carrier
        farther off comes back from the other side.
    frequency_scale : float
        w ν that is mapped to 1, MHz: a range of 0.05 MHz fills [0, 1] by default. Beside
        amplitudes up to 1 it decides how much the frequency counts: at twice the default PCA
        hardly sees α_z any more.
    weight_floor : float
        Where a has this value the frequency has the weight 1/2, as at |M| = 0.045 |M(0)|. Raise it
        to 50 times the variance of the noise, over |M(0)|², where that is more: the scatter of a
        column then stays below 0.13.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=3, n_edge=8, flip_angle_deg=60)
    >>> ln.features(ds, part="polar").shape
    (3, 296)
    >>> ln.features(ds, part=ln.Polar(frequency_scale=0.1)).shape
    (3, 296)
    """

    lag: float = 2.5
    frequency_scale: float = 0.025
    weight_floor: float = 0.002

    def __post_init__(self):
        for entry in fields(self):
            given = getattr(self, entry.name)
            given = duration("lag", given) if entry.name == "lag" else given
            given = in_unit(entry.name, given, "MHz" if entry.name == "frequency_scale" else "")
            value = check_number(entry.name, given, above=0)
            object.__setattr__(self, entry.name, value)


class Grid(NamedTuple):
    """Samples of a window that features are made of.

    Attributes
    ----------
    time : ndarray, shape (n_window,)
        µs, even.
    amplitudes : ndarray of int, shape (n_amplitudes,)
        Samples of the amplitudes.
    starts : ndarray of int, shape (n_frequencies,)
        Samples at which a lag begins.
    n_lag : int
        Samples of the lag.
    lag : float
        Their time, µs.
    """

    time: npt.NDArray[np.float64]
    amplitudes: npt.NDArray[np.int_]
    starts: npt.NDArray[np.int_]
    n_lag: int
    lag: float

    @property
    def middles(self) -> npt.NDArray[np.float64]:
        """Times of the frequencies, µs, shape (n_frequencies,)."""
        return self.time[self.starts] + self.lag / 2


def grid_of(time: npt.NDArray[np.floating], polar: Polar) -> Grid:
    """Samples of a window whose times are given.

    Parameters
    ----------
    time : ndarray, shape (n_window,)
        µs.
    polar : Polar

    Raises
    ------
    InputError
        If times are not even, no whole number of samples is about the lag, or the window is
        shorter than it.
    """
    time = np.asarray(time, np.float64)
    n_window = len(time)
    # Plain floats, which leave single precision single.
    step = float(time[-1] - time[0]) / max(n_window - 1, 1)
    beside = np.abs(time - (time[0] + step * np.arange(n_window)))
    if beside.max() > GRID_SLACK * step:
        sample = int(beside.argmax())
        raise InputError(
            "samples must be evenly spaced for local frequencies, but sample "
            f"{sample} of the window stands at {time[sample]:g} µs, {beside[sample]:g} µs beside "
            f"the grid of {step:g} µs. Interpolate the curves to an even grid."
        )
    n_lag = max(1, round(polar.lag / step)) if step else 1
    if step and abs(n_lag * step - polar.lag) > LAG_SLACK * polar.lag:
        others = ", or ".join(f"Polar(lag={n * step:.3g})" for n in _whole(polar.lag / step))
        raise InputError(
            f"lag must be a whole number of samples to {LAG_SLACK:.0%}, but is {polar.lag:g} µs, "
            f"and samples are {step:g} µs apart. Give another, such as {others}."
        )
    if n_lag >= n_window:
        raise InputError(
            f"lag must be shorter than the window, but is {polar.lag:g} µs, and the window "
            f"{n_window} samples of {step:g} µs. Use a longer window, or a shorter lag."
        )
    every = [max(1, round(own / step)) for own in (AMPLITUDE_INTERVAL, FREQUENCY_INTERVAL)]
    return Grid(
        time,
        np.arange(0, n_window, every[0]),
        np.arange(0, n_window - n_lag, every[1]),
        n_lag,
        n_lag * step,
    )


def _whole(samples: float) -> list[int]:
    """Whole numbers of samples on either side."""
    return sorted({max(1, int(samples)), int(samples) + 1})


def amplitudes_and_frequencies(
    echoes: Sequence[npt.NDArray[np.complexfloating]], grid: Grid, polar: Polar
) -> tuple[list[npt.NDArray], npt.NDArray]:
    """Amplitudes, and the local frequency or half the difference of two, weighted.

    Parameters
    ----------
    echoes : sequence of one or two ndarray, each of shape (n_curves, n_window)
        M over what curves are divided by, in the window.
    grid : Grid
    polar : Polar

    Returns
    -------
    amplitudes : list of ndarray, each of shape (n_curves, n_amplitudes)
        |M|.
    frequencies : ndarray, shape (n_curves, n_frequencies)
        w ν, or w (ν₁ - ν₂)/2, in MHz.
    """
    first, *second = [M[:, grid.starts + grid.n_lag] * np.conj(M[:, grid.starts]) for M in echoes]
    weight = _weight([np.abs(advance) for advance in (first, *second)], polar)
    turned = first * np.conj(second[0]) if second else first
    frequencies = np.angle(turned) / (2 * np.pi * grid.lag * len(echoes))
    return [np.abs(M[:, grid.amplitudes]) for M in echoes], weight * frequencies


def _weight(products: Sequence[npt.NDArray], polar: Polar) -> npt.NDArray:
    """w = a / (a + floor), a being the harmonic mean of the products |M(t)| |M(t + lag)|."""
    if len(products) == 1:
        mean = products[0]
    else:
        both = products[0] + products[1]
        # Where one vanishes the other does not matter: a is 0 also where both do.
        mean = 2 * products[0] * products[1] / np.where(both > 0, both, 1)
    return mean / (mean + polar.weight_floor)


def echoes_of(
    amplitudes: Sequence[npt.NDArray], frequencies: npt.NDArray, grid: Grid, polar: Polar, zero: int
) -> list[npt.NDArray[np.complex128]]:
    """Complex curves with these amplitudes and weighted frequencies, on every sample of the window.

    The phase is the integral of the frequency, a mean over the lag: it is off by
    lag²/24 · d²φ/dt², 0.01 rad where ν changes by 0.05 MHz in 10 µs, where the frequency was not
    cut. Two echoes have the phases φ and -φ, the mean of their frequencies being unknown.

    Parameters
    ----------
    amplitudes : sequence of one or two ndarray, each of shape (n_curves, n_amplitudes)
    frequencies : ndarray, shape (n_curves, n_frequencies)
        w ν, MHz.
    grid : Grid
    polar : Polar
    zero : int
        Sample of the window at which the phase is zero.
    """
    amplitudes = [_every_sample(own, grid) for own in amplitudes]
    products = [A[:, grid.starts] * A[:, grid.starts + grid.n_lag] for A in amplitudes]
    band = 1 / (2 * grid.lag * len(amplitudes))
    weight = np.maximum(_weight(products, polar), SMALLEST_WEIGHT)
    phase = _integral(np.clip(frequencies / weight, -band, band), grid)
    phase = 2 * np.pi * (phase - phase[:, [zero]])
    turn: npt.NDArray[np.complex128] = np.exp(1j * phase)
    return [own * A for own, A in zip((turn, turn.conj()), amplitudes, strict=False)]


def _every_sample(amplitudes: npt.NDArray, grid: Grid) -> npt.NDArray[np.float64]:
    """Amplitudes on all samples of the window."""
    if len(grid.amplitudes) < 2:
        return np.repeat(np.asarray(amplitudes, np.float64), len(grid.time), axis=1)
    spline = CubicSpline(grid.time[grid.amplitudes], amplitudes, axis=1)
    return np.maximum(spline(grid.time), 0)


def _integral(frequencies: npt.NDArray, grid: Grid) -> npt.NDArray[np.float64]:
    """Cycles since the first sample of the window; the ends have the frequency next to them."""
    middles = grid.middles
    ends = [grid.time[0], *middles, grid.time[-1]]
    padded = np.concatenate([frequencies[:, :1], frequencies, frequencies[:, -1:]], axis=1)
    return CubicSpline(ends, padded, axis=1).antiderivative()(grid.time)


def as_metadata(polar: Polar) -> dict[str, Any]:
    """Settings as JSON holds them, with their units."""
    return {
        "lag_us": polar.lag,
        "frequency_scale_MHz": polar.frequency_scale,
        "weight_floor": polar.weight_floor,
    }
