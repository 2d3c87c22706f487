"""Bruker experiments: a folder with `acqus` and `fid` or `ser`, read by nmrglue."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._regular import regular
from latent_nmr.data.measured.integers import check_integers
from latent_nmr.data.measured.reading import (
    AGREEMENT,
    GIVE_DWELL,
    Options,
    Reading,
    interrupted,
    library,
    nucleus_named,
)
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError

# Rows of a `ser` begin at multiples of this many bytes.
BLOCK = 1024
_COMPLETE = "Copy the whole experiment again: acqus, and fid or ser."
Parameters = dict[str, Any]
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# Firmware of digital filters from this one on states their delay itself.
STATES_DELAY = 14


def read_bruker(folder: Path, options: Options) -> Reading:
    """Read the record or the rows of an experiment, from the pulse on."""
    own = _parameters(folder, "acqus")
    binary = next((folder / name for name in ("fid", "ser") if (folder / name).is_file()), None)
    if binary is None:
        is_processed = (folder / "pdata").is_dir()
        raise EchoFileError(
            folder,
            "there must be fid or ser beside acqus, but there is neither",
            "Only spectra are here: give the raw experiment." if is_processed else _COMPLETE,
        )
    rows, row_steps = _rows(binary, own)
    mode = _whole(folder, own, "AQ_mod", 3)
    if mode not in (0, 1, 3):
        reason = f"AQ_mod must be 0 (one channel), 1 or 3 (two), but is {mode}"
        raise EchoFileError(folder, reason, "Convert the experiment on the spectrometer.")
    signal = rows if mode == 0 else rows[:, ::2] + 1j * rows[:, 1::2]
    dwell = options.dwell or _dwell(folder, own, mode)
    signal, first, filter_steps = _without_filter(folder, own, signal, dwell)
    done = _whole(folder, own, "NS", 0)
    asked = done
    if (folder / "acqu").is_file():
        asked = max(done, _whole(folder, _parameters(folder, "acqu"), "NS", 0))
    facts = {
        "nucleus": nucleus_named(own.get("NUC1", "")),
        "carrier_frequency": _number(folder, own, "SFO1", 0.0) or None,
        "scans_done": done or None,
        "scans_asked": asked or None,
    }
    steps = (*row_steps, *interrupted(done, asked), *filter_steps)
    return Reading("Bruker", signal, dwell, first, facts=facts, steps=steps)


class _Lines:
    """Lines for nmrglue's parser, which waits for ever for the end of an array in a cut file."""

    def __init__(self, text: str):
        # It also takes a blank line for the end.
        self._lines: Iterator[str] = (line for line in text.splitlines() if line.strip())
        self._at_end = False

    def readline(self) -> str:
        line = next(self._lines, None)
        if line is not None:
            return line + "\n"
        if self._at_end:
            raise EOFError("the parameters end within a value")
        self._at_end = True
        return ""


def _parameters(folder: Path, name: str) -> Parameters:
    """The parameters of a file, complete to its last line."""
    path = regular(folder / name)
    if not path.is_file():
        reason = f"there must be {name}, by which fid or ser are read, but there is none"
        raise EchoFileError(folder, reason, _COMPLETE)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if "##END=" not in text:
        raise EchoFileError(folder, f"{name} must end with ##END=, but is cut short", _COMPLETE)
    odd = _CONTROL.search(text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        reason = f"{name} must be text, but holds {odd[0]!r} in line {line}"
        raise EchoFileError(folder, reason, _COMPLETE)
    empty: Parameters = {"_coreheader": [], "_comments": []}
    return library("nmrglue").bruker.parse_jcamp_file(_Lines(text), empty)


def _number(folder: Path, own: Parameters, name: str, otherwise: float | None = None) -> float:
    """A parameter as a finite number; `otherwise` where there is none."""
    value = own.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        stated = "is missing" if value is None else f"is {value!r:.40}"
        raise EchoFileError(folder, f"{name} in acqus must be a number, but {stated}", _COMPLETE)
    return float(value)


def _whole(folder: Path, own: Parameters, name: str, otherwise: int | None = None) -> int:
    """A parameter as a whole number."""
    value = _number(folder, own, name, otherwise)
    if value != int(value):
        reason = f"{name} in acqus must be a whole number, but is {value:g}"
        raise EchoFileError(folder, reason, _COMPLETE)
    return int(value)


def _rows(binary: Path, own: Parameters) -> tuple[npt.NDArray[np.float64], tuple[Step, ...]]:
    """Numbers of a file, shape (n_rows, n_numbers), and what was found of their count."""
    folder, points = binary.parent, _whole(binary.parent, own, "TD")
    kind, order = _whole(folder, own, "DTYPA", 0), _whole(folder, own, "BYTORDA", 0)
    if kind not in (0, 2) or order not in (0, 1) or points < 2:
        reason = f"DTYPA must be 0 or 2, BYTORDA 0 or 1 and TD at least 2, but are {kind}, {order} "
        raise EchoFileError(folder, f"{reason}and {points}", _COMPLETE)
    size, itemsize = regular(binary).stat().st_size, 8 if kind == 2 else 4
    if size == 0 or size % itemsize:
        reason = f"{binary.name} must hold numbers of {itemsize} bytes, but holds {size} bytes"
        raise EchoFileError(folder, reason, _COMPLETE)
    _, numbers = library("nmrglue").bruker.read_binary(
        str(binary), shape=(size // itemsize,), cplex=False, big=order == 1, isfloat=kind == 2
    )
    if kind == 0:
        check_integers(folder, numbers, can_swap=True)
    numbers = numbers.astype(np.float64)
    if binary.name == "ser":
        return _rows_of_ser(folder, numbers, points, itemsize)
    return _one_row(folder, numbers, points)


def _one_row(
    folder: Path, numbers: npt.NDArray[np.float64], points: int
) -> tuple[npt.NDArray[np.float64], tuple[Step, ...]]:
    """The numbers of `fid`, against TD, which may say fewer."""
    stored = len(numbers)
    if points > stored:
        raise EchoFileError(
            folder,
            f"fid must hold the {points} numbers that TD says, but holds {stored}: it is cut short",
            _COMPLETE,
        )
    if points == stored:
        return numbers[None], ()
    values = {"TD": points, "stored": stored}
    if not numbers[points:].any():
        detail = f"TD says {points} numbers, and {stored} are stored, the others zero: left out."
        return numbers[None, :points], (Step("longer", detail, values),)
    if stored == 2 * points:
        raise EchoFileError(
            folder,
            f"fid must hold the {points} numbers that TD says, but holds exactly twice as many: "
            "DTYPA or TD is wrong",
            _COMPLETE,
        )
    detail = f"TD says {points} numbers, but {stored} are stored: all were read."
    return numbers[None, : stored - stored % 2], (Step("longer", detail, values),)


def _rows_of_ser(
    folder: Path, numbers: npt.NDArray[np.float64], points: int, itemsize: int
) -> tuple[npt.NDArray[np.float64], tuple[Step, ...]]:
    """The rows of `ser`, each of which fills whole blocks."""
    unit = BLOCK // itemsize
    width = -(-points // unit) * unit
    if len(numbers) % width:
        raise EchoFileError(
            folder,
            f"ser must hold rows of {width} numbers, {points} of which TD says, but holds "
            f"{len(numbers)} numbers",
            _COMPLETE,
        )
    rows = numbers.reshape(-1, width)
    if rows[:, points:].any():
        raise EchoFileError(
            folder,
            f"rows of ser must be zero behind the {points} numbers that TD says, but are not",
            "Repair TD in acqus, or copy the experiment again.",
        )
    return rows[:, :points], ()


def _dwell(folder: Path, own: Parameters, mode: int) -> float:
    """Time between samples, µs; the spectral width stands in Hz and in ppm."""
    width, relative = _number(folder, own, "SW_h"), _number(folder, own, "SW", 0.0)
    of_relative = relative * _number(folder, own, "SFO1", 0.0)
    if width <= 0 or (of_relative > 0 and abs(of_relative - width) > AGREEMENT * width):
        raise EchoFileError(
            folder,
            f"SW_h must be SW times SFO1, but is {width:g} Hz and not {of_relative:g} Hz",
            GIVE_DWELL,
        )
    return 1e6 / width / (2 if mode == 0 else 1)


def _without_filter(
    folder: Path, own: Parameters, signal: npt.NDArray[Any], dwell: float
) -> tuple[npt.NDArray[Any], float, tuple[Step, ...]]:
    """Samples from the pulse on: those before come of the digital filter's delay."""
    delay = _number(folder, own, "GRPDLY", -1.0)
    source = "GRPDLY"
    if delay <= 0:
        table = library("nmrglue").bruker.bruker_dsp_table
        firmware, decimation = (_whole(folder, own, name, 0) for name in ("DSPFVS", "DECIM"))
        if firmware >= STATES_DELAY and "GRPDLY" not in own:
            reason = f"GRPDLY must be in acqus for the firmware {firmware}, but is missing"
            raise EchoFileError(folder, reason, _COMPLETE)
        is_digital = _whole(folder, own, "DIGMOD", 0) != 0 and decimation > 1
        delay = table.get(firmware, {}).get(decimation, 0.0) if is_digital else 0.0
        source = f"DSPFVS {firmware}, DECIM {decimation}"
    if delay == 0:
        return signal, 0.0, ()
    dropped = math.ceil(delay)
    if 2 * dropped > signal.shape[1]:
        raise EchoFileError(
            folder,
            f"the digital filter's delay must be well within a record, but is {delay:g} of "
            f"{signal.shape[1]} points ({source})",
            _COMPLETE,
        )
    first = (dropped - delay) * dwell
    detail = (
        f"Left out the first {dropped} points: the digital filter delays by {delay:g} points "
        f"({delay * dwell:g} µs, {source})."
    )
    values = {"points": dropped, "delay": delay, "microseconds": delay * dwell}
    return signal[:, dropped:], first, (Step("digital_filter", detail, values),)
