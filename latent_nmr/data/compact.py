"""A data set's |M| and labels in one small file: 16-bit fixed point, compressed.

|M| of a mean spin lies in [0, 1/2]; it is kept as a whole number of `STEP` = 1/2 / 65535 = 7.6e-6,
a thousandth of the noise of 10⁴ spins. Neighbouring samples are alike, so that differences along
time, modulo 2¹⁶, compress to a third.
"""

import io
import json
import lzma
import zipfile
from pathlib import Path

import numpy as np
import xarray as xr

from latent_nmr._files import staged_file
from latent_nmr.data.echoes import ALL_LABELS, assemble, check_echoes, magnitude
from latent_nmr.errors import InputError, check_count

SUFFIX = ".npz"
STEP = 0.5 / 65535
COMPACT_FORMAT = "latent_nmr.compact"
COMPACT_VERSION = 1

# What a file that is damaged, or something else, makes its readers raise.
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


def save_compact(dataset: xr.Dataset, path: Path | str) -> None:
    """Write |M|, labels, times and attributes of a data set; equal sets give equal files.

    Parameters
    ----------
    dataset : xarray.Dataset
    path : Path
        Usually ending in `.npz`.

    Raises
    ------
    InputError
        If |M| leaves [0, 1/2] by more than rounding: noise, say, must be added after loading.
    """
    curves = magnitude(check_echoes(dataset)).astype(np.float64)
    largest = float(curves.max())
    if largest > 0.5 + STEP / 2:
        raise InputError(
            f"a compact set must have |M| in [0, 1/2], but it reaches {largest:.6g}. "
            "Save the curves as they were simulated."
        )
    counts = np.minimum(np.round(curves / STEP), 65535).astype(np.uint16)
    arrays = {
        "steps": np.diff(counts, axis=1, prepend=np.uint16(0)),
        "time": dataset["time"].to_numpy(),
        "curve": dataset["curve"].to_numpy(),
        **{name: dataset[name].to_numpy() for name in ALL_LABELS if name in dataset.coords},
    }
    if "kernel" in arrays:  # measured curves have no labels
        arrays["kernel"] = np.array(arrays["kernel"].tolist())
    header = {"format": COMPACT_FORMAT, "version": COMPACT_VERSION, "attrs": dataset.attrs}
    with staged_file(Path(path)) as staging, zipfile.ZipFile(staging, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            _add(archive, f"{name}.npy", content.getvalue())
        _add(archive, "header.json", json.dumps(header, ensure_ascii=False).encode())


def load_compact(path: Path | str, n_curves: int | None = None) -> xr.Dataset:
    """Read a compact set.

    Parameters
    ----------
    path : Path
    n_curves : int, optional
        Use only the first so many.

    Returns
    -------
    xarray.Dataset
        `magnitude` (curve, time), float32, within 3.8e-6 of what was saved, and all labels.

    Raises
    ------
    InputError
        If there is no compact set at `path`, or it has fewer curves.
    """
    path = Path(path)
    if n_curves is not None:
        check_count("n_curves", n_curves)
    if not path.exists():
        raise InputError(
            f"data must be an existing file, but there is nothing at {path}. Make fresh curves "
            "instead, with --simulate N."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            header = json.loads(archive.read("header.json"))
            arrays = {
                Path(name).stem: np.lib.format.read_array(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
                if name.endswith(".npy")
            }
        found = header["format"], header["version"]
        counts = np.cumsum(arrays.pop("steps"), axis=1, dtype=np.uint16)
        time, curve = arrays.pop("time"), arrays.pop("curve")
    except UNREADABLE as error:
        raise InputError(
            f"data must be a compact set, but {path} cannot be read as one "
            f"({type(error).__name__}: {error}). Restore the file."
        ) from error
    if found != (COMPACT_FORMAT, COMPACT_VERSION):
        raise InputError(
            f"data must have the format {COMPACT_FORMAT!r}, version {COMPACT_VERSION}, but {path} "
            f"says {found[0]!r}, version {found[1]!r}. Restore the file."
        )
    if n_curves is not None and n_curves > len(counts):
        raise InputError(
            f"n_curves must be at most the number of curves, but is {n_curves} and {path} has "
            f"{len(counts)}. Ask for fewer, or make fresh curves with --simulate {n_curves}."
        )
    signals = {"magnitude": (STEP * counts[:n_curves]).astype(np.float32)}
    labels = {name: values[:n_curves] for name, values in arrays.items()}
    dataset = assemble(signals, time, labels, header["attrs"])
    return check_echoes(dataset.assign_coords(curve=curve[:n_curves]), str(path))


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a file without its date, strongly compressed."""
    info = zipfile.ZipInfo(name)  # its date is that of the format, 1980
    archive.writestr(info, content, zipfile.ZIP_LZMA)
