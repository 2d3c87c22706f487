"""Measure the simulator's integration error, over kernels and over random curves of `paper`.

    python scripts/study_accuracy.py [--curves 100] [--fields 3] [--out artifacts/benchmarks]

Writes accuracy.json and accuracy.png. An error is the largest difference of any component of M at
any sample (|M(0)| = 1/2) from a converged float64 run: two steps of the third-order scheme,
extrapolated. For the five hard cases that reference is itself compared with one from two steps of
the midpoint scheme. Takes about ten minutes on two cores.
"""

import argparse
import platform
from pathlib import Path

import jax
import numpy as np

from latent_nmr._files import write_json
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.simulate import (
    Simulation,
    draw_fields,
    draw_parameters,
    planned_evaluations,
)
from latent_nmr.plots.benchmarks import plot_accuracy
from latent_nmr.plots.style import save_figure

CASES = (("gaussian", 8.0), ("power", 1.47), ("power", 3.0), ("rkky", 13.0), ("rkky", 40.0))
SEQUENCE = get_preset("paper").sequence


def converged(arrays: tuple, *, scheme: str, order: int) -> np.ndarray:
    """Extrapolate float64 runs at steps of 1 and 1/2 sample interval."""
    coarse, fine = (
        simulate_lattices(*arrays, sequence=SEQUENCE, step=step, scheme=scheme, dtype="float64")
        for step in (1, 0.5)
    )
    return fine + (fine - coarse) / (2**order - 1)


def errors(arrays: tuple, reference: np.ndarray, **options) -> np.ndarray:
    """Largest error of each curve."""
    curves = simulate_lattices(*arrays, sequence=SEQUENCE, **options)
    return np.abs(curves - reference).max(axis=(1, 2))


def hard_cases(n_fields: int) -> dict:
    """The five kernels at α = 0.1 MHz each, some ν fields each."""
    fields = draw_fields(Simulation("paper", seed=61), range(n_fields))
    rows = []
    for kernel, parameter in CASES:
        arrays = (
            fields,
            np.stack([kernel_table(kernel, parameter, 100)] * n_fields),
            np.full((n_fields, 3), 0.1),
        )
        reference = converged(arrays, scheme="averaged", order=3)
        other = converged(arrays, scheme="midpoint", order=2)
        rows.append(
            {
                "kernel": kernel,
                "parameter": parameter,
                "error": errors(arrays, reference).tolist(),
                "source_error": errors(arrays, reference, scheme="source").tolist(),
                "error_by_step": {
                    str(step): float(errors(arrays, reference, step=step).max())
                    for step in (8, 4, 2, 1)
                },
                "references_differ": float(np.abs(reference - other).max()),
            }
        )
        print(f"{kernel} {parameter:g}: {max(rows[-1]['error']):.1e}", flush=True)
    return {"n_fields": n_fields, "couplings_MHz": [0.1] * 3, "cases": rows}


def random_curves(n_curves: int) -> dict:
    """The first curves of `paper` with a seed of their own."""
    simulation, indices = Simulation("paper", seed=62), range(n_curves)
    _, parameters = draw_parameters(simulation, indices)
    fields = draw_fields(simulation, indices)
    tables = np.stack([kernel_table(p.kernel, p.kernel_parameter, 100) for p in parameters])
    arrays = (fields, tables, np.array([p.couplings for p in parameters]))
    reference = converged(arrays, scheme="averaged", order=3)
    ours, source = errors(arrays, reference), errors(arrays, reference, scheme="source")
    evaluations = planned_evaluations(simulation, indices)
    rows = [
        {
            "kernel": p.kernel,
            "parameter": p.kernel_parameter,
            "W": sum(p.couplings),
            "evaluations": count,
            "error": float(error),
            "source_error": float(source_error),
        }
        for p, count, error, source_error in zip(parameters, evaluations, ours, source, strict=True)
    ]
    return {
        "n_curves": n_curves,
        "seed": simulation.seed,
        "max": float(ours.max()),
        "percentile_95": float(np.percentile(ours, 95)),
        "median": float(np.median(ours)),
        "evaluations_mean": float(np.mean(evaluations)),
        "evaluations_max": max(evaluations),
        "source": {"max": float(source.max()), "percentile_95": float(np.percentile(source, 95))},
        "curves": rows,
    }


def main() -> None:
    """Measure, print, and write JSON and figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curves", type=int, default=100)
    parser.add_argument("--fields", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    result = {
        "command": "python scripts/study_accuracy.py",
        "device": str(jax.devices()[0].device_kind),
        "machine": platform.machine(),
        "hard_cases": hard_cases(options.fields),
        "paper": random_curves(options.curves),
    }
    paper = result["paper"]
    print(
        f"paper, {paper['n_curves']} curves: error at most {paper['max']:.1e}, 95 % below "
        f"{paper['percentile_95']:.1e}; field evaluations {paper['evaluations_mean']:.0f} on "
        f"average, {paper['evaluations_max']} at most"
    )
    write_json(options.out / "accuracy.json", result)
    save_figure(plot_accuracy(result), options.out / "accuracy")


if __name__ == "__main__":
    main()
