"""Rows through the network in pieces of one size, so that little is compiled."""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings
from latent_nmr.errors import InputError, check_number
from latent_nmr.models.posterior.mixture import Mixture, log_density, log_kernel
from latent_nmr.models.posterior.network import PosteriorShape
from latent_nmr.models.posterior.receiver import Conditions
from latent_nmr.models.posterior.training import PIECE, apply, network_inputs

FloatArray = npt.NDArray[np.float64]


def conditions_of(
    n_rows: int, flip_angle_deg: npt.ArrayLike, phase: npt.ArrayLike, snr: npt.ArrayLike
) -> Conditions:
    """Conditions of rows, checked; arguments as of `EchoPosterior.sample`."""
    angles = per_row("flip_angle_deg", flip_angle_deg, n_rows, above=0, at_most=180)
    trusted = per_row("phase", phase, n_rows, at_least=0, at_most=1)
    half = trusted[(trusted > 0) & (trusted < 1)]
    if half.size:
        raise InputError(
            f"phase must be True or False, but is {half[0]:g} somewhere. Round it to one of them."
        )
    return Conditions(np.radians(angles), trusted, per_row("snr", snr, n_rows, above=0))


def mixtures_by_piece(
    shape: PosteriorShape, state: Any, principal: Any, X: npt.NDArray[np.float32], given: Conditions
) -> Iterator[tuple[slice, Mixture]]:
    """Posteriors of pieces of rows, with the rows that they are of.

    One row alone, as of a measured echo, is a piece of its own.
    """
    size = PIECE if len(X) > 1 else 1
    for start in range(0, len(X), size):
        rows = slice(start, min(start + size, len(X)))
        n_rows = rows.stop - rows.start
        padding = (0, size - n_rows)
        with own_settings():
            own = Conditions(
                *(
                    jnp.asarray(np.pad(part[rows], padding, mode="edge"), jnp.float32)
                    for part in given
                )
            )
            piece = jnp.asarray(np.pad(X[rows], (padding, (0, 0)), mode="edge"))
            found = apply(state, principal, piece, own, shape=shape)
        yield rows, Mixture(*(np.asarray(part)[:n_rows] for part in found))


def inputs_by_piece(
    shape: PosteriorShape, principal: Any, X: npt.NDArray[np.float32], given: Conditions
) -> npt.NDArray[np.float32]:
    """What the network takes of rows, shape (n_rows, n_inputs)."""
    found = []
    for start in range(0, len(X), PIECE):
        rows = slice(start, start + PIECE)
        with own_settings():
            own = Conditions(*(jnp.asarray(part[rows], jnp.float32) for part in given))
            found.append(np.asarray(network_inputs(principal, X[rows], own, shape=shape)))
    return np.concatenate(found)


def log_joint(mixture: Mixture, kernel: npt.NDArray[np.int64], scores: FloatArray) -> FloatArray:
    """log p(kernel, u | row) of one material per row, shape (n_rows,)."""
    with own_settings():
        inside = log_density(mixture, jnp.asarray(kernel), jnp.asarray(scores))
        shares = np.asarray(log_kernel(mixture), np.float64)
    return np.asarray(inside, np.float64) + shares[np.arange(len(shares)), kernel]


def per_row(name: str, values: npt.ArrayLike, n_rows: int, **rule: Any) -> FloatArray:
    """One number per row, checked; infinity is allowed where no bound forbids it."""
    try:
        found = np.asarray(values, np.float64)
        found = np.broadcast_to(found, (n_rows,)) if found.ndim < 2 else found
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.shape != (n_rows,):
        raise InputError(
            f"{name} must be one number, or one for each of the {n_rows} rows, but is "
            f"{values!r:.60}. Give one number for all."
        )
    for value in np.unique(found):
        if not (value == np.inf and "at_most" not in rule):
            check_number(name, float(value), **rule)
    return found
