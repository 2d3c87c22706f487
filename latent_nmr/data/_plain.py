"""A data set in plain terms, which every file format can hold: where saving starts.

Plain is: names that can be file names, arrays of numbers, truth values or text (`<U`), and
attributes that JSON can hold. What is not plain is refused by name, so that nothing is lost
silently.
"""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._json import json_value
from latent_nmr.data._contents import check_arrays, check_description, check_labels
from latent_nmr.data._texts import as_plain_text, plain_text
from latent_nmr.data._variables import ALL_SIGNALS, MAGNITUDE
from latent_nmr.data.echoes import check_echoes
from latent_nmr.data.protocols import PROTOCOL
from latent_nmr.errors import InputError

# Kinds of NumPy types: truth values, whole, real and complex numbers, text.
PLAIN_KINDS = "biufcU"
SIGNAL_DIMS = (("curve", "time"), (PROTOCOL, "curve", "time"))


def plain(dataset: xr.Dataset) -> xr.Dataset:
    """Check a data set and return an equal one, in memory, made of plain things only.

    Signals come with the dimensions (curve, time), in that order, after that of protocols; text as
    `<U`; tuples and arrays among the attributes as lists, NumPy numbers as Python's.

    Raises
    ------
    InputError
        If the data set is not one of echoes, or holds something that no format keeps.
    """
    dataset = check_echoes(dataset)
    check_labels(dataset, "the data set")
    variables = {
        _plain_name(name): _plain_variable(str(name), variable)
        for name, variable in dataset.variables.items()
    }
    coordinates = {name: variables[name] for name in map(str, dataset.coords)}
    others = {name: kept for name, kept in variables.items() if name not in coordinates}
    for name in {*ALL_SIGNALS, *MAGNITUDE} & {*others}:
        dims, values, _ = others[name]
        if dims not in SIGNAL_DIMS or values.dtype not in (np.float32, np.float64):
            raise InputError(
                f"signals must be float32 or float64 with the dimensions (curve, time), but {name} "
                f"is {values.dtype} with {dims}. Convert it: ds[{name!r}].astype('float32')."
            )
    return xr.Dataset(others, coordinates, plain_attributes(dataset.attrs, "ds.attrs"))


def plain_attributes(attributes: Mapping[Hashable, Any], where: str) -> dict[str, Any]:
    """Attributes as JSON values; `where` is what a message calls the dictionary."""
    kept = {}
    for name, value in attributes.items():
        try:
            if not isinstance(name, str):
                raise TypeError(f"its name is a {type(name).__name__}, not text")
            kept[name] = json_value(value)
        except (TypeError, ValueError) as error:
            raise InputError(
                "attributes must be numbers, text, lists or dictionaries, but "
                f"{name} cannot be written ({error}). Remove it: del {where}[{name!r}]."
            ) from None
    return kept


def describe(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    """What a header says of each variable: dimensions, type, attributes, whether a coordinate."""
    return {
        str(name): {
            "dims": list(variable.dims),
            "dtype": type_name(variable.dtype),
            "coordinate": name in dataset.coords,
            "attrs": variable.attrs,
        }
        for name, variable in dataset.variables.items()
    }


def rebuild(
    arrays: Mapping[str, npt.NDArray],
    variables: Mapping[str, Mapping[str, Any]],
    attributes: dict[str, Any],
) -> xr.Dataset:
    """Put a data set together again from its arrays and what :func:`describe` said of them.

    Raises
    ------
    ValueError
        If the arrays are not what was said of them.
    """
    check_description(variables, attributes)
    check_arrays(arrays, variables)
    parts: tuple[dict, dict] = {}, {}
    for name, about in variables.items():
        values = np.asarray(arrays[name])
        if about["dtype"] == "text":
            values = plain_text(values)
        elif values.dtype != about["dtype"]:
            values = values.astype(about["dtype"])
        parts[bool(about["coordinate"])][name] = (tuple(about["dims"]), values, about["attrs"])
    return xr.Dataset(*parts, attributes)


def type_name(dtype: np.dtype) -> str:
    """Name of a plain type, the same for text of every length."""
    return "text" if dtype.kind == "U" else dtype.name


def unplaced(path: Path, name: str, what: str, cure: str = "") -> InputError:
    """Error for something that is plain but that one format cannot hold."""
    return InputError(
        f"{path.suffix} files must hold all of a data set, but have no place for {name}: {what}. "
        f"{cure or f'Save as .zarr, or leave it out: ds.drop_vars({name!r}).'}"
    )


def _plain_name(name: Hashable) -> str:
    is_safe = (
        isinstance(name, str)
        and name.isprintable()
        and name.strip(" .") != ""
        and not name.startswith("__")
        and name != "zarr.json"
        and not {"/", "\\"} & {*name}
    )
    if not is_safe:
        raise InputError(
            f"variables must have printable names without / or \\, but one is called {name!r}. "
            f"Rename it: ds.rename({{{name!r}: 'another name'}})."
        )
    return str(name)


def _plain_variable(name: str, variable: xr.Variable) -> tuple[tuple[str, ...], npt.NDArray, dict]:
    dims = tuple(_plain_name(dim) for dim in variable.dims)
    dims = next((own for own in SIGNAL_DIMS if set(own) == set(dims)), dims)
    values = variable.transpose(*dims).to_numpy()
    values = as_plain_text(values)
    if values.dtype.kind not in PLAIN_KINDS or values.dtype.name in ("float128", "complex256"):
        found, cure = values.dtype, f"Convert it, or leave it out: ds.drop_vars({name!r})."
        if found.kind == "O":
            odd = next(v for v in values.ravel().tolist() if not isinstance(v, str))
            found = f"{type(odd).__name__} ({odd!r:.40})"
            if isinstance(odd, tuple):  # an index of several levels
                cure = f"Make its levels labels: ds.reset_index({name!r})."
        raise InputError(
            f"variables must be numbers, truth values or text, but {name} holds {found}. {cure}"
        )
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    return dims, values, plain_attributes(variable.attrs, f"ds[{name!r}].attrs")
