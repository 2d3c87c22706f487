"""Echo data sets in and out, whatever the format: `open_echoes` and `save_echoes`."""

from pathlib import Path

import xarray as xr

from latent_nmr.data.compact import SUFFIX, load_compact, save_compact
from latent_nmr.data.formats import read_csv, write_csv, write_netcdf
from latent_nmr.data.reading import StoredEchoes
from latent_nmr.errors import InputError

WRITERS = {".npz": save_compact, ".csv": write_csv, ".nc": write_netcdf}


def open_echoes(path: Path | str, n_curves: int | None = None) -> xr.Dataset:
    """Read an echo data set into memory.

    Parameters
    ----------
    path : path-like
        Folder of a zarr store, a compact set (`.npz`) or a table (`.csv`).
    n_curves : int, optional
        Number of curves to read, from the first.

    Returns
    -------
    xarray.Dataset
        In memory, checked; `curve` holds each curve's index in the store.

    Raises
    ------
    InputError
        If there is no data set of ours, it has too few finished curves, or a value is not finite.
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        return load_compact(path, n_curves)
    if path.suffix == ".csv":
        return read_csv(path).isel(curve=slice(n_curves))
    store = StoredEchoes(path, n_curves)
    return store.rows(0, store.n_curves)


def save_echoes(dataset: xr.Dataset, path: Path | str, *, overwrite: bool = False) -> None:
    """Write an echo data set in the format that the suffix of `path` names."""
    path = Path(path)
    writer = WRITERS.get(path.suffix)
    if writer is None:
        raise InputError(
            f"path must end in one of {', '.join(WRITERS)}, but is {path}. Choose one of these."
        )
    if path.exists() and not overwrite:
        raise InputError(
            f"path must be new, but {path} exists. Choose another, or pass overwrite=True."
        )
    writer(dataset, path)
