"""Figures of a challenge, from the facts and arrays of a result."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.models.challenge_models import SHORT_TITLES
from latent_nmr.studies.challenge._editions import EDITIONS, INPUT_KINDS, Edition, samples_of
from latent_nmr.studies.latent_figures import time_marks

N_CURVES_SHOWN = 4
SPIN_MARKS = ("θ", "2θ", "echo")
PART_TITLES: tuple[str, ...] = ("Re M", "Im M", "|M|")
SHOWN = {"mx": "Re M", "my": "Im M", "magnitude": "|M|"}

Facts = Mapping[str, Any]
Arrays = Mapping[str, npt.NDArray]


def shown_rows(targets: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Rows of the curves that are drawn, evenly spread over the first target."""
    order = np.argsort(targets[:, 0])
    return order[np.linspace(0, len(order) - 1, min(N_CURVES_SHOWN, len(order))).astype(int)]


def marks_of(edition: Edition, attributes: Mapping[str, Any]) -> dict[str, float]:
    """Names and times (µs) of pulses and echo."""
    marks = time_marks(attributes)
    if "theta" not in edition.targets or len(marks) != len(SPIN_MARKS):
        return marks
    # Every curve has its own angle.
    return dict(zip(SPIN_MARKS, marks.values(), strict=True))


def curves(facts: Facts, arrays: Arrays) -> Any:
    """Some curves, with their parameters."""
    from latent_nmr.plots.challenge import raw_curves

    titles = [_title(_texts(facts), values) for values in arrays["shown targets"]]
    shown = {
        title: arrays[f"shown {name}"] for name, title in SHOWN.items() if f"shown {name}" in arrays
    }
    return raw_curves(arrays["time"], shown, titles, facts["marks"])


def parity(facts: Facts, arrays: Arrays) -> Any:
    """Predicted over true targets of the first seed's test part."""
    from latent_nmr.plots.challenge import challenge_parity

    predicted = {
        SHORT_TITLES.get(str(name), str(name)): arrays[f"predicted {name}"]
        for name in facts["models"]
        if f"predicted {name}" in arrays
    }
    return challenge_parity(arrays["truth"], predicted, _texts(facts))


def saliency(facts: Facts, arrays: Arrays, name: str) -> Any:
    """Gradients of a network, cut into the parts of its inputs."""
    from latent_nmr.plots.challenge import saliency_figure

    edition, kind = EDITIONS[facts["edition"]], facts["models"][name]
    time = arrays["time"][samples_of(edition, kind)]
    mean_input = arrays[f"mean input {kind}"]
    parts = PART_TITLES[: len(mean_input) // len(time)] if kind in INPUT_KINDS else PART_TITLES[-1:]

    def cut(rows: npt.NDArray) -> dict[str, dict[str, npt.NDArray]]:
        return {
            text.split(" (")[0]: dict(zip(parts, np.split(row, len(parts)), strict=True))
            for text, row in zip(_texts(facts), rows, strict=True)
        }

    mean_curves = dict(zip(parts, np.split(mean_input, len(parts)), strict=True))
    mean, mean_absolute = arrays[f"saliency {name}"], arrays[f"absolute saliency {name}"]
    return saliency_figure(time, mean_curves, cut(mean), cut(mean_absolute))


def angle(facts: Facts, by_angle: Mapping[str, Any]) -> Any:
    """R² of the couplings over the pulse angle."""
    from latent_nmr.plots.challenge import score_over_angle

    texts = EDITIONS[facts["edition"]].texts
    scores = {
        texts[target].split(" (")[0]: {
            SHORT_TITLES.get(str(m), str(m)): v for m, v in by_model.items()
        }
        for target, by_model in by_angle["r2"].items()
    }
    return score_over_angle(np.asarray(by_angle["edges_deg"]), scores, "R² within a bin")


def _texts(facts: Facts) -> list[str]:
    """Words and unit of each target that was predicted."""
    return [EDITIONS[facts["edition"]].texts[target] for target in facts["targets"]]


def _title(texts: list[str], values: npt.NDArray) -> str:
    words = []
    for text, value in zip(texts, values, strict=True):
        name, _, unit = text.partition(" (")
        unit = unit.rstrip(")")
        words.append(f"{name} = {value:.3g}{' ' + unit if unit in ('MHz', 'degrees') else ''}")
    return ", ".join(words)
