"""Figures of the command `challenge`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr.commands._challenge import Contest
from latent_nmr.commands._challenge_data import SPIN, Edition, inputs_of
from latent_nmr.models.challenge_models import INPUTS, SHORT_TITLES, WINDOW
from latent_nmr.plots.challenge import (
    challenge_parity,
    raw_curves,
    saliency_figure,
    score_over_angle,
)
from latent_nmr.plots.style import save_figure
from latent_nmr.studies.latent_figures import time_marks

N_CURVES_SHOWN = 4
PART_TITLES: tuple[str, ...] = ("Re M", "Im M", "|M|")


def draw_figures(
    folder: Path,
    contest: Contest,
    done: Mapping[tuple[str, int], Mapping[str, Any]],
    chosen: str,
    result: Mapping[str, Any],
) -> None:
    """Draw everything into `folder`."""
    folder.mkdir(exist_ok=True)
    material = contest.material
    edition, dataset = material.edition, material.dataset
    time = dataset["time"].to_numpy()
    # Evenly spread over the first target.
    order = np.argsort(material.targets[:, 0])
    rows = order[np.linspace(0, len(order) - 1, min(N_CURVES_SHOWN, len(order))).astype(int)]
    shown = dataset.isel(curve=rows)
    save_figure(
        raw_curves(
            time,
            shown["mx"].to_numpy(),
            shown["my"].to_numpy(),
            [_title(edition, material.targets[row]) for row in rows],
            _marks(edition, dataset.attrs),
        ),
        folder / "curves",
    )
    tested = contest.split(0)[1]
    predicted = {
        SHORT_TITLES[name]: np.asarray(found["predicted"])
        for (name, seed), found in done.items()
        if seed == 0 and "predicted" in found
    }
    texts = list(edition.texts.values())
    save_figure(challenge_parity(material.targets[tested], predicted, texts), folder / "parity")
    for name in ("deep", chosen):
        found = done.get((name, 0), {})
        if "saliency" in found:
            save_figure(_saliency(contest, found, INPUTS[name]), folder / f"saliency_{name}")
    if edition.name == SPIN:
        by_angle = result["by_angle"]
        scores = {
            edition.texts[target].split(" (")[0]: {SHORT_TITLES[m]: v for m, v in of.items()}
            for target, of in by_angle["r2"].items()
        }
        figure = score_over_angle(np.asarray(by_angle["edges_deg"]), scores, "R² within a bin")
        save_figure(figure, folder / "angle")


def _saliency(contest: Contest, found: Mapping[str, Any], kind: str):
    """Gradients of a network, cut into the parts of its inputs."""
    material = contest.material
    edition = material.edition
    samples = edition.window if kind == WINDOW else slice(None, None, edition.stride)
    time = material.dataset["time"].to_numpy()[samples]
    mean_input = inputs_of(edition, material.dataset, kind).mean(axis=0)
    parts = PART_TITLES[: len(mean_input) // len(time)]

    def cut(rows: list[list[float]]) -> dict[str, dict[str, np.ndarray]]:
        return {
            text.split(" (")[0]: dict(
                zip(parts, np.split(np.asarray(row), len(parts)), strict=True)
            )
            for text, row in zip(edition.texts.values(), rows, strict=True)
        }

    curves = dict(zip(parts, np.split(mean_input, len(parts)), strict=True))
    return saliency_figure(time, curves, cut(found["saliency"]), cut(found["absolute_saliency"]))


def _title(edition: Edition, values: np.ndarray) -> str:
    words = []
    for text, value in zip(edition.texts.values(), values, strict=True):
        name, _, unit = text.partition(" (")
        unit = unit.rstrip(")")
        words.append(f"{name} = {value:.3g}{' ' + unit if unit in ('MHz', 'degrees') else ''}")
    return ", ".join(words)


def _marks(edition: Edition, attributes: Mapping[str, Any]) -> dict[str, float]:
    marks = time_marks(dict(attributes))
    if edition.name != SPIN:
        return marks
    # Every curve has its own angle.
    first, second, echo = marks.values()
    return {"θ": first, "2θ": second, "echo": echo}
