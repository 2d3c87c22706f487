"""Clusters of curves: their number, their mean curves and their relation to the labels.

Notation: K clusters; SSE(K), the sum of the squared distances of all curves to the mean curve of
their cluster. A partition is an array of whole numbers from 0, one per curve.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.metrics import (
    adjusted_rand_score,
    pairwise_distances,
    roc_auc_score,
    silhouette_score,
)
from sklearn.utils import check_random_state

from latent_nmr.errors import InputError

Floats = npt.NDArray[np.floating]
Partition = npt.NDArray[np.integer]

# A silhouette needs the distances between all pairs: 36 MB in float32 for this many curves, and
# 25 times that for 15,000. Silhouettes of curves differ by about 0.3, so that the mean of this
# many is known to 0.3 / √3000 = 0.005, finer than the differences between one K and the next.
SILHOUETTE_CURVES = 3000
# One standard deviation to either side, were the law normal.
BAND = (16, 84)


class Spread(NamedTuple):
    """How a label is spread over the curves of a cluster, in the label's unit.

    Attributes
    ----------
    lowest, highest, mean, deviation : float
        `deviation` is the root mean square one.
    """

    lowest: float
    highest: float
    mean: float
    deviation: float


class Cluster(NamedTuple):
    """One cluster of curves.

    Attributes
    ----------
    n_curves : int
    mean, lower, upper : ndarray, shape (n_features,)
        Mean curve, and its 16th and 84th percentiles, sample by sample.
    strength : Spread or None
        Of W, MHz; None if W is not known.
    n_of_kernel : dict of int
        Curves of each kernel; empty if kernels are not known.
    """

    n_curves: int
    mean: Floats
    lower: Floats
    upper: Floats
    strength: Spread | None
    n_of_kernel: dict[str, int]


class Overlap(NamedTuple):
    """Overlap of the ranges of a label in several clusters.

    Attributes
    ----------
    ranges : list of (float, float)
        Where the ranges of neighbouring clusters overlap, the lower end first; a pair in falling
        order is a gap.
    shared : float
        Fraction of all curves whose label lies in the range of more than one cluster.
    """

    ranges: list[tuple[float, float]]
    shared: float


def check_distinct(X: Floats, n_clusters: int) -> None:
    """Raise unless `X` has more distinct rows than there are clusters."""
    n_distinct = len(np.unique(X, axis=0))
    # With one curve in each cluster no silhouette is defined.
    if n_distinct <= n_clusters:
        raise InputError(
            f"the data must hold more distinct curves than there are clusters ({n_clusters}), "
            f"but hold {n_distinct} of {len(X)}. Give more curves."
        )


def partitions(
    estimator,
    X: Floats,
    counts: Iterable[int],
    *,
    on_fit: Callable[[], object] | None = None,
) -> dict[int, Partition]:
    """Cluster the rows of `X` into each of several numbers of clusters.

    Parameters
    ----------
    estimator : object
        Of scikit-learn's kind, with the parameter `n_components`, the number of clusters, and
        `labels_` after the fit. It is cloned, not touched.
    X : ndarray, shape (n_curves, n_features)
    counts : iterable of int
        Numbers of clusters K.
    on_fit : callable, optional
        Called after each fit.

    Returns
    -------
    dict of ndarray, shape (n_curves,)
        Partition by K.
    """
    found = {}
    for count in sorted(counts):
        found[count] = clone(estimator).set_params(n_components=count).fit(X).labels_
        if on_fit is not None:
            on_fit()
    return found


def sum_of_squares(X: Floats, partition: Partition) -> float:
    """SSE of a partition, in the squared unit of `X`, shape (n_curves, n_features)."""
    total = 0.0
    for number in np.unique(partition):
        # Curve by curve in float64: float32 sums of fifteen thousand curves lose three digits.
        members = X[partition == number].astype(np.float64)
        total += float(np.sum((members - members.mean(axis=0)) ** 2))
    return total


def elbow(sums: Mapping[int, float]) -> int:
    """K at which SSE(K) lies farthest below the straight line between its ends.

    The knee of V. Satopää et al., ICDCS Workshops 2011, for a curve that is convex and falls.

    Parameters
    ----------
    sums : mapping of float
        SSE by K; at least three.
    """
    counts = np.array(sorted(sums))
    values = np.array([sums[count] for count in counts])
    along = (counts - counts[0]) / (counts[-1] - counts[0])
    line = values[0] + along * (values[-1] - values[0])
    return int(counts[np.argmax(line - values)])


def mean_silhouettes(
    X: Floats,
    by_count: Mapping[int, Partition],
    random_state: int | None = 0,
    n_curves: int = SILHOUETTE_CURVES,
) -> dict[int, float | None]:
    """Mean silhouette (P. Rousseeuw, J. Comput. Appl. Math. 20, 53 (1987)) of partitions.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    by_count : mapping of ndarray, shape (n_curves,)
        Partition by K > 1.
    random_state : int or None
        Draws the curves: the same of a larger set for every K, without replacement.
    n_curves : int
        Number of curves drawn from a larger set.

    Returns
    -------
    dict of float or None
        In [-1, 1] by K; None where fewer than two clusters have a curve in the sample.
    """
    rows = np.arange(len(X))
    if len(X) > n_curves:
        draw = check_random_state(random_state)
        rows = draw.choice(len(X), n_curves, replace=False)
    distances = pairwise_distances(X[rows])
    np.fill_diagonal(distances, 0)
    result: dict[int, float | None] = {}
    for count, partition in by_count.items():
        members = partition[rows]
        defined = 1 < len(np.unique(members)) < len(rows)
        result[count] = (
            float(silhouette_score(distances, members, metric="precomputed")) if defined else None
        )
    return result


def order_by(partition: Partition, values: Floats) -> Partition:
    """Renumber the clusters by the mean of `values`, shape (n_curves,), the lowest first."""
    members, inverse = np.unique(partition, return_inverse=True)
    means = [values[inverse == number].mean() for number in range(len(members))]
    return np.argsort(np.argsort(means))[inverse]


def describe(
    X: Floats,
    partition: Partition,
    strength: Floats | None = None,
    kernel: npt.NDArray[np.str_] | None = None,
) -> list[Cluster]:
    """Mean curve, band and labels of each cluster, in the order of their numbers.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    partition : ndarray of int, shape (n_curves,)
    strength : ndarray, shape (n_curves,), optional
        W, MHz.
    kernel : ndarray of str, shape (n_curves,), optional
    """
    clusters = []
    for number in np.unique(partition):
        rows = partition == number
        lower, upper = np.percentile(X[rows], BAND, axis=0)
        names, counts = (
            np.unique(kernel[rows], return_counts=True) if kernel is not None else ((), ())
        )
        clusters.append(
            Cluster(
                n_curves=int(rows.sum()),
                mean=X[rows].mean(axis=0, dtype=np.float64),
                lower=lower,
                upper=upper,
                strength=None if strength is None else _spread(strength[rows]),
                n_of_kernel={str(n): int(c) for n, c in zip(names, counts, strict=True)},
            )
        )
    return clusters


def overlap(values: Floats, partition: Partition) -> Overlap:
    """Overlap of the ranges of a label, shape (n_curves,), in clusters ordered by its mean."""
    members = [values[partition == number] for number in np.unique(partition)]
    ends = [(float(part.min()), float(part.max())) for part in members]
    covered = sum(((low <= values) & (values <= high)).astype(int) for low, high in ends)
    ranges = [(right[0], left[1]) for left, right in pairwise(ends)]
    return Overlap(ranges, float(np.mean(covered > 1)))


def separations(labels: Mapping[str, Floats], partition: Partition) -> list[dict[str, float]]:
    """How well each label separates neighbouring clusters.

    Parameters
    ----------
    labels : mapping of ndarray, shape (n_curves,)
    partition : ndarray of int, shape (n_curves,)

    Returns
    -------
    list of dict of float
        For each cluster and the next, by label: the probability that a curve of the next has the
        larger value than one of the first (Mann and Whitney's U over its largest value). 1 or 0
        if the label separates them, 1/2 if it carries no information. Unlike ranges, it takes all
        curves into account.
    """
    result = []
    for one, other in pairwise(np.unique(partition)):
        rows = (partition == one) | (partition == other)
        is_other = partition[rows] == other
        result.append(
            {name: float(roc_auc_score(is_other, values[rows])) for name, values in labels.items()}
        )
    return result


def agreement(partition: Partition, classes: npt.NDArray[np.str_]) -> float | None:
    """Adjusted Rand index (L. Hubert, P. Arabie, J. Classif. 2, 193 (1985)) with known classes.

    1 for equal partitions, 0 on average for random ones; None for one class, which agrees with
    nothing.
    """
    if len(np.unique(classes)) < 2:
        return None
    return float(adjusted_rand_score(classes, partition))


def _spread(values: Floats) -> Spread:
    return Spread(
        float(values.min()), float(values.max()), float(values.mean()), float(values.std())
    )
