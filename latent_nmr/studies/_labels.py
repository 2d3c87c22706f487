"""Labels that a study is given, in any form, and those of them that are known of every curve."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._columns import eager
from latent_nmr._items import as_items
from latent_nmr._masks import refuse_masked
from latent_nmr.analysis.labels import is_missing, plain_label
from latent_nmr.data._texts import as_plain_text
from latent_nmr.data._variables import MATERIAL, PER_CURVE, PLACES
from latent_nmr.data.labels import label_values, materials_of
from latent_nmr.errors import InputError
from latent_nmr.studies.embedding import EMBEDDED_LABELS

Labels = dict[str, npt.NDArray[Any]]


class KnownLabels(NamedTuple):
    """Labels of a set of curves.

    Attributes
    ----------
    known : dict of ndarray, shape (n_curves,)
        By name, numbers or text; known of every curve.
    incomplete : dict of int
        Of the labels that are left out, the number of curves that lack them.
    """

    known: Labels
    incomplete: dict[str, int]


def labels_by_name(
    given: Any, n_curves: int, first: Sequence[str] = EMBEDDED_LABELS, *, place: str = "the data"
) -> Labels:
    """Labels of any form by name, as numbers or text; nothing for None.

    Parameters
    ----------
    given : mapping, DataFrame, xarray.Dataset or None
        Of a data set those per curve, without the ones of simulated echoes that are not `first`.
        `material` and `repeat` are none: see :func:`groups_of`.
    n_curves : int
    first : sequence of str
        Labels that come first, in this order; the others follow as they were given.
    place : str
        What messages call the curves.

    Raises
    ------
    InputError
        For another form, and for labels of another length or type.
    """
    if given is None:
        return {}
    if isinstance(given, xr.Dataset):
        own = [
            name
            for name in given.variables
            if given[name].dims == ("curve",) and name not in ("curve", *PER_CURVE)
        ]
        names = [*(name for name in first if name in given.variables), *own]
        columns = {str(name): label_values(given, str(name)) for name in names}
    elif isinstance(given, Mapping):
        columns = {str(name): given[name] for name in given}
    elif hasattr(given := eager("labels", given), "columns"):  # a frame of any library
        columns = {str(name): given[name] for name in given.columns}
    else:
        raise InputError(
            "labels must be a mapping of arrays, a DataFrame or an xarray.Dataset, but are "
            f"{type(given).__name__}. Give {{'W': values}}."
        )
    # Known labels first, so that a table does not depend on the order in which they were given.
    order = dict.fromkeys([*(name for name in first if name in columns), *columns])
    named = [name for name in order if name not in PLACES]
    return {name: _column(name, columns[name], n_curves, place) for name in named}


def groups_of(given: Any) -> Any:
    """Materials among labels of any form, whose curves no split may tear apart, or None.

    Parameters
    ----------
    given : mapping, DataFrame, xarray.Dataset or None
        What :func:`labels_by_name` takes.
    """
    if isinstance(given, xr.Dataset):
        return materials_of(given)
    if isinstance(given, Mapping):
        return given.get(MATERIAL)
    known = getattr(given, "columns", ())
    return eager("labels", given)[MATERIAL] if MATERIAL in list(known) else None


def complete_labels(labels: Labels) -> KnownLabels:
    """Labels, without those that some curves lack, which are counted."""
    counts = {name: int(is_missing(values).sum()) for name, values in labels.items()}
    known = {name: values for name, values in labels.items() if not counts[name]}
    return KnownLabels(known, {name: count for name, count in counts.items() if count})


def _column(name: str, values: Any, n_curves: int, place: str) -> npt.NDArray[Any]:
    refuse_masked(f"label {name}", values)
    found: npt.NDArray[Any] = np.array(None)
    with suppress(TypeError, ValueError):  # unequal rows, or no array at all
        found = as_plain_text(as_items(values))
    if found.shape != (n_curves,):
        raise InputError(
            f"labels must have one value per curve of {place} ({n_curves}), but {name} has shape "
            f"{found.shape}. Give one value for each row, in their order."
        )
    return plain_label(name, found)
