"""Frequencies and angles in the unit that is asked for, from arrays that state a unit of their own.

NumPy drops the unit of a quantity of pint or astropy. Times have a module of their own; times and
frequencies that are written as text, such as 100us and 50kHz, are read here.
"""

import math
import re
from typing import Any

from latent_nmr.errors import InputError

# By the spellings in the attributes of arrays of xarray.
_FACTORS = {
    "MHz": {"Hz": 1e-6, "kHz": 1e-3, "GHz": 1e3},
    "rad": dict.fromkeys(("deg", "degree", "degrees", "°"), math.pi / 180),
}
# By the unit that is asked for: spellings in a text, and what they are in it.
_WRITTEN = {
    "µs": {"ns": 1e-3, "us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6},
    "MHz": {"Hz": 1e-6, "kHz": 1e-3, "MHz": 1, "GHz": 1e3},
}
_SHOWN = {"µs": "100us, 0.1ms or 100 (µs)", "MHz": "50kHz, 0.05MHz or 0.05 (MHz)"}
_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)")
# What a message calls no unit.
_NONE = "plain numbers"


def in_unit(name: str, values: Any, unit: str = "") -> Any:
    """Return values without a unit of their own, converted to the one that is asked for.

    Parameters
    ----------
    name : str
        What a message calls them.
    values : array-like
        A quantity, a list of quantities, or an array of xarray whose attribute `units` is a
        frequency or an angle, as asked for; anything else comes back as it is.
    unit : str
        As pint and astropy spell it; "" for numbers that have none.

    Raises
    ------
    InputError
        If a quantity is of another dimension.
    """
    if isinstance(values, list | tuple):
        has_units = any(map(_is_quantity, values))
        return [in_unit(name, value, unit) for value in values] if has_units else values
    if _is_quantity(values):
        try:
            has_magnitude = hasattr(values, "magnitude")
            return values.to(unit).magnitude if has_magnitude else values.to_value(unit)
        except Exception as error:  # each library has an error of its own for another dimension
            raise InputError(
                f"{name} must be {unit or _NONE}, but {values!r:.60} cannot be converted "
                f"({error}). Give plain numbers{unit and f' of {unit}'}."
            ) from error
    attributes = getattr(values, "attrs", None)
    if isinstance(attributes, dict):
        factor = _FACTORS.get(unit, {}).get(str(attributes.get("units", "")).strip())
        return values if factor is None else values * factor
    return values


def written_quantity(name: str, text: str, unit: str) -> float:
    """The number of a text such as 100us or 50kHz, in the unit that is asked for.

    Parameters
    ----------
    name : str
        What a message calls it.
    text : str
        A number, alone or followed by its unit.
    unit : {"µs", "MHz"}
        Unit of the result, and of a number alone.

    Raises
    ------
    InputError
        If it is anything else.
    """
    found = _QUANTITY.fullmatch(text.strip())
    factor = None if found is None else ({"": 1} | _WRITTEN[unit]).get(found[2])
    if found is None or factor is None:
        units = ", ".join(_WRITTEN[unit])
        raise InputError(
            f"{name} must be a number and one of the units {units}, but is {text!r}. Give it as "
            f"{_SHOWN[unit]}."
        )
    return float(found[1]) * factor


def _is_quantity(value: Any) -> bool:
    """Whether this converts itself, as quantities of pint and astropy do."""
    has_number = hasattr(value, "magnitude") or hasattr(value, "to_value")
    return has_number and hasattr(value, "to") and not hasattr(value, "dims")
