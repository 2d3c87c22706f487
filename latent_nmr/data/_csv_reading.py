"""Reading the tables that `_csv` writes, and those of version 1; a flaw is named with its line."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data._attributes import check_attributes
from latent_nmr.data._contents import check_description, check_read
from latent_nmr.data._csv import TITLE, is_signal, signal_columns
from latent_nmr.data._plain import rebuild
from latent_nmr.data._store_checks import check_unchanged
from latent_nmr.data._text import (
    LARGEST_DOUBLE,
    flaw,
    parse_number,
    parse_rows,
    quote,
    read_text,
    split_lines,
)
from latent_nmr.data._variables import ALL_SIGNALS, PER_CURVE, SIGNALS
from latent_nmr.data.echoes import assemble
from latent_nmr.data.protocols import PROTOCOL, PROTOCOLS
from latent_nmr.errors import InputError

# Tables of version 0.1.0.
TITLE_1 = "# latent_nmr echo table, version 1"
_COMMENT = re.compile(r"#\s*(attributes|time_us|variables|checksums|values)\b\s*:?\s*(.*)")
_WHOLE = re.compile(r"-?\d{1,20}", re.ASCII)
_REWRITE = "Write the file with ln.save_echoes."
_KEEP_EDITED = "is read without the line '# checksums: …'"

Comments = dict[str, tuple[int, Any]]


def read_csv(path: Path) -> xr.Dataset:
    """Read a data set from a table; raises `InputError` naming file, line and rule."""
    lines = split_lines(read_text(path).rstrip())
    comments, first = _read_comments(path, lines)
    attributes, time = _checked_comments(path, comments)
    names = _split(lines[first])
    variables = _described(path, comments, names, first, lines[0] == TITLE_1)
    labels = [name for name, about in variables.items() if about["dims"] == ["curve"]]
    signals = [name for name, about in variables.items() if is_signal(about["dims"])]
    aside = _values_aside(path, comments, variables)
    protocols = _protocols(path, variables, aside)
    heads = ["curve", *(name for name in labels if name != "curve")]
    columns = signal_columns(signals, len(time), protocols)
    _check_header(path, first + 1, names, [*heads, *columns])
    types = {name: variables.get(name, {"dtype": "int64"})["dtype"] for name in heads}
    # Text may begin with the mark of a comment.
    numbers = _row_lines(path, lines, first + 1, may_comment=types["curve"] != "text")
    texts, rows = _read_rows(path, lines, numbers, heads, columns)
    arrays: dict[str, npt.NDArray] = {"time": time, **aside} | {
        name: _label(path, numbers, name, column, types[name])
        for name, column in zip(heads, zip(*texts, strict=True), strict=True)
    }
    for name, values in zip(signals, np.split(rows, len(signals), axis=1), strict=True):
        shape = (len(rows), len(protocols), len(time))
        arrays[name] = values.reshape(shape).swapaxes(0, 1) if protocols else values
    if lines[0] == TITLE_1:
        present = {name: arrays[name] for name in signals}
        own = {name: arrays[name] for name in labels if name != "curve"}
        dataset = assemble(present, time, own, attributes).assign_coords(curve=arrays["curve"])
    else:
        dataset = _rebuilt(path, arrays, variables, attributes)
    _, noted = comments.get("checksums", (0, None))
    check_unchanged(path, noted, dataset, _KEEP_EDITED)
    return check_read(dataset, str(path))


def _rebuilt(
    path: Path,
    arrays: dict[str, npt.NDArray],
    variables: dict[str, Any],
    attributes: dict[str, Any],
) -> xr.Dataset:
    """The data set of numbers that were read in double precision, whatever they were."""
    kept = dict(arrays)
    for name in (name for name, about in variables.items() if about["dtype"] != "text"):
        if name not in arrays:
            raise flaw(path, 1, f"the table must hold {name}, but has no such column", _REWRITE)
        kept[name] = arrays[name].astype(variables[name]["dtype"])
        if kept[name].dtype.kind in "biu" and not np.array_equal(kept[name], arrays[name]):
            rule = f"{name} must be of type {variables[name]['dtype']}, but is not in every place"
            raise flaw(path, 1, rule, _REWRITE)
    try:
        return rebuild(kept, variables, attributes)
    except ValueError as error:
        raise flaw(
            path, 1, f"columns must be what is noted of them, but {error}", _REWRITE
        ) from None


def _read_comments(path: Path, lines: list[str]) -> tuple[Comments, int]:
    """Line and value of every comment, and the index of the first line after them."""
    if lines[0] not in (TITLE, TITLE_1):
        rule = f"the first line must be {TITLE!r}, but is {quote(lines[0])}"
        raise flaw(path, 1, rule, _REWRITE)
    comments: Comments = {}
    for line, text in enumerate(lines[1:], 2):
        if text.strip() and not text.startswith("#"):
            return comments, line - 1
        found = _COMMENT.fullmatch(text)
        if found is None:  # a note of somebody, or a blank line
            continue
        try:
            comments[found[1]] = line, json.loads(found[2])
        except (ValueError, RecursionError):
            rule = f"a comment must be '# name: JSON', but is {quote(text)}"
            raise flaw(path, line, rule, _REWRITE) from None
    raise flaw(path, len(lines), "a row of column names must follow, but none does", _REWRITE)


def _checked_comments(
    path: Path, comments: Comments
) -> tuple[dict[str, Any], npt.NDArray[np.float64]]:
    """Attributes and times of the file, if they are what they should be."""
    for name in ("attributes", "time_us"):
        if name not in comments:
            raise flaw(path, 1, f"the line '# {name}: …' must follow, but none does", _REWRITE)
    line, time = comments["time_us"]
    times = _as_times(time)
    if times is None:
        rule = f"time_us must be a list of rising numbers (µs), but is {quote(json.dumps(time))}"
        raise flaw(path, line, rule, _REWRITE)
    line, attributes = comments["attributes"]
    if not isinstance(attributes, dict):
        rule = f"attributes must be names with values, but are {quote(json.dumps(attributes))}"
        raise flaw(path, line, rule, _REWRITE)
    try:
        if (
            PROTOCOLS not in attributes
        ):  # which have some of their own, and are checked with the rest
            check_attributes(attributes, "the table")
    except InputError as error:
        raise InputError(f"{path}, line {line}: {error}") from None
    return attributes, times


def _as_times(value: Any) -> npt.NDArray[np.float64] | None:
    """Return a JSON value as sample times (µs), or None where it is not that."""
    if not isinstance(value, list) or not value or {*map(type, value)} - {int, float}:
        return None
    try:
        times = np.array(value, np.float64)
    except OverflowError:
        return None
    return times if np.isfinite(times).all() and (np.diff(times) > 0).all() else None


def _described(
    path: Path, comments: Comments, names: list[str], first: int, is_version_1: bool
) -> dict[str, Any]:
    """What the file says of its variables, or, in version 1, what their names say."""
    if is_version_1:
        return _guessed_from_names(path, names, first)
    line, variables = comments.get("variables", (1, None))
    try:
        check_description(variables, {})
        found = [about["dims"] for about in variables.values()]  # type: ignore[union-attr]
        allowed = (["time"], ["curve"], [], [PROTOCOL])
        if not all(dims in allowed or is_signal(dims) for dims in found):
            raise ValueError
        if "time" not in variables:  # type: ignore[operator]
            raise ValueError
    except ValueError:
        rule = "the line '# variables: …' must give dims, dtype, coordinate and attrs of each"
        raise flaw(path, line, f"{rule}, but does not", _REWRITE) from None
    return variables  # type: ignore[return-value]


def _values_aside(
    path: Path, comments: Comments, variables: dict[str, Any]
) -> dict[str, npt.NDArray]:
    """Values of the variables that no row has."""
    names = [name for name, about in variables.items() if about["dims"] in ([], [PROTOCOL])]
    line, values = comments.get("values", (1, {}))
    found = {}
    for name in names:
        try:
            array = np.asarray(values[name])
            is_text = variables[name]["dtype"] == "text"
            found[name] = array.astype("U" if is_text else variables[name]["dtype"])
        except (KeyError, TypeError, ValueError):
            rule = f"the line '# values: …' must hold {name}, but does not"
            raise flaw(path, line, rule, _REWRITE) from None
    return found


def _protocols(path: Path, variables: dict[str, Any], aside: dict[str, npt.NDArray]) -> list[str]:
    """Names of the protocols in the columns of signals; none where there is one only."""
    if not any(about["dims"] == [PROTOCOL, "curve", "time"] for about in variables.values()):
        return []
    if PROTOCOL in aside and aside[PROTOCOL].ndim == 1:
        return [str(name) for name in aside[PROTOCOL].tolist()]
    counts = {len(v) for n, v in aside.items() if variables[n]["dims"] == [PROTOCOL] and v.ndim}
    if len(counts) != 1:
        raise flaw(path, 1, f"the table must say its {PROTOCOL}s, but does not", _REWRITE)
    return [str(number) for number in range(counts.pop())]


def _guessed_from_names(path: Path, names: list[str], first: int) -> dict[str, Any]:
    """Variables of a table of version 1, from its column names."""
    signals = [name for name in ALL_SIGNALS if name in SIGNALS or f"{name}_0" in names]
    n_heads = next((i for i, name in enumerate(names) if name == f"{signals[0]}_0"), len(names))
    for name in names[1:n_heads]:
        if name not in PER_CURVE:
            rule = f"columns must be curve, labels, then signals, but {quote(name)} is out of place"
            raise flaw(path, first + 1, rule, _REWRITE)
    kinds = {"curve": "int64", "kernel": "text"}
    return {
        name: {"dims": ["curve"], "dtype": kinds.get(name, "float64")}
        for name in ["curve", *names[1:n_heads]]
    } | {name: {"dims": ["curve", "time"], "dtype": "float32"} for name in signals}


def _check_header(path: Path, line: int, names: list[str], expected: list[str]) -> None:
    if names == expected:
        return
    found = next((a for a, b in zip(names, expected, strict=False) if a != b), names[-1])
    rule = (
        f"columns must be {expected[0]}, labels, then signals up to {expected[-1]}, each once, but "
        f"there are {len(names)} columns and {quote(found)} is out of place"
    )
    raise flaw(path, line, rule, _REWRITE)


def _row_lines(path: Path, lines: list[str], start: int, *, may_comment: bool) -> list[int]:
    """Numbers of the lines that hold a curve, from index `start`; there is at least one."""
    numbers = [
        number
        for number, text in enumerate(lines[start:], start + 1)
        if not (may_comment and text.startswith("#"))
    ]
    if not numbers:
        raise flaw(path, len(lines), "a row per curve must follow, but none does", _REWRITE)
    return numbers


def _read_rows(
    path: Path, lines: list[str], numbers: list[int], heads: list[str], columns: list[str]
) -> tuple[list[list[str]], npt.NDArray[np.float64]]:
    """Cells before the signals, as text, and the numbers of the signals."""
    texts, tails = [], []
    for line in numbers:
        cells = _split(lines[line - 1])
        if len(cells) != len(heads) + len(columns):
            cut = " Is the file cut short?" if line == len(lines) else ""
            found = f"holds {len(cells)}" if lines[line - 1].strip() else "is blank"
            rule = (
                f"a row must hold {len(heads) + len(columns)} cells, one per column, but this one "
                f"{found}"
            )
            raise flaw(path, line, rule, f"Repair or remove it.{cut}")
        texts.append(cells[: len(heads)])
        tails.append(",".join(cells[len(heads) :]))
    return texts, parse_rows(tails, path, columns, numbers, delimiter=",")


def _label(
    path: Path, lines: list[int], name: str, cells: tuple[str, ...], dtype: str
) -> npt.NDArray:
    """Cells of one label, in the type that it has."""
    if dtype == "text":
        return np.array(cells, np.str_)
    kind = np.dtype(dtype).kind
    values = [_value(path, line, name, cell, kind) for line, cell in zip(lines, cells, strict=True)]
    try:
        return np.array(values, dtype)
    except (OverflowError, ValueError):
        rule = f"{name} must fit the type {dtype}, but does not in every row"
        raise flaw(path, lines[0], rule, _REWRITE) from None


def _value(path: Path, line: int, name: str, cell: str, kind: str) -> float | int | bool:
    cell = cell.strip()
    if kind == "b" and cell in ("True", "False"):
        return cell == "True"
    if kind in "iu" and _WHOLE.fullmatch(cell):
        return int(cell)
    if kind in "biu":
        rule = "True or False" if kind == "b" else "a whole number"
        rule = f"{name} must be {rule}, but is {quote(cell)}"
        raise flaw(path, line, rule, "Repair or remove the row.")
    if cell in ("nan", "inf", "-inf"):  # a label may be missing, a signal may not
        return float(cell)
    return parse_number(cell, path, line, name, LARGEST_DOUBLE)


def _split(text: str) -> list[str]:
    """Cells of one line."""
    return next(csv.reader([text])) if '"' in text else text.split(",")
