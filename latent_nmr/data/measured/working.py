"""Records on their way through the preparation, and its steps up to the echo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data.measured.echo_search import FoundEcho, search_echo
from latent_nmr.data.measured.noise import Noise, blanked_samples
from latent_nmr.data.measured.settings import FIND, Given
from latent_nmr.data.measured.spurs import remove_spurs
from latent_nmr.data.measured.steps import Step
from latent_nmr.data.measured.trains import find_period, split_train
from latent_nmr.errors import InputError

# An echo is looked for within this of a stated intermediate frequency, MHz.
NEAR_INTERMEDIATE = 0.5
# Of a train or an array, the echo is looked for on this many of the records with most signal.
MOST_SEARCHED = 4
LISTED = 8


@dataclass(frozen=True)
class Records:
    """Signals on one axis of time, and which samples were measured in all of them."""

    signal: npt.NDArray[np.complex128]
    time: npt.NDArray[np.float64]
    measured: npt.NDArray[np.bool_]
    numbers: npt.NDArray[np.int64]

    @property
    def dwell(self) -> float:
        """Time between samples, µs."""
        return float(self.time[-1] - self.time[0]) / (len(self.time) - 1)

    def with_signal(self, signal: npt.NDArray[np.complex128]) -> "Records":
        """The same samples with other values."""
        return replace(self, signal=signal)


def open_records(dataset: xr.Dataset) -> Records:
    """Records of a data set, with what is blanked in any of them."""
    signal = dataset.signal.transpose("record", "time").to_numpy().astype(np.complex128)
    measured = np.asarray(~blanked_samples(signal).any(axis=0))
    if not measured.any() and len(signal) == 1:
        raise InputError(
            "the record must have samples that are not blanked, but repeats one value throughout. "
            "Give the record of a receiver that was open."
        )
    if not measured.any():
        raise InputError(
            "records must share samples that are not blanked, but have none. Prepare records that "
            "were blanked at different times one by one: ds.isel(record=[0])."
        )
    numbers = np.arange(len(signal))
    if "record" in dataset.coords:
        numbers = dataset.record.to_numpy()
    return Records(signal, dataset.time.to_numpy().astype(np.float64), measured, numbers)


def split_records(records: Records, train: int | str | None) -> tuple[Records, tuple[Step, ...]]:
    """One record per echo, where each is a train and that was asked for."""
    found = None if train in (FIND, None) else float(train)
    if found is None:
        strongest = int(np.argmax(np.sum(np.abs(records.signal) ** 2, axis=1)))
        found = find_period(records.signal[strongest] * records.measured)
    if found is None:
        return records, ()
    if train is None:
        detail = (
            f"The record may be a train of echoes {found * records.dwell:.4g} µs ({found:.6g} "
            "samples) apart, unless narrow lines beat so: it is split where train says so."
        )
        return records, (Step("may_be_train", detail, {"period": found}),)
    if found > len(records.time):
        raise InputError(
            f"train must be at most the {len(records.time)} samples of a record, but is {train}. "
            "Give the distance of the echoes in samples."
        )
    signal = split_train(records.signal, found)
    measured = np.asarray(split_train(records.measured[None], found).real.all(axis=0))
    n_echoes = len(signal) // len(records.signal)
    detail = (
        f"Split each record into {n_echoes} echoes of {signal.shape[1]} samples, "
        f"{found:.6g} samples ({found * records.dwell:.4g} µs) apart"
        f"{', as found' if train == FIND else ''}."
    )
    step = Step("split", detail, {"period": found, "echoes": n_echoes})
    split = Records(signal, records.time[: signal.shape[1]], measured, np.arange(len(signal)))
    return split, (step,)


def without_spurs(records: Records) -> tuple[Records, tuple[Step, ...]]:
    """Records without narrow lines."""
    cleaned, found = np.empty_like(records.signal), []
    for row, signal in enumerate(records.signal):
        cleaned[row], spurs = remove_spurs(signal, records.time, measured=records.measured)
        found += spurs
    if not found:
        return records, (Step("spurs", "Found no spurs.", {"spurs": []}),)
    found.sort(key=lambda spur: -spur.amplitude)
    listed = ", ".join(f"{spur.frequency:.4f}" for spur in found[:LISTED])
    more = f" and {len(found) - LISTED} more" if len(found) > LISTED else ""
    detail = f"Removed {len(found)} spurs, at {listed}{more} MHz of the record."
    values = {"spurs": [[spur.frequency, spur.amplitude] for spur in found[:64]]}
    return records.with_signal(cleaned), (Step("spurs", detail, values),)


def _carrier_range(given: Given, facts: Mapping[str, Any]) -> tuple[float, float] | None:
    """Frequencies to look for the echo at, MHz; None is everywhere."""
    between = facts.get("intermediate_frequency")
    if isinstance(given.carrier, float):
        between = given.carrier
    elif given.carrier is None:
        between = 0.0
    return None if between is None else (between - NEAR_INTERMEDIATE, between + NEAR_INTERMEDIATE)


def found_echo(
    records: Records, given: Given, facts: Mapping[str, Any]
) -> tuple[FoundEcho, int, tuple[Step, ...]]:
    """The clearest echo of all records, its record, and the step that says it."""
    start = float(records.time[0])
    due = None if given.echo_time == FIND else _on_record(float(given.echo_time), records)
    energy = np.sum(np.abs(records.signal[:, records.measured]) ** 2, axis=1)
    searched = np.argsort(-energy)[:MOST_SEARCHED]
    echoes = [
        search_echo(
            records.signal[row],
            records.dwell,
            measured=records.measured,
            carrier_range=_carrier_range(given, facts),
            time_range=None if due is None else _near(due, records),
        )
        for row in searched
    ]
    order = [(e.kind == "none", e.kind == "half", e.p_value, -abs(e.amplitude)) for e in echoes]
    best = min(range(len(echoes)), key=order.__getitem__)
    echo, detail = echoes[best], _said(echoes[best], start)
    stated = facts.get("echo_time")
    if due is not None:
        detail += f" It was placed at {due + start:.4g} µs, as given."
        echo = replace(echo, time=due)
    elif stated is not None:
        detail += f" It was due at {stated:.4g} µs."
        if echo.kind == "none" and 0 <= stated - start <= records.time[-1] - start:
            echo = replace(echo, time=stated - start)
    values = {
        "echo_time": echo.time + start,
        "top": echoes[best].time + start,
        "due": stated,
        "given": due is not None,
        "start": start,
        "end": float(records.time[-1]),
        "width": echo.width,
        "carrier": echo.carrier,
        "p_value": echo.p_value,
        "sigma": echo.sigma,
        "kind": echo.kind,
    }
    return echo, int(searched[best]), (Step("echo", detail, values),)


def _on_record(echo_time: float, records: Records) -> float:
    """A given time from the first sample, or `InputError` if it is not on the record."""
    start, end = float(records.time[0]), float(records.time[-1])
    if not start <= echo_time <= end:
        raise InputError(
            f"echo_time must be on the record, {start:g} to {end:g} µs, but is {echo_time:g} µs. "
            "Give the time on the axis of the record."
        )
    return echo_time - start


def _near(due: float, records: Records) -> tuple[float, float]:
    """Where the top of an echo may be that is due at a time: a tenth of the record from it."""
    length = float(records.time[-1] - records.time[0])
    return due - length / 10, due + length / 10


def _said(echo: FoundEcho, start: float) -> str:
    """What was found, in a sentence."""
    where = (
        f"at {echo.time + start:.4g} µs (± {echo.time_error:.2g}), {echo.width:.3g} µs wide, at "
        f"{echo.carrier:.5g} MHz of the record"
    )
    chance = f"noise shows as much with p = {echo.p_value:.2g}, {echo.sigma:.3g} σ"
    if echo.kind == "none":
        return f"Found no echo: the best candidate is {where}, and {chance}."
    if echo.kind == "half":
        return (
            f"Found a signal that begins at its top, {where}: half an echo, or a free induction "
            f"decay; {chance}."
        )
    return f"Found the echo {where}; {chance}."


def chance_at_echo(
    records: Records, echo: FoundEcho, noises: Sequence[Noise], reach: float = 0.0
) -> npt.NDArray[np.float64]:
    """For each record, how likely noise alone is as high within `reach` µs of the echo's place.

    Places a quarter of the echo's width apart are tried, and what each says is multiplied by their
    number: at most so likely is it that one of them is as high (Bonferroni).
    """
    n_places = 1 + 2 * int(np.ceil(reach / (echo.width / 4)))
    places = echo.time + np.linspace(-reach, reach, n_places)
    elapsed = records.dwell * np.arange(len(records.time)) - places[:, None]
    shape = elapsed / np.where(elapsed < 0, echo.rise, echo.decay)
    heights = np.where(records.measured, np.exp(-np.log(2) * np.abs(shape)), 0)
    turned = heights * np.exp(-2j * np.pi * echo.carrier * elapsed)
    variance = np.array([noise.density for noise in noises])[:, None] / records.dwell
    squares = np.maximum(np.sum(heights**2, axis=1), 1e-300)
    power = np.abs(records.signal @ turned.T) ** 2 / (2 * variance * squares)
    # Places where nothing was measured show nothing.
    power = np.where(heights.any(axis=1), power, 0.0)
    return np.minimum(n_places * np.exp(-np.minimum(power.max(axis=1), 700)), 1.0)
