"""Recursive feature elimination: keep the features above the median importance until two remain."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.classification import TREES, classify, forest_maker
from latent_nmr.analysis.oversampling import Rows

FEWEST = 2


class Round(NamedTuple):
    """One forest of an elimination.

    Attributes
    ----------
    kept : list of int
        Columns that it was fitted on.
    scores : dict of float
        On the held-out part.
    importances : list of float
        Of the kept columns, in their order.
    """

    kept: list[int]
    scores: dict[str, float]
    importances: list[float]


def eliminate(
    X: npt.NDArray[np.floating],
    labels: npt.NDArray[np.generic],
    fitted: Rows,
    scored: Rows,
    random_state: int,
    *,
    n_trees: int = TREES,
) -> list[Round]:
    """Fit forests on fewer and fewer columns, keeping those above the median importance.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    labels : ndarray of str, shape (n_curves,)
    fitted, scored : ndarray of int
        Columns are chosen by importances of the training part alone.
    random_state : int
    n_trees : int

    Returns
    -------
    list of Round
        From all columns down to two.
    """
    kept = np.arange(X.shape[1])
    rounds: list[Round] = []
    while True:
        found: dict[str, Any] = classify(
            forest_maker(n_trees), X[:, kept], labels, fitted, scored, random_state
        )
        importances = np.asarray(found["importances"])
        rounds.append(Round(kept.tolist(), found["scores"], importances.tolist()))
        if len(kept) <= FEWEST:
            return rounds
        kept = kept[above_median(importances)]


def above_median(importances: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Places of the values above the median, at least two and fewer than all, in their order."""
    n_kept = max(int(np.sum(importances > np.median(importances))), FEWEST)
    return np.sort(np.argsort(importances)[-n_kept:])
