"""The labelled echo data set (an xarray.Dataset) and its validation.

Variables `mx`, `my` (curve, time): mean transverse spin, dimensionless, |M(0)| = 1/2; `mz` where
it was asked for; in place of all these only `magnitude`, |M|, where no more was kept.
Coordinates: `time` in µs; per curve the labels of `LABELS`. Attributes: every setting that
made it, and `echo_index`, the sample of the echo's maximum.
"""

import hashlib
from collections.abc import Collection, Hashable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._jax_settings import RANDOM_NUMBERS
from latent_nmr._masks import refuse_masked
from latent_nmr._times import record_times, without_unit
from latent_nmr.data._attributes import check_attributes, check_interval
from latent_nmr.data._hashing import hash_variables
from latent_nmr.data._texts import as_plain_text
from latent_nmr.data._variables import (
    ALL_LABELS,
    ALL_SIGNALS,
    LONGITUDINAL,
    MAGNITUDE,
    MATERIAL,
    PER_CURVE,
    SIGNALS,
)
from latent_nmr.data.protocols import (
    PROTOCOL,
    each_protocol,
    protocol_coordinates,
    sequence_attributes,
)
from latent_nmr.errors import InputError
from latent_nmr.physics.guess import RULE
from latent_nmr.physics.simulate import SimulatedCurves, Simulation

FORMAT = "latent_nmr.echoes"
FORMAT_VERSION = 2


def label_rows(curves: SimulatedCurves) -> dict[str, np.ndarray]:
    """Labels of simulated curves, one array per name in `PER_CURVE`.

    α and W are magnitudes: the challenge's RKKY kernel has a negative sum, so that its couplings,
    taken with their sign, are negative too.
    """
    rows = curves.parameters
    couplings = np.abs(np.array([row.couplings for row in rows], np.float64))
    labels = {
        "alpha_x": couplings[:, 0],
        "alpha_y": couplings[:, 1],
        "alpha_z": couplings[:, 2],
        "W": couplings.sum(axis=1),
        "L": curves.coupling_lengths,
        "kernel": np.array([row.kernel for row in rows]),
        "kernel_parameter": np.array([row.kernel_parameter for row in rows]),
        "decay_rate": np.array([row.decay_rate for row in rows]),
    }
    if np.isfinite(curves.error_estimates).all():  # else the step was fixed
        labels["error_estimate"] = curves.error_estimates
    for position, (name, _) in enumerate(rows[0].challenge):
        labels[f"challenge_{name}"] = np.array([row.challenge[position][1] for row in rows])
    return labels | curves.places


def simulation_attributes(simulation: Simulation) -> dict[str, Any]:
    """Attributes of a simulated set: all settings, resolved, with their units in the names."""
    preset = simulation.resolve()
    settings = asdict(simulation) | {"n_edge": preset.n_edge}
    rule = asdict(RULE) if simulation.has_tolerance else None
    settings |= {"tolerance": simulation.tolerance if rule else None, "step_rule": rule}
    del settings["protocols"], settings["fwhm"]  # it stands below, as `fwhm_MHz`
    if simulation.repeats == 1:  # as sets of earlier versions have it
        del settings["repeats"]
    if len(preset.sequences) == 1:
        del settings["offsets"]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "random_numbers": RANDOM_NUMBERS,
        **settings,
        "fwhm_MHz": preset.line.fwhm,
        "cutoff_MHz": preset.line.cutoff,
        "n_samples": preset.sequence.n_samples,
        "dt_us": preset.sequence.dt,
        **sequence_attributes(preset),
        "package_version": version("latent-nmr"),
    }


def assemble(
    signals: dict[str, np.ndarray],
    time: np.ndarray,
    labels: dict[str, np.ndarray],
    attributes: dict[str, Any],
) -> xr.Dataset:
    """Put arrays together as a data set with units.

    Parameters
    ----------
    signals : dict of ndarray, shape (n_curves, n_samples), or (n_curves, n_protocols, n_samples)
        `mx`, `my` and perhaps `mz`, or `magnitude` alone; dimensionless.
    time : ndarray, shape (n_samples,)
        µs.
    labels : dict of ndarray, shape (n_curves,)
        Any of `PER_CURVE`.
    attributes : dict
        Settings; must hold `echo_index`, or tell that of each protocol.
    """
    n_curves = len(next(iter(signals.values())))
    coordinates: dict[str, Any] = {
        "curve": np.arange(n_curves),
        "time": ("time", time, {"units": "µs", "long_name": "time since the first pulse"}),
    }
    for name, values in labels.items():
        unit, title = PER_CURVE[name]
        coordinates[name] = ("curve", values, {"units": unit, "long_name": title})
    coordinates |= protocol_coordinates(attributes)
    variables = {}
    for name, title in (ALL_SIGNALS | MAGNITUDE).items():
        if name in signals:
            values, dims = np.asarray(signals[name], np.float32), ("curve", "time")
            if values.ndim == 3:
                values, dims = values.swapaxes(0, 1), (PROTOCOL, *dims)
            variables[name] = (dims, values, {"units": "1", "long_name": title})
    return xr.Dataset(variables, coordinates, attributes)


def check_dataset(dataset: object, name: str = "dataset") -> None:
    """Raise `InputError` if this is anything but a data set, such as an array of features."""
    if not isinstance(dataset, xr.Dataset):
        raise InputError(
            f"{name} must be an xarray.Dataset of echoes, but is a {type(dataset).__name__}. Open "
            "one with latent_nmr.open_echoes, or score arrays with latent_nmr.evaluate."
        )


def check_echoes(
    dataset: xr.Dataset, name: str = "the data set", *, both_components: bool = False
) -> xr.Dataset:
    """Return `dataset` if it is a usable echo data set, else raise `InputError`.

    Times that state another unit come back in µs. With `both_components`, |M| alone is not enough.
    """
    check_dataset(dataset, name)
    if both_components and signal_names(dataset) != tuple(SIGNALS):
        raise InputError(
            f"{name} must hold both mx and my, but holds magnitude only, as small compact sets do. "
            "Use a set that was saved with both."
        )
    dataset = check_frame(dataset, name)
    for signal in signal_names(dataset):
        refuse_masked(f"{signal} of {name}", dataset[signal])
        values = dataset[signal].transpose("curve", ..., "time").to_numpy()
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            row, *_, sample = bad[0]
            raise InputError(
                f"{name} must be finite, but {signal} of curve {dataset['curve'][row].item()} is "
                f"{float(values[tuple(bad[0])])} at sample {sample} "
                f"({len(np.unique(bad[:, 0]))} such curves). Drop or repair these curves."
            )
    return dataset


def check_frame(dataset: xr.Dataset, name: str = "the data set") -> xr.Dataset:
    """Do the checks of :func:`check_echoes` for which no curve has to be read."""
    check_dataset(dataset, name)
    missing = [v for v in (*signal_names(dataset), "time") if v not in dataset.variables]
    if missing:
        raise InputError(
            f"{name} must hold mx, my (curve, time), or magnitude, and time, but lacks "
            f"{', '.join(missing)}. Make one with latent-nmr simulate, or rename the variables."
        )
    for signal in (*signal_names(dataset), *LONGITUDINAL):
        if signal in dataset.variables:
            _check_signal(signal, dataset[signal], name)
    for dimension in ("time", "curve"):
        if dimension in dataset.variables and dataset[dimension].dims not in (
            (dimension,),
            ("curve", "time"),
            ("time", "curve"),
        ):
            raise InputError(
                f"{name} must have one {dimension} for each entry along {dimension}, but "
                f"{dimension} has the dimensions {dataset[dimension].dims}. Drop or repair it."
            )
    dataset = _in_microseconds(dataset, name)
    for own in each_protocol(dataset):
        check_attributes(own.attrs, name)
    for dimension, what in (("curve", "curve"), ("time", "sample"), (PROTOCOL, "protocol")):
        if not dataset.sizes.get(dimension, 1):
            raise InputError(
                f"{name} must hold at least one {what}, but is empty. Check what was selected."
            )
    return dataset


def _check_signal(signal: str, values: xr.DataArray, name: str) -> None:
    """Raise `InputError` for other dimensions than (curve, time), and for what is no number.

    Beside these there may be that of the protocols.
    """
    wanted, found = ("curve", "time"), tuple(dim for dim in values.dims if dim != PROTOCOL)
    missing = [dim for dim in wanted if dim not in found]
    strange = [dim for dim in found if dim not in wanted]
    if missing and len(strange) == len(missing):
        cure = f"Rename them: ds.rename({dict(zip(strange, missing, strict=True))})."
    elif missing:
        cure = f"Keep both when you select: ds.isel({missing[0]}=[0])."
    elif strange:
        cure = f"Select one: ds.isel({strange[0]}=0)."
    elif values.dtype.kind not in "fiu":
        raise InputError(
            f"{name} must have signals that are real numbers, but {signal} holds {values.dtype}. "
            "Give real and imaginary part as mx and my, in float32."
        )
    else:
        return
    raise InputError(
        f"{name} must have signals with the dimensions (curve, time), but {signal} has "
        f"{values.dims}. {cure}"
    )


def sample_times(dataset: xr.Dataset, name: str = "the data set") -> npt.NDArray[Any]:
    """Times of the samples of a data set, µs, whatever their unit there.

    Raises
    ------
    InputError
        If they are no times, do not rise, or can only have been meant in another unit, also by
        the attribute `dt_us`.
    """
    times = record_times(f"time of {name}", dataset["time"])
    check_interval(times, dataset.attrs, name)
    return times


def _in_microseconds(dataset: xr.Dataset, name: str) -> xr.Dataset:
    """Return a data set whose time is a number of µs, and says so where it was something else."""
    given, times = dataset["time"], sample_times(dataset, name)
    is_plain = given.dtype == times.dtype and np.array_equal(given.to_numpy(), times)
    if is_plain:
        return dataset
    changed = {"time": ("time", times, {**without_unit(given.attrs), "units": "µs"})}
    is_coordinate = "time" in dataset.coords
    return dataset.assign_coords(changed) if is_coordinate else dataset.assign(changed)


def signal_names(dataset: xr.Dataset) -> tuple[str, ...]:
    """Signals that a data set must hold: `mx` and `my`, or `magnitude` where that is all it has."""
    return _signal_names(dataset.variables)


def _signal_names(variables: Collection[Hashable]) -> tuple[str, ...]:
    only_length = "magnitude" in variables and not set(SIGNALS) & set(variables)
    return tuple(MAGNITUDE) if only_length else tuple(SIGNALS)


def magnitude(dataset: xr.Dataset) -> np.ndarray:
    """|M(t)| of every curve, dimensionless, shape (n_curves, n_samples).

    Of several protocols, shape (n_protocols, n_curves, n_samples).
    """
    first, *rest = (
        dataset[name].transpose(..., "curve", "time").to_numpy() for name in signal_names(dataset)
    )
    return np.hypot(first, rest[0]) if rest else first


def fingerprint(dataset: xr.Dataset) -> str:
    """SHA-256 over signals, time, labels and materials: equal for equal numbers, anywhere."""
    names = fingerprinted_names(dataset.variables)
    return hash_variables((name, [_in_order(dataset[name])]) for name in names)


def _in_order(variable: xr.DataArray) -> np.ndarray:
    """Values with the curves along the first axis, in this machine's order of bytes."""
    first = [dim for dim in ("curve", PROTOCOL, "time") if dim in variable.dims]
    values = as_plain_text(variable.transpose(*first, ...).to_numpy())
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def label_fingerprint(dataset: xr.Dataset) -> str:
    """SHA-256 over the labels, which, unlike curves, have the same bits on every machine."""
    digest = hashlib.sha256()
    for name in ALL_LABELS:
        if name in dataset.coords:
            values = as_plain_text(dataset[name].to_numpy())
            is_number = values.dtype.kind == "f"
            digest.update(values.tobytes() if is_number else "\n".join(values).encode())
    return digest.hexdigest()


def fingerprinted_names(variables: Collection[Hashable]) -> list[str]:
    """Those of `variables` that a fingerprint covers, in its order."""
    kept = (*_signal_names(variables), *LONGITUDINAL, "time", *ALL_LABELS, MATERIAL)
    return [name for name in kept if name in variables]
