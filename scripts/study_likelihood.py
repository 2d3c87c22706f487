"""Compare likelihoods of the β-VAE on the compact reference set: which leaves two useful axes?

    python scripts/study_likelihood.py [--seeds 5] [--windows echo full]

One split, 80 % to fit on and 20 % to score on, stratified by kernel; every model sees the fitting
part only and holds its own validation rows out of it. Writes artifacts/tables/likelihood.json and
prints the table of docs/beta_vae.md. Scores are R² of 15 nearest neighbours in the latent plane,
beside those of PCA at equal dimension (the comparison), of the window's samples themselves
(nearest neighbours without compression) and of shuffled labels (the floor).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split
from tqdm.auto import tqdm

from latent_nmr import features, load_reference
from latent_nmr.commands.main import run_script
from latent_nmr.report.kept_results import write_result
from latent_nmr.report.study_tables import likelihood_table
from latent_nmr.studies.description import origin
from latent_nmr.studies.settings import compare_settings

RESULT = Path("artifacts/tables/likelihood.json")
LABELS = ("W", "L", "alpha_x")
SETTINGS: dict[str, dict[str, Any]] = {
    "Gaussian, σ = 0.01": {"scale": 0.01},
    "Gaussian, σ = 0.02": {"scale": 0.02},
    "Gaussian, σ = 0.05": {"scale": 0.05},
    "Gaussian, σ learned": {"scale": "learned"},
    "Bernoulli": {"likelihood": "bernoulli"},
}


def study(window: str, n_seeds: int) -> dict[str, Any]:
    """Every setting in one window."""
    dataset = load_reference()
    X, kernel = features(dataset, window), dataset["kernel"].to_numpy()
    labels = {name: dataset[name].to_numpy() for name in LABELS}
    rows = train_test_split(np.arange(len(X)), test_size=0.2, random_state=0, stratify=kernel)
    compared = compare_settings(X, labels, SETTINGS, rows, n_seeds=n_seeds)
    return dict(tqdm(compared, total=len(SETTINGS) + 3, desc=window, disable=None))


def main() -> None:
    """Study, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--windows", nargs="+", default=["echo", "full"])
    options = parser.parse_args()
    result = {window: study(window, options.seeds) for window in options.windows}
    for window, found in result.items():
        print(likelihood_table(window, found), end="\n\n")
    command = f"python scripts/study_likelihood.py --seeds {options.seeds}"
    known = {"normalisation": "initial", "n_seeds": options.seeds}
    settings = {**origin("reference", load_reference()), **known}
    write_result(RESULT, {"command": command, "settings": settings, "windows": result})


if __name__ == "__main__":
    run_script(main)
