"""Traversals of latent space: decoded curves along one axis, and the data near them."""

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from latent_nmr.errors import InputError, check_count

SPAN = 2.5
N_NEIGHBOURS = 20


class Decoder(Protocol):
    """Anything that turns latent points into curves: a VAE, PCA."""

    def inverse_transform(self, Z) -> np.ndarray: ...


class Traversal(NamedTuple):
    """Curves along one latent axis, the others at zero.

    Attributes
    ----------
    axis : int
        Which axis, counted from 1.
    positions : ndarray, shape (n_steps,)
        Coordinate along it.
    points : ndarray, shape (n_steps, n_components)
    curves : ndarray, shape (n_steps, n_features)
    """

    axis: int
    positions: npt.NDArray[np.float64]
    points: npt.NDArray[np.float64]
    curves: npt.NDArray[np.floating]


def traverse(
    model: Decoder, n_components: int, axis: int, *, span: float = SPAN, n_steps: int = 11
) -> Traversal:
    """Decode points from -span to span along one axis.

    Raises
    ------
    InputError
        If there is no such axis.
    """
    if not 1 <= check_count("axis", axis) <= n_components:
        raise InputError(
            f"axis must be one of 1..{n_components}, the model's latent axes, but is {axis}. "
            "Choose one of them."
        )
    positions = np.linspace(-span, span, check_count("n_steps", n_steps, at_least=2))
    points = np.zeros((n_steps, n_components))
    points[:, axis - 1] = positions
    return Traversal(axis, positions, points, model.inverse_transform(points))


def mean_of_nearest(
    points: npt.NDArray[np.floating],
    latent: npt.NDArray[np.floating],
    values: npt.NDArray[np.floating],
    n_neighbors: int = N_NEIGHBOURS,
) -> npt.NDArray[np.float64]:
    """Mean label of the data nearest to each latent point, of those whose label is known.

    Parameters
    ----------
    points : ndarray, shape (n_points, n_components)
    latent : ndarray, shape (n_curves, n_components)
        Embedding of the data.
    values : ndarray, shape (n_curves,)
        Label, such as W in MHz, known of one curve at least.
    n_neighbors : int
        At most all curves with a known label are used.

    Returns
    -------
    ndarray, shape (n_points,)
        In the label's unit.
    """
    is_known = np.isfinite(values)
    n_neighbors = min(n_neighbors, int(is_known.sum()))
    finder = NearestNeighbors(n_neighbors=n_neighbors).fit(latent[is_known])
    return np.asarray(values, np.float64)[is_known][finder.kneighbors(points)[1]].mean(axis=1)
