"""Compare likelihoods of the β-VAE on the compact reference set: which leaves two useful axes?

    python scripts/study_likelihood.py [--seeds 5] [--windows echo full]

One split, 80 % to fit on and 20 % to score on, stratified by kernel; every model sees the fitting
part only and holds its own validation rows out of it. Writes artifacts/tables/likelihood.json and
prints the table of docs/likelihood.md. Scores are R² of 15 nearest neighbours in the latent plane,
beside those of PCA at equal dimension (the comparison), of the window's samples themselves
(nearest neighbours without compression) and of shuffled labels (the floor).
"""

import argparse
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsRegressor

from latent_nmr import BetaVAE, features, fit_many, open_echoes
from latent_nmr._files import write_json
from latent_nmr.latent_axes import axis_state

REFERENCE_SET = Path("reference")
RESULT = Path("artifacts/tables/likelihood.json")
LABELS = ("W", "L", "alpha_x")
SETTINGS: dict[str, dict[str, Any]] = {
    "Gaussian, σ = 0.01": {"likelihood": "gaussian", "scale": 0.01},
    "Gaussian, σ = 0.02": {"likelihood": "gaussian", "scale": 0.02},
    "Gaussian, σ = 0.05": {"likelihood": "gaussian", "scale": 0.05},
    "Gaussian, σ learned": {"likelihood": "gaussian", "scale": "learned"},
    "Bernoulli": {"likelihood": "bernoulli"},
}
N_NEIGHBOURS = 15


def neighbour_scores(fitted, held_out, labels, rows) -> dict[str, float]:
    """R² of every label on the held-out part, from the nearest fitted points."""
    fit_rows, test_rows = rows
    scores = {}
    for name, values in labels.items():
        regressor = KNeighborsRegressor(N_NEIGHBOURS).fit(fitted, values[fit_rows])
        scores[name] = float(regressor.score(held_out, values[test_rows]))
    return scores


def judge(model, X: np.ndarray, labels: dict[str, np.ndarray], rows) -> dict[str, float]:
    """Rms and neighbour scores of a fitted transformer on the held-out part."""
    fitted, held_out = model.transform(X[rows[0]]), model.transform(X[rows[1]])
    residual = X[rows[1]] - model.inverse_transform(held_out)
    scores = neighbour_scores(fitted, held_out, labels, rows)
    return {"rms": float(np.sqrt(np.mean(residual**2))), **scores}


def summary(results: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Mean and sample standard deviation over seeds."""
    table = {}
    for name in results[0]:
        values = [result[name] for result in results]
        spread = stdev(values) if len(values) > 1 else 0.0
        table[name] = {"mean": mean(values), "sd": spread, "values": values}
    return table


def study(window: str, n_seeds: int) -> dict[str, Any]:
    """Every setting in one window."""
    dataset = open_echoes(REFERENCE_SET)
    X = features(dataset, window)
    labels = {name: dataset[name].to_numpy() for name in LABELS}
    rows = train_test_split(
        np.arange(len(X)), test_size=0.2, random_state=0, stratify=dataset["kernel"].to_numpy()
    )
    found: dict[str, Any] = {}
    for title, setting in SETTINGS.items():
        start = time.perf_counter()
        models = fit_many(X[rows[0]], seeds=range(n_seeds), model=BetaVAE(**setting))
        judged = [judge(model, X, labels, rows) for model in models]
        for result, model in zip(judged, models, strict=True):
            states = [axis_state(variance) for variance in model.axis_variances_]
            result["live_axes"] = states.count("active")
            result["smallest_axis_variance"] = float(model.axis_variances_.min())
            result["epochs"] = model.n_iter_
            result["scale"] = model.scale_
        found[title] = summary(judged)
        print(f"{window}: {title} in {time.perf_counter() - start:.0f} s", flush=True)
    pca = PCA(2, random_state=0).fit(X[rows[0]])
    found["PCA, 2 components"] = summary([judge(pca, X, labels, rows)])
    found["all samples"] = summary([neighbour_scores(X[rows[0]], X[rows[1]], labels, rows)])
    latent = pca.transform(X)
    floors = []
    for seed in range(n_seeds):
        order = np.random.default_rng(seed).permutation(len(X))
        shuffled = {name: values[order] for name, values in labels.items()}
        floors.append(neighbour_scores(latent[rows[0]], latent[rows[1]], shuffled, rows))
    found["shuffled labels"] = summary(floors)
    return found


def as_markdown(window: str, found: dict[str, Any]) -> str:
    """The table of one window."""
    heads = ["live_axes", "smallest_axis_variance", "epochs", "rms", *LABELS]
    titles = ["active axes", "least variance", "epochs", "rms", "R² W", "R² L", "R² α_x"]
    digits = {"live_axes": 1, "smallest_axis_variance": 2, "epochs": 0, "rms": 4}
    lines = [f"| {window} window | " + " | ".join(titles) + " |", "|" + "---|" * (len(heads) + 1)]
    for title, row in found.items():
        cells = []
        for head in heads:
            if head not in row:
                cells.append("")
                continue
            places, value = digits.get(head, 3), row[head]
            spread = f" ± {value['sd']:.{places}f}" if len(value["values"]) > 1 else ""
            cells.append(f"{value['mean']:.{places}f}{spread}")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Study, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--windows", nargs="+", default=["echo", "full"])
    options = parser.parse_args()
    result = {window: study(window, options.seeds) for window in options.windows}
    for window, found in result.items():
        print(as_markdown(window, found), end="\n\n")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    command = f"python scripts/study_likelihood.py --seeds {options.seeds}"
    write_json(RESULT, {"command": command, "windows": result})


if __name__ == "__main__":
    main()
