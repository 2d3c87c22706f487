"""What a reader of one format hands on, and what users may add to a file that does not say it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from latent_nmr._times import MICROSECONDS
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError, InputError

ComplexArray = npt.NDArray[np.complex128]
Domain = Literal["time", "spectrum"]

# µs between samples: no receiver is faster or slower.
SHORTEST_DWELL, LONGEST_DWELL = 1e-3, 1e5
# Samples may be off an even grid by this part of an interval: rounded digits are.
UNEVEN = 0.05
# Entries of a header that say one thing twice agree to this; they are rounded.
AGREEMENT = 1e-3
GIVE_DWELL = "Give the time between samples: dwell=…, in µs."


@dataclass(frozen=True)
class Options:
    """What the user states; None is what the file says.

    Attributes
    ----------
    dwell : float, optional
        Time between samples, µs.
    columns : tuple of str, optional
        What the columns of a table hold.
    time_unit : str, optional
        Unit of times in a file that does not say it.
    points_per_record : int, optional
        Samples of one echo, where echoes are stored one behind another.
    domain : {"time", "spectrum"}, optional
        What the data are, beyond doubt.
    """

    dwell: float | None = None
    columns: tuple[str, ...] | None = None
    time_unit: str | None = None
    points_per_record: int | None = None
    domain: Domain | None = None


@dataclass(frozen=True)
class Reading:
    """Records as a file holds them.

    Attributes
    ----------
    format : str
    signal : ndarray, shape (n_records, n_points)
        Complex.
    dwell : float, optional
        Time between samples, µs; None where the file does not say it.
    first_time : float
        Time of the first sample, µs.
    domain : {"time", "spectrum"}
        What the file says that it holds.
    may_doubt : bool
        Whether `domain` is a flag that is known to be wrong at times.
    acquired : int, optional
        Points of one acquisition, where the file says it.
    facts : dict
        Attributes: nucleus, carrier_frequency (MHz), scans_done, …
    steps : tuple of Step
    """

    format: str
    signal: npt.NDArray[Any]
    dwell: float | None
    first_time: float = 0.0
    domain: Domain = "time"
    may_doubt: bool = False
    acquired: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()


def library(name: str) -> ModuleType:
    """Import a package of the extra `nmr`, or raise `InputError`."""
    try:
        return import_module(name)
    except ImportError as error:
        raise InputError(
            f"{name} must be installed to read this format, but is not ({error}). Install the "
            "extra nmr: pip install 'latent-nmr[nmr]'."
        ) from error


def even_grid(path: object, times: npt.NDArray[np.float64]) -> tuple[float, float]:
    """First time and interval of equally spaced samples, in the unit of `times`."""
    if len(times) < 2 or not np.isfinite(times).all():
        raise EchoFileError(
            path,
            f"times must be at least two finite numbers, but are {len(times)}, of which "
            f"{int(np.isfinite(times).sum())} are finite",
            "Export the file again.",
        )
    falls = np.flatnonzero(np.diff(times) <= 0)
    if falls.size:
        first = int(falls[0])
        raise EchoFileError(
            path,
            f"times must rise from sample to sample, but sample {first + 1} of {len(times)} stands "
            f"at {times[first + 1]:g}, after {times[first]:g}",
            "Sort the samples by their times, or say which column holds the times: "
            "columns=('time', 'real', 'imaginary').",
        )
    interval = float(times[-1] - times[0]) / (len(times) - 1)
    off = np.abs(times - (times[0] + interval * np.arange(len(times))))
    worst = int(np.argmax(off))
    if off[worst] > UNEVEN * interval:
        raise EchoFileError(
            path,
            f"samples must be equally spaced in time, but sample {worst} stands at "
            f"{times[worst]:g}, of {times[0]:g} to {times[-1]:g} in {len(times)} samples",
            "Export equally spaced samples, or state the time between them: dwell=…, in µs.",
        )
    return float(times[0]), interval


def unit_factor(path: object, unit: str | None) -> float:
    """µs per unit of time; a missing or an unknown unit is refused."""
    factor = MICROSECONDS.get(str(unit).strip(), MICROSECONDS.get(str(unit).strip().lower()))
    if factor is None:
        stated = "is not stated" if unit is None else f"is {unit!r}"
        raise EchoFileError(
            path,
            f"the unit of time must be one of ns, µs, ms and s, but {stated}",
            "State it: time_unit='µs'.",
        )
    return factor


def nucleus_named(text: object) -> str | None:
    """A nucleus as "29Si", from "Si29", "29Si" or what begins so; None for anything else."""
    word = str(text).split("\0")[0].strip().strip("<>").replace("$^{", "").replace("}$", "")
    found = re.match(r"(\d{1,3})([A-Z][a-z]?)(?![a-z])", word)
    if found:
        return f"{found[1]}{found[2]}"
    found = re.fullmatch(r"([A-Z][a-z]?)-?(\d{1,3})", word)
    return f"{found[2]}{found[1]}" if found else None


def interrupted(done: int, asked: int) -> tuple[Step, ...]:
    """A step where fewer scans were made than asked for."""
    if not 0 < done < asked:
        return ()
    detail = f"The run was interrupted: {done} of {asked} scans were made."
    return (Step("interrupted", detail, {"scans_done": done, "scans_asked": asked}),)
