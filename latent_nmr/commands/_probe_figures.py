"""Figures of a probe, of those of its tables that are there."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from latent_nmr.analysis.classification import TASK_TITLES, class_names
from latent_nmr.analysis.classification import classes_of as classes_in
from latent_nmr.analysis.forest_regression import GROUP_TITLES, TARGETS
from latent_nmr.analysis.published import PAPER_F1, PAPER_R2
from latent_nmr.analysis.screening import BIN_EDGES, bin_title
from latent_nmr.commands._probe_data import (
    POINTS,
    POLYNOMIAL,
    Material,
    features_title,
)
from latent_nmr.commands._probe_plan import BINARY, FLOORS, FOREST, MODEL_TITLES, NETWORK
from latent_nmr.commands._probe_result import series_title
from latent_nmr.plots.importances import Coefficient, Explained, importance_figure
from latent_nmr.plots.parity import parity_figure
from latent_nmr.plots.probes import (
    Bar,
    Confusion,
    bars_by_group,
    class_curves,
    confusion_figure,
    elimination_figure,
    sections_figure,
)
from latent_nmr.plots.style import LABEL_TEXTS, SIGNAL_TEXTS, Figure, save_figure

Tables = Mapping[str, Sequence[Mapping[str, Any]]]
# An R² below tells no more than that the mean would do better.
LOWEST_R2 = -0.1
# Of the targets over the `paper` set, to put their errors on one axis: MHz and lattice constants.
RANGES = {"W": 0.2, "L": 25.6, "alpha_x": 0.09, "alpha_z": 0.09}
TARGET_TITLES = {"W": "W", "L": "L", "alpha_x": r"$\alpha_x$", "alpha_z": r"$\alpha_z$"}


def draw_figures(
    folder: Path,
    material: Material,
    found: Tables,
    predictions: Mapping[tuple[str, str], np.ndarray],
) -> None:
    """Draw everything into `folder`."""
    folder.mkdir(exist_ok=True)
    for stem, figure in figures(material, found, predictions):
        save_figure(figure, folder / stem)


def figures(
    material: Material,
    found: Tables,
    predictions: Mapping[tuple[str, str], np.ndarray],
) -> Iterator[tuple[str, Figure]]:
    """Yield name and figure of all that can be drawn."""
    signal = SIGNAL_TEXTS[material.identity["normalisation"]]
    yield "sections", draw_sections(material, signal)
    if found["classification"]:
        yield from _class_figures(material, found, signal)
    explained = Explainer(material, found["importances"])
    for target in (BINARY, *TARGETS):
        columns = explained.columns(target)
        if columns:
            yield (
                f"importances_{'kernel' if target == BINARY else target}",
                importance_figure(material.time, material.curves.mean(axis=0), columns, signal),
            )
    if found["screening"]:
        yield from _screening_figures(material, explained, found["screening"], signal)
    if found["regression"]:
        yield "regression", draw_regression(found["regression"])
    if predictions:
        yield "parity", draw_parities(material, predictions)


def draw_sections(material: Material, signal: str) -> Figure:
    """The echo of the curve in the middle of the order by height, as in [P], Fig. 7."""
    order = np.argsort(material.curves.max(axis=1))
    curve = material.curves[order[len(order) // 2]].astype(np.float64)
    model = material.polynomials
    Z = model.transform(curve[None])
    counts = sorted({section.n_sections for section in model.sections_})
    fits = {count: model.inverse_transform(Z, sections=count)[0] for count in counts}
    cuts = {
        count: [
            float(material.time[section.samples.start])
            for section in model.sections_
            if section.n_sections == count and section.number
        ]
        for count in counts
    }
    return sections_figure(material.time, curve, fits, cuts, signal)


def _class_figures(material: Material, found: Tables, signal: str) -> Iterator[tuple[str, Figure]]:
    assert material.kernels is not None  # there are classifications
    yield "classes", class_curves(material.time, material.curves, material.kernels, signal)
    honest = [e for e in found["classification"] if e["model"] not in FLOORS]
    panels, references = {}, {}
    for task, title in TASK_TITLES.items():
        entries = [e for e in honest if e["target"] == task]
        if not entries:
            continue
        series: dict[str, dict[str, Bar]] = {}
        for entry in entries:
            of_features = series.setdefault(features_title(entry["features"]), {})
            name = MODEL_TITLES[entry["model"]]
            of_features[name] = _bar(entry["scores"]["f1_macro"])
        panels[title] = series
        if task == BINARY:
            references[title] = {MODEL_TITLES[k]: v for k, v in PAPER_F1.items()}
    yield (
        "classifiers",
        bars_by_group(
            panels,
            references,
            value_text=dict.fromkeys(panels, "F1, macro"),
            reference_text="published (average not said)",
        ),
    )
    places, models = (POINTS, POLYNOMIAL), (FOREST, NETWORK)
    shown = [e for e in honest if e["model"] in models and e["features"] in places]
    shown = shown or honest[:1]
    yield (
        "confusion",
        confusion_figure(
            [
                Confusion(
                    f"{features_title(e['features'])}, {MODEL_TITLES[e['model']]}",
                    class_names(classes_in(material.kernels, e["target"])),
                    np.array(e["confusion"]),
                )
                for e in shown
            ],
            n_columns=2,
        ),
    )
    lines: dict[str, list[tuple[int, Bar]]] = {}
    for entry in found["elimination"]:
        bar = _bar(entry["scores"]["f1_macro"])
        lines.setdefault(features_title(entry["features"]), []).append((entry["n_kept"], bar))
    if lines:
        yield "elimination", elimination_figure(lines, "F1, macro, power law or not")


class Explainer:
    """Median importances in the words of the figures.

    Parameters
    ----------
    material : Material
    importances : sequence of mapping
        Entries `target`, `group`, `features`, `median`.
    """

    def __init__(
        self,
        material: Material,
        importances: Sequence[Mapping[str, Any]],
    ):
        self._material, self._importances = material, importances

    def columns(self, target: str) -> list[Explained]:
        """One column per group of kernels that a target was asked of."""
        groups = dict.fromkeys(e["group"] for e in self._importances if e["target"] == target)
        columns = []
        for group in groups:
            medians = {
                e["features"]: e["median"]
                for e in self._importances
                if (e["target"], e["group"]) == (target, group)
            }
            title = "power law or not" if target == BINARY else GROUP_TITLES[group]
            if target != BINARY:
                title = f"{TARGET_TITLES[target]}, {title}"
            columns.append(self.explained(title, medians))
        return [column for column in columns if column.points is not None or column.coefficients]

    def explained(self, title: str, medians: Mapping[str, Sequence[float]]) -> Explained:
        """Importances by kind of features as one column of a figure."""
        points = np.asarray(medians[POINTS]) if POINTS in medians else None
        coefficients = []
        if POLYNOMIAL in medians:
            model, time = self._material.polynomials, self._material.time
            places = [(s, power) for s in model.sections_ for power in range(model.degree + 1)]
            coefficients = [
                Coefficient(
                    float(time[section.samples.start]),
                    float(time[section.samples.stop - 1]),
                    section.n_sections,
                    power,
                    importance,
                )
                for (section, power), importance in zip(places, medians[POLYNOMIAL], strict=True)
            ]
        return Explained(title, points, coefficients)


def _screening_figures(
    material: Material, explainer: Explainer, entries: Sequence[Mapping[str, Any]], signal: str
) -> Iterator[tuple[str, Figure]]:
    """Confusion within bins by true and by predicted W, and importances by true W."""
    assert material.kernels is not None  # there are classifications
    names = class_names(classes_in(material.kernels, BINARY))
    features = POINTS if any(e["features"] == POINTS for e in entries) else POLYNOMIAL
    yield (
        "screening",
        confusion_figure(
            [
                Confusion(
                    f"{bin_title(e['bin'])} ({e['by']})\nF1 macro {_text(e['scores'])}",
                    names,
                    np.array(e["confusion"]),
                )
                for e in sorted(entries, key=lambda e: e["by"] != "true")
                if e["features"] == features
            ]
        ),
    )
    for by in ("true", "predicted"):
        columns = []
        for number in range(len(BIN_EDGES) - 1):
            medians = {
                e["features"]: e["importances"]
                for e in entries
                if (e["by"], e["bin"]) == (by, number)
            }
            if medians:
                columns.append(explainer.explained(f"{bin_title(number)} ({by})", medians))
        if columns:
            curve = material.curves.mean(axis=0)
            yield (
                f"importances_by_{by}_W",
                importance_figure(material.time, curve, columns, signal),
            )


def draw_regression(entries: Sequence[Mapping[str, Any]]) -> Figure:
    """R² and mean absolute error, held out and out of bag, as in [P], Fig. 5(e)."""
    panels: dict[str, dict[str, dict[str, Bar]]] = {}
    references: dict[str, dict[str, float]] = {}
    texts = {}
    has_networks = any(entry["model"] == NETWORK for entry in entries)
    wanted = [("r2", "R²", "held out"), ("r2_out_of_bag", "R²", "out of bag"),
              ("mae", "MAE", "held out"), ("mae_out_of_bag", "MAE", "out of bag")]  # fmt: skip
    for score, words, part in wanted:
        title = f"{words}, {part}"
        texts[title] = "R²" if words == "R²" else "MAE / range of the target"
        for entry in entries:
            if entry["model"] in FLOORS or score not in entry["scores"]:
                continue
            group = f"{TARGET_TITLES[entry['target']]}, {entry['group']}"
            values = np.asarray(entry["scores"][score])
            if words == "MAE":
                values = values / RANGES[entry["target"]]
            series = panels.setdefault(title, {})
            name = series_title(entry["features"], entry["model"], is_alone=not has_networks)
            series.setdefault(name, {})[group] = _bar(values.tolist())
            known = PAPER_R2.get((entry["target"], entry["group"]))
            if words == "R²" and known is not None:
                references.setdefault(title, {})[group] = known
    return bars_by_group(
        panels, references, value_text=texts, reference_text="published", floor=LOWEST_R2
    )


def draw_parities(material: Material, predictions: Mapping[tuple[str, str], np.ndarray]) -> Figure:
    """Predicted over true, for the held-out part of the first seed."""
    rows = material.split(0).held_out
    targets = list(dict.fromkeys(target for target, _ in predictions))
    series = dict.fromkeys(words for _, words in predictions)
    return parity_figure(
        {target: material.labels[target][rows] for target in targets},
        {words: {target: predictions[target, words] for target in targets} for words in series},
        None if material.kernels is None else material.kernels[rows],
        LABEL_TEXTS,
    )


def _bar(values: Sequence[float]) -> Bar:
    return Bar(fmean(values), stdev(values) if len(values) > 1 else 0.0)


def _text(scores: Mapping[str, Sequence[float]]) -> str:
    return f"{fmean(scores['f1_macro']):.3f}"
