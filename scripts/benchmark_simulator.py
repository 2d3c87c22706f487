"""Time the simulator beside the algorithm of its source, in one run.

    python scripts/benchmark_simulator.py [--repeats 5] [--curves 48] [--out artifacts/benchmarks]

Writes simulator.json and simulator.png. Times are wall times on all local devices, compilation
apart; every ratio is of times measured in this run, the contenders taking turns. Errors are the
largest over the record, against a float64 run extrapolated from two steps. A time given for the
source's algorithm at 100 × 100 is extrapolated from smaller lattices and says so.
"""

import argparse
import os
import platform
import time
from pathlib import Path
from statistics import median

import jax
import numpy as np

from latent_nmr._files import write_json
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.simulate import Simulation, planned_evaluations, simulate_curves
from latent_nmr.plots.benchmarks import plot_simulator_benchmark
from latent_nmr.plots.style import save_figure

SEQUENCE = get_preset("paper").sequence
COUPLINGS = (0.1, 0.1, 0.1)
SOURCE_EDGES = (20, 30, 40)
EDGES = (25, 50, 100, 200, 400)
YARDSTICK_PRODUCTS = 942 * 12


def source_curve(
    frequencies: np.ndarray, table: np.ndarray, couplings: tuple, sequence: Sequence
) -> np.ndarray:
    """Simulate one curve as the lattice code behind the paper does; returns (n_samples, 3).

    Density matrices in Liouville space: at every sample interval the mean field of every site is
    the sum over all pairs, and every site's 4 × 4 Liouvillian is exponentiated. (The exponential
    is a Taylor sum over all sites at once, which favours the source: its own code calls a library
    once per site.)
    """
    n_edge = len(frequencies)
    site = np.arange(n_edge**2)
    x, y = site // n_edge, site % n_edge
    pairs = table[(x[:, None] - x) % n_edge, (y[:, None] - y) % n_edge] / table.sum()
    spin = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2
    identity = np.eye(2)
    # vec(-i[H, ρ]) = L vec(ρ), row by row, for H = I^d.
    liouvillians = np.array(
        [-1j * (np.kron(op, identity) - np.kron(identity, op.T)) for op in spin]
    )
    density = np.tile((identity / 2 + spin[2]).reshape(4, 1).astype(complex), (n_edge**2, 1, 1))
    measure = spin.transpose(0, 2, 1).reshape(3, 4)
    signal = []
    for sample in range(sequence.n_samples):
        for pulse in sequence.pulses:
            if pulse.sample == sample:
                axis = np.array([np.cos(pulse.phase), np.sin(pulse.phase), 0.0])
                generator = -pulse.angle * np.tensordot(axis, liouvillians, 1)
                density = exponential(generator[None]) @ density
        spins = (density[..., 0] @ measure.T).real
        signal.append(spins.mean(axis=0))
        field = (pairs @ spins) * couplings
        field[:, 2] += frequencies.ravel()
        # H_i = -b_i · I_i
        generators = np.tensordot(-2 * np.pi * sequence.dt * field, liouvillians, 1)
        density = exponential(generators) @ density
    return np.array(signal)


def exponential(matrices: np.ndarray) -> np.ndarray:
    """Matrix exponentials, shape (n, 4, 4), by scaling, a Taylor sum, and squaring."""
    size = np.abs(matrices).sum(axis=-1).max()
    n_squarings = max(int(np.ceil(np.log2(max(size, 1e-30) / 0.5))), 0)
    scaled = matrices / 2**n_squarings
    total = term = np.broadcast_to(np.eye(4, dtype=complex), matrices.shape)
    for k in range(1, 13):
        term = term @ scaled / k
        total = total + term
    for _ in range(n_squarings):
        total = total @ total
    return total


def converged(frequencies, tables, couplings, sequence) -> np.ndarray:
    """Extrapolate two float64 runs of third order."""
    coarse, fine = (
        simulate_lattices(frequencies, tables, couplings, sequence, step=step, dtype="float64")
        for step in (1, 0.5)
    )
    return fine + (fine - coarse) / 7


def seconds(function, *arguments, **options) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - start


def spread(times: list[float]) -> dict:
    """Median, least and largest of some times."""
    return {"median_s": median(times), "min_s": min(times), "max_s": max(times)}


def yardstick() -> None:
    """Multiply float32 100 × 100 matrices, 942 × 12 times."""
    rng = np.random.default_rng(0)
    a = (rng.standard_normal((100, 100)) / 10).astype(np.float32)
    out = np.empty_like(a)
    for _ in range(YARDSTICK_PRODUCTS):
        np.matmul(a, a, out=out)


def paper_curves(n_curves: int, repeats: int) -> dict:
    """Time curves of the preset `paper` and the yardstick in turn."""
    simulation = Simulation("paper", seed=2026)
    evaluations = planned_evaluations(simulation, range(n_curves))
    simulate_curves(simulation, range(n_curves))  # compiles
    ours, theirs = [], []
    for _ in range(repeats):
        ours.append(seconds(simulate_curves, simulation, range(n_curves)) / n_curves)
        theirs.append(seconds(yardstick))
    return {
        "n_curves": n_curves,
        "per_curve": spread(ours),
        "yardstick": spread(theirs),
        "yardstick_multiple": median(a / b for a, b in zip(ours, theirs, strict=True)),
        "evaluations_mean": float(np.mean(evaluations)),
        "evaluations_max": max(evaluations),
    }


def against_source(repeats: int) -> list[dict]:
    """Both algorithms on the same small lattices, a power law p = 1.47."""
    rows = []
    for n_edge in SOURCE_EDGES:
        fields = line_fields(n_edge, 1)
        tables = kernel_table("power", 1.47, n_edge)[None]
        exact = converged(fields, tables, [COUPLINGS], SEQUENCE)[0]
        n_ours = 2 * (os.cpu_count() or 1)
        many = [np.repeat(a, n_ours, axis=0) for a in (fields, tables, np.array([COUPLINGS]))]
        ours = simulate_lattices(*many, sequence=SEQUENCE)[0]
        row = (fields[0].astype(float), tables[0], COUPLINGS, SEQUENCE)
        theirs = source_curve(*row)
        theirs_s = [seconds(source_curve, *row)]
        ours_s = [seconds(simulate_lattices, *many, SEQUENCE) / n_ours for _ in range(repeats)]
        rows.append(
            {
                "n_edge": n_edge,
                "ours": spread(ours_s) | {"error": float(np.abs(ours - exact).max())},
                "source": spread(theirs_s) | {"error": float(np.abs(theirs - exact).max())},
                "ratio": median(theirs_s) / median(ours_s),
            }
        )
        print(f"{n_edge} x {n_edge}: {rows[-1]['ratio']:.0f} times faster", flush=True)
    return rows


def scaling(repeats: int) -> list[dict]:
    """Time per curve over the lattice edge: Gaussian ξ = 8, every step eight samples."""
    rows = []
    for n_edge in EDGES:
        n_curves = max(os.cpu_count() or 1, 400 // n_edge)
        arrays = (
            line_fields(n_edge, n_curves),
            np.stack([kernel_table("gaussian", 8.0, n_edge)] * n_curves),
            np.array([COUPLINGS] * n_curves),
        )
        simulate_lattices(*arrays, SEQUENCE, step=8)
        times = [
            seconds(simulate_lattices, *arrays, SEQUENCE, step=8) / n_curves for _ in range(repeats)
        ]
        rows.append({"n_edge": n_edge} | spread(times))
        print(f"{n_edge} x {n_edge}: {median(times):.4f} s per curve", flush=True)
    return rows


def line_fields(n_edge: int, n_curves: int) -> np.ndarray:
    """ν fields of the line of `paper`, shape (n_curves, n_edge, n_edge)."""
    line = Line(fwhm=0.05, cutoff=0.5)
    keys = [jax.random.key(seed) for seed in range(n_curves)]
    return np.stack([np.asarray(draw_frequencies(key, n_edge, line)) for key in keys])


def extrapolated(rows: list[dict], ours_at_100: float) -> dict:
    """Source's time at 100 × 100 from a power law through the measured lattices."""
    edges = np.log([row["n_edge"] for row in rows])
    slope, offset = np.polyfit(edges, np.log([row["source"]["median_s"] for row in rows]), 1)
    # All pairs cost n⁴, which the small lattices do not yet show: the fitted exponent is a floor.
    at_100 = float(np.exp(offset + slope * np.log(100)))
    return {
        "extrapolated": True,
        "n_edge": 100,
        "fitted_exponent": float(slope),
        "source_s": at_100,
        "ratio": at_100 / ours_at_100,
    }


def main() -> None:
    """Measure, print, and write JSON and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--curves", type=int, default=48)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    paper = paper_curves(options.curves, options.repeats)
    print(
        f"paper: {paper['per_curve']['median_s']:.4f} s per curve, "
        f"{paper['yardstick_multiple']:.2f} yardsticks, "
        f"{paper['evaluations_mean']:.0f} field evaluations",
        flush=True,
    )
    edges = scaling(options.repeats)
    source = against_source(options.repeats)
    at_100 = next(row["median_s"] for row in edges if row["n_edge"] == 100)
    result = {
        "command": "python scripts/benchmark_simulator.py",
        "device": str(jax.devices()[0].device_kind),
        "n_devices": len(jax.local_devices()),
        "n_cores": os.cpu_count(),
        "machine": platform.machine(),
        "jax": jax.__version__,
        "paper": paper,
        "scaling": edges,
        "against_source": source,
        "at_100": extrapolated(source, at_100),
    }
    write_json(options.out / "simulator.json", result)
    save_figure(plot_simulator_benchmark(result), options.out / "simulator")
    print(f"wrote {options.out / 'simulator.json'} and simulator.png")


if __name__ == "__main__":
    main()
