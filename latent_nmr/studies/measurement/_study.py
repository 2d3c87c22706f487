"""The study: open, prepare and judge files; one that cannot be used stops no other."""

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from latent_nmr._json import json_value
from latent_nmr._letters import path_text
from latent_nmr._progress import progress_bar
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError, InputError, check_count, check_number
from latent_nmr.studies.measurement._records import FileResult
from latent_nmr.studies.measurement._result import MeasurementResult

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.studies.measurement._instrument import Instrument

Find = Literal["find"]
FIND = "find"
# What messages call the model for records without |M(0)|, and the one for records with it.
WITHOUT_M0, WITH_M0 = "measured-echo", "measured-echo-m0"
# The judge centres records itself.
GRID = "full"
TAU = "pulse_separation"
# Attributes of a prepared record that are no facts of the file.
NO_FACTS = ("steps", "path")


@dataclass(frozen=True)
class _Task:
    """What is done with every file alike, and where it is said."""

    instrument: "Instrument"
    preparation: Mapping[str, Any]
    opening: Mapping[str, Any]
    m0: float | None
    seed: int
    bar: Any


def measure(
    measurements: "Path | str | xr.Dataset | Sequence[Path | str | xr.Dataset]",
    model: Path | str = WITHOUT_M0,
    *,
    pulse_separation: float | None = None,
    echo_time: float | Find = FIND,
    m0: float | None = None,
    fwhm: float | None = None,
    carrier: float | Find | None = FIND,
    remove_spurs: bool = True,
    train: int | Find | None = None,
    bandwidth: float | Find | None = FIND,
    baseline: bool = True,
    crop: float | None = None,
    opening: Mapping[str, Any] | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> MeasurementResult:
    """Place measured echoes in latent space: a verdict, and W, L and kernel with intervals.

    Every file is opened, prepared and judged by itself. One that cannot be used is in `refused`
    of the result, with its reason and cure, and the others go on; given alone, it raises.

    Parameters
    ----------
    measurements : path-like, xarray.Dataset, or sequence of them
        Files and folders that :func:`latent_nmr.open_measurement` reads, or what it returned.
    model : path-like
        A shipped model of measured echoes by its name, or the folder of one.
    pulse_separation : float, optional
        τ between the pulses, µs, where the files do not say it.
    echo_time : float or "find"
        Time of the record, µs, at which 2τ is.
    m0 : float, optional
        |M(0)| in the unit of the records, if it was measured: the model is then by default
        ``"measured-echo-m0"``.
    fwhm : float, optional
        Full width of the line, MHz, if known: FWHM τ must be within 10 % of the model's.
    carrier, remove_spurs, train, bandwidth, baseline, crop
        As in :func:`latent_nmr.prepare_measurement`.
    opening : mapping, optional
        Arguments of :func:`latent_nmr.open_measurement` for every file, such as `columns`.
    seed : int
        Seed of the simulated measurements that records are compared with.
    progress : bool, optional
        Whether to show a progress bar; by default on a terminal and in a notebook.

    Returns
    -------
    MeasurementResult

    Raises
    ------
    EchoFileError, InputError
        For settings that no file can be used with, a model of other echoes, and for a file that
        is given alone and cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=(1500, 2))
    >>> np.savez("coil.npz", signal=noise @ [1, 1j], dwell=0.2, time_unit="µs")
    >>> r = ln.measure("coil.npz", pulse_separation=100)
    >>> r.table["verdict"].tolist()
    ['NO ECHO']
    """
    from latent_nmr.data.measured.opening import checked_opening
    from latent_nmr.studies.measurement._instrument import load_instrument
    from latent_nmr.studies.measurement._judge import check_gain

    given, is_single = _as_list(measurements)
    preparation = {
        "pulse_separation": pulse_separation,
        "echo_time": echo_time,
        "fwhm": fwhm,
        "carrier": carrier,
        "remove_spurs": remove_spurs,
        "train": train,
        "bandwidth": bandwidth,
        "baseline": baseline,
        "crop": crop,
    }
    _check(preparation, m0, seed)
    how_opened = checked_opening(opening)
    name = WITH_M0 if m0 is not None and str(model) == WITHOUT_M0 else model
    instrument = load_instrument(name)
    check_gain(instrument, m0)
    preparation["model_fwhm"] = instrument.model.metadata_.get("fwhm_MHz")
    with progress_bar(len(given), "record", shown=progress, delay=2) as bar:
        task = _Task(instrument, preparation, how_opened, m0, seed, bar)
        files = [_measured(one, n, task, alone=is_single) for n, one in enumerate(given, 1)]
    facts = {"name": str(name), "n_components": int(instrument.points.shape[1])}
    return MeasurementResult(files, facts, instrument.map)


def measurement_digest(path: Path, opening: Mapping[str, Any] | None = None) -> str:
    """Digest of what a file holds, or of why it cannot be used."""
    from latent_nmr.data.measured.opening import open_measurement
    from latent_nmr.studies._identity import digest_of

    try:
        found = open_measurement(path, **dict(opening or {}))
    except EchoFileError as error:
        return digest_of(error.reason)
    facts = {name: value for name, value in found.attrs.items() if name not in NO_FACTS}
    return digest_of(found.signal.to_numpy(), found.time.to_numpy(), facts)


def _as_list(measurements: Any) -> tuple[list[Any], bool]:
    """One or several measurements as a list, and whether it is one alone."""
    if isinstance(measurements, str | Path) or hasattr(measurements, "data_vars"):
        return [measurements], True
    if not isinstance(measurements, Sequence) or not measurements:
        raise InputError(
            "measurements must be a path, a data set, or a sequence of them that is not empty, "
            f"but is {measurements!r:.60}. Give at least one file."
        )
    return list(measurements), False


def _check(preparation: Mapping[str, Any], m0: float | None, seed: int) -> None:
    """Refuse settings that are wrong for every file."""
    bounds = {"pulse_separation": 0, "fwhm": 0, "bandwidth": 0, "crop": 0, "m0": 0}
    units = {"fwhm": "MHz", "carrier": "MHz", "bandwidth": "MHz", "m0": ""}
    for name, value in {**preparation, "m0": m0}.items():
        if name == "train":
            if value not in (FIND, None):
                check_count(name, value)
        elif name not in ("remove_spurs", "baseline") and value is not None:
            if value == FIND and name in ("echo_time", "carrier", "bandwidth"):
                continue
            check_number(name, value, above=bounds.get(name), unit=units.get(name, "µs"))
    check_count("seed", seed, at_least=0, at_most=2**32 - 1)


def _measured(given: Any, number: int, task: _Task, *, alone: bool) -> FileResult:
    """What is found of one file, or why it cannot be used."""
    is_path = isinstance(given, str | Path)
    path = path_text(given) if is_path else str(given.attrs.get("path", f"data set {number}"))
    try:
        return _judged(given, path, task)
    except EchoFileError as error:
        if alone:
            raise
        refused = {"path": path, "reason": error.reason, "cure": error.cure}
    except InputError as error:
        if alone:
            raise
        # A message of four parts: the last sentence is the cure.
        reason, _, cure = re.sub(r"(?<=[^.])\. (?=[A-Z])", "\n", str(error), count=1).partition(
            "\n"
        )
        refused = {"path": path, "reason": reason, "cure": cure}
    return FileResult(path, refused=refused)


def _judged(given: Any, path: str, task: _Task) -> FileResult:
    """What is found of one file."""
    from latent_nmr.data.measured.opening import open_measurement
    from latent_nmr.data.measured.prepare import prepare_measurement
    from latent_nmr.studies.measurement._judge import judge

    is_path = isinstance(given, str | Path)
    opened = open_measurement(given, **task.opening) if is_path else given
    prepared = prepare_measurement(opened, grid=GRID, **task.preparation)
    n_records = prepared.sizes["record"]
    task.bar.total += n_records - 1  # a file was counted as one
    records = []
    for number in range(n_records):
        own = prepared.isel(record=[number])
        records += judge(own, task.instrument, m0=task.m0, seed=task.seed)
        task.bar.update()
    facts = {}
    for name, value in prepared.attrs.items():
        with suppress(TypeError, ValueError):  # a data set of the user's may hold anything
            facts |= {} if name in NO_FACTS else {str(name): json_value(value)}
    steps = [*_tau_step(opened, prepared), *json_value(list(prepared.attrs.get("steps", ())))]
    return FileResult(path, facts, steps, records)


def _tau_step(opened: "xr.Dataset", prepared: "xr.Dataset") -> list[dict[str, Any]]:
    """That τ was given, and is not the file's own, if it is not."""
    said, used = opened.attrs.get("pulse_separation"), prepared.attrs["pulse_separation"]
    if said is None or math.isclose(said, used, rel_tol=1e-3):
        return []
    detail = f"τ is {used:g} µs, as given; the file says {said:g} µs."
    values = {"pulse_separation": used, "in_file": float(said)}
    return [asdict(Step(TAU, detail, values))]
