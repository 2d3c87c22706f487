"""Train/test split of an evaluation, shared by all methods."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from latent_nmr.errors import InputError, check_count, check_number


class Split(NamedTuple):
    """Rows of a data set in two parts, each in rising order.

    Attributes
    ----------
    fitted : ndarray of int
        Rows that models, neighbours and forests are fitted on.
    held_out : ndarray of int
        Rows that are only scored.
    """

    fitted: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.int64]


def hold_out(
    n_curves: int,
    kernel: npt.NDArray[np.generic] | None,
    *,
    fraction: float = 0.2,
    random_state: int = 0,
) -> Split:
    """Split rows at random, each kernel in the same proportion.

    Parameters
    ----------
    n_curves : int
    kernel : ndarray of str, shape (n_curves,), optional
        Classes for stratification; without it, the split is not stratified.
    fraction : float
        Part held out, in (0, 1).
    random_state : int

    Raises
    ------
    InputError
        If a part, or a kernel in a part, would be empty.
    """
    check_number("fraction", fraction, above=0)
    if not fraction < 1:
        raise InputError(
            f"fraction must be < 1, or nothing is left to fit on, but is {fraction!r}. Give 0.2."
        )
    check_count("random_state", random_state, at_least=0, at_most=2**32 - 1)
    # scikit-learn does not accept every string type that a file may hold.
    stratify = None if kernel is None else np.asarray(kernel).astype(object)
    if stratify is not None:
        names, counts = np.unique(stratify, return_counts=True)
        if counts.min() < 2:
            raise InputError(
                "every kernel must have at least 2 curves, one in each part of the split, but "
                f"{names[counts.argmin()]} has {counts.min()}. Use more curves."
            )
    rows = np.arange(n_curves)
    try:
        fitted, held_out = train_test_split(
            rows, test_size=float(fraction), random_state=random_state, stratify=stratify
        )
    except ValueError as error:
        raise InputError(
            f"a held-out part of {fraction:g} must leave curves of every kernel in both parts, but "
            f"there are {n_curves} curves ({error}). Use more curves, or another fraction."
        ) from error
    return Split(np.sort(fitted), np.sort(held_out))
