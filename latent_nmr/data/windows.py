"""Windows of the record, and |M(t)| in them as features for a model.

`full` is the whole record (1882 samples in the set of [P]); `echo` is 400 samples centred on
the echo, indices 1056..1455 there, 168.1 to 231.6 µs; `echo300` the 300 samples of [P]'s Fig. 7
and public notebooks. [P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data.echoes import check_echoes, magnitude
from latent_nmr.errors import InputError, check_choice

# Samples on either side of the echo; None is the whole record.
HALF_WIDTHS = {"full": None, "echo": 200, "echo300": 150}
NORMALISATIONS = ("initial", "window_max")


def window_slice(window: str, n_samples: int, echo_index: int) -> slice:
    """Samples of a window: `half_width` before the echo up to, not including, as many after.

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
            f"the data have 0..{n_samples - 1}. Use --window full, or data with a longer record."
        )
    return slice(first, stop)


def window_time(dataset: xr.Dataset, window: str) -> npt.NDArray[np.float64]:
    """Times of a window's samples, µs."""
    samples = window_slice(window, dataset.sizes["time"], int(dataset.attrs["echo_index"]))
    return dataset["time"].to_numpy()[samples]


def features(
    dataset: xr.Dataset, window: str = "echo", normalisation: str = "initial"
) -> npt.NDArray[np.float32]:
    """|M(t)| of every curve in a window, scaled to [0, 1].

    Parameters
    ----------
    dataset : xarray.Dataset
        With `mx`, `my` (curve, time), or `magnitude`, and the attribute `echo_index`.
    window : {"echo", "full", "echo300"}
        Which samples.
    normalisation : {"initial", "window_max"}
        `initial` divides by |M| at the first sample of the record, so that the echo's height,
        which carries the coupling strength, is kept; `window_max` divides each curve by its
        largest value in the window.

    Returns
    -------
    ndarray of float32, shape (n_curves, n_window)

    Raises
    ------
    InputError
        If the window is not on the record, a value is not finite, or a curve has no signal to
        divide by.
    """
    check_echoes(dataset)
    check_choice("normalisation", normalisation, NORMALISATIONS)
    samples = window_slice(window, dataset.sizes["time"], int(dataset.attrs["echo_index"]))
    curves = magnitude(dataset)
    inside = curves[:, samples]
    scale = curves[:, 0] if normalisation == "initial" else inside.max(axis=1)
    if not (scale > 0).all():
        row = int(np.flatnonzero(~(scale > 0))[0])
        raise InputError(
            f"every curve must have a signal to be normalised by ({normalisation!r}), but curve "
            f"{int(dataset['curve'][row])} is zero there. Drop it."
        )
    # |M| never exceeds |M(0)| but by rounding, and a Bernoulli likelihood needs x <= 1.
    return np.minimum(inside / scale[:, None], 1.0).astype(np.float32)
