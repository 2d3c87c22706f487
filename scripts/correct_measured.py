"""Correct p-values and ellipses of a model of measured echoes by simulated measurements.

DATA has whole curves of preset paper, with Re and Im, of no training or test of MODEL.
"""

import argparse
from pathlib import Path

import latent_nmr as ln
from latent_nmr.commands.main import run_script
from latent_nmr.studies.measurement.calibration import write_correction


def main() -> None:
    """Judge simulated measurements, and write what is to be corrected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--n-curves", type=int, default=450)
    given = parser.parse_args()
    echoes = ln.open_echoes(given.data).isel(curve=slice(given.n_curves))
    print(write_correction(given.model, echoes))


if __name__ == "__main__":
    run_script(main)
