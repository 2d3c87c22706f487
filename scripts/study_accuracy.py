"""Measure the simulator's integration error, over kernels and over random curves of `paper`.

    python scripts/study_accuracy.py [--curves 100] [--fields 3] [--out artifacts/benchmarks]

Writes accuracy.json and accuracy.png. An error is the largest difference of any component of M at
any sample (|M(0)| = 1/2) from a converged float64 run: two steps of the third-order scheme,
extrapolated. For the five hard cases that reference is itself compared with one from two steps of
the midpoint scheme. Takes about ten minutes on two cores.
"""

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from latent_nmr import Simulation, kernel_table
from latent_nmr._files import write_json
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.simulate import draw_fields
from latent_nmr.plots.benchmarks import plot_accuracy
from latent_nmr.plots.style import save_figure
from latent_nmr.studies.accuracy import Lattices, converged, integration_errors, largest_errors

CASES = (("gaussian", 8.0), ("power", 1.47), ("power", 3.0), ("rkky", 13.0), ("rkky", 40.0))
STEPS = (8, 4, 2, 1)
RANDOM_SEED = 62


def hard_cases(n_fields: int) -> Iterator[dict[str, Any]]:
    """The five kernels at α = 0.1 MHz each, some offset maps each."""
    fields, couplings = draw_fields(Simulation("paper", seed=61), range(n_fields)), (0.1, 0.1, 0.1)
    for kernel, parameter in CASES:
        tables = np.stack([kernel_table(kernel, parameter, fields.shape[1])] * n_fields)
        sequence = get_preset("paper").sequence
        lattices = Lattices(fields, tables, np.array([couplings] * n_fields), sequence)
        reference = converged(lattices)
        other = converged(lattices, scheme="midpoint")
        yield {
            "kernel": kernel,
            "parameter": parameter,
            "error": largest_errors(lattices, reference).tolist(),
            "source_error": largest_errors(lattices, reference, scheme="source").tolist(),
            "error_by_step": {
                str(step): float(largest_errors(lattices, reference, step=step).max())
                for step in STEPS
            },
            "references_differ": float(np.abs(reference - other).max()),
        }


def random_curves(n_curves: int) -> dict[str, Any]:
    """The first curves of `paper` with a seed of their own."""
    rows = integration_errors(Simulation("paper", seed=RANDOM_SEED), range(n_curves))
    ours, source, evaluations = rows["error"], rows["source_error"], rows["evaluations"]
    return {
        "n_curves": n_curves,
        "seed": RANDOM_SEED,
        "max": float(ours.max()),
        "percentile_95": float(np.percentile(ours, 95)),
        "median": float(np.median(ours)),
        "evaluations_mean": float(evaluations.mean()),
        "evaluations_max": int(evaluations.max()),
        "source": {"max": float(source.max()), "percentile_95": float(np.percentile(source, 95))},
        "curves": rows.to_dict("records"),
    }


def main() -> None:
    """Measure, print, and write JSON and figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--curves", type=int, default=100)
    parser.add_argument("--fields", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    cases = []
    for case in hard_cases(options.fields):
        print(f"{case['kernel']} {case['parameter']:g}: {max(case['error']):.1e}", flush=True)
        cases.append(case)
    paper = random_curves(options.curves)
    print(
        f"paper, {paper['n_curves']} curves: error at most {paper['max']:.1e}, 95 % below "
        f"{paper['percentile_95']:.1e}; field evaluations {paper['evaluations_mean']:.0f} on "
        f"average, {paper['evaluations_max']} at most"
    )
    result = {
        "command": "python scripts/study_accuracy.py",
        "device": str(jax.devices()[0].device_kind),
        "machine": platform.machine(),
        "hard_cases": {"n_fields": options.fields, "couplings_MHz": [0.1] * 3, "cases": cases},
        "paper": paper,
    }
    write_json(options.out / "accuracy.json", result)
    save_figure(plot_accuracy(result), options.out / "accuracy")


if __name__ == "__main__":
    main()
