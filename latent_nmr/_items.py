"""Values of any kind, one by one: mixed types, and what is missing among them."""

from typing import Any

import numpy as np
import numpy.typing as npt


def as_items(values: Any) -> npt.NDArray[Any]:
    """Values as an array; a list that mixes text with other things, as one of objects.

    NumPy makes text of it all, and of NaN the word.
    """
    found = np.asarray(values)
    if found.dtype.kind in "US" and isinstance(values, list | tuple) and found.ndim == 1:
        is_text = all(isinstance(value, str | bytes) for value in values)
        return found if is_text else np.array(values, dtype=object)
    return found


def is_blank(value: Any) -> bool:
    """Whether a value is missing: None, NaN, NaT or pandas' NA."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):  # NA has no truth value, and arrays have several
        return not hasattr(value, "shape")
