"""Varian and Agilent experiments: a folder with `fid` and `procpar`, read by nmrglue."""

from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr._regular import regular
from latent_nmr.data.measured.integers import check_integers
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

HEADER, BLOCK_HEADER = 32, 28  # bytes
_COMPLETE = "Copy the whole experiment again: fid and procpar."


def read_varian(folder: Path, options: Options) -> Reading:
    """Read the traces of an experiment."""
    for name in ("fid", "procpar"):
        if not regular(folder / name).is_file():
            raise EchoFileError(folder, f"there must be {name}, but there is none", _COMPLETE)
    varian = library("nmrglue").varian
    parameters = varian.read_procpar(str(folder / "procpar"))
    header, size_steps = _header(folder, varian)
    _, data = varian.read_fid(str(folder / "fid"), as_2d=True)
    data = data.reshape(-1, header["np"] // 2)  # several traces may stand in one block
    if header["ebytes"] == 4 and not header["S_FLOAT"]:
        # nmrglue has put the numbers together in pairs.
        check_integers(folder, _plain(data), can_swap=False)
    dwell = options.dwell or _dwell(folder, parameters, header)
    asked, done = _whole(parameters, "nt"), _whole(parameters, "ct")
    facts = {
        "nucleus": nucleus_named(_text(parameters, "tn")),
        "carrier_frequency": _positive(parameters, "sfrq"),
        "scans_done": done,
        "scans_asked": asked,
    }
    return Reading(
        format="Varian",
        signal=data,
        dwell=dwell,
        domain="spectrum" if header["S_SPEC"] else "time",
        may_doubt=bool(header["S_SPEC"]),
        facts=facts,
        steps=(*size_steps, *interrupted(done or 0, asked or 0)),
    )


def _plain(data: np.ndarray) -> np.ndarray:
    """Whole numbers of 4 bytes again, real parts first."""
    parts = np.concatenate([np.real(data).ravel(), np.imag(data).ravel()])
    return parts.astype(np.int64).astype(np.int32)


def _header(folder: Path, varian: Any) -> tuple[dict[str, Any], tuple[Step, ...]]:
    """The header of `fid`, which says the size of the file in several ways."""
    path = folder / "fid"
    size = path.stat().st_size
    with path.open("rb") as file:
        header = varian.fileheader2dic(varian.get_fileheader(file))
    trace = header["np"] * header["ebytes"]
    block = header["ntraces"] * trace + header["nbheaders"] * BLOCK_HEADER
    counts = {name: header[name] for name in ("nblocks", "ntraces", "np", "nbheaders")}
    is_plain = min(counts.values()) >= 1 and header["ebytes"] in (2, 4) and header["S_DATA"]
    kinds = 4 if header["S_FLOAT"] or header["S_32"] else 2
    if not is_plain or trace != header["tbytes"] or block != header["bbytes"] or header["np"] % 2:
        said = {**counts, **{name: header[name] for name in ("ebytes", "tbytes", "bbytes")}}
        numbers = ", ".join(f"{name} {value}" for name, value in said.items())
        raise EchoFileError(
            folder, f"entries of fid's header must fit, but are {numbers}", _COMPLETE
        )
    if header["ebytes"] != kinds:
        reason = f"numbers of fid must have {kinds} bytes by its status, but have "
        raise EchoFileError(folder, f"{reason}{header['ebytes']}", _COMPLETE)
    whole = HEADER + header["nblocks"] * block
    if size < whole:
        reason = f"fid must have the {whole} bytes that its header says, but has {size}"
        raise EchoFileError(folder, f"{reason}: it is cut short", _COMPLETE)
    if size == whole:
        return header, ()
    if size - whole >= block:
        reason = f"fid must have the {whole} bytes that its header says, but has {size}"
        raise EchoFileError(folder, f"{reason}: there are more blocks", _COMPLETE)
    detail = f"The header says {whole} bytes, but fid has {size}: the rest was left out."
    return header, (Step("longer", detail, {"said": whole, "stored": size}),)


def _dwell(folder: Path, parameters: dict[str, Any], header: dict[str, Any]) -> float | None:
    """Time between samples, µs: of the spectral width, which the acquisition time repeats."""
    width, lasting = _positive(parameters, "sw"), _positive(parameters, "at")
    points = header["np"] // 2
    of_duration = lasting / points if lasting else None
    if width and of_duration and abs(of_duration * width - 1) > max(AGREEMENT, 2 / points):
        raise EchoFileError(
            folder,
            f"sw and at must say the same for {points} points, but say {1e6 / width:g} and "
            f"{1e6 * of_duration:g} µs between samples",
            GIVE_DWELL,
        )
    stated = _whole(parameters, "np")
    if stated is not None and stated != header["np"]:
        raise EchoFileError(
            folder,
            f"np must be the same in procpar and fid, but is {stated} and {header['np']}",
            GIVE_DWELL,
        )
    return 1e6 / width if width else None


def _text(parameters: dict[str, Any], name: str) -> str:
    values = parameters.get(name, {}).get("values", [])
    return str(values[0]) if values else ""


def _positive(parameters: dict[str, Any], name: str) -> float | None:
    """A parameter as a positive number, or None."""
    try:
        number = float(_text(parameters, name))
    except ValueError:
        return None
    return number if np.isfinite(number) and number > 0 else None


def _whole(parameters: dict[str, Any], name: str) -> int | None:
    number = _positive(parameters, name)
    return round(number) if number is not None else None
