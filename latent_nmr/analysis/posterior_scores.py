"""Whether posteriors are calibrated: ranks, coverage, reliability of classes, local correction.

A rank is the part of the draws that lie below the truth, with ties broken by chance: uniform where
the posterior is right (S. Talts et al., arXiv:1804.06788). A central interval holds the truth
where the rank lies about one half, by as much as its level says.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.stats
from scipy.spatial import cKDTree

FloatArray = npt.NDArray[np.float64]

N_BINS = 10


def ranks_of(
    draws: npt.NDArray[np.floating],
    truths: npt.NDArray[np.floating],
    random: np.random.RandomState,
    weights: npt.NDArray[np.floating] | None = None,
) -> FloatArray:
    """Part of the draws below the truth, shape (n_rows,), in (0, 1).

    Parameters
    ----------
    draws : ndarray, shape (n_rows, n_draws)
    truths : ndarray, shape (n_rows,)
    random : RandomState
        Of where a truth lies among draws that equal it.
    weights : ndarray, shape (n_rows, n_draws), optional
        Of the draws; by default all count alike.
    """
    own = np.ones(draws.shape) if weights is None else np.asarray(weights, np.float64)
    below = np.sum(own * (draws < truths[:, None]), axis=1)
    equal = np.sum(own * (draws == truths[:, None]), axis=1)
    # The truth counts as one more draw, of mean weight.
    one = own.mean(axis=1)
    place = random.random_sample(len(truths))
    return (below + place * (equal + one)) / (own.sum(axis=1) + one)


def uniform_p(ranks: npt.NDArray[np.floating]) -> float:
    """p-value of Kolmogorov and Smirnov that ranks are uniform in (0, 1)."""
    return float(scipy.stats.kstest(ranks, "uniform").pvalue)  # type: ignore[union-attr]


def coverage(ranks: npt.NDArray[np.floating], level: float) -> float:
    """Part of the truths within central intervals of that level."""
    return float(np.mean(np.abs(np.asarray(ranks) - 0.5) <= level / 2))


class Reliability(NamedTuple):
    """Stated and found shares of classes in bins of the stated share.

    Attributes
    ----------
    stated, found : ndarray, shape (n_bins,)
    n : ndarray of int, shape (n_bins,)
        Shares in each bin, of all classes together; empty bins are left out.
    """

    stated: FloatArray
    found: FloatArray
    n: npt.NDArray[np.int64]

    @property
    def error(self) -> float:
        """Expected calibration error: mean of the differences over all shares."""
        return float(np.average(np.abs(self.stated - self.found), weights=self.n))


def reliability(
    shares: npt.NDArray[np.floating], classes: npt.NDArray[np.integer], n_bins: int = N_BINS
) -> Reliability:
    """Reliability of stated shares, shape (n_rows, n_classes), given the true classes, (n_rows,).

    Bins are equally wide, and hold the shares of every class.
    """
    stated = np.asarray(shares, np.float64).ravel()
    is_true = (np.arange(shares.shape[1]) == np.asarray(classes)[:, None]).ravel()
    bins = np.minimum((stated * n_bins).astype(int), n_bins - 1)
    n = np.bincount(bins, minlength=n_bins)
    kept = n > 0
    sums = [np.bincount(bins, weights=own, minlength=n_bins) for own in (stated, is_true)]
    means = [own[kept] / n[kept] for own in sums]
    return Reliability(means[0], means[1], n[kept])


def reliability_by_chance(
    shares: npt.NDArray[np.floating], random: np.random.RandomState, n_repeats: int = 50
) -> float:
    """Mean calibration error of classes that are drawn with the stated shares.

    What a classifier that is right is found to have, since bins hold finitely many rows.
    """
    ends = np.cumsum(np.asarray(shares, np.float64), axis=1)[:, :-1]
    place = random.random_sample((n_repeats, len(shares), 1))
    drawn = (place > ends).sum(axis=2)
    return float(np.mean([reliability(shares, own).error for own in drawn]))


def nearness_ranks(
    distances: npt.NDArray[np.floating], own: npt.NDArray[np.floating]
) -> FloatArray:
    """Part of the draws nearer to a random point than the truth is, shape (n_rows,).

    Uniform where the joint posterior is right, whatever points are taken (P. Lemos et al., Tests
    of accuracy with random points, arXiv:2302.03026).

    Parameters
    ----------
    distances : ndarray, shape (n_rows, n_draws)
        Of the draws of every row to its point.
    own : ndarray, shape (n_rows,)
        Of the truths to it.
    """
    return (np.sum(distances < own[:, None], axis=1) + 0.5) / (distances.shape[1] + 1)


def corrected_ranks(
    ranks: npt.NDArray[np.floating],
    places: npt.NDArray[np.floating],
    known_ranks: npt.NDArray[np.floating],
    known_places: npt.NDArray[np.floating],
    n_neighbors: int = 300,
) -> FloatArray:
    """Ranks among those of the nearest known rows: a local conformal correction.

    Where intervals are too narrow about a place, ranks of known rows there crowd at both ends, and
    a rank becomes less extreme. Intervals at a level are then those whose corrected ranks say so.

    Parameters
    ----------
    ranks : ndarray, shape (n_rows,)
    places : ndarray, shape (n_rows, n_coordinates)
        Where a row lies, in units in which neighbours are alike.
    known_ranks, known_places : ndarray
        Of rows whose truth is known, and which are no others of `ranks`.
    n_neighbors : int
    """
    n_neighbors = min(n_neighbors, len(known_ranks))
    _, near = cKDTree(known_places).query(places, k=n_neighbors)
    near = near.reshape(len(ranks), n_neighbors)
    below = np.sum(known_ranks[near] < np.asarray(ranks)[:, None], axis=1)
    return (below + 0.5) / (n_neighbors + 1)


def corrected_levels(
    place: npt.NDArray[np.floating],
    known_ranks: npt.NDArray[np.floating],
    known_places: npt.NDArray[np.floating],
    levels: npt.ArrayLike,
    n_neighbors: int = 300,
) -> FloatArray:
    """Ranks below which these parts of the nearest known ranks lie, shape (n_levels,).

    The inverse of `corrected_ranks`, for one row at `place`, shape (n_coordinates,).
    """
    n_neighbors = min(n_neighbors, len(known_ranks))
    _, near = cKDTree(known_places).query(place, k=n_neighbors)
    chosen = np.asarray(known_ranks, np.float64)[np.atleast_1d(near)]
    return np.asarray(np.quantile(chosen, np.asarray(levels)), np.float64)


def contraction(spreads: npt.NDArray[np.floating], prior_spread: float) -> float:
    """1 less the mean variance of posteriors over that of the prior: 1 all known, 0 nothing."""
    return float(1 - np.mean(np.square(spreads)) / prior_spread**2)
