r"""Rotation of spins about their momentarily frozen local fields, and the signal during it.

Notation: s spin, b field as a rotation vector in rad per interval, so that
:math:`\dot{\mathbf s} = \mathbf s \times \mathbf b` and time counts intervals; θ = k|b| the
angle of k intervals. Vectors are arrays of shape (3, n_edge, n_edge). With

.. math:: \mathbf A = \mathbf s \times \mathbf b, \qquad \mathbf C = \mathbf b \times \mathbf A,

Rodrigues' formula for k intervals is s + k f₁ A − k² f₂ C, and the average over them on the way is
s + k f₂ A − k² f₃ C, where f₁ = sin θ/θ, f₂ = (1 − cos θ)/θ² and f₃ = (θ − sin θ)/θ³. All three
are even and smooth in θ: power series in θ² need neither a square root nor a division, and the
theorems of the doubled angle lead from a small one to any.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

# Takes what was noted before, the number of intervals and the mean spin after them, shape (3,).
Note = Callable[[Any, jax.Array | int, jax.Array], Any]

# Largest angle (rad) of the power series: each term is then smaller than the one before.
SERIES_MAX_ANGLE = 2.0
# Doublings of rotations come in a few numbers, so that curves share a few compiled programs: up to
# 16 rad and 64 rad. Each doubles the rounding errors; angles beyond are left to sines and cosines.
DOUBLINGS, BEYOND = (3, 5), 6


def cross(a: jax.Array, b: jax.Array) -> jax.Array:
    """a × b, of vectors along the first axis."""
    return jnp.stack(
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    )


def squared_length(a: jax.Array) -> jax.Array:
    """|a|²."""
    return a[0] * a[0] + a[1] * a[1] + a[2] * a[2]


def n_terms(max_angle: float, first_factorial: int, resolution: float) -> int:
    """Terms that Σ_k (−x)^k / (2k + f)! needs up to √x = `max_angle`.

    The series alternates, so what is left out is smaller than the first term left out; that one
    is brought below `resolution` times the first.
    """
    k, ratio = 0, 1.0
    while ratio > resolution:
        k += 1
        ratio *= max_angle**2 / ((2 * k + first_factorial) * (2 * k + first_factorial - 1))
    return max(k, 2)


def n_doublings(max_angle: float) -> int:
    """Doublings that lead from the series to angles up to `max_angle`, rad; else BEYOND."""
    return next((n for n in DOUBLINGS if max_angle <= SERIES_MAX_ANGLE * 2**n), BEYOND)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def sine_like(x: jax.Array, doublings: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """f₁ = sin θ/θ, f₂ = (1 − cos θ)/θ² and f₃ = (θ − sin θ)/θ³ of x = θ².

    Parameters
    ----------
    x : Array
        θ², not negative, up to (2 · 2^doublings)², or of any size for BEYOND.
    doublings : int
        How often a small angle is doubled, see :func:`n_doublings`.

    Returns
    -------
    f1, f2, f3 : Array
    """
    return _with_slopes(x, doublings)[0]


@sine_like.defjvp
def _slope(doublings, primals, tangents):
    # Written out: the compiler takes long for what is differentiated through all doublings.
    (x,) = primals
    values, slopes = _with_slopes(x, doublings)
    return values, tuple(slope * tangents[0] for slope in slopes)


Three = tuple[jax.Array, jax.Array, jax.Array]


def _with_slopes(x: jax.Array, doublings: int) -> tuple[Three, Three]:
    """f₁, f₂ and f₃ with their derivatives (m f_{m+2} − f_{m+1})/2."""
    if doublings == BEYOND:
        f1, f2, f3, f4, f5 = _closed_forms(x)
    else:
        x = x * 0.25**doublings
        f2, f3, f4, f5 = (_series(x, order) for order in (2, 3, 4, 5))
        for _ in range(doublings):
            # Without a difference of like terms, except in f₁, whose zeros are meant.
            f1 = 1 - x * f3
            f4, f5 = f3 * (1 + f1) / 8, (f4 + f5 + f2 * f3) / 16
            f2, f3, x = f1 * f1 / 2, (f3 + f1 * f2) / 4, 4 * x
        f1 = 1 - x * f3
    return (f1, f2, f3), ((f3 - f2) / 2, f4 - f3 / 2, (3 * f5 - f4) / 2)


def _closed_forms(x: jax.Array) -> tuple[jax.Array, ...]:
    """f₁ to f₅ by sine and cosine; the series where these would cancel."""
    near = x < 1
    safe = jnp.where(near, 1.0, x)
    angle = jnp.sqrt(safe)
    f1, f2 = jnp.sin(angle) / angle, (1 - jnp.cos(angle)) / safe
    f3 = (1 - f1) / safe
    far = f1, f2, f3, (1 / 2 - f2) / safe, (1 / 6 - f3) / safe
    small = jnp.where(near, x, 0.0)
    series = (_series(small, order) for order in range(1, 6))
    return tuple(jnp.where(near, *pair) for pair in zip(series, far, strict=True))


def _series(x: jax.Array, order: int) -> jax.Array:
    """Σ_k (−x)^k / (2k + order)! up to √x = SERIES_MAX_ANGLE, to rounding."""
    resolution = float(jnp.finfo(x.dtype).eps) / 2
    total = jnp.zeros_like(x)
    for k in reversed(range(n_terms(SERIES_MAX_ANGLE, order, resolution))):
        total = total * x + (-1) ** k / math.factorial(2 * k + order)
    return total


def mean_on_the_way(
    spins: jax.Array, field: jax.Array, unity: jax.Array, n: jax.Array | float, doublings: int
) -> jax.Array:
    r"""Average of a spin over n intervals of its rotation, (1/n) ∫₀ⁿ s(τ) dτ; s itself for n = 0.

    Parameters
    ----------
    spins, field : Array, shape (3, n_edge, n_edge)
        s, and b in rad per interval.
    unity : Array, shape ()
        1, known at run time only; see :func:`held`.
    n : Array or float
        May be known at run time only.
    doublings : int
        For the largest n|b| that occurs, see :func:`n_doublings`.
    """
    along = cross(spins, field)
    _, f2, f3 = sine_like(squared_length(field) * n**2, doublings)
    first, second = held((n * f2, n**2 * f3), unity)
    return spins + first[None] * along - second[None] * cross(field, along)


def turned(
    spins: jax.Array, field: jax.Array, unity: jax.Array, n: jax.Array | float, doublings: int
) -> jax.Array:
    """Spins after n intervals of rotation; |s| is conserved to rounding error for any field.

    Parameters as those of :func:`mean_on_the_way`.
    """
    along = cross(spins, field)
    f1, f2, _ = sine_like(squared_length(field) * n**2, doublings)
    sine, versine = held((n * f1, n**2 * f2), unity)
    return spins + sine[None] * along - versine[None] * cross(field, along)


def signal_on_the_way(
    spins: jax.Array,
    field: jax.Array,
    unity: jax.Array,
    n: jax.Array | int,
    doublings: int,
    note: Note,
    noted: Any,
) -> Any:
    """Mean spins after 1 … n − 1 intervals of rotation, each given to `note`.

    Parameters
    ----------
    spins, field, unity, n, doublings
        As those of :func:`mean_on_the_way`.
    note : callable
        Returns what is noted now. It may be called once more, for the interval n.
    noted : pytree of Array
        To begin with.

    Returns
    -------
    pytree of Array
        What was noted in the end.
    """
    along = cross(spins, field)
    x = squared_length(field)
    f1, f2, _ = sine_like(x, doublings)
    f1, f2 = held((f1, f2), unity)
    # The way of a spin from one interval to the next, and that of the interval before the first.
    # Every such way is 2 cos θ times the last one, less the one before: it needs no constant term.
    forth, back = f1[None] * along, f2[None] * cross(field, along)
    twice_cosine = (2 - 2 * x * f2)[None]

    def two_intervals(pair, state):
        way, way_before, step, mean, noted = state
        mean = mean + step
        noted = note(noted, 2 * pair + 1, mean)
        way_before = twice_cosine * way - way_before
        mean = mean + site_mean(way_before)
        noted = note(noted, 2 * pair + 2, mean)
        way = twice_cosine * way_before - way
        # Averaged here, not where it is used: XLA would copy it first.
        return way, way_before, site_mean(way), mean, noted

    way, way_before = forth - back, forth + back
    state = way, way_before, site_mean(way), site_mean(spins), noted
    return jax.lax.fori_loop(0, n // 2, two_intervals, state)[-1]


def site_mean(vectors: jax.Array) -> jax.Array:
    """Mean over the sites, shape (3,)."""
    return jnp.mean(vectors, axis=(1, 2))


def held(values: Any, unity: jax.Array) -> Any:
    """Divide a pytree of arrays by one, so that XLA computes the values only once.

    On a CPU XLA repeats cheap arithmetic in every expression that uses its result; it never repeats
    a division, and cannot know that `unity` is one.
    """
    return jax.tree.map(lambda value: value / unity, values)
