"""Names of latent axes, from the facts that a study keeps of them as JSON."""

from collections.abc import Mapping
from typing import Any

from latent_nmr.analysis.naming import AxisName
from latent_nmr.analysis.strength import LabelStrength, Strength


def axis_name_of(values: Mapping[str, Any]) -> AxisName:
    """The `AxisName` whose fields a study keeps as JSON."""
    labels = tuple(
        LabelStrength(
            label["label"],
            _strength(label["order"]),
            tuple(label["rho"]),
            _known_strength(label["information"]),
        )
        for label in values["labels"]
    )
    return AxisName(**{**values, "labels": labels, "n_curves": tuple(values["n_curves"])})


def _strength(values: Mapping[str, Any] | None) -> Strength | None:
    return None if values is None else _known_strength(values)


def _known_strength(values: Mapping[str, Any]) -> Strength:
    return Strength(**{**values, "values": tuple(values["values"])})
