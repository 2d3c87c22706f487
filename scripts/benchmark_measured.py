"""Measure the verdicts and intervals of measured echoes on simulated measurements; write JSON.

DATA is a data set of whole curves of preset paper after 90° and 180°, with Re and Im; curves from
--first on must not be those that the model was trained on.
"""

import argparse
from pathlib import Path

import latent_nmr as ln
from latent_nmr.commands.main import run_script
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.measurement.calibration import (
    ALTERNATIVES,
    calibration_summary,
    judged_records,
)
from latent_nmr.studies.measurement.visible import visible_echoes

MODELS = ("measured-echo", "measured-echo-m0")


def main() -> None:
    """Judge records of every kind by every model, and save what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--first", type=int, default=13500)
    parser.add_argument("--n-curves", type=int, default=600)
    parser.add_argument("--n-alternatives", type=int, default=100)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--out", type=Path, default=Path("artifacts/benchmarks/measured.json"))
    given = parser.parse_args()
    data = ln.open_echoes(given.data).isel(curve=slice(given.first, None))
    several = "protocol" in data.dims
    echoes = visible_echoes(data.sel(protocol="90deg") if several else data)
    found: dict = {"command": f"python scripts/benchmark_measured.py DATA --first {given.first}"}
    for model in given.models:
        own = echoes.isel(curve=slice(given.n_curves))
        found[model] = {"simulated": calibration_summary(judged_records(own, model))}
        table = judged_records(own, model, knows_time=False)
        found[model]["2τ not given"] = calibration_summary(table)
        print(model, found[model]["simulated"]["all"], flush=True)
        for kind in ALTERNATIVES:
            own = echoes.isel(curve=slice(given.n_alternatives))
            table = judged_records(own, model, alternative=kind)
            found[model][kind] = calibration_summary(table)
            print(kind, found[model][kind]["all"]["verdicts"], flush=True)
        if several:
            own = visible_echoes(data.sel(protocol="120deg")).isel(curve=slice(len(own.curve)))
            found[model]["pulses of 120° and 240°"] = calibration_summary(
                judged_records(own, model)
            )
    write_result(given.out, found)


if __name__ == "__main__":
    run_script(main)
