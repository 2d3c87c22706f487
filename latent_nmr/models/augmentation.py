"""What a spectrometer does to an echo, drawn again for every row and epoch, on the device.

Rows are |M| of echoes, centred on their tops. |M| + noise is not |M + noise|, so that a row is made
complex, disturbed, and its length taken again.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from latent_nmr._band import band_response
from latent_nmr._echo_top import centred, find_top, over_height

AUGMENTATIONS = ("spectrometer", "spectrometer-m0")
# Height of the echo over the noise of one channel: those of measured echoes, and up to none.
LEAST_SNR, MOST_SNR = 3.0, 300.0
# Half width of the band that is kept, over half the sampling rate: 0.05 MHz to all of it on the
# grid of `paper`, narrower ones being no wider than an echo's spectrum.
LEAST_BAND = 0.015
# Standard deviations: of a carrier's error, turns per sample (3 kHz at 0.16 µs), and of what an
# offset that was subtracted leaves, over the noise.
CARRIER_ERROR, LEVEL_ERROR = 5e-4, 0.1
# Parts of the rows that lack samples at the beginning: some, and all but a few before the top.
DEAD_TIME, HALF_ECHO, EARLY_END = 0.25, 0.15, 0.2


class Quality(NamedTuple):
    """How rows were measured.

    Attributes
    ----------
    noise : shape (n_rows,)
        Standard deviation of one channel, after the band limit, over the row's height.
    band : shape (n_rows,)
        Half width of the band, over half the sampling rate; 1.25 or more is all of it.
    measured : bool, shape (n_rows, n_samples)
        Samples about the top that there are.
    level : shape (n_rows,)
        Standard deviation, of one channel, of what is left of an offset, over the row's height.
    level_turns : shape (n_rows,)
        Turns per sample of that offset, which mixing down sets turning.
    delay : int, shape (n_rows,), or None
        Samples from 2τ to the top, where 2τ is known: the top of what was measured is looked for
        about 2τ. None looks for it about the top itself.
    """

    noise: jax.Array
    band: jax.Array
    measured: jax.Array
    level: jax.Array
    level_turns: jax.Array
    delay: jax.Array | None = None


def draw_quality(key: jax.Array, n_rows: int, n_samples: int) -> Quality:
    """Draw how rows are measured."""
    keys = jax.random.split(key, 6)
    snr = _log_uniform(keys[0], n_rows, LEAST_SNR, MOST_SNR)
    band = _log_uniform(keys[1], n_rows, LEAST_BAND, 1.5)
    middle = n_samples // 2
    kind = jax.random.uniform(keys[2], (n_rows,))
    dead = jax.random.randint(keys[3], (n_rows,), 0, middle)
    half = jax.random.randint(keys[4], (n_rows,), middle - n_samples // 12, middle + 1)
    late = jnp.where(kind < DEAD_TIME + HALF_ECHO, dead, 0)
    first = jnp.where(kind < HALF_ECHO, half, late)[:, None]
    is_cut, end = jax.random.uniform(keys[5], (2, n_rows))
    cut = middle + n_samples // 6 + (end * (n_samples // 3)).astype(int)
    stop = jnp.where(is_cut < EARLY_END, cut, n_samples)[:, None]
    steps = jnp.arange(n_samples)[None]
    measured = (steps >= first) & (steps < stop)
    return Quality(1 / snr, band, measured, LEVEL_ERROR / snr, jnp.zeros(n_rows))


def spectrometer(key: jax.Array, rows: jax.Array, quality: Quality, *, knows_gain: bool):
    r"""Rows as measured: \|M exp(i(2πft + φ)) + offset + noise\| in a band, and centred again.

    Parameters
    ----------
    key : Array
    rows : Array, shape (n_rows, n_samples)
        |M| over any gain, the top in the middle; negative where M points against its top, so that
        a band limit adds what is there.
    quality : Quality
    knows_gain : bool
        Whether rows keep their scale; otherwise they are divided by their height.

    Returns
    -------
    rows : Array, shape (n_rows, n_samples)
        Nought where nothing was measured.
    measured : Array of bool, shape (n_rows, n_samples)
    """
    return as_measured(disturb(key, rows), quality, knows_gain=knows_gain)


class Disturbance(NamedTuple):
    """What is drawn for rows before it is said how they are measured.

    Attributes
    ----------
    signal, white : Array, shape (n_rows, 2 n_samples)
        Spectra of the rows with carrier and phase, and of white noise of one per channel.
    level : Array, shape (n_rows, 1)
        Of an offset, of one per channel.
    height : Array, shape (n_rows, 1)
        Of the echo.
    """

    signal: jax.Array
    white: jax.Array
    level: jax.Array
    height: jax.Array


def disturb(key: jax.Array, rows: jax.Array) -> Disturbance:
    """Draw carrier, phase, time of samples, offset and noise of rows, for `spectrometer`."""
    n_rows, n_samples = rows.shape
    keys = jax.random.split(key, 5)
    steps = jnp.arange(n_samples)
    turns = CARRIER_ERROR * jax.random.normal(keys[0], (n_rows, 1)) * (steps - n_samples // 2)[None]
    phase = jax.random.uniform(keys[1], (n_rows, 1))
    signal = rows * jnp.exp(2j * math.pi * (turns + phase))
    # Twice as many, so that what a filter sees beyond the ends is no other end.
    white = _complex_normal(keys[2], (n_rows, 2 * n_samples))
    pad = n_samples // 2
    padded = jnp.pad(signal, ((0, 0), (pad, n_samples - pad)), mode="edge")
    # The samples of a record stand anywhere between those of the model.
    late = jax.random.uniform(keys[4], (n_rows, 1), minval=-0.5, maxval=0.5)
    moved = jnp.exp(2j * math.pi * late * _frequencies(n_samples))
    return Disturbance(
        jnp.fft.fft(padded) * moved,
        jnp.fft.fft(white),
        _complex_normal(keys[3], (n_rows, 1)),
        find_top(jnp.abs(rows)).height[:, None],
    )


def as_measured(drawn: Disturbance, quality: Quality, *, knows_gain: bool):
    """Disturbed rows in a band and with noise of this quality, for `spectrometer`."""
    n_samples = drawn.signal.shape[1] // 2
    response = band_response(2 * _frequencies(n_samples), quality.band[:, None])
    noise = quality.noise[:, None] * drawn.height
    noise /= jnp.sqrt(jnp.mean(response**2, axis=1, keepdims=True))
    pad = n_samples // 2
    spectrum = (drawn.signal + noise * drawn.white) * response
    filtered = jnp.fft.ifft(spectrum)[:, pad : pad + n_samples]
    level = quality.level[:, None] * drawn.height * drawn.level
    turns = quality.level_turns[:, None] * jnp.arange(n_samples)[None]
    level *= jnp.exp(2j * math.pi * turns)
    due = None if quality.delay is None else n_samples // 2 - quality.delay
    return recentred(jnp.abs(filtered + level), quality.measured, due, knows_gain=knows_gain)


def recentred(
    rows: jax.Array, measured: jax.Array, due: jax.Array | None = None, *, knows_gain: bool
):
    """Rows about their tops, as features of measured echoes have them, and what was measured.

    `due`, of shape (n_rows,), is the sample about which the top is looked for: by default the
    middle one.
    """
    top = find_top(rows, measured, middle=due)
    marked = jnp.where(measured, rows, jnp.zeros((1, 1), rows.dtype))
    moved, _ = centred(marked, top.sample, rows.shape[1])
    marks = centred(measured.astype(rows.dtype), top.sample, rows.shape[1])[0] > 0
    found = jnp.minimum(moved, jnp.ones((1, 1), rows.dtype))
    if not knows_gain:
        found = over_height(moved, top.height)
    return found, marks


def augmented(key: jax.Array, rows: jax.Array, kind: str) -> jax.Array:
    """Rows as one of `AUGMENTATIONS` draws them."""
    quality_key, own = jax.random.split(key)
    quality = draw_quality(quality_key, *rows.shape)
    return spectrometer(own, rows, quality, knows_gain=kind == "spectrometer-m0")[0]


def _frequencies(n_samples: int) -> jax.Array:
    """Of the spectra of rows twice as long, turns per sample; shape (1, 2 n_samples)."""
    return jnp.asarray(np.fft.fftfreq(2 * n_samples)[None].astype(np.float32))


def _log_uniform(key: jax.Array, n_rows: int, low: float, high: float) -> jax.Array:
    place = jax.random.uniform(key, (n_rows,))
    return low * (high / low) ** place


def _complex_normal(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    real, imaginary = jax.random.normal(key, (2, *shape))
    return real + 1j * imaginary
