"""How fast does each representation decay when the echoes are noisy?

    python scripts/study_noise.py [DATA] [--snr 3 10 30 100] [--n-seeds 2]

Echo window, one split, two coordinates, scores as from `latent-nmr evaluate`. SNR is the largest
|M| of the curve in the window over the standard deviation of the noise in each channel. Twice: all
fitted on clean curves, and all fitted on curves as noisy as those that are scored. The curves
are divided by |M(0)| = 1/2 without noise, as if calibrated. Fits and scores are kept in
artifacts/runs/noise, so that a killed study goes on; writes artifacts/tables/noise.json and
artifacts/figures/noise/.
"""

import argparse
from pathlib import Path

from latent_nmr import open_echoes
from latent_nmr.commands.main import run_script
from latent_nmr.plots import save_figure
from latent_nmr.report.evaluation import table_lines
from latent_nmr.report.kept_results import write_result
from latent_nmr.report.study_tables import noise_rows, noise_table, rows_as_json
from latent_nmr.studies.description import origin
from latent_nmr.studies.noise import evaluate_noise, noise_figure

ARTIFACTS = Path("artifacts")
ECHO_IN_A_PLANE = {"window": "echo", "n_components": 2}


def main() -> None:
    """Study, print, draw, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    default = Path("artifacts/data/paper-stratified-seed0.zarr")
    parser.add_argument("data", type=Path, nargs="?", default=default)
    parser.add_argument("--snr", type=float, nargs="+", default=[3, 10, 30, 100])
    parser.add_argument("--n-seeds", type=int, default=2)
    options = parser.parse_args()
    dataset = open_echoes(options.data)
    results = evaluate_noise(
        dataset,
        options.snr,
        **ECHO_IN_A_PLANE,
        n_seeds=options.n_seeds,
        folder=ARTIFACTS / "runs" / "noise",
    )
    tables = noise_rows(results)
    for fitted, parts in tables.items():
        for part, rows in parts.items():
            print(f"\nFitted on {fitted} curves, scored on {part} curves")
            print(*table_lines(rows), sep="\n")
    print("\n" + noise_table(tables, options.snr))
    levels = " ".join(f"{snr:g}" for snr in options.snr)
    command = f"python scripts/study_noise.py {options.data} --snr {levels}"
    settings = {
        **origin(options.data, dataset),
        **ECHO_IN_A_PLANE,
        "normalisation": "initial",
        "n_seeds": options.n_seeds,
        "snr": options.snr,
    }
    result = {
        "command": f"{command} --n-seeds {options.n_seeds}",
        "settings": settings,
        "tables": rows_as_json(tables),
    }
    write_result(ARTIFACTS / "tables" / "noise.json", result)
    figure = ARTIFACTS / "figures" / "noise" / "scores"
    figure.parent.mkdir(parents=True, exist_ok=True)
    save_figure(noise_figure(results, options.snr), figure)


if __name__ == "__main__":
    run_script(main)
