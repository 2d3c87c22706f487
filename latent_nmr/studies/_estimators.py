"""Estimators of any origin: seeded copies, and what must hold for the arrays that they return."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from latent_nmr._environment import refuse_environment
from latent_nmr._masks import refuse_masked


def seeded(estimator: Any, seed: int) -> Any:
    """An unfitted copy; every parameter `random_state`, of its parts too, is `seed`."""
    copy = clone(estimator)
    names = [
        name
        for name in (copy.get_params() if hasattr(copy, "get_params") else ())
        if name == "random_state" or name.endswith("__random_state")
    ]
    return copy.set_params(**dict.fromkeys(names, seed)) if names else copy


def checked_coordinates(found: Any, n_rows: int) -> npt.NDArray[np.floating]:
    """What `transform` returned, as an array of shape (n_rows, n_columns), or raise ValueError."""
    array = _checked_numbers(found, "transform")
    if array.ndim != 2 or len(array) != n_rows or not array.shape[1]:
        raise ValueError(
            f"transform must return shape (n_curves, n_columns) with n_curves = {n_rows}, but "
            f"returned {array.shape}"
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
    array = np.asarray(found)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{method} must return numbers, but returned dtype {array.dtype}")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    n_bad = int(np.sum(~np.isfinite(array)))
    if n_bad:
        raise ValueError(f"{method} returned {n_bad} values that are NaN or infinite")
    return array
