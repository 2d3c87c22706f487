"""What the command `probe` says: its tables for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from latent_nmr.analysis.classification import TASK_TITLES
from latent_nmr.analysis.forest_regression import GROUP_TITLES
from latent_nmr.analysis.screening import bin_title
from latent_nmr.commands._probe_data import features_title
from latent_nmr.commands._probe_plan import FOREST, MODEL_TITLES
from latent_nmr.commands._probe_result import cell
from latent_nmr.commands._shell import Report

Entry = Mapping[str, Any]
UNIT_TEXTS = {"W": "MHz", "alpha_x": "MHz", "alpha_z": "MHz", "L": "lattice constants"}
BINARY_SCORES = ["f1_binary", "f1_macro"]
PROTOCOL_TITLES = {
    "out_of_bag": "forest, out of bag",
    "five_fold": "forest, five-fold",
    "out_of_bag_leaky": "out of bag, rows repeated: LEAKS",
    "honest": "split, then balance the training part",
    "balanced": "the same, test balanced too",
    "leaky": "balance, then split: LEAKS",
}


def report_of(result: Entry, out: Path, remark: str) -> Report:
    """Tables and places for people; the whole result for `--json`."""
    lines = [remark] if remark else []
    lines.append(
        f"{result['n_curves']} curves of {result['data']}, {result['window']} window: fitted on "
        f"{result['n_training']}, scored on {result['n_held_out']}; mean ± deviation over "
        f"{_seeds(result['settings'])}"
    )
    tables = result["tables"]
    for title, rows in _blocks(tables):
        lines += ["", title, *rows]
    minutes, seconds = divmod(int(result["seconds"]), 60)
    lines += ["", f"time       {minutes} min {seconds} s"]
    lines.append(f"written    {out}/: probe.json, scores.csv, figures, steps, features")
    return Report(lines, {**result, "out": str(out)})


def _seeds(settings: Entry) -> str:
    """How often everything was repeated."""
    text = f"{settings['n_seeds']} seeds of split and fit"
    n_forests, n_details = settings["n_forest_seeds"], settings["n_detail_seeds"]
    if n_forests is not None:
        text += f", {n_forests} of forests on points and polynomials"
    if n_details:
        text += f", {n_details} of leak, elimination and screening"
    return text


def _blocks(tables: Mapping[str, Sequence[Entry]]) -> Iterator[tuple[str, list[str]]]:
    for task, title in TASK_TITLES.items():
        entries = [e for e in tables["classification"] if e["target"] == task]
        if entries:
            shown = ("f1_binary", "f1_macro", "f1_weighted", "accuracy")
            names = [name for name in shown if name in entries[0]["scores"]]
            yield _block(title, [(_classifier_title(e), e) for e in entries], names)
    inside = [(_protocol_title(e), e) for name in ("resampling", "leak") for e in tables[name]]
    if inside:
        names = ["f1_macro", "f1_weighted", "accuracy"]
        yield _block("random forest, other protocols", inside, names)
    if tables["screening"]:
        rows = [
            (f"{features_title(e['features'])}, {bin_title(e['bin'])}, {e['by']} W", e)
            for e in tables["screening"]
        ]
        yield _block("power law or not within bins of W, random forest", rows, BINARY_SCORES)
    if tables["regression"]:
        rows = [(_regression_title(e), e) for e in tables["regression"]]
        yield _block("regression, of forests if not said", rows, ["r2", "mae", "r2_out_of_bag"])


def _block(
    title: str, rows: Sequence[tuple[str, Entry]], names: Sequence[str]
) -> tuple[str, list[str]]:
    """Heading and lines of one table, its columns under each other."""
    width = max(len(words) for words, _ in rows)
    lines = []
    for words, entry in rows:
        cells = [
            f"{cell(entry['scores'][name], 4 if name == 'mae' else 3):<15}"
            for name in names
            if name in entry["scores"]
        ]
        unit = UNIT_TEXTS.get(entry["target"], "")
        lines.append(f"  {words:<{width}}  {' '.join(cells)} {unit}".rstrip())
    heads = ", ".join(name.replace("_", " ") for name in names)
    return f"{title}: {heads}", lines


def _classifier_title(entry: Entry) -> str:
    return f"{features_title(entry['features'])}, {MODEL_TITLES[entry['model']]}"


def _protocol_title(entry: Entry) -> str:
    short = {"binary": "", "three-class": "three kernels, "}[entry["target"]]
    if entry["group"] != "all":
        short = bin_title(int(entry["group"].removeprefix("bin")) - 1) + ", "
    return f"{short}{features_title(entry['features'])}, {PROTOCOL_TITLES[entry['model']]}"


def _regression_title(entry: Entry) -> str:
    words = "" if entry["model"] == FOREST else f", {MODEL_TITLES[entry['model']]}"
    group = GROUP_TITLES[entry["group"]]
    return f"{entry['target']}, {group}, {features_title(entry['features'])}{words}"
