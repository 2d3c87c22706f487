"""Ranges of data, up to the rounding of the arithmetic that brought them there.

A scaler that maps a column onto [0, 1] in float32 ends at 1 + 1e-7, not at 1: who refuses that
value, or warns of it, sends the user back to the scaler.
"""

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import ROUNDING, ROUNDINGS


def rounding_of(values: object) -> float:
    """Largest relative error that rounding leaves on values of this precision.

    At least that of float32: values are often scaled in it before they come as float64.
    """
    dtype = getattr(values, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return max(ROUNDING, ROUNDINGS * float(np.finfo(dtype).eps))
    return ROUNDING


def beyond(values: npt.NDArray, low: float, high: float, rounding: float) -> float | None:
    """The value farthest outside [low, high], or None if all lie inside up to rounding.

    Parameters
    ----------
    values : ndarray
        Not empty.
    low, high : float
        Ends of the range; either may be infinite.
    rounding : float
        Relative to the larger end, as :func:`rounding_of` gives it.
    """
    least, largest = float(values.min()), float(values.max())
    slack = rounding * max(abs(end) for end in (low, high) if np.isfinite(end))
    if least >= low - slack and largest <= high + slack:
        return None
    return largest if largest - high > low - least else least


def cut(values: npt.NDArray, low: float, high: float) -> npt.NDArray:
    """Values inside [low, high]; the same array if they are."""
    if values.min() >= low and values.max() <= high:
        return values
    return np.clip(values, low, high)
