"""Data around a latent point: the nearest curves, their parameters and their distances.

Distances are Euclidean in latent space, in units of the prior's standard deviation. Couplings α and
W in MHz, L in lattice constants.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from latent_nmr.errors import InputError, check_count

# Labels that define a simulation.
PARAMETERS = ("alpha_x", "alpha_z", "L", "kernel")
# The scatter of fewer curves is too uncertain to detect an outlier.
FEWEST_CURVES = 4
# Percentile of the mean neighbour distance of the data; points beyond it are off the data.
EDGE_PERCENTILE = 99.0


@dataclass(frozen=True)
class Neighbourhood:
    """The curves nearest to a latent point, and their mean parameters.

    Attributes
    ----------
    rows : ndarray of int, shape (n_neighbors,)
        The curves, nearest first.
    distances : ndarray, shape (n_neighbors,)
    kernel : str
        The most frequent kernel; in a tie, that of the nearest curve.
    n_of_kernel : int
        Number of curves with this kernel.
    alpha_x, alpha_z : float
        Mean over all neighbours, MHz.
    coupling_length : float
        Mean L of the neighbours with this kernel, lattice constants.
    """

    rows: npt.NDArray[np.intp]
    distances: npt.NDArray[np.float64]
    kernel: str
    n_of_kernel: int
    alpha_x: float
    alpha_z: float
    coupling_length: float

    @property
    def coupling_strength(self) -> float:
        """W = 2 α_x + α_z, MHz, with α_y = α_x."""
        return 2 * self.alpha_x + self.alpha_z

    @property
    def nearest(self) -> float:
        """Distance of the nearest curve."""
        return float(self.distances[0])

    @property
    def mean_distance(self) -> float:
        """Mean distance of the neighbours."""
        return float(self.distances.mean())


class Spacing(NamedTuple):
    """Mean distance from each curve of the data to its own neighbours.

    Attributes
    ----------
    typical : float
        Median over the data.
    edge : float
        99th percentile; a point whose neighbours are farther away than this is off the data.
    """

    typical: float
    edge: float


def neighbourhoods(
    points: npt.NDArray[np.floating],
    latent: npt.NDArray[np.floating],
    labels: Mapping[str, npt.NDArray],
    n_neighbors: int,
) -> list[Neighbourhood]:
    """Find the curves around each latent point and average their parameters.

    Parameters
    ----------
    points : ndarray, shape (n_points, n_components)
    latent : ndarray, shape (n_curves, n_components)
        Embedding of the data.
    labels : mapping of ndarray, shape (n_curves,)
        `alpha_x`, `alpha_z` (MHz), `L` (lattice constants) and `kernel`, known of every curve.
    n_neighbors : int
        At least 4 and fewer than there are curves.

    Raises
    ------
    InputError
        If there are too few curves.
    """
    finder = _finder(latent, n_neighbors)
    columns = {name: np.asarray(labels[name], np.float64) for name in PARAMETERS[:-1]}
    # As Python strings: old stores hold a string type of NumPy that not all functions accept.
    kernels = [str(name) for name in np.asarray(labels["kernel"]).tolist()]
    result = []
    for distances, rows in zip(*finder.kneighbors(points), strict=True):
        of_rows = [kernels[row] for row in rows]
        # Counted in order of distance, so that a tie goes to the nearest.
        ((kernel, count),) = Counter(of_rows).most_common(1)
        alike = rows[np.array(of_rows, object) == kernel]
        result.append(
            Neighbourhood(
                rows,
                distances,
                kernel,
                count,
                float(columns["alpha_x"][rows].mean()),
                float(columns["alpha_z"][rows].mean()),
                float(columns["L"][alike].mean()),
            )
        )
    return result


def spacing(latent: npt.NDArray[np.floating], n_neighbors: int) -> Spacing:
    """Measure how far the neighbours of the data are; parameters as in `neighbourhoods`."""
    # Without points, scikit-learn leaves each datum out of its own neighbours.
    distances = _finder(latent, n_neighbors).kneighbors()[0].mean(axis=1)
    return Spacing(float(np.median(distances)), float(np.percentile(distances, EDGE_PERCENTILE)))


def _finder(latent: npt.NDArray[np.floating], n_neighbors: int) -> NearestNeighbors:
    """Check the sizes and build the search tree."""
    check_count("n_neighbors", n_neighbors, at_least=FEWEST_CURVES)
    if len(latent) <= n_neighbors:
        raise InputError(
            "data must have more curves than n_neighbors, or all of them are neighbours, but have "
            f"{len(latent)} and n_neighbors is {n_neighbors}. Use more curves, or fewer "
            "neighbours."
        )
    # A tree computes distances one by one, so that they do not depend on the order of the data.
    return NearestNeighbors(n_neighbors=n_neighbors, algorithm="kd_tree").fit(latent)
