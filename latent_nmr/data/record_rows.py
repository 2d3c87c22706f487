"""Rows of `EchoPosterior`: whole complex records, thinned to what the line's width needs."""

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data.echoes import check_echoes
from latent_nmr.data.protocols import each_protocol, has_protocols
from latent_nmr.errors import InputError, check_count

# Samples of which a column is the mean: 0.64 µs on the grid of `paper`, whose line is cut at
# 0.5 MHz.
BLOCK = 4


def record_rows(dataset: xr.Dataset, *, block: int = BLOCK) -> npt.NDArray[np.float32]:
    """Means of neighbouring samples of every record, over |M| at its first sample.

    Parameters
    ----------
    dataset : xarray.Dataset
        With `mx`, `my` (curve, time); of several protocols, select one first.
    block : int
        Samples of which a column is the mean. White noise of one sample becomes smaller by its
        root: where noise was added with `snr`, that of a column is √`block` times as large.

    Returns
    -------
    ndarray of float32, shape (n_curves, 2 n_time // block)
        Real parts, then imaginary parts.

    Raises
    ------
    InputError
        If there are several protocols, or a curve is zero at its first sample.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=3, n_edge=8)
    >>> ln.record_rows(ds).shape
    (3, 940)
    """
    check_count("block", block, at_most=dataset.sizes["time"])
    dataset = check_echoes(dataset, both_components=True)
    if has_protocols(dataset):
        echoes = each_protocol(dataset)
        if len(echoes) > 1:
            raise InputError(
                f"the data set must have one protocol, but has {len(echoes)}. Select one with "
                "ds.isel(protocol=0)."
            )
        dataset = echoes[0]
    parts = [dataset[name].transpose("curve", "time").to_numpy() for name in ("mx", "my")]
    first = np.hypot(parts[0][:, 0], parts[1][:, 0])
    if not first.all():
        raise InputError(
            "every curve must have a signal at its first sample to be divided by, but that of "
            f"curve {int(dataset['curve'][int(np.argmin(first))])} is zero. Give whole records."
        )
    n_columns = parts[0].shape[1] // block
    kept = [own[:, : n_columns * block].reshape(len(own), n_columns, block) for own in parts]
    means = np.concatenate([own.mean(axis=2) for own in kept], axis=1)
    return (means / first[:, None]).astype(np.float32)
