"""Masked arrays: refused, because NumPy drops the mask and takes what lies under it for data."""

from collections.abc import Mapping
from typing import Any

import numpy as np

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


def _masked_in(values: Any) -> tuple[int, str]:
    """Number of masked entries and the place of the first one."""
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        if not mask.any():
            return 0, ""
        return int(mask.sum()), str(np.argwhere(mask)[0].tolist()) if mask.ndim else "[]"
    if isinstance(values, Mapping):
        values = list(values.values())
    if not isinstance(values, list | tuple) or not any(_may_be_masked(item) for item in values):
        return 0, ""
    found = [_masked_in(item) for item in values]
    first = next((place for place, (n, _) in enumerate(found) if n), None)
    if first is None:
        return 0, ""
    inner = found[first][1].strip("[]")
    return sum(n for n, _ in found), f"[{first}, {inner}]" if inner else f"[{first}]"


def _may_be_masked(item: Any) -> bool:
    return isinstance(item, np.ma.MaskedArray | list | tuple)
