"""Time the simulator beside two yardsticks and the algorithm of its source, in one run.

    python scripts/benchmark_simulator.py [--repeats 5] [--curves 48] [--out artifacts/benchmarks]

Writes simulator.json and simulator.png. Times are wall times on all local devices, compilation
apart; every ratio is of times measured in this run, the contenders taking turns; the load of the
machine is written beside them. A time of the source at 100 × 100 is extrapolated and says so.
"""

import argparse
from pathlib import Path

import jax

from latent_nmr.commands.main import run_script
from latent_nmr.plots import save_figure
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.speed.figures import simulator_figure
from latent_nmr.studies.speed.simulator import (
    beside_source,
    extrapolated,
    fitted_exponent,
    paper_times,
    times_by_edge,
)
from latent_nmr.studies.speed.timing import machine, n_cores

SOURCE_EDGES, EDGES = (20, 30, 40), (25, 50, 100, 200, 317, 400)


def main() -> None:
    """Measure, print, and write JSON and figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--curves", type=int, default=48)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks"))
    options = parser.parse_args()
    paper = paper_times(options.curves, options.repeats)
    for name in ("tolerance", "fixed_step"):
        own = paper[name]
        print(
            f"paper, {name}: {own['per_curve']['median_s']:.4f} s per curve, "
            f"{1e6 * own['per_evaluation_s']:.0f} µs per field evaluation, "
            f"{own['yardstick_multiple']:.2f} and {own['transforms_multiple']:.2f} yardsticks",
            flush=True,
        )
    edges, source = [], []
    for row in times_by_edge(EDGES, options.repeats):
        print(f"{row['n_edge']} x {row['n_edge']}: {row['median_s']:.4f} s per curve", flush=True)
        edges.append(row)
    for row in beside_source(SOURCE_EDGES, options.repeats):
        print(f"{row['n_edge']} x {row['n_edge']}: {row['ratio']:.0f} times faster", flush=True)
        source.append(row)
    at_100 = next(row["median_s"] for row in edges if row["n_edge"] == 100)
    result = {
        "command": "python scripts/benchmark_simulator.py",
        **machine(),
        "n_devices": len(jax.local_devices()),
        "n_cores": n_cores(),
        "paper": paper,
        "scaling": edges,
        "exponent_from_100": fitted_exponent([row for row in edges if row["n_edge"] >= 100]),
        "against_source": source,
        "at_100": extrapolated(source, at_100),
    }
    write_result(options.out / "simulator.json", result)
    save_figure(simulator_figure(result), options.out / "simulator")
    print(f"wrote {options.out / 'simulator.json'} and simulator.png")


if __name__ == "__main__":
    run_script(main)
