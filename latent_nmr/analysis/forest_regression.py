"""W, L and couplings by random forests or any other regressor: scores, importances, predictions.

Scores are R² and the mean absolute error on the held-out part, for forests also out of bag within
the training part.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error, r2_score

from latent_nmr.analysis.out_of_bag import out_of_bag
from latent_nmr.analysis.oversampling import Rows
from latent_nmr.analysis.scores import POWER_LAW, has_r2

TREES = 100
# √n columns are tried at a split, as for classes: neighbouring samples are nearly equal, and trying
# all of them takes ten times longer and scores no better on these curves.
MAX_FEATURES = "sqrt"

Matrix = npt.NDArray[np.floating]
TARGETS = ("W", "L", "alpha_x", "alpha_z")
GROUPS = ("all", "power", "others")


def members(kernels: npt.NDArray[np.str_] | None, rows: Rows, group: str) -> Rows:
    """Those of `rows` whose kernel belongs to a group; without kernels, all are in `all`."""
    if group == "all":
        return rows
    if kernels is None:
        return rows[:0]
    is_power = kernels[rows] == POWER_LAW
    return rows[is_power if group == "power" else ~is_power]


def regression_scores(truth: npt.NDArray, predicted: npt.NDArray) -> dict[str, float]:
    """`r2`, left out where the truth has one value only, and `mae` in the unit of the target."""
    found = {"r2": float(r2_score(truth, predicted))} if has_r2(truth) else {}
    return found | {"mae": float(mean_absolute_error(truth, predicted))}


def regress(
    X: Matrix,
    values: npt.NDArray[np.float64],
    fitted: Rows,
    scored: Rows,
    random_state: int,
    *,
    groups: Rows | None = None,
    n_trees: int = TREES,
) -> dict[str, Any]:
    """Fit a random forest on rows `fitted`, score it on rows `scored`.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    values : ndarray, shape (n_curves,)
        The target, in its own unit.
    fitted, scored : ndarray of int
    random_state : int
    groups : ndarray of int, shape (n_curves,), or None
        A curve is out of bag where no tree saw one of its group.
    n_trees : int

    Returns
    -------
    dict
        `scores` (`r2`, `mae`, `r2_out_of_bag`, `mae_out_of_bag`; errors in the unit of the
        target, R² where it varies; none out of bag
        where every tree saw every group), `importances` (n_features,), `predicted` (n_scored,) and
        `out_of_bag` (n_fitted,; NaN where every tree saw the row).
    """
    forest = RandomForestRegressor(
        n_trees, max_features=MAX_FEATURES, n_jobs=-1, random_state=random_state
    ).fit(X[fitted], values[fitted])
    predicted = forest.predict(X[scored])
    inside = out_of_bag(forest, X[fitted], None if groups is None else groups[fitted])
    is_known = np.isfinite(inside)  # of few trees, some rows are in all
    by_bag = {}
    if is_known.any():
        by_bag = regression_scores(values[fitted][is_known], inside[is_known])
    return {
        "scores": {
            **regression_scores(values[scored], predicted),
            **{f"{name}_out_of_bag": value for name, value in by_bag.items()},
        },
        "importances": forest.feature_importances_.tolist(),
        "predicted": predicted.tolist(),
        "out_of_bag": inside.tolist(),
    }
