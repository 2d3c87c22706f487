"""Curves and labels of an evaluation: what is fitted on, what is held out, further sets."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from latent_nmr._columns import eager
from latent_nmr._masks import refuse_masked
from latent_nmr.analysis.scores import (
    REGRESSED,
    Parts,
    check_neighbourhoods,
    check_neighbours,
)
from latent_nmr.analysis.split import Split, hold_out
from latent_nmr.data._texts import as_plain_text
from latent_nmr.data.echoes import ALL_LABELS
from latent_nmr.data.labels import known_labels
from latent_nmr.errors import InputError, check_number

FITTED, HELD_OUT = "training", "held-out"
# Labels that scores are known for; the others of simulated echoes follow from them.
SCORED_LABELS = (*REGRESSED, "kernel")

Curves = npt.NDArray[np.floating]
Labels = dict[str, npt.NDArray[np.generic]]


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
    """

    curves: dict[str, Curves]
    labels: dict[str, Labels]
    split: Split

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
    n_neighbors: int,
) -> Material:
    """Check all data, split the first set, and put the others beside it.

    Raises
    ------
    InputError
        For data that cannot be used, split or compared.
    """
    check_number("held_out", held_out, above=0, at_most=0.9)
    curves = as_curves("X", X)
    known = as_labels(labels, len(curves), "X")
    if split is None:
        own = hold_out(len(curves), known.get("kernel"), fraction=held_out, seed=split_seed)
    else:
        own = _as_split(split, len(curves))
    rows = {FITTED: own.fitted, HELD_OUT: own.held_out}
    parts: dict[str, Curves] = {part: curves[places] for part, places in rows.items()}
    of_part: dict[str, Labels] = {
        part: {name: values[places] for name, values in known.items()}
        for part, places in rows.items()
    }
    check_neighbours(len(own.fitted), n_neighbors)
    for name, pair in (also or {}).items():
        if name in parts:
            raise InputError(
                f"also must give further sets names of their own, but one is called {name!r}. "
                "Rename it."
            )
        other, its_labels = pair if isinstance(pair, tuple) else (pair, None)
        parts[name] = as_curves(f"also[{name!r}]", other, n_features=curves.shape[1])
        of_part[name] = as_labels(its_labels, len(parts[name]), name)
    for part in parts:
        if part != FITTED:
            check_neighbourhoods(len(parts[part]), part, n_neighbors)
    return Material(parts, of_part, own)


def _as_split(split: tuple[Any, Any], n_curves: int) -> Split:
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


def as_labels(labels: Any, n_curves: int, place: str) -> Labels:
    """Labels of any form by name: numbers in float64, classes as strings; empty for None.

    Of a data set, those per curve, without the ones of simulated echoes that are not scored.
    """
    if labels is None:
        return {}
    if isinstance(labels, xr.Dataset):
        names = [name for name in labels.variables if labels[name].dims == ("curve",)]
        others = [str(name) for name in names if name not in ("curve", *ALL_LABELS)]
        columns = known_labels(labels, (*SCORED_LABELS, *others))
    elif isinstance(labels, Mapping):
        columns = labels
    elif hasattr(labels := eager(labels), "columns"):  # a frame, of pandas or another library
        columns = {name: labels[name] for name in labels.columns}
    else:
        raise InputError(
            "labels must be a mapping of arrays, a DataFrame or an xarray.Dataset, but are "
            f"{type(labels).__name__}. Give {{'W': values}}."
        )
    # Known labels first, so that a table does not depend on the order in which they were given.
    names = [name for name in SCORED_LABELS if name in columns]
    names += [name for name in columns if name not in names]
    return {str(name): _as_label(str(name), columns[name], n_curves, place) for name in names}


def _as_label(name: str, values: Any, n_curves: int, place: str) -> npt.NDArray[np.generic]:
    """One label: float64, or strings."""
    refuse_masked(name, values)
    found = np.asarray(values)
    if found.shape != (n_curves,):
        raise InputError(
            f"labels must have one value per curve of {place} ({n_curves}), but {name} has shape "
            f"{found.shape}. Give one value for each row."
        )
    if name in REGRESSED and found.dtype.kind in "bOUST":
        raise InputError(
            f"the label {name} must be numbers, but has the type {found.dtype}. Convert it, or "
            "rename it: labels of other names may be classes."
        )
    if found.dtype.kind in "fiu":
        found = found.astype(np.float64)
        missing = ~np.isfinite(found)
    else:
        missing = np.asarray(pd.isna(found))
    if missing.any():
        row = int(np.flatnonzero(missing)[0])
        raise InputError(
            f"labels must be finite, but {name} of row {row} of {place} is {found[row]}. Drop such "
            f"curves, or the label {name}."
        )
    if found.dtype.kind == "f":
        return found
    if found.dtype.kind not in "bOUST":
        raise InputError(
            f"labels must be numbers or names of classes, but {name} has the type {found.dtype}. "
            "Convert it."
        )
    # Whatever kind of string it was: scikit-learn knows this one.
    return np.array([str(value) for value in as_plain_text(found).tolist()], dtype="U")
