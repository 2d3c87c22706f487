"""CurveRegressor: networks that read parameters off curves, as a scikit-learn regressor."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from latent_nmr._columns import rows_of, targets_of
from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr._row_names import check_row_order
from latent_nmr._splits import as_groups, n_groups, split_rows
from latent_nmr.errors import InputError, NumericalError
from latent_nmr.models.fitted import FittedRegressor, installed_packages
from latent_nmr.models.inference import device_name
from latent_nmr.models.parameters import activations_of, check_regressor, check_rows_left
from latent_nmr.models.regression_network import NetworkShape, apply, sensitivities, states_of
from latent_nmr.models.regression_training import (
    RegressionRecord,
    RegressionSchedule,
    finite_targets,
    train_network,
)
from latent_nmr.models.saved_estimator import SavedEstimator

# Rows that go through a network at a time: one shape, so that nothing is compiled twice.
PIECE = 1024
SENSITIVITY_PIECE = 64

Rows = npt.NDArray[np.floating]


class CurveRegressor(MultiOutputMixin, RegressorMixin, SavedEstimator):
    """A perceptron from curves to parameters, with batch norm and plateaus where asked for.

    Columns are centred and divided by their common deviation, targets standardised, all by the
    training rows alone. The weights kept are those of the epoch with the smallest validation
    error. Defaults are the network of the published entry to the challenge of 2021, Gaussian set,
    but for its choice of the best epoch on the test part.

    Parameters
    ----------
    hidden_layer_sizes : tuple of int, default=(200,) * 7
    activation : str, tuple of str or None, default=None
        One of relu, selu, tanh, gelu for all hidden layers, or one per layer. None takes those of
        the published network, cut or repeated to the number of layers.
    batch_norm : bool, default=True
        Before every layer, the last one too.
    solver : {"nadam", "adam"}, default="nadam"
    learning_rate : float, default=1e-3
    batch_size : int, default=32
        Rows per step; at most the number of training rows is used.
    max_epochs : int, default=150
    plateau_factor : float, default=0.75
        What the learning rate is multiplied by after a plateau, in (0, 1].
    plateau_patience : int, default=5
        Epochs without a smaller validation error that make a plateau.
    patience : int or None, default=None
        Epochs without a smaller validation error after which training stops; None never stops.
    validation_fraction : float, default=0.1
        Part of the rows held out for plateaus and for the choice of the epoch, in (0, 1).
    n_networks : int, default=1
        Networks trained one after the other on the same rows, of which the mean is taken.
    random_state : int, RandomState or None, default=None
        Seeds split, weights and batch order.

    Attributes
    ----------
    weights_ : list of dict of ndarray
        Of each network, by dotted name.
    shape_ : NetworkShape
    column_means_ : ndarray, shape (n_features,)
    column_scale_ : float
    target_means_, target_scales_ : ndarray, shape (n_targets,)
    history_ : list of list of RegressionRecord
        Of each network.
    best_epochs_ : list of int
    is_single_ : bool
        Whether `y` was a vector.
    target_names_ : ndarray of str
        Names of the targets, where `y` of the fit had some.
    training_rows_, validation_rows_ : ndarray of int
    device_, packages_ : str, dict
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from latent_nmr import CurveRegressor
    >>> X = np.random.default_rng(0).random((80, 6))
    >>> model = CurveRegressor(hidden_layer_sizes=(16, 16), max_epochs=5, random_state=0)
    >>> model.fit(X, X[:, 0]).predict(X).shape
    (80,)
    """

    _kind = FittedRegressor

    def __init__(
        self,
        hidden_layer_sizes=(200,) * 7,
        *,
        activation=None,
        batch_norm=True,
        solver="nadam",
        learning_rate=1e-3,
        batch_size=32,
        max_epochs=150,
        plateau_factor=0.75,
        plateau_patience=5,
        patience=None,
        validation_fraction=0.1,
        n_networks=1,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.batch_norm = batch_norm
        self.solver = solver
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.plateau_factor = plateau_factor
        self.plateau_patience = plateau_patience
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.n_networks = n_networks
        self.random_state = random_state

    def fit(
        self,
        X,
        y,
        *,
        groups=None,
        validation_rows: Sequence[int] | None = None,
        on_epoch: Callable[[RegressionRecord], None] | None = None,
    ):
        """Train on `X`, shape (n_rows, n_features), and `y`, (n_rows,) or (n_rows, n_targets).

        Parameters
        ----------
        X, y : array-like
        groups : array-like, shape (n_rows,), optional
            Rows of one group are all trained on, or the epoch is chosen by all of them.
        validation_rows : sequence of int, optional
            Rows to choose the epoch by, in place of a random part.
        on_epoch : callable, optional
            Called with the record of each epoch.

        Raises
        ------
        InputError
            For parameters or data that cannot be used, such as a constant target.
        NumericalError
            If the error is not finite in any epoch.
        """
        self.check_parameters()
        check_row_order(X, y=y, groups=groups)
        X, y = rows_of(self, X, reset=True), targets_of(self, y, reset=True)
        X, y = validate_data(
            self, X, y, dtype=(np.float64, np.float32), multi_output=True, y_numeric=True,
            ensure_min_samples=2,
        )  # fmt: skip
        self.is_single_ = y.ndim == 1
        targets = finite_targets(y)
        draw = check_random_state(self.random_state).randint
        split_seed, train_seed = draw(2**31 - 1, size=2).tolist()
        self._split(as_groups(groups, len(X)), len(X), validation_rows, split_seed)
        self._scale(X, targets)
        self.shape_ = NetworkShape(
            X.shape[1],
            tuple(map(int, self.hidden_layer_sizes)),
            activations_of(self.get_params()),
            targets.shape[1],
            bool(self.batch_norm),
        )
        with own_settings():
            rows = jnp.asarray(self._scaled_rows(X))
            wanted = jnp.asarray((targets - self.target_means_) / self.target_scales_, jnp.float32)
            train_key = seed_key(train_seed)
            keys = [jax.random.fold_in(train_key, number) for number in range(self.n_networks)]
        self.weights_, self.history_, self.best_epochs_ = [], [], []
        split = self.training_rows_, self.validation_rows_
        for key in keys:
            course = train_network(
                self.shape_, self._schedule(), (rows, wanted), split, key, on_epoch
            )
            self.weights_.append(course.weights)
            self.history_.append(course.history)
            self.best_epochs_.append(course.best)
        self.device_, self.packages_ = device_name(), installed_packages()
        self.parameters_, self.metadata_ = self.get_params(), {}
        return self

    def predict(self, X):
        """Targets of the rows of `X`, shape (n_rows, n_targets), or (n_rows,) for one."""
        check_is_fitted(self, "weights_")
        X = validate_data(self, rows_of(self, X), reset=False, dtype=(np.float64, np.float32))
        rows = self._scaled_rows(X)
        total = np.zeros((len(X), self.shape_.n_targets))
        for weights in self.weights_:
            states = states_of(self.shape_, weights)
            total += _in_pieces(lambda piece, s=states: apply(*s, piece, shape=self.shape_), rows)
        found = total / len(self.weights_) * self.target_scales_ + self.target_means_
        return found[:, 0] if self.is_single_ else found

    def score(self, X, y, sample_weight=None):
        """R² of the predicted targets, averaged over them, as scikit-learn's regressors give it.

        Targets with names must have those of the fit, in its order.
        """
        check_row_order(X, y=y)
        return super().score(X, targets_of(self, y), sample_weight)

    def saliency(self, X):
        """How the targets follow each column: mean and mean absolute derivative over `X`.

        Returns
        -------
        mean, mean_absolute : ndarray, shape (n_targets, n_features)
            Standardised target per unit of the column.
        """
        check_is_fitted(self, "weights_")
        X = validate_data(self, rows_of(self, X), reset=False, dtype=(np.float64, np.float32))
        rows = self._scaled_rows(X)
        total: np.ndarray | float = 0.0
        for weights in self.weights_:
            states = states_of(self.shape_, weights)
            total = total + _in_pieces(
                lambda piece, s=states: sensitivities(*s, piece, shape=self.shape_),
                rows,
                SENSITIVITY_PIECE,
            )
        derivatives = np.asarray(total) / len(self.weights_) / self.column_scale_
        return derivatives.mean(axis=0), np.abs(derivatives).mean(axis=0)

    def check_parameters(self) -> None:
        """Raise `InputError` for a constructor argument that cannot be used."""
        check_regressor(self.get_params())

    def _split(
        self,
        groups: npt.NDArray[np.int64] | None,
        n_rows: int,
        validation_rows: Sequence[int] | None,
        seed: int,
    ) -> None:
        everyone = np.arange(n_rows)
        if validation_rows is None:
            n_held_out = check_rows_left(self.get_params(), n_groups(groups, n_rows), "0.1")
            fitted, held_out = split_rows(everyone, n_held_out, seed, groups=groups)
        else:
            held_out = np.unique(np.asarray(validation_rows, np.int64))
            if not len(held_out) or held_out[0] < 0 or held_out[-1] >= n_rows:
                raise InputError(
                    f"validation_rows must be numbers of rows from 0 to {n_rows - 1}, but are "
                    f"{list(validation_rows)[:3]}…. Give some of them."
                )
            fitted = np.setdiff1d(everyone, held_out)
            if not len(fitted):
                raise InputError("validation_rows must leave rows to train on. Give fewer.")
        self.training_rows_, self.validation_rows_ = np.sort(fitted), np.sort(held_out)

    def _scale(self, X: Rows, targets: Rows) -> None:
        """Means and deviations of columns and targets, of the training rows alone."""
        own = X[self.training_rows_].astype(np.float64, copy=False)
        self.column_means_ = own.mean(axis=0)
        spread = float(np.sqrt(own.var(axis=0).mean()))
        self.column_scale_ = spread if spread > 0 else 1.0
        own_targets = targets[self.training_rows_]
        self.target_means_, self.target_scales_ = own_targets.mean(axis=0), own_targets.std(axis=0)
        # Of a constant, rounding leaves a deviation of its last digit.
        least = 1e-12 * np.maximum(np.abs(self.target_means_), np.finfo(float).tiny)
        constant = np.flatnonzero(self.target_scales_ <= least)
        if len(constant):
            raise InputError(
                f"every target must vary over the training rows, but target {constant[0]} is "
                f"{self.target_means_[constant[0]]:g} in all {len(own_targets)}. Drop it."
            )

    def _scaled_rows(self, X: Rows) -> npt.NDArray[np.float32]:
        return ((X - self.column_means_) / self.column_scale_).astype(np.float32)

    def _schedule(self) -> RegressionSchedule:
        return RegressionSchedule(
            self.solver,
            self.learning_rate,
            self.batch_size,
            self.max_epochs,
            self.plateau_factor,
            self.plateau_patience,
            self.patience,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


@own_settings()
def _in_pieces(function: Callable, rows: npt.NDArray[np.float32], size: int = PIECE) -> np.ndarray:
    """Apply a jitted function to pieces of one shape; the last one is filled up with zeros."""
    found = []
    for start in range(0, len(rows), size):
        piece = rows[start : start + size]
        n_rows = len(piece)
        padded = np.pad(piece, ((0, size - n_rows), (0, 0)))
        found.append(np.asarray(function(padded), np.float64)[:n_rows])
    result = np.concatenate(found)
    if not np.isfinite(result).all():
        raise NumericalError(
            "the network's output must be finite, but is not. Give rows like those it was "
            "trained on."
        )
    return result
