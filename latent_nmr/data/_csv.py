"""One data set as one CSV file that describes itself, for spreadsheets and other languages.

Lines of `#` first: the format, then `name: JSON` (attributes; time in µs; type and attributes of
each variable; checksums; values that are not of single curves). Then a row of column names, and a
row per curve: its number, its labels, and the signals, mx_0, mx_1, …, my_0, …; of several
protocols, mx_60deg_0, …. Text with a comma or a quotation mark is quoted as usual in CSV.
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data._checksums import dataset_checksums
from latent_nmr.data._plain import describe, plain, unplaced
from latent_nmr.data._text import LARGEST_SINGLE, staged_texts
from latent_nmr.data.protocols import PROTOCOL, has_protocols, protocol_names
from latent_nmr.errors import InputError

TITLE = "# latent_nmr echo table, version 2"
# Digits that tell any two numbers of a type apart.
_LAYOUTS = {"float32": "%.9g", "float64": "%.17g"}


def write_csv(dataset: xr.Dataset, path: Path) -> None:
    """Write a data set as one CSV file; it appears when it is complete."""
    kept = plain(dataset)
    variables = describe(kept)
    labels = [name for name, about in variables.items() if about["dims"] == ["curve"]]
    signals = [name for name, about in variables.items() if is_signal(about["dims"])]
    # What no row has: of all curves, or of a protocol.
    aside = [name for name, about in variables.items() if about["dims"] in ([], [PROTOCOL])]
    for name in variables.keys() - {"time", *labels, *signals, *aside}:
        raise unplaced(path, name, "a table has one row per curve, with labels and signals")
    if has_protocols(kept) and PROTOCOL not in kept.coords:
        cure = f"Name them: ds.assign_coords({PROTOCOL}=[…])."
        raise unplaced(path, PROTOCOL, "columns are called after the protocols' names", cure)
    heads = ["curve", *(name for name in labels if name != "curve")]
    columns = [*heads, *signal_columns(signals, kept.sizes["time"], protocol_names(kept))]
    if len(set(columns)) < len(columns):
        twice = next(name for name in heads if columns.count(name) > 1)
        raise unplaced(path, twice, "a column of a signal has this name")
    for name in variables:
        _check_place(path, name, kept[name])
    comments = {
        "attributes": kept.attrs,
        "time_us": kept["time"].to_numpy().tolist(),
        "variables": variables,
        "checksums": dataset_checksums(kept),
    }
    if aside:
        comments["values"] = {name: kept[name].to_numpy().tolist() for name in aside}
    cells = [_cells(kept[name].to_numpy()) for name in heads]
    layouts = (_signal_layout(_side_by_side(kept[name])) for name in signals)
    layout = ",".join(layouts) + "\n"
    blocks = [_side_by_side(kept[name]) for name in signals]
    with staged_texts([path]) as [handle]:
        handle.write(f"{TITLE}\n")
        for name, value in comments.items():
            handle.write(f"# {name}: {json.dumps(value, ensure_ascii=False)}\n")
        handle.write(_row(columns) + "\n")
        for row, head in enumerate(zip(*cells, strict=True)):
            numbers = [number for block in blocks for number in block[row].tolist()]
            handle.write(f"{_row(head)}," + layout % tuple(numbers))


def is_signal(dims: Any) -> bool:
    """Whether these are the dimensions of a signal."""
    return dims in (["curve", "time"], [PROTOCOL, "curve", "time"])


def signal_columns(
    signals: Iterable[str], n_samples: int, protocols: Sequence[str] = ()
) -> list[str]:
    """Names of the columns that hold signals, those of a protocol before the next one's."""
    ends = [f"_{protocol}" for protocol in protocols] or [""]
    samples = range(n_samples)
    return [f"{name}{end}_{sample}" for name in signals for end in ends for sample in samples]


def _side_by_side(signal: xr.DataArray) -> npt.NDArray:
    """Samples of each curve in a row, of one protocol after the other."""
    values = signal.transpose("curve", ...).to_numpy()
    return values.reshape(len(values), -1)


def _check_place(path: Path, name: str, variable: xr.DataArray) -> None:
    """Refuse what a cell cannot hold."""
    values = variable.to_numpy()
    if values.dtype.kind == "U":
        if any(len(text.splitlines()) > 1 or text.endswith(("\n", "\r")) for text in _flat(values)):
            raise unplaced(path, name, "its text has line breaks")
    elif values.dtype.kind == "c":
        raise unplaced(path, name, "a cell holds one real number")
    elif variable.ndim > 1:
        if values.dtype.name not in _LAYOUTS:
            raise unplaced(path, name, f"its numbers are {values.dtype}, not float32 or float64")
        if not np.all(np.abs(values) <= LARGEST_SINGLE):
            raise unplaced(path, name, f"its numbers must be of size <= {LARGEST_SINGLE:.2g}")
    if name == "time" and not (np.isfinite(values).all() and (np.diff(values) > 0).all()):
        raise InputError(
            f"time must rise from sample to sample in a {path.suffix} file, but does not. Sort the "
            "samples, or save as .zarr."
        )


def _flat(values: npt.NDArray) -> list[Any]:
    return values.ravel().tolist()


def _cells(values: npt.NDArray) -> list[str]:
    """One label as text that reads back to the same values."""
    if values.dtype.kind == "f":
        return [repr(float(value)) for value in values]
    return [str(value) for value in values.tolist()]


def _row(cells: Iterable[str]) -> str:
    """One line of cells, quoted where needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _signal_layout(values: npt.NDArray) -> str:
    return ",".join([_LAYOUTS[values.dtype.name]] * values.shape[1])
