r"""What a point in latent space says of its material, from simulated echoes measured alike.

Every simulated echo has a point without noise and one with the record's noise. Those whose noisy
points lie nearest to the record's are draws from the posterior given that point, as far as they
are near; what distance is left is taken out by weighted linear regression of each quantity on the
noisy points (M. Beaumont, W. Zhang and D. Balding, Genetics 162, 2025 (2002), eqs. 3 to 6).
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

FloatArray = npt.NDArray[np.float64]

# Nearest of the simulated points that are used.
N_NEIGHBOURS = 200
# Of the regression's slopes, in units of the points' variance: keeps few neighbours solvable.
RIDGE = 1e-3


class Neighbourhood(NamedTuple):
    """The nearest of the simulated points.

    Attributes
    ----------
    rows : ndarray of int, shape (n_neighbours,)
    weights : ndarray, shape (n_neighbours,)
        Of sum 1.
    steps : ndarray, shape (n_neighbours, n_components)
        From the record's point to theirs, in standard deviations of all of them.
    """

    rows: npt.NDArray[np.intp]
    weights: FloatArray
    steps: FloatArray

    def adjusted(self, values: FloatArray) -> FloatArray:
        """Values of the neighbours, shape (n_neighbours, …), as they would be at the point itself.

        `values` are of all simulated points.
        """
        own = values[self.rows]
        flat = own.reshape(len(own), -1)
        design = np.column_stack([np.ones(len(own)), self.steps])
        weighted = design * self.weights[:, None]
        normal = weighted.T @ design
        normal[1:, 1:] += RIDGE * np.eye(self.steps.shape[1]) * np.trace(normal[1:, 1:])
        slopes = np.linalg.solve(normal, weighted.T @ flat)[1:]
        found = flat - self.steps @ slopes
        # What was fitted to them has drawn them together, and a mean of few errs, too.
        freedom = max(self.n_effective - design.shape[1] - 1, 1.0)
        mean = self.weights @ found
        return (mean + np.sqrt(self.n_effective / freedom) * (found - mean)).reshape(own.shape)

    @property
    def n_effective(self) -> float:
        """How many neighbours of equal weight would be as good."""
        return float(1 / np.sum(self.weights**2))

    def shares(self, classes: npt.NDArray[Any]) -> dict[str, float]:
        """Share of each class among the neighbours, one neighbour being added to each class."""
        names = sorted(set(classes.tolist()))
        own = classes[self.rows]
        counts = [self.n_effective * float(self.weights[own == name].sum()) + 1 for name in names]
        return {str(name): count / sum(counts) for name, count in zip(names, counts, strict=True)}


class Cloud:
    """Simulated points in latent space, in which neighbours are looked up."""

    def __init__(self, points: npt.NDArray[np.floating]):
        self.scales = points.std(axis=0, dtype=np.float64)
        self.scales[self.scales == 0] = 1
        self.points = points / self.scales
        self.tree = cKDTree(self.points)

    def around(
        self, point: npt.NDArray[np.floating], n_neighbours: int = N_NEIGHBOURS
    ) -> Neighbourhood:
        """The neighbours of a point of shape (n_components,), the nearest weighing most."""
        place = np.asarray(point, np.float64) / self.scales
        distances, rows = self.tree.query(place, min(n_neighbours, len(self.points)))
        # Epanechnikov's kernel, with room for the last neighbour.
        weights = 1 - (distances / (1.001 * distances[-1] + 1e-12)) ** 2
        weights = np.maximum(weights, 1e-6)
        return Neighbourhood(rows, weights / weights.sum(), self.points[rows] - place)


def weighted_quantiles(values: FloatArray, weights: FloatArray, parts: npt.ArrayLike) -> FloatArray:
    """Quantiles of a weighted sample, at which another of its kind is expected.

    Of n equal weights, a further value lies below the k-th with probability k/(n + 1).
    """
    order = np.argsort(values)
    n_effective = weights.sum() ** 2 / np.sum(weights**2)
    places = np.cumsum(weights[order]) / weights.sum() * n_effective / (n_effective + 1)
    return np.interp(np.asarray(parts, np.float64), places, values[order])


def radii(points: FloatArray, weights: FloatArray, parts: npt.ArrayLike) -> FloatArray:
    """Radii of ellipses about the mean that hold parts of a weighted sample of points.

    In units of its covariance's: sqrt(d² C⁻¹ d), which of a normal sample of two axes is 1.51 at
    68 % and 2.45 at 95 %, and more of one with long tails.
    """
    rest = points - weights @ points
    covariance = np.cov(rest.T, aweights=weights)
    squares = np.einsum("ij,ij->i", rest, np.linalg.solve(covariance, rest.T).T)
    return np.sqrt(weighted_quantiles(squares, weights, parts))
