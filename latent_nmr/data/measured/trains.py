"""Echo trains that are stored as one long record, as a CPMG sequence makes them."""

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError, check_count

ComplexArray = npt.NDArray[np.complex128]

# A train has five echoes at least; fewer samples than this to an echo are no curve.
FEWEST_ECHOES, FEWEST_SAMPLES = 5, 64
# Correlation of |M|² with itself one and two periods later; noise alone has some hundredths.
LEAST_CORRELATION = 0.3
# Harmonics of a train that its period is taken from: an echo is no narrower than an eighth of it.
N_HARMONICS = 8


def find_period(signal: npt.ArrayLike) -> float | None:
    """Distance of the echoes of a train in samples; None if the record is no train.

    From the correlation of |M|² with itself: it must have peaks at the period and at
    two, three and four times it.
    The mean and a decay along the train are taken away first.

    Parameters
    ----------
    signal : array_like, shape (n_time,)

    Returns
    -------
    float or None

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.trains import find_period
    >>> time = np.arange(1000)
    >>> train = np.exp(-np.abs(time % 80 - 40) / 4 - time / 500)
    >>> find_period(train), find_period(np.exp(-np.abs(time - 500) / 30))
    (80.0, None)
    """
    power = np.abs(np.asarray(signal)) ** 2
    # A train may have died away long before the record ends.
    for part in (1, 4, 16):
        period = _period_of(power[: len(power) // part])
        if period is not None:
            return period
    return None


def _period_of(power: npt.NDArray[np.float64]) -> float | None:
    """Distance of the echoes in |M|², if it is of a train from its beginning to its end."""
    longest = len(power) // FEWEST_ECHOES
    if longest < FEWEST_SAMPLES or not power.any():
        return None
    found = None
    # The decay is taken from means over more and more samples: shorter than a period they hold it.
    for width in 2 ** np.arange(5, int(np.log2(longest)) + 1):
        correlation = _correlation(_level(power, int(width)))
        top = _first_peak(correlation, longest)
        if top is not None and (found is None or correlation[top] > found[0] + 0.02):
            found = (correlation[top], _refined(correlation, top), int(width))
    return None if found is None else _sharpened(_level(power, found[2]), found[1])


def _level(power: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Power over its running mean, without its own mean, so that all echoes count alike."""
    kernel = np.hanning(2 * width + 1)[1:-1]
    present = np.convolve(np.ones(len(power)), kernel, "same")
    mean = np.convolve(power, kernel, "same") / present
    level = power / np.maximum(mean, 1e-3 * power.max())
    return level - level.mean()


def _correlation(level: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Correlation of a record with itself at every distance, 1 at none."""
    n_time = len(level)
    spectrum = np.abs(np.fft.rfft(level, 2 * n_time)) ** 2
    whole = np.fft.irfft(spectrum)[:n_time]
    return whole / max(whole[0], 1e-300) * n_time / np.arange(n_time, 0, -1)


def _first_peak(correlation: npt.NDArray[np.float64], longest: int) -> int | None:
    """The shortest distance of a high peak that has others at multiples of itself."""
    inner = correlation[1:-1]
    peaks = 1 + np.flatnonzero((inner >= correlation[:-2]) & (inner > correlation[2:]))
    peaks = peaks[(peaks >= FEWEST_SAMPLES) & (peaks <= longest)]
    if not len(peaks):
        return None
    limit = max(LEAST_CORRELATION, 0.7 * float(correlation[peaks].max()))
    for peak in peaks[correlation[peaks] >= limit]:
        again = [correlation[k * peak - k : k * peak + k + 1].max() for k in (2, 3, 4)]
        between = correlation[peak // 3 : peak - peak // 4]
        if min(again) >= LEAST_CORRELATION and between.min() < 0.5 * correlation[peak]:
            return int(peak)
    return None


def _refined(correlation: npt.NDArray[np.float64], peak: int) -> float:
    """The period to parts of a sample, from the last multiple of it that is on the half record."""
    period = float(peak)
    for multiple in range(2, len(correlation) // 2 // peak + 1):
        place = round(multiple * period)
        near = correlation[place - 2 : place + 3]
        if len(near) < 5 or near.max() < LEAST_CORRELATION:
            break
        period = (place - 2 + int(np.argmax(near))) / multiple
    return period


def _sharpened(level: npt.NDArray[np.float64], period: float) -> float:
    """The period near `period` whose harmonics hold most of |M|², whole if that fits as well.

    Echoes that the ends of a record cut seem nearer to the others than they are, and draw the peaks
    of a correlation to shorter distances: harmonics are taken of what a window leaves of the ends.
    """
    level = level * np.hanning(len(level) + 2)[1:-1]
    n_echoes = len(level) / period
    # Within 2 samples at a multiple of the period that lies on the half record.
    near = period + np.linspace(-4, 4, 65) / n_echoes
    turns = np.arange(len(level))
    powers = np.zeros(len(near))
    for number, own in enumerate(near):
        first = np.exp(-2j * np.pi * turns / own)
        harmonic = np.ones_like(first)
        for _ in range(N_HARMONICS):
            harmonic *= first
            powers[number] += abs(level @ harmonic) ** 2
    best = float(near[np.argmax(powers)])
    # Most pulse programmes have whole samples between echoes: half a sample in the whole record.
    return float(round(best)) if abs(best - round(best)) * n_echoes < 0.5 else best


def split_train(signal: npt.ArrayLike, period: float, n_points: int | None = None) -> ComplexArray:
    """One record per echo of trains.

    Parameters
    ----------
    signal : array_like, shape (n_records, n_time)
    period : float
        Distance of the echoes, in samples; it need not be whole.
    n_points : int, optional
        Samples of each echo; by default all up to the next one. Samples at the end that are no
        whole echo are left out.

    Returns
    -------
    ndarray of complex128, shape (n_records · n_echoes, n_points)

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.trains import split_train
    >>> split_train(np.arange(7)[None], period=3).real.tolist()
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """
    values = np.atleast_2d(np.asarray(signal, np.complex128))
    length = check_count("n_points", n_points or int(period), at_most=values.shape[-1])
    if not period >= 1:
        raise InputError(
            f"period must be at least one sample, but is {period!r}. Give the distance of echoes."
        )
    starts = np.arange(int((values.shape[-1] - length) / period) + 1) * period
    chosen = np.round(starts).astype(int)[:, None] + np.arange(length)
    return values[:, chosen].reshape(-1, length)
