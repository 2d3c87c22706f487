"""Curves and labels of an evaluation: what is fitted on, what is held out, further sets."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._masks import refuse_masked
from latent_nmr._row_names import check_row_order
from latent_nmr._splits import as_groups, siblings
from latent_nmr.analysis.scores import (
    REGRESSED,
    Parts,
    check_neighbourhoods,
    check_neighbours,
)
from latent_nmr.analysis.split import Split, hold_out
from latent_nmr.errors import InputError, check_number
from latent_nmr.studies._labels import (
    KnownLabels,
    Labels,
    complete_labels,
    groups_of,
    labels_by_name,
)

FITTED, HELD_OUT, DATA = "training", "held-out", "data"
# Labels that scores are known for; the others of simulated echoes follow from them.
SCORED_LABELS = (*REGRESSED, "kernel")

Curves = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Material:
    """Curves and labels of every part.

    Attributes
    ----------
    curves : dict of ndarray, shape (n_curves of the part, n_features)
        `training`, `held-out`, then each further set by its name.
    labels : dict of dict
        By part; empty dictionaries for data without labels.
    split : Split
        Rows of the first set.
    groups_of_part : dict of (ndarray of int, shape (n_curves of the part,), or None)
        Materials of the curves, where they are known.
    incomplete : dict of dict
        For the first set, called `data`, and each further set, the labels that are left out and
        the number of curves that lack them.
    """

    curves: dict[str, Curves]
    labels: dict[str, Labels]
    split: Split
    groups_of_part: dict[str, npt.NDArray[np.int64] | None]
    incomplete: dict[str, dict[str, int]]

    @property
    def groups(self) -> npt.NDArray[np.int64] | None:
        """Materials of the curves to fit on, where they are known."""
        return self.groups_of_part[FITTED]

    def repeats(self, part: str) -> npt.NDArray[np.int64] | None:
        """Materials of the curves of `part`, if one of them has several."""
        own = self.groups_of_part[part]
        return None if own is None or np.bincount(own).max() < 2 else own

    @property
    def scored_parts(self) -> list[str]:
        """Names of the parts that are scored."""
        return [part for part in self.curves if part != FITTED]

    def pair(self, part: str) -> Parts | None:
        """Labels to fit on and of `part`; None without any."""
        if not self.labels[FITTED] or not self.labels[part]:
            return None
        return Parts(self.labels[FITTED], self.labels[part])


def divide(
    X: Any,
    labels: Any,
    also: Mapping[str, Any] | None,
    *,
    held_out: float,
    split_seed: int,
    split: tuple[Any, Any] | None,
    groups: Any,
    n_neighbors: int,
) -> Material:
    """Check all data, split the first set, and put the others beside it.

    Raises
    ------
    InputError
        For data that cannot be used, split or compared.
    """
    check_number("held_out", held_out, above=0, at_most=0.9)
    check_row_order(X, labels=labels, groups=groups)
    curves = as_curves("X", X)
    known, lacking = as_labels(labels, len(curves), "X")
    incomplete = {DATA: lacking}
    materials = as_groups(groups_of(labels) if groups is None else groups, len(curves), "material")
    if split is None:
        ways = {"fraction": held_out, "random_state": split_seed}
        own = hold_out(len(curves), known.get("kernel"), groups=materials, **ways)
    else:
        own = _as_split(split, len(curves), materials)
    rows = {FITTED: own.fitted, HELD_OUT: own.held_out}
    parts: dict[str, Curves] = {part: curves[places] for part, places in rows.items()}
    of_part: dict[str, Labels] = {
        part: {name: values[places] for name, values in known.items()}
        for part, places in rows.items()
    }
    of_groups = {
        part: None if materials is None else materials[places] for part, places in rows.items()
    }
    check_neighbours(len(own.fitted), n_neighbors)
    for name, pair in (also or {}).items():
        if name in (*parts, DATA):
            raise InputError(
                f"also must give further sets names of their own, but one is called {name!r}. "
                "Rename it."
            )
        other, its_labels = pair if isinstance(pair, tuple) else (pair, None)
        check_row_order(other, labels=its_labels)
        parts[name] = as_curves(f"also[{name!r}]", other, n_features=curves.shape[1])
        of_part[name], incomplete[name] = as_labels(its_labels, len(parts[name]), name)
        of_groups[name] = as_groups(groups_of(its_labels), len(parts[name]), "material")
    for part in parts:
        if part != FITTED:
            check_neighbourhoods(len(parts[part]), part, n_neighbors)
    return Material(parts, of_part, own, of_groups, incomplete)


def _as_split(split: tuple[Any, Any], n_curves: int, groups: npt.NDArray[np.int64] | None) -> Split:
    """Rows that were given, checked."""
    fitted, scored = (np.unique(np.asarray(rows)) for rows in split)
    both = np.concatenate([fitted, scored])
    is_whole = both.dtype.kind in "iu" and len(np.unique(both)) == len(both)
    if not is_whole or not len(both) or both.min() < 0 or both.max() >= n_curves:
        raise InputError(
            "split must be two arrays of row numbers that share none, from 0 to "
            f"{n_curves - 1}, but has {len(fitted)} and {len(scored)} numbers, "
            f"{len(np.intersect1d(fitted, scored))} of them in both. Give rows to fit on and rows "
            "to score."
        )
    torn = np.intersect1d(siblings(fitted, groups), scored)
    if len(torn):
        raise InputError(
            "split must keep the curves of a material together, or the scores would flatter, but "
            f"row {torn[0]} is to be scored and another curve of its material to be fitted on. "
            "Split materials, or leave it out."
        )
    return Split(fitted, scored)


def as_curves(name: str, X: Any, n_features: int | None = None) -> Curves:
    """Features as an array of finite floats, shape (n_curves, n_features), or raise."""
    if isinstance(X, xr.Dataset):
        raise InputError(
            f"{name} must be an array of features (n_curves, n_features), but is a data set. "
            "Give latent_nmr.features(dataset), and the data set as labels."
        )
    refuse_masked(name, X)
    found: npt.NDArray[Any] = np.array(None)
    with contextlib.suppress(TypeError, ValueError):  # unequal rows, or no array at all
        found = np.asarray(X)
    if found.dtype.kind not in "fiu" or found.ndim != 2 or not found.size:
        raise InputError(
            f"{name} must be numbers of shape (n_curves, n_features), but has shape "
            f"{found.shape} and type {found.dtype}. Give an array such as "
            "latent_nmr.features(dataset)."
        )
    found = found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)
    if n_features not in (None, found.shape[1]):
        raise InputError(
            f"{name} must have as many features as X ({n_features}), but has {found.shape[1]}. "
            "Take the same window of both."
        )
    bad = np.argwhere(~np.isfinite(found))
    if len(bad):
        row, column = bad[0]
        raise InputError(
            f"{name} must be finite, but row {row} has {found[row, column]} in column {column}. "
            "Drop or repair such curves."
        )
    return found


def as_labels(labels: Any, n_curves: int, place: str) -> KnownLabels:
    """Labels of any form by name: numbers in float64, classes as strings; none for None."""
    found = complete_labels(labels_by_name(labels, n_curves, SCORED_LABELS, place=place))
    for name, values in found.known.items():
        if values.dtype.kind != "U":
            found.known[name] = values.astype(np.float64)
        elif name in REGRESSED:
            raise InputError(
                f"the label {name} must be numbers, but has the type {values.dtype}. Convert it, "
                "or rename it: labels of other names may be classes."
            )
    return found
