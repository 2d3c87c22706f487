"""Scores of a representation: labels predicted from its coordinates, on held-out curves.

Everything is fitted on the training part and scored on the held-out part; the coordinates are
taken as the method gives them, none is rescaled. Notation: k neighbours, ρ Spearman's coefficient.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score, f1_score, r2_score, silhouette_score
from sklearn.neighbors import NearestNeighbors

from latent_nmr.analysis.dependence import rank_correlations
from latent_nmr.analysis.score_names import ORDERED_LABELS, order_name
from latent_nmr.errors import InputError

POWER_LAW = "power"
REGRESSED = ("W", "alpha_x", "alpha_z", "L")
N_NEIGHBOURS = 15
N_CLUSTERS = 3
# Axes beyond these are not correlated with labels one by one.
MOST_AXES = 32
# The ceiling: every 4th sample, as the trees of the published comparison saw them.
FOREST_TREES, FOREST_STRIDE = 200, 4

Coordinates = npt.NDArray[np.floating]
Labels = Mapping[str, npt.NDArray[np.generic]]
# Gives the predicted numbers, or names, of the scored part from the values of the fitted rows.
Predictor = Callable[[npt.NDArray[np.generic], npt.NDArray[np.bool_]], npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Parts:
    """Labels of the two parts of a data set.

    Attributes
    ----------
    fitted, scored : mapping of ndarray, shape (n_fitted,) and (n_scored,)
        `W`, `alpha_x`, `alpha_z`, `L` (float64) and `kernel` (strings), or labels of any other
        name: float64 for numbers, strings for classes.
    """

    fitted: Labels
    scored: Labels

    def shuffled(self, *random_state: int) -> "Parts":
        """Permute the labels of the fitted rows, all labels of a row together."""
        n_rows = len(next(iter(self.fitted.values())))
        order = np.random.default_rng(list(random_state)).permutation(n_rows)
        return Parts({name: values[order] for name, values in self.fitted.items()}, self.scored)


def check_neighbours(n_fitted: int, n_neighbors: int = N_NEIGHBOURS) -> None:
    """Raise `InputError` if there are not more fitted rows than neighbours."""
    if n_fitted <= n_neighbors:
        raise InputError(
            f"the training part must have more curves than the {n_neighbors} neighbours of the "
            f"scores, but has {n_fitted}. Use more curves, or fewer neighbours."
        )


def check_neighbourhoods(
    n_scored: int, part: str = "held-out", n_neighbors: int = N_NEIGHBOURS
) -> None:
    """Raise `InputError` if the scored rows are too few for neighbourhoods to be compared."""
    if n_scored <= 2 * n_neighbors:
        raise InputError(
            f"the {part} part must have more than {2 * n_neighbors} curves for neighbourhoods of "
            f"{n_neighbors} to be compared, but has {n_scored}. Use more curves, or fewer "
            "neighbours."
        )


def is_number(values: npt.NDArray[np.generic]) -> bool:
    """Whether a label holds numbers and not names."""
    return values.dtype.kind == "f"


def has_r2(truth: npt.NDArray[np.floating]) -> bool:
    """Whether an R² against these values means anything: not if there is one value only."""
    # Of a constant, rounding can leave a variance above zero, but no range.
    return len(truth) > 1 and bool(np.ptp(truth) > 0)


def other_labels(labels: Iterable[str]) -> list[str]:
    """Labels beside those of simulated echoes."""
    return [name for name in labels if name not in (*REGRESSED, "kernel")]


def neighbour_scores(
    fitted: Coordinates, scored: Coordinates, parts: Parts, n_neighbors: int = N_NEIGHBOURS
) -> dict[str, float]:
    """Labels of the scored rows, predicted from their k nearest fitted rows.

    Parameters
    ----------
    fitted : ndarray, shape (n_fitted, n_components)
    scored : ndarray, shape (n_scored, n_components)
    parts : Parts
    n_neighbors : int
        k.

    Returns
    -------
    dict of float
        `r2_…` and `f1_…` of `score_names`; those whose labels are there and vary.

    Raises
    ------
    InputError
        If there are no more fitted rows than neighbours.
    """
    check_neighbours(len(fitted), n_neighbors)
    everywhere = _neighbours(fitted, scored, n_neighbors)

    def predict(values: npt.NDArray, members: npt.NDArray[np.bool_]) -> npt.NDArray:
        rows, asked = members[: len(fitted)], members[len(fitted) :]
        nearest = everywhere
        if not members.all():
            nearest = _neighbours(fitted[rows], scored[asked], n_neighbors)
        found = values[rows][nearest]
        return found.mean(axis=1) if is_number(values) else _majority(found)

    return _label_scores(parts, predict, smallest=n_neighbors + 1)


def forest_scores(
    fitted: npt.NDArray[np.floating],
    scored: Mapping[str, npt.NDArray[np.floating]],
    parts: Mapping[str, Parts],
    *,
    random_state: int = 0,
    n_trees: int = FOREST_TREES,
    on_forest: Callable[[], object] | None = None,
) -> dict[str, dict[str, float]]:
    """Labels predicted by random forests from the curves themselves.

    Parameters
    ----------
    fitted : ndarray, shape (n_fitted, n_features)
        Curves; every 4th sample is used.
    scored : mapping of ndarray, shape (n_scored, n_features)
        One or more sets of curves to score, by name; each forest is fitted once for all.
    parts : mapping of Parts
        Labels of each set beside those to fit on.
    random_state : int
    n_trees : int
        Trees in each forest.
    on_forest : callable, optional
        Called after each of up to eight forests; more with further labels.

    Returns
    -------
    dict of dict
        By set, as from :func:`neighbour_scores`.
    """
    curves = fitted[:, ::FOREST_STRIDE]
    # Forests are large: what they predict is kept, not they.
    known: dict[bytes, dict[str, npt.NDArray]] = {}

    def predictions(values: npt.NDArray, rows: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray]:
        key = values.tobytes() + rows.tobytes()
        if key not in known:
            kind = RandomForestRegressor if is_number(values) else RandomForestClassifier
            forest = kind(n_trees, n_jobs=-1, random_state=random_state)
            forest.fit(curves[rows], values[rows])
            known[key] = {
                n: forest.predict(asked[:, ::FOREST_STRIDE]) for n, asked in scored.items()
            }
            if on_forest is not None:
                on_forest()
        return known[key]

    found = {}
    for name in scored:

        def predict(
            values: npt.NDArray, members: npt.NDArray[np.bool_], name: str = name
        ) -> npt.NDArray:
            rows, asked = members[: len(curves)], members[len(curves) :]
            return predictions(values, rows)[name][asked]

        found[name] = _label_scores(parts[name], predict, smallest=2)
    return found


def shape_scores(
    fitted: Coordinates,
    scored: Coordinates,
    curves: npt.NDArray[np.floating],
    parts: Parts | None,
    n_neighbors: int = N_NEIGHBOURS,
) -> dict[str, float]:
    """Shape of the cloud of scored rows: neighbourhoods kept, kernels apart, axes in order.

    Parameters
    ----------
    fitted : ndarray, shape (n_fitted, n_components)
    scored : ndarray, shape (n_scored, n_components)
    curves : ndarray, shape (n_scored, n_features)
        The scored rows' curves.
    parts : Parts, optional
        Without it, only trustworthiness and continuity (J. Venna and S. Kaski, Neural Networks
        19, 889 (2006)).
    n_neighbors : int
        Size of the neighbourhoods.

    Raises
    ------
    InputError
        If the scored rows are too few for their neighbourhoods.
    """
    check_neighbourhoods(len(scored), n_neighbors=n_neighbors)
    found = {
        "trustworthiness": float(trustworthiness(curves, scored, n_neighbors=n_neighbors)),
        # Continuity is the same measure with the two spaces in each other's place.
        "continuity": float(trustworthiness(scored, curves, n_neighbors=n_neighbors)),
    }
    if parts is None:
        return found
    if "kernel" in parts.scored and len(np.unique(parts.scored["kernel"])) > 1:
        kernels = parts.scored["kernel"]
        found["silhouette_kernel"] = float(silhouette_score(scored, kernels))
        clusters = KMeans(N_CLUSTERS, n_init=10, random_state=0).fit(fitted).predict(scored)
        found["adjusted_rand"] = float(adjusted_rand_score(kernels, clusters))
    further = [name for name in other_labels(parts.scored) if is_number(parts.scored[name])]
    ordered = {
        name: np.asarray(parts.scored[name], np.float64)
        for name in (*ORDERED_LABELS, *further)
        if name in parts.scored
    }
    correlations = rank_correlations(scored[:, :MOST_AXES], ordered)
    for number, axis in enumerate(correlations, start=1):
        for label, rho in correlations[axis].items():
            if rho is not None:
                found[order_name(number, label)] = abs(rho)
    return found


def _label_scores(parts: Parts, predict: Predictor, smallest: int) -> dict[str, float]:
    """Score the predictions of every label that both parts have and that varies.

    `predict` is asked for a label and for the rows, fitted and then scored, that take part.
    `smallest` is the least number of fitted rows that it can work with.
    """
    both = [name for name in parts.fitted if name in parts.scored]
    labels = {name: (parts.fitted[name], parts.scored[name]) for name in both}
    n_rows = sum(len(part) for part in next(iter(labels.values()), ()))
    everyone = np.ones(n_rows, bool)
    found: dict[str, float] = {}

    def regress(name: str, label: str, members: npt.NDArray[np.bool_]) -> None:
        fitted, scored = (np.asarray(part, np.float64) for part in labels[label])
        truth = scored[members[len(fitted) :]]
        if members[: len(fitted)].sum() >= smallest and has_r2(truth):
            found[name] = float(r2_score(truth, predict(fitted, members)))

    for label in (name for name in REGRESSED if name in labels):
        regress(f"r2_{label}", label, everyone)
    for label in other_labels(labels):
        fitted, scored = labels[label]
        if is_number(fitted):
            regress(f"r2_{label}", label, everyone)
        elif all(len(np.unique(part)) > 1 for part in (fitted, scored)):
            names = predict(fitted, everyone)
            found[f"f1_{label}_macro"] = float(f1_score(scored, names, average="macro"))
    if "kernel" not in labels:
        return found
    is_power = np.concatenate([np.asarray(part) == POWER_LAW for part in labels["kernel"]])
    if "L" in labels:
        regress("r2_L_power", "L", is_power)
        regress("r2_L_others", "L", ~is_power)
    fitted, scored = labels["kernel"]
    n_fitted = len(fitted)
    if len(np.unique(fitted)) > 1 and len(np.unique(scored)) > 1:
        kernels = predict(fitted, everyone)
        found["f1_kernels_macro"] = float(f1_score(scored, kernels, average="macro"))
    if all(len(np.unique(part)) > 1 for part in (is_power[:n_fitted], is_power[n_fitted:])):
        power = predict(is_power[:n_fitted], everyone)
        for average in ("binary", "macro", "weighted"):
            score = f1_score(is_power[n_fitted:], power, average=average)
            found[f"f1_{average}"] = float(score)
    return found


def _neighbours(fitted: Coordinates, asked: Coordinates, n_neighbors: int) -> Any:
    return NearestNeighbors(n_neighbors=n_neighbors).fit(fitted).kneighbors(asked)[1]


def _majority(votes: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The most frequent name in each row, of several the first in their order."""
    names, codes = np.unique(votes, return_inverse=True)
    codes = codes.reshape(votes.shape)
    counts = np.stack([(codes == code).sum(axis=1) for code in range(len(names))], axis=1)
    return names[counts.argmax(axis=1)]
