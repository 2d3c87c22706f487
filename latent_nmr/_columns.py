"""Columns of data frames: not taken by position where their names say another order."""

from collections.abc import Iterable
from typing import Any

from latent_nmr.errors import InputError

N_SHOWN = 4


def eager(values: Any) -> Any:
    """Return rows whose order says what it is: lazy frames computed, curves along the first axis.

    scikit-learn sees no names in a lazy frame of dask or polars, and none of dimensions in an array
    of xarray: it would take columns in any order, and samples for curves.
    """
    if "curve" in getattr(values, "dims", ())[1:]:
        return values.transpose("curve", ...)
    is_frame = hasattr(values, "collect_schema") or hasattr(values, "columns")
    for name in ("compute", "collect") if is_frame else ():
        evaluate = getattr(values, name, None)
        if callable(evaluate):
            return evaluate()
    return values


def check_columns(name: str, values: Any, expected: Iterable[str]) -> None:
    """Raise `InputError` if a data frame has other columns, or the same in another order.

    Parameters
    ----------
    name : str
        What the message calls it.
    values : object
        Whatever has no columns named by text passes, as with scikit-learn.
    expected : iterable of str
    """
    columns = getattr(values, "columns", None)
    if columns is None or not all(isinstance(column, str) for column in columns):
        return
    found, expected = list(columns), list(expected)
    if found != expected:
        raise InputError(
            f"{name} must have the columns {_shown(expected)}, in this order, but has "
            f"{_shown(found)}. Select them by name, or give plain numbers with to_numpy()."
        )


def _shown(names: list[str]) -> str:
    return ", ".join(names[:N_SHOWN]) + (f", … ({len(names)})" if len(names) > N_SHOWN else "")
