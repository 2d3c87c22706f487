"""What of a file of echoes a command looks at: its protocols, a receiver, the features."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Options of every command that reads echoes."""

    protocol: tuple[str, ...] = ()
    """Protocols to use, of a data set with several, by name and in this order, such as 60deg
    120deg; without it, all."""

    def select(self, dataset: "xr.Dataset") -> "xr.Dataset":
        """The protocols that are asked for."""
        from latent_nmr.data.protocols import select_protocols

        return select_protocols(dataset, self.protocol) if self.protocol else dataset

    def open(self, path: Path) -> "xr.Dataset":
        """The data set at a path."""
        from latent_nmr.data.io import open_echoes

        return self.select(open_echoes(path))

    def digest(self, path: Path) -> str:
        """What identifies its curves and labels."""
        from latent_nmr.data.labels import labelled_fingerprint

        return labelled_fingerprint(self.open(path))


@dataclass(frozen=True, kw_only=True)
class FeatureOptions(DataOptions):
    """Options of every command that makes features of echoes."""

    window: Literal["echo", "full", "echo300", "top"] = "echo"
    """Part of the record: 400 samples around the echo, all, 300 around the echo, or 400 around the
    highest point of each curve's echo."""
    normalisation: Literal["initial", "window_max", "height"] = "initial"
    """Divide |M| by its first sample, by its largest in the window, or by the height of the echo.
    """
    part: Literal["magnitude", "both", "real", "imaginary", "polar"] = "magnitude"
    """What of M: |M|, real and imaginary part, one of them, or amplitude and local frequency."""


@dataclass(frozen=True, kw_only=True)
class ReceiverOptions(FeatureOptions):
    """Options of commands that learn from echoes as a spectrometer would give them."""

    carrier_spread: float = 0.0
    """Standard deviation of an unknown carrier offset, kHz, drawn with an unknown phase for every
    curve."""
    snr: float | None = None
    """Noise to add: largest |M| in the window over its standard deviation in each channel."""
    receiver_seed: int = 0
    """Seed of carriers, phases and noise."""

    @classmethod
    def of(cls, settings: "Mapping[str, Any]") -> "ReceiverOptions":
        """Those among the settings of a finished run; of an earlier version they may lack some."""
        return cls(**{own.name: settings[own.name] for own in fields(cls) if own.name in settings})

    def measured(self, dataset: "xr.Dataset", number: int = 0) -> "xr.Dataset":
        """The data set behind that receiver; further sets have numbers, and draws of their own."""
        from latent_nmr.data.unknown_receiver import unknown_receiver

        ways = {"snr": self.snr, "window": self.window, "seed": self.receiver_seed + number}
        return unknown_receiver(dataset, carrier_spread=self.carrier_spread / 1000, **ways)
