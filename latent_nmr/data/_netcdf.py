"""One data set as a NetCDF file, for tools that read nothing else."""

import json
from pathlib import Path

import xarray as xr

from latent_nmr._files import staged_file
from latent_nmr.data.echoes import check_echoes


def write_netcdf(dataset: xr.Dataset, path: Path | str) -> None:
    """Write a data set as one NetCDF 3 file.

    Signals are real numbers, never complex ones, which NetCDF would lose. Attributes that NetCDF
    cannot hold (lists, True, None) are written as JSON text.

    Parameters
    ----------
    dataset : xarray.Dataset
    path : path-like
        File to write, usually ending in `.nc`; it appears when it is complete.

    Raises
    ------
    InputError
        If `dataset` is no usable echo data set.
    """
    plain = check_echoes(dataset).copy()
    plain.attrs = {
        name: value
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        else json.dumps(value, ensure_ascii=False)
        for name, value in dataset.attrs.items()
    }
    if "kernel" in plain.coords:
        kernel = dataset["kernel"].to_numpy().tolist()
        plain = plain.assign_coords(kernel=("curve", kernel, dataset["kernel"].attrs))
    with staged_file(Path(path)) as staging:
        plain.to_netcdf(staging, engine="scipy")
