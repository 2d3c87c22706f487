"""Labels of a data set in the forms that scores and estimators take."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.errors import InputError

KERNEL = "kernel"
NUMBERS = ("W", "alpha_x", "alpha_z", "L")


def labels_of(
    dataset: xr.Dataset, names: Sequence[str] = (*NUMBERS, KERNEL)
) -> dict[str, npt.NDArray[Any]]:
    """Labels of every curve, of those that the data have.

    Parameters
    ----------
    dataset : xarray.Dataset
    names : sequence of str

    Returns
    -------
    dict of ndarray, shape (n_curves,)
        Numbers in float64, `kernel` as plain text.

    Raises
    ------
    InputError
        If a number is not finite.
    """
    found: dict[str, npt.NDArray[Any]] = {}
    for name in names:
        if name not in dataset.variables:
            continue
        values = dataset[name].to_numpy()
        if name == KERNEL:
            # Whatever kind of text a file held: scikit-learn refuses some.
            found[name] = np.array([str(value) for value in values.tolist()], dtype="U")
            continue
        found[name] = values.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(found[name]))
        if len(bad):
            curve = dataset["curve"].to_numpy()[bad[0]] if "curve" in dataset.coords else bad[0]
            raise InputError(
                f"labels must be finite, but {name} of curve {curve} is {found[name][bad[0]]}. "
                f"Drop such curves, or the variable {name}."
            )
    return found
