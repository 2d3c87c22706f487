"""How far a measured row lies from what a model knows, as a p-value.

Four distances are compared with those of simulated echoes that were measured alike: to the nearest
simulated points in latent space, to the nearest simulated curves, and the residual of the decoded
curve, sample by sample and smoothed. How large all but the first are depends on the place in latent
space, so that they are compared with what is usual there. The most unusual of them counts, and how
unusual that is the simulated echoes say again: the p-value is a rank, uniform under the null
hypothesis by construction.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from latent_nmr._echo_top import smoothed_rows

FloatArray = npt.NDArray[np.float64]

# Distances are those to the neighbour of this number, which one odd curve does not decide.
NEIGHBOUR = 4
# Principal components, of what smoothing leaves, that curves are compared by.
N_PRINCIPAL = 24
REASONS = ("place", "curve", "residual", "shape")


class Distances(NamedTuple):
    """Distances of rows, each of shape (n_rows,), as logarithms."""

    place: FloatArray
    curve: FloatArray
    residual: FloatArray
    shape: FloatArray


class Distance(NamedTuple):
    """A p-value, and which of the distances decides it."""

    p_value: float
    reason: str
    p_values: dict[str, float]


class Seen(NamedTuple):
    """Rows as a model sees them.

    Attributes
    ----------
    points : ndarray, shape (n_rows, n_components)
        Latent points.
    rows, decoded : ndarray, shape (n_rows, n_window)
        As measured, and decoded at the points.
    """

    points: npt.NDArray[np.floating]
    rows: npt.NDArray[np.floating]
    decoded: npt.NDArray[np.floating]

    def __getitem__(self, rows) -> "Seen":
        return Seen(*(own[rows] for own in (self.points, self.rows, self.decoded)))


class NullHypothesis:
    """Distances of simulated echoes from others.

    Parameters
    ----------
    known, new : Seen
        Echoes of different materials: `known` are what distances are measured from, `new` those
        that say how large they are, which a model was not trained on.
    measured : ndarray of bool, shape (n_window,)
    directions : ndarray, shape (n_window, n_directions)
        Along which curves are compared: :func:`principal_directions` of such curves.
    """

    def __init__(
        self, known: Seen, new: Seen, measured: npt.NDArray[np.bool_], directions: FloatArray
    ):
        self.directions = directions
        self.measured = measured
        self.centre = known.points.mean(axis=0, dtype=np.float64)
        self.scales = np.maximum(known.points.std(axis=0, dtype=np.float64), 1e-12)
        places = self._places(known.points)
        self.point_tree = cKDTree(places)
        self.low, self.high = places.min(axis=0), places.max(axis=0)
        self.curve_tree = cKDTree(self._smooth(known.rows) @ directions)
        # First what is usual at a place, then how far from it.
        terms, raw = self._terms(new), self._raw(new)
        self.fits = [np.linalg.lstsq(terms, own, rcond=None)[0] for own in raw[1:]]
        own = self._unusual(raw, terms)
        self.sorted = [np.sort(values) for values in own]
        ranks = np.stack([self._ranks(n, values) for n, values in enumerate(own)])
        self.least = np.sort(ranks.min(axis=0))

    def distance(self, seen: Seen) -> Distance:
        """Of one row."""
        found = self._distances(seen)
        ranks = [float(self._ranks(n, values)[0]) for n, values in enumerate(found)]
        least, n_null = min(ranks), len(self.least)
        p_value = (1 + np.searchsorted(self.least, least, side="right")) / (n_null + 1)
        return Distance(
            float(p_value), REASONS[ranks.index(least)], dict(zip(REASONS, ranks, strict=True))
        )

    def _places(self, points) -> FloatArray:
        return (np.asarray(points, np.float64) - self.centre) / self.scales

    def _smooth(self, rows) -> FloatArray:
        smooth = smoothed_rows(np.asarray(rows, np.float64), self.measured[None])
        return np.where(self.measured, smooth, 0.0)

    def _terms(self, seen: Seen) -> FloatArray:
        # Beyond the simulated points nothing is known of what is usual but at the edge.
        return _quadratic(np.clip(self._places(seen.points), self.low, self.high))

    def _raw(self, seen: Seen) -> Distances:
        """Distances before what is usual at the place is taken off."""
        place = self.point_tree.query(self._places(seen.points), [NEIGHBOUR])[0][:, 0]
        coordinates = self._smooth(seen.rows) @ self.directions
        curve = self.curve_tree.query(coordinates, [NEIGHBOUR])[0][:, 0]
        sizes = residual_sizes(seen.rows, seen.decoded, self.measured)
        return Distances(np.log(place + 1e-12), np.log(curve + 1e-12), *sizes)

    def _distances(self, seen: Seen) -> Distances:
        return self._unusual(self._raw(seen), self._terms(seen))

    def _unusual(self, raw: Distances, terms: FloatArray) -> Distances:
        """Distances without what is usual at the place."""
        usual = [terms @ fit for fit in self.fits]
        return Distances(raw.place, *(own - its for own, its in zip(raw[1:], usual, strict=True)))

    def _ranks(self, number: int, values: FloatArray) -> FloatArray:
        """Part of the simulated rows that lie as far or farther, of at least one."""
        known = self.sorted[number]
        n_farther = len(known) - np.searchsorted(known, values, side="left")
        return np.maximum(n_farther, 1) / len(known)


def principal_directions(rows: npt.NDArray[np.floating]) -> FloatArray:
    """The first principal components of smoothed rows, shape (n_window, N_PRINCIPAL)."""
    smooth = smoothed_rows(np.asarray(rows, np.float64), np.ones((1, rows.shape[1]), bool))
    rest = smooth - smooth.mean(axis=0)
    return np.linalg.eigh(rest.T @ rest)[1][:, -N_PRINCIPAL:]


def residual_sizes(rows, decoded, measured: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Logarithm of the mean square of rows minus decoded curves, and of that smoothed."""
    rest = np.where(measured, np.asarray(rows, np.float64) - decoded, 0.0)
    smooth = np.where(measured, smoothed_rows(rest, measured[None]), 0.0)
    n_measured = max(int(measured.sum()), 1)
    return tuple(  # type: ignore[return-value]
        np.log(np.sum(part**2, axis=1) / n_measured + 1e-300) for part in (rest, smooth)
    )


def _quadratic(places: FloatArray) -> FloatArray:
    """1, every coordinate, and every product of two; shape (n_rows, n_terms)."""
    n_components = places.shape[1]
    pairs = [(a, b) for a in range(n_components) for b in range(a, n_components)]
    products = [places[:, a] * places[:, b] for a, b in pairs]
    return np.column_stack([np.ones(len(places)), places, *products])
