"""Phase and offset of records whose echo was found."""

import numpy as np
import numpy.typing as npt

from latent_nmr.data.measured.echo_search import FoundEcho

ComplexArray = npt.NDArray[np.complex128]


def echo_phase(
    signal: ComplexArray, elapsed: npt.NDArray[np.float64], echo: FoundEcho
) -> npt.NDArray[np.float64]:
    """Angle, rad, that brings the echo of each record along +y.

    In a sequence of 90° and 180° pulses M stays along one axis and changes its sign on it, so that
    the axis follows from the sum of M², and the direction from the top of the echo.

    Parameters
    ----------
    signal : ndarray of complex128, shape (n_records, n_time)
        Mixed down.
    elapsed : ndarray, shape (n_time,)
        µs from the first sample.
    echo : FoundEcho

    Returns
    -------
    ndarray, shape (n_records,)

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr.data.measured.echo_search import search_echo
    >>> from latent_nmr.data.measured.phasing import echo_phase
    >>> time = np.arange(600) * 0.1
    >>> record = np.exp(-np.abs(time - 30) / 5) * np.exp(0.3j)
    >>> noise = np.random.default_rng(0).normal(scale=1e-3, size=(600, 2)) @ [1, 1j]
    >>> angle = echo_phase((record + noise)[None], time, search_echo(record + noise, 0.1))
    >>> (angle + 0.3 - np.pi / 2).round(2).tolist()
    [0.0]
    """
    place = (elapsed - echo.time) / np.where(elapsed < echo.time, echo.rise, echo.decay)
    weight = np.exp(-np.log(2) * np.abs(place))
    axis = np.sum(weight**2 * signal**2, axis=1)
    angles = np.angle(axis) / 2
    top = np.sum(weight**2 * signal, axis=1) * np.exp(-1j * angles)
    angles = np.where(top.real < 0, angles + np.pi, angles)
    return (np.pi / 2 - angles + np.pi) % (2 * np.pi) - np.pi
