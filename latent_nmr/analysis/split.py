"""Train/test split of an evaluation, shared by all methods."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr._splits import as_groups, n_groups, split_rows
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
    groups: npt.NDArray[np.generic] | None = None,
) -> Split:
    """Split rows at random, each kernel in the same proportion, and no group torn.

    Parameters
    ----------
    n_curves : int
    kernel : ndarray of str, shape (n_curves,), optional
        Classes for stratification; without it, the split is not stratified.
    fraction : float
        Part held out, in (0, 1).
    random_state : int
    groups : ndarray, shape (n_curves,), or None
        The material of each curve, whose repeats stay together; None where each has its own.

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
    own = as_groups(groups, n_curves, "material")
    count, what = n_groups(own, n_curves), "curves"
    if count < n_curves:
        what = "materials"
    if stratify is not None:
        first = np.arange(n_curves) if own is None else np.unique(own, return_index=True)[1]
        names, counts = np.unique(stratify[first], return_counts=True)
        if counts.min() < 2:
            raise InputError(
                f"every kernel must have at least 2 {what}, one in each part of the split, but "
                f"{names[counts.argmin()]} has {counts.min()}. Use more {what}."
            )
    try:
        fitted, held_out = split_rows(
            np.arange(n_curves), float(fraction), random_state, stratify=stratify, groups=own
        )
    except ValueError as error:
        raise InputError(
            f"a held-out part of {fraction:g} must leave {what} of every kernel in both parts, but "
            f"there are {count} {what} ({error}). Use more {what}, or another fraction."
        ) from error
    return Split(np.sort(fitted), np.sort(held_out))
