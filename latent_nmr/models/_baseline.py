"""Common parts of the baselines: input validation, feature names, reconstruction."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from latent_nmr._columns import columns_of, rows_of
from latent_nmr.errors import InputError, check_count

Rows = npt.NDArray[np.floating]


class Baseline(TransformerMixin, BaseEstimator):
    """A transformer that hands checked rows to an estimator of another library."""

    n_components: int
    n_features_in_: int
    # Set by `fit`: the estimator of scikit-learn or umap-learn that does the work.
    model_: Any
    _prefix: ClassVar[str]
    # Whether equal rows, parameters and seed give equal results, up to rounding, anywhere.
    is_reproducible: ClassVar[bool] = True

    def fit(self, X, y=None):  # noqa: ARG002
        """Fit to `X`, shape (n_rows, n_features), and return self."""
        self._check_parameters()
        X = self._validated(X, reset=True)
        self._check_size(X)
        self._fit_rows(X)
        return self

    def get_feature_names_out(self, input_features=None):  # noqa: ARG002
        """Names of the columns that `transform` returns: the method's letters and a number."""
        check_is_fitted(self)
        names = [f"{self._prefix}{number + 1}" for number in range(self._n_columns)]
        return np.asarray(names, dtype=object)

    @property
    def _n_columns(self) -> int:
        """Columns of the fitted model, whatever the parameter was set to since."""
        raise NotImplementedError

    def _check_parameters(self) -> None:
        check_count("n_components", self.n_components)

    def _check_size(self, X: Rows) -> None:
        """Raise if `X` is too small for the parameters."""
        raise NotImplementedError

    def _fit_rows(self, X: Rows) -> None:
        """Set `model_` and all else that is learned."""
        raise NotImplementedError

    def _validated(self, X, *, reset: bool = False) -> Rows:
        """`X` as an array of finite numbers with the columns seen in `fit`."""
        if not reset:
            check_is_fitted(self)
        X = rows_of(self, X, reset=reset)
        X = validate_data(
            self,
            X,
            reset=reset,
            dtype=(np.float64, np.float32),
            ensure_min_samples=2 if reset else 1,
            ensure_all_finite=False,
        )
        bad = np.argwhere(~np.isfinite(X))
        if len(bad):
            row, column = bad[0]
            raise InputError(
                f"X must hold no NaN or inf, but row {row} has {X[row, column]} in column "
                f"{column}. Drop or repair such rows ({len(np.unique(bad[:, 0]))} of {len(X)})."
            )
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class InvertibleBaseline(Baseline):
    """A baseline whose latent points can be turned back into rows."""

    def inverse_transform(self, Z):
        """Rows of latent points `Z`, shape (n_rows, n_components): (n_rows, n_features)."""
        check_is_fitted(self)
        Z = columns_of("Z", Z, self.get_feature_names_out())
        Z = check_array(Z, dtype=(np.float64, np.float32), input_name="Z")
        if Z.shape[1] != self._n_columns:
            raise InputError(
                f"Z must have one column per component ({self._n_columns}), but has shape "
                f"{Z.shape}. Give an array (n_rows, n_components)."
            )
        return self._decode(Z)

    def reconstruct(self, X):
        """What is left of `X` after `transform` and `inverse_transform`; of its shape."""
        return self.inverse_transform(self.transform(X))

    def _decode(self, Z: Rows) -> Rows:
        raise NotImplementedError
