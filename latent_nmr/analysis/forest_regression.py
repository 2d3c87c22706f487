"""W, L and couplings by random forests: scores, importances, predictions. R² and mean absolute
error on the held-out part, and out of bag within the training part.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import mean_absolute_error, r2_score

from latent_nmr.analysis.oversampling import Rows
from latent_nmr.analysis.scores import POWER_LAW

TREES = 100
# Columns are tried by their root, as for classes: neighbouring samples say nearly the same, and
# trying all takes ten times longer and scores no better on these curves.
MAX_FEATURES = "sqrt"

Matrix = npt.NDArray[np.floating]
TARGETS = ("W", "L", "alpha_x", "alpha_z")
GROUPS = ("all", "power", "others")
GROUP_TITLES = {"all": "all kernels", "power": "power law", "others": "Gaussian and RKKY"}


def members(kernels: npt.NDArray[np.str_] | None, rows: Rows, group: str) -> Rows:
    """Those of `rows` whose kernel belongs to a group; without kernels, all are in `all`."""
    if group == "all":
        return rows
    if kernels is None:
        return rows[:0]
    is_power = kernels[rows] == POWER_LAW
    return rows[is_power if group == "power" else ~is_power]


def regress(
    X: Matrix, values: npt.NDArray[np.float64], fitted: Rows, scored: Rows, seed: int
) -> dict[str, Any]:
    """Fit a random forest on rows `fitted`, score it on rows `scored`.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    values : ndarray, shape (n_curves,)
        The target, in its own unit.
    fitted, scored : ndarray of int
    seed : int

    Returns
    -------
    dict
        `scores` (`r2`, `mae`, `r2_out_of_bag`, `mae_out_of_bag`; errors in the unit of the
        target), `importances` (n_features,), `predicted` (n_scored,) and `out_of_bag` (n_fitted,).
    """
    forest = RandomForestRegressor(
        TREES, max_features=MAX_FEATURES, oob_score=True, n_jobs=-1, random_state=seed
    ).fit(X[fitted], values[fitted])
    predicted = forest.predict(X[scored])
    inside = forest.oob_prediction_
    return {
        "scores": {
            "r2": float(r2_score(values[scored], predicted)),
            "mae": float(mean_absolute_error(values[scored], predicted)),
            "r2_out_of_bag": float(r2_score(values[fitted], inside)),
            "mae_out_of_bag": float(mean_absolute_error(values[fitted], inside)),
        },
        "importances": forest.feature_importances_.tolist(),
        "predicted": predicted.tolist(),
        "out_of_bag": inside.tolist(),
    }
