"""Fitted models as frozen arrays and facts, which estimators and files share.

An estimator gives what it has learned as one of these and takes one over; files write and read
them. Neither knows the other.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from latent_nmr.models.losses import REPEATS
from latent_nmr.models.networks import Architecture, Weights
from latent_nmr.models.regression_network import NetworkShape
from latent_nmr.models.regression_training import RegressionRecord
from latent_nmr.models.scatter import Scatter, scatter_shapes
from latent_nmr.models.schedule import EpochRecord

# Fields that only some models have, by the attribute of an estimator that has them.
OPTIONAL = {
    "feature_names": "feature_names_in_",
    "coordinate": "coordinate_in_",
    "target_names": "target_names_",
    "repeat_scale": "repeat_scale_",
}
# Packages that decide the outcome of a fit.
RECORDED_PACKAGES = ("latent-nmr", "jax", "flax", "optax", "numpy", "scikit-learn")


@dataclass(frozen=True, kw_only=True)
class FittedModel(ABC):
    """What is known of any fitted model.

    Attributes
    ----------
    parameters : dict
        Arguments of the estimator's constructor.
    training_rows, validation_rows : ndarray of int
        Which rows of the data were used for what.
    device : str
        What the fit ran on, such as ``cpu (2 cores)``.
    packages : dict of str
        Versions of the packages that decided the fit.
    metadata : dict
        What the user has stored with the model.
    feature_names : tuple of str, optional
        Columns of the data frame that the model was fitted to.
    coordinate : ndarray, shape (n_features,), optional
        Coordinate of the columns of the array of xarray that it was fitted to.
    """

    parameters: dict[str, Any]
    training_rows: npt.NDArray[np.int64]
    validation_rows: npt.NDArray[np.int64]
    device: str
    packages: dict[str, str]
    metadata: dict[str, Any]
    feature_names: tuple[str, ...] | None = None
    coordinate: npt.NDArray[np.float64] | None = None

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Number of columns that the model takes."""

    @abstractmethod
    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every weight by the name it has in a file, from arithmetic alone."""

    @abstractmethod
    def arrays(self) -> Weights:
        """All weights by the names they have in a file."""

    @abstractmethod
    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """The same model with other weights, named as in a file."""


@dataclass(frozen=True, kw_only=True)
class FittedVAE(FittedModel):
    """A fitted β-VAE; its fields are the attributes of `BetaVAE` without their underscore."""

    architecture: Architecture
    best_epoch: int
    stop_reason: str
    scale: float
    kl: npt.NDArray[np.floating]
    axis_variances: npt.NDArray[np.floating]
    history: list[EpochRecord]
    weights: Weights = field(default_factory=dict)
    scatter: Scatter | None = None
    repeat_scale: npt.NDArray[np.float64] | None = None

    @property
    def n_features(self) -> int:
        return self.architecture.n_features

    @property
    def n_components(self) -> int:
        """Number of latent axes."""
        return self.architecture.n_components

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = self.architecture.weight_shapes()
        if self.parameters["likelihood"] == REPEATS:
            own = scatter_shapes(self.n_features)
            shapes |= {f"scatter.{name}": shape for name, shape in own.items()}
        return shapes

    def arrays(self) -> Weights:
        own = {} if self.scatter is None else self.scatter._asdict()
        return self.weights | {f"scatter.{name}": array for name, array in own.items()}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        own = {
            name: arrays[f"scatter.{name}"]
            for name in Scatter._fields
            if f"scatter.{name}" in arrays
        }
        weights = {name: array for name, array in arrays.items() if not name.startswith("scatter.")}
        return replace(self, weights=weights, scatter=Scatter(**own) if own else None)


@dataclass(frozen=True, kw_only=True)
class FittedRegressor(FittedModel):
    """Fitted networks; its fields are the attributes of `CurveRegressor` without underscore."""

    shape: NetworkShape
    column_means: npt.NDArray[np.float64]
    column_scale: float
    target_means: npt.NDArray[np.float64]
    target_scales: npt.NDArray[np.float64]
    is_single: bool
    best_epochs: list[int]
    history: list[list[RegressionRecord]]
    target_names: tuple[str, ...] | None = None
    weights: list[Weights] = field(default_factory=list)

    @property
    def n_features(self) -> int:
        return self.shape.n_features

    @property
    def n_targets(self) -> int:
        """Number of targets that it predicts."""
        return self.shape.n_targets

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes = self.shape.weight_shapes()
        return {
            f"{number}.{name}": shape
            for number in range(len(self.best_epochs))
            for name, shape in shapes.items()
        }

    def arrays(self) -> Weights:
        return {
            f"{number}.{name}": array
            for number, weights in enumerate(self.weights)
            for name, array in weights.items()
        }

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        names = self.shape.weight_shapes()
        weights = [
            {name: arrays[f"{number}.{name}"] for name in names}
            for number in range(len(self.best_epochs))
        ]
        return replace(self, weights=weights)


def installed_packages() -> dict[str, str]:
    """Versions of the packages that decide a fit."""
    return {name: version(name) for name in RECORDED_PACKAGES}
