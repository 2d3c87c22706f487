"""Tables of probes as Markdown, of results kept as JSON; docs/probes.md shows them.

What a result is of (window, offsets, number of curves, pulse angle, models) is what it says of
itself: the names of the files say nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from latent_nmr.report.cells import cell
from latent_nmr.report.markdown import markdown
from latent_nmr.studies.probes.names import (
    CLASSIFIER_TITLES,
    FOREST,
    GROUP_TITLES,
    KIND_TITLES,
    NETWORK,
    SHUFFLED,
    TASK_TITLES,
    bin_title,
    features_title,
    model_name,
    model_title,
)
from latent_nmr.studies.probes.published import PAPER_F1, PAPER_F1_IN_BINS, PAPER_R2

NETWORK_SHUFFLED = model_name(NETWORK, SHUFFLED)
TARGET_TITLES = {"W": "W", "L": "L", "alpha_x": "α_x", "alpha_z": "α_z"}
AVERAGES = ("f1_binary", "f1_macro", "f1_weighted")

Result = Mapping[str, Any]


def probe_tables(results: Sequence[Result]) -> Iterator[str]:
    """Every table of docs/probes.md that some kept probes can fill.

    Parameters
    ----------
    results : sequence of mapping
        Contents of `probe.json`, in any order. The probe with the leak measured, if there is one,
        is set beside the paper, and others of forests beside it; of those with networks, sets of
        as many curves that differ by the pulse angle share a table.
    """
    forests = [result for result in results if not _has_network(result)]
    main = next((result for result in forests if result["tables"]["leak"]), None)
    if main is not None:
        others = [result for result in forests if result is not main]
        columns = {
            _column_title(result, main): result
            for result in (main, *sorted(others, key=lambda other: _distance(other, main)))
        }
        yield classifiers(columns)
        yield three_kernels(main["tables"]["classification"])
        yield leaks(main["tables"]["leak"], main["tables"]["resampling"])
        yield bins(main["tables"]["screening"], main["tables"]["leak"])
        yield regressions(columns)
        yield features(main["tables"])
    yield from _network_tables([result for result in results if _has_network(result)])


def _network_tables(results: Sequence[Result]) -> Iterator[str]:
    """A table for every set of curves, or for those that differ by the pulse angle alone."""
    groups: dict[Any, list[Result]] = {}
    for number, result in enumerate(results):
        facts = tuple(result[name] for name in ("window", "line_draw", "n_curves"))
        alone = number if flip_angle(result) is None else None
        groups.setdefault((*facts, alone), []).append(result)
    by_angle = [{flip_angle(result): result for result in group} for group in groups.values()]
    for angles in by_angle:
        if len(angles) == 1:
            yield from map(networks, angles.values())
    for angles in by_angle:
        if len(angles) > 1:
            ordered = sorted(angle for angle in angles if angle is not None)
            yield by_pulse_angle({angle: angles[angle] for angle in ordered})


def flip_angle(result: Result) -> int | None:
    """Angle of the first pulse of the curves of a probe, whole degrees; None where not known."""
    angles = result.get("pulse_angles_rad")
    return round(math.degrees(angles[0])) if angles else None


def _has_network(result: Result) -> bool:
    return any(entry["model"] == NETWORK for entry in result["tables"]["regression"])


def _distance(result: Result, main: Result) -> tuple[bool, bool]:
    """What comes first beside `main`: the same offsets, then the same window."""
    return result["line_draw"] != main["line_draw"], result["window"] != main["window"]


def _column_title(result: Result, main: Result) -> str:
    words = f"{result['line_draw']} ν"
    is_same = result["n_samples"] == main["n_samples"]
    return words if is_same else f"{words}, {result['n_samples']} samples"


def classifiers(probes: Mapping[str, Result]) -> str:
    """Power law or not, beside the paper's Table I: all averages, macro only of further probes."""
    first, *others = probes
    columns = [(first, kind, a) for kind in ("points", "polynomial") for a in AVERAGES]
    columns += [(name, kind, "f1_macro") for name in others for kind in ("points", "polynomial")]
    rows = []
    for model, title in {**CLASSIFIER_TITLES, SHUFFLED: "random forest, shuffled labels"}.items():
        row = [title, str(PAPER_F1.get(model, ""))]
        for name, kind, average in columns:
            entries = probes[name]["tables"]["classification"]
            found = _find(entries, target="binary", features=kind, model=model)
            row.append(cell(found["scores"][average]) if found else "")
        rows.append(row)
    heads = [
        f"{KIND_TITLES[kind]}: {average[3:]}" + ("" if name == first else f", {name}")
        for name, kind, average in columns
    ]
    return markdown(["", "published F1", *heads], rows)


def three_kernels(entries: Sequence[Mapping[str, Any]]) -> str:
    """Three kernels: macro F1 by features."""
    kinds = list(dict.fromkeys(e["features"] for e in entries if e["target"] == "three-class"))
    rows = []
    for model, title in CLASSIFIER_TITLES.items():
        found = [_find(entries, target="three-class", features=k, model=model) for k in kinds]
        rows.append([title, *(_text(f, "f1_macro") for f in found)])
    return markdown(["", *map(features_title, kinds)], rows)


def leaks(leak: Sequence[Mapping[str, Any]], resampled: Sequence[Mapping[str, Any]]) -> str:
    """What oversampling before the split adds, and what it does to out-of-bag scores."""
    titles = {
        "honest": (leak, "split, then balance the training part"),
        "balanced": (leak, "the same, on a balanced test part"),
        "leaky": (leak, "balance, then split (leak)"),
        "out_of_bag": (resampled, "out of bag, classes weighted"),
        "five_fold": (resampled, "five-fold"),
        "out_of_bag_leaky": (resampled, "out of bag of repeated rows (leak)"),
    }
    rows = []
    for model, (entries, title) in titles.items():
        row = [title]
        for kind in ("points", "polynomial"):
            found = _find(entries, target="binary", group="all", features=kind, model=model)
            row += [cell(found["scores"][a]) if found else "" for a in ("f1_macro", "accuracy")]
        rows.append(row)
    heads = [f"{k}: {s}" for k in ("points", "polynomials") for s in ("F1 macro", "accuracy")]
    return markdown(["random forest", *heads], rows)


def bins(screening: Sequence[Mapping[str, Any]], leak: Sequence[Mapping[str, Any]]) -> str:
    """Macro F1 within bins of W."""
    rows = []
    for number in range(3):
        row = [bin_title(number), f"about {PAPER_F1_IN_BINS}"]
        for kind in ("points", "polynomial"):
            for by in ("true", "predicted"):
                found = _find(screening, by=by, bin=number, features=kind)
                row.append(_text(found, "f1_macro"))
            found = _find(leak, group=f"bin{number + 1}", features=kind, model="leaky")
            row.append(_text(found, "f1_macro"))
        rows.append(row)
    kinds = ("by true W", "by predicted W", "true W, with the leak")
    heads = [f"{k}: {w}" for k in ("points", "polynomials") for w in kinds]
    return markdown(["", "published", *heads], rows)


def regressions(probes: Mapping[str, Result]) -> str:
    """R² by target and group: every probe, points and polynomials."""
    rows = []
    for target, title in TARGET_TITLES.items():
        for group, words in GROUP_TITLES.items():
            known, bound = PAPER_R2.get((target, group)), "above" if target == "L" else "about"
            row = [f"{title}, {words}", "" if known is None else f"{bound} {known}"]
            for result in probes.values():
                for kind in ("points", "polynomial"):
                    found = _find(
                        result["tables"]["regression"],
                        target=target, group=group, features=kind, model="forest",
                    )  # fmt: skip
                    row.append(_text(found, "r2"))
            rows.append(row)
    heads = [f"{name}: {k}" for name in probes for k in ("points", "polynomials")]
    return markdown(["R² of a random forest", "published", *heads], rows)


def features(tables: Mapping[str, Any]) -> str:
    """What each kind of features is worth: R² and F1 of forests, all kernels."""
    entries = tables["regression"]
    kinds = list(dict.fromkeys(e["features"] for e in entries if e["model"] == "forest"))
    rows = []
    for kind in kinds:
        row = [features_title(kind)]
        for target in TARGET_TITLES:
            found = _find(entries, target=target, group="all", features=kind, model="forest")
            row.append(_text(found, "r2"))
        for task in ("binary", "three-class"):
            found = _find(tables["classification"], target=task, features=kind, model="forest")
            row.append(_text(found, "f1_macro"))
        rows.append(row)
    floor = [_find(entries, target=target, model=SHUFFLED) for target in TARGET_TITLES]
    task = _find(tables["classification"], target="binary", model=SHUFFLED)
    row = [_text(f, "r2") for f in floor]
    rows.append(["shuffled labels", *row, _text(task, "f1_macro"), ""])
    heads = [*(f"R² {t}" for t in TARGET_TITLES.values()), "F1 power law", "F1 three kernels"]
    return markdown(["random forest on", *heads], rows)


def networks(result: Result) -> str:
    """R² and F1 of forests and of a network on the same curves, and what the network gains."""
    tables = result["tables"]
    rows = []
    for target, title in TARGET_TITLES.items():
        for group, words in GROUP_TITLES.items():
            facts = {"target": target, "group": group, "features": "points"}
            pair = [_find(tables["regression"], **facts, model=m) for m in (FOREST, NETWORK)]
            floor = _find(tables["regression"], **facts, model=NETWORK_SHUFFLED)
            rows.append([f"R² {title}, {words}", *_compared(pair, floor, "r2")])
    for task, title in TASK_TITLES.items():
        facts = {"target": task, "features": "points"}
        pair = [_find(tables["classification"], **facts, model=m) for m in (FOREST, NETWORK)]
        floor = _find(tables["classification"], **facts, model=NETWORK_SHUFFLED)
        rows.append([f"F1 macro, {title}", *_compared(pair, floor, "f1_macro")])
    return markdown(["whole curve", "forest", "network", "gain", "network, shuffled labels"], rows)


def _compared(
    pair: Sequence[Mapping[str, Any] | None], floor: Mapping[str, Any] | None, score: str
) -> list[str]:
    """Cells of two models, of their difference seed by seed, and of the negative control."""
    values = [found["scores"].get(score, []) if found else [] for found in pair]
    gains = [after - before for before, after in zip(*values, strict=False)]
    cells = [cell(found) if found else "" for found in (*values, gains)]
    return [*cells, _text(floor, score)]


def by_pulse_angle(results: Mapping[int, Result]) -> str:
    """R² of all targets by pulse angle, forests and networks."""
    rows = []
    for angle, result in results.items():
        for model in (FOREST, NETWORK, NETWORK_SHUFFLED):
            row = [f"θ = {angle}°, {model_title(model).removeprefix('random ')}"]
            for target in TARGET_TITLES:
                found = _find(
                    result["tables"]["regression"],
                    target=target, group="all", features="points", model=model,
                )  # fmt: skip
                row.append(_text(found, "r2"))
            rows.append(row)
    return markdown(["R²", *TARGET_TITLES.values()], rows)


def _find(entries: Sequence[Mapping[str, Any]], **facts: Any) -> Mapping[str, Any] | None:
    for entry in entries:
        if all(entry.get(name) == value for name, value in facts.items()):
            return entry
    return None


def _text(entry: Mapping[str, Any] | None, score: str) -> str:
    """A cell; empty without the entry, or without the score, as R² of a target that is constant."""
    return cell(entry["scores"][score]) if entry and score in entry["scores"] else ""
