"""Labels of curves in plain types, and which of their values are missing.

A value is missing where it is NaN or infinite, None, NaT or empty text: the one rule of every
study. A study that computes with labels leaves out a label that any of its curves lacks.
"""

import math
from datetime import datetime, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._items import as_items, is_blank
from latent_nmr.errors import InputError


def plain_label(name: str, values: Any) -> npt.NDArray[Any]:
    """Values of a label as numbers, or as text for everything else.

    Parameters
    ----------
    name : str
        What messages call it.
    values : array-like, shape (n_curves,)

    Returns
    -------
    ndarray
        Numbers in their own type, those among objects in float64, with NaN for what is missing;
        dates and durations in seconds; else fixed-width Unicode, with "" for what is missing.

    Raises
    ------
    InputError
        For complex numbers, and other types without order or text.
    """
    found = as_items(values)
    if found.dtype.kind == "O" and found.size:
        found = _of_objects(found)
    if found.dtype.kind in "fiu":
        return found
    if found.dtype.kind in "Mm":
        is_nat = np.isnat(found)
        unit = "datetime64[us]" if found.dtype.kind == "M" else "timedelta64[us]"
        return np.where(is_nat, np.nan, found.astype(unit).astype(np.int64) / 1e6)
    if found.dtype.kind not in "bOUST":
        raise InputError(
            f"labels must be numbers or names of classes, but {name} has the type {found.dtype}. "
            "Convert it."
        )
    if found.dtype.kind == "S":
        found = np.char.decode(found, "utf-8", "backslashreplace")
    texts = ["" if is_blank(value) else str(value) for value in found.ravel().tolist()]
    # Whatever kind of text it was: scikit-learn knows this one.
    return np.array(texts, dtype="U").reshape(found.shape)


def is_missing(label: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Where a label from :func:`plain_label` is missing, shape (n_curves,)."""
    return label == "" if label.dtype.kind == "U" else ~np.isfinite(label)


def _of_objects(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Objects that are all numbers, or all dates, as such; others as they are."""
    known = [value for value in values.ravel().tolist() if not is_blank(value)]
    if not known:
        return values
    if all(isinstance(value, Real | Decimal) and not isinstance(value, bool) for value in known):
        plain = [np.nan if is_blank(value) else _number(value) for value in values.ravel().tolist()]
        return np.array(plain).reshape(values.shape)
    for kinds, dtype in (((datetime, np.datetime64), "M8[us]"), ((timedelta,), "m8[us]")):
        if all(isinstance(value, kinds) for value in known):
            return np.array(
                [None if is_blank(value) else value for value in values.ravel().tolist()], dtype
            ).reshape(values.shape)
    return values


def _number(value: Any) -> float:
    """A number of any kind; one beyond those of double precision is infinite, and so missing."""
    try:
        return float(value)
    except OverflowError:
        return math.inf
