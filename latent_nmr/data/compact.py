"""A data set in one small file: signals as 16-bit fixed point, compressed; all else exactly.

Each signal has one step. |M| of a mean spin lies in [0, 1/2] and is kept as a whole number of
`STEP` = 1/2 / 65535 = 7.6e-6, a thousandth of the noise of 10⁴ spins; mx and my carry a sign, and
their step is twice that. A signal that reaches higher, by noise say, or stays much lower has a
step larger or smaller by a power of two: saving what was read changes no bit. Neighbouring
samples are alike, so that differences along time, modulo 2¹⁶, compress to a third.
"""

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._environment import refuse_environment
from latent_nmr._files import staged_file
from latent_nmr.data._contents import check_arrays, check_description, check_read, first_line
from latent_nmr.data._plain import describe, plain, rebuild
from latent_nmr.data._variables import ALL_LABELS, ALL_SIGNALS, LABELS, MAGNITUDE, SIGNALS
from latent_nmr.data.echoes import assemble, check_echoes, magnitude, signal_names
from latent_nmr.errors import InputError, check_choice

STEP = 0.5 / 65535
COMPACT_FORMAT = "latent_nmr.compact"
COMPACT_VERSION = 2
SIGNAL_CHOICES = ("magnitude", "complex")


def save_compact(dataset: xr.Dataset, path: Path | str, signals: str = "magnitude") -> None:
    """Write a data set as one small file; equal sets give equal files.

    Parameters
    ----------
    dataset : xarray.Dataset
    path : Path
        Usually ending in `.npz`.
    signals : {"magnitude", "complex"}
        Keep |M|, or mx and my (and mz where it is there).

    Raises
    ------
    InputError
        If `signals` is "complex" and the data set has |M| only, or a part of the data set has no
        place in a file.
    """
    check_choice("signals", signals, SIGNAL_CHOICES)
    kept = plain(dataset)
    if signals == "complex":
        check_echoes(dataset, both_components=True)
    elif signal_names(kept) != tuple(MAGNITUDE):
        kept = _with_magnitude(kept)
    variables = describe(kept)
    members = {name: variable.to_numpy() for name, variable in kept.variables.items()}
    for name in (*ALL_SIGNALS, *MAGNITUDE):
        if name in members:
            is_signed = name in ALL_SIGNALS
            step, members[name] = _to_steps(members[name], is_signed)
            variables[name]["fixed_point"] = {"step": step, "signed": is_signed}
    with staged_file(Path(path)) as staging, zipfile.ZipFile(staging, "w") as archive:
        for name, array in members.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            _add(archive, f"{name}.npy", content.getvalue())
        header = {
            "format": COMPACT_FORMAT,
            "version": COMPACT_VERSION,
            "attrs": kept.attrs,
            "variables": variables,
            "checksums": {info.filename: info.CRC for info in archive.infolist()},
        }
        _add(archive, "header.json", json.dumps(header, ensure_ascii=False).encode())


def load_compact(path: Path | str) -> xr.Dataset:
    """Read a compact set.

    Returns
    -------
    xarray.Dataset
        `magnitude` (curve, time), or `mx` and `my`, each within half a step of what was saved,
        and everything else as it was saved.

    Raises
    ------
    InputError
        If there is no compact set at `path`.
    """
    path = Path(path)
    try:
        header, members = _read_members(path)
        found = header["format"], header["version"]
        known = [(COMPACT_FORMAT, version) for version in (1, COMPACT_VERSION)]
        if found in known:
            rebuilt = _from_version_1 if found == known[0] else _from_version_2
            dataset = rebuilt(header, members)
    except MemoryError:  # of a machine: files that ask for more than they hold are refused before
        raise
    except Exception as error:  # zipfile, lzma and NumPy raise many kinds for damaged files
        refuse_environment(error)
        raise InputError(
            f"data must be a compact set, but {path} cannot be read as one "
            f"({first_line(error)}). Restore the file."
        ) from error
    if found not in known:
        raise InputError(
            f"data must have the format {COMPACT_FORMAT!r}, version 1 or {COMPACT_VERSION}, but "
            f"{path} says {found[0]!r}, version {found[1]!r}. Restore the file."
        )
    return check_read(dataset, str(path))


def _with_magnitude(kept: xr.Dataset) -> xr.Dataset:
    """Put |M| in place of the components of M."""
    length = magnitude(kept)
    attributes = {"units": "1", "long_name": MAGNITUDE["magnitude"]}
    rest = kept.drop_vars([name for name in ALL_SIGNALS if name in kept.variables])
    dims = kept[next(iter(SIGNALS))].dims
    return rest.assign(magnitude=(dims, length, attributes))


def _to_steps(values: npt.NDArray, is_signed: bool) -> tuple[float, npt.NDArray[np.uint16]]:
    """Return the step of a signal, and the differences along time of its values in steps."""
    exact = values.astype(np.float64)
    n_steps = 32767 if is_signed else 65535
    largest = float(np.abs(exact).max())
    # The power of two that no value exceeds by more than half a step.
    scale = 2.0 ** math.ceil(math.log2(largest / (1 + 0.5 / n_steps))) if largest else 0.5
    step = scale / n_steps
    lowest = -n_steps if is_signed else 0
    counts = np.clip(np.round(exact / step), lowest, n_steps).astype(np.int64)
    return step, np.diff(counts, axis=-1, prepend=0).astype(np.uint16)  # modulo 2¹⁶


def _from_steps(
    name: str, steps: npt.NDArray, step: float, is_signed: bool, dtype: str
) -> npt.NDArray:
    """Undo :func:`_to_steps`."""
    if steps.dtype != np.uint16 or steps.ndim not in (2, 3):
        raise ValueError(f"{name} holds {steps.dtype} of shape {steps.shape}, not steps")
    n_steps = 32767 if is_signed else 65535
    is_number = type(step) is float and 0 < step < math.inf
    if not is_number or 2.0 ** round(math.log2(step * n_steps)) / n_steps != step:
        raise ValueError(f"the step of {name} is {step!r:.40}, which no file of ours has")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"the type of {name} is {dtype}, not float32 or float64")
    counts = np.cumsum(steps, axis=-1, dtype=np.uint16)
    return (step * (counts.view(np.int16) if is_signed else counts)).astype(dtype)


def _read_members(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray]]:
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("header.json"))
        # The archive has a checksum of each member, but not whose it is.
        for name, checksum in header.get("checksums", {}).items():
            if checksum != archive.getinfo(name).CRC:
                raise ValueError(f"{name} is not the one that was written")
        members = {
            name.removesuffix(".npy"): _array(name, archive.read(name))
            for name in archive.namelist()
            if name.endswith(".npy")
        }
    return header, members


def _array(name: str, content: bytes) -> npt.NDArray:
    """The array of a member, whose size is what its header says."""
    stream = io.BytesIO(content)
    np.lib.format.read_magic(stream)
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    n_bytes = len(content) - stream.tell()
    # Objects, which NumPy refuses to read, have no size.
    if math.prod(shape) * dtype.itemsize != n_bytes and not dtype.hasobject:
        raise ValueError(f"{name} has {n_bytes} bytes for the shape {shape} of {dtype}")
    return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)


def _from_version_2(header: dict[str, Any], members: dict[str, npt.NDArray]) -> xr.Dataset:
    check_description(header["variables"], header["attrs"])
    if strange := members.keys() - header["variables"].keys():
        raise ValueError(f"its header says nothing of {min(strange)}")
    for name, about in header["variables"].items():
        if "fixed_point" in about or name in (*ALL_SIGNALS, *MAGNITUDE):
            step, is_signed = (about["fixed_point"][key] for key in ("step", "signed"))
            if is_signed is not (name in ALL_SIGNALS):
                raise ValueError(f"the sign of {name} is not that of such a signal")
            members[name] = _from_steps(name, members[name], step, is_signed, about["dtype"])
    return rebuild(members, header["variables"], header["attrs"])


def _from_version_1(header: dict[str, Any], members: dict[str, npt.NDArray]) -> xr.Dataset:
    """Files of version 0.1.0: |M| in steps of `STEP`, and the labels."""
    signals = {"magnitude": _from_steps("steps", members.pop("steps"), STEP, False, "float32")}
    numbers = {name: "float64" for name in LABELS if name != "kernel"}
    types = {"time": "float64", "curve": "int64", "kernel": "text", **numbers}
    dims = {name: ["time" if name == "time" else "curve"] for name in types}
    check_arrays(
        {**members, **signals},
        {name: {"dims": dims[name], "dtype": types[name]} for name in types}
        | {"magnitude": {"dims": ["curve", "time"], "dtype": "float32"}},
    )
    if strange := members.keys() - {*types, *ALL_LABELS}:
        raise ValueError(f"such a file has no {min(strange)}")
    time, curve = members.pop("time"), members.pop("curve")
    return assemble(signals, time, members, header["attrs"]).assign_coords(curve=curve)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file without its date, strongly compressed."""
    info = zipfile.ZipInfo(name)  # its date is that of the format, 1980
    archive.writestr(info, content, zipfile.ZIP_LZMA)
