"""A data set as a zarr group, whole: what `save_echoes` writes.

`simulate` writes its stores batch by batch, in `store`; a saved one is marked, because curves that
may have been changed cannot be continued by simulation.
"""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from latent_nmr._files import sole_writer, staged_folder
from latent_nmr.data._checksums import COMPRESSORS, dataset_checksums
from latent_nmr.data._contents import check_arrays, check_read
from latent_nmr.data._guarded import guarded, values_of
from latent_nmr.data._plain import plain, rebuild
from latent_nmr.data._store_checks import check_unchanged
from latent_nmr.data._texts import plain_text
from latent_nmr.data.reading import SAVED_MARK
from latent_nmr.errors import InputError

SAVED_VERSION = 1
_KEEP_EDITED = "opens with xarray.open_zarr, and ln.save_echoes writes it again"
# Values in one chunk, about: 4 MB of float32.
CHUNK_VALUES = 1_000_000


def write_store(dataset: xr.Dataset, path: Path) -> None:
    """Write a data set as a zarr group; the folder appears when it is complete."""
    kept = plain(dataset)
    if SAVED_MARK in kept.attrs:
        raise InputError(
            f"ds.attrs must not hold {SAVED_MARK!r}, the mark of saved stores, but does. Remove it."
        )
    mark = {
        "version": SAVED_VERSION,
        "coordinates": [str(name) for name in kept.coords],
        "checksums": dataset_checksums(kept),
    }
    with sole_writer(path), staged_folder(path) as staging:
        attributes: Any = {**kept.attrs, SAVED_MARK: mark}
        group = zarr.open_group(staging, mode="w", attributes=attributes)
        for name, variable in kept.variables.items():
            _write_array(group, str(name), variable)


def read_saved_store(path: Path, group: zarr.Group) -> xr.Dataset:
    """Read a store that :func:`write_store` wrote, whole and checked."""

    def read() -> xr.Dataset:
        attributes: dict[str, Any] = dict(group.attrs)
        mark = attributes.pop(SAVED_MARK)
        if mark["version"] != SAVED_VERSION:
            raise InputError(
                f"data must be a saved store of version {SAVED_VERSION}, but {path} has version "
                f"{mark['version']!r}. Read it with the version of latent_nmr that wrote it."
            )
        arrays, variables = {}, {}
        for name, array in group.arrays():
            variables[name] = {
                "dims": array.metadata.dimension_names or (),  # type: ignore[union-attr]
                "dtype": "text" if array.dtype.kind in "OTU" else array.dtype.name,
                "coordinate": name in mark["coordinates"],
                "attrs": dict(array.attrs),
            }
            arrays[name] = array
        # Before anything is read: a length that is wrong may be larger than any memory.
        check_arrays(arrays, variables)
        for name, array in arrays.items():
            values = values_of(array)
            arrays[name] = plain_text(values) if values.dtype.kind in "OTU" else values
        dataset = rebuild(arrays, variables, attributes)
        check_unchanged(path, mark.get("checksums"), dataset, _KEEP_EDITED)
        return dataset

    return check_read(guarded(path, read), str(path))


def _write_array(group: zarr.Group, name: str, variable: xr.Variable) -> None:
    values = variable.to_numpy()
    is_text = values.dtype.kind == "U"
    rows = max(1, CHUNK_VALUES // max(1, values[:1].size)) if values.ndim else 1
    array = group.create_array(
        name,
        shape=values.shape,
        chunks=(min(rows, max(1, len(values))), *values.shape[1:]) if values.ndim else "auto",
        dtype=str if is_text else values.dtype,
        # Chunks that were never written read as this: NaN is noticed.
        fill_value="" if is_text else np.nan if values.dtype.kind == "f" else 0,
        dimension_names=[str(dim) for dim in variable.dims],
        attributes=variable.attrs,
        compressors=COMPRESSORS,
    )
    array[...] = values
