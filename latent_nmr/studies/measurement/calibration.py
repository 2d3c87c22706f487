"""Verdicts, points and intervals of simulated measurements whose truth is known.

Records are made from whole simulated curves, go through the same preparation as files, and are
judged; what comes out is compared with what went in.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import stats

from latent_nmr._echo_top import find_top
from latent_nmr.data.measured.prepare import prepare_measurement
from latent_nmr.data.measured.resample import resample
from latent_nmr.data.windows import features
from latent_nmr.errors import check_choice
from latent_nmr.studies.measurement._correction import CORRECTION_FILE, Correction
from latent_nmr.studies.measurement._instrument import Instrument, load_instrument
from latent_nmr.studies.measurement._judge import FALSE_ALARMS, PARTS, judge
from latent_nmr.studies.measurement._records import LABELS, RecordResult
from latent_nmr.studies.measurement.visible import visible_echoes

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a receiver is drawn from: µs between samples, MHz off the carrier, µs after the second pulse.
DWELLS, OFFSET, DEAD_TIMES = (0.1, 1.0), 0.1, (5.0, 60.0)
LEAST_SNR, MOST_SNR = 3.0, 100.0
# Standard deviation of the time of 2τ, where it is known, µs.
TIME_ERROR = 0.5
SNR_EDGES = (3.0, 10.0, 30.0, 100.0)
# Parts of the signal-to-noise ratio that ellipses are corrected in.
N_BINS = 3
# Every alternative is one over the whole record, with the echo of a curve in it or in its place.
Alter = Callable[
    [npt.NDArray[np.complexfloating], npt.NDArray[np.float64], np.random.Generator], Any
]


def _stretched(signal, time, rng):
    """A decay exp(-|t/T|^½) on both sides of the top."""
    width = np.exp(rng.uniform(np.log(1.0), np.log(15.0)))
    return np.abs(signal).max() * np.exp(-(np.abs(time / width) ** 0.5)) + 0j


def _gaussian(signal, time, rng):
    """The echo of a Gaussian line."""
    width = np.exp(rng.uniform(np.log(2.0), np.log(20.0)))
    return np.abs(signal).max() * np.exp(-((time / width) ** 2)) + 0j


def _clipped(signal, time, rng):  # noqa: ARG001
    """A receiver that was full at 60 % of the height."""
    limit = 0.6 * np.abs(signal).max()
    return signal * np.minimum(1, limit / np.maximum(np.abs(signal), 1e-12))


def _sine(signal, time, rng):
    """A steady oscillation."""
    return np.abs(signal).max() * np.exp(2j * np.pi * rng.uniform(-0.2, 0.2) * time)


def _noise(signal, time, rng):  # noqa: ARG001
    """Nothing but noise."""
    return np.zeros_like(signal)


def _decay(signal, time, rng):
    """A free induction decay in the place of the echo."""
    width = np.exp(rng.uniform(np.log(5.0), np.log(60.0)))
    return np.abs(signal).max() * np.where(time < 0, 0, np.exp(-np.abs(time) / width)) + 0j


ALTERNATIVES: "Mapping[str, Alter]" = {
    "stretched exponential": _stretched,
    "Gaussian line": _gaussian,
    "receiver clipped at 60 %": _clipped,
    "free induction decay": _decay,
    "sine wave": _sine,
    "noise": _noise,
}


def simulated_records(
    dataset: xr.Dataset, *, alternative: str | None = None, seed: int = 0
) -> Iterator[tuple[xr.Dataset, float]]:
    """A record of every curve of a data set as an unknown receiver would give it, and its SNR.

    Parameters
    ----------
    dataset : xarray.Dataset
        Whole curves of preset `paper`, with Re and Im.
    alternative : str, optional
        One of `ALTERNATIVES`, in the place of the echo.
    seed : int
        Of dwell, dead time, carrier, phase, gain, offset and noise of every record.

    Yields
    ------
    record : xarray.Dataset
        As :func:`latent_nmr.open_measurement` returns it; its attribute `echo_time_given` is 2τ on
        its axis, as well as a pulse programme tells: to 0.5 µs.
    snr : float
        Height of the echo over the noise of one sample and channel, log-uniform from 3 to 100.
    """
    alter = (
        None
        if alternative is None
        else ALTERNATIVES[check_choice("alternative", alternative, ALTERNATIVES)]
    )
    curves = dataset.mx.to_numpy() + 1j * dataset.my.to_numpy()
    tops = find_top(features(dataset, "echo", "initial"))
    time, dt = dataset.time.to_numpy(), float(dataset.attrs["dt_us"])
    echo = float(time[int(dataset.attrs["echo_index"])])
    for number, curve in enumerate(curves):
        rng = np.random.default_rng([seed, int(dataset.curve[number])])
        top = echo + (int(tops.sample[number]) - 200) * dt
        dwell = float(np.exp(rng.uniform(*np.log(DWELLS))))
        start = echo / 2 + rng.uniform(*DEAD_TIMES)
        times = np.arange(start, time[-1], dwell)
        signal, _ = resample(curve, time, times)
        height = 0.5 * float(tops.height[number])
        if alter is not None:
            signal = alter(signal / np.abs(signal).max() * height, times - top, rng)
        snr = float(np.exp(rng.uniform(np.log(LEAST_SNR), np.log(MOST_SNR))))
        turns = rng.uniform(-OFFSET, OFFSET) * times + rng.uniform()
        noise = rng.standard_normal(len(times)) + 1j * rng.standard_normal(len(times))
        level = 0.02 * height * np.exp(2j * np.pi * rng.uniform())
        seen = signal * np.exp(2j * np.pi * turns) + level + height / snr * noise
        gain = np.exp(rng.uniform(-5, 10))
        record = xr.Dataset({"signal": (("record", "time"), gain * seen[None])}, {"time": times})
        known = {"gain": gain, "pulse_separation": echo / 2}
        known["echo_time_given"] = echo + TIME_ERROR * rng.standard_normal()
        yield record.assign_attrs(known), snr


def judged_records(
    dataset: xr.Dataset,
    model: Instrument | Path | str,
    *,
    alternative: str | None = None,
    knows_time: bool = True,
    seed: int = 0,
    on_record: Callable[[], object] = lambda: None,
) -> pd.DataFrame:
    """One row for each simulated record: its truth, verdict, and where intervals hold the truth.

    Parameters
    ----------
    dataset : xarray.Dataset
        As for :func:`simulated_records`; curves that the model was not trained on.
    model : Instrument, path-like or str
        Or the name of one of the package.
    alternative, seed
        As for :func:`simulated_records`.
    knows_time : bool
        Whether 2τ is given; otherwise the highest echo on the record is taken.
    on_record : callable
        Called after each record.
    """
    instrument = model if isinstance(model, Instrument) else load_instrument(model)
    normalisation = "initial" if instrument.knows_gain else "height"
    clean = instrument.model.transform(features(dataset, "top", normalisation))
    rows = []
    for number, (record, snr) in enumerate(
        simulated_records(dataset, alternative=alternative, seed=seed)
    ):
        gain = record.attrs["gain"]
        echo_time = record.attrs["echo_time_given"] if knows_time else "find"
        prepared = prepare_measurement(record, grid="full", echo_time=echo_time)
        m0 = 0.5 * gain if instrument.knows_gain else None
        (found,) = judge(prepared, instrument, m0=m0, seed=seed)
        row = {"snr": snr, "seen_snr": found.snr, "verdict": found.verdict, "p": found.p_value}
        row["width"] = prepared.attrs["echo_width"] * prepared.attrs["time_factor"]
        row["late"] = found.echo_time - float(dataset.time[int(dataset.attrs["echo_index"])])
        if found.estimates:
            labels = {name: dataset[name].to_numpy()[number] for name in (*LABELS, "kernel")}
            row |= _compared(found, clean[number], labels)
        rows.append(row)
        on_record()
    return pd.DataFrame(rows)


def _compared(
    found: RecordResult, clean: npt.NDArray[np.floating], labels: dict[str, Any]
) -> dict[str, Any]:
    """Estimates beside the truth, and which intervals and ellipses hold it."""
    row: dict[str, Any] = {}
    assert found.point is not None
    assert found.covariance is not None
    assert found.radii is not None
    for pair, (inner, outer) in enumerate(found.radii):
        axes = slice(2 * pair, 2 * pair + 2)
        rest = clean[axes] - found.point[axes]
        radius = np.sqrt(rest @ np.linalg.solve(found.covariance[axes, axes], rest))
        name = f"LA{2 * pair + 1}-{2 * pair + 2}"
        row |= {f"{name} 68": radius < inner, f"{name} 95": radius < outer}
        row |= {f"{name} over inner": radius / inner, f"{name} over outer": radius / outer}
    for name, one in found.estimates.items():
        truth = float(labels[name])
        row |= {
            name: truth,
            f"{name} found": one.mean,
            f"{name} 68": one.low68 <= truth <= one.high68,
            f"{name} 95": one.low95 <= truth <= one.high95,
        }
    kernel = str(labels["kernel"])
    likeliest = max(found.kernels, key=lambda name: found.kernels[name])
    return row | {"kernel share": found.kernels[kernel], "kernel right": likeliest == kernel}


def correction_of(table: pd.DataFrame) -> Correction:
    """What the records of :func:`judged_records`, by a model without one, say of that model."""
    judged = table.dropna(subset=["W"])
    names = [name.removesuffix(" over inner") for name in judged if name.endswith(" over inner")]
    ratios = np.stack(
        [judged[[f"{own} over inner", f"{own} over outer"]].to_numpy(float) for own in names],
        axis=1,
    )
    # Thirds: within the band that was kept, noise is lower than that of a sample by any factor.
    edges = np.quantile(judged["seen_snr"], np.linspace(0, 1, N_BINS + 1))
    widths = table.loc[table["p"].notna(), "width"]
    return Correction.of(table["p"], judged["seen_snr"], ratios, PARTS, edges, widths)


def write_correction(folder: Path, dataset: xr.Dataset, *, seed: int = 1) -> Path:
    """Write the correction of the model in a folder, from measurements of a data set's echoes."""
    instrument = load_instrument(folder)
    instrument.correction = None
    table = judged_records(visible_echoes(dataset), instrument, seed=seed)
    correction_of(table).save(folder / CORRECTION_FILE)
    return folder / CORRECTION_FILE


def calibration_summary(table: pd.DataFrame) -> dict[str, Any]:
    """What the records of :func:`judged_records` say, in all and between the SNR of SNR_EDGES."""
    parts = {"all": table}
    for low, high in pairwise(SNR_EDGES):
        inside = (table["snr"] >= low) & (table["snr"] < high)
        parts[f"SNR {low:g} to {high:g}"] = table[inside]
    return {name: _summary(own) for name, own in parts.items()}


def _summary(table: pd.DataFrame) -> dict[str, Any]:
    tested = table["p"].dropna().to_numpy(float)
    verdicts = table["verdict"].value_counts()
    found: dict[str, Any] = {
        "records": len(table),
        "verdicts": {str(name): int(count) for name, count in verdicts.items()},
        "false alarms": float(np.mean(tested < FALSE_ALARMS)) if len(tested) else None,
        "p below 0.05": float(np.mean(tested < 0.05)) if len(tested) else None,
        "KS": float(stats.kstest(tested, "uniform").pvalue) if len(tested) else None,
    }
    judged = table.dropna(subset=["W"]) if "W" in table else table.iloc[:0]
    if len(judged) < 2:
        return found
    held = [name for name in judged if str(name).endswith((" 68", " 95"))]
    found["coverage"] = {str(name): float(judged[name].astype(bool).mean()) for name in held}
    found["R2"] = {}
    for name in LABELS:
        rest = judged[f"{name} found"] - judged[name]
        found["R2"][name] = float(1 - np.mean(rest**2) / np.var(judged[name]))
    found["kernel right"] = float(judged["kernel right"].astype(bool).mean())
    found["kernel share"] = float(judged["kernel share"].mean())
    return found
