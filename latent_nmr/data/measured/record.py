"""The data set of a measurement: one record beside another, on one axis of time."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from latent_nmr.data.measured.checks import blanked, check_dwell, check_values, without_empty
from latent_nmr.data.measured.domain import to_time
from latent_nmr.data.measured.reading import ComplexArray, Options, Reading
from latent_nmr.data.measured.steps import Step, with_steps
from latent_nmr.errors import EchoFileError


def assemble(path: Path, reading: Reading, options: Options) -> xr.Dataset:
    """Check what a file holds, and lay it out as records.

    Raises
    ------
    EchoFileError
        If it is nothing that a receiver gave, or the time between samples is unknown.
    """
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused
        signal = np.atleast_2d(np.asarray(reading.signal, np.complex128))
    check_values(path, signal)
    if options.domain is not None:
        reading = replace(reading, domain=options.domain, may_doubt=False)
    kind_steps = _one_channel(path, reading)
    reading, dwell_step = _with_dwell(path, reading, options)
    dwell = check_dwell(path, reading.dwell)
    signal, domain_steps = to_time(signal, reading.domain, reading.may_doubt, reading.acquired)
    signal, train_steps = _split(path, signal, reading, options)
    signal, numbers, empty_steps = without_empty(signal)
    check_values(path, signal)  # an inverse transform may end at nothing
    dataset = xr.Dataset(
        {"signal": (("record", "time"), signal)},
        {
            "record": np.array(numbers, np.int64),
            "time": reading.first_time + dwell * np.arange(signal.shape[1]),
        },
        _attributes(path, reading, is_real=bool(kind_steps)),
    )
    dataset["time"].attrs["units"] = "µs"
    steps = (
        _summary(reading, dataset, dwell),
        *dwell_step,
        *reading.steps,
        *kind_steps,
        *domain_steps,
        *train_steps,
        *empty_steps,
        *blanked(signal, reading.first_time, dwell),
    )
    return with_steps(dataset, *steps)


def _with_dwell(path: Path, reading: Reading, options: Options) -> tuple[Reading, tuple[Step, ...]]:
    """The reading with the time between samples that the user states, if any."""
    if options.dwell is None:
        return reading, ()
    check_dwell(path, options.dwell)
    said = reading.dwell
    beside = "which the file does not say" if said is None else f"where the file says {said:g} µs"
    detail = f"The time between samples was given: {options.dwell:g} µs, {beside}."
    values = {"dwell": options.dwell, "said": said}
    # What precedes the first sample is counted in samples.
    scale = options.dwell / said if said else 1.0
    reading = replace(reading, dwell=options.dwell, first_time=reading.first_time * scale)
    return reading, (Step("dwell", detail, values),)


def _split(
    path: Path, signal: ComplexArray, reading: Reading, options: Options
) -> tuple[ComplexArray, tuple[Step, ...]]:
    """One record per acquisition, where several are stored one behind another."""
    n_points = signal.shape[1]
    wanted = options.points_per_record
    length = wanted or reading.acquired or n_points
    if length >= n_points:
        return signal, ()
    if not signal[:, length:].any():
        detail = f"Cut to the {length} points that were acquired: the other {n_points - length} "
        detail += "are zero."
        return signal[:, :length], (Step("zero_filling", detail, {"points": length}),)
    if n_points % length:
        reason = f"there are {n_points} points, which is no multiple of the {length} of an echo"
        if wanted:
            cure = "Give another points_per_record."
            raise EchoFileError(path, f"points_per_record must divide a record, but {reason}", cure)
        detail = f"Left whole: {reason} that the file states."
        return signal, (Step("train", detail, {"points": n_points, "acquired": length}),)
    n_echoes = n_points // length
    detail = f"Split {n_points} points, stored one behind another, into {n_echoes} records of "
    detail += f"{length} points."
    values = {"echoes": n_echoes, "points": length, "rows": len(signal)}
    return signal.reshape(-1, length), (Step("train", detail, values),)


def _one_channel(path: Path, reading: Reading) -> tuple[Step, ...]:
    """A step for records without an imaginary part; a spectrum without one cannot be used."""
    if np.iscomplexobj(reading.signal):
        return ()
    if reading.domain == "spectrum":
        reason = "a spectrum must have its imaginary part, but has the real one alone"
        raise EchoFileError(path, reason, "Export the record in time, or both parts.")
    return (Step("one_channel", "Only one channel is stored: the imaginary part is zero."),)


def _attributes(path: Path, reading: Reading, *, is_real: bool) -> dict[str, Any]:
    """What is known of the measurement; what is not has no attribute."""
    known = {name: value for name, value in reading.facts.items() if value is not None}
    kind = {"signal_kind": "real"} if is_real else {}
    return {"format": reading.format, "path": str(path), **kind, **known}


def _summary(reading: Reading, dataset: xr.Dataset, dwell: float) -> Step:
    """The first step: what was read."""
    n_records, n_points = dataset.signal.shape
    detail = (
        f"Read {reading.format}: {n_records} record{'s' if n_records > 1 else ''} of {n_points} "
        f"points, {dwell:g} µs apart, from {float(dataset.time[0]):g} µs."
    )
    values = {"format": reading.format, "records": n_records, "points": n_points, "dwell": dwell}
    return Step("read", detail, values)
