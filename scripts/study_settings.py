"""What would two or four latent axes need to reach the ceiling? Settings of the β-VAE, one by one.

    python scripts/study_settings.py [DATA] [--n-seeds 2]

Echo window, the split of `latent-nmr evaluate`, scores on the held-out part. Beside the fits
stands what coordinates could tell that held the true parameters themselves: α_x alone, α_x and
L, α_x and α_z. Fits are kept in artifacts/runs/settings, so that a killed study goes on. Writes
artifacts/tables/settings.json.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from latent_nmr import fit_many
from latent_nmr._files import write_json
from latent_nmr.analysis.score_names import HEADLINES
from latent_nmr.analysis.scores import neighbour_scores
from latent_nmr.commands._evaluation_data import FITTED, HELD_OUT, Material, gather
from latent_nmr.commands._representations import embed
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.report.score_table import Row

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
    title: str, n_components: int, n_seeds: int, materials: dict[str, Material]
) -> dict[str, tuple[float, ...]]:
    """Headline scores, rms and epochs of one setting, one value per seed."""
    parameters, normalisation, share = SETTINGS[title]
    material = materials[normalisation]
    path = WORK / material.identity["data_sha256"][:12] / f"{title}-{n_components}-{n_seeds}.json"
    if path.is_file():
        return json.loads(path.read_text("utf-8"))
    curves, labels = material.curves, material.pair(HELD_OUT)
    assert labels is not None, "the study needs labels"
    fitted = curves[FITTED][: round(share * len(curves[FITTED]))]
    template = BetaVAE(n_components=n_components, **parameters)
    found: dict[str, list[float]] = {}
    for model in fit_many(fitted, seeds=range(n_seeds), model=template):
        embedding = embed(model, curves, seconds=float("nan"))
        scores = neighbour_scores(embedding.parts[FITTED], embedding.parts[HELD_OUT], labels)
        kept = {name: scores[name] for name in HEADLINES}
        kept |= {"rms": embedding.rms[HELD_OUT], "epochs": float(model.n_iter_)}
        for name, value in kept.items():
            found.setdefault(name, []).append(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    return {name: tuple(values) for name, values in found.items()}


def truth_scores(names: tuple[str, ...], material: Material) -> dict[str, tuple[float, ...]]:
    """Headline scores of the true parameters as coordinates, each over its deviation."""
    labels = material.pair(HELD_OUT)
    assert labels is not None, "the study needs labels"
    fitted, scored = (
        np.stack([np.asarray(part[name], float) for name in names], axis=1)
        for part in (labels.fitted, labels.scored)
    )
    deviation = fitted.std(axis=0)
    scores = neighbour_scores(fitted / deviation, scored / deviation, labels)
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
    split = {"window": "echo", "fraction": 0.2, "split_seed": 0}
    materials = {
        name: gather(options.data, (), normalisation=name, **split)
        for name in (INITIAL, WINDOW_MAX)
    }
    rows: dict[str, dict[str, Row]] = {}
    for title, names in TRUTHS.items():
        scores = truth_scores(names, materials[INITIAL])
        rows[f"true {title}"] = {str(len(names)): Row("truth", len(names), (0,), scores)}
    seeds = tuple(range(options.n_seeds))
    for title in tqdm(SETTINGS, unit="setting", disable=None):
        rows[title] = {}
        for n_components in DIMENSIONS:
            scores = fit_and_score(title, n_components, options.n_seeds, materials)
            rows[title][str(n_components)] = Row("vae", n_components, seeds, scores)
    print(markdown(rows))
    command = f"python scripts/study_settings.py {options.data} --n-seeds {options.n_seeds}"
    table = {
        title: {dimension: row.as_json() for dimension, row in by_dimension.items()}
        for title, by_dimension in rows.items()
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    write_json(RESULT, {"command": command, "window": "echo", "rows": table})


if __name__ == "__main__":
    main()
