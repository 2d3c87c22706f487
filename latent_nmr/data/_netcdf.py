"""One data set as one NetCDF 3 file, which nearly every tool reads.

NetCDF 3 has neither lists, truth values nor 64-bit whole numbers. Such attributes are written as
JSON text, such arrays as the nearest type that is exact; the attribute `latent_nmr_types` says
what they were, so that they come back as they were, and `latent_nmr_checksums` how to tell.
"""

import json
import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._environment import refuse_environment
from latent_nmr._files import staged_file
from latent_nmr.data._checksums import dataset_checksums
from latent_nmr.data._contents import check_read, first_line
from latent_nmr.data._plain import plain, plain_attributes, rebuild, type_name, unplaced
from latent_nmr.data._store_checks import check_unchanged
from latent_nmr.data._texts import plain_text
from latent_nmr.errors import InputError

TYPES, CHECKSUMS = "latent_nmr_types", "latent_nmr_checksums"
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
# Names that mean something to xarray when a file is opened: among the file's attributes, and
# among those of a variable.
_RESERVED = {TYPES, CHECKSUMS, "coordinates"}
_RESERVED_OF_VARIABLES = _RESERVED | {
    "_FillValue", "missing_value", "scale_factor", "add_offset", "dtype", "calendar", "_Encoding",
    "_Unsigned", "grid_mapping", "bounds", "cell_measures",
}  # fmt: skip
_KEEP_EDITED = f"is read without its attribute {CHECKSUMS}"
_NATIVE = ("int8", "int16", "int32", "float32", "float64", "text")
_WIDER = {"bool": "int8", "uint8": "int16", "uint16": "int32", "float16": "float32"}
_LARGEST_EXACT = 2**53  # whole numbers up to this are exact as float64


def write_netcdf(dataset: xr.Dataset, path: Path) -> None:
    """Write a data set as one NetCDF 3 file; it appears when it is complete."""
    kept = plain(dataset)
    attributes, rest = _split_attributes(kept.attrs, _RESERVED)
    notes: dict[str, Any] = {"attrs": rest, "variables": {}}
    parts: tuple[dict, dict] = {}, {}
    for name, variable in kept.variables.items():
        values = _as_native(path, str(name), variable.to_numpy())
        own, rest = _split_attributes(variable.attrs, _RESERVED_OF_VARIABLES)
        is_coordinate = name in kept.coords
        about = {
            "dims": list(variable.dims),
            "dtype": type_name(variable.dtype),
            "attrs": rest,
            "coordinate": is_coordinate,
        }
        notes["variables"][name] = about
        # Without this xarray would mark NaN as "missing".
        encoding = {"_FillValue": None}
        # The file lists its coordinates with spaces between them: one in a name would break it up.
        parts[is_coordinate and " " not in str(name)][name] = (variable.dims, values, own, encoding)
    own = {TYPES: json.dumps(notes), CHECKSUMS: json.dumps(dataset_checksums(kept))}
    file = xr.Dataset(*parts, attributes | own)
    with staged_file(path) as staging:
        try:
            file.to_netcdf(staging, engine="scipy")
        except (ValueError, TypeError) as error:
            raise InputError(
                f".nc files must hold all of a data set, but NetCDF 3 refuses a part of this one "
                f"({error}). Save as .zarr."
            ) from error


def read_netcdf(path: Path) -> xr.Dataset:
    """Read a NetCDF 3 file with the variables of an echo data set."""
    try:
        # A file that is mapped and then refused cannot be closed, of which scipy would warn.
        with xr.open_dataset(
            path,
            engine="scipy",
            decode_times=False,
            decode_timedelta=False,
            mask_and_scale=False,
            mmap=False,
        ) as file:
            file.load()
        noted = json.loads(file.attrs.pop(CHECKSUMS, "null"))
        is_ours = TYPES in file.attrs or noted is not None
        dataset = _restore(file)
    except Exception as error:  # scipy and xarray raise many kinds for damaged files
        refuse_environment(error)
        raise InputError(
            f"data must be a NetCDF 3 file of echoes, but {path} cannot be read as one "
            f"({first_line(error)}). Write it again with ln.save_echoes."
        ) from error
    if is_ours:
        check_unchanged(path, noted, dataset, _KEEP_EDITED)
    return check_read(dataset, str(path))


def _split_attributes(
    attributes: dict[str, Any], reserved: set[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attributes as NetCDF holds them, and what reading needs to know of the others.

    The second part has `json`, the names of those that are written as JSON text, and `hidden`,
    those whose names NetCDF does not allow.
    """
    native, as_json, hidden = {}, [], {}
    for name, value in attributes.items():
        if not _NAME.fullmatch(name) or name in reserved:
            hidden[name] = value
        elif _is_native(value):
            native[name] = value
        else:
            native[name] = json.dumps(value, ensure_ascii=False)
            as_json.append(name)
    return native, {"json": as_json, "hidden": hidden}


def _is_native(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**31
    return isinstance(value, float)


def _as_native(path: Path, name: str, values: npt.NDArray) -> npt.NDArray:
    """Return an array in a type of NetCDF 3 that holds its values exactly."""
    kind = type_name(values.dtype)
    if kind in _NATIVE:
        return values
    if kind in _WIDER:
        return values.astype(_WIDER[kind])
    if values.dtype.kind in "iu":
        largest = max(abs(int(values.max())), abs(int(values.min()))) if values.size else 0
        if largest < 2**31:
            return values.astype(np.int32)
        if largest <= _LARGEST_EXACT:
            return values.astype(np.float64)
        raise unplaced(path, name, f"its whole numbers reach {largest}")
    raise unplaced(path, name, f"NetCDF 3 has no {kind}")


def _restore(file: xr.Dataset) -> xr.Dataset:
    """Undo what writing did; a file of another origin is taken as it is."""
    if TYPES not in file.attrs:  # of another program, which may have packed its numbers
        file = xr.decode_cf(file, decode_times=False, decode_timedelta=False)
    attributes = dict(file.attrs)
    notes = json.loads(attributes.pop(TYPES, '{"attrs": {}, "variables": {}}'))
    _check_notes(notes, file)
    arrays, variables = {}, {}
    # What xarray adds where it writes a file of ours again; no other program's is left by now.
    for variable in file.variables.values():
        variable.attrs.pop("_FillValue", None)
    for name, variable in file.variables.items():
        about = notes["variables"].get(name, {})
        values = variable.to_numpy()
        is_text = values.dtype.kind in "OSTU"
        arrays[name] = plain_text(values) if is_text else _as_noted(str(name), values, about)
        variables[str(name)] = {
            "dims": variable.dims,
            "dtype": about.get("dtype", "text" if is_text else values.dtype.name),
            "coordinate": about.get("coordinate", name in file.coords),
            "attrs": _joined(variable.attrs, about.get("attrs", {})),
        }
    return rebuild(arrays, variables, _joined(attributes, notes["attrs"]))


def _check_notes(notes: Mapping[str, Any], file: xr.Dataset) -> None:
    """Raise ValueError if the notes of a file are not about its variables."""
    if TYPES in file.attrs and "time" not in notes["variables"]:
        raise ValueError("its notes say nothing of time")
    for name, about in notes["variables"].items():
        if name not in file.variables:
            raise ValueError(f"it lacks {name}")
        if not {"dtype", "attrs", "coordinate"} <= set(about):
            raise ValueError(f"its notes of {name} are incomplete")
        dims = [*file[name].dims]
        if about.get("dims", dims) != dims:
            raise ValueError(f"{name} has the dimensions {dims} where {about['dims']} are noted")


def _as_noted(name: str, values: npt.NDArray, about: Mapping[str, Any]) -> npt.NDArray:
    """Numbers in the type that they were written from; ValueError where they cannot be these."""
    noted = about.get("dtype")
    if noted in (None, "text", values.dtype.name):
        return values
    written = {_WIDER.get(noted, noted)}
    if noted.startswith(("int", "uint")):
        written |= {"int32", "float64"}
    found = values.astype(noted)
    if values.dtype.name not in written or not np.array_equal(found, values):
        raise ValueError(f"{name} holds {values.dtype.name} where {noted} is noted")
    return found


def _joined(native: dict[Hashable, Any], rest: dict[str, Any]) -> dict[str, Any]:
    """Attributes as they were before :func:`_split_attributes`."""
    kept = plain_attributes(native, "ds.attrs")
    for name in rest.get("json", ()):
        if isinstance(kept.get(name), str):
            kept[name] = json.loads(kept[name])
    return kept | rest.get("hidden", {})
