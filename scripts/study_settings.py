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

import xarray as xr
from tqdm.auto import tqdm

from latent_nmr import BetaVAE, evaluate, features, open_echoes
from latent_nmr._files import write_json
from latent_nmr.analysis.score_names import HEADLINES
from latent_nmr.analysis.split import hold_out
from latent_nmr.report.evaluation import rows_of
from latent_nmr.report.score_table import Row
from latent_nmr.report.study_tables import settings_table
from latent_nmr.studies.settings import true_parameter_scores

WINDOW = "echo"
WORK, RESULT = Path("artifacts/runs/settings"), Path("artifacts/tables/settings.json")
INITIAL, WINDOW_MAX = "initial", "window_max"
# Title: what differs from the defaults, how curves are normalised, which part of them is used.
SETTINGS: dict[str, tuple[dict[str, Any], str, float]] = {
    "defaults (σ = 0.02, β = 2, patience 7)": ({}, INITIAL, 1.0),
    "σ = 0.01": ({"scale": 0.01}, INITIAL, 1.0),
    "σ = 0.05": ({"scale": 0.05}, INITIAL, 1.0),
    "β = 1": ({"beta": 1.0}, INITIAL, 1.0),
    "β = 4": ({"beta": 4.0}, INITIAL, 1.0),
    "β warmed up over 20 epochs": ({"warm_up_epochs": 20}, INITIAL, 1.0),
    "patience 30": ({"patience": 30}, INITIAL, 1.0),
    "patience 30, σ = 0.01": ({"patience": 30, "scale": 0.01}, INITIAL, 1.0),
    "each curve over its maximum": ({}, WINDOW_MAX, 1.0),
    "a quarter of the curves": ({}, INITIAL, 0.25),
}
DIMENSIONS = (2, 4)
TRUTHS = {"α_x": ("alpha_x",), "α_x and L": ("alpha_x", "L"), "α_x and α_z": ("alpha_x", "alpha_z")}


def fit_and_score(title: str, n_components: int, n_seeds: int, dataset: xr.Dataset) -> Row:
    """Headline scores, rms and epochs of one setting, one value per seed."""
    parameters, normalisation, share = SETTINGS[title]
    split = hold_out(dataset.sizes["curve"], dataset["kernel"].to_numpy())
    result = evaluate(
        features(dataset, WINDOW, normalisation),
        dataset,
        {title: BetaVAE(n_components=n_components, **parameters)},
        n_seeds=n_seeds,
        split=(split.fitted[: round(share * len(split.fitted))], split.held_out),
        ceiling=False,
        folder=WORK / f"{title}-{n_components}",
    )
    known = rows_of(result, "held-out")[0].scores
    scores = {name: known[name] for name in (*HEADLINES, "rms")}
    scores["epochs"] = tuple(float(fit["epochs"]) for fit in result.facts["fits"])
    return Row("vae", n_components, tuple(range(n_seeds)), scores)


def main() -> None:
    """Study, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path("artifacts/data/paper-stratified-seed0.zarr")
    parser.add_argument("data", type=Path, nargs="?", default=default)
    parser.add_argument("--n-seeds", type=int, default=2)
    options = parser.parse_args()
    dataset = open_echoes(options.data)
    rows: dict[str, dict[str, Row]] = {}
    for title, names in TRUTHS.items():
        found = true_parameter_scores(dataset, names)
        scores = {name: (value,) for name, value in found.items()}
        rows[f"true {title}"] = {str(len(names)): Row("truth", len(names), (0,), scores)}
    for title in tqdm(SETTINGS, unit="setting", disable=None):
        rows[title] = {
            str(n): fit_and_score(title, n, options.n_seeds, dataset) for n in DIMENSIONS
        }
    print(settings_table(rows))
    command = f"python scripts/study_settings.py {options.data} --n-seeds {options.n_seeds}"
    table = {
        title: {dimension: row.as_json() for dimension, row in by_dimension.items()}
        for title, by_dimension in rows.items()
    }
    write_json(RESULT, {"command": command, "window": WINDOW, "rows": table})


if __name__ == "__main__":
    main()
