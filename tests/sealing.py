"""Stores that a test has edited on purpose, made to look as if they had been written so."""

import numpy as np
import zarr

from latent_nmr.data._checksums import (
    CHECKSUM_OF_ATTRIBUTES,
    CURVE_CHECKSUMS,
    attribute_checksum,
    curve_checksums,
    start_of_checksums,
)


def seal(path):
    """Give a simulated store the checksums of what it holds now."""
    group = zarr.open_group(path, mode="r+")
    arrays = {name: np.asarray(array[...]) for name, array in group.arrays()}
    indices = np.arange(len(arrays["done"]))
    group.attrs[CHECKSUM_OF_ATTRIBUTES] = attribute_checksum(dict(group.attrs))
    start = start_of_checksums(group)
    group[CURVE_CHECKSUMS][:] = curve_checksums(indices, arrays, start)
