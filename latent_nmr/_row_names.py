"""Rows of frames and of arrays of xarray: not taken by position where they say another order.

scikit-learn takes rows by position. So does this package, but where both sides name their rows, and
name the same ones in another order, one of them was sorted, shuffled or selected without the other.
"""

from collections.abc import Mapping
from typing import Any

from latent_nmr.errors import InputError

CURVE = "curve"


def check_row_order(X: Any, **others: Any) -> None:
    """Raise `InputError` for what names the rows of `X` in another order than `X` does.

    Parameters
    ----------
    X : array-like
    **others : array-like, mapping of these, or None
        By the names that messages call them: what has one value per row. What names no rows, or
        other ones, passes.
    """
    named = row_names(X)
    if named is None:
        return
    kind = CURVE if CURVE in getattr(X, "dims", ()) else "row"
    for name, values in others.items():
        is_mapping = isinstance(values, Mapping) and not hasattr(values, "indexes")
        columns = {f"{name}[{key!r}]": values[key] for key in values} if is_mapping else None
        for own_name, column in (columns or {name: values}).items():
            found = row_names(column)
            if found is not None and _are_in_another_order(found, named):
                refuse_another_order(own_name, kind, found, named)


def row_names(values: Any) -> Any:
    """The index of pandas or xarray that names rows, or None."""
    if indexes := getattr(values, "indexes", None):  # of xarray
        dims = tuple(values.dims)
        return indexes.get(CURVE if CURVE in dims else dims[0])
    found = getattr(values, "index", None)
    return found if hasattr(found, "sort_values") else None  # lists have a method of that name


def refuse_another_order(name: str, kind: str, found: Any, named: Any) -> None:
    """Raise `InputError` at the first entry that is named for another place than its own."""
    for place, (own, wanted) in enumerate(zip(found, named, strict=True)):
        if own != wanted:
            raise InputError(
                f"{name} must be in the order of the {kind}s, but entry {place} is of {kind} "
                f"{own}, not {wanted}. Select by name, or give plain numbers with to_numpy()."
            )


def _are_in_another_order(found: Any, named: Any) -> bool:
    """Whether two indexes hold the same names, and not one by one."""
    return not found.equals(named) and sorted(map(str, found)) == sorted(map(str, named))
