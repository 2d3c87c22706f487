"""Tables of probes and challenges as Markdown, made of the results that are kept as JSON.

docs/probes.md and docs/challenge.md show them; `scripts/print_tables.py` prints them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from latent_nmr.analysis.classification import CLASSIFIER_TITLES, TASK_TITLES
from latent_nmr.analysis.forest_regression import GROUP_TITLES
from latent_nmr.analysis.published import PAPER_F1, PAPER_F1_IN_BINS, PAPER_R2
from latent_nmr.analysis.screening import bin_title
from latent_nmr.report.cells import cell
from latent_nmr.report.challenge import TITLES
from latent_nmr.report.markdown import markdown
from latent_nmr.studies.probes.names import (
    FOREST,
    KIND_TITLES,
    NETWORK,
    SHUFFLED,
    features_title,
    model_name,
    model_title,
)

TABLES = Path("artifacts/tables")
NETWORK_SHUFFLED = model_name(NETWORK, SHUFFLED)
# Probes by name, the one that is set beside the paper first.
PROBES = {
    "probe-echo-independent": "independent ν",
    "probe-echo300-independent": "independent ν, 300 samples",
    "probe-echo-stratified": "stratified ν",
}
# Probes of the whole curve, by forests and by a network.
WHOLE = "probe-full-independent"
# The same by pulse angle, on as many curves each.
BY_ANGLE = {
    60: "probe-full-flip60",
    90: "probe-full-flip90",
    120: "probe-full-flip120",
}
# As many curves as the challenge had.
LARGE = "challenge-2021-gauss-6000"
EDITIONS = ("2021-gauss", "2021-rkky", "2020", "spin")
TARGET_TITLES = {"W": "W", "L": "L", "alpha_x": "α_x", "alpha_z": "α_z"}
AVERAGES = ("f1_binary", "f1_macro", "f1_weighted")


def load(names: Sequence[str], folder: Path = TABLES) -> dict[str, Any]:
    """Those of the named results that are there."""
    paths = {name: folder / f"{name}.json" for name in names}
    return {n: json.loads(p.read_text("utf-8")) for n, p in paths.items() if p.is_file()}


def probe_tables(probes: Mapping[str, Any]) -> Iterator[str]:
    """Every table of docs/probes.md."""
    main = probes["probe-echo-independent"]["tables"]
    yield classifiers(probes)
    yield three_kernels(main["classification"])
    yield leaks(main["leak"], main["resampling"])
    yield bins(main["screening"], main["leak"])
    yield regressions(probes)
    yield features(main)


def network_tables(folder: Path = TABLES) -> Iterator[str]:
    """Tables of docs/probes.md on networks, of the results that are there."""
    whole = load([WHOLE], folder)
    if whole:
        yield networks(whole[WHOLE])
    turned = load(list(BY_ANGLE.values()), folder)
    angles = {angle: turned[name] for angle, name in BY_ANGLE.items() if name in turned}
    if angles:
        yield by_pulse_angle(angles)


def classifiers(probes: Mapping[str, Any]) -> str:
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
        f"{KIND_TITLES[kind]}: {average[3:]}" + ("" if name == first else f", {PROBES[name]}")
        for name, kind, average in columns
    ]
    return markdown(["", "published F1", *heads], rows)


def three_kernels(entries: Sequence[Mapping[str, Any]]) -> str:
    """Three kernels: macro F1 by features."""
    kinds = list(dict.fromkeys(e["features"] for e in entries if e["target"] == "three-class"))
    rows = []
    for model, title in CLASSIFIER_TITLES.items():
        found = [_find(entries, target="three-class", features=k, model=model) for k in kinds]
        rows.append([title, *(cell(f["scores"]["f1_macro"]) if f else "" for f in found)])
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
                row.append(cell(found["scores"]["f1_macro"]) if found else "")
            found = _find(leak, group=f"bin{number + 1}", features=kind, model="leaky")
            row.append(cell(found["scores"]["f1_macro"]) if found else "")
        rows.append(row)
    kinds = ("by true W", "by predicted W", "true W, with the leak")
    heads = [f"{k}: {w}" for k in ("points", "polynomials") for w in kinds]
    return markdown(["", "published", *heads], rows)


def regressions(probes: Mapping[str, Any]) -> str:
    """R² by target and group: every probe, points and polynomials."""
    rows = []
    for target, title in TARGET_TITLES.items():
        for group, words in GROUP_TITLES.items():
            known = PAPER_R2.get((target, group))
            row = [f"{title}, {words}", "" if known is None else f"about {known}"]
            for result in probes.values():
                for kind in ("points", "polynomial"):
                    found = _find(
                        result["tables"]["regression"],
                        target=target, group=group, features=kind, model="forest",
                    )  # fmt: skip
                    row.append(cell(found["scores"]["r2"]) if found else "")
            rows.append(row)
    heads = [f"{PROBES[n]}: {k}" for n in probes for k in ("points", "polynomials")]
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
            row.append(cell(found["scores"]["r2"]) if found else "")
        for task in ("binary", "three-class"):
            found = _find(tables["classification"], target=task, features=kind, model="forest")
            row.append(cell(found["scores"]["f1_macro"]) if found else "")
        rows.append(row)
    floor = [_find(entries, target=target, model=SHUFFLED) for target in TARGET_TITLES]
    task = _find(tables["classification"], target="binary", model=SHUFFLED)
    row = [cell(f["scores"]["r2"]) if f else "" for f in floor]
    rows.append(["shuffled labels", *row, cell(task["scores"]["f1_macro"]) if task else "", ""])
    heads = [*(f"R² {t}" for t in TARGET_TITLES.values()), "F1 power law", "F1 three kernels"]
    return markdown(["random forest on", *heads], rows)


def networks(result: Mapping[str, Any]) -> str:
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
    values = [found["scores"][score] if found else [] for found in pair]
    gains = [after - before for before, after in zip(*values, strict=False)]
    cells = [cell(found) if found else "" for found in (*values, gains)]
    return [*cells, cell(floor["scores"][score]) if floor else ""]


def by_pulse_angle(results: Mapping[int, Mapping[str, Any]]) -> str:
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
                row.append(cell(found["scores"]["r2"]) if found else "")
            rows.append(row)
    return markdown(["R²", *TARGET_TITLES.values()], rows)


def challenge_tables(results: Mapping[str, Any]) -> Iterator[str]:
    """Every table of docs/challenge.md: one per edition."""
    for edition in EDITIONS:
        own = results.get(f"challenge-{edition}-independent")
        if own:
            yield challenge(own, results.get(f"challenge-{edition}-frozen"))


def challenge(own: Mapping[str, Any], frozen: Mapping[str, Any] | None) -> str:
    """Mean squared standardised errors of one edition."""
    names = [*own["targets"], "mean", "sum"]
    if "score_2020" in own["rows"][0]["scores"]:
        names.append("score_2020")
    heads = ["", "published", *(n.replace("score_2020", "score of 2020") for n in names)]
    heads += ["evaluation part"] * ("evaluation" in own["rows"][0])
    heads += ["frozen line", "fitted to a frozen line, scored on others"] * (frozen is not None)
    rows = []
    for row in own["rows"]:
        model = row["model"]
        known = str(own["published"].get(model, ""))
        texts = [TITLES[model], known]
        texts += [cell(row["scores"][n if n == "score_2020" else f"mse_{n}"]) for n in names]
        if "evaluation" in own["rows"][0]:
            texts.append(cell(row["evaluation"]["mse_mean"]) if "evaluation" in row else "")
        if frozen is not None:
            twin = next((r for r in frozen["rows"] if r["model"] == model), None)
            texts.append(cell(twin["scores"]["mse_mean"]) if twin else "")
            elsewhere = next(iter(twin["others"].values()), None) if twin else None
            texts.append(cell(elsewhere["mse_mean"]) if elsewhere else "")
        rows.append(texts)
    return markdown(heads, rows)


def large(result: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    """Mean errors of many curves, beside those of the usual number."""
    few = {row["model"]: row for row in usual["rows"]}
    rows = []
    for row in result["rows"]:
        scores = [few[row["model"]]["scores"], row["scores"], row.get("evaluation")]
        cells = [cell(found["mse_mean"]) if found else "" for found in scores]
        rows.append([TITLES[row["model"]], *cells])
    counts = [result["n_curves"], result["n_evaluation"]]
    return markdown(
        ["", f"{usual['n_curves']} curves", f"{counts[0]} curves", f"{counts[1]} to submit"], rows
    )


def angles(result: Mapping[str, Any]) -> str:
    """R² of the couplings in bins of the pulse angle."""
    edges = result["by_angle"]["edges_deg"]
    rows = [
        [f"{TARGET_TITLES[target]}, {TITLES[model]}", *(f"{value:.3f}" for value in values)]
        for target, by_model in result["by_angle"]["r2"].items()
        for model, values in by_model.items()
    ]
    ends = pairwise(edges)
    return markdown(["R² within a bin of θ", *(f"{a:.0f}° to {b:.0f}°" for a, b in ends)], rows)


def _find(entries: Sequence[Mapping[str, Any]], **facts: Any) -> Mapping[str, Any] | None:
    for entry in entries:
        if all(entry.get(name) == value for name, value in facts.items()):
            return entry
    return None


def all_tables(what: str, folder: Path = TABLES) -> list[str]:
    """Every table of the probes or of the challenge whose results are in `folder`."""
    if what == "probes":
        return [*probe_tables(load(list(PROBES), folder)), *network_tables(folder)]
    names = [f"challenge-{e}-{draw}" for e in EDITIONS for draw in ("independent", "frozen")]
    results = load(names, folder)
    tables = list(challenge_tables(results))
    if "challenge-spin-independent" in results:
        tables.append(angles(results["challenge-spin-independent"]))
    many, usual = load([LARGE], folder).get(LARGE), results.get("challenge-2021-gauss-independent")
    if many and usual:
        tables.append(large(many, usual))
    return tables
