"""The one place where rows are split: at random, whole groups of rows, such as the repeats of a
material, on one side each.

A curve whose sibling was fitted on is not held out: the two differ by their offsets only. Without
groups, or with a row in each, a split is that of scikit-learn, to the row.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from latent_nmr._items import as_items, is_blank
from latent_nmr._masks import refuse_masked
from latent_nmr.errors import InputError

Rows = npt.NDArray[np.int64]


def as_groups(groups: npt.ArrayLike | None, n_rows: int, name: str = "groups") -> Rows | None:
    """Groups as whole numbers from 0, in the order in which they come; None for no groups.

    Raises
    ------
    InputError
        Unless there is one value per row, known of each.
    """
    if groups is None:
        return None
    refuse_masked(name, groups)
    values = as_items(groups)
    if values.shape != (n_rows,):
        raise InputError(
            f"{name} must have one value per row, shape ({n_rows},), but have shape "
            f"{values.shape}. Give that of each row, in their order."
        )
    if values.dtype.kind == "O":
        missing = np.array([is_blank(value) for value in values.tolist()])
        values = np.array([str(value) for value in values.tolist()])
    else:
        missing = np.isnan(values) if values.dtype.kind in "fcMm" else np.zeros(n_rows, bool)
    if missing.any():
        raise InputError(
            f"{name} must be known of every row, but that of row {int(np.argmax(missing))} is "
            f"missing ({int(missing.sum())} such rows). Drop these rows, or give each a group of "
            "its own."
        )
    _, first, codes = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes].astype(np.int64)


def n_groups(groups: Rows | None, n_rows: int) -> int:
    """Number of what is split: groups, or rows without them."""
    return n_rows if groups is None else len(np.unique(groups))


def split_rows(
    rows: Rows,
    test_size: float | int,
    random_state: int,
    *,
    stratify: npt.NDArray | None = None,
    groups: Rows | None = None,
) -> tuple[Rows, Rows]:
    """Split rows in two parts, no group torn: those to fit on and those held out.

    They come in the order in which scikit-learn deals them out.

    Parameters
    ----------
    rows : ndarray of int
        Which rows.
    test_size : float or int
        Fraction or number of groups held out.
    random_state : int
    stratify : ndarray, shape (n_all_rows,), optional
        Classes, each to be in both parts in the same proportion; a group is of the class of its
        first row.
    groups : ndarray of int, shape (n_all_rows,), optional
        From :func:`as_groups`.

    Raises
    ------
    ValueError
        If a part, or a class in a part, would be empty.
    """
    units = _Units(rows, groups)
    classes = None if stratify is None else stratify[rows[units.first]]
    fitted, held_out = train_test_split(
        np.arange(len(units.first)),
        test_size=test_size,
        random_state=random_state,
        stratify=classes,
    )
    return units.rows_of(fitted), units.rows_of(held_out)


def folds(
    rows: Rows,
    n_folds: int,
    random_state: int,
    *,
    stratify: npt.NDArray | None = None,
    groups: Rows | None = None,
) -> Iterator[tuple[Rows, Rows]]:
    """Rows to fit on and to score of each fold, no group torn; arguments as in `split_rows`."""
    units = _Units(rows, groups)
    kind = KFold if stratify is None else StratifiedKFold
    classes = None if stratify is None else stratify[rows[units.first]]
    splitter = kind(n_folds, shuffle=True, random_state=random_state)
    for fitted, scored in splitter.split(np.arange(len(units.first)), classes):
        yield units.rows_of(fitted), units.rows_of(scored)


def siblings(rows: Rows, groups: Rows | None) -> Rows:
    """Rows of the groups that `rows` belong to, themselves included."""
    return rows if groups is None else np.flatnonzero(np.isin(groups, groups[rows]))


class _Units:
    """Units that a split keeps whole: the groups of some rows, or the rows themselves."""

    def __init__(self, rows: Rows, groups: Rows | None):
        own = np.arange(len(rows)) if groups is None else groups[rows]
        # In the order in which they come: a set with one row per group is split as one without.
        _, first, codes = np.unique(own, return_index=True, return_inverse=True)
        self.first = np.sort(first)
        unit = np.argsort(np.argsort(first))[codes]
        edges = np.cumsum(np.bincount(unit))[:-1]
        self._members = np.split(rows[np.argsort(unit, kind="stable")], edges)

    def rows_of(self, units: Rows) -> Rows:
        return np.concatenate([self._members[unit] for unit in units])
