"""Validation of embeddings: the latent coordinates of the same curves, one array per seed."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError

Cloud = npt.NDArray[np.float64]


def check_clouds(
    latents: npt.NDArray[np.floating] | Sequence[npt.NDArray[np.floating]],
) -> list[Cloud]:
    """Return one finite float64 array per seed, all of equal shape, or raise `InputError`."""
    if isinstance(latents, np.ndarray) and latents.ndim == 2:
        latents = [latents]
    clouds = [np.asarray(cloud, np.float64) for cloud in latents]
    if not clouds:
        raise InputError("latents must hold one array per seed, but is empty. Give at least one.")
    for number, cloud in enumerate(clouds):
        if cloud.ndim != 2 or cloud.shape != clouds[0].shape:
            raise InputError(
                "latents must be arrays of one shape (n_curves, n_components), the same curves in "
                f"every seed, but array {number} has shape {cloud.shape} and the first "
                f"{clouds[0].shape}. Embed the same curves with models of equal n_components."
            )
        if not np.isfinite(cloud).all():
            row = int(np.flatnonzero(~np.isfinite(cloud).all(axis=1))[0])
            raise InputError(
                f"latents must be finite, but row {row} of array {number} is {cloud[row]}. "
                "Leave that curve out."
            )
    return clouds
