"""What the functions of `spectrometer` share: checked arguments in, a recorded data set out."""

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._masks import refuse_masked
from latent_nmr._row_names import check_row_order, refuse_another_order
from latent_nmr._units import in_unit
from latent_nmr.data._variables import SIGNALS
from latent_nmr.data.echoes import check_echoes
from latent_nmr.data.protocols import PROTOCOL, has_protocols, own_attributes
from latent_nmr.errors import InputError, check_number

RECORDS = "spectrometer"  # the attribute that holds the list of what was done


def complex_signal(dataset: xr.Dataset) -> npt.NDArray[np.complex128]:
    """M⁺ of a checked data set in a new array, shape (n_curves, n_samples).

    Of several protocols, shape (n_protocols, n_curves, n_samples).
    """
    check_echoes(dataset, both_components=True)
    if not isinstance(dataset.attrs.get(RECORDS, []), list):
        raise InputError(
            f"the attribute {RECORDS} must be the list of what was done to the data set, but is "
            f"{dataset.attrs[RECORDS]!r}. Keep that under another name."
        )
    mx, my = (dataset[name].transpose(..., "curve", "time").to_numpy() for name in SIGNALS)
    return mx.astype(np.float64) + 1j * my.astype(np.float64)


def per_curve(
    name: str, value: npt.ArrayLike, dataset: xr.Dataset, **rule: Any
) -> npt.NDArray[np.float64]:
    """Return `value` as a checked array: shape () for a number, else (n_curves,).

    Of several protocols also (n_protocols, n_curves). What names its curves must name those of the
    data set, in their order.
    """
    refuse_masked(name, value)
    value = in_unit(name, _in_order(name, value, dataset), rule.get("unit", "").strip("()"))
    try:
        values = np.asarray(value)
        found = f"has shape {values.shape}"
    except ValueError:
        values, found = np.empty((0, 0)), "has rows of unequal length"
    if not values.ndim:
        return np.array(check_number(name, value, **rule))
    n_curves, several = dataset.sizes["curve"], ""
    shapes: list[tuple[int, ...]] = [(n_curves,)]
    if has_protocols(dataset):
        shapes.append((dataset.sizes[PROTOCOL], n_curves))
        several = f", or of each protocol and curve, shape {shapes[1]}"
    if values.shape not in shapes:
        raise InputError(
            f"{name} must be one number or one per curve, shape ({n_curves},){several}, but "
            f"{found}. Give one number, or {n_curves} in a row."
        )
    numbers = [
        check_number(f"{name}[{', '.join(map(str, place))}]", value.item(), **rule)
        for place, value in np.ndenumerate(values)
    ]
    return np.array(numbers).reshape(values.shape)


def _in_order(name: str, value: Any, dataset: xr.Dataset) -> Any:
    """Values per curve as they are, if they do not say that they are those of other curves."""
    if not getattr(value, "dims", ()):
        check_row_order(dataset, **{name: value})
        return value
    wanted = [dim for dim in (PROTOCOL, "curve") if dim in value.dims]
    if "curve" not in value.dims or set(value.dims) != set(wanted):
        raise InputError(
            f"{name} must have the dimension (curve,), but has {tuple(value.dims)}. Rename it, "
            "or give plain numbers with to_numpy()."
        )
    value = value.transpose(*wanted)
    for dim in wanted:
        found, named = getattr(value, "indexes", {}).get(dim), dataset.indexes.get(dim)
        if found is not None and named is not None and len(found) == len(named):
            refuse_another_order(name, dim, found, named)
    return value


def curve_numbers(dataset: xr.Dataset) -> list[int]:
    """Numbers of the curves, which key their noise."""
    if "curve" not in dataset.coords or dataset["curve"].dtype.kind not in "iu":
        found = dataset["curve"].dtype if "curve" in dataset.coords else "missing"
        raise InputError(
            f"the coordinate curve must number the curves, since it keys their noise, but is "
            f"{found}. Set it with ds.assign_coords(curve=np.arange(ds.sizes['curve']))."
        )
    numbers = dataset["curve"].to_numpy().tolist()
    seen = set()
    for number in numbers:
        if number < 0 or number in seen:
            fault = "is there twice" if number in seen else "is negative"
            raise InputError(
                "the coordinate curve must hold distinct numbers >= 0, since it keys the noise of "
                f"the curves, but {number} {fault}. Renumber the curves."
            )
        seen.add(number)
    return numbers


def checked_pulse_samples(dataset: xr.Dataset) -> list[int]:
    """Indices of the samples at which the pulses are, all on the record."""
    n_samples = dataset.sizes["time"]
    attributes = own_attributes(dataset)
    samples = np.array(attributes.get("pulse_samples", []), dtype=object).ravel().tolist()
    if not samples:
        raise InputError(
            "the data set must say when its pulses are, but its attribute pulse_samples is "
            f"{'empty' if 'pulse_samples' in attributes else 'missing'}. "
            "Set ds.attrs['pulse_samples'] to the list of their sample indices."
        )
    for sample in samples:
        if not isinstance(sample, int | np.integer) or not 0 <= sample < n_samples:
            raise InputError(
                f"pulse_samples must be samples of the record, 0..{n_samples - 1}, but holds "
                f"{sample!r}. Correct ds.attrs['pulse_samples'], or blank before cutting in time."
            )
    return samples


def recorded(
    dataset: xr.Dataset, name: str, signal: npt.NDArray[np.complex128], **arguments: Any
) -> xr.Dataset:
    """Return a new data set with `signal`, shaped as by `complex_signal`, and a record of `name`.

    Arguments per curve are kept whole, with the numbers of their curves, so that the record
    still says which is whose after a subset was taken, and is enough to do it again.
    """
    record = {"name": name} | {
        key: value.tolist() if isinstance(value, np.ndarray) else value
        for key, value in arguments.items()
    }
    if any(isinstance(value, list) for value in record.values()):
        record["curve"] = dataset["curve"].to_numpy().tolist()
    variables = {}
    for channel, values in zip(SIGNALS, (signal.real, signal.imag), strict=True):
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float32)
        of_curves = np.isfinite(numbers).all(axis=-1).reshape(-1, dataset.sizes["curve"])
        bad = np.flatnonzero(~of_curves.all(axis=0))
        if len(bad):
            raise InputError(
                f"the result must be finite in float32, but {name} takes {channel} of curve "
                f"{dataset['curve'].to_numpy()[bad[0]]} beyond it. Use smaller arguments."
            )
        dims = ("curve", "time") if numbers.ndim == 2 else (PROTOCOL, "curve", "time")
        variables[channel] = (dims, numbers, dataset[channel].attrs)
    rest = dataset.drop_vars(list(SIGNALS)).copy(deep=True)
    done = [*rest.attrs.get(RECORDS, []), record]
    return rest.assign(variables).assign_attrs({RECORDS: done})
