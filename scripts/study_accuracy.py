"""Measure the simulator's integration error, over kernels and over random curves of `paper`.

    python scripts/study_accuracy.py [--curves 100] [--fields 3] [--hard 300] [--out FOLDER]

Writes accuracy.json and accuracy.png, and error-calibration.json of lattices drawn to be hard. An
error is the largest difference of any component of M at any sample (|M(0)| = 1/2) from a converged
float64 run: two steps of the third-order scheme, extrapolated. For the five hard cases that
reference is itself compared with one from two steps of the midpoint scheme. Takes about half an
hour on two cores.
"""

import argparse
import platform
from pathlib import Path

import jax

from latent_nmr import Simulation
from latent_nmr.commands.main import run_script
from latent_nmr.plots import save_figure
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.accuracy import (
    HARD_COUPLINGS,
    accuracy_figure,
    error_summary,
    hard_cases,
    integration_errors,
)
from latent_nmr.studies.error_calibration import calibrate, calibration_result, draw_lattices

RANDOM_SEED = 62
COMMAND = "python scripts/study_accuracy.py"


def main() -> None:
    """Measure, print, and write JSON and figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--curves", type=int, default=100)
    parser.add_argument("--fields", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    parser.add_argument("--hard", type=int, default=300, help="lattices drawn to be hard")
    options = parser.parse_args()
    records = []
    for record in calibrate(draw_lattices(options.hard)):
        print(*record.values(), flush=True)
        records.append(record)
    write_result(
        options.out / "error-calibration.json", {"command": COMMAND, **calibration_result(records)}
    )
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
        "command": COMMAND,
        "device": str(jax.devices()[0].device_kind),
        "machine": platform.machine(),
        "hard_cases": {
            "n_fields": options.fields,
            "couplings_MHz": HARD_COUPLINGS,
            "cases": cases,
        },
        "paper": {**paper, "curves": errors.to_dict("records")},
    }
    write_result(options.out / "accuracy.json", result)
    save_figure(accuracy_figure(result), options.out / "accuracy")


if __name__ == "__main__":
    run_script(main)
