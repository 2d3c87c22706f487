"""Values as JSON holds them: numbers and arrays of NumPy and its kin become Python's own.

Whatever writes JSON (attributes of data sets, model cards, manifests, results, ledgers) passes its
values through here, so that none takes what another refuses.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._masks import refuse_masked


def _refuse(value: Any) -> Any:
    raise TypeError(f"a {type(value).__name__} has no place in JSON")


def json_value(value: Any, *, other: Callable[[Any], Any] = _refuse, any_key: bool = False) -> Any:
    """Return `value` as reading the JSON text of it would give it back.

    Parameters
    ----------
    value : object
        Numbers, truth values, text, None, arrays, and sequences and mappings of them.
    other : callable
        What to put for an object of any other type; by default it is refused.
    any_key : bool
        Keys that are no text become text; by default they are refused.

    Raises
    ------
    TypeError, ValueError
        For what JSON cannot hold, and for masked values.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        value.encode()  # refuses half characters
        return str(value)
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, list | tuple):
        return [json_value(item, other=other, any_key=any_key) for item in value]
    if isinstance(value, Mapping):
        odd = [key for key in value if not isinstance(key, str)]
        if odd and not any_key:
            raise TypeError(f"its key {odd[0]!r} is a {type(odd[0]).__name__}, not text")
        return {
            str(key): json_value(item, other=other, any_key=any_key) for key, item in value.items()
        }
    items = _items_of(value)
    return other(value) if items is None else json_value(items, other=other, any_key=any_key)


def python_scalar(value: Any) -> Any:
    """Return the Python number or text that a scalar of NumPy holds, or `value` if it is none."""
    is_scalar = isinstance(value, np.generic) or getattr(value, "shape", None) == ()
    return value.item() if is_scalar and hasattr(value, "item") else value


def _items_of(value: Any) -> Any:
    """Numbers or text of an array or NumPy scalar, as lists; None for anything else."""
    # What has a unit would lose it.
    if not hasattr(value, "__array__") or hasattr(value, "unit") or hasattr(value, "units"):
        return None
    refuse_masked("it", value)
    array: npt.NDArray[Any] = np.asarray(value)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        double = array.astype(np.float64)
        if not np.array_equal(double, array, equal_nan=True):
            raise ValueError(f"{array.dtype} has more digits than JSON holds")
        array = double
    # Dates would become whole numbers.
    return array.tolist() if array.dtype.kind in "biufOUT" else None
