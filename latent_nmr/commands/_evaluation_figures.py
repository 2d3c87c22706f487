"""The figures of an evaluation: maps of every method, traversals, scores over the dimension."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from latent_nmr.analysis.score_names import HEADLINES, METHOD_TITLES, SCORES
from latent_nmr.commands._evaluation import Workshop
from latent_nmr.commands._evaluation_data import HELD_OUT, Material
from latent_nmr.commands._representations import Fit
from latent_nmr.latent_axes import axis_names
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.plots.evaluation import Line, Map, maps_by_method, scores_over_dimension
from latent_nmr.plots.style import Figure, png_bytes, save_figure
from latent_nmr.report.evaluation_page import PageFigure
from latent_nmr.report.score_table import Row
from latent_nmr.studies.latent_figures import draw_traversals

MAP_LABELS = ("W", "L", "kernel")
SPAN, N_STEPS = 2.5, 11
# As fine as a screen, in a third of the bytes of a figure for print.
PAGE_DPI = 120
AXIS_PREFIXES = {"vae": "LA", "pca": "PC", "umap": "UMAP ", "kmeans": "distance to K"}


def draw_figures(
    folder: Path,
    workshop: Workshop,
    fits: Sequence[Fit],
    models: Mapping[Fit, BetaVAE],
    material: Material,
    tables: Mapping[str, Sequence[Row]],
) -> list[PageFigure]:
    """Draw and save every figure; returns them for the page."""
    folder.mkdir(exist_ok=True)
    drawn: list[PageFigure] = []

    def keep(stem: str, title: str, caption: str, figure: Figure) -> None:
        save_figure(figure, folder / stem)
        drawn.append(PageFigure(title, caption, png_bytes(figure, PAGE_DPI)))

    labels = {
        name: v for name in MAP_LABELS if (v := material.labels[HELD_OUT].get(name)) is not None
    }
    maps = maps_of(workshop, fits)
    if maps and labels:
        caption = (
            "Held-out curves by the first two coordinates of each method, at the smallest "
            "dimension that has two; one seed. Coloured by labels that no method has seen."
        )
        keep("maps", "Maps", caption, maps_by_method(maps, labels))
    best = best_vae(workshop, fits, models)
    if best is not None:
        fit, model = best
        caption = (
            f"Curves that the decoder of the β-VAE with {fit.n_components} axes (seed {fit.seed}, "
            "of the seeds the one with the lowest loss on its validation curves) generates along "
            f"each axis from {-SPAN:g} to {SPAN:g}, the others at zero; coloured by the mean W of "
            "the held-out curves nearest to each point."
        )
        table = latent_table(workshop, fit, material)
        axes = tuple(range(1, min(fit.n_components, 4) + 1))
        figure = draw_traversals(model, axes, table, span=SPAN, n_steps=N_STEPS)
        keep("traversals", "Traversals", caption, figure)
    lines = lines_of(tables[HELD_OUT])
    if any(len(line.dimensions) > 1 for group in lines.values() for line in group):
        caption = (
            "Scores on the held-out part over the number of coordinates; bars are the sample "
            "standard deviation over seeds."
        )
        figure = scores_over_dimension(lines, *bounds_of(tables[HELD_OUT]))
        keep("dimensions", "Scores by dimension", caption, figure)
    return drawn


def maps_of(workshop: Workshop, fits: Sequence[Fit]) -> list[Map]:
    """Map of every method at its smallest dimension of two or more, first seed."""
    maps = []
    for method in [name for name in METHOD_TITLES if name in {fit.method for fit in fits}]:
        flat = [fit for fit in fits if fit.method == method and fit.n_components >= 2]
        if flat:
            fit = min(flat, key=lambda fit: (fit.n_components, fit.seed))
            embedding = workshop.embedding(fit)
            assert embedding is not None  # drawn after every fit is done
            prefix = AXIS_PREFIXES[method]
            names = f"{prefix}1", f"{prefix}2"
            maps.append(Map(METHOD_TITLES[method], embedding.parts[HELD_OUT], names))
    return maps


def best_vae(
    workshop: Workshop, fits: Sequence[Fit], models: Mapping[Fit, BetaVAE]
) -> tuple[Fit, BetaVAE] | None:
    """The β-VAE with the lowest validation loss, at the dimension nearest to two."""
    vaes = [fit for fit in fits if fit.method == "vae"]
    if not vaes:
        return None
    wanted = min({fit.n_components for fit in vaes}, key=lambda n: (abs(n - 2), n))
    loaded = {
        fit: models[fit] if fit in models else BetaVAE.load(workshop.folder / "models" / fit.stem)
        for fit in vaes
        if fit.n_components == wanted
    }
    return min(loaded.items(), key=lambda item: (validation_loss(item[1]), item[0].seed))


def validation_loss(model: BetaVAE) -> float:
    """Objective on the validation curves at the epoch whose weights were kept, nats per curve."""
    best = model.history_[model.best_epoch_ - 1]
    return best.validation_reconstruction + best.beta * best.validation_kl


def latent_table(workshop: Workshop, fit: Fit, material: Material) -> pd.DataFrame:
    """Latent coordinates of the held-out part and W, where it is known."""
    embedding = workshop.embedding(fit)
    assert embedding is not None  # drawn after every fit is done
    columns = dict(zip(axis_names(fit.n_components), embedding.parts[HELD_OUT].T, strict=True))
    strength = {name: v for name, v in material.labels[HELD_OUT].items() if name == "W"}
    return pd.DataFrame({**columns, **strength})


def lines_of(rows: Sequence[Row]) -> dict[str, list[Line]]:
    """Headline scores over the dimension, by title."""
    panels: dict[str, list[Line]] = {}
    for name in HEADLINES:
        lines = []
        for method in dict.fromkeys(row.method for row in rows if row.role == "method"):
            own = sorted(
                (row for row in rows if row.method == method and row.cell(name) is not None),
                key=lambda row: row.n_components or 0,
            )
            cells = [cell for row in own if (cell := row.cell(name)) is not None]
            if cells:
                lines.append(
                    Line(
                        method,
                        METHOD_TITLES[method],
                        np.array([row.n_components for row in own]),
                        np.array([cell.mean for cell in cells]),
                        np.array([cell.deviation for cell in cells]),
                    )
                )
        if lines:
            panels[figure_title(name)] = lines
    return panels


def bounds_of(rows: Sequence[Row]) -> tuple[dict[str, float], dict[str, float]]:
    """Ceiling and floor of every headline score, by title."""
    bounds: dict[str, dict[str, float]] = {"ceiling": {}, "floor": {}}
    for row in rows:
        for name in HEADLINES:
            cell = row.cell(name)
            if row.role in bounds and cell is not None:
                bounds[row.role].setdefault(figure_title(name), cell.mean)
    return bounds["ceiling"], bounds["floor"]


def figure_title(score: str) -> str:
    """Title of a score with its Greek letters set as on the other figures."""
    return SCORES[score].title.replace("α_x", r"$\alpha_x$").replace("α_z", r"$\alpha_z$")
