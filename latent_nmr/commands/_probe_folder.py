"""The output folder of a probe: its steps, its tables and its figures."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joblib import cpu_count
from tqdm.auto import tqdm

from latent_nmr._files import put_in_place, write_json
from latent_nmr.commands._probe import steps_of
from latent_nmr.commands._probe_data import FeatureTables, Material
from latent_nmr.commands._probe_figures import draw_figures
from latent_nmr.commands._probe_plan import Plan, Step
from latent_nmr.commands._probe_result import predictions_of, tables_of, write_csv
from latent_nmr.commands._progress import (
    IDENTITY_FILE,
    Ledger,
    command_of,
    finished_result,
    progress_folder,
    time_kept,
    versions,
)
from latent_nmr.commands._shell import tell
from latent_nmr.studies._threads import threads_side_by_side

RESULT_FILE, TABLE_FILE, SECONDS_FILE = "probe.json", "scores.csv", "seconds.json"
KEPT = ("steps", "features", SECONDS_FILE)
ENTRIES = {*KEPT, "figures", IDENTITY_FILE, RESULT_FILE, TABLE_FILE, SECONDS_FILE}
FORMAT = "latent_nmr.probe"
# Side by side: each holds curves and kernel matrices of its own, and forests use all cores.
MOST_STEPS = 8


def finished_probe(out: Path, settings: Mapping[str, Any], *, force: bool) -> dict[str, Any] | None:
    """Return an equal probe at `out`, None if `out` may be written, else raise."""
    return finished_result(
        out,
        settings,
        force=force,
        file=RESULT_FILE,
        entries=ENTRIES,
        noun="probe",
        needed=("tables", "seconds", "n_curves"),
    )


def write_all(
    out: Path, material: Material, plan: Plan, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Do what is not done yet in a folder beside `out`, then put it in the place of `out`."""
    folder = progress_folder(out, material.identity, KEPT)
    tables = FeatureTables(material, folder / "features")
    steps = steps_of(plan, material, tables)
    split = material.split(0)
    tell(
        f"Probing {len(material.curves)} curves in {len(steps)} steps: {len(split.fitted)} to fit "
        f"on, {len(split.held_out)} held out; every step is kept in {folder}"
    )
    with (
        time_kept(folder / SECONDS_FILE),
        tqdm(total=len(steps), unit="step", delay=1, disable=None) as bar,
    ):

        def on_step(name: str) -> None:
            bar.set_postfix_str(name, refresh=False)
            bar.update()

        ledger = Ledger(folder / "steps", on_step)
        with threads_side_by_side():
            found = ledger.take_all(
                [(s.name, s.compute) for s in steps], n_workers=min(cpu_count(), MOST_STEPS)
            )
        done: dict[Step, Any] = dict(zip(steps, found, strict=True))
    result = {
        "format": FORMAT,
        "command": command_of("probe", settings),
        "settings": dict(settings),
        "data": settings["data"],
        "data_sha256": material.identity["data_sha256"],
        "line_draw": material.dataset.attrs.get("line_draw"),
        "window": settings["window"],
        "n_curves": len(material.curves),
        "n_samples": material.curves.shape[1],
        "n_training": len(split.fitted),
        "n_held_out": len(split.held_out),
        "packages": versions(),
        "seconds": json.loads((folder / SECONDS_FILE).read_text("utf-8")),
        "tables": tables_of(done),
    }
    draw_figures(folder / "figures", material, result["tables"], predictions_of(done))
    write_csv(result["tables"], folder / TABLE_FILE)
    write_json(folder / RESULT_FILE, result)
    put_in_place(folder, out)
    return result
