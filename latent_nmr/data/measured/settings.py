"""Settings of `prepare_measurement`, checked, and the window of the model that it prepares for."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._echo_top import REACH
from latent_nmr.data.measured.time_scale import check_fwhm, time_factor
from latent_nmr.data.scaling import TOP
from latent_nmr.data.windows import HALF_WIDTHS, window_slice
from latent_nmr.errors import InputError, check_choice, check_count, check_number
from latent_nmr.physics.presets import get_preset

FIND = "find"


@dataclass(frozen=True)
class Given:
    """What the user asks for; "find" is from the data, None is not at all."""

    pulse_separation: float | None
    echo_time: Any
    carrier: Any
    train: Any
    bandwidth: Any
    phase: Any
    crop: float | None
    fwhm: float | None
    model_fwhm: float | None

    @property
    def tau(self) -> float:
        """τ in µs, where it is known."""
        assert self.pulse_separation is not None
        return self.pulse_separation


@dataclass(frozen=True)
class Window:
    """Times of a model's window (µs), its τ (µs) and the interval of its samples (µs)."""

    time: npt.NDArray[np.float64]
    tau: float
    dt: float


def window_of(preset: str, grid: str) -> Window:
    """The window `grid` of a preset's record."""
    sequence = get_preset(preset).sequence
    part = window_slice(grid, sequence.n_samples, sequence.echo_sample)
    return Window(sequence.time[part], sequence.dt * sequence.echo_sample / 2, sequence.dt)


def top_reach(given: Given, preset: str) -> float:
    """How far from a given 2τ models look for the top, µs of the record; nought of a found one."""
    if given.echo_time == FIND:
        return 0.0
    window = window_of(preset, "echo")
    tau = window.tau if given.pulse_separation is None else given.tau
    return REACH * window.dt / time_factor(tau, window.tau)


def check_settings(dataset: xr.Dataset, given: Given, preset: str, grid: str | None) -> Given:
    """Settings that can be used, with τ from the file where none is given.

    Raises
    ------
    InputError
        If τ is needed and not known, or a setting is none of what it may be.
    """
    _check_dataset(dataset)
    preset_of = get_preset(preset)
    if grid is not None:
        check_choice("grid", grid, [name for name in HALF_WIDTHS if name != TOP])
    tau = given.pulse_separation
    tau = dataset.attrs.get("pulse_separation") if tau is None else tau
    if tau is None and (grid is not None or given.fwhm is not None):
        raise InputError(
            "pulse_separation must be given where the file does not say τ, but is None. Give the "
            "time between the two pulses in µs: pulse_separation=100."
        )
    checked = replace(
        given,
        pulse_separation=_number("pulse_separation", tau, above=0, unit="µs"),
        echo_time=_number("echo_time", given.echo_time, unit="µs"),
        carrier=_number("carrier", given.carrier, unit="MHz"),
        bandwidth=_number("bandwidth", given.bandwidth, above=0, unit="MHz"),
        phase=_number("phase", given.phase, unit="(rad)"),
        crop=_number("crop", given.crop, above=0, unit="µs"),
        train=given.train if given.train in (FIND, None) else check_count("train", given.train),
    )
    if given.fwhm is not None:
        model_tau = window_of(preset, "full").tau
        model_fwhm = given.model_fwhm
        if model_fwhm is None:
            model_fwhm = preset_of.line.fwhm
        check_number("model_fwhm", model_fwhm, above=0, unit="MHz")
        check_fwhm(given.fwhm, checked.tau, model_fwhm, model_tau)
    if dataset.attrs.get("signal_kind") == "magnitude":
        # |M| has no frequency and no phase.
        checked = replace(checked, carrier=None, phase=None)
    return checked


def _number(name: str, value: Any, **bounds: Any) -> Any:
    """A number inside its bounds, or "find", or None."""
    if value is None or (isinstance(value, str) and value == FIND):
        return value
    if isinstance(value, str):
        raise InputError(f"{name} must be a number or {FIND!r}, but is {value!r}. Use {FIND!r}.")
    return check_number(name, value, **bounds)


def _check_dataset(dataset: xr.Dataset) -> None:
    """Refuse what no reader of measurements returns."""
    if not isinstance(dataset, xr.Dataset) or "signal" not in dataset:
        raise InputError(
            f"dataset must have the variable signal (record, time), but is {type(dataset).__name__}"
            f" {list(getattr(dataset, 'data_vars', []))}. Open a file with ln.open_measurement."
        )
    dims = dataset.signal.dims
    if set(dims) != {"record", "time"} or "time" not in dataset.coords:
        raise InputError(
            f"signal must have the dimensions record and time, and times in µs, but has {dims}. "
            "Name them so: ds.expand_dims('record')."
        )
    time = np.asarray(dataset.time, np.float64)
    steps = np.diff(time)
    even = len(time) > 1 and np.isfinite(steps).all() and steps.min() > 0
    if not (even and math.isclose(steps.min(), steps.max(), rel_tol=0.1)):
        raise InputError(
            f"time must rise in equal steps, but {len(time)} samples have steps of "
            f"{steps.min() if len(steps) else 0:g} to {steps.max() if len(steps) else 0:g} µs. "
            "Give the record as it was sampled."
        )
    if not np.isfinite(dataset.signal.to_numpy()).all():
        raise InputError("signal must be finite, but holds NaN or infinity. Drop those records.")
