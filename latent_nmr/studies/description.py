"""What a kept result says of the data set it was made of, and what a store and its excerpt are.

A result is found again by these facts, not by the name of a file.
"""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.data._attributes import line_draw_of
from latent_nmr.data.compact import STEP, load_compact, save_compact
from latent_nmr.data.echoes import fingerprint, label_fingerprint, magnitude

if TYPE_CHECKING:
    import xarray as xr


def origin(data: Path | str, dataset: "xr.Dataset") -> dict[str, Any]:
    """Where curves are from, how many, and how their offsets were drawn.

    Parameters
    ----------
    data : path-like
        Path of the data set, or the name of a shipped one.
    dataset : xarray.Dataset
    """
    return {
        "data": str(data),
        "n_curves": dataset.sizes["curve"],
        "line_draw": line_draw_of(dataset.attrs),
    }


def describe_store(path: Path | str, dataset: "xr.Dataset") -> dict[str, Any]:
    """What a store holds and the hashes of its numbers."""
    return {
        "path": str(path),
        "n_curves": dataset.sizes["curve"],
        "settings": dataset.attrs,
        # Parameters have the same bits everywhere; curves only where XLA makes the same code.
        "sha256_of_labels": label_fingerprint(dataset),
        "sha256_of_everything": fingerprint(dataset),
    }


def write_excerpt(dataset: "xr.Dataset", n_curves: int, path: Path) -> dict[str, Any]:
    """Write |M| of the first curves as a compact set; returns what the file is.

    Returns
    -------
    dict
        `file`, `n_curves`, `step` of the fixed point, `largest_rounding`, `n_bytes`, `sha256`.
    """
    part = dataset.isel(curve=slice(n_curves))
    save_compact(part, path)
    rounding = np.abs(magnitude(load_compact(path)) - magnitude(part)).max()
    return {
        "file": path.name,
        "n_curves": n_curves,
        "step": STEP,
        "largest_rounding": float(rounding),
        "n_bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
