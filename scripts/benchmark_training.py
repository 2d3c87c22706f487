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
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr import features, load_reference
from latent_nmr.commands.main import run_script
from latent_nmr.plots import save_figure
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.speed import regression, training
from latent_nmr.studies.speed.figures import training_figure
from latent_nmr.studies.speed.timing import machine, n_cores

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


def torch_epoch(rows: np.ndarray, *, fused: bool) -> Callable[[], None]:
    """One epoch of the same network in PyTorch per call."""
    torch, nn = torch_modules()
    sizes = training.widths_of(rows.shape[1])

    def perceptron(widths):
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(0.01)]
        return nn.Sequential(*layers)

    encoder, mean_head = perceptron(sizes), nn.Linear(sizes[-1], 2)
    log_variance_head = nn.Linear(sizes[-1], 2)
    decoder = nn.Sequential(perceptron((2, *sizes[:0:-1])), nn.Linear(sizes[1], sizes[0]))
    parts = nn.ModuleList([encoder, mean_head, log_variance_head, decoder])
    optimiser = torch.optim.Adam(parts.parameters(), lr=training.LEARNING_RATE, fused=fused)
    data = torch.from_numpy(rows)

    def loss(batch):
        x = data[batch]
        hidden = encoder(x)
        mean, log_variance = mean_head(hidden), log_variance_head(hidden)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        misfit = ((x - torch.sigmoid(decoder(z))) ** 2).sum(1) / (2 * training.OBJECTIVE.scale**2)
        kl = 0.5 * (mean**2 + torch.expm1(log_variance) - log_variance).sum(1)
        return (misfit + training.OBJECTIVE.beta * kl).mean()

    return torch_loop(loss, optimiser, len(rows), training.BATCH_SIZE)


def torch_modules() -> tuple[Any, Any]:
    """`torch` and `torch.nn`, on all cores, seeded: type checkers need not know them."""
    torch = import_module("torch")
    torch.set_num_threads(n_cores())
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
        rows, ways = training_rows(window), {"torch": False, "torch_fused_adam": True}
        contenders = {n: torch_epoch(rows, fused=fused) for n, fused in ways.items() if TORCH}
        result[window] = training.epoch_times(rows, repeats, contenders)
    return result


def torch_network(activations: tuple[str, ...]) -> Any:
    """A public network of the challenge in PyTorch."""
    nn = import_module("torch.nn")
    kinds = {"relu": nn.ReLU, "selu": nn.SELU, "tanh": nn.Tanh}
    layers, n_in = [], N_FEATURES
    for number in range(len(activations) + 1):
        n_out = regression.HIDDEN_WIDTH if number < len(activations) else N_TARGETS
        # PyTorch's momentum is the part of the new batch.
        norm = nn.BatchNorm1d(n_in, eps=regression.EPSILON, momentum=1 - regression.MOMENTUM)
        layer = nn.Linear(n_in, n_out)
        nn.init.kaiming_normal_(layer.weight)
        layers += [norm, layer, *(kinds[name]() for name in activations[number : number + 1])]
        n_in = n_out
    return nn.Sequential(*layers)


def torch_network_epoch(
    activations: tuple[str, ...], rows: np.ndarray, targets: np.ndarray
) -> Callable[[], None]:
    """One epoch of such a network in PyTorch per call."""
    torch, _ = torch_modules()
    model = torch_network(activations).train()
    optimiser = torch.optim.NAdam(model.parameters(), lr=regression.LEARNING_RATE)
    data, wanted = torch.from_numpy(rows), torch.from_numpy(targets)

    def loss(batch):
        return ((model(data[batch]) - wanted[batch]) ** 2).mean()

    return torch_loop(loss, optimiser, len(rows), regression.BATCH_SIZE)


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
