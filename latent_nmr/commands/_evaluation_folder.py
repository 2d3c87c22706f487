"""The output folder of an evaluation: what is finished, what is under way, and its files."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from latent_nmr._files import put_in_place, write_json
from latent_nmr.analysis.scores import N_NEIGHBOURS
from latent_nmr.commands._evaluation import N_FORESTS, Workshop, expected_floor, rows_of
from latent_nmr.commands._evaluation_data import FITTED, HELD_OUT, Material
from latent_nmr.commands._evaluation_figures import draw_figures
from latent_nmr.commands._progress import (
    IDENTITY_FILE,
    command_of,
    finished_result,
    progress_folder,
    time_kept,
    versions,
)
from latent_nmr.commands._representations import Fit
from latent_nmr.commands._shell import Report, tell
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.inference import device_name
from latent_nmr.report.evaluation import table_lines, write_csv
from latent_nmr.report.evaluation_page import page
from latent_nmr.report.score_table import Row
from latent_nmr.report.verdicts import verdicts
from latent_nmr.studies.trained_model import describe_data

RESULT_FILE, PAGE_FILE, TABLE_FILE = "evaluation.json", "report.html", "scores.csv"
KEPT = ("fits", "models", "scores")  # what a further evaluation of the same data can go on from
ENTRIES = {*KEPT, "figures", IDENTITY_FILE, RESULT_FILE, PAGE_FILE, TABLE_FILE}
FORMAT = "latent_nmr.evaluation"


def finished_evaluation(
    out: Path, settings: Mapping[str, Any], *, force: bool
) -> dict[str, Any] | None:
    """Return an equal evaluation at `out`, None if `out` may be written, else raise."""
    return finished_result(
        out,
        settings,
        force=force,
        file=RESULT_FILE,
        entries=ENTRIES,
        noun="evaluation",
        needed=("tables",),
    )


def write_all(
    out: Path,
    material: Material,
    fits: Sequence[Fit],
    models: Mapping[Fit, BetaVAE],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Do what is not done yet in a folder beside `out`, then put it in the place of `out`."""
    hashes = [model.card()["weights_sha256"] for model in models.values()]
    folder = progress_folder(out, material.identity | {"models": hashes}, KEPT)
    total = len(fits) * (1 + len(material.scored_parts))
    if settings["ceiling"]:
        total += N_FORESTS * any(material.pair(part) for part in material.scored_parts)
    sizes = f"{len(material.curves[FITTED])} curves to fit on, {len(material.curves[HELD_OUT])}"
    tell(f"Evaluating {len(fits)} fits: {sizes} held out; every step is kept in {folder}")
    with (
        time_kept(folder / "scores" / "seconds.json"),
        tqdm(total=total, unit="step", delay=1, disable=None) as bar,
    ):

        def step(words: str) -> None:
            bar.set_postfix_str(words, refresh=False)
            bar.update()

        workshop = Workshop(folder, material, step)
        tables = tables_of(workshop, fits, models, with_ceiling=settings["ceiling"])
    result: dict[str, Any] = summary(material, tables, settings)
    result["seconds"] = json.loads((folder / "scores" / "seconds.json").read_text("utf-8"))
    figures = draw_figures(folder / "figures", workshop, fits, models, material, tables)
    rows = tables[HELD_OUT]
    found = verdicts(rows, result["expected_floor"][HELD_OUT])
    (folder / PAGE_FILE).write_text(page(result, rows, found, figures), "utf-8")
    write_csv(tables, folder / TABLE_FILE)
    write_json(folder / RESULT_FILE, result)
    put_in_place(folder, out)
    return result


def tables_of(
    workshop: Workshop, fits: Sequence[Fit], models: Mapping[Fit, BetaVAE], *, with_ceiling: bool
) -> dict[str, list[Row]]:
    """Fit what is missing and score it: the table of every part."""
    material = workshop.material
    for fit, model in models.items():
        workshop.adopt(fit, model)
    workshop.complete(fits, metadata_of(material))
    tables = {part: rows_of(workshop, fits, part) for part in material.scored_parts}
    if with_ceiling:
        for part, scores in workshop.ceiling().items():
            once = {name: (value,) for name, value in scores.items()}
            tables[part].append(Row("forest", None, (0,), once, role="ceiling"))
    return tables


def metadata_of(material: Material) -> dict[str, Any]:
    """What the β-VAEs of an evaluation say of their data: the training part."""
    rows = material.split.fitted
    names = ("window", "normalisation")
    window, normalisation = (material.identity[name] for name in names)
    part = material.dataset.isel(curve=rows)
    held_out = {name: material.identity[name] for name in ("fraction", "split_seed")}
    described = describe_data(part, material.curves[FITTED], window, normalisation)
    return described | {"held_out": held_out}


def summary(
    material: Material, tables: Mapping[str, Sequence[Row]], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything of the result but time."""
    floors = {part: expected_floor(material, part) for part in material.scored_parts}
    return {
        "format": FORMAT,
        "command": command_of("evaluate", settings),
        "settings": dict(settings),
        "data": settings["data"],
        "window": settings["window"],
        "normalisation": settings["normalisation"],
        "n_curves": sum(len(material.curves[part]) for part in (FITTED, HELD_OUT)),
        "n_training": len(material.curves[FITTED]),
        "n_held_out": len(material.curves[HELD_OUT]),
        "n_scored": {part: len(material.curves[part]) for part in material.scored_parts},
        "split_seed": settings["split_seed"],
        "n_neighbours": N_NEIGHBOURS,
        "data_sha256": material.identity["data_sha256"],
        "labels": sorted(material.labels[FITTED]),
        "device": device_name(),
        "packages": versions(),
        "remarks": remarks(material),
        "expected_floor": floors,
        "sentences": {
            part: [verdict.text for verdict in verdicts(rows, floors[part])]
            for part, rows in tables.items()
        },
        "tables": {part: [row.as_json() for row in rows] for part, rows in tables.items()},
    }


def remarks(material: Material) -> list[str]:
    """What the reader of the table must know of the data."""
    found = []
    for part, labels in material.labels.items():
        kernels = set(labels["kernel"].tolist()) if "kernel" in labels else set()
        if not labels:
            found.append(f"The {part} curves have no labels: only label-free scores are given.")
        elif len(kernels) == 1:
            found.append(
                f"The {part} curves are of one kernel only ({kernels.pop()}): kernels cannot be "
                "told apart, so that F1, silhouette and ARI are left out."
            )
        elif kernels and "power" not in kernels:
            found.append(f"The {part} curves have no power law: F1 against it is left out.")
    return found


def report_of(result: dict[str, Any], out: Path, remark: str) -> Report:
    """Table, sentences and places for people; the whole result for `--json`."""
    lines = [remark] if remark else []
    lines.append(
        f"{result['n_curves']} curves of {result['data']}, {result['window']} window: fitted on "
        f"{result['n_training']}, scored on {result['n_held_out']}"
    )
    for part, entries in result["tables"].items():
        rows = [Row.from_json(entry) for entry in entries]
        lines += ["", f"{part}, {result['n_scored'][part]} curves", *table_lines(rows)]
    for part, sentences in result["sentences"].items():
        lines += ["", f"{part}:", *sentences]
    lines += [f"note       {remark}" for remark in result["remarks"]]
    minutes, seconds = divmod(math.floor(result["seconds"]), 60)
    lines += ["", f"time       {minutes} min {seconds} s"]
    lines.append(
        f"written    {out}/: {PAGE_FILE}, {TABLE_FILE}, {RESULT_FILE}, figures, fits, models"
    )
    return Report(lines, {**result, "out": str(out)})
