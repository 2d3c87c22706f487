"""Tecmag TNT files, read by nmrglue; the header says most numbers twice, and both are compared."""

from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr.data.measured.reading import (
    AGREEMENT,
    GIVE_DWELL,
    Options,
    Reading,
    interrupted,
    library,
    nucleus_named,
)
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError

MAGIC = b"TNT1."


def read_tnt(path: Path, options: Options) -> Reading:
    """Read a TNT file; a train keeps its flat form here."""
    header, data = library("nmrglue").tecmag.read(str(path))
    data = np.array(data)  # off the file
    if int(header["fft_flag"][1]) and data.shape[1] > 1:
        raise EchoFileError(
            path,
            "rows must be records, but the second dimension was transformed "
            f"(fft_flag {header['fft_flag'].tolist()})",
            "Save the file before its second transform.",
        )
    dwell, dwell_steps = _dwell(path, header, options)
    acquired, acquired_steps = _acquired(path, header, dwell, data.shape[0], options)
    asked, done = int(header["scans"]), int(header["actual_scans"])
    facts = {
        "nucleus": nucleus_named(header["nuclei"][0].decode("latin-1")),
        "carrier_frequency": _carrier(header),
        "scans_done": done if done > 0 else None,
        "scans_asked": asked if asked > 0 else None,
    }
    return Reading(
        format="TNT",
        signal=data.reshape(data.shape[0], -1, order="F").T,
        dwell=dwell,
        domain="spectrum" if int(header["fft_flag"][0]) else "time",
        may_doubt=True,
        acquired=acquired,
        facts=facts,
        steps=(*interrupted(done, asked), *dwell_steps, *acquired_steps),
    )


def _agree(a: float, b: float) -> bool:
    return bool(np.isfinite(a) and np.isfinite(b) and abs(a - b) <= AGREEMENT * abs(b))


def _dwell(
    path: Path, header: dict[str, Any], options: Options
) -> tuple[float | None, tuple[Step, ...]]:
    """Time between samples (µs): two of three entries must agree, or one must stand alone."""
    if options.dwell is not None:
        return options.dwell, ()
    stated, width = 1e6 * float(header["dwell"][0]), float(header["sw"][0])
    points = int(header["acq_points"])
    # The spectral width of the header is half of 1/dwell.
    of_width = 0.5e6 / width if np.isfinite(width) and width > 0 else np.nan
    lasting = 1e6 * float(header["acq_time"])
    of_duration = lasting / points if points > 0 and lasting > 0 else np.nan
    others = {"sw": of_width, "acq_time": of_duration}
    odd = [name for name, other in others.items() if not _agree(other, stated)]
    if len(odd) < len(others) or not np.isfinite([of_width, of_duration]).any():
        if not odd or not np.isfinite(others[odd[0]]):
            return stated, ()
        detail = f"The header's {odd[0]} does not fit its dwell time of {stated:g} µs, "
        detail += "with which the other entry agrees."
        return stated, (Step("header", detail, {"entry": odd[0], "dwell": stated}),)
    raise EchoFileError(
        path,
        f"dwell, sw and acq_time must say the same, but say {stated:g}, {of_width:g} and "
        f"{of_duration:g} µs between samples",
        GIVE_DWELL,
    )


def _acquired(
    path: Path, header: dict[str, Any], dwell: float | None, n_points: int, options: Options
) -> tuple[int | None, tuple[Step, ...]]:
    """Points of one acquisition, where the header says it without contradiction."""
    points = int(header["acq_points"])
    lasting = 1e6 * float(header["acq_time"])
    if options.points_per_record is not None or points == n_points:
        return None, ()
    of_duration = round(lasting / dwell) if dwell and 0 < lasting < 1e15 else 0
    if of_duration in (points, 0) and points > 0:
        if points < n_points:
            return points, ()
        detail = f"The header says that {points} points were acquired, but {n_points} are stored."
        return None, (Step("shorter", detail, {"acquired": points, "stored": n_points}),)
    if of_duration == n_points or points > n_points:
        detail = f"The header's acq_points of {points} was not used: {n_points} points are stored."
        return None, (Step("header", detail, {"entry": "acq_points", "stored": n_points}),)
    raise EchoFileError(
        path,
        f"acq_points and acq_time must say the same, but say {points} and {of_duration} points "
        f"for {n_points} that are stored",
        "State how many points an echo has: points_per_record=….",
    )


def _carrier(header: dict[str, Any]) -> float | None:
    """Frequency of the observed channel, MHz."""
    frequencies = np.asarray(header["ob_freq"], float)
    channel = int(header["obs_channel"])
    for number in (channel - 1, 0):
        if 0 <= number < len(frequencies) and 0 < frequencies[number] < 1e5:
            return float(frequencies[number])
    return None
