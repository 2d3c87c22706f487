"""Windows of the record, and the signal in them as features for a model.

`full` is the whole record (1882 samples in the set of [P]); `echo` is 400 samples centred on
the echo, indices 1056..1455 there, 168.1 to 231.6 µs; `echo300` the 300 samples of [P]'s Fig. 7
and public notebooks; `top` is 400 samples centred, for each curve, on the highest point of its
echo, which a measured record shows while it does not say where 2τ is.
[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data._attributes import echo_index_of, interval_of
from latent_nmr.data.echoes import check_echoes, check_frame, sample_times, signal_names
from latent_nmr.data.feature_layout import checked_part
from latent_nmr.data.polar import Polar
from latent_nmr.data.protocols import (
    each_protocol,
    has_protocols,
    known_protocols,
    own_attributes,
)
from latent_nmr.data.scaling import (
    NORMALISATIONS,
    TOP,
    Echo,
    curve_divisors,
    joined_features,
    placed,
)
from latent_nmr.errors import InputError, check_choice

# Samples on either side of the echo; None is the whole record.
HALF_WIDTHS = {"full": None, "echo": 200, "echo300": 150, TOP: 200}


def window_slice(
    window: str,
    n_samples: int,
    echo_index: int,
    cure: str = "Use the window full, or data with a longer record.",
) -> slice:
    """Samples of a window: `half_width` before the echo up to, not including, as many after.

    `cure` says what to do where the record does not cover the window.

    Raises
    ------
    InputError
        For an unknown window or one that the record does not cover.
    """
    half_width = HALF_WIDTHS[check_choice("window", window, HALF_WIDTHS)]
    if half_width is None:
        return slice(0, n_samples)
    first, stop = echo_index - half_width, echo_index + half_width
    if first < 0 or stop > n_samples:
        raise InputError(
            f"window {window!r} must lie on the record, but needs samples {first}..{stop - 1} and "
            f"the data have 0..{n_samples - 1}. {cure}"
        )
    return slice(first, stop)


def echo_sample(dataset: xr.Dataset) -> int:
    """Sample at which the echo of a data set stands: its attribute `echo_index`, checked.

    Raises
    ------
    InputError
        If sample k does not stand at k times the attribute `dt_us`, where there is one: the
        record was then cut or thinned after `echo_index` was written, and the first sample is
        no longer that of |M(0)|.
    """
    attributes = own_attributes(dataset)
    index = echo_index_of(attributes)
    if "dt_us" in attributes:
        step = interval_of(attributes)
        last = dataset.sizes["time"] - 1
        sample = min(max(index, 0), last)
        stands = float(sample_times(dataset)[sample])
        if not abs(stands - sample * step) <= step / 2:
            raise InputError(
                "data must have the time grid that echo_index counts on (sample k at k · dt_us), "
                f"but sample {sample} stands at {stands:.1f} µs and not at {sample * step:.1f} µs: "
                "the record was cut or thinned. Take the features first; or set "
                "ds.attrs['echo_index'] to the echo's new sample and delete ds.attrs['dt_us']."
            )
    return index


def window_time(dataset: xr.Dataset, window: str) -> npt.NDArray[np.float64]:
    """Times of a window's samples, µs, shape (n_window,).

    Those of `top` are of a curve whose echo is highest at 2τ. Of several protocols, shape
    (n_protocols, n_window): each has the window of its own echo.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=1, n_edge=8)
    >>> time = ln.window_time(ds, "echo")
    >>> len(time), time[200].round(1)
    (400, np.float64(199.9))
    """
    dataset = check_frame(dataset)
    time = sample_times(dataset)
    parts = [time[_samples(own, window)] for own in each_protocol(dataset)]
    return np.stack(parts) if has_protocols(dataset) else parts[0]


def _samples(dataset: xr.Dataset, window: str) -> slice:
    return window_slice(window, dataset.sizes["time"], echo_sample(dataset))


def features(
    dataset: xr.Dataset,
    window: str = "echo",
    normalisation: str = "initial",
    part: str | Polar = "magnitude",
) -> npt.NDArray[np.float32]:
    """Signal of every curve in a window, scaled to [0, 1].

    Of a data set with several protocols, the features of one after the other, side by side.

    The shorthand, for a data set, of `latent_nmr.data.echo_features.EchoFeatures`.

    Parameters
    ----------
    dataset : xarray.Dataset
        With `mx`, `my` (curve, time) or (protocol, curve, time), or `magnitude`, and the attribute
        `echo_index`.
    window : {"echo", "full", "echo300", "top"}
        Which samples, about the echo of each protocol. `top` has each curve's highest point within
        60 samples of the echo in the middle; what lies beyond its record is nought.
    normalisation : {"initial", "window_max", "height"}
        `initial` divides by |M| at the first sample of the record, so that the echo's height,
        which carries the coupling strength, is kept; `window_max` divides each curve by its
        largest value of |M| in the window; `height` by the height of its echo, smoothed, over 0.75,
        which noise changes less, in windows about the echo.
    part : {"magnitude", "both", "real", "imaginary", "polar"} or Polar
        `magnitude` is |M|; `both` is mx, then my, side by side; `real` is mx, `imaginary` my.
        A signed x is mapped to (x + 1)/2. `polar` is |M|, then the local frequency, each at some
        of the samples, as :class:`latent_nmr.Polar` says, which takes other settings. A data set of
        |M| only has no more than `magnitude`. Of two protocols with pulses of θ and 180° - θ and
        one τ, or whose pulses are not known, `polar` is |M| of both, then half the difference of
        their local frequencies, which no carrier's offset changes.

    Returns
    -------
    ndarray of float32, shape (n_curves, n_window), (n_curves, 2 n_window) for `both`
        Or for `polar` fewer, and as many of each protocol; :func:`latent_nmr.feature_blocks` says
        what each column is.

    Raises
    ------
    InputError
        If the window is not on the record, the record was cut or thinned in time, a value is
        not finite, or a curve has no signal to divide by; for `polar` if the samples do not fit
        its lag.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=3, n_edge=8)
    >>> X = ln.features(ds, window="echo")
    >>> X.shape, X.dtype, bool((X >= 0).all() and (X <= 1).all())
    ((3, 400), dtype('float32'), True)
    """
    part = checked_part(part)
    check_choice("normalisation", normalisation, NORMALISATIONS)
    dataset = check_echoes(dataset, both_components=part != "magnitude")
    echoes = [_echo(own, window, normalisation) for own in each_protocol(dataset)]
    joined = joined_features(echoes, part, known_protocols(dataset))
    return joined.astype(np.float32, copy=False)


def _echo(dataset: xr.Dataset, window: str, normalisation: str) -> Echo:
    """The echo of a data set (curve, time)."""
    samples = _samples(dataset, window)
    signal = [dataset[name].transpose("curve", "time").to_numpy() for name in signal_names(dataset)]
    divisors = curve_divisors(signal, samples, normalisation, dataset["curve"].to_numpy())
    return Echo(*placed(signal, samples, window), divisors, sample_times(dataset)[samples])
