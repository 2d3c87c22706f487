"""What a receiver makes of an echo, drawn again for every row and epoch, and what is read off it.

Two kinds of rows. Of `record` they are the means of a few neighbouring samples of whole records,
real parts and then imaginary parts, over |M(0)|; noise and an error of the carrier are drawn on
them, they are divided by their own first column as a measured record would be, and what is read
off does not depend on the receiver's phase. Of `spectrometer` they are |M| about the top of the
echo, as :mod:`latent_nmr.models.augmentation` has them.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from latent_nmr.models.augmentation import draw_quality, spectrometer

RECEIVERS = ("record", "spectrometer")
RECORD, SPECTROMETER = RECEIVERS
# Height of M(0), or of the top of the echo, over the noise of one column and channel.
SNR_RANGES = {RECORD: (10.0, 2000.0), SPECTROMETER: (3.0, 300.0)}
# Columns over which the phase advances; where a = |M(t)| |M(t + lag)| is this, it has half weight.
LAG, WEIGHT_FLOOR = 4, 0.002


# Numbers that say how a row was measured.
N_COLUMNS = 5


class Conditions(NamedTuple):
    """How echoes were measured, arrays of shape (n_rows,).

    Attributes
    ----------
    flip_angle : Array
        θ of the first pulse, rad.
    phase : Array
        1 where the phase is trusted, else 0.
    snr : Array
        Height of M(0), or of the top of the echo, over the standard deviation of one column in one
        channel.
    """

    flip_angle: Any
    phase: Any
    snr: Any

    def columns(self, receiver: str) -> jax.Array:
        """Numbers of order 1 for a network, shape (n_rows, 5)."""
        low, high = SNR_RANGES[receiver]
        place = jnp.log(jnp.clip(self.snr, low, high) / low) / np.log(high / low)
        angles = jnp.cos(self.flip_angle), jnp.sin(self.flip_angle), jnp.cos(2 * self.flip_angle)
        return jnp.stack([*angles, self.phase, 2 * place - 1], axis=1)


def draw_conditions(
    key: jax.Array, flip_angles: jax.Array, receiver: str, phase_share: float
) -> Conditions:
    """Draw how rows are measured; the part `phase_share` of them with a trusted phase."""
    snr_key, phase_key = jax.random.split(key)
    low, high = SNR_RANGES[receiver]
    snr = low * (high / low) ** jax.random.uniform(snr_key, flip_angles.shape)
    phase = (jax.random.uniform(phase_key, flip_angles.shape) < phase_share).astype(jnp.float32)
    return Conditions(flip_angles, phase, snr)


def disturbed(
    key: jax.Array, rows: jax.Array, conditions: Conditions, receiver: str, carrier_error: float
) -> jax.Array:
    """Rows with the receiver's noise, shape as that of `rows`.

    Parameters
    ----------
    key : Array
    rows : Array, shape (n_rows, n_columns)
    conditions : Conditions
    receiver : str
    carrier_error : float
        Standard deviation of the carrier's error, turns per column.
    """
    if receiver == SPECTROMETER:
        quality_key, own = jax.random.split(key)
        quality = draw_quality(quality_key, *rows.shape)._replace(noise=1 / conditions.snr)
        return spectrometer(own, rows, quality, knows_gain=False)[0]
    noise_key, carrier_key = jax.random.split(key)
    noisy = rows + jax.random.normal(noise_key, rows.shape) / conditions.snr[:, None]
    if not carrier_error:
        return noisy
    real, imaginary = jnp.split(noisy, 2, axis=1)
    steps = jnp.arange(real.shape[1])[None]
    turns = carrier_error * jax.random.normal(carrier_key, (len(rows), 1)) * steps
    turned = (real + 1j * imaginary) * jnp.exp(2j * np.pi * turns)
    return jnp.concatenate([turned.real, turned.imag], axis=1)


def n_read_off(n_columns: int, receiver: str) -> tuple[int, int]:
    """Numbers of what is read off rows without a phase, and with one beside it."""
    if receiver == SPECTROMETER:
        return n_columns, 0
    n_samples = n_columns // 2
    return n_samples, len(range(0, n_samples - LAG, 2)) + 2 * (n_samples // 2)


def read_off(rows: jax.Array, receiver: str) -> tuple[jax.Array, jax.Array]:
    """Amplitudes, and what says how the phase goes: local frequencies, and M turned to begin at 0.

    Returns
    -------
    amplitudes : Array, shape (n_rows, n_amplitudes)
    phases : Array, shape (n_rows, n_phases)
        None of either depends on the receiver's phase and gain.
    """
    if receiver == SPECTROMETER:
        return rows, jnp.zeros((len(rows), 0), rows.dtype)
    real, imaginary = jnp.split(rows, 2, axis=1)
    signal = real + 1j * imaginary
    first = signal[:, :1]
    # Over its first column: gain and phase are gone.
    signal = signal * jnp.conj(first) / jnp.maximum(jnp.abs(first) ** 2, 1e-12)
    advance = signal[:, LAG:] * jnp.conj(signal[:, :-LAG])
    size = jnp.abs(advance)
    frequency = size / (size + WEIGHT_FLOOR) * jnp.angle(advance) / np.pi
    n_pairs = signal.shape[1] // 2
    pairs = signal[:, : 2 * n_pairs].reshape(-1, n_pairs, 2).mean(axis=2)
    phases = jnp.concatenate([frequency[:, ::2], pairs.real, pairs.imag], axis=1)
    return jnp.abs(signal), phases
