"""The signal of windows as features in [0, 1], of one protocol or of several joined, and back."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr._echo_top import HEADROOM, centred, find_top
from latent_nmr.data.feature_layout import feature_blocks
from latent_nmr.data.polar import Polar, amplitudes_and_frequencies, echoes_of, grid_of
from latent_nmr.data.protocols import KnownProtocol, is_pair
from latent_nmr.errors import InputError

NORMALISATIONS = ("initial", "window_max", "height")
# The window whose samples are each curve's own.
TOP = "top"
# More samples than an echo has about it are a whole record, in the middle of which is no echo.
WIDEST_ECHO = 400


class Echo(NamedTuple):
    """Curves of one protocol.

    Attributes
    ----------
    signal : one array or two, each of shape (n_curves, n_time)
        |M| alone, or real and imaginary part of M.
    samples : slice
        The window.
    divisors : ndarray, shape (n_curves,)
    time : ndarray, shape (n_window,)
        Times of the window's samples, µs.
    """

    signal: Sequence[npt.NDArray]
    samples: slice
    divisors: npt.NDArray
    time: npt.NDArray[np.float64]


def joined_features(
    echoes: Sequence[Echo], part: str | Polar, protocols: Sequence[KnownProtocol]
) -> npt.NDArray:
    """Features of protocols side by side, in [0, 1]; of a pair, its frequencies are compared."""
    if isinstance(part, Polar) and is_pair(protocols):
        M = [
            (own.signal[0][:, own.samples] + 1j * own.signal[1][:, own.samples])
            / own.divisors[:, np.newaxis]
            for own in echoes
        ]
        return _polar_columns(M, part, echoes[0].time)
    parts = [scaled_window(*own[:2], part, *own[2:]) for own in echoes]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def curve_divisors(
    signal: Sequence[npt.NDArray],
    samples: slice,
    normalisation: str,
    names: Sequence | npt.NDArray | None = None,
) -> npt.NDArray:
    """Return what each curve is divided by, shape (n_curves,), in the signal's own unit.

    Parameters
    ----------
    signal : one array or two, each of shape (n_curves, n_time)
        |M| alone, or real and imaginary part of M.
    samples : slice
        The window.
    normalisation : {"initial", "window_max", "height"}
    names : sequence, length n_curves, optional
        What a message calls each curve; without them, its row.

    Raises
    ------
    InputError
        If a curve has no signal to divide by, or `height` is asked for in a whole record.
    """
    if normalisation == "initial":
        divisors = _length([component[:, 0] for component in signal])
    elif normalisation == "height":
        inside = _length([component[:, samples] for component in signal])
        if inside.shape[1] > WIDEST_ECHO:
            raise InputError(
                "window must be about the echo where normalisation is 'height', which is the "
                f"echo's, but has {inside.shape[1]} samples. Use the window 'top' or 'echo'."
            )
        divisors = find_top(inside).height / HEADROOM
    else:
        divisors = _length([component[:, samples] for component in signal]).max(axis=1)
    usable = (divisors > 0) & np.isfinite(divisors)
    if not usable.all():
        row = int(np.flatnonzero(~usable)[0])
        raise InputError(
            f"every curve must have a signal to be normalised by ({normalisation!r}), but curve "
            f"{row if names is None else names[row]} is "
            f"{'zero' if divisors[row] == 0 else divisors[row]} there. Drop it."
        )
    return divisors


def placed(
    signal: Sequence[npt.NDArray], samples: slice, window: str
) -> tuple[Sequence[npt.NDArray], slice]:
    """Signal and samples as an `Echo` has them: of the window `top`, each curve about its top."""
    if window != TOP:
        return signal, samples
    top = find_top(_length([component[:, samples] for component in signal])).sample
    n_samples = samples.stop - samples.start
    own = [centred(component, top + samples.start, n_samples)[0] for component in signal]
    return own, slice(0, n_samples)


def scaled_window(
    signal: Sequence[npt.NDArray],
    samples: slice,
    part: str | Polar,
    divisors: npt.NDArray,
    time: npt.NDArray[np.floating],
) -> npt.NDArray:
    """Return `part` of a signal in a window over `divisors`, in [0, 1].

    Values beyond the divisor, by rounding or noise, are cut: a Bernoulli likelihood and a
    sigmoid need 0 <= x <= 1.

    Parameters
    ----------
    signal, samples
        As for :func:`curve_divisors`.
    part : str or Polar
        Of :func:`checked_part`.
    divisors : ndarray, shape (n_curves,)
    time : ndarray, shape (n_window,)
        Times of the window's samples, µs.
    """
    inside = [component[:, samples] for component in signal]
    scale = divisors[:, np.newaxis]
    if isinstance(part, Polar):
        return _polar_columns([(inside[0] + 1j * inside[1]) / scale], part, time)
    if part == "magnitude":
        scaled = _length(inside) / scale
        return np.minimum(scaled, 1, out=scaled)
    chosen = {"both": inside, "real": inside[:1], "imaginary": inside[1:]}[part]
    scaled = np.concatenate(chosen, axis=1)
    for half in np.split(scaled, len(chosen), axis=1):  # views: filled in place
        half /= scale
    return _to_unit(scaled)


def _polar_columns(
    echoes: Sequence[npt.NDArray], part: Polar, time: npt.NDArray[np.floating]
) -> npt.NDArray:
    amplitudes, frequencies = amplitudes_and_frequencies(echoes, grid_of(time, part), part)
    frequencies /= part.frequency_scale
    cut = [np.minimum(own, 1) for own in amplitudes]
    return np.concatenate([*cut, _to_unit(frequencies)], axis=1)


def signals_of(
    X: npt.NDArray[np.floating],
    part: str | Polar,
    times: Sequence[npt.NDArray[np.floating]],
    zeros: Sequence[int],
    protocols: Sequence[KnownProtocol] = (),
) -> list[npt.NDArray]:
    """Return the signals over their divisors that have features `X`: back from `joined_features`.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    part : str or Polar
        Of :func:`checked_part`.
    times : sequence of ndarray, each of shape (n_window,)
        Of each protocol, times of the window's samples, µs.
    zeros : sequence of int
        Of each protocol, the sample of the window at which M is real, for `polar`, which does not
        know its phase.
    protocols : sequence of KnownProtocol

    Returns
    -------
    list of ndarray, each of shape (n_curves, n_window)
        |M|, Re M or Im M; for `both` and `polar` M itself, complex. For `polar` see
        :func:`latent_nmr.data.polar.echoes_of`.
    """
    if not (isinstance(part, Polar) and is_pair(protocols)):
        parts = zip(np.split(X, len(times), axis=1), times, zeros, strict=True)
        return [_signal_of(own, part, time, zero) for own, time, zero in parts]
    blocks = feature_blocks(np.stack(times), part, protocols)
    *amplitudes, frequencies = [block.values(X) for block in blocks]
    M = echoes_of(amplitudes, frequencies, grid_of(times[0], part), part, zeros[0])
    return [own.astype(np.result_type(X.dtype, np.complex64), copy=False) for own in M]


def _signal_of(
    X: npt.NDArray[np.floating], part: str | Polar, time: npt.NDArray[np.floating], zero: int
) -> npt.NDArray:
    """Signal of one protocol."""
    blocks = [block.values(X) for block in feature_blocks(time, part)]
    if isinstance(part, Polar):
        (M,) = echoes_of(blocks[:1], blocks[1], grid_of(time, part), part, zero)
        return M.astype(np.result_type(X.dtype, np.complex64), copy=False)
    return blocks[0] if len(blocks) == 1 else blocks[0] + 1j * blocks[1]


def _to_unit(scaled: npt.NDArray) -> npt.NDArray:
    """Map [-1, 1] to [0, 1], in place; what lies outside is cut."""
    np.clip(scaled, -1, 1, out=scaled)
    scaled += 1
    scaled /= 2
    return scaled


def _length(signal: Sequence[npt.NDArray]) -> npt.NDArray:
    """|M| of one array that is |M|, or of two that are its real and imaginary part."""
    return np.hypot(*signal) if len(signal) == 2 else signal[0]
