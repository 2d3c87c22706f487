"""The range that decoded rows have, [0, 1], and data beyond it."""

import warnings

import numpy.typing as npt

from latent_nmr._rounding import beyond, cut, rounding_of
from latent_nmr.errors import InputError, RangeWarning


def checked(X: npt.NDArray, given: object, likelihood: str) -> npt.NDArray:
    """Return rows that a likelihood can score: for Bernoulli, inside [0, 1].

    Parameters
    ----------
    X : ndarray, shape (n_rows, n_features)
    given : array-like
        What `X` was converted from; its precision says what may be rounding.
    likelihood : {"gaussian", "bernoulli"}

    Raises
    ------
    InputError
        If a value lies outside by more than rounding; what lies outside by rounding is cut.
    """
    if likelihood != "bernoulli":
        return X
    worst = beyond(X, 0, 1, rounding_of(given))
    if worst is not None:
        raise InputError(
            f"X must lie in [0, 1] for the Bernoulli likelihood, but holds {worst:.7g}. "
            "Scale it, or use likelihood='gaussian'."
        )
    return cut(X, 0, 1)


def warn_of_values_beyond(X: npt.NDArray, given: object, *, stacklevel: int) -> None:
    """Warn of rows that leave [0, 1] by more than rounding, which decoded rows cannot."""
    if beyond(X, 0, 1, rounding_of(given)) is not None:
        warnings.warn(
            f"X should lie in [0, 1], because decoded rows do, but spans {X.min():.7g} to "
            f"{X.max():.7g}: what lies outside is not reconstructed. Scale it, for example "
            "with MinMaxScaler.",
            RangeWarning,
            stacklevel=stacklevel,
        )
