"""Figures of named axes, from the facts of a result."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from latent_nmr.latent_axes import axis_names
from latent_nmr.plots.axes import DrawnStrength, stability_figure, strengths_figure
from latent_nmr.plots.style import Figure

Facts = Mapping[str, Any]

_TEXTS = {"order": "|ρ|", "information": "mutual information (nats)"}


def draw_strengths(facts: Facts) -> Figure:
    """How strongly each axis orders, and depends on, each label."""
    return strengths_figure(
        {
            axis["axis"]: [_drawn(axis["labels"], key, text) for key, text in _TEXTS.items()]
            for axis in facts["axes"]
        }
    )


def draw_stability(facts: Facts) -> Figure:
    """What several models share of each axis."""
    shares = {
        name: np.asarray(facts["stability"][name])
        for name in ("before_rotation", "after_rotation", "null")
    }
    return stability_figure(axis_names(len(shares["null"])), shares)


def _drawn(labels: Any, key: str, text: str) -> DrawnStrength:
    known = {label["label"]: label[key] for label in labels}
    measured = {name: found for name, found in known.items() if found is not None}
    return DrawnStrength(
        text,
        {name: found and np.asarray(found["values"]) for name, found in known.items()},
        {name: found["null"] for name, found in measured.items()},
        max((found["null_of_largest"] for found in measured.values()), default=None),
    )
