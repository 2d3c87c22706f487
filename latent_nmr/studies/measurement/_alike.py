"""Simulated echoes measured as a record was: the same noise, band and missing samples."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr.models.augmentation import Quality, as_measured, disturb

# Rows at a time, of many and of few: two shapes to compile for, and little memory.
ROWS_AT_ONCE, FEW = 1024, 8


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
    knows_due : bool
        Whether the top was looked for about 2τ, and not about the highest point.
    """

    noise: float
    noise_error: float
    band: float
    measured: npt.NDArray[np.bool_]
    level: float = 0.0
    level_turns: float = 0.0
    knows_due: bool = False


class Drawn:
    """Rows with a disturbance each, which are then measured in any way.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_window)
        |M| about the top, without noise.
    seed : int
    delays : ndarray of int, shape (n_rows,), optional
        Samples from 2τ to the tops of the rows; used if conditions know 2τ.
    """

    @own_settings()
    def __init__(
        self,
        rows: npt.NDArray[np.floating],
        seed: int,
        delays: npt.NDArray[np.integer] | None = None,
    ):
        self.n_rows, self.n_window = rows.shape
        self._size = FEW if self.n_rows <= FEW else ROWS_AT_ONCE
        n_pieces = -(-self.n_rows // self._size)
        self._wrapped = np.arange(n_pieces * self._size).reshape(n_pieces, -1) % self.n_rows
        self._spread = np.random.default_rng(seed).standard_normal(self.n_rows)
        delays = np.zeros(self.n_rows) if delays is None else delays
        self._delays = delays.astype(np.int32)
        key = seed_key(seed)
        self._drawn = [
            _disturb(jax.random.fold_in(key, number), rows[own].astype(np.float32))
            for number, own in enumerate(self._wrapped)
        ]

    @own_settings()
    def measured(self, conditions: Conditions, *, knows_gain: bool) -> npt.NDArray[np.float32]:
        """Rows under those conditions, as a model of measured echoes sees them.

        Returns
        -------
        ndarray of float32, shape (n_rows, n_window)
        """
        noise = conditions.noise * np.exp(conditions.noise_error * self._spread)
        delays = self._delays if conditions.knows_due else np.zeros_like(self._delays)
        marks = np.broadcast_to(conditions.measured, (self._size, self.n_window))
        same = np.ones(self._size, np.float32)
        found = []
        for drawn, own in zip(self._drawn, self._wrapped, strict=True):
            quality = Quality(
                jnp.asarray(noise[own], jnp.float32),
                jnp.asarray(conditions.band * same),
                jnp.asarray(marks),
                jnp.asarray(conditions.level * same),
                jnp.asarray(conditions.level_turns * same),
                jnp.asarray(delays[own]),
            )
            found.append(np.asarray(_as_measured(drawn, quality, knows_gain)))
        return np.concatenate(found)[: self.n_rows]


_disturb = jax.jit(disturb)


@partial(jax.jit, static_argnums=2)
def _as_measured(drawn, quality, knows_gain):
    return as_measured(drawn, quality, knows_gain=knows_gain)[0]
