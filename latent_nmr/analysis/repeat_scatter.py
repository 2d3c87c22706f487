"""How far repeats of a material lie apart in some coordinates."""

import numpy as np
import numpy.typing as npt


def repeat_scatter(
    coordinates: npt.NDArray[np.floating], materials: npt.NDArray[np.integer]
) -> float:
    """Standard deviation of repeats about their material over that of all rows.

    Parameters
    ----------
    coordinates : ndarray, shape (n_rows, n_components)
    materials : ndarray of int, shape (n_rows,)
        Some have several rows.

    Returns
    -------
    float
        Mean over axes: 0 where repeats coincide, about 1 where materials do not differ. An axis
        along which nothing varies counts as 1, as it knows no material either.
    """
    codes = np.unique(materials, return_inverse=True)[1]
    counts = np.bincount(codes)
    points = np.asarray(coordinates, np.float64)
    sums = np.zeros((len(counts), points.shape[1]))
    np.add.at(sums, codes, points)
    own = points - (sums / counts[:, None])[codes]
    within = (own**2).sum(axis=0) / (len(points) - len(counts))
    total = points.var(axis=0, ddof=1)
    ratios = np.divide(within, total, out=np.ones_like(total), where=total > 0)
    return float(np.sqrt(ratios).mean())
