"""Open a measured file of any format: `open_measurement`."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TypeVar

import xarray as xr

from latent_nmr._regular import regular
from latent_nmr._times import MICROSECONDS
from latent_nmr.data.measured.arrays import read_npz
from latent_nmr.data.measured.bruker import read_bruker
from latent_nmr.data.measured.csdm import read_csdm
from latent_nmr.data.measured.nmrpipe import is_nmrpipe, read_nmrpipe
from latent_nmr.data.measured.nqr import read_nqr
from latent_nmr.data.measured.reading import (
    LONGEST_DWELL,
    SHORTEST_DWELL,
    Domain,
    Options,
    Reading,
    library,
)
from latent_nmr.data.measured.record import assemble
from latent_nmr.data.measured.text import COLUMNS, read_text
from latent_nmr.data.measured.tnt import MAGIC, read_tnt
from latent_nmr.data.measured.varian import read_varian
from latent_nmr.errors import EchoFileError, InputError, check_choice, check_count, check_number

T = TypeVar("T")

READERS: dict[str, Callable[[Path, Options], Reading]] = {
    "TNT": read_tnt,
    "Bruker": read_bruker,
    "Varian": read_varian,
    "NMRPipe": read_nmrpipe,
    "CSDM": read_csdm,
    "NQR JSON": read_nqr,
    "npz": read_npz,
    "text": read_text,
}
_LIBRARIES = dict.fromkeys(("TNT", "Bruker", "Varian", "NMRPipe"), "nmrglue") | {"CSDM": "csdmpy"}
# Suffixes whose files are damaged where their content is no such thing.
_SUFFIXES = {".tnt": "TNT", ".csdf": "CSDM", ".csdfe": "CSDM", ".npz": "npz"}
_SUPPORTED = (
    "Give a Tecmag TNT, Bruker, Varian, NMRPipe or CSDM file, JSON with tdx and tdy, npz, or a "
    "table as text."
)


def open_measurement(
    path: Path | str,
    *,
    dwell: float | None = None,
    columns: Sequence[str] | None = None,
    time_unit: str | None = None,
    points_per_record: int | None = None,
    domain: Domain | None = None,
    pulse_separation: float | None = None,
    echo_time: float | None = None,
) -> xr.Dataset:
    """Read measured echoes from a spectrometer's file.

    The format is recognised by the content: Tecmag TNT, Bruker TopSpin (folder), Varian and
    Agilent (folder), NMRPipe, CSDM, the JSON of open NQR spectrometers, npz, and tables as text.
    What files are known to say wrongly is held against their data; whatever was found and done
    stands in `attrs["steps"]`. The first five need the extra ``nmr``.

    Parameters
    ----------
    path : path-like
        File or folder.
    dwell : float, optional
        Time between samples, µs, in place of what the file says.
    columns : sequence of str, optional
        What the columns of a table hold: ``"time"``, ``"real"``, ``"imaginary"``,
        ``"magnitude"``, or ``"-"`` for one to leave out; by default its header says it.
    time_unit : {"ns", "µs", "ms", "s"}, optional
        Unit of the times in a table or an archive that does not say it.
    points_per_record : int, optional
        Samples of one echo, for a train of echoes stored one behind another.
    domain : {"time", "spectrum"}, optional
        What the data are, in place of what the file and the data themselves say.
    pulse_separation : float, optional
        τ between the pulses, µs, in place of what the file says.
    echo_time : float, optional
        Where the echo is due on the axis of time of the records, µs.

    Returns
    -------
    xarray.Dataset
        `signal` (record, time), complex, in the file's own unit; `time` in µs, from 0 at the
        first sample unless the file says otherwise. Attributes `format`, `path`, `steps`, and
        where they are known `nucleus`, `carrier_frequency` and `intermediate_frequency` (MHz),
        `scans_done`, `scans_asked`, `pulse_separation` and `echo_time` (µs), and `signal_kind`
        ("magnitude" or "real") of records that are not complex.

    Raises
    ------
    EchoFileError
        If the file is damaged, or holds nothing that can be used as echoes.
    InputError
        If another argument is wrong, or a package that reads the format is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> time = 0.5 * np.arange(200)
    >>> echo = np.exp(-(((time - 40) / 10) ** 2)) * np.exp(0.3j)
    >>> np.savetxt("echo.txt", np.c_[time, echo.real, echo.imag], header="time/us real imaginary")
    >>> measured = ln.open_measurement("echo.txt")
    >>> dict(measured.sizes)
    {'record': 1, 'time': 200}
    >>> print(measured.attrs["steps"][0]["detail"])
    Read text: 1 record of 200 points, 0.5 µs apart, from 0 µs.
    """
    options = _checked(dwell, columns, time_unit, points_per_record)
    if domain is not None:
        check_choice("domain", domain, ("time", "spectrum"))
        options = replace(options, domain=domain)
    stated = {"pulse_separation": pulse_separation, "echo_time": echo_time}
    if pulse_separation is not None:
        stated["pulse_separation"] = check_number(
            "pulse_separation", pulse_separation, above=0, unit="µs"
        )
    if echo_time is not None:
        stated["echo_time"] = check_number("echo_time", echo_time, unit="µs")
    given = Path(path)
    kind, place = _guarded(given, "a file or folder", lambda: _recognise(given))
    for name in _LIBRARIES.get(kind, "").split():
        library(name)
    dataset = _guarded(given, kind, lambda: assemble(given, _read(kind, place, options), options))
    return dataset.assign_attrs({k: v for k, v in stated.items() if v is not None})


def checked_opening(opening: object) -> dict[str, object]:
    """Arguments of :func:`open_measurement`, by name, as a study hands them on."""
    known = signature(open_measurement).parameters.keys() - {"path"}
    if opening is None:
        return {}
    if not isinstance(opening, Mapping) or not opening.keys() <= known:
        raise InputError(
            f"opening must map names of {', '.join(sorted(known))} to values, but is "
            f"{opening!r:.80}. Leave out what open_measurement does not take."
        )
    return dict(opening)


def _checked(
    dwell: float | None,
    columns: Sequence[str] | None,
    time_unit: str | None,
    points_per_record: int | None,
) -> Options:
    """Arguments of the call, each by its own rule."""
    options = Options()
    if dwell is not None:
        dwell = check_number(
            "dwell", dwell, at_least=SHORTEST_DWELL, at_most=LONGEST_DWELL, unit="µs"
        )
        options = replace(options, dwell=dwell)
    if columns is not None:
        names = [columns] if isinstance(columns, str) else columns
        names = tuple(check_choice("columns", name, COLUMNS) for name in names)
        options = replace(options, columns=names)
    if time_unit is not None:
        options = replace(options, time_unit=check_choice("time_unit", time_unit, MICROSECONDS))
    if points_per_record is not None:
        count = check_count("points_per_record", points_per_record, at_least=8)
        options = replace(options, points_per_record=count)
    return options


def _guarded(path: Path, kind: str, read: Callable[[], T]) -> T:
    """Call `read`; whatever a damaged file makes libraries raise becomes an `EchoFileError`."""
    try:
        return read()
    except EchoFileError as error:
        raise EchoFileError(path, error.reason, error.cure) from error
    except InputError as error:  # a pipe or a device
        raise EchoFileError(path, str(error).removeprefix(f"{path} "), "") from error
    except OSError as error:
        reason = f"it must be readable, but is not ({error.strerror or error})"
        raise EchoFileError(path, reason, "Check its permissions and its name.") from error
    except Exception as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")
        raise EchoFileError(
            path,
            f"it must be readable as {kind}, but is not ({what:.120})",
            "The file is damaged or cut short. Copy or export it again.",
        ) from error


def _read(kind: str, place: Path, options: Options) -> Reading:
    """Read, without what libraries say on the way: it is checked here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return READERS[kind](place, options)


def _recognise(path: Path) -> tuple[str, Path]:
    """Format of what is at `path`, and the file or folder to read."""
    if not regular(path).exists():
        reason = "it must be a file or a folder, but there is nothing"
        raise EchoFileError(path, reason, "Check the folder and the file's name.")
    if path.is_dir():
        return _recognise_folder(path), path
    if path.name in ("fid", "ser", "acqus", "procpar"):
        return _recognise_folder(path.parent), path.parent
    with path.open("rb") as file:
        start = file.read(4096)
    kind = _of_content(path, start)
    expected = _SUFFIXES.get(path.suffix.lower())
    if expected is not None and kind != expected:
        raise EchoFileError(
            path,
            f"a file {path.suffix} must begin as {expected}, but begins with {start[:8]!r}",
            "The file is damaged, or of another kind. Copy or export it again.",
        )
    if kind is None:
        reason = f"its format must be one of those known, but it begins with {start[:8]!r}"
        raise EchoFileError(path, reason, _SUPPORTED)
    return kind, path


def _recognise_folder(folder: Path) -> str:
    """Format of an experiment that is a folder."""
    names = {entry.name for entry in folder.iterdir()}
    if "procpar" in names:
        return "Varian"
    if "acqus" in names:
        return "Bruker"
    if names & {"fid", "ser"}:
        reason = "there must be acqus (Bruker) or procpar (Varian) beside fid, but there is neither"
        raise EchoFileError(folder, reason, "Copy the whole experiment again.")
    if names & {"1r", "2rr", "procs"}:
        reason = "it must hold records in time, but holds a processed spectrum"
        raise EchoFileError(folder, reason, "Give the folder of the raw experiment, with fid.")
    inside = sorted(name for name in names if (folder / name / "acqus").is_file())
    if inside:
        reason = f"it must be one experiment, but holds {len(inside)}: {', '.join(inside):.60}"
        raise EchoFileError(folder, reason, f"Give one of them: {folder / inside[0]}")
    reason = "a folder must hold acqus or procpar, but holds neither"
    raise EchoFileError(folder, reason, _SUPPORTED)


def _of_content(path: Path, start: bytes) -> str | None:
    """Format of a file by its first bytes; None for one that is not known."""
    if not start:
        raise EchoFileError(path, "the file must not be empty, but is", "Copy it again.")
    if start.startswith(MAGIC):
        return "TNT"
    if start.startswith(b"PK\x03\x04"):
        return "npz"
    if is_nmrpipe(start):
        return "NMRPipe"
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        content = json.loads(path.read_text("utf-8-sig"))
        if isinstance(content, dict) and "csdm" in content:
            return "CSDM"
        if isinstance(content, dict) and {"tdx", "tdy"} <= content.keys():
            return "NQR JSON"
        return None
    is_binary = b"\0" in start or sum(c < 9 or 13 < c < 32 for c in start) > 0
    return None if is_binary else "text"
