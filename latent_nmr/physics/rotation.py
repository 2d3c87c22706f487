r"""Rotation of spins about their momentarily frozen local fields, and the signal during it.

Notation: s spin, b field as a rotation vector in rad per interval, so that
:math:`\dot{\mathbf s} = \mathbf s \times \mathbf b` and time counts intervals; θ = k|b| the
angle of k intervals. With

.. math:: \mathbf A = \mathbf s \times \mathbf b, \qquad \mathbf C = \mathbf b \times \mathbf A,

Rodrigues' formula for k intervals is s + k f₁ A − k² f₂ C, and the average over them on the way is
s + k f₂ A − k² f₃ C, where f₁ = sin θ/θ, f₂ = (1 − cos θ)/θ² and f₃ = (θ − sin θ)/θ³. All three
are even and smooth in θ: power series in θ² need neither a square root nor a division, and the
theorems of the doubled angle lead from a small one to any.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

# Components x, y and z of vectors, one for each site: three arrays of shape (n_edge, n_edge), which
# XLA computes faster than one of three times the size.
Components = tuple[jax.Array, jax.Array, jax.Array]
Vectors = Components | jax.Array


class Middle(NamedTuple):
    """A rotation as seen from its middle: s + k f₁ A − k² f₂ C, where k changes one sign only.

    Attributes
    ----------
    along, inward : Array, shape (3, n_sites)
        A and C of the spins there.
    squared : Array, shape (n_sites,)
        |b|².
    mean : Array, shape (3,)
        Mean spin there.
    """

    along: jax.Array
    inward: jax.Array
    squared: jax.Array
    mean: jax.Array


# Takes what was noted before, the number of intervals and the mean spin after them, shape (3,).
Note = Callable[[Any, jax.Array | int, jax.Array], Any]

# Largest angle (rad) of the power series: each term is then smaller than the one before.
SERIES_MAX_ANGLE = 2.0
# Doublings of rotations come in a few numbers, so that curves share a few compiled programs: up to
# 16 rad and 64 rad. Each doubles the rounding errors; angles beyond are left to sines and cosines.
DOUBLINGS, BEYOND = (3, 5), 6
# A single interval often needs none.
INSIDE = (0, *DOUBLINGS)


def cross(a: Vectors, b: Vectors) -> Components:
    """a × b."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def squared_length(a: Vectors) -> jax.Array:
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


def n_doublings(max_angle: float, among: Sequence[int] = DOUBLINGS) -> int:
    """Doublings that lead from the series to angles up to `max_angle`, rad; else BEYOND."""
    return next((n for n in among if max_angle <= SERIES_MAX_ANGLE * 2**n), BEYOND)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def sine_like(x: jax.Array, doublings: int) -> tuple[jax.Array, jax.Array, jax.Array]:
    """f₁ = sin θ/θ, f₂ = (1 − cos θ)/θ² and f₃ = (θ − sin θ)/θ³ of x = θ².

    Parameters
    ----------
    x : Array
        θ², not negative, up to (2 · 2^doublings)², or of any size for BEYOND.
    doublings : int
        How often a small angle is doubled, see :func:`n_doublings`.
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
    spins: Vectors, field: Vectors, n: jax.Array | float, doublings: int
) -> Components:
    r"""Average of a spin over n intervals of its rotation, (1/n) ∫₀ⁿ s(τ) dτ; s itself for n = 0.

    Parameters
    ----------
    spins, field : Vectors
        s, and b in rad per interval.
    n : Array or float
    doublings : int
        For the largest n|b| that occurs, see :func:`n_doublings`.
    """
    along = cross(spins, field)
    _, f2, f3 = sine_like(squared_length(field) * n**2, doublings)
    return plus(spins, combined(n * f2, along, -(n**2) * f3, cross(field, along)))


def turned(
    spins: Vectors, field: Vectors, unity: jax.Array, n: jax.Array | float, doublings: int
) -> Components:
    """Spins after n intervals of rotation; |s| is conserved to rounding error for any field.

    Parameters as those of :func:`mean_on_the_way`, and `unity` as that of :func:`held`.
    """
    along = cross(spins, field)
    f1, f2, _ = sine_like(squared_length(field) * n**2, doublings)
    sine, versine = held((n * f1, n**2 * f2), unity)
    return plus(spins, combined(sine, along, -versine, cross(field, along)))


def through_middle(
    spins: Vectors,
    field: Vectors,
    unity: jax.Array,
    n: jax.Array | float,
    doublings: int,
    finish: Callable[[Components], Components],
) -> tuple[Components, Middle]:
    """Spins after n intervals of rotation, and what they are half way.

    Parameters
    ----------
    spins, field, unity, n, doublings
        As those of :func:`turned`.
    finish : callable
        What happens to the spins in the end; done here, they are written once.

    Returns
    -------
    end : Components
    middle : Middle
        Its mean is what the mean spin has there beyond that of the end, before `finish`.
    """
    half = jnp.asarray(n, spins[0].dtype) / 2
    # One long axis, as products of matrices and vectors want it.
    start, field = flat(spins), flat(field)
    x_half, along = (x := squared_length(field)) * half**2, cross(start, field)
    f1, f2 = held(sine_like(x_half, doublings - (doublings != BEYOND))[:2], unity)
    middle_along = stacked(combined(1 - x_half * f2, along, -half * f1, cross(field, along)))
    inward = stacked(cross(field, middle_along))
    # From the middle back to the start and on to the end it is the same way, but for one sign.
    chord = 2 * half * f1
    way = chord * middle_along[0], chord * middle_along[1], chord * middle_along[2]
    end = held(finish(plus(start, way)), unity)
    mean = half**2 * weighed_mean(f2, inward) - half * weighed_mean(f1, middle_along)
    x_end, y_end, z_end = (component.reshape(spins[0].shape) for component in end)
    return (x_end, y_end, z_end), Middle(middle_along, inward, x, mean)


def signal_on_the_way(
    middle: Middle, unity: jax.Array, n: jax.Array | int, doublings: int, note: Note, noted: Any
) -> Any:
    """Mean spins after 1 … n − 1 intervals of rotation, each given to `note`.

    Parameters
    ----------
    middle : Middle
    unity, n
        As those of :func:`turned`.
    doublings : int
        For the largest |b|.
    note : callable
        Returns what is noted now; void if it is called for the interval n.
    noted : pytree of Array
    """
    along, inward, x, mean = middle
    whole, odd = n // 2, n % 2
    noted = note(noted, whole + odd * (n - whole), mean)
    # Samples stand 1, 2, … intervals before and after the middle, or 1/2, 3/2, …
    is_odd = jnp.asarray(odd, x.dtype)
    first = 1 - is_odd / 2
    f1, f2 = held(sine_like(x * first**2, doublings)[:2], unity)
    # k f₁ and k² f₂ after k intervals; both go on by the same rule, k by k.
    sine, versine = first * f1, first**2 * f2
    rise = 2 * ((1 - is_odd) * versine + is_odd * 2 * sine * sine)
    twice_cosine = 2 - x * rise

    def pair(number, sine, versine, noted):
        after = whole + 1 + number
        before = n - after
        odd_part = weighed_mean(sine, along)
        even_part = mean - weighed_mean(versine, inward)
        noted = note(noted, jnp.where(before > 0, before, n), even_part - odd_part)
        return note(noted, after, even_part + odd_part)

    def two_pairs(number, state):
        # Two, as each takes the place of the last but one.
        sine_before, sine, versine_before, versine, noted = state
        sine_before = twice_cosine * sine - sine_before
        versine_before = twice_cosine * versine - versine_before + rise
        noted = pair(2 * number, sine_before, versine_before, noted)
        sine = twice_cosine * sine_before - sine
        versine = twice_cosine * versine_before - versine + rise
        noted = pair(2 * number + 1, sine, versine, noted)
        return sine_before, sine, versine_before, versine, noted

    # At −1 and 0 intervals from the middle, or at −3/2 and −1/2.
    sines = -sine * (1 + is_odd * twice_cosine), -is_odd * sine
    earlier = versine * (1 + is_odd * (twice_cosine - 2)) + is_odd * rise
    state = *sines, earlier, is_odd * versine, noted
    return jax.lax.fori_loop(0, (n + 1) // 4, two_pairs, state)[-1]


def combined(a: jax.Array, first: Vectors, b: jax.Array, second: Vectors) -> Components:
    """a · first + b · second."""
    x, y, z = (a * p + b * q for p, q in zip(first, second, strict=True))
    return x, y, z


def plus(first: Vectors, second: Vectors) -> Components:
    """first + second."""
    return first[0] + second[0], first[1] + second[1], first[2] + second[2]


def flat(vectors: Vectors) -> Components:
    """Components of shape (n_sites,)."""
    return vectors[0].ravel(), vectors[1].ravel(), vectors[2].ravel()


def stacked(vectors: Components) -> jax.Array:
    """Components as one array, shape (3, n_sites)."""
    array = jnp.zeros((3, vectors[0].size), vectors[0].dtype)
    # One after the other: XLA computes what it concatenates several times slower.
    for row, component in enumerate(vectors):
        array = array.at[row].set(component)
    return array


def weighed_mean(weights: jax.Array, vectors: jax.Array) -> jax.Array:
    """Mean of weighed vectors over the sites, shape (3,)."""
    return jnp.dot(vectors, weights.ravel(), precision="highest") / weights.size


def site_mean(vectors: Vectors) -> jax.Array:
    """Mean over the sites, shape (3,)."""
    return jnp.stack([jnp.mean(component) for component in vectors])


def held(values: Any, unity: jax.Array) -> Any:
    """Divide a pytree of arrays by one, so that XLA computes the values only once.

    On a CPU XLA repeats cheap arithmetic in every expression that uses its result; it never repeats
    a division, and cannot know that `unity` is one.
    """
    return jax.tree.map(lambda value: value / unity, values)
