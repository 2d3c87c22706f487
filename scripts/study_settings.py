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

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from latent_nmr import BetaVAE, evaluate, features, open_echoes
from latent_nmr._files import write_json
from latent_nmr.analysis.score_names import HEADLINES
from latent_nmr.analysis.scores import REGRESSED, Parts, neighbour_scores
from latent_nmr.analysis.split import hold_out
from latent_nmr.report.evaluation import rows_of
from latent_nmr.report.score_table import Row

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


def fit_and_score(
    title: str, n_components: int, n_seeds: int, dataset: xr.Dataset
) -> dict[str, tuple[float, ...]]:
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
    scores = rows_of(result, "held-out")[0].scores
    epochs = tuple(float(fit["epochs"]) for fit in result.facts["fits"])
    return {name: scores[name] for name in (*HEADLINES, "rms")} | {"epochs": epochs}


def truth_scores(names: tuple[str, ...], dataset: xr.Dataset) -> dict[str, tuple[float, ...]]:
    """Headline scores of the true parameters as coordinates, each over its deviation."""
    split = hold_out(dataset.sizes["curve"], dataset["kernel"].to_numpy())
    rows = [{n: dataset[n].to_numpy()[own] for n in (*REGRESSED, "kernel")} for own in split]
    fitted, scored = (np.stack([part[name] for name in names], axis=1) for part in rows)
    deviation = fitted.std(axis=0)
    scores = neighbour_scores(fitted / deviation, scored / deviation, Parts(*rows))
    return {name: (scores[name],) for name in HEADLINES}


def markdown(rows: dict[str, dict[str, Row]]) -> str:
    """The table, one line per setting and dimension."""
    heads = ["R² W", "R² α_x", "R² L", "F1 macro", "rms", "epochs"]
    lines = ["| | axes | " + " | ".join(heads) + " |", "|" + "---|" * (len(heads) + 2)]
    digits = {"rms": 4, "epochs": 0}
    for title, by_dimension in rows.items():
        for dimension, row in by_dimension.items():
            cells = [(name, row.cell(name)) for name in (*HEADLINES, "rms", "epochs")]
            texts = ["" if cell is None else cell.text(digits.get(name, 3)) for name, cell in cells]
            lines.append(f"| {title} | {dimension} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


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
        scores = truth_scores(names, dataset)
        rows[f"true {title}"] = {str(len(names)): Row("truth", len(names), (0,), scores)}
    seeds = tuple(range(options.n_seeds))
    for title in tqdm(SETTINGS, unit="setting", disable=None):
        rows[title] = {}
        for n_components in DIMENSIONS:
            scores = fit_and_score(title, n_components, options.n_seeds, dataset)
            rows[title][str(n_components)] = Row("vae", n_components, seeds, scores)
    print(markdown(rows))
    command = f"python scripts/study_settings.py {options.data} --n-seeds {options.n_seeds}"
    table = {
        title: {dimension: row.as_json() for dimension, row in by_dimension.items()}
        for title, by_dimension in rows.items()
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    write_json(RESULT, {"command": command, "window": WINDOW, "rows": table})


if __name__ == "__main__":
    main()
