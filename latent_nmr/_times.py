"""Times as plain numbers of µs, from whatever states its unit.

Numbers are µs. What carries a unit of its own is converted: NumPy's and pandas' time differences,
`datetime.timedelta`, quantities (pint, astropy: anything with a magnitude and a conversion), and
arrays of xarray with an attribute `units`. Dates are refused, and so are numbers that can only
have been meant in another unit: plain numbers have bounds, which what carries a unit has not. An
attribute lifts the upper bounds alone, because arithmetic of xarray keeps attributes.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._masks import refuse_masked
from latent_nmr.errors import InputError, check_number

# µs per unit, by the spellings that files and libraries use.
MICROSECONDS = {
    **dict.fromkeys(("ps", "picosecond", "picoseconds"), 1e-6),
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), 1e-3),
    **dict.fromkeys(("µs", "μs", "us", "usec", "microsecond", "microseconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1e6),
}
# Bounds of plain intervals, µs. Demodulated echoes are sampled every 0.1 to 50 µs: below 1 ns the
# unit was ms or s, and above 100 µs, a spectrum narrower than the line of a solid, it was ns.
SHORTEST_INTERVAL = 1e-3
LONGEST_INTERVAL = 100.0
# Whole numbers this far apart are nanoseconds, as NumPy's and pandas' integers of times are.
LONGEST_WHOLE_INTERVAL = 20
# Relative, by which intervals of times in single precision miss a bound.
_ROUNDING = 1e-3
# Intervals in s are shorter than this, in µs; those in ms overlap with them from 0.05 µs on.
_LONGEST_OF_SECONDS = 5e-5

# What arrays of xarray state their unit by, in the order that counts.
UNIT_ATTRIBUTES = ("units", "unit")

_CURE = "Give numbers of µs, such as [0, 0.16, 0.32], or values with a unit, such as timedelta64."


def microseconds(name: str, value: Any) -> npt.NDArray[Any]:
    """Return times in µs.

    Parameters
    ----------
    name : str
        What a message calls them.
    value : array-like
        Times; numbers are in µs already and come back with their values and type.

    Returns
    -------
    ndarray
        Of the same shape; float64 where a unit was converted.

    Raises
    ------
    InputError
        For dates, other dimensions than time, unknown units, and what is no number.
    """
    return _read(name, value)[0]


def record_times(name: str, value: Any) -> npt.NDArray[Any]:
    """Return the times of a record's samples in µs, if they can be that.

    Raises
    ------
    InputError
        Also if times are not finite or do not rise, or if plain numbers have an interval that says
        that they were meant in another unit.
    """
    times, carries_unit = _read(name, value)
    if times.ndim != 1:
        raise InputError(
            f"{name} must have one value per sample, but has shape {times.shape}. Give one axis."
        )
    bad = np.flatnonzero(~np.isfinite(times))
    if not bad.size:
        # Differences of unsigned whole numbers would wrap round.
        bad = np.flatnonzero(times[1:] <= times[:-1])
    if bad.size:
        sample = int(bad[0])
        raise InputError(
            f"{name} must be finite and rise from sample to sample, but goes "
            f"{', '.join(f'{number:g}' for number in times[sample : sample + 2])} µs at sample "
            f"{sample}. Sort the samples, and drop those that stand twice."
        )
    if len(times) > 1 and not carries_unit:
        _refuse_other_units(name, times, has_attribute=_attribute(value) is not None)
    return times


def is_time(values: Any) -> bool:
    """Whether an array of xarray is of times, by its type or by the unit that it states."""
    return values.dtype.kind == "m" or _factor_of(_attribute(values)) is not None


def without_unit(attributes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Attributes of an array without those that state its unit."""
    return {k: v for k, v in attributes.items() if str(k).lower() not in UNIT_ATTRIBUTES}


def typical_interval(times: npt.NDArray[Any]) -> float:
    """Median interval of rising times, which a gap does not change."""
    return float(np.median(np.diff(times.astype(np.float64))))


def duration(name: str, value: Any) -> Any:
    """Return one time in µs as a float, or what is no time as it is, for the caller to refuse."""
    return plain_duration(name, value)[0]


def plain_duration(name: str, value: Any) -> tuple[Any, bool]:
    """:func:`duration`, and whether it was a plain number, whose unit may be mistaken."""
    if isinstance(value, int | float | complex | str | bytes | None):
        return value, True
    times, carries_unit = _read(name, value)
    return (float(times) if times.ndim == 0 else value), not carries_unit


def interval(name: str, value: Any) -> float:
    """Return the interval of a record's samples in µs, if it can be that.

    Raises
    ------
    InputError
        If it is not finite and positive, or a plain number that says that it was meant in another
        unit.
    """
    number, is_plain = plain_duration(name, value)
    number = check_number(name, number, above=0, unit="µs")
    if not is_plain:
        return number
    shorter = _unit_of_shorter(number)
    if shorter is not None:
        unit, factor = shorter
        raise InputError(
            f"{name} must be in µs, but is {number:.3g} µs, as if it were in {unit}. Convert it: "
            f"{factor} * {name}; or state its unit, as numpy.timedelta64(500, 'ps') does."
        )
    if number > LONGEST_INTERVAL * (1 + _ROUNDING) and _attribute(value) is None:
        raise InputError(
            f"{name} must be in µs, but is {number:g} µs, as if it were in nanoseconds. Convert "
            f"it: {name} / 1000; or state its unit: pandas.Timedelta({number:g}, 'us')."
        )
    return number


def refuse_shorter(name: str, number: float, least: float, *, unless: str = "") -> None:
    """Refuse a plain time (µs) that is too short on its record; `unless` says what else may be."""
    if number < least * (1 - _ROUNDING):
        raise InputError(
            f"{name} must be {unless}at least {least:.3g} µs, but is {number:.3g} µs, as if it "
            "were in ms or s. Give it in µs; or state its unit, as numpy.timedelta64(5, 'ns') does."
        )


def _unit_of_shorter(interval: float) -> tuple[str, str] | None:
    """Unit that too short an interval was meant in, and µs in it; None for one that is not."""
    if interval >= SHORTEST_INTERVAL * (1 - _ROUNDING):
        return None
    return ("seconds", "1e6") if interval < _LONGEST_OF_SECONDS else ("milliseconds", "1000")


def _refuse_other_units(name: str, times: npt.NDArray[Any], *, has_attribute: bool) -> None:
    """Refuse intervals that no record in µs has."""
    shorter = _unit_of_shorter(typical_interval(times))
    if shorter is not None:
        unit, factor = shorter
        raise InputError(
            f"{name} must be in µs, but has samples {typical_interval(times):.3g} µs apart, as if "
            f"it were in {unit}. Convert it: {factor} * {name}."
        )
    # Of a logarithmic axis most intervals are long, but not all.
    shortest = float(np.diff(times.astype(np.float64)).min())
    is_whole = times.dtype.kind in "iu" and shortest >= LONGEST_WHOLE_INTERVAL
    if has_attribute or not (is_whole or shortest > LONGEST_INTERVAL * (1 + _ROUNDING)):
        return
    what = "whole numbers" if is_whole else "samples"
    raise InputError(
        f"{name} must be in µs, but has {what} {shortest:g} apart, as nanoseconds have. Convert "
        f"it: {name} / 1000; or state its unit if that is µs, as pandas.to_timedelta(time, 'us') "
        "and ds['time'].attrs['units'] = 'µs' do."
    )


def _read(name: str, value: Any) -> tuple[npt.NDArray[Any], bool]:
    """:func:`microseconds`, and whether values carried their unit, not in an attribute beside."""
    refuse_masked(name, value)
    if isinstance(value, list | tuple) and any(map(_has_unit, value)):
        value = _as_objects(value)
    factor = _stated_factor(name, value)
    # An array of xarray may hold a quantity; NumPy's `data` is its memory.
    held = None if isinstance(value, np.ndarray) else getattr(value, "data", None)
    value = held if _has_unit(held) else value
    if hasattr(value, "magnitude") and hasattr(value, "to"):
        return _converted(name, value, "microsecond", "magnitude"), True
    if hasattr(value, "to_value"):
        return _converted(name, value, "us", "value"), True
    if getattr(value, "tz", None) is not None:
        raise _is_date(name, value)
    numbers = np.asarray(value)
    holds_quantities = numbers.dtype.kind == "O" and any(map(_has_unit, numbers.flat))
    if numbers.dtype.kind == "O":
        numbers = _from_objects(name, numbers)
    if numbers.dtype.kind == "M":
        raise _is_date(name, numbers)
    if numbers.dtype.kind == "m":
        return _from_differences(name, numbers), True
    if numbers.dtype.kind not in "iuf":
        raise InputError(f"{name} must be times in µs, but holds {numbers.dtype}. {_CURE}")
    numbers = numbers if factor == 1.0 else numbers.astype(np.float64) * factor
    return numbers, holds_quantities


def _has_unit(value: Any) -> bool:
    """Whether this is a quantity, or a time difference of Python or NumPy."""
    return (hasattr(value, "to") and not hasattr(value, "dims")) or isinstance(
        value, dt.timedelta | np.timedelta64
    )


def _is_quantity(value: Any) -> bool:
    """Whether this converts itself, as quantities of pint and astropy do."""
    return hasattr(value, "to") and (hasattr(value, "magnitude") or hasattr(value, "to_value"))


def _as_objects(values: list | tuple) -> npt.NDArray[Any]:
    """A list in an array that holds its items as they are."""
    objects = np.empty(len(values), object)
    objects[:] = values
    return objects


def _converted(name: str, value: Any, unit: str, attribute: str) -> npt.NDArray[Any]:
    """Magnitude of a quantity in µs."""
    try:
        return np.asarray(getattr(value.to(unit), attribute), np.float64)
    except Exception as error:  # each library has an error of its own for another dimension
        raise InputError(
            f"{name} must be a time, but {value!r:.60} cannot be converted to µs ({error}). {_CURE}"
        ) from error


def _stated_factor(name: str, value: Any) -> float:
    """µs per unit of an array whose attributes state one; 1 where none is stated."""
    stated = _attribute(value)
    if stated is None:
        return 1.0
    if (factor := _factor_of(stated)) is not None:
        return factor
    raise InputError(
        f"{name} must state a unit of time, but its attribute units is {stated!r}. Set it to "
        "'µs', 'ns', 'ms' or 's'."
    )


def _factor_of(stated: Any) -> float | None:
    """µs per unit of time; None for what is none."""
    unit = str(stated).strip()
    return MICROSECONDS.get(unit, MICROSECONDS.get(unit.lower()))


def _attribute(value: Any) -> Any:
    """The attribute `units` of an array of xarray, or `unit`, in capitals or not; or None."""
    attributes = getattr(value, "attrs", None)
    attributes = attributes if isinstance(attributes, dict) else {}
    written = {str(name).lower(): stated for name, stated in attributes.items()}
    found = (written.get(name) for name in UNIT_ATTRIBUTES)
    return next((stated for stated in found if stated is not None and stated != ""), None)


def _from_objects(name: str, numbers: npt.NDArray) -> npt.NDArray:
    """An array of Python objects that are all times of one kind, or numbers, as one of these."""
    items = numbers.ravel().tolist()
    if any(isinstance(item, dt.date) for item in items):
        raise _is_date(name, numbers)
    if all(isinstance(item, dt.timedelta | np.timedelta64) for item in items):
        # pandas' own hold nanoseconds, which NumPy would take for whole microseconds.
        plain = [item.to_numpy() if hasattr(item, "to_numpy") else item for item in items]
        return np.array([np.timedelta64(item) for item in plain]).reshape(numbers.shape)
    if all(_is_quantity(item) for item in items):
        return np.array([microseconds(name, item) for item in items]).reshape(numbers.shape)
    if all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        return numbers.astype(np.float64)
    odd = next(x for x in items if isinstance(x, bool) or not isinstance(x, int | float))
    raise InputError(f"{name} must be times in µs, but holds {odd!r:.40}. {_CURE}")


def _from_differences(name: str, differences: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """µs of timedelta64 of any resolution."""
    if np.datetime_data(differences.dtype)[0] == "generic":
        raise InputError(
            f"{name} must state its unit, but is timedelta64 without one. Give timedelta64[ns]."
        )
    missing = np.flatnonzero(np.isnat(differences))
    if missing.size:
        raise InputError(
            f"{name} must have no missing times, but sample {missing[0]} is NaT. Drop it."
        )
    try:
        return differences / np.timedelta64(1, "us")
    except TypeError:  # years and months have no fixed length
        raise InputError(
            f"{name} must have a unit of fixed length, but is {differences.dtype}. Give "
            "timedelta64[ns]."
        ) from None


def _is_date(name: str, value: Any) -> InputError:
    return InputError(
        f"{name} must be times since the first pulse, but holds dates ({type(value).__name__} "
        f"of {np.asarray(value).dtype}). Subtract the first: {name} - {name}[0]."
    )
