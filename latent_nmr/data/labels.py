"""Labels of a data set in the forms that scores and estimators take."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data._texts import as_plain_text
from latent_nmr.data._variables import MATERIAL, PER_CURVE
from latent_nmr.data.echoes import fingerprint
from latent_nmr.errors import InputError

KERNEL = "kernel"
NUMBERS = ("W", "alpha_x", "alpha_z", "L")


def label_values(dataset: xr.Dataset, name: str) -> npt.NDArray[Any]:
    """Values of one label, shape (n_curves,): numbers as they are, text as fixed-width Unicode.

    A label without dimensions, such as ``ds.assign_coords(kernel="rkky")``, is that of every curve.

    Raises
    ------
    InputError
        If the data have no such label, or it is not one value per curve.
    """
    if name not in dataset.variables:
        raise InputError(
            f"the data set must have the label {name}, but has none of that name. Add it: "
            f"ds.assign_coords({name}=('curve', values))."
        )
    variable = dataset[name]
    if variable.dims not in ((), ("curve",)) or "curve" not in dataset.dims:
        raise InputError(
            f"labels must have one value per curve, with the dimension (curve,), but {name} has "
            f"{variable.dims}. Leave it out: ds.drop_vars({name!r})."
        )
    values = variable.to_numpy()
    if not variable.dims:
        values = np.repeat(values[np.newaxis], dataset.sizes["curve"])
    return as_plain_text(values)


def materials_of(dataset: xr.Dataset) -> npt.NDArray[Any] | None:
    """Material of every curve, shape (n_curves,), if the data set says so: numbers or text."""
    return label_values(dataset, MATERIAL) if MATERIAL in dataset.variables else None


def whole_cuts(materials: npt.NDArray[Any], n_curves: int) -> list[int]:
    """`n_curves`, if that many curves from the first part no material from itself; else the nearest
    numbers below and above that do not.

    Parameters
    ----------
    materials : ndarray, shape (n_all_curves,)
    n_curves : int
        From 1 to n_all_curves.
    """
    # A cut is whole where the last curve of all materials so far is the one before it.
    _, codes = np.unique(materials, return_inverse=True)
    last = np.zeros(codes.max() + 1, int)
    last[codes] = np.arange(len(codes))
    cuts = 1 + np.flatnonzero(np.maximum.accumulate(last[codes]) == np.arange(len(codes)))
    below, above = cuts[cuts <= n_curves], cuts[cuts >= n_curves]
    return np.unique([*below[-1:], *above[:1]] if n_curves not in cuts else n_curves).tolist()


def known_labels(dataset: xr.Dataset, names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """:func:`label_values` of those labels that the data have."""
    return {name: label_values(dataset, name) for name in names if name in dataset.variables}


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
        values = label_values(dataset, name)
        if name == KERNEL:
            missing = np.flatnonzero([v is None or v != v for v in values.tolist()])
            if missing.size:
                raise InputError(
                    f"labels must be known of every curve, but kernel of curve "
                    f"{_name_of(dataset, missing[0])} is {values[missing[0]]}. Drop such curves, "
                    "or the variable kernel."
                )
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
            raise InputError(
                f"labels must be finite, but {name} of curve {_name_of(dataset, bad[0])} is "
                f"{found[name][bad[0]]}. Drop such curves, or the variable {name}."
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
        if dataset[name].dims == ("curve",) and name not in ("curve", *PER_CURVE)
    ]
    values = {str(name): as_plain_text(dataset[name].to_numpy()) for name in sorted(names, key=str)}
    return {
        name: found if found.dtype.kind in "fiu" else np.array(list(map(str, found.tolist())), "U")
        for name, found in values.items()
    }


def curve_names(dataset: xr.Dataset) -> npt.NDArray[Any]:
    """What the curves are called, shape (n_curves,): numbers, dates or plain text."""
    values = as_plain_text(dataset["curve"].to_numpy())
    # Several names at once, as a MultiIndex has them, become one text.
    return values if values.dtype.kind != "O" else np.array(list(map(str, values.tolist())))


def _name_of(dataset: xr.Dataset, row: int) -> Any:
    """What a message calls a curve."""
    return curve_names(dataset)[row]


def labelled_fingerprint(dataset: xr.Dataset) -> str:
    """`fingerprint` of a data set, and of its foreign labels where it has any."""
    labels, own = foreign_labels(dataset), fingerprint(dataset)
    if not labels:
        return own
    digest = hashlib.sha256(own.encode())
    for name in labels:
        digest.update(repr((name, labels[name].tolist())).encode())
    return digest.hexdigest()
