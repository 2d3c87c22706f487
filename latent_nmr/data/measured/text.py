"""Tables in text files: columns of time, real and imaginary parts, or magnitudes."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr._times import MICROSECONDS
from latent_nmr.data.measured.reading import Options, Reading, even_grid, unit_factor
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError

COLUMNS = ("time", "real", "imaginary", "magnitude", "-")
_NAMES = {
    "time": {"t", "time"},
    "real": {"re", "real", "i", "x", "mx", "m_x"},
    "imaginary": {"im", "imag", "imaginary", "q", "y", "my", "m_y"},
    "magnitude": {"abs", "mag", "magnitude", "|m|", "amplitude"},
}
# Words that say what a column is beside others: "Re M", "real part", "M_imag".
_WORDS = {
    "time": {"time"},
    "real": {"re", "real", "inphase"},
    "imaginary": {"im", "imag", "imaginary", "quadrature"},
    "magnitude": {"abs", "mag", "magnitude"},
}
# Words beside those that say nothing of which signal it is.
_FILLERS = {"part", "channel", "component", "signal", "of", "in", "the"}
# A column called by one of these alone is of time; "s" may be a signal.
_UNITS_ALONE = {"ns", "us", "µs", "μs", "ms"}
_OURS = "# latent_nmr echo table"
_STATE = "State what they hold: columns=('time', 'real', 'imaginary'), '-' for one to leave out."
_UNIT = re.compile(r"^(.*?)[\s/_,]*[(\[]?\s*([^\W_]+)\s*[)\]]?$")


def read_text(path: Path, options: Options) -> Reading:
    """Read a table; its header names the columns, unless `options` does."""
    lines, is_ended = _lines(path)
    table, header = _table(path, lines)
    ends = ()
    if not is_ended:
        detail = "The last line has no end, so that its last number may be cut short: left out."
        ends = (Step("unfinished", detail, {"row": len(table) - 1}),)
        table = table[:-1]
    columns, unit = _columns(path, *header, table.shape[1], options)
    unit = options.time_unit or unit
    times = [table[:, i] for i, name in enumerate(columns) if name == "time"]
    if len(times) > 1:
        reason = f"one column may be time, but {len(times)} are"
        raise EchoFileError(path, reason, _STATE)
    first, dwell = 0.0, None
    if times and not options.dwell:
        first, dwell = even_grid(path, times[0] * unit_factor(path, unit))
    signal, steps, facts = _signal(path, table, columns)
    return Reading("text", signal, dwell, first, facts=facts, steps=(*ends, *steps))


def _lines(path: Path) -> tuple[list[str], bool]:
    """Lines of a text in UTF-8 or, for its µ, Latin-1, and whether the last has an end."""
    raw = path.read_bytes()
    if b"\0" in raw:
        raise EchoFileError(
            path,
            f"a table must be text, but its byte {raw.index(0)} is zero",
            "Save it as text in UTF-8, or give the spectrometer's own file.",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    if text.startswith(_OURS):
        reason = "a measured table must have columns of time and signal, but this is a data set"
        raise EchoFileError(path, reason, "Open it with ln.open_echoes.")
    return text.splitlines(), text[-1:] in ("\n", "\r")


def _table(path: Path, lines: list[str]) -> tuple[npt.NDArray[np.float64], tuple[list[str], str]]:
    """Numbers, shape (n_samples, n_columns), and cells of the line above them with that line."""
    start = next((i for i, line in enumerate(lines) if _numbers(line)), None)
    if start is None:
        raise EchoFileError(path, "there must be rows of numbers, but there are none", _STATE)
    rows, width = [], len(_numbers(lines[start]) or ())
    for number, line in enumerate(lines[start:], start + 1):
        if not line.strip() or line.lstrip()[0] in "#%":
            continue
        row = _numbers(line)
        if row is None or len(row) != width:
            raise EchoFileError(
                path,
                f"line {number} must hold {width} numbers as line {start + 1} does, but is "
                f"{line[:40]!r}",
                "Repair the row; if it is the last, the file is cut short: export it again.",
            )
        rows.append(row)
    above = [line for line in lines[:start] if line.strip()]
    return np.array(rows), _header(above[-1].lstrip("#% ").strip() if above else "", width)


def _header(line: str, width: int) -> tuple[list[str], str]:
    """Cells of a line, if there are as many as columns, and the line."""
    # Where white space separates, names may hold single spaces.
    for cells in (_cells(line), re.split(r"\s{2,}", line)):
        if len(cells) == width:
            return cells, line
    return [], line


def _cells(line: str) -> list[str]:
    """Cells between tabs, semicolons, commas or white space, the first of these that there is."""
    mark = next((mark for mark in "\t;" if mark in line), None)
    if mark is None:
        # A comma followed by white space, or the only separator, separates.
        mark = "," if "," in line else None
    cells = [cell.strip().strip('"') for cell in line.split(mark)]
    return cells[:-1] if mark and cells and not cells[-1] else cells


def _numbers(line: str) -> list[float] | None:
    """The numbers of a row, of which there are no others in it; decimal commas beside ; or tab."""
    cells = _cells(line)
    if ";" in line or "\t" in line:
        cells = [cell.replace(",", ".") for cell in cells]
    try:
        return [float(cell) for cell in cells] or None
    except ValueError:
        return None


def _columns(
    path: Path, header: list[str], line: str, width: int, options: Options
) -> tuple[tuple[str, ...], str | None]:
    """What each column holds, and the unit that the header states for time."""
    named = [_named(cell) for cell in header]
    unit = next((own.unit for own in named[::-1] if own.kind == "time"), None)
    if options.columns is not None:
        if len(options.columns) != width:
            raise EchoFileError(
                path,
                f"columns must name all {width} columns, but names {len(options.columns)}",
                _STATE,
            )
        return options.columns, unit
    if not header or "?" in [own.kind for own in named]:
        reason = f"columns must be named, but there is {line or 'no header':.80} above {width} "
        raise EchoFileError(path, f"{reason}columns", _STATE)
    parts = [[own.of for own in named if own.kind == kind] for kind in ("real", "imaginary")]
    for real, imaginary in zip(*parts, strict=False):
        if real and imaginary and real != imaginary:
            reason = f"a real and an imaginary part must be of one signal, but are of {real} and "
            raise EchoFileError(path, f"{reason}{imaginary}", _STATE)
    return tuple(own.kind for own in named), unit


class _Named(NamedTuple):
    """What a cell of a header says: a kind or "?", of which signal, and a unit of time."""

    kind: str
    of: str = ""
    unit: str | None = None


def _named(cell: str) -> _Named:
    """What a cell of a header names."""
    word, unit = cell.strip(), None
    if word.strip("[]()").lower() in _UNITS_ALONE:
        return _Named("time", unit=word.strip("[]()"))
    parts = _UNIT.match(word)
    if parts and parts[1] and not {parts[2], parts[2].lower()}.isdisjoint(MICROSECONDS):
        word, unit = parts[1], parts[2]
    # Its own unit, or that of another quantity, such as (V), is no part of the name.
    other = re.search(r"\s*[(\[](.*?)[)\]]\s*$", word)
    plain = (word[: other.start()] if other else word).strip().lower()
    for kind, words in _NAMES.items():
        if plain in words:
            stated = other[1] if other and kind == "time" else None
            return _Named(kind, unit=unit or stated)
    words = re.findall(r"[^\W_]+", word.lower().replace("in-phase", "inphase"))
    kinds = {kind: own.intersection(words) for kind, own in _WORDS.items()}
    said = [kind for kind, own in kinds.items() if own]
    # "Real time" says two things.
    if len(said) != 1 or len(kinds[said[0]]) > 1:
        return _Named("?")
    rest = [own for own in words if own not in kinds[said[0]] | _FILLERS]
    return _Named(said[0], "" if said[0] == "time" else " ".join(rest), unit)


def _signal(
    path: Path, table: npt.NDArray[np.float64], columns: tuple[str, ...]
) -> tuple[np.ndarray, tuple[Step, ...], dict[str, str]]:
    """Records, shape (n_records, n_samples), with a step where they have no phase."""
    of = {
        name: table[:, [i for i, own in enumerate(columns) if own == name]].T
        for name in ("real", "imaginary", "magnitude")
    }
    n_real, n_imaginary, n_magnitude = (len(of[name]) for name in of)
    if n_real and n_real == n_imaginary and not n_magnitude:
        return of["real"] + 1j * of["imaginary"], (), {}
    if n_magnitude and not n_real and not n_imaginary:
        detail = "The table holds |M| alone: neither phase nor carrier can be found."
        return of["magnitude"] + 0j, (Step("no_phase", detail),), {"signal_kind": "magnitude"}
    if n_real and not n_imaginary and not n_magnitude:
        return of["real"], (), {}
    raise EchoFileError(
        path,
        "columns must be pairs of real and imaginary parts, real parts alone, or magnitudes alone, "
        f"but are {', '.join(columns)}",
        _STATE,
    )
