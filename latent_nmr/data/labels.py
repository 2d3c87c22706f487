"""Labels of a data set in the forms that scores and estimators take."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data.echoes import ALL_LABELS, fingerprint
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
        If a number is not finite, or no number.
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
        if values.dtype.kind not in "fiu":
            raise InputError(
                f"the label {name} must be numbers, but has the type {values.dtype}, as "
                f"{str(values[0])!r}. Convert it, or rename it."
            )
        found[name] = values.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(found[name]))
        if len(bad):
            curve = dataset["curve"].to_numpy()[bad[0]] if "curve" in dataset.coords else bad[0]
            raise InputError(
                f"labels must be finite, but {name} of curve {curve} is {found[name][bad[0]]}. "
                f"Drop such curves, or the variable {name}."
            )
    return found


def foreign_labels(dataset: xr.Dataset) -> dict[str, npt.NDArray[Any]]:
    """Labels per curve that are not those of simulated echoes, such as a temperature.

    Returns
    -------
    dict of ndarray, shape (n_curves,)
        Numbers as they are, everything else as plain text; in the order of their names.
    """
    names = [
        name
        for name in dataset.variables
        if dataset[name].dims == ("curve",) and name not in ("curve", *ALL_LABELS)
    ]
    values = {str(name): dataset[name].to_numpy() for name in sorted(names, key=str)}
    return {
        name: found if found.dtype.kind in "fiu" else np.array(list(map(str, found.tolist())), "U")
        for name, found in values.items()
    }


def labelled_fingerprint(dataset: xr.Dataset) -> str:
    """`fingerprint` of a data set, and of its foreign labels where it has any."""
    labels, own = foreign_labels(dataset), fingerprint(dataset)
    if not labels:
        return own
    digest = hashlib.sha256(own.encode())
    for name in labels:
        digest.update(repr((name, labels[name].tolist())).encode())
    return digest.hexdigest()
