"""Result tables of the site, made of what `artifacts/` holds: no page has a number pasted into it.

Needs no Sphinx: `site_parts` makes the directive `result-table` of it, tests read it as it is.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from latent_nmr.analysis.score_names import HEADLINES, SCORES
from latent_nmr.report.challenge_tables import challenge_tables
from latent_nmr.report.design import gain_table, linear_table, proof_table
from latent_nmr.report.kept_results import CHALLENGE, PROBE, read_results
from latent_nmr.report.markdown import chosen, evaluation_table, markdown
from latent_nmr.report.posterior_checks import (
    independent_table,
    predictive_table,
    repeats_table,
)
from latent_nmr.report.posterior_tables import (
    contraction_table,
    coverage_table,
    gate_table,
    sharpness_table,
)
from latent_nmr.report.probe_tables import probe_tables
from latent_nmr.report.score_table import Row
from latent_nmr.report.study_tables import likelihood_table, noise_table, settings_table

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
MAX_ROWS = 5
HELD_OUT = "held-out"
WITH_REPEATS = ("r2_W", "r2_alpha_x", "r2_alpha_z", "r2_L", "f1_macro", "repeat_scatter")
# In the order in which `probe_tables` and `challenge_tables` make them.
PROBES = {
    "classifiers": "Power law or not: F1 of all classifiers",
    "three-kernels": "Three kernels: macro F1",
    "leak": "What oversampling before the split adds",
    "bins": "Macro F1 of forests within bins of W",
    "regressions": "R² of random forests",
    "features": "What each kind of features is worth",
    "network": "A deep network on the whole curve",
    "pulse-angles": "R² by pulse angle",
}
CHALLENGES = {
    "challenge-2020": "Challenge of 2020",
    "challenge-gauss": "Challenge of 2021, Gaussian",
    "challenge-rkky": "Challenge of 2021, RKKY",
    "challenge-spin": "Challenge, spin edition",
    "challenge-angles": "Spin edition: R² within bins of the pulse angle",
    "challenge-6000": "As many curves as the challenge had",
}
RUNS = {
    "polar-pair": "60° and 120°, polar, carrier unknown by 10 kHz",
    "polar-pair-axes": "The pair: two to eight axes",
    "polar-pair-snr30": "The pair at SNR 30",
    "polar-pair-snr10": "The pair at SNR 10",
    "polar-pair-15000": "The pair, twice the curves",
    "polar-60": "60°, polar",
    "polar-60-carrier2": "60°, carrier unknown by 2 kHz",
    "polar-60-carrier10": "60°, carrier unknown by 10 kHz",
    "repeats-echo": "90°, echo window, repeats",
    "repeats-full": "90°, whole record, repeats",
}


MEASURED = "benchmarks/measured.json"
MEASURED_MODELS = ("measured-echo", "measured-echo-m0")
LOSSES, RECOVERY = "tables/measured-losses.json", "benchmarks/recovery.json"
# By the model and what its rows are divided by.
LOSS_MODELS = {
    ("plain", "|M(0)|"): "plain, M(0) known",
    ("plain", "maximum"): "plain, over the maximum",
    ("measured-echo-m0", "|M(0)|"): "measured-echo-m0, M(0) known",
    ("measured-echo", "height"): "measured-echo, M(0) unknown",
    ("PCA", "|M(0)|"): "PCA, M(0) known",
    ("PCA", "height"): "PCA, M(0) unknown",
    ("echo", "|M(0)|"): "echo (two axes), M(0) known",
    ("echo", "maximum"): "echo (two axes), over the maximum",
}
LOSS_SCORES = {
    "r2_W": "R² W",
    "r2_alpha_x": "R² α_x",
    "r2_L": "R² L",
    "f1_macro": "F1 power law",
    "f1_kernels_macro": "F1 three kernels",
}
RECOVERY_DIGITS = {"r2_W": 3, "rms_W": 4, "r2_L": 3, "rms_L": 1}
MEASURED_LABELS = {"W": "W", "alpha_x": "α_x", "alpha_z": "α_z", "L": "L"}
MEASURED_INTERVALS = {
    "LA1-2": "ellipses of LA1 and LA2",
    "LA3-4": "ellipses of LA3 and LA4",
    **{name: f"intervals of {title}" for name, title in MEASURED_LABELS.items()},
}


class Table(NamedTuple):
    """A result table.

    Attributes
    ----------
    title : str
    heads : list of str
    rows : list of list of str
    sources : tuple of str
        Files of `artifacts/` that it is made of, relative to that folder.
    """

    title: str
    heads: list[str]
    rows: list[list[str]]
    sources: tuple[str, ...]

    def text(self) -> str:
        """As Markdown."""
        return markdown(self.heads, self.rows)

    def as_csv(self) -> str:
        """As CSV, whose cells are the texts of the table."""
        content = io.StringIO()
        csv.writer(content, lineterminator="\n").writerows([self.heads, *self.rows])
        return content.getvalue()


def excerpt(
    table: Table,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    limit: int | None = MAX_ROWS,
) -> Table:
    """Some rows and columns of a table.

    Parameters
    ----------
    table : Table
    rows : sequence of str
        What the first cells of wanted rows, joined by commas, begin with; each is of the first row
        that does. Empty: the first rows.
    columns : sequence of str
        Heads of wanted columns beside the first. Empty: all.
    limit : int or None
        Rows that there may be.

    Raises
    ------
    ValueError
        If no row or column is called so, or more rows are named than there may be.
    """
    found = [_row(table, name) for name in rows] or table.rows[:limit]
    if limit is not None and len(found) > limit:
        raise ValueError(f"rows must be at most {limit}, but there are {len(found)}.")
    unknown = set(columns) - set(table.heads)
    if unknown:
        raise ValueError(f"columns must be among {table.heads}, but {sorted(unknown)} are not.")
    kept = [0, *map(table.heads.index, columns)] if columns else range(len(table.heads))
    return table._replace(
        heads=[table.heads[k] for k in kept], rows=[[row[k] for k in kept] for row in found]
    )


def _row(table: Table, name: str) -> list[str]:
    for row in table.rows:
        if ", ".join(row).startswith(name):
            return row
    known = [row[0] for row in table.rows]
    raise ValueError(f"rows must begin as those of the table, {known}, but {name!r} does not.")


@cache
def result_table(name: str) -> Table:
    """A table by its name in `TABLES`.

    Raises
    ------
    KeyError
        If there is no such table.
    """
    title, text, sources = TABLES[name]()
    lines = [line[2:-2].split(" | ") for line in text.splitlines()]
    return Table(title, lines[0], lines[2:], sources)


def all_tables_text() -> str:
    """Every table under its name, as Markdown for readers of the repository without the site."""
    parts = [
        "# Result tables",
        "Pages of `docs/` have a table's name where the site shows some of its rows; here are all "
        "tables. Made by `python docs/_ext/result_tables.py` of the files beside this one.",
    ]
    for name in TABLES:
        table = result_table(name)
        parts += [f"## {name}", f"{table.title}.", table.text()]
    return "\n\n".join(parts) + "\n"


def score(name: str, row: str, column: str) -> str:
    """One cell of a table, by the beginning of its row and the head of its column."""
    return excerpt(result_table(name), [row], [column]).rows[0][1]


def _read(name: str) -> Any:
    return json.loads((ARTIFACTS / name).read_text("utf-8"))


def _evaluation(run: str, title: str, part: str = HELD_OUT, **chosen_by: Any) -> tuple:
    source = f"tables/evaluation-{run}.json"
    columns = chosen_by.pop("columns", None)
    result = _read(source)
    if part == "independent":
        (part,) = (name for name, draw in result["line_draw"].items() if draw == part)
    rows = chosen(result, part, **chosen_by)
    text = evaluation_table(rows) if columns is None else evaluation_table(rows, columns)
    return title, text, (source,)


def _shares() -> tuple:
    """Scores of the β-VAE over those of the forest on the curves themselves."""
    sources = tuple(f"tables/evaluation-{window}.json" for window in ("echo", "full"))
    parts = [chosen(_read(source), HELD_OUT) for source in sources]
    columns = [(rows, n) for n in (2, 4) for rows in parts]
    lines = []
    for name in HEADLINES:
        line = [SCORES[name].title]
        for rows, n_axes in columns:
            own = next(row for row in rows if (row.method, row.n_components) == ("vae", n_axes))
            (ceiling,) = (row for row in rows if row.role == "ceiling")
            line.append(f"{own.cell(name).mean / ceiling.cell(name).mean:.2f}")
        lines.append(line)
    heads = ["share of the ceiling"]
    heads += [f"{n} axes, {w}" for n in ("two", "four") for w in ("echo", "full")]
    return "The β-VAE's share of what a forest predicts", markdown(heads, lines), sources


def _likelihood(window: str) -> tuple:
    found = _read("tables/likelihood.json")["windows"][window]
    return (
        f"Likelihoods, {window} window",
        likelihood_table(window, found),
        ("tables/likelihood.json",),
    )


def _settings() -> tuple:
    source = "tables/settings.json"
    return (
        "Settings of the β-VAE, echo window",
        settings_table(_rows(_read(source)["rows"])),
        (source,),
    )


def _noise() -> tuple:
    source = "tables/noise.json"
    found = _read(source)
    text = noise_table(_rows(found["tables"]), found["settings"]["snr"])
    return "Scores over the signal-to-noise ratio, echo window", text, (source,)


def _rows(tables: Any) -> Any:
    """Rows of nested tables, from their JSON."""
    if isinstance(tables, list):
        return [Row.from_json(entry) for entry in tables]
    if "scores" in tables:
        return Row.from_json(tables)
    return {name: _rows(entry) for name, entry in tables.items()}


def _kept(kind: str, names: dict[str, str], make: Callable, name: str) -> tuple:
    folder = ARTIFACTS / "tables"
    tables = dict(zip(names, make(read_results(folder, kind)), strict=True))
    stem = kind.removeprefix("latent_nmr.")
    sources = tuple(f"tables/{path.name}" for path in sorted(folder.glob(f"{stem}-*.json")))
    return names[name], tables[name], sources


def _calibration() -> tuple:
    source = "benchmarks/error-calibration.json"
    rows = []
    for row in _read(source)["summary"]:
        shares = [f"{100 * row[name]:.1f}" for name in ("met", "within", "within_two_estimates")]
        ratios = [f"{row[name]:.2f}" for name in ("ratio_50", "ratio_99")]
        title = "all" if row["family"] == "all" else f"{row['family']}: {row['value']}"
        rows.append([title, str(row["n"]), *shares, *ratios])
    heads = ["lattices", "number", "said within (%)", "within (%)", "within twice the estimate (%)"]
    text = markdown([*heads, "error / estimate, median", "99 %"], rows)
    return "Estimated errors beside true ones", text, (source,)


def _training() -> tuple:
    source = "benchmarks/training.json"
    epochs = _read(source)["epochs"]
    titles = {
        "torch_over_ours": "PyTorch, over ours",
        "torch_fused_adam_over_ours": "PyTorch with fused Adam, over ours",
        "times_the_floor": "ours over the arithmetic floor",
    }
    rows = [
        [title, *(f"{epochs[window][name]:.2f}" for window in ("echo", "full"))]
        for name, title in titles.items()
    ]
    return "Time per epoch", markdown(["", "echo", "full"], rows), (source,)


def _measured(part: str) -> tuple:
    """Verdicts, ellipses and intervals of simulated measurements, `part` of all SNR or some."""
    found = {name: _read(MEASURED)[name]["simulated"][part] for name in MEASURED_MODELS}
    rows = [["records", *(str(own["records"]) for own in found.values()), ""]]
    rows.append(["p < 0.02", *(f"{own['false alarms']:.1%}" for own in found.values()), "2.0%"])
    rows.append(["p uniform (KS)", *(f"{own['KS']:.2g}" for own in found.values()), "> 0.01"])
    for name, title in MEASURED_INTERVALS.items():
        cells = [
            " and ".join(f"{own['coverage'][f'{name} {level}']:.0%}" for level in (68, 95))
            for own in found.values()
        ]
        rows.append([f"{title} hold", *cells, "68% and 95%"])
    for name, title in MEASURED_LABELS.items():
        rows.append([f"R² {title}", *(f"{own['R2'][name]:.2f}" for own in found.values()), ""])
    rows.append(["kernel", *(f"{own['kernel right']:.0%}" for own in found.values()), ""])
    text = markdown(["", *found, "should be"], rows)
    return f"Simulated measurements: {part}", text, (MEASURED,)


def _measured_power() -> tuple:
    """How often what is no simulated echo is not INSIDE."""
    found = {name: _read(MEASURED)[name] for name in MEASURED_MODELS}
    kinds = [name for name in found[MEASURED_MODELS[0]] if name != "simulated"]
    rows = []
    for kind in kinds:
        own = [model[kind]["all"] for model in found.values()]
        inside = [one["verdicts"].get("INSIDE", 0) / one["records"] for one in own]
        numbers = " and ".join(str(one["records"]) for one in own)
        rows.append([kind, numbers, *(f"{1 - part:.0%}" for part in inside)])
    text = markdown(["not INSIDE", "records", *found], rows)
    return "What is called something else than INSIDE", text, (MEASURED,)


def _losses(with_noise: bool) -> tuple:
    """What models of measured echoes lose: on curves without noise, or over the SNR."""
    found = {}
    for row in _read(LOSSES)["rows"]:
        found.setdefault((row["model"], row["over"]), {})[row["snr"]] = row
    models = {title: found[name] for name, title in LOSS_MODELS.items()}
    if not with_noise:
        rows = [[m, *(f"{own[None][s]:.3f}" for s in LOSS_SCORES)] for m, own in models.items()]
        text = markdown(["no noise, no receiver", *LOSS_SCORES.values()], rows)
        return "What models of measured echoes lose", text, (LOSSES,)
    rows = [
        [title, model, *(f"{one[score]:.3f}" for one in own.values())]
        for score, title in LOSS_SCORES.items()
        for model, own in models.items()
    ]
    levels = [f"SNR {snr:g}" for snr in next(iter(models.values())) if snr is not None]
    text = markdown(["score", "model", "neither", *levels], rows)
    return "The same behind a receiver, with noise", text, (LOSSES,)


def _recovery() -> tuple:
    """W and L from files of known truth; formats that say the same share their rows."""
    shared: dict[tuple, list[str]] = {}
    for row in _read(RECOVERY)["rows"]:
        cells = [f"{row[name]:.{n}f}" for name, n in RECOVERY_DIGITS.items()]
        files = f"{row['estimated']} of {row['files']}"
        shared.setdefault(("{:g} to {:g}".format(*row["snr"]), files, *cells), []).append(
            row["format"]
        )
    rows = [[snr, *cells, ", ".join(formats)] for (snr, *cells), formats in shared.items()]
    heads = ["SNR", "INSIDE", "R² W", "rms of W (MHz)", "R² L", "rms of L", "formats"]
    return "W and L from files of known truth", markdown(heads, rows), (RECOVERY,)


def _formats() -> tuple:
    """How far records from files of every format are from those that were written."""
    found = _read(RECOVERY)
    files: dict[str, int] = {}
    for row in found["rows"]:
        files[row["format"]] = files.get(row["format"], 0) + row["files"]
    rows = [
        [name, str(files[name]), str(found["measured_again"][name]), f"{10**6 * apart:.1f}·10⁻⁶"]
        for name, apart in found["largest_difference"].items()
    ]
    heads = ["format", "files", "prepared again", "largest difference over the height"]
    return "Records from files beside those written", markdown(heads, rows), (RECOVERY,)


def _posterior(title: str, make: Callable) -> tuple:
    source = "tables/posterior.json"
    return f"Posteriors: {title}", make(_read(source)["receivers"]), (source,)


def _checks(title: str, make: Callable) -> tuple:
    source = "tables/posterior-checks.json"
    return title, make(_read(source)), (source,)


def _design(title: str, make: Callable) -> tuple:
    source = "tables/design.json"
    return title, make(_read(source)), (source,)


def _design_linear() -> tuple:
    sources = ("tables/design.json", "tables/design-linear.json")
    text = linear_table(*map(_read, sources))
    return "Gains by the posterior and by the linear check", text, sources


def _audit(folder: str) -> tuple:
    source = f"audit/{folder}/audit.json"
    rows = [
        [
            f"{point['axis']}, z = {point['z']:g}",
            point["verdict"],
            "yes" if point["off_data"] else "",
            f"{point['rms']:.4f}",
            f"{point['ratio']:.1f}",
            f"{point['outside']:.0%}",
            f"{point['rms_neighbours']:.4f}",
            f"{point['worst_residual']:+.3f} at {point['worst_time_us']:.1f}",
        ]
        for point in _read(source)["points"]
    ]
    heads = ["axis, z", "verdict", "off the data", "rms to simulated", "over their scatter"]
    heads += ["outside ± 2 sd", "rms to neighbours", "worst, at µs"]
    return f"Audit of the decoder {folder}", markdown(heads, rows), (source,)


TABLES: dict[str, Callable[[], tuple]] = {
    "posterior-gate": lambda: _posterior("checks", gate_table),
    "posterior-coverage": lambda: _posterior("coverage", coverage_table),
    "posterior-contraction": lambda: _posterior("contraction by angle", contraction_table),
    "posterior-sharpness": lambda: _posterior("R² beside a forest", sharpness_table),
    "posterior-independent": lambda: _checks(
        "Posteriors beside simulations near five echoes", independent_table
    ),
    "posterior-predictive": lambda: _checks(
        "Curves within bands of simulated curves of draws", predictive_table
    ),
    "posterior-repeats": lambda: _checks("Posteriors of repeats of a material", repeats_table),
    "design-gains": lambda: _design("What one echo is expected to say", gain_table),
    "design-linear": _design_linear,
    "design-proof": lambda: _design("Second echoes: predicted and found", proof_table),
    "evaluation-echo": lambda: _evaluation("echo", "Echo window, held-out part"),
    "evaluation-full": lambda: _evaluation("full", "Full curve, held-out part"),
    "evaluation-echo-independent": lambda: _evaluation(
        "echo", "Echo window, independent ν", "independent", dimensions=[2, 4]
    ),
    "evaluation-full-independent": lambda: _evaluation(
        "full", "Full curve, independent ν", "independent", dimensions=[2, 4]
    ),
    **{
        f"evaluation-{run}": (
            lambda run=run, title=title: _evaluation(run, title, columns=WITH_REPEATS)
        )
        for run, title in RUNS.items()
    },
    "evaluation-polar-pair-fresh": lambda: _evaluation(
        "polar-pair-fresh",
        "The pair, materials that were never looked at",
        "paper-pair-last",
        columns=WITH_REPEATS,
    ),
    "shares": _shares,
    "settings": _settings,
    "noise": _noise,
    "likelihood-echo": lambda: _likelihood("echo"),
    "likelihood-full": lambda: _likelihood("full"),
    **{name: (lambda name=name: _kept(PROBE, PROBES, probe_tables, name)) for name in PROBES},
    **{
        name: (lambda name=name: _kept(CHALLENGE, CHALLENGES, challenge_tables, name))
        for name in CHALLENGES
    },
    "measured": lambda: _measured("all"),
    "measured-clear": lambda: _measured("SNR 30 to 100"),
    "measured-power": _measured_power,
    "measured-losses": lambda: _losses(with_noise=False),
    "measured-losses-noise": lambda: _losses(with_noise=True),
    "measured-recovery": _recovery,
    "measured-formats": _formats,
    "audit-echo": lambda: _audit("echo"),
    "audit-polar-pair": lambda: _audit("polar-pair"),
    "calibration": _calibration,
    "training-speed": _training,
}

if __name__ == "__main__":
    (ARTIFACTS / "tables" / "README.md").write_text(all_tables_text(), "utf-8")
