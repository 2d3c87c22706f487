"""Simulated echoes measured as a record was: the same noise, band and missing samples."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr.models.augmentation import Quality, spectrometer

# Rows at a time: one shape to compile for, and little memory.
ROWS_AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Conditions:
    """How one record was measured.

    Attributes
    ----------
    noise : float
        Standard deviation of one channel over the height of the echo.
    noise_error : float
        Its relative standard error: that much it is varied by among the simulated.
    band : float
        Half width of the band over half the sampling rate.
    measured : ndarray of bool, shape (n_window,)
        Samples about the top that there are.
    level : float
        Standard deviation of what is left of an offset, of one channel, over the height.
    level_turns : float
        Turns per sample of that offset.
    """

    noise: float
    noise_error: float
    band: float
    measured: npt.NDArray[np.bool_]
    level: float = 0.0
    level_turns: float = 0.0


@own_settings()
def measured_alike(
    rows: npt.NDArray[np.floating], conditions: Conditions, seed: int, *, knows_gain: bool
) -> npt.NDArray[np.float32]:
    """Rows under those conditions, as a model of measured echoes sees them.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_window)
        |M| about the top, without noise.
    conditions : Conditions
    seed : int
    knows_gain : bool

    Returns
    -------
    ndarray of float32, shape (n_rows, n_window)
    """
    n_rows, n_window = rows.shape
    key = seed_key(seed)
    spread = np.random.default_rng(seed).standard_normal(n_rows)
    noise = conditions.noise * np.exp(conditions.noise_error * spread)
    found = np.empty((n_rows, n_window), np.float32)
    for number, start in enumerate(range(0, n_rows, ROWS_AT_ONCE)):
        own = slice(start, start + ROWS_AT_ONCE)
        short = ROWS_AT_ONCE - len(rows[own])
        padded = np.pad(rows[own].astype(np.float32), ((0, short), (0, 0)), mode="wrap")
        quality = Quality(
            jnp.asarray(np.pad(noise[own], (0, short), mode="wrap"), jnp.float32),
            jnp.full(ROWS_AT_ONCE, conditions.band, jnp.float32),
            jnp.broadcast_to(jnp.asarray(conditions.measured), padded.shape),
            jnp.full(ROWS_AT_ONCE, conditions.level, jnp.float32),
            jnp.full(ROWS_AT_ONCE, conditions.level_turns, jnp.float32),
        )
        made = _spectrometer(jax.random.fold_in(key, number), padded, quality, knows_gain)
        found[own] = np.asarray(made)[: len(rows[own])]
    return found


@partial(jax.jit, static_argnums=3)
def _spectrometer(key, rows, quality, knows_gain):
    return spectrometer(key, rows, quality, knows_gain=knows_gain)[0]
