"""Prepare measured records for a model: the echo centred, phased, and on the model's time grid."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._band import band_response
from latent_nmr.data.measured.echo_search import FoundEcho
from latent_nmr.data.measured.levels import QUIET, Levelled, levelled
from latent_nmr.data.measured.mixing import band_limit, mix_down, noise_bandwidth
from latent_nmr.data.measured.noise import Noise, estimate_noise
from latent_nmr.data.measured.phasing import echo_phase
from latent_nmr.data.measured.resample import resample
from latent_nmr.data.measured.settings import Given, check_settings, top_reach, window_of
from latent_nmr.data.measured.steps import Step, with_steps
from latent_nmr.data.measured.time_scale import time_factor
from latent_nmr.data.measured.working import (
    Records,
    chance_at_echo,
    found_echo,
    open_records,
    split_records,
    without_spurs,
)

# Half width of the default band, over one over the echo's width: nothing but its cusp is changed.
LEAST_BAND = 2.0
Find = Literal["find"]


def prepare_measurement(
    dataset: xr.Dataset,
    *,
    pulse_separation: float | None = None,
    echo_time: float | Find = "find",
    carrier: float | Find | None = "find",
    remove_spurs: bool = True,
    train: int | Find | None = None,
    bandwidth: float | Find | None = "find",
    phase: float | Find | None = "find",
    baseline: bool = True,
    crop: float | None = None,
    grid: str | None = "echo",
    preset: str = "paper",
    fwhm: float | None = None,
    model_fwhm: float | None = None,
) -> xr.Dataset:
    """Bring measured records into the form that a model was trained on.

    In this order: split trains, remove spurs, find the echo, subtract the offset, mix down, limit
    the band, turn the phase, crop, and resample to the model's window with time mapped by t/τ.
    Every step stands in `attrs["steps"]`. What the record does not have is NaN, not `measured`.

    Parameters
    ----------
    dataset : xarray.Dataset
        `signal` (record, time), complex, and `time` in µs, as :func:`latent_nmr.open_measurement`
        returns it.
    pulse_separation : float, optional
        τ between the pulses, µs; by default the attribute of the same name.
    echo_time : float or "find"
        Time of the record, µs, at which 2τ is. Where interactions are strong the highest point of
        an echo is not at 2τ but up to 9 µs before it (τ = 100 µs): give the time if it is known.
    carrier : float, "find" or None
        Frequency of the echo on the record, MHz, positive where exp(+2πi f t) turns; None mixes
        nothing. Found within 0.5 MHz of the attribute `intermediate_frequency`, if there is one.
    remove_spurs : bool
        Subtract narrow lines that are steady through the record.
    train : int, "find" or None
        Split records at this distance in samples, from echo to echo of a train; or at the one that
        |M|² shows. None splits nothing, and says so in the steps if |M|² repeats itself.
    bandwidth : float, "find" or None
        Half width of the band that is kept, MHz of the record; None is all that the grid permits.
    phase : float, "find" or None
        Angle, rad, by which records are turned. Found, the echo is along +y, as simulated ones
        are, one angle for each record.
    baseline : bool
        Subtract the mean of what is neither blanked nor near the echo, where that is steady.
    crop : float, optional
        Use no samples further from the echo than this, µs of the record.
    grid : {"echo", "echo300", "full"} or None
        Window of the model; None keeps the samples of the record.
    preset : str
        Preset that the model was trained on.
    fwhm, model_fwhm : float, optional
        Full width of the line, MHz, if known, and of that which the model was trained on, by
        default the preset's: FWHM τ must be within 10 % of the model's.

    Returns
    -------
    xarray.Dataset
        `signal` (record, time) and `measured` (time); `time` in µs of the model, or of the record
        with `grid=None`, and `record_time`; along `record` the coordinates `noise` (standard
        deviation of one channel), `offset_error` (that of what is left of an offset, which turns
        at the attribute `offset_frequency`, MHz), `snr` (height of the echo over the noise) and
        `p_value` (that noise is as high here). Attributes `echo_time`, `echo_width` (µs of the
        record), `echo_kind`, `echo_p_value` (that noise shows as much anywhere), `echo_carrier`
        (MHz), `dwell` (µs), `noise` and `snr` of the clearest record, `pulse_separation`,
        `time_factor` and `steps`.

    Raises
    ------
    InputError
        If τ is not known, FWHM τ is not that of the model, or a setting cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import latent_nmr as ln
    >>> time = 0.1 * np.arange(2000)
    >>> echo = np.exp(-np.abs(time - 90) / 6 + 2j * np.pi * 1.5 * time)
    >>> noise = np.random.default_rng(0).normal(scale=0.1, size=(2000, 2)) @ [1, 1j]
    >>> record = xr.Dataset({"signal": (("record", "time"), [echo + noise])}, {"time": time})
    >>> prepared = ln.prepare_measurement(record, pulse_separation=100)
    >>> prepared.sizes["time"], round(prepared.attrs["echo_time"])
    (400, 90)
    >>> bool(prepared.measured.all())
    True
    """
    given = check_settings(
        dataset,
        Given(
            pulse_separation, echo_time, carrier, train, bandwidth, phase, crop, fwhm, model_fwhm
        ),
        preset,
        grid,
    )
    records = open_records(dataset)
    records, train_steps = split_records(records, given.train)
    records, spur_steps = without_spurs(records) if remove_spurs else (records, ())
    echo, which, echo_step = found_echo(records, given, dataset.attrs)
    noises = [_noise(records, echo, row) for row in range(len(records.signal))]
    chances = chance_at_echo(records, echo, noises, top_reach(given, preset))
    # Before the record is mixed down, after which an offset turns.
    offset = levelled(records, echo, noises) if baseline else Levelled.none(records)
    records = offset.records
    records, carrier_step = _mixed(records, echo, given)
    band, band_step = _band(records, echo, noises[which], given, preset, grid)
    if band is not None:
        limited = band_limit(records.signal, records.dwell, band, measured=records.measured)
        records = records.with_signal(limited)
    records, phase_step = _phased(records, echo, given)
    width = noise_bandwidth(records.dwell, band)
    quality = np.array([noise.sd(width) for noise in noises])
    placed, grid_step = _placed(records, echo, given, preset, grid)
    near = np.abs(records.time - records.time[0] - echo.time) <= echo.width / 2 + records.dwell
    heights = np.abs(records.signal[:, near]).max(axis=1)
    turning = _turning(carrier_step)
    left = offset.error * (1 if band is None else band_response(turning, band))
    noise_step = _noise_step(noises[which], quality[which], heights[which])
    placed = placed.assign_coords(
        noise=("record", quality),
        offset_error=("record", left),
        snr=("record", heights / quality),
        p_value=("record", chances),
    ).assign_attrs({**dataset.attrs, **_attributes(echo, records, given, preset)})
    placed = placed.assign_attrs(
        noise=float(quality[which]), snr=float(placed.snr[which]), offset_frequency=turning
    )
    done = (train_steps, spur_steps, echo_step, offset.steps, carrier_step, band_step, phase_step)
    return with_steps(placed, *(step for steps in done for step in steps), noise_step, *grid_step)


def _noise(records: Records, echo: FoundEcho, row: int) -> Noise:
    """Noise of one record near the echo's frequency."""
    elapsed = np.abs(records.dwell * np.arange(len(records.time)) - echo.time)
    return estimate_noise(
        records.signal[row],
        records.dwell,
        carrier=echo.carrier,
        measured=records.measured,
        quiet=elapsed > QUIET * echo.width,
    )


def _noise_step(noise: Noise, deviation: float, height: float) -> Step:
    where = {
        "spectrum": "frequencies beside the echo's",
        "quiet": "quiet samples",
        "lowest": "frequencies, by the lowest tenth, since the record is all signal",
    }[noise.source]
    detail = (
        f"Noise: standard deviation {deviation:.4g} in each channel after the band limit "
        f"(± {100 * noise.relative_error:.2g} %), from {noise.n_values} {where}; the echo stands "
        f"{height / deviation:.3g} times as high."
    )
    values = {"noise": deviation, "relative_error": noise.relative_error}
    return Step("noise", detail, {**values, "snr": height / deviation, "source": noise.source})


def _mixed(records: Records, echo: FoundEcho, given: Given) -> tuple[Records, tuple[Step, ...]]:
    """Records mixed down by the carrier that was given, or by that of the echo."""
    if given.carrier is None:
        return records, ()
    found = given.carrier == "find"
    frequency = echo.carrier if found else float(given.carrier)
    mixed = mix_down(records.signal, records.time, frequency)
    detail = f"Mixed down by {frequency:.6g} MHz, {'found' if found else 'as given'}."
    step = Step("carrier", detail, {"carrier": frequency, "found": found})
    return records.with_signal(mixed), (step,)


def _turning(carrier_step: tuple[Step, ...]) -> float:
    """Frequency at which an offset turns after that step, MHz of the record."""
    return -sum(float(step.values["carrier"]) for step in carrier_step)


def _band(
    records: Records, echo: FoundEcho, noise: Noise, given: Given, preset: str, grid: str | None
) -> tuple[float | None, tuple[Step, ...]]:
    """Half width of the band to keep (MHz), None for all of it."""
    limits = [1 / (2 * records.dwell)]
    if grid is not None:
        # Beyond half the grid's rate noise would be folded back.
        window = window_of(preset, grid)
        limits.append(time_factor(given.tau, window.tau) / (2 * window.dt))
    wanted = given.bandwidth
    if wanted == "find":
        # A cusp's spectrum A 2a/(2πf)² meets that of the noise about it, √(2 density 2 width).
        slope = np.log(2) / (echo.width / 2)
        meets = 2 * slope * abs(echo.amplitude)
        meets = np.sqrt(meets / np.sqrt(4 * max(noise.density, 1e-300) * echo.width)) / (2 * np.pi)
        wanted = float(max(meets, LEAST_BAND / echo.width))
    band = min(*limits, np.inf if wanted is None else float(wanted))
    if band >= limits[0]:
        return None, ()
    how = {"find": "up to which the echo stands out of the noise", None: "as the grid permits"}
    reason = how.get(given.bandwidth, "as given") if band == wanted else how[None]
    detail = f"Kept the frequencies within ± {band:.4g} MHz of the carrier, {reason}."
    return band, (Step("bandwidth", detail, {"bandwidth": band}),)


def _phased(records: Records, echo: FoundEcho, given: Given) -> tuple[Records, tuple[Step, ...]]:
    """Records turned so that the echo is along +y, or by the angle given."""
    if given.phase is None:
        return records, ()
    if given.phase == "find":
        angles = echo_phase(records.signal, records.time - records.time[0], echo)
        what = "so that the echo is along +y"
    else:
        angles = np.full(len(records.signal), float(given.phase))
        what = "as given"
    shown = ", ".join(f"{angle:.3g}" for angle in angles[:4]) + (", …" if len(angles) > 4 else "")
    detail = f"Turned the phase by {shown} rad, {what}."
    turned = records.signal * np.exp(1j * angles)[:, None]
    return records.with_signal(turned), (Step("phase", detail, {"angles": angles.tolist()}),)


def _placed(
    records: Records, echo: FoundEcho, given: Given, preset: str, grid: str | None
) -> tuple[xr.Dataset, tuple[Step, ...]]:
    """The samples that a model sees, with their times and what of them was measured."""
    centre = float(records.time[0]) + echo.time
    measured = records.measured
    steps = []
    if given.crop is not None:
        measured = measured & (np.abs(records.time - centre) <= given.crop)
        detail = f"Cropped to ± {given.crop:g} µs about the echo, {int(measured.sum())} samples."
        steps.append(Step("crop", detail, {"crop": given.crop, "samples": int(measured.sum())}))
    if grid is None:
        times = positions = records.time
        signal, covered = np.where(measured, records.signal, np.nan), measured
        if given.crop is not None:
            kept = np.abs(times - centre) <= given.crop
            times, signal, covered = times[kept], signal[:, kept], covered[kept]
            positions = times
    else:
        window = window_of(preset, grid)
        factor = time_factor(given.tau, window.tau)
        times, positions = window.time, centre + (window.time - 2 * window.tau) / factor
        signal, covered = resample(records.signal, records.time, positions, measured=measured)
        steps.append(_grid_step(covered, factor, given.tau, window.tau, grid))
    made: dict[str, Any] = {"signal": (("record", "time"), signal), "measured": ("time", covered)}
    coordinates = {"record": records.numbers, "time": times, "record_time": ("time", positions)}
    placed = xr.Dataset(made, coordinates)
    placed["time"].attrs["units"] = placed["record_time"].attrs["units"] = "µs"
    return placed, tuple(steps)


def _grid_step(
    covered: npt.NDArray[np.bool_], factor: float, tau: float, model_tau: float, grid: str
) -> Step:
    """What of a window is there, and how times were mapped."""
    present = np.flatnonzero(covered)
    there = f"samples {present[0]} to {present[-1]}" if present.size else "none"
    detail = f"Resampled to the {len(covered)} samples of the window {grid}: {there} were measured"
    inner = 0 if not present.size else int(present[-1] - present[0] + 1 - present.size)
    detail += f", but for {inner} between them." if inner else "."
    if abs(factor - 1) > 1e-3:
        detail += (
            f" Times were multiplied by τ_model/τ = {model_tau:.4g}/{tau:.4g} = {factor:.4g}: "
            f"multiply W, and other frequencies that the model states, by {factor:.4g}."
        )
    values = {"measured": int(covered.sum()), "samples": len(covered), "time_factor": factor}
    return Step("grid", detail, values)


def _attributes(echo: FoundEcho, records: Records, given: Given, preset: str) -> dict[str, Any]:
    """What is known of the echo."""
    known = {
        "echo_time": float(records.time[0]) + echo.time,
        "echo_time_error": echo.time_error,
        "echo_width": echo.width,
        "echo_kind": echo.kind,
        "echo_p_value": echo.p_value,
        "echo_sigma": echo.sigma,
        "echo_carrier": echo.carrier,
        "dwell": records.dwell,
    }
    if given.pulse_separation is not None:
        known |= {
            "pulse_separation": given.tau,
            "time_factor": time_factor(given.tau, window_of(preset, "echo").tau),
        }
    return {
        name: value if isinstance(value, str) else float(value) for name, value in known.items()
    }
