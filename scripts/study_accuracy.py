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
from latent_nmr.studies.accuracy import Lattices, error_summary, errors_by_step, integration_errors

CASES = (("gaussian", 8.0), ("power", 1.47), ("power", 3.0), ("rkky", 13.0), ("rkky", 40.0))
RANDOM_SEED = 62


def hard_cases(n_fields: int) -> Iterator[dict[str, Any]]:
    """The five kernels at α = 0.1 MHz each, some offset maps each."""
    fields, couplings = draw_fields(Simulation("paper", seed=61), range(n_fields)), (0.1, 0.1, 0.1)
    for kernel, parameter in CASES:
        tables = np.stack([kernel_table(kernel, parameter, fields.shape[1])] * n_fields)
        sequence = get_preset("paper").sequence
        lattices = Lattices(fields, tables, np.array([couplings] * n_fields), sequence)
        yield {"kernel": kernel, "parameter": parameter, **errors_by_step(lattices)}


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
    errors = integration_errors(Simulation("paper", seed=RANDOM_SEED), range(options.curves))
    paper = {"n_curves": options.curves, "seed": RANDOM_SEED, **error_summary(errors)}
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
        "paper": {**paper, "curves": errors.to_dict("records")},
    }
    write_json(options.out / "accuracy.json", result)
    save_figure(plot_accuracy(result), options.out / "accuracy")


if __name__ == "__main__":
    main()
