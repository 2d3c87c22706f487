"""What `EchoFeatures` is given: curves of one protocol or of several, checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._columns import rows_of
from latent_nmr._masks import refuse_masked
from latent_nmr._rounding import cut, rounding_of
from latent_nmr.data.feature_layout import part_name
from latent_nmr.data.polar import Polar
from latent_nmr.data.protocols import (
    PROTOCOL,
    KnownProtocol,
    are_alike,
    known_protocols,
    protocol_text,
)
from latent_nmr.errors import InputError

# Precisions that are kept; any other number becomes the double one of its kind.
KEPT_DTYPES = (np.float32, np.float64, np.complex64, np.complex128)


def checked_rows(X, part: str | Polar) -> npt.NDArray:
    """Return `X` as curves of a part, or raise."""
    given, X = X, as_numbers(X, "X")
    if np.iscomplexobj(X):
        return X
    if part != "magnitude":
        raise InputError(
            f"X must be complex for part={part_name(part)!r}, but is real ({X.dtype}). Give "
            "mx + 1j * my, or use part='magnitude', which also takes |M|."
        )
    # Arithmetic such as a scaler's and its inverse leaves zeros at -1e-9.
    negative = np.argwhere(-rounding_of(given) * abs(X).max() > X)
    if len(negative):
        row, *_, sample = negative[0]
        raise InputError(
            "a real X must be |M|, which is never negative, but is "
            f"{X[tuple(negative[0])]:g} in row {row} at sample {sample}. Give complex curves, "
            "mx + 1j * my."
        )
    return cut(X, 0, np.inf)


def as_numbers(values, name: str) -> npt.NDArray:
    """Return a finite table of at least one row, in a precision that is kept, or raise."""
    refuse_masked(name, values)
    values = np.asarray(values)
    if values.ndim not in (2, 3 if name == "X" else 2) or not values.size:
        raise InputError(
            f"{name} must have the shape (n_curves, n_time) with at least one curve, but has shape "
            f"{values.shape}. Give one row per curve; a single one as curve[np.newaxis]."
        )
    if values.dtype.kind not in "iufc":
        raise InputError(
            f"{name} must hold numbers, but its dtype is {values.dtype}. Convert it first."
        )
    dtype = values.dtype.newbyteorder("=")
    if dtype not in KEPT_DTYPES:
        dtype = np.complex128 if dtype.kind == "c" else np.float64
    values = values.astype(dtype, copy=False)
    bad = ~np.isfinite(values)
    if bad.any():
        row, *_, sample = place = np.argwhere(bad)[0]
        n_rows = int(bad.reshape(len(bad), -1).any(axis=1).sum())
        raise InputError(
            f"{name} must be finite, but is {values[tuple(place)]} in row {row} at column {sample} "
            f"({n_rows} such rows). Drop or repair these rows."
        )
    return values


def given_rows(estimator: Any, X: Any, *, reset: bool = False) -> Any:
    """:func:`rows_of`, also for several protocols, which come back as (curve, protocol, time)."""
    dims = getattr(X, "dims", ())
    if len(dims) == 3 and {*dims} == {"curve", PROTOCOL, "time"}:
        X = X.transpose("curve", PROTOCOL, "time")
        refuse_masked("X", X)
        rows_of(estimator, one_protocol(X), reset=reset)  # minds the times
        if not reset:
            check_same_protocols(X, getattr(estimator, "_protocols", []))
        return X
    return rows_of(estimator, X, reset=reset)


def check_same_protocols(X: Any, fitted: Sequence[KnownProtocol]) -> None:
    """Raise `InputError` for named protocols other than those of the fit, if these were named."""
    found = protocols_of(X, X.sizes[PROTOCOL])
    numbers = [str(number + 1) for number in range(len(fitted))]
    is_named = PROTOCOL in X.coords and [own.name for own in fitted] != numbers
    if is_named and len(found) == len(fitted) and not are_alike(found, fitted):
        names = [own.name for own in fitted]
        raise InputError(
            f"X must have the protocols of the fit, {protocol_text(fitted)}, in that order, but "
            f"has {protocol_text(found)}. Select them: X.sel(protocol={names})."
        )


def one_protocol(X: Any) -> Any:
    """One protocol of an array of xarray that has several."""
    return X.isel({PROTOCOL: 0}) if PROTOCOL in getattr(X, "dims", ()) else X


def split_protocols(X: npt.NDArray) -> list[npt.NDArray]:
    """Curves of each protocol, or of the one there is, each of shape (n_curves, n_time)."""
    return [X] if X.ndim == 2 else list(X.swapaxes(0, 1))


def as_table(given: Any) -> Any:
    """What is given, as scikit-learn counts its columns: those of all protocols side by side."""
    return given if getattr(given, "ndim", 2) < 3 else np.asarray(given).reshape(len(given), -1)


def protocols_of(given: Any, n_protocols: int) -> list[KnownProtocol]:
    """What an array of xarray knows of its protocols; of others, numbers from 1."""
    coords: Any = getattr(given, "coords", {})
    if PROTOCOL in coords and coords[PROTOCOL].dims == (PROTOCOL,):
        return list(known_protocols(coords.to_dataset()))
    return [KnownProtocol(str(number + 1)) for number in range(n_protocols)]


def components(X: npt.NDArray) -> tuple[npt.NDArray, ...]:
    """Real and imaginary part, or |M| alone."""
    return (np.real(X), np.imag(X)) if np.iscomplexobj(X) else (X,)
