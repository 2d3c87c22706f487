"""Principal components of what is read off rows, over their spread."""

import jax
import numpy as np
import numpy.typing as npt
import scipy.linalg

from latent_nmr._jax_settings import own_settings
from latent_nmr.models.posterior.network import BLOCKS
from latent_nmr.models.posterior.receiver import read_off

# Rows that are read off at a time, and the most that components are found of.
PIECE, MOST_ROWS = 1024, 8192
# Components that vary less than this part of the first are not raised to its size: they are mostly
# the chance of the offsets, and noise.
LEAST_SPREAD = 0.03


def principal_blocks(
    X: npt.NDArray[np.float32], rows: npt.NDArray[np.int64], receiver: str, n_components: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Means and directions of both blocks by their names in a file, of rows without noise.

    Directions are divided by the spread along them, so that inputs of a network are of order 1.
    """
    some = rows[:: -(-len(rows) // MOST_ROWS)]
    function = jax.jit(read_off, static_argnums=1)
    parts: tuple[list, list] = ([], [])
    for start in range(0, len(some), PIECE):
        with own_settings():
            found = function(X[some[start : start + PIECE]], receiver)
        for kept, own in zip(parts, found, strict=True):
            kept.append(np.asarray(own, np.float64))
    known: dict[str, npt.NDArray[np.float32]] = {}
    for name, pieces, wanted in zip(BLOCKS, parts, (n_components, 2 * n_components), strict=True):
        values = np.concatenate(pieces)
        n_own = min(wanted, values.shape[1], len(values) - 1)
        if n_own < 1:
            continue
        mean = values.mean(axis=0)
        centred = values - mean
        ends = [values.shape[1] - n_own, values.shape[1] - 1]
        variances, columns = scipy.linalg.eigh(
            centred.T @ centred / len(values), subset_by_index=ends
        )
        spreads = np.sqrt(np.maximum(variances[::-1], 0))
        floor = max(LEAST_SPREAD * spreads[0], np.finfo(np.float32).tiny)
        directions = columns[:, ::-1].T / np.maximum(spreads, floor)[:, None]
        known |= {
            f"{name}.mean": mean.astype(np.float32),
            f"{name}.directions": directions.astype(np.float32),
        }
    return known
