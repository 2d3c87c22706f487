"""Files of the core scientific data set model (CSDM), read by csdmpy."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

from latent_nmr.data.measured.reading import Domain, Options, Reading, library, nucleus_named
from latent_nmr.errors import EchoFileError

_QUANTITIES = ("increment", "coordinates_offset", "origin_offset", "period")
_QUANTITY = re.compile(
    r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?\s*(\(?[^\W\d_].{0,40}|[%°].{0,40})?"
)
_EXPORT = "Export the data set again, with one linear dimension of time or frequency."


def read_csdm(path: Path, options: Options) -> Reading:  # noqa: ARG001 - readers are called alike
    """Read a data set: its first linear dimension is the record, all others are records."""
    csdmpy = library("csdmpy")
    description = json.loads(path.read_text("utf-8"))["csdm"]
    _check_local(path, description)
    _check_quantities(path, description)
    dataset = _load(csdmpy, path)
    number, domain = _direct(path, dataset)
    axis = dataset.x[number]
    rows = [_rows(path, variable, number, axis.count) for variable in dataset.y]
    if not rows:
        raise EchoFileError(path, "there must be a dependent variable, but there is none", _EXPORT)
    if domain == "time":
        dwell = float(axis.increment.to("us").value)
        first = float(axis.coordinates[0].to("us").value)
    else:
        # The transform of N points, Δf apart, has points 1/(N Δf) apart.
        dwell, first = 1 / (axis.count * float(axis.increment.to("MHz").value)), 0.0
    return Reading(
        format="CSDM",
        signal=np.concatenate(rows),
        dwell=dwell,
        first_time=first,
        domain=domain,
        facts=_facts(description["dimensions"][number], domain),
    )


def _check_local(path: Path, description: dict[str, Any]) -> None:
    """Refuse values that are not in files of this folder: nothing is fetched over a network."""
    for variable in description["dependent_variables"]:
        address = variable.get("components_url")
        if address is None:
            continue
        parts = urlsplit(str(address))
        inside = Path(unquote(parts.netloc + parts.path).lstrip("/"))
        if parts.scheme not in ("", "file") or ".." in inside.parts:
            raise EchoFileError(
                path,
                f"values must be in a file beside it, but are at {address!r:.80}",
                "Download them, and name the file in components_url.",
            )
        if not (path.parent / inside).is_file():
            raise EchoFileError(
                path,
                f"its values must be in {inside} beside it, but there is no such file",
                "Copy that file, too.",
            )


def _check_quantities(path: Path, description: dict[str, Any]) -> None:
    """Refuse sums and powers in place of numbers, which csdmpy computes, however long it takes."""
    for dimension in description["dimensions"]:
        for axis in (dimension, dimension.get("reciprocal", {})):
            found = [axis.get(name, "") for name in _QUANTITIES] + list(axis.get("coordinates", ()))
            for text in map(str, found):
                if text and not _QUANTITY.fullmatch(text.strip()):
                    reason = f"a quantity must be a number and its unit, but is {text!r:.60}"
                    raise EchoFileError(path, reason, _EXPORT)


def _load(csdmpy: Any, path: Path) -> Any:
    """The data set; csdmpy raises what no `except Exception` catches for unknown units."""
    try:
        return csdmpy.load(str(path))
    except BaseException as error:
        if type(error) is BaseException:
            raise ValueError(str(error)) from error
        raise


def _direct(path: Path, dataset: Any) -> tuple[int, Domain]:
    """Number of the first linear dimension of time, or else of frequency."""
    kinds = {"time": "time", "frequency": "spectrum"}
    for quantity, domain in kinds.items():
        for number, axis in enumerate(dataset.x):
            if axis.type == "linear" and axis.quantity_name == quantity:
                return number, domain  # type: ignore[return-value]
    found = [f"{axis.type} {getattr(axis, 'quantity_name', '')}".strip() for axis in dataset.x]
    raise EchoFileError(
        path,
        f"a dimension must be linear in time or frequency, but they are {', '.join(found)}",
        _EXPORT,
    )


def _rows(path: Path, variable: Any, number: int, count: int) -> np.ndarray:
    """Values of a variable as records, shape (n_records, count)."""
    values = np.asarray(variable.components)
    if values.shape[0] != 1:
        raise EchoFileError(
            path,
            f"a sample must be one number, but has {values.shape[0]} components",
            _EXPORT,
        )
    # Dimensions stand in the reversed order in arrays.
    along = np.moveaxis(values[0], values.ndim - 2 - number, -1)
    return along.reshape(-1, count)


def _facts(dimension: dict[str, Any], domain: Domain) -> dict[str, Any]:
    """Nucleus and carrier (MHz), which stand beside the axis of frequency."""
    axis = dimension.get("reciprocal", {}) if domain == "time" else dimension
    number, _, unit = str(axis.get("origin_offset", "")).partition(" ")
    factor = {"Hz": 1e-6, "kHz": 1e-3, "MHz": 1.0, "GHz": 1e3}.get(unit.strip())
    try:
        carrier = float(number) * factor if factor else None
    except ValueError:
        carrier = None
    return {"nucleus": nucleus_named(axis.get("label", "")), "carrier_frequency": carrier or None}
