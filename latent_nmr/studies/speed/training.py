"""Speed of training and embedding beside the least arithmetic that they could consist of."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import optax
from sklearn.base import clone
from sklearn.decomposition import PCA

from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.epochs import Objective, run_epoch
from latent_nmr.models.inference import rows_per_piece
from latent_nmr.models.many import fit_many
from latent_nmr.models.networks import Architecture, data_matched_state, graph_of, layer_sizes
from latent_nmr.studies.speed.timing import in_turns, seconds, spread

BATCH_SIZE, LEARNING_RATE = 128, 1e-3
OBJECTIVE = Objective(beta=2.0, scale=0.02)
# Run by an interpreter of its own, with the file of the rows and the options of the model.
COLD_START = """
import json, sys, time
start = time.perf_counter()
import numpy as np
from latent_nmr import BetaVAE
rows = np.load(sys.argv[1])
vae = BetaVAE(random_state=0, **json.loads(sys.argv[2])).fit(rows)
held_out = rows[vae.validation_rows_]
rms = float(np.sqrt(np.mean((vae.reconstruct(held_out) - held_out) ** 2)))
print(json.dumps({"epochs": vae.n_iter_, "rms": rms, "axis_variances": vae.axis_variances_.tolist(),
    "training_s": sum(record.seconds for record in vae.history_)}))
"""

Curves = npt.NDArray[np.float32]
Run = Callable[[], object]


def epoch_times(
    X: Curves, repeats: int, contenders: Mapping[str, Run] | None = None
) -> dict[str, Any]:
    """Seconds per epoch of a β-VAE of two axes, beside the arithmetic floor.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    repeats : int
    contenders : mapping of callable, optional
        Further functions that train one epoch per call; they take turns with ours.

    Returns
    -------
    dict
        `seconds_per_epoch` by contender, ours as `latent_nmr`; `floor_s`: matrix products and
        Adam's pass over the weights and nothing else; `times_the_floor`, and
        `NAME_over_ours` of each further contender.
    """
    width, n_batches = X.shape[1], n_batches_of(X)
    others = dict(contenders or {})
    times = in_turns(
        {
            "latent_nmr": epoch_of_training(X),
            "floor_products": matrix_products(width, n_batches),
            "floor_adam": adam_passes(width, n_batches),
            **others,
        },
        repeats,
    )
    ours = times["latent_nmr"]["median_s"]
    floor = times["floor_products"]["median_s"] + times["floor_adam"]["median_s"]
    ratios = {f"{name}_over_ours": times[name]["median_s"] / ours for name in others}
    return {
        "seconds_per_epoch": times,
        "floor_s": floor,
        "times_the_floor": ours / floor,
        **ratios,
    }


def widths_of(n_features: int) -> tuple[int, ...]:
    """Widths of the input and of the encoder's hidden layers, for contenders to copy."""
    return n_features, *layer_sizes(n_features, None)


def transform_times(X: Curves, repeats: int, *, n_fitted: int = 3000) -> dict[str, Any]:
    """Seconds to embed `X` by a β-VAE, by PCA, and by the encoder's matrix products alone."""
    pca = PCA(2).fit(X[:n_fitted])
    vae = BetaVAE(max_epochs=1, random_state=0).fit(X[:n_fitted])
    contenders = {
        "pca": lambda: pca.transform(X),
        "vae": lambda: vae.transform(X),
        "floor_products": encoder_products(X, vae),
    }
    times = in_turns(contenders, repeats)
    pca_s, vae_s, floor_s = (times[name]["median_s"] for name in contenders)
    return {
        "n_curves": len(X),
        **times,
        "vae_over_pca": vae_s / pca_s,
        "times_the_floor": vae_s / floor_s,
        "floor_over_pca": floor_s / pca_s,
    }


def many_times(X: Curves, repeats: int, *, n_models: int = 16, n_epochs: int = 20) -> dict:
    """Seconds to fit models one after another, and by :func:`latent_nmr.fit_many`."""
    template = BetaVAE(max_epochs=n_epochs, patience=n_epochs)
    seeds = range(n_models)

    def singles():
        for seed in seeds:
            clone(template).set_params(random_state=seed).fit(X)

    contenders = {
        "single_fits": singles,
        "fit_many": lambda: fit_many(X, seeds=seeds, model=template),
    }
    clone(template).set_params(max_epochs=1).fit(X)  # compiles what both use
    times = in_turns(contenders, repeats, warm_up=False)
    ratio = times["fit_many"]["median_s"] / times["single_fits"]["median_s"]
    return {"n_models": n_models, "n_epochs": n_epochs, **times, "ratio": ratio}


def cold_start_times(X: Curves, repeats: int, **options: Any) -> dict[str, Any]:
    """Seconds from an empty process, without a cache of compiled programs, to a trained β-VAE.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    repeats : int
    **options
        Of the β-VAE.
    """
    environment = {
        name: value for name, value in os.environ.items() if "COMPILATION_CACHE" not in name
    }
    printed = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npy"
        np.save(path, X)
        command = [sys.executable, "-W", "ignore", "-c", COLD_START, str(path), json.dumps(options)]

        def start():
            run = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            )
            printed.append(run.stdout)

        times = [seconds(start) for _ in range(repeats)]
    return {"n_curves": len(X), **spread(times), **json.loads(printed[-1])}


def n_batches_of(X: Curves) -> int:
    """Batches of one epoch."""
    return -(-len(X) // BATCH_SIZE)


def epoch_of_training(rows: Curves) -> Callable[[], None]:
    """One epoch of the package's training per call."""
    width = rows.shape[1]
    architecture = Architecture(width, layer_sizes(width, None), 2)
    data, graph = jnp.asarray(rows), graph_of(architecture)
    state = data_matched_state(architecture, jax.random.key(0), data)
    carry = state, optax.adam(LEARNING_RATE).init(state)
    all_rows = jnp.arange(len(rows))
    epochs = iter(range(10**9))

    def run():
        nonlocal carry
        *carry, parts = run_epoch(
            graph,
            *carry,
            data,
            all_rows,
            OBJECTIVE,
            LEARNING_RATE,
            jax.random.key(next(epochs)),
            likelihood="gaussian",
            n_batches=n_batches_of(rows),
            batch_size=BATCH_SIZE,
        )
        jax.block_until_ready(carry)
        if not np.isfinite(parts.reconstruction):
            raise RuntimeError("training left the finite numbers")

    return run


def product_shapes(width: int) -> list[tuple[int, int]]:
    """Input and output width of every linear layer; the two heads count as one."""
    hidden = layer_sizes(width, None)
    encoder = [*zip((width, *hidden[:-1]), hidden, strict=True), (hidden[-1], 4)]
    decoder = [(2, hidden[-1]), *((b, a) for a, b in encoder[-2::-1])]
    return encoder + decoder


def matrix_products(width: int, n_batches: int) -> Callable[[], None]:
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
        for _ in range(n_batches):
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


def adam_passes(width: int, n_batches: int) -> Callable[[], None]:
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

        return jax.lax.scan(step, (weights, state), length=n_batches)[0]

    state = optimiser.init(weights)
    return lambda: jax.block_until_ready(steps(weights, state))


def encoder_products(rows: Curves, vae: BetaVAE) -> Callable[[], None]:
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
