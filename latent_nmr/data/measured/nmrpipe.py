"""NMRPipe files of one or two dimensions, read by nmrglue."""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr.data.measured.reading import (
    AGREEMENT,
    GIVE_DWELL,
    Options,
    Reading,
    library,
    nucleus_named,
)
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError

HEADER = 2048  # bytes
# Its third number, in the order of bytes of all others.
_MARK, _MARK_AT = 2.345, 8
_AGAIN = "Convert the raw file again."


def is_nmrpipe(start: bytes) -> bool:
    """Whether the first bytes of a file are those of NMRPipe."""
    if len(start) < _MARK_AT + 4:
        return False
    numbers = [struct.unpack_from(order + "f", start, _MARK_AT)[0] for order in "<>"]
    return any(abs(number - _MARK) < 1e-5 for number in numbers)


def read_nmrpipe(path: Path, options: Options) -> Reading:
    """Read a file; its rows are records."""
    pipe = library("nmrglue").pipe
    raw = path.read_bytes()
    if len(raw) < HEADER or len(raw) % 4:
        reason = f"the header has {HEADER} bytes and numbers have 4, but the file has {len(raw)}"
        raise EchoFileError(path, reason, _AGAIN)
    if struct.unpack_from(">f", raw, _MARK_AT)[0] - _MARK < 1e-5 and not _is_little(raw):
        raw = np.frombuffer(raw, ">f4").astype("<f4").tobytes()
    header = pipe.fdata2dic(pipe.get_fdata(raw))
    _check_dimensions(path, header)
    shape = np.atleast_1d(pipe.find_shape(header)).tolist()
    whole, stored = math.prod(shape), (len(raw) - HEADER) // 4
    if whole != stored:
        reason = f"there must be {whole} numbers as the header says, but there are {stored}"
        raise EchoFileError(path, reason, _AGAIN)
    _, data = pipe.read(raw)
    data = np.atleast_2d(data)
    is_spectrum = header["FDF2FTFLAG"] != 0
    dwell = options.dwell or _dwell(path, header)
    first, steps = 0.0, ()
    if not is_spectrum:
        data, first, steps = _without_filter(path, header, data, dwell)
    acquired = int(header["FDF2TDSIZE"])
    return Reading(
        format="NMRPipe",
        signal=data,
        dwell=dwell,
        first_time=first,
        domain="spectrum" if is_spectrum else "time",
        may_doubt=True,
        acquired=acquired if is_spectrum and 0 < acquired < data.shape[1] else None,
        facts={
            "nucleus": nucleus_named(header["FDF2LABEL"]),
            "carrier_frequency": header["FDF2OBS"] if 0 < header["FDF2OBS"] < 1e5 else None,
        },
        steps=steps,
    )


def _is_little(raw: bytes) -> bool:
    return abs(struct.unpack_from("<f", raw, _MARK_AT)[0] - _MARK) < 1e-5


def _check_dimensions(path: Path, header: dict[str, Any]) -> None:
    """Refuse more than rows of records, and rows that were transformed."""
    numbers = [value for value in header.values() if isinstance(value, float)]
    sizes = [header[name] for name in ("FDSIZE", "FDSPECNUM")]
    if not np.isfinite(numbers).all() or any(s != int(s) or not 0 < s < 2**31 for s in sizes):
        raise EchoFileError(path, f"sizes must be whole numbers, but are {sizes}", _AGAIN)
    if header["FDDIMCOUNT"] not in (1, 2) or header["FDTRANSPOSED"] != 0:
        reason = (
            "there must be one or two dimensions, not transposed, but there are "
            f"{header['FDDIMCOUNT']:g}, transposed {header['FDTRANSPOSED']:g}"
        )
        raise EchoFileError(path, reason, _AGAIN)
    if header["FDDIMCOUNT"] == 2 and header["FDF1FTFLAG"] != 0:
        reason = "rows must be records, but the second dimension was transformed"
        raise EchoFileError(path, reason, "Give the file before its second transform.")


def _dwell(path: Path, header: dict[str, Any]) -> float | None:
    """Time between samples, µs: of the spectral width, which the position of the origin repeats."""
    width, size = header["FDF2SW"], header["FDSIZE"]
    offset = header["FDF2CAR"] * header["FDF2OBS"] - header["FDF2ORIG"]
    part = (size - header["FDF2CENTER"]) / size
    if not width > 0:
        return None
    if offset > 0 and part > 0 and abs(offset / part - width) > AGREEMENT * width:
        raise EchoFileError(
            path,
            f"the spectral width must fit the origin of the axis, but is {width:g} Hz and by that "
            f"{offset / part:g} Hz",
            GIVE_DWELL,
        )
    return 1e6 / width


def _without_filter(
    path: Path, header: dict[str, Any], data: np.ndarray, dwell: float | None
) -> tuple[np.ndarray, float, tuple[Step, ...]]:
    """Samples from the pulse on, where a digital filter's delay is noted and not yet taken off."""
    delay, flag = header["FDDMXVAL"], header["FDDMXFLAG"]
    if delay >= 1 and flag not in (-1, 0, 1):
        reason = f"FDDMXFLAG must be -1, 0 or 1 beside a delay of {delay:g} points, but is {flag:g}"
        raise EchoFileError(path, reason, _AGAIN)
    if delay < 1 or flag == 1 or dwell is None:
        return data, 0.0, ()
    dropped = math.ceil(delay)
    if 2 * dropped > data.shape[1]:
        reason = f"the digital filter's delay must be well within a record, but is {delay:g} points"
        raise EchoFileError(path, reason, _AGAIN)
    detail = f"Left out the first {dropped} points: the digital filter delays by {delay:g} points."
    values = {"points": dropped, "delay": delay, "microseconds": delay * dwell}
    return data[:, dropped:], (dropped - delay) * dwell, (Step("digital_filter", detail, values),)
