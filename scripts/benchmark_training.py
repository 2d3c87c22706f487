"""Time training and embedding beside PyTorch, the arithmetic floor and PCA, in one run.

    pip install torch    # for the comparison; latent_nmr itself never needs it
    python scripts/benchmark_training.py [--repeats 7] [--only epochs transform many cold challenge]

Writes artifacts/benchmarks/training.json and training.png; of the challenge's public networks,
challenge.json. Contenders take turns, each repeat timing one epoch of each; compilation and first
epochs are apart, except in the cold start, which is all there is from an empty process to a trained
model, and in whole trainings of the challenge. Data: the compact reference set, repeated up to
15,000 curves with noise of 0.001; for the challenge random rows, 5400 × 400, as what they say does
not change what training costs.
"""

import argparse
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr import features, load_reference
from latent_nmr.commands.main import run_script
from latent_nmr.plots import save_figure
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.speed import regression, training
from latent_nmr.studies.speed.figures import training_figure
from latent_nmr.studies.speed.timing import machine
from latent_nmr.studies.speed.torch_networks import torch_epoch, torch_network_epoch

N_CURVES, N_EMBEDDED = 15_000, 100_000
# Of the challenge of 2021: rows, samples and targets.
N_ROWS, N_FEATURES, N_TARGETS = 5400, 400, 3
PARTS = ("epochs", "transform", "many", "cold", "challenge")
TORCH = ["torch"] if find_spec("torch") else []


def training_rows(window: str, n_rows: int = N_CURVES) -> np.ndarray:
    """Rows of the reference set, repeated with a little noise."""
    rows = features(load_reference(), window)
    noise = np.random.default_rng(0).standard_normal((n_rows, rows.shape[1]), np.float32)
    return np.clip(np.resize(rows, (n_rows, rows.shape[1])) + 1e-3 * noise, 0, 1)


def measure_epochs(repeats: int) -> dict[str, Any]:
    """Seconds per epoch of 15,000 curves, in both windows."""
    result = {}
    for window in ("echo", "full"):
        rows, ways = training_rows(window), {"torch": False, "torch_fused_adam": True}
        contenders = {n: torch_epoch(rows, fused=fused) for n, fused in ways.items() if TORCH}
        result[window] = training.epoch_times(rows, repeats, contenders)
    return result


def measure_challenge(repeats: int) -> dict[str, Any]:
    """Seconds per epoch of the public networks, and of a whole training."""
    draw = np.random.default_rng(0)
    rows = draw.standard_normal((N_ROWS, N_FEATURES), np.float32)
    noise = draw.standard_normal((N_ROWS, N_TARGETS), np.float32)
    targets = np.asarray(rows[:, :N_TARGETS] + 0.1 * noise, np.float32)
    sizes, times = {"n_rows": N_ROWS, "n_features": N_FEATURES}, {}
    for edition, network in regression.NETWORKS.items():
        theirs = torch_network_epoch(network.activations, rows, targets) if TORCH else None
        contenders = {"torch": theirs} if theirs else {}
        times[edition] = regression.network_times(network, rows, targets, repeats, contenders)
    return sizes | {"batch_size": regression.BATCH_SIZE} | times


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    repeats, few = options.repeats, max(options.repeats // 3, 1)
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "epochs": lambda: measure_epochs(repeats),
        "transform": lambda: training.transform_times(training_rows("echo", N_EMBEDDED), repeats),
        "many": lambda: training.many_times(training_rows("echo"), few),
        "cold": lambda: training.cold_start_times(training_rows("echo"), few),
        "challenge": lambda: measure_challenge(repeats),
    }
    facts, result = {"command": " ".join(["python", *sys.argv]), **machine(TORCH)}, {}
    for part in options.only:
        result[part] = measures[part]()
        print(part, json.dumps(result[part], indent=1), flush=True)
    if "challenge" in result:
        write_result(options.out / "challenge.json", facts | result.pop("challenge"))
    if result:
        write_result(options.out / "training.json", facts | result)
    if "epochs" in result:
        save_figure(training_figure(result), options.out / "training")


if __name__ == "__main__":
    run_script(main)
