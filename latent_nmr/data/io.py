"""Echo data sets in and out, whatever the format: `open_echoes` and `save_echoes`."""

from collections.abc import Callable
from pathlib import Path

import xarray as xr

from latent_nmr.data._contents import check_read
from latent_nmr.data._csv import write_csv
from latent_nmr.data._csv_reading import read_csv
from latent_nmr.data._netcdf import read_netcdf, write_netcdf
from latent_nmr.data._recognise import SUFFIXES, recognise
from latent_nmr.data._saved_store import read_saved_store, write_store
from latent_nmr.data._variables import MAGNITUDE
from latent_nmr.data.challenge_files import challenge_parts, open_challenge
from latent_nmr.data.compact import load_compact, save_compact
from latent_nmr.data.echoes import check_echoes, signal_names
from latent_nmr.data.lattice_code import open_lattice_code
from latent_nmr.data.reading import (
    SAVED_MARK,
    HeldEchoes,
    StoredEchoes,
    open_any_group,
)
from latent_nmr.errors import InputError, check_count
from latent_nmr.shipped import named_or_path


def open_echoes(path: Path | str, n_curves: int | None = None) -> xr.Dataset:
    """Read an echo data set into memory, whatever its format.

    The format is recognised by the content of the file or folder, or else by its suffix:

    - a zarr store, made by `latent-nmr simulate` (finished curves only) or :func:`save_echoes`;
    - a compact set, `.npz`, the format of the reference sets;
    - NetCDF 3, `.nc`, and tables, `.csv`, made by :func:`save_echoes`;
    - a folder with the files of one edition of the ML4SCI challenge, see :func:`open_challenge`;
    - a folder with output of the lattice code, see :func:`open_lattice_code`.

    Parameters
    ----------
    path : path-like
        File or folder; or ``"reference"``, the set that comes with the package, unless something
        of that name is in the working directory.
    n_curves : int, optional
        Number of curves to read, from the first; all by default.

    Returns
    -------
    xarray.Dataset
        `mx`, `my` (curve, time), or `magnitude`, dimensionless; `time` in µs; the labels of each
        curve, text as fixed-width Unicode; attributes. The coordinate `curve` of a store that was
        simulated holds each curve's index in it.

    Raises
    ------
    InputError
        If there is no data set at `path`, it has fewer curves, or a signal is not finite.

    See Also
    --------
    save_echoes : Write a data set.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ln.save_echoes(ln.simulate("paper", 3, n_edge=8), "echoes.nc")
    >>> dataset = ln.open_echoes("echoes.nc", n_curves=2)
    >>> dict(dataset.sizes)
    {'curve': 2, 'time': 1882}
    >>> dataset.kernel.values.tolist()
    ['gaussian', 'power']
    """
    opened = open_blocks(path, n_curves)
    return opened.rows(0, opened.n_curves)


def open_blocks(path: Path | str, n_curves: int | None = None) -> StoredEchoes | HeldEchoes:
    """Open a data set for reading in blocks of curves; only simulated stores are streamed."""
    path = named_or_path("data", path)
    if n_curves is not None:
        check_count("n_curves", n_curves)
    kind = recognise(path)
    if kind == "zarr" and SAVED_MARK not in open_any_group(path).attrs:
        return StoredEchoes(path, n_curves)
    dataset = READERS[kind](path)
    n_available = dataset.sizes["curve"]
    if n_curves is not None and n_curves > n_available:
        raise InputError(
            f"n_curves must be at most the number of curves, but is {n_curves} and {path} has "
            f"{n_available}. Ask for fewer, or simulate more."
        )
    return HeldEchoes(dataset.isel(curve=slice(n_curves)))


def save_echoes(
    dataset: xr.Dataset,
    path: Path | str,
    *,
    overwrite: bool = False,
    signals: str | None = None,
) -> None:
    """Write an echo data set in the format that the suffix of `path` names.

    `.zarr`, `.nc` (NetCDF 3) and `.csv` keep every value, type, label and attribute exactly;
    `.npz`, the compact format, rounds the signals to 16 bits (once: saving what was read from it
    changes nothing) and keeps all else exactly. Tuples and arrays among the attributes come back
    as lists. A data set that has something for which its format has no place is refused.
    The file or folder appears when it is complete.

    Parameters
    ----------
    dataset : xarray.Dataset
        `mx`, `my` (curve, time), or `magnitude`; `time`; the attribute `echo_index`; any labels.
    path : path-like
        File or folder to write, ending in `.zarr`, `.nc`, `.csv` or `.npz`.
    overwrite : bool
        Replace a data set that is at `path`.
    signals : {"complex", "magnitude"}, optional
        For `.npz` only: keep mx and my, or |M| alone, which takes half the room. By default what
        the data set has.

    Raises
    ------
    InputError
        If the suffix is another, `path` exists, or the data set cannot be kept as it is.

    See Also
    --------
    open_echoes : Read a data set.
    save_challenge : Write the files of the ML4SCI challenge.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> dataset = ln.add_noise(ln.simulate("paper", 2, n_edge=8), snr=50, seed=1)
    >>> dataset = dataset.assign_coords(sample=("curve", ["A", "B"]))
    >>> ln.save_echoes(dataset, "noisy.zarr")
    >>> ln.open_echoes("noisy.zarr").identical(dataset)
    True
    """
    path = Path(path)
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise InputError(
            f"path must end in one of {', '.join(SUFFIXES)}, but is {str(path)!r}. Choose the "
            "suffix of the format that you want."
        )
    if signals is not None and kind != "compact":
        raise InputError(
            f"signals must be left out but for .npz, but is {signals!r} for {path}. Other formats "
            "keep the signals that there are."
        )
    _check_target(path, kind, overwrite)
    if kind == "compact":
        check_echoes(dataset)
        only_length = signal_names(dataset) == tuple(MAGNITUDE)
        save_compact(dataset, path, signals or ("magnitude" if only_length else "complex"))
    else:
        WRITERS[kind](dataset, path)


def _check_target(path: Path, kind: str, overwrite: bool) -> None:
    """Refuse to replace what is there, unless that is wanted and it is a data set of that kind."""
    if not path.exists():
        return
    if not overwrite:
        raise InputError(
            f"path must be new, but there is something at {path}. Choose another, or pass "
            "overwrite=True."
        )
    is_store = path.is_dir() and (path / "zarr.json").is_file()
    if is_store if kind == "zarr" else path.is_file():
        return
    raise InputError(
        f"path must hold a data set to be overwritten, but {path} is "
        f"{'a folder' if path.is_dir() else 'a file'} of another kind. Choose another path."
    )


def _read_challenge_folder(folder: Path) -> xr.Dataset:
    """Read the edition that a folder holds: its model part, or the eval part where that is all."""
    found = challenge_parts(folder)
    part = found[0][1]
    kinds = [kind for kind, kind_part in found if kind_part == part]
    if len(kinds) > 1:
        raise InputError(
            f"{folder} must hold the files of one edition, but holds those of "
            f"{' and '.join(kinds)}. Choose with ln.open_challenge(folder, kind={kinds[0]!r})."
        )
    return check_read(open_challenge(folder, kinds[0], part), str(folder))


READERS: dict[str, Callable[[Path], xr.Dataset]] = {
    "zarr": lambda path: read_saved_store(path, open_any_group(path)),
    "compact": load_compact,
    "netcdf": read_netcdf,
    "csv": read_csv,
    "challenge": _read_challenge_folder,
    "lattice code": lambda path: check_read(open_lattice_code(path), str(path)),
}
WRITERS: dict[str, Callable[[xr.Dataset, Path], None]] = {
    "zarr": write_store,
    "netcdf": write_netcdf,
    "csv": write_csv,
}
