"""A fitted posterior as frozen arrays and facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from latent_nmr.models.fitted import FittedModel
from latent_nmr.models.networks import Weights
from latent_nmr.models.posterior.network import PosteriorShape
from latent_nmr.models.posterior.prior import Prior
from latent_nmr.models.posterior.training import PosteriorRecord


@dataclass(frozen=True, kw_only=True)
class FittedPosterior(FittedModel):
    """A fitted posterior; its fields are the attributes of `EchoPosterior` without underscore."""

    shape: PosteriorShape
    prior: Prior
    best_epoch: int
    history: list[PosteriorRecord]
    weights: Weights = field(default_factory=dict)

    @property
    def n_features(self) -> int:
        return self.shape.n_features

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        return self.shape.weight_shapes()

    def arrays(self) -> Weights:
        return self.weights

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        return replace(self, weights=dict(arrays))
