"""What features of a data set are: window, normalisation and part of M, together."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data.feature_layout import (
    Block,
    checked_part,
    feature_blocks,
    part_metadata,
    part_of_metadata,
)
from latent_nmr.data.polar import Polar
from latent_nmr.data.windows import features, window_time


class FeatureSettings(NamedTuple):
    """Arguments of :func:`latent_nmr.features` after the data set."""

    window: str = "echo"
    normalisation: str = "initial"
    part: str | Polar = "magnitude"

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, Any]) -> Self:
        """Settings that a model's metadata, or a result's facts, hold."""
        return cls(metadata["window"], metadata["normalisation"], part_of_metadata(metadata))

    def as_metadata(self) -> dict[str, Any]:
        """The same as JSON holds it; the part is left out where it is |M|."""
        part = part_metadata(checked_part(self.part))
        return {"window": self.window, "normalisation": self.normalisation, **part}

    def of(self, dataset: xr.Dataset) -> npt.NDArray[np.float32]:
        """Features of a data set, shape (n_curves, n_features)."""
        return features(dataset, self.window, self.normalisation, self.part)

    def time(self, dataset: xr.Dataset) -> npt.NDArray[np.float64]:
        """Times of the window's samples, µs."""
        return window_time(dataset, self.window)

    def blocks(self, time: npt.NDArray[np.floating]) -> list[Block]:
        """What the columns are, of a window with these times."""
        return feature_blocks(time, self.part)
