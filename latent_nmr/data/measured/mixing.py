"""Mix a record down from its carrier, and limit its band.

A record turns as exp(+2πi f t) at a frequency f > 0 of Fourier's convention. An intermediate
frequency and everything that differs from it by more than the line's width hide an echo in |M|
until both are taken away.
"""

import numpy as np
import numpy.typing as npt

from latent_nmr._band import PASSES, band_response
from latent_nmr.errors import check_number

ComplexArray = npt.NDArray[np.complex128]


def mix_down(signal: npt.ArrayLike, time: npt.ArrayLike, carrier: float) -> ComplexArray:
    r"""Take away the rotation at `carrier`.

    .. math:: z(t) \to z(t) \, e^{-2\pi i f t}

    |z| does not change.

    Parameters
    ----------
    signal : array_like, shape (..., n_time)
    time : array_like, shape (n_time,)
        µs.
    carrier : float
        f, MHz.

    Returns
    -------
    ndarray of complex128, shape (..., n_time)

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.mixing import mix_down
    >>> time = np.arange(8) / 10
    >>> bool(np.allclose(mix_down(np.exp(2j * np.pi * 5 * time), time, carrier=5), 1))
    True
    """
    cycles = check_number("carrier", carrier, unit="MHz") * np.asarray(time, np.float64)
    return np.asarray(signal, np.complex128) * np.exp(-2j * np.pi * cycles)


def band_limit(
    signal: npt.ArrayLike,
    dwell: float,
    bandwidth: float,
    *,
    measured: npt.NDArray[np.bool_] | None = None,
) -> ComplexArray:
    """Keep the frequencies within ± `bandwidth`, without shifting anything in time.

    The response is 1 up to 0.8 of `bandwidth`, 1/2 there and 0 from 1.2 of it on. At ends of the
    record, and beside blanked samples, what the filter would see beyond is left out of the mean
    that it takes, so that a signal that stands there does not droop.

    Parameters
    ----------
    signal : array_like, shape (..., n_time)
    dwell : float
        Time between samples, µs.
    bandwidth : float
        Half width, MHz. One beyond the band of the record changes nothing.
    measured : ndarray of bool, shape (n_time,), optional
        Samples that are not blanked; the others become 0.

    Returns
    -------
    ndarray of complex128, shape (..., n_time)

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.mixing import band_limit
    >>> time = np.arange(500) * 0.1
    >>> slow, fast = np.exp(2j * np.pi * 0.05 * time), np.exp(2j * np.pi * 2 * time)
    >>> kept = band_limit(slow + fast, dwell=0.1, bandwidth=0.5)
    >>> bool(np.abs(kept - slow)[50:-50].max() < 0.01)
    True
    """
    half_width = check_number("bandwidth", bandwidth, above=0, unit="MHz")
    values = np.array(signal, np.complex128)
    n_time = values.shape[-1]
    marks = np.ones(n_time, bool) if measured is None else measured
    values[..., ~marks] = 0
    if PASSES * half_width >= 1 / (2 * dwell):
        return values
    # Twice as long, so that the end does not come round to the beginning.
    n_padded = 2 * n_time
    response = band_response(np.fft.fftfreq(n_padded, dwell), half_width)
    filtered = np.fft.ifft(np.fft.fft(values, n_padded) * response)[..., :n_time]
    weight = np.fft.ifft(np.fft.fft(marks, n_padded) * response)[:n_time].real
    filtered /= np.where(marks, np.maximum(weight, 0.3), 1)
    filtered[..., ~marks] = 0
    return filtered


def noise_bandwidth(dwell: float, bandwidth: float | None) -> float:
    """Width in MHz, in all, of the white noise that :func:`band_limit` leaves.

    The whole band of the record, 1/`dwell`, where `bandwidth` is None or reaches beyond it.
    """
    whole = 1 / dwell
    if bandwidth is None or PASSES * bandwidth >= whole / 2:
        return whole
    frequencies = np.linspace(-whole / 2, whole / 2, 20001)
    return float(np.mean(band_response(frequencies, bandwidth) ** 2) * whole)
