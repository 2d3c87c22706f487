"""The top of an echo: where it is, how high, and rows centred on it.

What a spectrometer records has neither |M(0)| nor, to a sample, the time of 2τ, while its highest
point is always there. Arrays may be NumPy's or JAX's: data and trainings use the same lines.
"""

from typing import Any, NamedTuple

import numpy as np

# |M| is smoothed by a Gaussian of this standard deviation in samples, 3 µs in full width at half
# maximum on the grid of `paper`: noise moves its top little, and the top of an echo is not rounded.
SMOOTHING = 8.0
# Samples on either side of the middle that may hold the top: ± 9.5 µs on that grid.
REACH = 60
# A row over its height is multiplied by this, so that the unsmoothed top lies below 1.
HEADROOM = 0.75


class Top(NamedTuple):
    """Per row, the sample of the top and the smoothed height there; each of shape (n_rows,)."""

    sample: Any
    height: Any


def find_top(rows: Any, measured: Any = None, reach: int = REACH, middle: Any = None) -> Top:
    """Highest point of each smoothed row, near its middle sample.

    Parameters
    ----------
    rows : array, shape (n_rows, n_samples)
        |M|; of samples that are not measured any number.
    measured : array of bool, shape (n_samples,) or (n_rows, n_samples), optional
        The others are left out of every mean, and hold no top. Without it, all are measured.
    reach : int
        Samples on either side of the middle that may hold it.
    middle : array of int, shape (n_rows,), optional
        Sample of each row that counts as its middle; by default half of its length.
    """
    xp = rows.__array_namespace__()
    n_samples = rows.shape[1]
    marks = xp.ones(rows.shape, dtype=bool) if measured is None else measured
    marks = xp.broadcast_to(marks, rows.shape)
    smooth = smoothed_rows(rows, marks)
    places = np.arange(n_samples)[None]
    about = n_samples // 2 if middle is None else middle[:, None]
    near = marks & (xp.abs(places - about) <= reach)
    sample = xp.argmax(xp.where(near, smooth, -xp.ones((1, 1), dtype=rows.dtype)), axis=1)
    height = xp.take_along_axis(smooth, sample[:, None], axis=1)[:, 0]
    return Top(sample, height)


def smoothed_rows(rows: Any, measured: Any) -> Any:
    """Means of rows over the Gaussian about each sample, of what was measured.

    Parameters
    ----------
    rows : array, shape (n_rows, n_samples)
    measured : array of bool, shape (n_rows, n_samples) or (1, n_samples)

    Returns
    -------
    array, shape (n_rows, n_samples)
        Nought where nothing near was measured.
    """
    xp = rows.__array_namespace__()
    weights = _smoother(rows.shape[1]).astype(rows.dtype)
    kept = xp.where(measured, rows, xp.zeros((1, 1), dtype=rows.dtype))
    # Less than any weight of a sample that is near, so that nought over it stays nought.
    sums = xp.maximum(measured.astype(rows.dtype) @ weights, np.asarray(1e-6, rows.dtype))
    return (kept @ weights) / sums


def centred(rows: Any, sample: Any, n_samples: int) -> tuple[Any, Any]:
    """`n_samples` of each row about its own `sample`, and which of them the row has.

    Samples beyond its ends are nought.

    Returns
    -------
    rows : array, shape (n_rows, n_samples)
    inside : array of bool, shape (n_rows, n_samples)
    """
    xp = rows.__array_namespace__()
    places = sample[:, None] + np.arange(-(n_samples // 2), n_samples - n_samples // 2)[None]
    inside = (places >= 0) & (places < rows.shape[1])
    taken = xp.take_along_axis(rows, xp.clip(places, 0, rows.shape[1] - 1), axis=1)
    return xp.where(inside, taken, xp.zeros((1, 1), dtype=rows.dtype)), inside


def over_height(rows: Any, height: Any) -> Any:
    """Rows without their gain, in [0, 1]: over their height, what exceeds 1 being cut."""
    xp = rows.__array_namespace__()
    one = xp.ones((1, 1), dtype=rows.dtype)
    return xp.minimum(HEADROOM * rows / height[:, None], one)


def _smoother(n_samples: int) -> np.ndarray:
    steps = np.arange(n_samples)
    return np.exp(-0.5 * ((steps - steps[:, None]) / SMOOTHING) ** 2)
