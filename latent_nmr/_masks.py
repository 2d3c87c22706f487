"""Masked arrays: refused, because NumPy drops the mask and takes what lies under it for data.

So are those of other libraries, what becomes a masked array when NumPy asks for one, single missing
values among numbers, and the numbers that stand for missing ones in arrays of xarray that were not
decoded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.recfunctions import structured_to_unstructured

from latent_nmr.errors import InputError


def refuse_masked(name: str, values: Any) -> None:
    """Raise `InputError` if anything in `values` is masked.

    Parameters
    ----------
    name : str
        What the message calls it.
    values : object
        An array, numbers, or lists and mappings of them; whatever cannot be masked passes.
    """
    n_masked, place = _masked_in(values)
    if n_masked:
        raise InputError(
            f"{name} must have no masked values, but has {n_masked}, the first at {place}. Drop "
            "these curves, or fill in values that were measured or interpolated, as with "
            "numpy.ma.filled."
        )


def computed(values: Any) -> Any:
    """What a lazy frame or array holds; anything else as it is."""
    graph = getattr(values, "__dask_graph__", None)  # quantities of pint have one, which is None
    is_frame = any(hasattr(values, name) for name in ("collect_schema", "columns", "to_frame"))
    if is_frame or (callable(graph) and graph() is not None):
        for verb in ("compute", "collect"):
            if callable(evaluate := getattr(values, verb, None)):
                return evaluate()
    return values


def _masked_in(values: Any) -> tuple[int, str]:
    """Number of masked entries and the place of the first one."""
    mask = _mask_of(values)
    if mask is not None:
        if not mask.any():
            return 0, ""
        return int(mask.sum()), str(np.argwhere(mask)[0].tolist()) if mask.ndim else "[]"
    if isinstance(values, np.ndarray) and values.dtype.hasobject:
        values = values.tolist()
    if isinstance(values, Mapping):
        values = list(values.values())
    # Text is a sequence of texts, without end.
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        return 0, ""
    found = [_masked_in(item) if _may_be_masked(item) else (0, "") for item in values]
    first = next((place for place, (n, _) in enumerate(found) if n), None)
    if first is None:
        return 0, ""
    inner = found[first][1].strip("[]")
    return sum(n for n, _ in found), f"[{first}, {inner}]" if inner else f"[{first}]"


def _may_be_masked(item: Any) -> bool:
    return not isinstance(item, int | float | complex | str | bytes | np.generic)


def _mask_of(values: Any) -> npt.NDArray[np.bool_] | None:
    """The mask of one array or number of any library; None of what cannot have one."""
    values = computed(values)
    if isinstance(values, np.ma.MaskedArray):
        mask: Any = np.ma.getmaskarray(values)
        return mask if mask.dtype.names is None else structured_to_unstructured(mask)
    if hasattr(values, "unmasked"):  # astropy
        return np.broadcast_to(values.mask, values.shape)
    # pandas' and pyarrow's single missing values, which become no number.
    if type(values).__name__ == "NAType" or getattr(values, "is_valid", True) is False:
        return np.array(True)
    if hasattr(values, "magnitude"):  # a quantity, whose numbers may be masked
        return _mask_of(values.magnitude)
    if hasattr(values, "dims"):  # xarray makes NaN of what is masked
        fills = _fill_values(getattr(values, "attrs", None) or {})
        return np.isin(np.asarray(values), fills) if fills else None
    # What becomes an array when it is asked may become a masked one, as a variable of netCDF4
    # does. Frames do not, and arrays of JAX, of which some cannot be asked, neither.
    is_asked = hasattr(values, "__array__") and not isinstance(values, np.ndarray)
    if not is_asked or any(hasattr(values, name) for name in ("to_frame", "columns", "aval")):
        return None
    found = np.asanyarray(values)
    return np.ma.getmaskarray(found) if isinstance(found, np.ma.MaskedArray) else None


def _fill_values(attributes: Mapping[str, Any]) -> list[Any]:
    """Numbers that stand for missing values, in the attributes of an array that kept them."""
    stated = [attributes.get(name) for name in ("_FillValue", "missing_value")]
    return [number for given in stated if given is not None for number in np.atleast_1d(given)]
