"""Figures of a probe, drawn from its tables and arrays alone."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean, stdev
from typing import Any

import numpy as np

from latent_nmr.analysis.forest_regression import TARGETS
from latent_nmr.analysis.screening import BIN_EDGES
from latent_nmr.plots.importances import Explained, importance_figure
from latent_nmr.plots.parity import parity_figure
from latent_nmr.plots.probes import (
    Bar,
    ClassCurves,
    Confusion,
    bars_by_group,
    class_curves,
    confusion_figure,
    elimination_figure,
    sections_figure,
)
from latent_nmr.plots.style import LABEL_TEXTS, Figure
from latent_nmr.studies._result import StudyResult
from latent_nmr.studies.latent_figures import quantities_of, quantity_suffixes
from latent_nmr.studies.probes.data import section_polynomials
from latent_nmr.studies.probes.explained import TARGET_TITLES, columns_of, explained
from latent_nmr.studies.probes.measurements import SCREENING
from latent_nmr.studies.probes.names import (
    BINARY,
    FOREST,
    KERNEL,
    NETWORK,
    POINTS,
    POLYNOMIAL,
    PREDICTED,
    TASK_TITLES,
    TRUE,
    bin_title,
    features_title,
    is_control,
    model_title,
    series_title,
)
from latent_nmr.studies.probes.published import PAPER_F1, PAPER_R2
from latent_nmr.studies.probes.tables import medians, tables_of

Entries = Sequence[Mapping[str, Any]]
# By title of the panel, series and group.
Panels = dict[str, dict[str, dict[str, Bar]]]
# Lower R² are drawn here: they mean no more than that the mean would do better.
LOWEST_R2 = -0.1
# Ranges of the targets in the `paper` set, to put their errors on one axis: MHz, lattice constants.
RANGES = {"W": 0.2, "L": 25.6, "alpha_x": 0.09, "alpha_z": 0.09}
# Score, its words, what it was measured on.
REGRESSION_PANELS = (
    ("r2", "R²", "held out"),
    ("r2_out_of_bag", "R²", "out of bag"),
    ("mae", "MAE", "held out"),
    ("mae_out_of_bag", "MAE", "out of bag"),
)


def drawers_of(result: StudyResult) -> dict[str, Callable[[], Figure]]:
    """What draws each figure that the result has data for, by name."""
    tables = tables_of(result)
    found: dict[str, Callable[[], Figure]] = {"sections": lambda: _sections(result)}
    if tables["classification"]:
        found["classes"] = lambda: _classes(result)
        found["classifiers"] = lambda: _classifiers(tables["classification"])
        found["confusion"] = lambda: _confusion(result)
    if tables["elimination"]:
        found["elimination"] = lambda: _elimination(tables["elimination"])
    others = dict.fromkeys(entry["target"] for entry in tables["regression"])
    for target in dict.fromkeys([BINARY, *TARGETS, *others]):
        # Labels of the user's own may be called anything; the name is that of a file.
        named = re.sub(r"[^\w.-]+", "-", KERNEL if target == BINARY else target)
        columns = partial(columns_of, result, target)
        found |= _importances(result, f"importances_{named}", columns)
    if tables["screening"]:
        found["screening"] = lambda: _screening(result)
        for by in (TRUE, PREDICTED):
            columns = partial(_columns_by_bin, result, by)
            found |= _importances(result, f"importances_by_{by}_W", columns)
    bars = _regression_bars(tables["regression"], result.arrays)
    if bars:
        found["regression"] = lambda: _regression(bars, tables["regression"])
    if series := _predictions(result):
        found["parity"] = lambda: _parity(result, series)
    return found


def _first(result: StudyResult, array: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Times, values in an array of features, and label of the first quantity of the features."""
    quantity = quantities_of(result.facts, result.arrays["time"])[0]
    assert quantity.time is not None  # of echoes
    return quantity.time, quantity.values(result.arrays[array]), quantity.text


def _sections(result: StudyResult) -> Figure:
    """The echo of the curve in the middle of the order by height, as in [P], Fig. 7."""
    time, curve, text = _first(result, "middle_curve")
    curve = curve.astype(np.float64)
    model = section_polynomials(time)
    Z = model.transform(curve[None])
    counts = sorted({section.n_sections for section in model.sections_})
    fits = {count: model.inverse_transform(Z, sections=count)[0] for count in counts}
    cuts = {
        count: [
            float(time[section.samples.start])
            for section in model.sections_
            if section.n_sections == count and section.number
        ]
        for count in counts
    }
    return sections_figure(time, curve, fits, cuts, text)


def _classes(result: StudyResult) -> Figure:
    names = result.arrays["class_names"].tolist()
    time, curves, text = _first(result, "class_curves")
    classes = {name: ClassCurves(*rows) for name, rows in zip(names, curves, strict=True)}
    return class_curves(time, classes, text)


def _classifiers(entries: Entries) -> Figure:
    """F1 of every classifier on every kind of features, beside the published numbers."""
    panels: Panels = {}
    for task, title in TASK_TITLES.items():
        for entry in entries:
            if entry["target"] == task and not is_control(entry["model"]):
                series = panels.setdefault(title, {})
                of_features = series.setdefault(features_title(entry["features"]), {})
                of_features[model_title(entry["model"])] = _bar(entry["scores"]["f1_macro"])
    published = {model_title(name): value for name, value in PAPER_F1.items()}
    return bars_by_group(
        panels,
        {TASK_TITLES[BINARY]: published},
        value_text=dict.fromkeys(panels, "F1, macro"),
        reference_text="published (averaging not stated)",
    )


def _confusion(result: StudyResult) -> Figure:
    """Confusion of forests and networks on features that are localised in time."""
    entries = [e for e in tables_of(result)["classification"] if not is_control(e["model"])]
    shown = [
        e
        for e in entries
        if e["model"] in (FOREST, NETWORK) and e["features"] in (POINTS, POLYNOMIAL)
    ]
    matrices = [
        Confusion(
            f"{features_title(e['features'])}, {model_title(e['model'])}",
            result.facts["classes"][e["target"]],
            np.array(e["confusion"]),
        )
        for e in shown or entries[:1]
    ]
    return confusion_figure(matrices, n_columns=2)


def _elimination(entries: Entries) -> Figure:
    lines: dict[str, list[tuple[int, Bar]]] = {}
    for entry in entries:
        bar = _bar(entry["scores"]["f1_macro"])
        lines.setdefault(features_title(entry["features"]), []).append((entry["n_kept"], bar))
    return elimination_figure(lines, "F1, macro, power law or not")


def _importances(
    result: StudyResult, name: str, columns: Callable[[int], list[Explained]]
) -> dict[str, Callable[[], Figure]]:
    """What draws the importances within each quantity of the features, `columns` of its number."""
    time, found = result.arrays["time"], {}
    for number, suffix in enumerate(quantity_suffixes(result.facts, time)):
        if own := columns(number):
            quantity = quantities_of(result.facts, time)[number]
            assert quantity.time is not None  # of echoes
            curve = quantity.values(result.arrays["mean_curve"])
            found[name + suffix] = partial(
                importance_figure, quantity.time, curve, own, quantity.text
            )
    return found


def _screening(result: StudyResult) -> Figure:
    """Confusion within bins by true and by predicted W."""
    entries = tables_of(result)["screening"]
    features = POINTS if any(e["features"] == POINTS for e in entries) else POLYNOMIAL
    return confusion_figure(
        [
            Confusion(
                f"{bin_title(e['bin'])} ({e['by']})\nF1 macro {fmean(e['scores']['f1_macro']):.3f}",
                result.facts["classes"][BINARY],
                np.array(e["confusion"]),
            )
            for e in sorted(entries, key=lambda e: e["by"] != TRUE)
            if e["features"] == features
        ]
    )


def _columns_by_bin(result: StudyResult, by: str, quantity: int) -> list[Explained]:
    """Importances within each bin of W, one column per bin."""
    found = []
    for number in range(len(BIN_EDGES) - 1):
        by_features = medians(result, table=SCREENING, by=by, bin=number)
        if by_features:
            found.append(explained(result, f"{bin_title(number)} ({by})", by_features, quantity))
    return found


def _regression_bars(entries: Entries, arrays: Mapping[str, np.ndarray]) -> Panels:
    """R² and mean absolute error over the range of the target, held out and out of bag."""
    panels: Panels = {}
    shown = [entry for entry in entries if not is_control(entry["model"])]
    is_alone = {entry["model"] for entry in shown} == {FOREST}
    for score, words, part in REGRESSION_PANELS:
        for entry in (entry for entry in shown if score in entry["scores"]):
            values = np.asarray(entry["scores"][score])
            if words == "MAE":
                truth = arrays[f"truth/{entry['target']}"]
                span = RANGES.get(entry["target"], float(np.ptp(truth)))
                if not span:
                    continue  # one value only: no range to compare errors with
                values = values / span
            series = panels.setdefault(f"{words}, {part}", {})
            name = series_title(entry["features"], entry["model"], is_alone=is_alone)
            series.setdefault(name, {})[_group_title(entry)] = _bar(values.tolist())
    return panels


def _group_title(entry: Mapping[str, Any]) -> str:
    return f"{TARGET_TITLES.get(entry['target'], entry['target'])}, {entry['group']}"


def _regression(panels: Panels, entries: Entries) -> Figure:
    """The bars beside the published R², as in [P], Fig. 5(e)."""
    known = {
        _group_title(entry): PAPER_R2[entry["target"], entry["group"]]
        for entry in entries
        if (entry["target"], entry["group"]) in PAPER_R2
    }
    is_r2 = {title: title.startswith("R²") for title in panels}
    return bars_by_group(
        panels,
        {title: known for title in panels if is_r2[title]},
        value_text={t: "R²" if is_r2[t] else "MAE / range of the target" for t in panels},
        reference_text="published",
        floor=LOWEST_R2,
    )


def _predictions(result: StudyResult) -> dict[str, dict[str, np.ndarray]]:
    """Predictions by words of the series, then target: of those that have all targets."""
    entries = result.facts["predictions"]
    is_alone = {entry["model"] for entry in entries} == {FOREST}
    series: dict[str, dict[str, np.ndarray]] = {}
    for entry in entries:
        name = series_title(entry["features"], entry["model"], is_alone=is_alone)
        series.setdefault(name, {})[entry["target"]] = result.arrays[entry["array"]]
    targets = {entry["target"] for entry in entries}
    return {name: found for name, found in series.items() if found.keys() == targets}


def _parity(result: StudyResult, series: dict[str, dict[str, np.ndarray]]) -> Figure:
    """Predicted over true values of the held-out part of the first seed."""
    arrays = result.arrays
    targets = next(iter(series.values()))
    truths = {target: arrays[f"truth/{target}"] for target in targets}
    texts = {target: LABEL_TEXTS.get(target, target) for target in targets}
    return parity_figure(truths, series, arrays.get(f"truth/{KERNEL}"), texts)


def _bar(values: Sequence[float]) -> Bar:
    return Bar(fmean(values), stdev(values) if len(values) > 1 else 0.0)
