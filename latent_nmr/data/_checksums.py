"""Checksums of files: of every chunk as zarr writes it, of every curve, variable and attributes.

A chunk that was changed does not fit its own checksum. One that was copied over another, or lost,
does: it is noticed by that of the curve, which covers its index, signals and labels. It starts at
that of the attributes, so that curves of another store, of another seed say, do not fit.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from latent_nmr.data._plain import describe
from latent_nmr.data._variables import ALL_SIGNALS, PER_CURVE
from latent_nmr.errors import InputError

# Compression as zarr has it by default, and CRC-32C of the compressed bytes.
COMPRESSORS = (ZstdCodec(level=0), Crc32cCodec())
# Array of a simulated store: CRC-32 of each curve.
CURVE_CHECKSUMS = "checksum"
# Attribute of a simulated store: CRC-32 of its other attributes.
CHECKSUM_OF_ATTRIBUTES = "attributes_crc32"
# Attribute of the array of curves' checksums: where they start. Stores begun before have none.
STARTS_AT = "starts_at"


def curve_checksums(
    indices: npt.NDArray[np.integer], arrays: Mapping[str, npt.NDArray], start: int = 0
) -> npt.NDArray[np.uint32]:
    """CRC-32 of curves, each over its index, its signals and its labels, shape (n_curves,).

    Parameters
    ----------
    indices : ndarray of int, shape (n_curves,)
        Rows of the curves in their store.
    arrays : mapping of str to ndarray, shape (n_curves, ...)
        Signals and labels, in any order; taken as a store has them, in float32 and float64.
    start : int
        CRC-32 of what comes before: see :func:`start_of_checksums`.
    """
    signals = [
        _one_nan(np.ascontiguousarray(arrays[n], np.float32)) for n in ALL_SIGNALS if n in arrays
    ]
    labels = [arrays[name] for name in PER_CURVE if name in arrays]
    numbers = _one_nan(np.array([x for x in labels if x.dtype.kind not in "OTU"], np.float64))
    texts = [label for label in labels if label.dtype.kind in "OTU"]
    found = np.empty(len(indices), np.uint32)
    for row, index in enumerate(indices):
        checksum = zlib.crc32(f"{index} {' '.join(str(t[row]) for t in texts)}".encode(), start)
        checksum = zlib.crc32(numbers[:, row].tobytes(), checksum)
        for signal in signals:
            checksum = zlib.crc32(signal[row].data, checksum)
        found[row] = checksum
    return found


def start_of_checksums(group: zarr.Group) -> int:
    """CRC-32 at which those of a store's curves start: that of its attributes."""
    noted: Any = group.attrs.get(CHECKSUM_OF_ATTRIBUTES, 0)
    return noted if group[CURVE_CHECKSUMS].attrs.get(STARTS_AT) == CHECKSUM_OF_ATTRIBUTES else 0


def dataset_checksums(dataset: xr.Dataset) -> dict[str, int]:
    """CRC-32 of each variable and of the attributes of a data set of plain types.

    A variable's covers its values, and all that :func:`~latent_nmr.data._plain.describe` says.
    They are the same on every machine, and for every NaN: text has only one.
    """
    found = {"the attributes": attribute_checksum(dataset.attrs)}
    for name, about in describe(dataset).items():
        values = dataset[name].to_numpy()
        is_text = values.dtype.kind == "U"
        if not is_text:
            values = _one_nan(values).astype(values.dtype.newbyteorder("<"), copy=False)
        content = json.dumps(values.tolist()).encode() if is_text else values.tobytes()
        header = json.dumps([about, [*values.shape]], sort_keys=True)
        found[name] = zlib.crc32(content, zlib.crc32(header.encode()))
    return found


def _one_nan(values: npt.NDArray) -> npt.NDArray:
    """Write every NaN with the same bits: zarr keeps no others where a whole chunk is NaN."""
    if values.dtype.kind not in "fc" or not (is_nan := np.isnan(values)).any():
        return values
    kept = values.copy()
    kept[is_nan] = np.nan
    return kept


def attribute_checksum(attributes: Mapping[str, Any]) -> int:
    """CRC-32 of attributes as JSON holds them, however they are ordered."""
    kept = {name: value for name, value in attributes.items() if name != CHECKSUM_OF_ATTRIBUTES}
    return zlib.crc32(json.dumps(kept, sort_keys=True).encode())


def check_attributes(group: zarr.Group, place: str) -> dict[str, Any]:
    """Return the attributes of a store without their checksum, or refuse changed ones."""
    attributes = dict(group.attrs)
    noted = attributes.pop(CHECKSUM_OF_ATTRIBUTES, None)
    is_expected = noted is not None or CURVE_CHECKSUMS in group
    if is_expected and noted != attribute_checksum(attributes):
        raise InputError(
            f"attributes of a store must be as they were written, but those of {place} have "
            "changed: its zarr.json is damaged, or was edited. Restore it from a copy."
        )
    return attributes
