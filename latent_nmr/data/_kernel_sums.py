"""κ and L of many kernels of one law at once, without a table of the lattice for each.

K depends on a site only through its distance, and a lattice of 100 × 100 sites has some thousand
different ones: κ = Σ_d n_d K(d), L = (1/κ) Σ_d n_d d K(d), with n_d sites at distance d.
"""

import numpy as np
import numpy.typing as npt

from latent_nmr.physics.kernels import KERNELS, distance_grid

FloatArray = npt.NDArray[np.float64]

_ROWS_AT_ONCE = 512  # keeps the (rows, distances) table in a few MB


def kernel_sums(kernel: str, parameters: FloatArray, n_edge: int) -> tuple[FloatArray, FloatArray]:
    """Kernel sums κ and coupling lengths L of one law with many parameters.

    Parameters
    ----------
    kernel : {"gaussian", "power", "rkky"}
        The law.
    parameters : ndarray, shape (n_curves,)
        ξ or γ in lattice constants, or the exponent p; positive.
    n_edge : int
        Lattice edge, in sites.

    Returns
    -------
    kernel_sum : ndarray, shape (n_curves,)
        Signed κ, dimensionless.
    coupling_length : ndarray, shape (n_curves,)
        L in lattice constants; NaN where κ is zero but for rounding, so that no mean is defined.
    """
    law = KERNELS[kernel].law
    squared = np.rint(distance_grid(n_edge) ** 2).astype(np.int64)
    squared, n_sites = np.unique(squared[squared > 0], return_counts=True)
    distance = np.sqrt(squared.astype(np.float64))
    weights = np.stack([n_sites, n_sites * distance], axis=1)
    total, moment, size = np.empty((3, len(parameters)))
    with np.errstate(all="ignore"):  # far sites underflow; what is not a number ends as NaN
        for start in range(0, len(parameters), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            values = law(distance, parameters[rows, None])  # type: ignore[arg-type]
            total[rows], moment[rows] = (values @ weights).T
            size[rows] = np.abs(values) @ n_sites
        length = np.where(np.abs(total) > 1e-9 * size, moment / total, np.nan)
    return total, length
