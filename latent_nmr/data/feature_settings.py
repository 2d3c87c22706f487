"""What features of a data set are: window, normalisation, part of M and protocols, together."""

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
from latent_nmr.data.protocols import (
    PROTOCOLS,
    KnownProtocol,
    check_protocols,
    known_protocols,
    protocols_of_metadata,
)
from latent_nmr.data.windows import features, window_time


class FeatureSettings(NamedTuple):
    """Arguments of :func:`latent_nmr.features` after the data set, and its protocols."""

    window: str = "echo"
    normalisation: str = "initial"
    part: str | Polar = "magnitude"
    protocols: tuple[KnownProtocol, ...] = ()

    @classmethod
    def for_data(
        cls, dataset: xr.Dataset, window: str, normalisation: str, part: str | Polar
    ) -> Self:
        """Settings with the protocols of a data set."""
        return cls(window, normalisation, checked_part(part), known_protocols(dataset))

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, Any]) -> Self:
        """Settings that a model's metadata, or a result's facts, hold."""
        settings = metadata["window"], metadata["normalisation"], part_of_metadata(metadata)
        return cls(*settings, protocols_of_metadata(metadata))

    def as_metadata(self) -> dict[str, Any]:
        """The same as JSON holds it; without a part that is |M|, and without a single protocol."""
        found = part_metadata(checked_part(self.part))
        if self.protocols:
            found[PROTOCOLS] = [own._asdict() for own in self.protocols]
        return {"window": self.window, "normalisation": self.normalisation, **found}

    def of(self, dataset: xr.Dataset) -> npt.NDArray[np.float32]:
        """Features of a data set, shape (n_curves, n_features)."""
        self.check(dataset)
        return features(dataset, self.window, self.normalisation, self.part)

    def time(self, dataset: xr.Dataset) -> npt.NDArray[np.float64]:
        """Times of the window's samples, µs; of several protocols as `window_time` gives them."""
        return window_time(dataset, self.window)

    def blocks(self, time: npt.NDArray[np.floating]) -> list[Block]:
        """What the columns are, of a window with these times."""
        return feature_blocks(time, self.part, self.protocols)

    def check(
        self,
        dataset: xr.Dataset,
        whose: str = "the other data",
        attributes: Mapping[Any, Any] | None = None,
    ) -> None:
        """Raise `InputError` if a data set has other protocols than `whose`, which these are.

        Of a single one, `attributes` say the pulses.
        """
        check_protocols(dataset, self.protocols, whose, attributes)
