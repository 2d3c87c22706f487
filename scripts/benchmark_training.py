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
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from sklearn.base import clone
from sklearn.decomposition import PCA

from latent_nmr import BetaVAE, features, fit_many, open_echoes
from latent_nmr._files import write_json
from latent_nmr._machine import available_cores
from latent_nmr.models.epochs import Objective, run_epoch
from latent_nmr.models.inference import device_name, rows_per_piece
from latent_nmr.models.networks import Architecture, data_matched_state, graph_of, layer_sizes
from latent_nmr.plots.benchmarks import plot_training_benchmark
from latent_nmr.plots.style import save_figure

REFERENCE_SET = Path("reference")
N_CURVES, BATCH_SIZE, LEARNING_RATE = 15_000, 128, 1e-3
N_BATCHES = -(-N_CURVES // BATCH_SIZE)
OBJECTIVE = Objective(beta=2.0, scale=0.02)
WINDOWS = ("echo", "full")
N_EMBEDDED = 100_000
N_MODELS, MANY_EPOCHS = 16, 20
PARTS = ("epochs", "transform", "many", "cold")


def training_rows(window: str, n_rows: int = N_CURVES) -> np.ndarray:
    """Rows of the reference set, repeated with a little noise."""
    rows = features(open_echoes(REFERENCE_SET), window)
    noise = np.random.default_rng(0).standard_normal((n_rows, rows.shape[1]), np.float32)
    return np.clip(np.resize(rows, (n_rows, rows.shape[1])) + 1e-3 * noise, 0, 1)


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_turns(
    contenders: dict[str, Callable[[], Any]], repeats: int, *, warm_up: bool = True
) -> dict[str, dict]:
    """Wall times of the contenders, taking turns, after one call of each that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values() if warm_up else ():
        run()
    for _ in range(repeats):
        for name, run in contenders.items():
            times[name].append(seconds(run))
    return {name: spread(list_) for name, list_ in times.items()}


def spread(times: list[float]) -> dict[str, float]:
    """Median, least and largest of some times."""
    return {"median_s": median(times), "min_s": min(times), "max_s": max(times)}


def our_epoch(rows: np.ndarray) -> Callable[[], None]:
    """One epoch of the package's training per call."""
    width = rows.shape[1]
    architecture = Architecture(width, layer_sizes(width, None), 2)
    data, graph = jnp.asarray(rows), graph_of(architecture)
    state = data_matched_state(architecture, jax.random.key(0), data)
    carry = state, optax.adam(LEARNING_RATE).init(state)
    training_rows = jnp.arange(len(rows))
    epochs = iter(range(10**9))

    def run():
        nonlocal carry
        *carry, parts = run_epoch(
            graph,
            *carry,
            data,
            training_rows,
            OBJECTIVE,
            LEARNING_RATE,
            jax.random.key(next(epochs)),
            likelihood="gaussian",
            n_batches=N_BATCHES,
            batch_size=BATCH_SIZE,
        )
        jax.block_until_ready(carry)
        if not np.isfinite(parts.reconstruction):
            raise RuntimeError("training left the finite numbers")

    return run


def torch_epoch(rows: np.ndarray, *, fused: bool) -> Callable[[], None]:
    """One epoch of the same network in PyTorch per call: a plain loop over index batches."""
    # Not a dependency of the package: type checkers need not know it.
    torch, nn = import_module("torch"), import_module("torch.nn")
    torch.set_num_threads(available_cores())
    torch.manual_seed(0)
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

    def run():
        order = torch.cat([torch.randperm(len(data)), torch.randperm(len(data))])
        for step in range(N_BATCHES):
            x = data[order[step * BATCH_SIZE : (step + 1) * BATCH_SIZE]]
            hidden = encoder(x)
            mean, log_variance = mean_head(hidden), log_variance_head(hidden)
            z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
            misfit = ((x - torch.sigmoid(decoder(z))) ** 2).sum(1) / (2 * OBJECTIVE.scale**2)
            kl = 0.5 * (mean**2 + torch.expm1(log_variance) - log_variance).sum(1)
            loss = (misfit + OBJECTIVE.beta * kl).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return run


def product_shapes(width: int) -> list[tuple[int, int]]:
    """Input and output width of every linear layer; the two heads count as one."""
    hidden = layer_sizes(width, None)
    encoder = [*zip((width, *hidden[:-1]), hidden, strict=True), (hidden[-1], 4)]
    decoder = [(2, hidden[-1]), *((b, a) for a, b in encoder[-2::-1])]
    return encoder + decoder


def floor_products(width: int) -> Callable[[], None]:
    """Matrix products of one epoch and nothing else, by NumPy's BLAS, into memory that exists."""
    rng = np.random.default_rng(0)
    layers = []
    for position, (n_in, n_out) in enumerate(product_shapes(width)):
        x, w, d = (
            rng.standard_normal(shape, np.float32)
            for shape in ((BATCH_SIZE, n_in), (n_in, n_out), (BATCH_SIZE, n_out))
        )
        # The data need no gradient.
        layers.append((x, w, d, np.empty_like(x) if position else None))

    def run():
        for _ in range(N_BATCHES):
            for x, w, d, _ in layers:
                np.matmul(x, w, out=d)
            for x, w, d, gradient in reversed(layers):
                np.matmul(x.T, d, out=w)
                if gradient is not None:
                    np.matmul(d, w.T, out=gradient)

    for x, w, d, _ in layers:  # products of zeros stay finite however often they are repeated
        for array in (x, w, d):
            array[:] = 0
    return run


def floor_adam(width: int) -> Callable[[], None]:
    """Adam's pass over weights, gradients and both moments for one epoch, jitted."""
    shapes = [shape for n_in, n_out in product_shapes(width) for shape in ((n_in, n_out), (n_out,))]
    weights = [jnp.ones(shape) for shape in shapes]
    optimiser = optax.adam(LEARNING_RATE)

    @jax.jit
    def steps(weights, state):
        def step(carry, _):
            weights, state = carry
            update, state = optimiser.update(weights, state)
            return (optax.apply_updates(weights, update), state), None

        return jax.lax.scan(step, (weights, state), length=N_BATCHES)[0]

    state = optimiser.init(weights)
    return lambda: jax.block_until_ready(steps(weights, state))


def measure_epochs(repeats: int) -> dict[str, Any]:
    """Seconds per epoch of 15,000 curves, in both windows."""
    result = {}
    for window in WINDOWS:
        rows = training_rows(window)
        contenders = {
            "latent_nmr": our_epoch(rows),
            "floor_products": floor_products(rows.shape[1]),
            "floor_adam": floor_adam(rows.shape[1]),
        }
        if has_torch():
            contenders["torch"] = torch_epoch(rows, fused=False)
            contenders["torch_fused_adam"] = torch_epoch(rows, fused=True)
        times = in_turns(contenders, repeats)
        ours = times["latent_nmr"]["median_s"]
        floor = times["floor_products"]["median_s"] + times["floor_adam"]["median_s"]
        ratios = {"times_the_floor": ours / floor}
        for name in ("torch", "torch_fused_adam"):
            if name in times:
                ratios[f"{name}_over_ours"] = times[name]["median_s"] / ours
        result[window] = {"seconds_per_epoch": times, "floor_s": floor, **ratios}
    return result


def encoder_products(rows: np.ndarray, vae: BetaVAE) -> Callable[[], None]:
    """Matrix products of the encoder over all rows and nothing else, by NumPy's BLAS."""
    size = rows_per_piece(rows.shape[1])
    kernels = [vae.weights_[f"encoder.layers.{layer}.kernel"] for layer in range(3)]
    outputs = [np.empty((size, kernel.shape[1]), np.float32) for kernel in kernels]

    def run():
        for start in range(0, len(rows) - size + 1, size):
            hidden = rows[start : start + size]
            for kernel, output in zip(kernels, outputs, strict=True):
                hidden = np.matmul(hidden, kernel, out=output)

    return run


def measure_transform(repeats: int) -> dict[str, Any]:
    """Embed 100,000 echoes, beside PCA and beside the encoder's products alone."""
    rows = training_rows("echo", N_EMBEDDED)
    fitted = rows[:3000]
    pca = PCA(2).fit(fitted)
    vae = BetaVAE(max_epochs=1, random_state=0).fit(fitted)
    contenders = {
        "pca": lambda: pca.transform(rows),
        "vae": lambda: vae.transform(rows),
        "floor_products": encoder_products(rows, vae),
    }
    times = in_turns(contenders, repeats)
    ours = times["vae"]["median_s"]
    return {
        "n_curves": N_EMBEDDED,
        **times,
        "vae_over_pca": ours / times["pca"]["median_s"],
        "times_the_floor": ours / times["floor_products"]["median_s"],
        "floor_over_pca": times["floor_products"]["median_s"] / times["pca"]["median_s"],
    }


def measure_many(repeats: int) -> dict[str, Any]:
    """Sixteen echo models one after another, and by `fit_many`."""
    rows = training_rows("echo")
    template = BetaVAE(max_epochs=MANY_EPOCHS, patience=MANY_EPOCHS)
    seeds = range(N_MODELS)

    def singles():
        for seed in seeds:
            clone(template).set_params(random_state=seed).fit(rows)

    contenders = {
        "single_fits": singles,
        "fit_many": lambda: fit_many(rows, seeds=seeds, model=template),
    }
    clone(template).set_params(max_epochs=1).fit(rows)  # compiles what both use
    times = in_turns(contenders, repeats, warm_up=False)
    ratio = times["fit_many"]["median_s"] / times["single_fits"]["median_s"]
    return {"n_models": N_MODELS, "n_epochs": MANY_EPOCHS, **times, "ratio": ratio}


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
    times, found = [], {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, training_rows("echo"))
        command = [sys.executable, "-W", "ignore", "-c", COLD_START, str(path)]
        for _ in range(repeats):
            start = time.perf_counter()
            run = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            )
            times.append(time.perf_counter() - start)
            found = json.loads(run.stdout)
    return {"n_curves": N_CURVES, **spread(times), **found}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    packages = [
        "jax",
        "flax",
        "optax",
        "numpy",
        "scikit-learn",
        *(["torch"] if has_torch() else []),
    ]
    return {
        "device": device_name(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def has_torch() -> bool:
    """Whether PyTorch can be compared with."""
    try:
        version("torch")
    except PackageNotFoundError:
        return False
    return True


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    measures = {
        "epochs": lambda: measure_epochs(options.repeats),
        "transform": lambda: measure_transform(options.repeats),
        "many": lambda: measure_many(max(options.repeats // 3, 1)),
        "cold": lambda: measure_cold_start(max(options.repeats // 3, 1)),
    }
    result: dict[str, Any] = {"command": " ".join(["python", *sys.argv]), **machine()}
    for part in options.only:
        result[part] = measures[part]()
        print(part, json.dumps(result[part], indent=1), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    write_json(options.out / "training.json", result)
    if "epochs" in result:
        save_figure(plot_training_benchmark(result), options.out / "training")


if __name__ == "__main__":
    main()
