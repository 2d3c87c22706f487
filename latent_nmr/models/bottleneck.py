"""A supervised network through a bottleneck: what coordinates could show if labels chose them.

It is told the labels, and therefore no rival of a representation that is not, but a ceiling for it.
"""

from collections.abc import Mapping
from typing import Self

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr._splits import as_groups, split_rows
from latent_nmr.errors import check_count
from latent_nmr.models.regression_network import LINEAR, NetworkShape, apply, states_of
from latent_nmr.models.regression_training import (
    RegressionRecord,
    RegressionSchedule,
    train_network,
)

Rows = npt.NDArray[np.floating]
Labels = Mapping[str, npt.NDArray[np.generic]]

ACTIVATION, ENCODER, HEAD = "gelu", (128, 64), (64,)
VALIDATION_FRACTION = 0.15
SCHEDULE = RegressionSchedule(
    solver="adam",
    learning_rate=1e-3,
    batch_size=128,
    max_epochs=400,
    plateau_factor=0.5,
    plateau_patience=8,
    patience=25,
    min_epoch_steps=20,
)


class BottleneckNetwork:
    """A perceptron from curves to all labels, a layer of which has few units: the coordinates.

    Layers are n_features, 128, 64, `n_components`, 64, labels; the bottleneck is linear, other
    hidden layers are GELU. What is minimised is the mean over labels, equally weighted, of the
    squared error of standardised numbers and of the cross-entropy of classes. Adam, whose
    learning rate halves on plateaus of the loss of held-out rows; the best epoch's weights are
    kept.

    Parameters
    ----------
    n_components : int
        Units of the bottleneck.
    random_state : int
        Seeds the rows held out, weights and batch order.
    schedule : RegressionSchedule

    Attributes
    ----------
    history_ : list of RegressionRecord
    training_rows_, validation_rows_ : ndarray of int
    """

    def __init__(
        self, n_components: int, *, random_state: int = 0, schedule: RegressionSchedule = SCHEDULE
    ):
        self.n_components = n_components
        self.random_state = random_state
        self.schedule = schedule

    def fit(self, X: Rows, labels: Labels, *, groups: npt.ArrayLike | None = None) -> Self:
        """Train on `X`, shape (n_rows, n_features).

        Parameters
        ----------
        X : ndarray
        labels : mapping of ndarray, shape (n_rows,)
            Floats are numbers, anything else is classes; at least one that :func:`varying` keeps.
        groups : array-like, shape (n_rows,), optional
            Materials: rows of one are all trained on or all held out.

        Raises
        ------
        NumericalError
            If the loss is not finite.
        """
        n_units = check_count("n_components", self.n_components)
        draw = check_random_state(self.random_state).randint
        split_seed, train_seed = draw(2**31 - 1, size=2).tolist()
        rows = split_rows(
            np.arange(len(X)), VALIDATION_FRACTION, split_seed, groups=as_groups(groups, len(X))
        )
        self.training_rows_, self.validation_rows_ = map(np.sort, rows)
        own = X[self.training_rows_].astype(np.float64)
        self._mean = own.mean(axis=0)
        spread = float(np.sqrt(own.var(axis=0).mean()))
        self._spread = spread if spread > 0 else 1.0
        targets, class_sizes = _targets(varying(labels, self.training_rows_), self.training_rows_)
        n_outputs = targets.shape[1] - len(class_sizes) + sum(class_sizes)
        activations = (*(ACTIVATION,) * len(ENCODER), LINEAR, *(ACTIVATION,) * len(HEAD))
        sizes = (*ENCODER, n_units, *HEAD)
        self._shape = NetworkShape(X.shape[1], sizes, activations, n_outputs, batch_norm=False)
        with own_settings():
            data = jnp.asarray(self._scaled(X)), jnp.asarray(targets)
            key = seed_key(train_seed)
        split = self.training_rows_, self.validation_rows_
        course = train_network(
            self._shape, self.schedule, data, split, key, class_sizes=class_sizes
        )
        self._weights = course.weights
        self.history_: list[RegressionRecord] = course.history
        return self

    def transform(self, X: Rows) -> npt.NDArray[np.float32]:
        """Outputs of the bottleneck's units, shape (n_rows, n_components)."""
        n_layers = len(ENCODER) + 1
        with own_settings():
            states = states_of(self._shape, self._weights)
            found = apply(*states, self._scaled(X), shape=self._shape, n_layers=n_layers)
        return np.asarray(found)

    def _scaled(self, X: Rows) -> npt.NDArray[np.float32]:
        return ((X - self._mean) / self._spread).astype(np.float32)


def varying(labels: Labels, rows: npt.NDArray[np.int64] | None = None) -> Labels:
    """The labels that have more than one value in some rows: others teach nothing."""
    own = slice(None) if rows is None else rows
    return {name: v for name, v in labels.items() if len(np.unique(v[own])) > 1}


def _targets(
    labels: Labels, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], tuple[int, ...]]:
    """Numbers, standardised by some rows, then classes from 0; and how many of these there are."""
    numbers, classes, sizes = [], [], []
    for values in labels.values():
        if values.dtype.kind == "f":
            own = np.asarray(values, np.float64)
            numbers.append((own - own[rows].mean()) / own[rows].std())
        else:
            names, codes = np.unique(values, return_inverse=True)
            classes.append(codes)
            sizes.append(len(names))
    return np.stack([*numbers, *classes], axis=1).astype(np.float32), tuple(sizes)
