"""Scores of a representation: what its coordinates tell of W, L and kernel, on held-out curves.

Everything is fitted on the training part and scored on the held-out part; the coordinates are
taken as the method gives them, none is rescaled. Notation: k neighbours, ρ Spearman's coefficient.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import multinomial
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score, f1_score, r2_score, silhouette_score
from sklearn.neighbors import NearestNeighbors

from latent_nmr.analysis.dependence import rank_correlations
from latent_nmr.analysis.score_names import ORDERED_LABELS, order_name
from latent_nmr.errors import InputError
from latent_nmr.latent_axes import axis_names

POWER_LAW = "power"
REGRESSED = ("W", "alpha_x", "alpha_z", "L")
N_NEIGHBOURS = 15
N_CLUSTERS = 3
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
        Any of `W`, `alpha_x`, `alpha_z`, `L` (numbers) and `kernel` (strings).
    """

    fitted: Labels
    scored: Labels

    def shuffled(self, *seed: int) -> "Parts":
        """Deal the fitted rows' labels out anew, all labels of a row together."""
        n_rows = len(next(iter(self.fitted.values())))
        order = np.random.default_rng(list(seed)).permutation(n_rows)
        return Parts({name: values[order] for name, values in self.fitted.items()}, self.scored)


def check_neighbours(n_fitted: int) -> None:
    """Raise `InputError` if there are not more fitted rows than neighbours."""
    if n_fitted <= N_NEIGHBOURS:
        raise InputError(
            f"the training part must have more curves than the {N_NEIGHBOURS} neighbours of the "
            f"scores, but has {n_fitted}. Use more curves."
        )


def check_neighbourhoods(n_scored: int, part: str = "held-out") -> None:
    """Raise `InputError` if the scored rows are too few for neighbourhoods to be compared."""
    if n_scored <= 2 * N_NEIGHBOURS:
        raise InputError(
            f"the {part} part must have more than {2 * N_NEIGHBOURS} curves for neighbourhoods "
            f"of {N_NEIGHBOURS} to be compared, but has {n_scored}. Use more curves."
        )


def neighbour_scores(fitted: Coordinates, scored: Coordinates, parts: Parts) -> dict[str, float]:
    """What the k nearest fitted rows tell of the labels of the scored rows.

    Parameters
    ----------
    fitted : ndarray, shape (n_fitted, n_components)
    scored : ndarray, shape (n_scored, n_components)
    parts : Parts

    Returns
    -------
    dict of float
        `r2_…` and `f1_…` of `score_names`; those whose labels are there and vary.

    Raises
    ------
    InputError
        For no more fitted rows than neighbours.
    """
    check_neighbours(len(fitted))
    everywhere = _neighbours(fitted, scored)

    def predict(values: npt.NDArray, members: npt.NDArray[np.bool_]) -> npt.NDArray:
        rows, asked = members[: len(fitted)], members[len(fitted) :]
        nearest = everywhere if members.all() else _neighbours(fitted[rows], scored[asked])
        found = values[rows][nearest]
        return found.mean(axis=1) if values.dtype.kind == "f" else _majority(found)

    return _label_scores(parts, predict, smallest=N_NEIGHBOURS + 1)


def forest_scores(
    fitted: npt.NDArray[np.floating],
    scored: Mapping[str, npt.NDArray[np.floating]],
    parts: Mapping[str, Parts],
    *,
    random_state: int = 0,
    on_forest: Callable[[], object] | None = None,
) -> dict[str, dict[str, float]]:
    """What random forests of 200 trees tell of the labels from the curves themselves.

    Parameters
    ----------
    fitted : ndarray, shape (n_fitted, n_features)
        Curves; every 4th sample is used.
    scored : mapping of ndarray, shape (n_scored, n_features)
        One or more sets of curves to score, by name; each forest is fitted once for all.
    parts : mapping of Parts
        Labels of each set beside those to fit on.
    random_state : int
    on_forest : callable, optional
        Called after each of up to eight forests.

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
            kind = RandomForestRegressor if values.dtype.kind == "f" else RandomForestClassifier
            forest = kind(FOREST_TREES, n_jobs=-1, random_state=random_state)
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
) -> dict[str, float]:
    """How the cloud of scored rows is shaped: neighbourhoods kept, kernels apart, axes in order.

    Parameters
    ----------
    fitted : ndarray, shape (n_fitted, n_components)
    scored : ndarray, shape (n_scored, n_components)
    curves : ndarray, shape (n_scored, n_features)
        The scored rows' curves.
    parts : Parts, optional
        Without it, only trustworthiness and continuity (J. Venna and S. Kaski, Neural Networks
        19, 889 (2006)).

    Raises
    ------
    InputError
        If the scored rows are too few for their neighbourhoods.
    """
    check_neighbourhoods(len(scored))
    found = {
        "trustworthiness": float(trustworthiness(curves, scored, n_neighbors=N_NEIGHBOURS)),
        # Continuity is the same measure with the two spaces in each other's place.
        "continuity": float(trustworthiness(scored, curves, n_neighbors=N_NEIGHBOURS)),
    }
    if parts is None:
        return found
    if "kernel" in parts.scored and len(np.unique(parts.scored["kernel"])) > 1:
        kernels = parts.scored["kernel"]
        found["silhouette_kernel"] = float(silhouette_score(scored, kernels))
        clusters = KMeans(N_CLUSTERS, n_init=10, random_state=0).fit(fitted).predict(scored)
        found["adjusted_rand"] = float(adjusted_rand_score(kernels, clusters))
    ordered = {
        name: np.asarray(parts.scored[name], np.float64)
        for name in ORDERED_LABELS
        if name in parts.scored
    }
    correlations = rank_correlations(scored, ordered)
    for number, axis in enumerate(axis_names(scored.shape[1]), start=1):
        for label, rho in correlations[axis].items():
            if rho is not None:
                found[order_name(number, label)] = abs(rho)
    return found


def chance_scores(parts: Parts) -> dict[str, float]:
    """What :func:`neighbour_scores` gives on average if coordinates and labels are unrelated.

    A mean of k values that have nothing to do with the truth has the variance σ²/k beside their
    σ²: R² = -1/k. A class of share p that is predicted, whatever the truth, with rate q has
    F1 = 2pq/(p + q); q is the chance that it wins the vote of k draws.
    """
    chance = {f"r2_{name}": -1 / N_NEIGHBOURS for name in (*REGRESSED, "L_power", "L_others")}
    if "kernel" not in parts.fitted:
        return chance
    names, counts = np.unique(parts.fitted["kernel"], return_counts=True)
    share = counts / counts.sum()
    if len(names) > 1:
        chance["f1_kernels_macro"] = float(_chance_f1(share).mean())
    if POWER_LAW in names and len(names) > 1:
        power = float(share[names == POWER_LAW][0])
        shares = np.array([1 - power, power])
        of_class = _chance_f1(shares)
        chance["f1_binary"] = float(of_class[1])
        chance["f1_macro"] = float(of_class.mean())
        chance["f1_weighted"] = float(of_class @ shares)
    return chance


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
        if members[: len(fitted)].sum() >= smallest and len(truth) > 1 and np.ptp(truth) > 0:
            found[name] = float(r2_score(truth, predict(fitted, members)))

    for label in (name for name in REGRESSED if name in labels):
        regress(f"r2_{label}", label, everyone)
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


def _neighbours(fitted: Coordinates, asked: Coordinates) -> Any:
    return NearestNeighbors(n_neighbors=N_NEIGHBOURS).fit(fitted).kneighbors(asked)[1]


def _majority(votes: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The most frequent name in each row, of several the first in their order."""
    names, codes = np.unique(votes, return_inverse=True)
    codes = codes.reshape(votes.shape)
    counts = np.stack([(codes == code).sum(axis=1) for code in range(len(names))], axis=1)
    return names[counts.argmax(axis=1)]


def _chance_f1(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    rates = _winning_rates(shares)
    return 2 * shares * rates / (shares + rates)


def _winning_rates(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How often each class wins a vote of k independent draws; ties go to the first."""
    outcomes = np.array(list(_compositions(N_NEIGHBOURS, len(shares))))
    law = multinomial(N_NEIGHBOURS, shares).pmf(outcomes)
    rates = np.zeros(len(shares))
    np.add.at(rates, outcomes.argmax(axis=1), law)
    return rates


def _compositions(total: int, n_parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write `total` as an ordered sum of `n_parts` whole numbers >= 0."""
    if n_parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in _compositions(total - first, n_parts - 1))
