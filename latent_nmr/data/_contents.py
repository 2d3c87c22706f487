"""What a file says of its variables and what it holds: both must agree before either is used.

A file that was damaged, cut, or edited by hand may say one thing and hold another.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data._variables import ALL_LABELS, ALL_SIGNALS, MAGNITUDE
from latent_nmr.data.echoes import check_echoes
from latent_nmr.errors import InputError

# Kinds of NumPy types that a file may name, beside "text".
_KINDS = "biufc"


def check_description(variables: Any, attributes: Any) -> None:
    """Raise ValueError if a header is not what :func:`~latent_nmr.data._plain.describe` gives."""
    for where, entry in (("attributes", attributes), ("variables", variables)):
        if not isinstance(entry, Mapping):
            raise ValueError(f"its {where} are no names with values")
    for name, about in variables.items():
        keys = ("dims", "dtype", "coordinate", "attrs")
        if not isinstance(about, Mapping) or not all(key in about for key in keys):
            raise ValueError(f"it does not give {', '.join(keys)} of {name}")
        dims = about["dims"]
        is_names = isinstance(dims, list | tuple) and all(isinstance(d, str) and d for d in dims)
        if not is_names or len(set(dims)) < len(dims):
            raise ValueError(f"the dimensions of {name} are no distinct names")
        if not _is_type(about["dtype"]):
            raise ValueError(f"the type of {name} is none of numbers or text")
        if not isinstance(about["coordinate"], bool):
            raise ValueError(f"it does not say whether {name} is a coordinate")
        if not isinstance(about["attrs"], Mapping):
            raise ValueError(f"the attributes of {name} are no names with values")


def check_arrays(arrays: Mapping[str, npt.NDArray], variables: Mapping[str, Any]) -> None:
    """Raise ValueError if arrays are missing, or have other shapes or types than a header says."""
    sizes: dict[str, tuple[int, str]] = {}
    for name, about in variables.items():
        if name not in arrays:
            raise ValueError(f"it lacks {name}")
        values, dims = arrays[name], about["dims"]
        if values.ndim != len(dims):
            raise ValueError(f"{name} has the shape {values.shape} for the dimensions {dims}")
        found = "text" if values.dtype.kind in "OTU" else values.dtype.name
        if found != about["dtype"]:
            raise ValueError(f"{name} holds {found} where {about['dtype']} is noted")
        for dim, size in zip(dims, values.shape, strict=True):
            known, first = sizes.setdefault(dim, (size, name))
            if known != size:
                raise ValueError(
                    f"{name} has {size} entries along {dim}, where {first} has {known}"
                )


def check_read(dataset: xr.Dataset, place: str) -> xr.Dataset:
    """Return a data set that was read from a file, checked; all readers end with this.

    Beside the checks of :func:`~latent_nmr.data.echoes.check_echoes`, labels that have a meaning
    must be what they mean: one value per curve, text for `kernel` and numbers for all others.
    """
    dataset = check_echoes(dataset, place)
    for name in (*ALL_SIGNALS, *MAGNITUDE):
        if name in dataset.variables and dataset[name].dtype.kind != "f":
            raise InputError(
                f"signals must be floating-point numbers, but {name} of {place} holds "
                f"{dataset[name].dtype}. Convert the file, or restore it from a copy."
            )
    check_labels(dataset, place)
    return dataset


def check_labels(dataset: xr.Dataset, place: str) -> None:
    """Raise `InputError` if a label that has a meaning is not what it means."""
    for name in (name for name in ALL_LABELS if name in dataset.variables):
        label = dataset[name]
        if label.dims not in ((), ("curve",)):
            raise InputError(
                f"labels must have one value per curve, but {name} of {place} has the dimensions "
                f"{label.dims} and the shape {label.shape}. Leave it out, or rename it."
            )
        is_text, must_be_text = label.dtype.kind in "OSTU", name == "kernel"
        if is_text != must_be_text or (not is_text and label.dtype.kind not in "fiu"):
            raise InputError(
                f"the label {name} must be {'text' if must_be_text else 'numbers'}, but that of "
                f"{place} is {label.dtype}. Convert it, or rename it."
            )


def first_line(error: Exception) -> str:
    """Kind and text of an error in one line."""
    text = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {text[:120]}".rstrip(": ")


def _is_type(name: Any) -> bool:
    if name == "text":
        return True
    try:
        found = np.dtype(name) if isinstance(name, str) else None
    except TypeError:
        return False
    return found is not None and found.name == name and found.kind in _KINDS
