"""One data set as one CSV file that describes itself, for spreadsheets and other languages.

Lines of `#` first: the format, then `name: JSON` (attributes; time in µs; units of the labels).
Then a row of column names, and a row per curve: its number, its labels, mx_0, mx_1, …, my_0, ….
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from latent_nmr.data._text import (
    LARGEST_DOUBLE,
    flaw,
    parse_number,
    parse_rows,
    quote,
    read_text,
    split_lines,
    staged_texts,
    write_signal_rows,
)
from latent_nmr.data.echoes import ALL_LABELS, ALL_SIGNALS, SIGNALS, assemble, check_echoes
from latent_nmr.errors import InputError

TITLE = "# latent_nmr echo table, version 1"
_COMMENT = re.compile(r"# (\w+): (.*)")
_KERNEL = re.compile(r"[\w.+-]+")
_CURVE = re.compile(r"\d{1,18}", re.ASCII)
_REWRITE = "Write the file with write_csv."


def write_csv(dataset: xr.Dataset, path: Path | str) -> None:
    """Write a data set as one CSV file.

    The file holds the signals (float32), time, the labels that `latent_nmr.data.echoes` knows and
    all attributes, each exactly; `read_csv` returns them bit for bit. Other variables are left
    out. Attributes become what JSON can say: a tuple comes back as a list.

    Parameters
    ----------
    dataset : xarray.Dataset
        `mx`, `my` and perhaps `mz` (curve, time).
    path : path-like
        File to write; it appears when it is complete.

    Raises
    ------
    InputError
        If a signal or a label is not finite, or an attribute has no place in JSON.
    """
    check_echoes(dataset, both_components=True)
    present = [name for name in ALL_SIGNALS if name in dataset.variables]
    labels = [name for name in ALL_LABELS if name in dataset.variables]
    cells = {"curve": _curve_cells(dataset)} | {n: _label_cells(dataset, n) for n in labels}
    values = [dataset[name].transpose("curve", "time").to_numpy() for name in present]
    rows = np.concatenate(values, axis=1).astype(np.float32)
    comments = {
        "attributes": _attributes_as_json(dataset.attrs),
        "time_us": json.dumps(dataset["time"].to_numpy().tolist()),
        "units": json.dumps({name: ALL_LABELS[name][0] for name in labels}, ensure_ascii=False),
    }
    with staged_texts([Path(path)]) as [handle]:
        handle.write(f"{TITLE}\n")
        for name, text in comments.items():
            handle.write(f"# {name}: {text}\n")
        handle.write(",".join([*cells, *_signal_columns(present, dataset.sizes["time"])]) + "\n")
        heads = (",".join(row) + "," for row in zip(*cells.values(), strict=True))
        write_signal_rows(handle, rows, ",", heads)


def read_csv(path: Path | str) -> xr.Dataset:
    """Read a data set that `write_csv` wrote.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    xarray.Dataset
        `mx`, `my` and perhaps `mz` (curve, time), with the labels that the file has.

    Raises
    ------
    InputError
        Naming file, line and rule.
    """
    path = Path(path)
    lines = split_lines(read_text(path))
    comments, first = _read_comments(path, lines)
    attributes, time = _checked_comments(path, comments)
    present, heads = _read_header(path, lines, first, len(time))
    columns = _signal_columns(present, len(time))
    body, tails = [], []
    for line, text in enumerate(lines[first + 1 :], first + 2):
        cells = text.split(",", len(heads))
        n_cells = text.count(",") + 1
        if n_cells != len(heads) + len(columns):
            cut = " Is the file cut short?" if line == len(lines) else ""
            raise flaw(
                path,
                line,
                f"a row must hold {len(heads) + len(columns)} cells, one per column, but this one "
                f"holds {n_cells}",
                f"Repair or remove it.{cut}",
            )
        body.append([_parse_head(path, line, *pair) for pair in zip(heads, cells, strict=False)])
        tails.append(cells[-1])
    if not body:
        raise flaw(path, len(lines), "a row per curve must follow, but none does", _REWRITE)
    rows = parse_rows(tails, path, columns, first_line=first + 2, delimiter=",")
    blocks = np.split(rows, len(present), axis=1)
    head = {
        name: np.array(cells) for name, cells in zip(heads, zip(*body, strict=True), strict=True)
    }
    curve = head.pop("curve")
    dataset = assemble(dict(zip(present, blocks, strict=True)), time, head, attributes)
    return check_echoes(dataset.assign_coords(curve=curve), str(path))


def _signal_columns(present: list[str], n_samples: int) -> list[str]:
    return [f"{name}_{sample}" for name in present for sample in range(n_samples)]


def _curve_cells(dataset: xr.Dataset) -> list[str]:
    numbers = dataset["curve"].to_numpy()
    if numbers.dtype.kind not in "iu" or numbers.min() < 0:
        raise InputError(
            f"curve must be whole numbers >= 0, but is {quote(str(numbers[0]))}, …. "
            "Number the curves: ds.assign_coords(curve=range(ds.sizes['curve']))."
        )
    return [str(number) for number in numbers.tolist()]


def _label_cells(dataset: xr.Dataset, name: str) -> list[str]:
    """One label as text that reads back to the same value."""
    values = dataset[name].to_numpy().tolist()
    for row, value in enumerate(values):
        if name == "kernel":
            is_writable, rule = bool(_KERNEL.fullmatch(str(value))), "a name without , or blank"
        else:
            is_writable, rule = math.isfinite(value), "a finite number"
        if not is_writable:
            raise InputError(
                f"{name} must be {rule}, but is {value!r} for curve {int(dataset['curve'][row])}. "
                f"Correct it, or leave the label out: ds.drop_vars({name!r})."
            )
    return [str(value) if name == "kernel" else repr(float(value)) for value in values]


def _attributes_as_json(attributes: dict[Any, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            return value.tolist()
        raise TypeError(f"a {type(value).__name__} has no place in JSON")

    for name, value in attributes.items():
        try:
            json.dumps({name: value}, default=plain)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"attributes must be numbers, text, lists or dictionaries, but {name} cannot be "
                f"written ({error}). Remove it: del ds.attrs[{name!r}]."
            ) from None
    return json.dumps(attributes, default=plain, ensure_ascii=False)


def _read_comments(path: Path, lines: list[str]) -> tuple[dict[str, tuple[int, Any]], int]:
    """Line and value of every comment, and the index of the first line after them."""
    if lines[0] != TITLE:
        rule = f"the first line must be {TITLE!r}, but is {quote(lines[0])}"
        raise flaw(path, 1, rule, f"{_REWRITE[:-1]}, or read another format with its own reader.")
    comments: dict[str, tuple[int, Any]] = {}
    for line, text in enumerate(lines[1:], 2):
        if not text.startswith("#"):
            return comments, line - 1
        found = _COMMENT.fullmatch(text)
        try:
            comments[found[1]] = line, json.loads(found[2])  # type: ignore[index]
        except (TypeError, ValueError, RecursionError):
            rule = f"a comment must be '# name: JSON', but is {quote(text)}"
            raise flaw(path, line, rule, _REWRITE) from None
    raise flaw(path, len(lines), "a row of column names must follow, but none does", _REWRITE)


def _checked_comments(
    path: Path, comments: dict[str, tuple[int, Any]]
) -> tuple[dict[str, Any], np.ndarray]:
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
    echo = attributes.get("echo_index") if isinstance(attributes, dict) else None
    if not isinstance(echo, int) or isinstance(echo, bool) or not 0 <= echo < len(times):
        rule = f"echo_index must be a sample of the {len(times)} there are, but is {echo!r}"
        raise flaw(path, line, rule, "Correct it among the attributes.")
    return attributes, times


def _as_times(value: Any) -> np.ndarray | None:
    """Return a JSON value as sample times (µs), or None where it is not that."""
    if not isinstance(value, list) or not value or {*map(type, value)} - {int, float}:
        return None
    try:
        times = np.array(value, np.float64)
    except OverflowError:
        return None
    return times if np.isfinite(times).all() and (np.diff(times) > 0).all() else None


def _read_header(
    path: Path, lines: list[str], first: int, n_samples: int
) -> tuple[list[str], list[str]]:
    """Names of the signals, and of the columns before them."""
    names = lines[first].split(",")
    present = [name for name in ALL_SIGNALS if name in SIGNALS or f"{name}_0" in names]
    columns = _signal_columns(present, n_samples)
    heads = names[: max(len(names) - len(columns), 1)]
    expected = [*heads, *columns]
    strangers = [name for name in heads[1:] if name not in ALL_LABELS]
    if (
        heads[0] == "curve"
        and names == expected
        and not strangers
        and len(set(names)) == len(names)
    ):
        return present, heads
    found = next((a for a, b in zip(names, expected, strict=False) if a != b), names[-1])
    wrong = heads[0] if heads[0] != "curve" else next(iter(strangers), found)
    rule = (
        f"columns must be curve, labels, then {columns[0]} to {columns[-1]}, each once, but there "
        f"are {len(names)} columns and {quote(wrong)} is out of place"
    )
    raise flaw(path, first + 1, rule, _REWRITE)


def _parse_head(path: Path, line: int, name: str, cell: str) -> int | float | str:
    """Value of one cell that stands before the signals."""
    if name == "curve":
        if _CURVE.fullmatch(cell):
            return int(cell)
        rule = f"curve must be a whole number, but is {quote(cell)}"
        raise flaw(path, line, rule, "Repair or remove the row.")
    if name == "kernel":
        if _KERNEL.fullmatch(cell):
            return cell
        rule = f"kernel must be a name, but is {quote(cell)}"
        raise flaw(path, line, rule, "Repair or remove the row.")
    return parse_number(cell.strip(), path, line, name, LARGEST_DOUBLE)
