"""The winners' pipeline of the challenge of 2020: one scikit-learn model per target."""

from collections.abc import Sequence

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import BayesianRidge, LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from sklearn.utils.validation import check_is_fitted, validate_data

from latent_nmr._columns import rows_of, targets_of
from latent_nmr._row_names import check_row_order
from latent_nmr.errors import InputError

# Number of columns that a target's model sees: those with the strongest linear relation to it.
N_FOR_COUPLING, N_FOR_OTHERS = 300, 100
SVR_C = 10.0


class TargetwiseRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """One regressor per column of y.

    Parameters
    ----------
    regressors : sequence of estimator
        In the order of the targets; clones are fitted.

    Attributes
    ----------
    regressors_ : list of estimator
    n_features_in_ : int
    """

    def __init__(self, regressors):
        self.regressors = regressors

    def fit(self, X, y):
        """Fit each regressor to its column of `y`, shape (n_rows, n_targets)."""
        # Neighbouring samples are nearly equal: in single precision, linear regression fails.
        check_row_order(X, y=y)
        X, y = rows_of(self, X, reset=True), targets_of(self, y, reset=True)
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        y = np.asarray(y, np.float64).reshape(len(y), -1)
        if y.shape[1] != len(self.regressors):
            raise InputError(
                f"y must have one column per regressor ({len(self.regressors)}), but has "
                f"{y.shape[1]}. Give one regressor per column."
            )
        self.regressors_ = [
            clone(regressor).fit(X, column)
            for regressor, column in zip(self.regressors, y.T, strict=True)
        ]
        return self

    def predict(self, X):
        """Targets of the rows of `X`, shape (n_rows, n_targets)."""
        check_is_fitted(self)
        X = validate_data(self, rows_of(self, X), reset=False, dtype=np.float64)
        return np.stack([regressor.predict(X) for regressor in self.regressors_], axis=1)

    def score(self, X, y, sample_weight=None):
        """R² averaged over the targets, which, where they have names, must be those of the fit."""
        check_row_order(X, y=y)
        return super().score(X, targets_of(self, y), sample_weight)


def winners_pipeline(targets: Sequence[str], n_features: int) -> TargetwiseRegressor:
    """The pipeline that won in 2020, for the targets of any edition.

    The 300 columns of largest F into linear regression for α; 100 into Bayesian ridge for ξ and d
    (and what is not named here); polynomial support vectors with C = 10 for p.
    """
    return TargetwiseRegressor([_of_target(name, n_features) for name in targets])


def _of_target(name: str, n_features: int):
    n_kept = min(N_FOR_COUPLING if name.startswith("alpha") else N_FOR_OTHERS, n_features)
    select = SelectKBest(f_regression, k=n_kept)
    if name.startswith("alpha"):
        return make_pipeline(StandardScaler(), select, LinearRegression())
    if name == "p":
        model = make_pipeline(StandardScaler(), select, SVR(kernel="poly", C=SVR_C))
        return TransformedTargetRegressor(model, transformer=StandardScaler())
    return make_pipeline(StandardScaler(), select, BayesianRidge())
