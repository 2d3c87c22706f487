"""The result of a probe for people: its tables as text, and the content of probe.json."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from latent_nmr.report.cells import cell
from latent_nmr.report.evaluation import window_text
from latent_nmr.report.failures import failure_lines
from latent_nmr.report.kept_results import PROBE
from latent_nmr.report.labels import unknown_notes
from latent_nmr.studies.probes.names import (
    FOREST,
    GROUP_TITLES,
    TASK_TITLES,
    bin_title,
    features_title,
    model_title,
)
from latent_nmr.studies.probes.result import ProbeResult

Entry = Mapping[str, Any]
# Facts that probe.json holds beside the tables.
KEPT_FACTS = (
    "data_sha256", "line_draw", "pulse_angles_rad", "window", "n_curves", "n_samples",
    "n_training", "n_held_out", "n_seeds", "n_forest_seeds", "n_detail_seeds", "packages",
    "seconds",
)  # fmt: skip
# Of features that are not |M|.
PART_FACTS = ("part", "polar")
UNIT_TEXTS = {"W": "MHz", "alpha_x": "MHz", "alpha_z": "MHz", "L": "lattice constants"}
# Of "0.123 ± 0.045", and of errors with a digit more.
CELL_WIDTH = 15
BINARY_SCORES = ("f1_binary", "f1_macro")
CLASSIFICATION_SCORES = ("f1_binary", "f1_macro", "f1_weighted", "accuracy")
PROTOCOL_TITLES = {
    "out_of_bag": "forest, out of bag",
    "five_fold": "forest, five-fold",
    "out_of_bag_leaky": "out of bag, rows repeated: LEAKS",
    "honest": "split, then balance the training part",
    "balanced": "the same, test balanced, too",
    "leaky": "balance, then split: LEAKS",
}


def probe_values(
    result: ProbeResult, *, command: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of probe.json.

    Parameters
    ----------
    result : ProbeResult
    command : str
        What makes it again.
    settings : mapping
        Options of the command, `data` among them.
    """
    return {
        "format": PROBE,
        "command": command,
        "settings": dict(settings),
        "data": settings["data"],
        **{name: result.facts[name] for name in KEPT_FACTS},
        **{name: result.facts[name] for name in PART_FACTS if name in result.facts},
        "incomplete_labels": result.facts.get("incomplete_labels", {}),
        "constant_labels": result.facts.get("constant_labels", []),
        "tables": result.tables,
        "failures": result.failures,
    }


def probe_lines(values: Entry) -> list[str]:
    """Tables as text.

    Parameters
    ----------
    values : mapping
        As from :func:`probe_values`.
    """
    lines = [
        f"{values['n_curves']} curves of {values['data']}, {window_text(values)}: "
        f"{values['n_training']} fitted, {values['n_held_out']} scored; mean ± standard deviation "
        f"over {_seeds(values)}"
    ]
    for title, rows in _blocks(values["tables"]):
        lines += ["", title, *rows]
    notes = unknown_notes(values.get("incomplete_labels", {}), values["n_curves"])
    notes += _constant_notes(values.get("constant_labels", []))
    lines += [""] * bool(notes) + [f"note       {note}" for note in notes]
    minutes, seconds = divmod(int(values["seconds"]), 60)
    return [*lines, "", f"time       {minutes} min {seconds} s", *failure_lines(values["failures"])]


def _constant_notes(constant: Sequence[Entry]) -> list[str]:
    """A note on each target that has no R² somewhere."""
    notes = []
    for entry in constant:
        score = "R² out of bag" if entry["part"] == "training" else "R²"
        seeds = ", ".join(map(str, entry["seeds"]))
        notes.append(
            f"no {score} of {entry['target']}, {GROUP_TITLES[entry['group']]}, with seed {seeds}: "
            f"the {entry['part']} curves have one value only"
        )
    return notes


def _seeds(values: Entry) -> str:
    """How often everything was repeated."""
    n_seeds, n_forests = values["n_seeds"], values["n_forest_seeds"]
    text = f"{n_seeds} seeds of split and fit"
    if n_forests != n_seeds:
        text += f", {n_forests} of forests on points and polynomials"
    if values["n_detail_seeds"] not in (0, n_seeds):
        text += f", {values['n_detail_seeds']} of leak, elimination and screening"
    return text


def _blocks(tables: Mapping[str, Sequence[Entry]]) -> Iterator[tuple[str, list[str]]]:
    for task, title in TASK_TITLES.items():
        entries = [e for e in tables["classification"] if e["target"] == task]
        if entries:
            names = [name for name in CLASSIFICATION_SCORES if name in entries[0]["scores"]]
            yield _block(title, [(_classifier_title(e), e) for e in entries], names)
    inside = [(_protocol_title(e), e) for name in ("resampling", "leak") for e in tables[name]]
    if inside:
        names = ("f1_macro", "f1_weighted", "accuracy")
        yield _block("random forest, other protocols", inside, names)
    if tables["screening"]:
        rows = [
            (f"{features_title(e['features'])}, {bin_title(e['bin'])}, {e['by']} W", e)
            for e in tables["screening"]
        ]
        yield _block("power law or not within bins of W, random forest", rows, BINARY_SCORES)
    if tables["regression"]:
        rows = [(_regression_title(e), e) for e in tables["regression"]]
        yield _block("regression, by forests if not stated", rows, ("r2", "mae", "r2_out_of_bag"))


def _block(
    title: str, rows: Sequence[tuple[str, Entry]], names: Sequence[str]
) -> tuple[str, list[str]]:
    """Heading and lines of one table, its columns aligned: of the scores that any row has."""
    width = max(len(words) for words, _ in rows)
    names = [name for name in names if any(name in entry["scores"] for _, entry in rows)]
    lines = []
    for words, entry in rows:
        cells = [f"{_cell(entry['scores'], name):<{CELL_WIDTH}}" for name in names]
        unit = UNIT_TEXTS.get(entry["target"], "")
        lines.append(f"  {words:<{width}}  {' '.join(cells)} {unit}".rstrip())
    heads = ", ".join(name.replace("_", " ") for name in names)
    return f"{title}: {heads}", lines


def _cell(scores: Mapping[str, Sequence[float]], name: str) -> str:
    return cell(scores[name], 4 if name == "mae" else 3) if name in scores else "-"


def _classifier_title(entry: Entry) -> str:
    return f"{features_title(entry['features'])}, {model_title(entry['model'])}"


def _protocol_title(entry: Entry) -> str:
    words = ""
    if entry["group"] != "all":
        words = bin_title(int(entry["group"].removeprefix("bin")) - 1) + ", "
    return f"{words}{features_title(entry['features'])}, {PROTOCOL_TITLES[entry['model']]}"


def _regression_title(entry: Entry) -> str:
    words = "" if entry["model"] == FOREST else f", {model_title(entry['model'])}"
    group = GROUP_TITLES[entry["group"]]
    return f"{entry['target']}, {group}, {features_title(entry['features'])}{words}"
