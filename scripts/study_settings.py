"""What would two or four latent axes need to reach the ceiling? Settings of the β-VAE, one by one.

    python scripts/study_settings.py [DATA] [--n-seeds 2]

Echo window, the split of `latent-nmr evaluate`, scores on the held-out part. Beside the fits
stands what coordinates could tell that held the true parameters themselves: α_x alone, α_x and
L, α_x and α_z. Fits are kept in artifacts/runs/settings, so that a killed study goes on. Writes
artifacts/tables/settings.json.
"""

import argparse
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from latent_nmr import open_echoes
from latent_nmr.commands.main import run_script
from latent_nmr.report.kept_results import write_result
from latent_nmr.report.study_tables import rows_as_json, settings_row, settings_table, truth_row
from latent_nmr.studies.description import origin
from latent_nmr.studies.settings import score_setting, true_parameter_scores

WINDOW = "echo"
WORK, RESULT = Path("artifacts/runs/settings"), Path("artifacts/tables/settings.json")
# Title: what differs from the defaults of `score_setting`.
SETTINGS: dict[str, dict[str, Any]] = {
    "defaults (σ = 0.02, β = 2, patience 7)": {},
    "σ = 0.01": {"parameters": {"scale": 0.01}},
    "σ = 0.05": {"parameters": {"scale": 0.05}},
    "β = 1": {"parameters": {"beta": 1.0}},
    "β = 4": {"parameters": {"beta": 4.0}},
    "β warmed up over 20 epochs": {"parameters": {"warm_up_epochs": 20}},
    "patience 30": {"parameters": {"patience": 30}},
    "patience 30, σ = 0.01": {"parameters": {"patience": 30, "scale": 0.01}},
    "each curve over its maximum": {"normalisation": "window_max"},
    "a quarter of the curves": {"share": 0.25},
}
DIMENSIONS = (2, 4)
TRUTHS = {"α_x": ("alpha_x",), "α_x and L": ("alpha_x", "L"), "α_x and α_z": ("alpha_x", "alpha_z")}


def main() -> None:
    """Study, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path("artifacts/data/paper-stratified-seed0.zarr")
    parser.add_argument("data", type=Path, nargs="?", default=default)
    parser.add_argument("--n-seeds", type=int, default=2)
    options = parser.parse_args()
    dataset = open_echoes(options.data)
    rows: dict[str, dict[str, Any]] = {}
    for title, names in TRUTHS.items():
        found = true_parameter_scores(dataset, names)
        rows[f"true {title}"] = {str(len(names)): truth_row(found, len(names))}
    for title in tqdm(SETTINGS, unit="setting", disable=None):
        rows[title] = {}
        for n in DIMENSIONS:
            facts = {"window": WINDOW, "n_components": n, "n_seeds": options.n_seeds}
            kept = WORK / f"{title}-{n}"
            result = score_setting(dataset, **SETTINGS[title], **facts, folder=kept)
            rows[title][str(n)] = settings_row(result, n)
    print(settings_table(rows))
    command = f"python scripts/study_settings.py {options.data} --n-seeds {options.n_seeds}"
    settings = {**origin(options.data, dataset), "window": WINDOW, "n_seeds": options.n_seeds}
    settings["varied"] = SETTINGS
    values = {"command": command, "settings": settings, "rows": rows_as_json(rows)}
    write_result(RESULT, values)


if __name__ == "__main__":
    run_script(main)
