"""Time training and embedding beside PyTorch, the arithmetic floor and PCA, in one run.

    pip install torch    # for the comparison; latent_nmr itself never needs it
    python scripts/benchmark_training.py [--repeats 7] [--only epochs transform many cold]

Writes artifacts/benchmarks/training.json and training.png. Contenders take turns, each repeat
timing one epoch of each; compilation and first epochs are apart, except in the cold start, which
is all there is from an empty process to a trained model. Data: the compact reference set, repeated
up to 15,000 curves with noise of 0.001.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr import features, load_reference
from latent_nmr._files import write_json
from latent_nmr._machine import available_cores
from latent_nmr.models.networks import layer_sizes
from latent_nmr.plots.benchmarks import plot_training_benchmark
from latent_nmr.plots.style import save_figure
from latent_nmr.studies.speed.timing import machine, seconds, spread
from latent_nmr.studies.speed.training import (
    BATCH_SIZE,
    LEARNING_RATE,
    OBJECTIVE,
    epoch_times,
    many_times,
    transform_times,
)

N_CURVES, N_EMBEDDED = 15_000, 100_000
TORCH = ["torch"] if find_spec("torch") else []


def training_rows(window: str, n_rows: int = N_CURVES) -> np.ndarray:
    """Rows of the reference set, repeated with a little noise."""
    rows = features(load_reference(), window)
    noise = np.random.default_rng(0).standard_normal((n_rows, rows.shape[1]), np.float32)
    return np.clip(np.resize(rows, (n_rows, rows.shape[1])) + 1e-3 * noise, 0, 1)


def torch_epoch(rows: np.ndarray, *, fused: bool) -> Callable[[], None]:
    """One epoch of the same network in PyTorch per call."""
    torch, nn = torch_modules()
    sizes = (rows.shape[1], *layer_sizes(rows.shape[1], None))

    def perceptron(widths):
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(0.01)]
        return nn.Sequential(*layers)

    encoder, mean_head = perceptron(sizes), nn.Linear(sizes[-1], 2)
    log_variance_head = nn.Linear(sizes[-1], 2)
    decoder = nn.Sequential(perceptron((2, *sizes[:0:-1])), nn.Linear(sizes[1], sizes[0]))
    parts = nn.ModuleList([encoder, mean_head, log_variance_head, decoder])
    optimiser = torch.optim.Adam(parts.parameters(), lr=LEARNING_RATE, fused=fused)
    data = torch.from_numpy(rows)

    def loss(batch):
        x = data[batch]
        hidden = encoder(x)
        mean, log_variance = mean_head(hidden), log_variance_head(hidden)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        misfit = ((x - torch.sigmoid(decoder(z))) ** 2).sum(1) / (2 * OBJECTIVE.scale**2)
        kl = 0.5 * (mean**2 + torch.expm1(log_variance) - log_variance).sum(1)
        return (misfit + OBJECTIVE.beta * kl).mean()

    return torch_loop(loss, optimiser, len(rows), BATCH_SIZE)


def torch_modules() -> tuple[Any, Any]:
    """`torch` and `torch.nn`, on all cores, seeded: type checkers need not know them."""
    torch = import_module("torch")
    torch.set_num_threads(available_cores())
    torch.manual_seed(0)
    return torch, import_module("torch.nn")


def torch_loop(
    loss_of: Callable[[Any], Any], optimiser: Any, n_rows: int, batch_size: int
) -> Callable[[], None]:
    """One epoch per call: a plain loop over batches of row numbers."""
    torch = import_module("torch")

    def run():
        order = torch.cat([torch.randperm(n_rows), torch.randperm(n_rows)])
        for step in range(-(-n_rows // batch_size)):
            loss = loss_of(order[step * batch_size : (step + 1) * batch_size])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return run


def measure_epochs(repeats: int) -> dict[str, Any]:
    """Seconds per epoch of 15,000 curves, in both windows."""
    result = {}
    for window in ("echo", "full"):
        rows, contenders = training_rows(window), {}
        if TORCH:
            contenders["torch"] = torch_epoch(rows, fused=False)
            contenders["torch_fused_adam"] = torch_epoch(rows, fused=True)
        result[window] = epoch_times(rows, repeats, contenders)
    return result


COLD_START = """
import json, sys, time
start = time.perf_counter()
import numpy as np
from latent_nmr import BetaVAE
rows = np.load(sys.argv[1])
vae = BetaVAE(random_state=0).fit(rows)
held_out = rows[vae.validation_rows_]
rms = float(np.sqrt(np.mean((vae.reconstruct(held_out) - held_out) ** 2)))
print(json.dumps({"epochs": vae.n_iter_, "rms": rms, "axis_variances": vae.axis_variances_.tolist(),
    "training_s": sum(record.seconds for record in vae.history_)}))
"""


def measure_cold_start(repeats: int) -> dict[str, Any]:
    """From an empty process, without any cache of compiled programs, to a trained echo model."""
    environment = {
        name: value for name, value in os.environ.items() if "COMPILATION_CACHE" not in name
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, training_rows("echo"))
        command = [sys.executable, "-W", "ignore", "-c", COLD_START, str(path)]
        printed = []

        def start():
            run = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            )
            printed.append(run.stdout)

        times = [seconds(start) for _ in range(repeats)]
    return {"n_curves": N_CURVES, **spread(times), **json.loads(printed[-1])}


def main() -> None:
    """Measure, print, write."""
    measures: dict[str, Callable[[int], dict[str, Any]]] = {
        "epochs": measure_epochs,
        "transform": lambda repeats: transform_times(training_rows("echo", N_EMBEDDED), repeats),
        "many": lambda repeats: many_times(training_rows("echo"), max(repeats // 3, 1)),
        "cold": lambda repeats: measure_cold_start(max(repeats // 3, 1)),
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=tuple(measures), default=tuple(measures))
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    result: dict[str, Any] = {"command": " ".join(["python", *sys.argv]), **machine(TORCH)}
    for part in options.only:
        result[part] = measures[part](options.repeats)
        print(part, json.dumps(result[part], indent=1), flush=True)
    write_json(options.out / "training.json", result)
    if "epochs" in result:
        save_figure(plot_training_benchmark(result), options.out / "training")


if __name__ == "__main__":
    main()
