"""Which simulated curves have an echo that can be seen."""

from typing import TYPE_CHECKING

import numpy as np

from latent_nmr._echo_top import find_top

if TYPE_CHECKING:
    import xarray as xr

# An echo lower than this part of |M(0)| is hardly higher than the noise of ν on 100² sites.
LEAST_HEIGHT = 0.05


def visible_echoes(dataset: "xr.Dataset") -> "xr.Dataset":
    """The curves of a data set whose echo stands out of what chance in ν leaves.

    Where interactions are strong an echo may be lower than 0.05 |M(0)|, and its shape is then that
    of the noise that 100² sites have. One curve in ten of the preset `paper` is so.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echoes of one protocol.
    """
    from latent_nmr.data.windows import features

    height = find_top(features(dataset, "top", "initial")).height
    return dataset.isel(curve=np.flatnonzero(np.asarray(height) >= LEAST_HEIGHT))
