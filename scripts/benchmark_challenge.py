"""Time the training of the challenge's public networks, beside PyTorch, in one run.

    pip install torch    # for the comparison; latent_nmr itself never needs it
    python scripts/benchmark_challenge.py [--repeats 7]

Writes artifacts/benchmarks/challenge.json. Contenders take turns, each repeat timing one epoch of
each, after one that is not counted; whole trainings are timed once, compilation and choice of the
epoch included. Rows are random: 5400 × 400, batches of 32, as in the challenge of 2021; what they
say does not change what training costs.
"""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from benchmark_training import TORCH, torch_loop, torch_modules

from latent_nmr import CurveRegressor
from latent_nmr._files import write_json
from latent_nmr.models.challenge_models import DEEP, WIDTH, DeepNetwork
from latent_nmr.models.regression_network import (
    NORM_EPSILON,
    NORM_MOMENTUM,
    SOLVERS,
    NetworkShape,
    initial_states,
    run_epoch,
)
from latent_nmr.studies.speed.timing import in_turns, machine, seconds

N_ROWS, N_FEATURES, N_TARGETS, BATCH_SIZE = 5400, 400, 3, 32
N_BATCHES = -(-N_ROWS // BATCH_SIZE)
LEARNING_RATE = 1e-3


def rows_and_targets() -> tuple[np.ndarray, np.ndarray]:
    """Standard normal rows, and targets that follow them."""
    draw = np.random.default_rng(0)
    rows = draw.standard_normal((N_ROWS, N_FEATURES), np.float32)
    return rows, rows[:, :N_TARGETS] + 0.1 * draw.standard_normal((N_ROWS, N_TARGETS), np.float32)


def our_epoch(network: DeepNetwork, rows: np.ndarray, targets: np.ndarray) -> Callable[[], None]:
    """One epoch of the package's training per call."""
    widths = (WIDTH,) * len(network.activations)
    shape = NetworkShape(N_FEATURES, widths, network.activations, N_TARGETS, batch_norm=True)
    carry = initial_states(shape, jax.random.key(0))
    carry = (*carry, SOLVERS["nadam"](LEARNING_RATE).init(carry[0]))
    data, wanted = jnp.asarray(rows), jnp.asarray(targets)
    epochs = iter(range(10**9))

    def run():
        nonlocal carry
        *carry, loss = run_epoch(
            *carry, data, wanted, LEARNING_RATE, jax.random.key(next(epochs)),
            shape=shape, solver="nadam", batch_size=BATCH_SIZE, n_batches=N_BATCHES,
        )  # fmt: skip
        if not np.isfinite(float(loss)):
            raise RuntimeError("training left the finite numbers")

    return run


def torch_network(activations: tuple[str, ...]) -> Any:
    """The same network in PyTorch."""
    nn = import_module("torch.nn")
    kinds = {"relu": nn.ReLU, "selu": nn.SELU, "tanh": nn.Tanh}
    layers, n_in = [], N_FEATURES
    for number in range(len(activations) + 1):
        n_out = WIDTH if number < len(activations) else N_TARGETS
        # PyTorch's momentum is the part of the new batch.
        norm = nn.BatchNorm1d(n_in, eps=NORM_EPSILON, momentum=1 - NORM_MOMENTUM)
        layer = nn.Linear(n_in, n_out)
        nn.init.kaiming_normal_(layer.weight)
        layers += [norm, layer, *(kinds[name]() for name in activations[number : number + 1])]
        n_in = n_out
    return nn.Sequential(*layers)


def torch_epoch(network: DeepNetwork, rows: np.ndarray, targets: np.ndarray) -> Callable[[], None]:
    """One epoch of the same training in PyTorch per call."""
    torch, _ = torch_modules()
    model = torch_network(network.activations).train()
    optimiser = torch.optim.NAdam(model.parameters(), lr=LEARNING_RATE)
    data, wanted = torch.from_numpy(rows), torch.from_numpy(targets)

    def loss(batch):
        return ((model(data[batch]) - wanted[batch]) ** 2).mean()

    return torch_loop(loss, optimiser, len(rows), BATCH_SIZE)


def whole_training(network: DeepNetwork, rows: np.ndarray, targets: np.ndarray) -> Callable:
    """All epochs of `fit`, from compilation to the weights kept; 5400 rows train, 600 more choose
    the epoch."""
    n_chosen = N_ROWS // 9
    X, y = (np.concatenate([part, part[:n_chosen]]) for part in (rows, targets))
    model = CurveRegressor(
        (WIDTH,) * len(network.activations), activation=network.activations,
        batch_size=BATCH_SIZE, max_epochs=network.n_epochs, random_state=0,
    )  # fmt: skip
    return lambda: model.fit(X, y, validation_rows=range(N_ROWS, N_ROWS + n_chosen))


def measure(network: DeepNetwork, repeats: int) -> dict[str, Any]:
    """Seconds per epoch of all contenders, and of a whole training."""
    data = rows_and_targets()
    contenders = {"latent_nmr": our_epoch(network, *data)}
    if TORCH:
        contenders["torch"] = torch_epoch(network, *data)
    times = in_turns(contenders, repeats)
    result: dict[str, Any] = {"n_epochs": network.n_epochs, "seconds_per_epoch": times}
    if "torch" in times:
        result["torch_over_ours"] = times["torch"]["median_s"] / times["latent_nmr"]["median_s"]
    result["training_s"] = seconds(whole_training(network, *data))
    return result


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    result: dict[str, Any] = {
        "command": " ".join(["python", *sys.argv]),
        **machine(TORCH),
        "n_rows": N_ROWS,
        "n_features": N_FEATURES,
        "batch_size": BATCH_SIZE,
    }
    for edition, network in DEEP.items():
        result[edition] = measure(network, options.repeats)
        print(edition, json.dumps(result[edition], indent=1), flush=True)
    write_json(options.out / "challenge.json", result)


if __name__ == "__main__":
    main()
