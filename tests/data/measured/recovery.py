"""Simulated measurements in files of every format, and how well W and L are found from them.

    python -m tests.data.measured.recovery [--n-files 300] [--formats TNT …] [--out FILE]

Writes artifacts/benchmarks/recovery.json; takes about ten minutes on one core.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

import latent_nmr as ln
from latent_nmr.report.kept_results import write_result
from latent_nmr.studies.measurement._instrument import load_instrument
from latent_nmr.studies.measurement._judge import judge
from latent_nmr.studies.measurement.calibration import simulated_records
from latent_nmr.studies.measurement.recovery import RECOVERED, recovered, recovery_summary
from latent_nmr.studies.measurement.visible import visible_echoes
from tests.data.measured.writers import WRITERS

N_FILES, SEED = 300, 91
# Of the highest sample of a record, so that integers keep it; and how far estimates may be apart.
HEIGHT, SAME = 1e5, 0.02
# Of numbers in single precision, or of nine digits, over the highest of a record.
READ_ALIKE, EVERY = 1e-6, 15
TAU, MODEL = 100.0, "measured-echo"
OUT = Path("artifacts/benchmarks/recovery.json")


class Measurement(NamedTuple):
    """A record of known truth; its times count from the first sample, as Bruker and TNT do."""

    record: xr.Dataset
    echo_time: float
    snr: float
    truth: dict[str, float]


def measurements(n_files=N_FILES):
    """Records of SNR 3 to 100, each with the time of 2τ after its first sample."""
    echoes = visible_echoes(ln.simulate("paper", n_files + n_files // 5, seed=SEED))
    made = []
    for number, (record, snr) in enumerate(simulated_records(echoes)):
        start = float(record.time[0])
        moved = record.assign_coords(time=record.time - start)
        moved["signal"] = HEIGHT * moved.signal / np.abs(moved.signal).max()
        truth = {name: float(echoes[name][number]) for name in RECOVERED}
        made.append(Measurement(moved, record.attrs["echo_time_given"] - start, snr, truth))
    assert len(made) >= n_files
    return made[:n_files]


def written(measurement, kind, folder, number):
    """The measurement as a file of that format."""
    write, name, _ = WRITERS[kind]
    dwell = float(np.diff(measurement.record.time[:2])[0])
    return write(folder / f"{number}-{name}", measurement.record.signal.to_numpy(), dwell)


def prepared(opened, echo_time):
    """As `measure` prepares it; some formats put the first sample elsewhere than at nought."""
    time = echo_time + float(opened.time[0])
    return ln.prepare_measurement(opened, pulse_separation=TAU, echo_time=time, grid="full")


def is_read_alike(opened, record):
    """Whether a file gave the record back: its samples to single precision, and their times."""
    if opened.sizes != record.sizes:
        return False
    times = [one.time.to_numpy() - float(one.time[0]) for one in (opened, record)]
    apart = np.abs(opened.signal.to_numpy() - record.signal.to_numpy()).max()
    return np.allclose(*times, rtol=1e-6, atol=0) and apart < READ_ALIKE * HEIGHT


def measured_files(own, kinds, folder, instrument, number=0):
    """A row for each format: what its file says of the material, and of the record itself.

    A file that gave back the record to single precision is not prepared and judged again, but for
    one in EVERY. `again` is whether it was; `apart` the largest difference of the prepared signals
    over the highest sample of the record, `lost` the number of samples that the file has not,
    `agrees` whether verdict and estimates are those of the record.
    """
    direct = prepared(own.record, own.echo_time)
    (expected,) = judge(direct, instrument)
    for kind in kinds:
        opened = ln.open_measurement(written(own, kind, folder, number))
        row = {"format": kind, "again": False, "apart": 0.0, "lost": 0, "agrees": True}
        result = expected
        if number % EVERY == 0 or not is_read_alike(opened, own.record):
            found = prepared(opened, own.echo_time)
            (result,) = judge(found, instrument)
            row |= {"again": True, **compared(found, direct)}
            row["agrees"] = result.verdict == expected.verdict and all(
                np.isclose(one.mean, expected.estimates[label].mean, rtol=SAME)
                for label, one in result.estimates.items()
            )
        yield row | recovered(result, own.truth, own.snr)


def compared(found, direct):
    """How far apart two prepared records are, and how many samples the first has not."""
    both = (found.measured & direct.measured).to_numpy()
    apart = np.abs(found.signal.to_numpy() - direct.signal.to_numpy())[:, both].max()
    return {"apart": float(apart) / HEIGHT, "lost": int(direct.measured.sum() - both.sum())}


def main():
    """Write and measure every file, one record after the other in all formats."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n-files", type=int, default=N_FILES)
    parser.add_argument("--formats", nargs="+", choices=WRITERS, default=list(WRITERS))
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    instrument, rows = load_instrument(MODEL), []
    with TemporaryDirectory() as folder:
        for number, own in enumerate(measurements(options.n_files)):
            found = measured_files(own, options.formats, Path(folder), instrument, number)
            rows += found
            last = rows[-len(options.formats) :]
            print(number, round(own.snr, 1), *(r["verdict"] for r in last), flush=True)
            print(*(f"{r['apart']:.0e} {r['again']} {r['agrees']}" for r in last), flush=True)
    table = pd.DataFrame(rows)
    facts = {
        "command": f"python -m tests.data.measured.recovery --n-files {options.n_files}",
        "model": MODEL,
        "seed": SEED,
        "largest_difference": table.groupby("format", sort=False)["apart"].max().to_dict(),
        "measured_again": table.groupby("format", sort=False)["again"].sum().to_dict(),
        "other_verdicts": int((~table["agrees"]).sum()),
    }
    write_result(options.out, facts | {"rows": recovery_summary(table)})


if __name__ == "__main__":
    main()
