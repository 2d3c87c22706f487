"""Estimators of any origin: how every study names, copies, fits and uses those of the user.

All that is asked of them is `fit`, and `transform` or `predict`: they need not be of scikit-learn's
kind, `fit` may return nothing, and what they return may be anything that holds numbers.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from latent_nmr._environment import refuse_environment
from latent_nmr._masks import refuse_masked
from latent_nmr.errors import InputError
from latent_nmr.studies._identity import digest_of


def by_name(
    parameter: str, given: Any, example: str, *, may_be_empty: bool = False
) -> dict[str, Any]:
    """Estimators, and names of ours, by the name that they have in a result.

    Parameters
    ----------
    parameter : str
        What messages call it.
    given : object
        A mapping; or one or several estimators and names, where an estimator goes by its class,
        with a number where there are several of one class.
    example : str
        An estimator that could be given.
    may_be_empty : bool

    Raises
    ------
    InputError
        If there is none, or one name stands for two.
    """
    if isinstance(given, Mapping):
        found = {name if isinstance(name, str) else str(name): one for name, one in given.items()}
        names = [str(name) for name in given]
    else:
        is_one = isinstance(given, str | type) or hasattr(given, "fit")
        items = [given] if is_one or not isinstance(given, Iterable) else list(given)
        classes = Counter(type(one).__name__ for one in items)
        names, numbers = [], Counter()
        for one in items:
            own = type(one).__name__
            numbers[own] += 1
            own = own if classes[own] == 1 else f"{own}-{numbers[own]}"
            names.append(one if isinstance(one, str) else own)
        found = dict(zip(names, items, strict=True))
    if not names and not may_be_empty:
        raise InputError(
            f"{parameter} must name at least one, but is empty. Leave it out for the default, or "
            f"give one such as {example}."
        )
    if len(found) < len(names):
        raise InputError(
            f"{parameter} must name each one once, but is {' '.join(names)}. Drop or rename one."
        )
    return found


def check_estimator(
    parameter: str, name: str, given: Any, methods: Sequence[str], example: str
) -> None:
    """Raise `InputError` for what lacks one of the methods, and for a class."""
    missing = [method for method in methods if not callable(getattr(given, method, None))]
    if isinstance(given, type):
        what, cure = f"the class {given.__name__}", f"Give {given.__name__}()"
    elif missing:
        what = f"{given!r}"
        what = what if len(what) < 80 else f"of the type {type(given).__name__}"
        cure = f"Give one such as {example}"
    else:
        return
    raise InputError(
        f"{parameter} must be names of ours, or estimators with {' and '.join(methods)}, but "
        f"{name} is {what}. {cure}."
    )


def seeded(estimator: Any, seed: int) -> Any:
    """An unfitted copy; every parameter `random_state`, of its parts too, is `seed`."""
    if not (hasattr(estimator, "get_params") and hasattr(estimator, "set_params")):
        other = copy.deepcopy(estimator)
        if hasattr(other, "random_state"):
            other.random_state = seed
        return other
    other = clone(estimator)
    names = [
        name
        for name in other.get_params()
        if name == "random_state" or name.endswith("__random_state")
    ]
    return other.set_params(**dict.fromkeys(names, seed)) if names else other


def unfitted_digest(estimator: Any) -> str:
    """What identifies an estimator with its parameters, but not what it was fitted to before."""
    with suppress(Exception):  # whatever cannot be cloned is identified with its state
        estimator = clone(estimator)
    return digest_of(estimator)


def fit(
    model: Any,
    *data: Any,
    needs: str,
    groups: npt.NDArray | None,
    **options: Any,
) -> Any:
    """Fit a model and return what is fitted: what `fit` returned, or the model itself.

    Parameters
    ----------
    model : object
        Such as `seeded` returns; it is changed.
    *data : ndarray, or a mapping of them
        The model gets copies: some write into what they are given, as scalers with `copy=False`.
    needs : str
        Method that what is fitted must have, `transform` or `predict`.
    groups : ndarray, shape (n_rows,), or None
        Materials, which the `fit` of a model that has such a parameter must know: it may split
        the rows again.
    **options
        Further arguments of `fit`.
    """
    if groups is not None and has_fit_parameter(model, "groups"):
        options["groups"] = groups.copy()
    found = model.fit(*(part.copy() for part in data), **options)
    return found if callable(getattr(found, needs, None)) else model


def transform(model: Any, X: npt.NDArray) -> npt.NDArray[np.floating]:
    """Coordinates of the rows of `X`, shape (n_curves, n_columns), or raise ValueError."""
    return checked_coordinates(model.transform(X.copy()), len(X))


def predict(model: Any, X: npt.NDArray, n_targets: int | None = None) -> npt.NDArray[np.floating]:
    """Predictions for the rows of `X`, as `checked_predictions` has them, or raise ValueError."""
    return checked_predictions(model.predict(X.copy()), len(X), n_targets)


def checked_coordinates(found: Any, n_rows: int) -> npt.NDArray[np.floating]:
    """What `transform` returned, as an array of shape (n_rows, n_columns), or raise ValueError."""
    array = _checked_numbers(found, "transform")
    if array.ndim != 2 or len(array) != n_rows or not array.shape[1]:
        raise ValueError(
            f"transform must return shape (n_curves, n_columns) with n_curves = {n_rows}, but "
            f"returned {array.shape}"
        )
    largest = float(np.abs(array).max(initial=0))
    # Of two rows, the squared distance is at most 4 n_columns times the square of the largest.
    if largest > 0.5 * np.sqrt(float(np.finfo(array.dtype).max) / array.shape[1]):
        raise ValueError(
            f"transform must return values whose squared distances are finite in {array.dtype}, "
            f"but returned values up to {largest:.3g}"
        )
    return array


def checked_predictions(
    found: Any, n_rows: int, n_targets: int | None = None
) -> npt.NDArray[np.floating]:
    """What `predict` of a regressor returned, as an array of shape (n_rows,), or raise.

    With a number of targets, shape (n_rows, n_targets).
    """
    array = _checked_numbers(found, "predict")
    if n_targets is not None and array.size == n_rows * n_targets == n_rows:
        array = array.reshape(n_rows, 1)
    shapes = ((n_rows,), (n_rows, 1)) if n_targets is None else ((n_rows, n_targets),)
    if array.shape not in shapes:
        wanted = "(n_curves,)" if n_targets is None else f"(n_curves, {n_targets})"
        raise ValueError(
            f"predict must return shape {wanted} with n_curves = {n_rows}, but returned "
            f"{array.shape}"
        )
    return array.reshape(n_rows) if n_targets is None else array


def reason_of(error: Exception) -> str:
    """Kind and text of an exception, in one line.

    Raises
    ------
    InputError
        If a setting of the environment is its cause: it would hit the other models, too.
    """
    refuse_environment(error)
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")


def _checked_numbers(found: Any, method: str) -> npt.NDArray[np.floating]:
    refuse_masked(f"what {method} returned", found)
    array = np.asarray(found.toarray() if hasattr(found, "toarray") else found)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{method} must return numbers, but returned dtype {array.dtype}")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    n_bad = int(np.sum(~np.isfinite(array)))
    if n_bad:
        raise ValueError(f"{method} returned {n_bad} values that are NaN or infinite")
    return array
