"""Attributes of a data set that computations read, checked and as plain numbers.

`echo_index` and `pulse_samples` count samples, `dt_us` is their interval (µs), and
`pulse_angles_rad` and `pulse_phases_rad` are in rad. Files of other programs hold them as real
numbers or as arrays of one number, which are taken for what they are.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._json import json_value
from latent_nmr._times import duration, typical_interval
from latent_nmr.errors import InputError, check_number

# Powers of ten that units of time differ by, and by how much a ratio of intervals may miss one.
_POWERS, _MISSED_BY = (3, 6, 9), 0.01
_LISTS = ("pulse_samples", "pulse_angles_rad", "pulse_phases_rad")


def check_attributes(attributes: Mapping[Any, Any], name: str = "the data set") -> None:
    """Raise `InputError` for an attribute that cannot be what its name says; `name` is whose.

    Only `echo_index` must be there.
    """
    if "echo_index" not in attributes:
        raise InputError(
            f"{name} must say where its echo is, but has no attribute echo_index. "
            "Set ds.attrs['echo_index'] to the sample of the echo."
        )
    echo_index_of(attributes, name)
    if "dt_us" in attributes:
        interval_of(attributes, name)
    lengths = {
        entry: len(pulse_numbers(attributes, entry, name))
        for entry in _LISTS
        if entry in attributes
    }
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{entry} has {n}" for entry, n in lengths.items())
        raise InputError(
            f"attributes of {name} must have one entry per pulse, but {found}. Correct ds.attrs."
        )


def echo_index_of(attributes: Mapping[Any, Any], name: str = "the data set") -> int:
    """The sample of the echo."""
    value = attributes["echo_index"]
    (number,) = _numbers(value) or (None,)
    if number is None or number != int(number) or number < 0:
        raise InputError(
            f"the attribute echo_index of {name} must be the number of a sample, a whole number of "
            f"at least 0, but is {value!r:.60}. Set ds.attrs['echo_index'] to the sample of the "
            "echo."
        )
    return int(number)


def interval_of(attributes: Mapping[Any, Any], name: str = "the data set") -> float:
    """The interval of the samples, µs."""
    value = attributes["dt_us"]
    (number,) = _numbers(value) or (value,)
    return check_number(
        f"the attribute dt_us of {name}", duration("dt_us", number), above=0, unit="µs"
    )


def check_interval(
    times: npt.NDArray[Any], attributes: Mapping[Any, Any], name: str = "the data set"
) -> None:
    """Raise `InputError` for times (µs) of another unit than the attribute `dt_us`.

    Records that were cut or thinned have other intervals, but hardly one that is a thousand times
    as long: a unit is. Nor does one have the numbers of its samples for times, unless every sample
    of several was kept.
    """
    if "dt_us" not in attributes or len(times) < 3:
        return
    spacing, stated = typical_interval(times), interval_of(attributes, name)
    ratio = max(spacing / stated, stated / spacing)
    if any(abs(ratio / 10**power - 1) < _MISSED_BY for power in _POWERS):
        raise InputError(
            f"time of {name} must be in µs, as its attribute dt_us is, but has samples "
            f"{spacing:.4g} µs apart for a dt_us of {stated:.4g} µs. Convert time, or set "
            "ds['time'].attrs['units'] to its unit; or correct or delete ds.attrs['dt_us']."
        )
    thinned_by = 1 / stated
    is_thinned = (
        times.dtype.kind == "f" and abs(thinned_by - max(1, round(thinned_by))) < _MISSED_BY
    )
    if not is_thinned and abs(ratio - 1) > _MISSED_BY and _are_numbers_of_samples(times):
        raise InputError(
            f"time of {name} must be in µs, but numbers the samples ({times[0]:g}, {times[1]:g}, "
            f"{times[2]:g}, …), which are {stated:.4g} µs apart by its attribute dt_us. Set "
            "ds['time'] to ds['time'] * ds.attrs['dt_us']; or correct or delete ds.attrs['dt_us']."
        )


def _are_numbers_of_samples(times: npt.NDArray[Any]) -> bool:
    """Whether times are whole numbers, one after the other."""
    return bool((np.diff(times) == 1).all()) and float(times[0]).is_integer()


def pulse_numbers(
    attributes: Mapping[Any, Any], entry: str, name: str = "the data set"
) -> list[float]:
    """Samples, angles or phases of the pulses: one number per pulse."""
    value = attributes[entry]
    numbers = _numbers(value, length=None)
    is_whole = entry != "pulse_samples" or (
        numbers is not None and all(number == int(number) >= 0 for number in numbers)
    )
    if numbers is None or not is_whole:
        rule = "numbers of samples" if entry == "pulse_samples" else "finite numbers of rad"
        raise InputError(
            f"the attribute {entry} of {name} must be a list of {rule}, one per pulse, but is "
            f"{value!r:.60}. Correct ds.attrs[{entry!r}]."
        )
    return [int(number) for number in numbers] if entry == "pulse_samples" else numbers


def line_draw_of(attributes: Mapping[Any, Any]) -> str | None:
    """How the offsets of simulated curves were drawn; None where nothing is said of it."""
    value = attributes.get("line_draw")
    return None if value is None else str(value)


def pulse_angles_of(attributes: Mapping[Any, Any]) -> list[float] | None:
    """Angles of the pulses, rad; None where nothing is said of them."""
    is_said = "pulse_angles_rad" in attributes
    return pulse_numbers(attributes, "pulse_angles_rad") if is_said else None


def _numbers(value: Any, length: int | None = 1) -> list[float] | None:
    """Finite real numbers of a list, an array or one number; None where it is no such thing."""
    try:
        found = json_value(value)
    except (TypeError, ValueError):
        return None
    items = found if isinstance(found, list) else [found]
    if not all(type(item) in (int, float) for item in items):
        return None
    is_fit = length in (None, len(items)) and np.isfinite(np.array(items, np.float64)).all()
    return items if is_fit else None
