"""Columns of frames and of arrays of xarray: not taken by position where they say another order.

scikit-learn keeps the names of a data frame's columns and refuses other ones. The same holds here
of what it does not look at: targets, lazy frames, and the coordinates of an array of xarray, whose
text labels are names like those of a frame, and whose numbers, such as times, are compared up to
rounding.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._items import as_items, is_blank
from latent_nmr._masks import computed, refuse_masked
from latent_nmr._times import is_time, microseconds
from latent_nmr.errors import ROUNDING, InputError

N_SHOWN = 4
# The attributes in which an estimator keeps what its columns were called in the fit.
COORDINATE, TARGETS = "coordinate_in_", "target_names_"


def rows_of(estimator: Any, X: Any, *, reset: bool = False) -> Any:
    """Return `X` ready for scikit-learn's own checks, its order and its mask looked at.

    Parameters
    ----------
    estimator : object
        In a fit (`reset`) it is given the attribute `coordinate_in_`, shape (n_features,), if `X`
        has a coordinate of numbers along its columns; later ones are compared with it.
    X : array-like
    reset : bool

    Raises
    ------
    InputError
        For masked values, mappings, and other coordinates than in the fit.
    """
    X = eager("X", X)
    refuse_masked("X", X)
    coordinate = _numbers_along_columns(X)
    if reset:
        _keep(estimator, COORDINATE, coordinate)
    elif (expected := getattr(estimator, COORDINATE, None)) is not None:
        check_coordinate("X", X, expected)
    elif hasattr(X, "columns") and coordinate is not None:
        # Columns of the fit had no numbers, or those that pandas gives: these in another order?
        usual = np.arange(len(coordinate), dtype=np.float64)
        if np.array_equal(np.sort(coordinate), usual):
            check_coordinate("X", X, usual)
    return X


def targets_of(estimator: Any, y: Any, *, reset: bool = False) -> Any:
    """Return targets `y`, whose names a fit keeps as `target_names_` and later ones must have.

    Names are those of the columns of a frame, of a series, or of an array of xarray; what has
    none passes.

    Raises
    ------
    InputError
        For masked values, mappings, what is no number, and other names, or another order, than
        in the fit.
    """
    y = eager("y", y)
    refuse_masked("y", y)
    _refuse_no_numbers("y", y)
    names = _names_of(y)
    if reset:
        _keep(estimator, TARGETS, names and np.array(names, dtype=object))
    elif names and (expected := getattr(estimator, TARGETS, None)) is not None:
        _check_names("y", names, expected)
    return y


def _refuse_no_numbers(name: str, values: Any) -> None:
    """Raise `InputError` for the first value that is none and is not missing either."""
    try:
        found = as_items(values)
    except ValueError as error:
        raise InputError(
            f"{name} must have rows of equal length, but: {error}. Give one or several numbers per "
            "row, as many in each."
        ) from error
    if found.dtype.kind in "bfiu":
        return
    for place, value in np.ndenumerate(found):
        if not _is_number(value) and not is_blank(value):
            cure = "Convert it, or drop this row."
            if isinstance(value, complex | np.complexfloating):  # scikit-learn's own words
                cure = "Complex data not supported: give both parts, as two columns."
            raise InputError(
                f"{name} must be numbers, but row {place[0]} has {value!r:.60}. {cure}"
            )


def _is_number(value: Any) -> bool:
    """Whether a value becomes a number of double precision without losing a part."""
    # NumPy drops the imaginary part, and the unit of a time.
    if isinstance(value, np.complexfloating | np.timedelta64 | np.datetime64):
        return False
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def columns_of(name: str, values: Any, expected: Iterable[str]) -> Any:
    """Return rows whose columns, where they have names, are those expected.

    Parameters
    ----------
    name : str
        What the message calls them.
    values : array-like
        Whatever has no columns named by text passes, as with scikit-learn.
    expected : iterable of str

    Raises
    ------
    InputError
        For other names, another order, numbers along the columns that fall, and masked values.
    """
    values = eager(name, values)
    refuse_masked(name, values)
    names = _names_of(values) if getattr(values, "ndim", 2) == 2 else None
    if names:
        _check_names(name, names, expected)
    numbers = _numbers_along_columns(values)
    if numbers is not None and (np.diff(numbers) <= 0).any():
        raise InputError(
            f"{name} must have its columns in order, but {_coordinate_name(values)} goes "
            f"{_shown([f'{number:g}' for number in numbers])}. Sort it: {name}."
            + (f"sortby({values.dims[1]!r})." if hasattr(values, "dims") else "sort_index(axis=1).")
        )
    return values


def eager(name: str, values: Any) -> Any:
    """Return rows whose order says what it is: lazy frames computed, curves along the first axis.

    An array of xarray with text along its columns comes back as a data frame, and so do an array of
    records, and a frame
    whose columns have names of several levels, or that are dates, with text for names.

    Raises
    ------
    InputError
        For mappings such as a data set, of which NumPy would take the names for values, and for
        names that several columns have.
    """
    if isinstance(values, list | tuple) and values and isinstance(values[0], Mapping):
        values = values[0]  # rows by name
    if getattr(getattr(values, "dtype", None), "names", None):
        return _with_distinct_names(name, _frame_of(name, values))
    if isinstance(values, Mapping) and not hasattr(values, "shape"):  # some sparse arrays are
        is_dataset = hasattr(values, "data_vars")
        cure = "latent_nmr.features(data), or data['W']" if is_dataset else "pandas.DataFrame(…)"
        raise InputError(
            f"{name} must be an array or a data frame, but is a {type(values).__name__}. Give "
            f"{cure}."
        )
    if hasattr(values, "dims"):
        return _in_order(values)
    return _with_distinct_names(name, computed(values))


def _frame_of(name: str, records: Any) -> Any:
    """A structured array as the frame of its fields."""
    import pandas as pd

    refuse_masked(name, records)
    return pd.DataFrame({entry: records[entry] for entry in records.dtype.names or ()})


def _with_distinct_names(name: str, values: Any) -> Any:
    """A frame whose columns have distinct names; what is no frame is returned as it is."""
    columns = getattr(values, "columns", None)
    if columns is None or isinstance(values, np.ndarray):
        return values
    if hasattr(values, "set_axis") and columns.dtype.kind not in "iufmTU":
        labels = [", ".join(map(str, x)) if isinstance(x, tuple) else x for x in columns]
        if not any(isinstance(label, str) for label in columns):
            values = values.set_axis(list(map(str, labels)), axis=1)
    names = list(map(str, getattr(values, "column_names", values.columns)))
    if len(set(names)) < len(names):
        repeated = next(label for label in names if names.count(label) > 1)
        raise InputError(
            f"{name} must have columns of distinct names, but {names.count(repeated)} are called "
            f"{repeated!r}. Rename them, or give plain numbers with to_numpy()."
        )
    return values


def check_coordinate(name: str, values: Any, expected: npt.NDArray[np.float64]) -> None:
    """Raise `InputError` if a frame or an array of xarray has its columns elsewhere."""
    found = _numbers_along_columns(values)
    # Another number of columns is scikit-learn's to refuse.
    if found is None or found.shape != expected.shape:
        return
    slack = ROUNDING * np.abs(expected).max(initial=0)
    other = np.flatnonzero(~(np.abs(found - expected) <= slack))
    if other.size:
        column = int(other[0])
        raise InputError(
            f"{name} must have {_coordinate_name(values)} of the fit, but in column {column} it is "
            f"{found[column]:g}, not {expected[column]:g}. Sort or interpolate the columns, or "
            f"give plain numbers with to_numpy()."
        )


def check_times(name: str, values: Any, expected: npt.NDArray[np.float64]) -> None:
    """:func:`check_coordinate` where the columns have times, by their dimension or their type."""
    if "time" in getattr(values, "dims", ()) or _kind_of_labels(values) in ("f", "m"):
        check_coordinate(name, values, expected)


def _in_order(values: Any) -> Any:
    """An array of xarray with curves along the first axis; a frame where columns have names."""
    if "curve" in values.dims[1:]:
        values = values.transpose("curve", ...)
    elif len(values.dims) == 2 and values.dims[0] == "time":
        values = values.transpose()
    labels = _along_columns(values)
    if labels is None or labels.dtype.kind not in "OUT":
        return values
    names = labels.to_numpy().tolist()
    if not all(isinstance(label, str) for label in names):
        return values
    import pandas as pd

    return pd.DataFrame(values.to_numpy(), columns=names)


def _kind_of_labels(values: Any) -> str:
    """Kind of NumPy's type of the labels of a pandas frame's columns; "" of anything else."""
    columns: Any = None if isinstance(values, np.ndarray) else getattr(values, "columns", None)
    return columns.dtype.kind if hasattr(columns, "dtype") else ""


def _coordinate_name(values: Any) -> str:
    """What a message calls the coordinate along the columns."""
    return f"the coordinate {values.dims[1]}" if hasattr(values, "dims") else "the column labels"


def _along_columns(values: Any) -> Any:
    """The coordinate along the second dimension of an array of xarray, if there is one."""
    dimensions, coordinates = getattr(values, "dims", ()), getattr(values, "coords", {})
    if len(dimensions) != 2 or dimensions[1] not in coordinates:
        return None
    coordinate = coordinates[dimensions[1]]
    return coordinate if coordinate.dims == dimensions[1:] else None


def _numbers_along_columns(values: Any) -> npt.NDArray[np.float64] | None:
    """The coordinate of the columns as numbers, of times in µs; None where there are none.

    Labels that pandas gives to columns without names, 0 to n - 1, are none.
    """
    if _kind_of_labels(values) in tuple("iufm"):
        numbers = microseconds("columns", values.columns).astype(np.float64)
        is_usual = np.array_equal(numbers, np.arange(len(numbers)))
        return None if is_usual or not np.isfinite(numbers).all() else numbers
    found = _along_columns(values)
    if found is None or found.dtype.kind not in "iufm":
        return None
    given = microseconds(str(found.name), found) if is_time(found) else found.to_numpy()
    numbers = given.astype(np.float64)
    return numbers if np.isfinite(numbers).all() else None


def _names_of(values: Any) -> list[str] | None:
    """Names of columns, or of a single one; None where they are not text."""
    columns = getattr(values, "columns", None)
    if columns is None and getattr(values, "ndim", None) == 1 and hasattr(values, "to_numpy"):
        columns = [getattr(values, "name", None)]
    given = [] if columns is None else list(columns)
    names = [name for name in given if isinstance(name, str) and name]
    return names if names and len(names) == len(given) else None


def _check_names(name: str, found: list[str], expected: Iterable[str]) -> None:
    expected = list(expected)
    if found != expected:
        raise InputError(
            f"{name} must have the columns {_shown(expected)}, in this order, but has "
            f"{_shown(found)}. Select them by name, or give plain numbers with to_numpy()."
        )


def _keep(estimator: Any, attribute: str, value: Any) -> None:
    """Set an attribute of a fit, or forget that of an earlier one."""
    if value is not None:
        setattr(estimator, attribute, value)
    elif hasattr(estimator, attribute):
        delattr(estimator, attribute)


def _shown(names: list[str]) -> str:
    return ", ".join(names[:N_SHOWN]) + (f", … ({len(names)})" if len(names) > N_SHOWN else "")
