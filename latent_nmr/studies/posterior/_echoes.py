"""One echo as a posterior takes it: its row, how it was measured, and the verdict on it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr._letters import path_text
from latent_nmr.data.echoes import check_dataset, check_echoes, check_frame
from latent_nmr.errors import EchoFileError, InputError, check_count, check_number
from latent_nmr.models.posterior.receiver import RECORD, SNR_RANGES, SPECTROMETER
from latent_nmr.shipped import named_or_path
from latent_nmr.studies.posterior._asked import Asked
from latent_nmr.studies.posterior._correction import Correction
from latent_nmr.studies.posterior._data import ANGLES, check_times, flip_angles
from latent_nmr.studies.posterior.models import as_posterior

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

FloatArray = npt.NDArray[np.float64]

# Models of the package, by what they take.
NAMES = {RECORD: "posterior", SPECTROMETER: "posterior-echo"}
# Attributes that say what to simulate.
SEQUENCE = ("pulse_samples", "dt_us", "fwhm_MHz", "cutoff_MHz")
OUTSIDE, UNTESTED = "OUTSIDE", "UNTESTED"
# `measure` compares with echoes after pulses of 90°, and these are like them.
TESTED_ANGLES = (85.0, 95.0)
# Of differences of fourth order, whose response at the edge of the line is under a hundredth.
DIFFERENCES, MAD = (1, -4, 6, -4, 1), 1.4826


@dataclass(frozen=True, eq=False)
class Echo(Asked):
    """An echo and what is known of its measurement.

    Attributes
    ----------
    name : str
    model : EchoPosterior
    row : ndarray of float32, shape (1, n_features)
    flip_angle_deg, snr : float
    phase : bool
        Whether it is trusted.
    verdict, reason : str
        Of :func:`latent_nmr.measure`; UNTESTED where it knows no such echoes.
    time : ndarray, shape (n_samples,)
        µs of the record.
    measured : ndarray, shape (n_samples,)
        |M| over |M(0)|, or scaled to the model.
    time_factor : float
        What frequencies of the model are multiplied by to be those of the sample.
    facts : mapping
    correction : Correction, optional
        What puts intervals of its posterior right.
    """

    name: str
    model: "EchoPosterior"
    row: npt.NDArray[np.float32]
    flip_angle_deg: float
    snr: float
    phase: bool
    verdict: str
    reason: str
    time: FloatArray
    measured: FloatArray
    time_factor: float = 1.0
    facts: Mapping[str, Any] = field(default_factory=dict)
    correction: Correction | None = None


@dataclass(frozen=True)
class Settings:
    """What is said of an echo; see :func:`latent_nmr.infer`."""

    model: Any
    flip_angle_deg: float | None
    snr: float | None
    phase: bool
    curve: int
    measuring: Mapping[str, Any]
    seed: int


def open_all(given: Any, settings: Settings) -> list[Echo]:
    """Echoes from a path, a data set of echoes, or what `open_measurement` gives.

    A data set with several protocols has an echo of the material for each.
    """
    from latent_nmr.data.protocols import each_protocol, has_protocols

    opened, name = given, path_text(given) if isinstance(given, str | Path) else "data set"
    if isinstance(given, str | Path):
        opened = _opened(given, settings)
    check_dataset(opened, "an echo")
    if "mx" not in opened.variables:
        return [_of_measurement(opened, name, settings)]
    opened = check_frame(opened, name)
    parts = each_protocol(opened) if has_protocols(opened) else [opened]
    return [_of_data_set(part, name, settings) for part in parts]


def _opened(path: Path | str, settings: Settings) -> "xr.Dataset":
    """A data set of echoes, or else a measurement."""
    from latent_nmr.data.io import open_echoes
    from latent_nmr.data.measured.opening import checked_opening, open_measurement

    opening: Any = checked_opening(settings.measuring.get("opening"))
    try:
        return open_echoes(path)
    except InputError as no_echoes:
        try:
            return open_measurement(path, **opening)
        except EchoFileError as error:
            is_store = Path(path).suffix in (".zarr", ".nc")
            raise (no_echoes if is_store else error) from error


def _of_data_set(dataset: "xr.Dataset", name: str, settings: Settings) -> Echo:
    """One curve of a data set of echoes: a whole record."""
    from latent_nmr.data.record_rows import BLOCK, record_rows

    model, correction = _model(settings, RECORD)
    check_count("curve", settings.curve, at_least=0, at_most=dataset.sizes["curve"] - 1)
    dataset = check_echoes(dataset.isel(curve=[settings.curve]), name, both_components=True)
    check_times(model, dataset)
    angle = settings.flip_angle_deg
    angle = float(flip_angles(dataset)[0]) if angle is None else angle
    signal = dataset.mx.to_numpy()[0] + 1j * dataset.my.to_numpy()[0]
    snr = settings.snr
    if snr is None:
        noise = noise_of(signal) / math.sqrt(BLOCK)
        snr = abs(signal[0]) / noise if noise else math.inf
    time = dataset["time"].to_numpy().astype(np.float64)
    verdict, reason = _verdict(signal, time, dataset, angle, settings)
    return Echo(
        f"{name}, curve {int(dataset['curve'][0])}",
        model,
        record_rows(dataset),
        _checked_angle(model, angle),
        _checked_snr(RECORD, snr),
        settings.phase,
        verdict,
        reason,
        time,
        np.abs(signal) / abs(signal[0]),
        facts={name: dataset.attrs[name] for name in SEQUENCE if name in dataset.attrs},
        correction=correction,
    )


def _verdict(
    signal: npt.NDArray[np.complexfloating],
    time: FloatArray,
    dataset: "xr.Dataset",
    angle: float,
    settings: Settings,
) -> tuple[str, str]:
    """What `measure` says of a curve."""
    import xarray as xr

    from latent_nmr.studies.measurement import measure

    low, high = TESTED_ANGLES
    if not low <= angle <= high:
        return UNTESTED, f"Verdicts are of echoes after 90° alone; this one is after {angle:.4g}°."
    echo_time = float(time[int(dataset.attrs["echo_index"])])
    signals = {"signal": (("record", "time"), signal[None].astype(np.complex128))}
    record = xr.Dataset(signals, {"record": [0], "time": time})
    result = measure(
        record,
        pulse_separation=echo_time / 2,
        echo_time=echo_time,
        carrier=None,
        seed=settings.seed,
        progress=False,
    )
    found = result.files[0].records[0]
    return found.verdict, found.reason


def _of_measurement(opened: "xr.Dataset", name: str, settings: Settings) -> Echo:
    """One record of a measured file: |M| about the top of its echo."""
    from latent_nmr.studies.measurement import measure

    model, correction = _model(settings, SPECTROMETER)
    how = {key: value for key, value in settings.measuring.items() if key != "opening"}
    result = measure(opened, **how, seed=settings.seed, progress=False)
    (file,) = result.files
    check_count("curve", settings.curve, at_least=0, at_most=len(file.records) - 1)
    found = file.records[settings.curve]
    angle = 90.0 if settings.flip_angle_deg is None else settings.flip_angle_deg
    verdict, reason = found.verdict, found.reason
    if verdict in ("NO ECHO", "TOO NOISY"):
        raise InputError(
            f"an echo must stand out of the noise to say anything, but of {name} the verdict is "
            f"{verdict}. {reason}"
        )
    low, high = TESTED_ANGLES
    if not low <= angle <= high:
        verdict = UNTESTED
        reason = f"Verdicts are of echoes after 90° alone; this one is after {angle:.4g}°."
    row = np.nan_to_num(np.minimum(found.measured, 1)).astype(np.float32)[None]
    return Echo(
        f"{name}, record {found.record}",
        model,
        row,
        _checked_angle(model, angle),
        _checked_snr(SPECTROMETER, found.snr if settings.snr is None else settings.snr),
        False,
        verdict,
        reason,
        np.asarray(found.time / file.time_factor, np.float64),
        np.asarray(found.measured, np.float64),
        file.time_factor,
        dict(file.facts),
        correction,
    )


def noise_of(signal: npt.NDArray[np.complexfloating]) -> float:
    """Standard deviation of white noise in one channel of one sample, beyond the line's band."""
    both = [np.convolve(part, DIFFERENCES, mode="valid") for part in (signal.real, signal.imag)]
    gain = float(np.sqrt(np.sum(np.square(DIFFERENCES))))
    return MAD * float(np.median(np.abs(np.concatenate(both)))) / gain


def _model(settings: Settings, receiver: str) -> "tuple[EchoPosterior, Correction | None]":
    """The posterior, and what its folder holds to put intervals right."""
    given = NAMES[receiver] if settings.model is None else settings.model
    model = as_posterior(given)
    if model.shape_.receiver != receiver:
        what = "whole records" if receiver == RECORD else "measured echoes"
        raise InputError(
            f"model must be a posterior of {what} for this echo, receiver {receiver!r}, but has "
            f"{model.shape_.receiver!r}. Leave it out, or give one trained on such rows."
        )
    is_path = isinstance(given, str | Path)
    return model, Correction.load(named_or_path("models", given)) if is_path else None


def _checked_angle(model: "EchoPosterior", angle: float) -> float:
    low, high = model.metadata_.get(ANGLES, (0.1, 180.0))
    # Drawn angles do not reach quite to the ends of their range.
    return check_number(
        "flip_angle_deg", angle, at_least=math.floor(low), at_most=math.ceil(high), unit="°"
    )


def _checked_snr(receiver: str, snr: float) -> float:
    low, high = SNR_RANGES[receiver]
    cure = "Average more scans: with this noise the model was not trained."
    return check_number("snr", min(float(snr), high), at_least=low, cure=cure)
