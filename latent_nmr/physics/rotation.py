r"""Rotation of spins about their momentarily frozen local fields, and the signal during it.

Notation: s spin, b field as a rotation vector in rad per interval, so that
:math:`\dot{\mathbf s} = \mathbf s \times \mathbf b` and time counts intervals; x = \|b\|². With

.. math:: \mathbf A = \mathbf s \times \mathbf b, \qquad \mathbf C = \mathbf b \times \mathbf A,

Rodrigues' formula for k intervals is s + S_k A − V_k C, where S_k = sin(k|b|)/|b| and
V_k = (1 − cos k|b|)/|b|². Both are even and smooth in |b|: power series in x need neither a square
root nor a division, and the addition theorems give every k from k = 1.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp

Vector = tuple[jax.Array, jax.Array, jax.Array]

# Beyond this angle (rad) the terms of the series grow to many times their sum.
SERIES_MAX_ANGLE = 8.0


def cross(a: Vector, b: Vector) -> Vector:
    """a × b, component by component."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def squared_length(a: Vector) -> jax.Array:
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


def sine_like(x: jax.Array, order: int, max_angle: float) -> jax.Array:
    r"""Σ_k (−x)^k / (2k + f)! with f = `order`: one function of θ = √x for each order.

    1: sin θ/θ. 2: (1 − cos θ)/θ². 3: (θ − sin θ)/θ³.

    Parameters
    ----------
    x : Array
        θ², not negative.
    order : {1, 2, 3}
    max_angle : float
        Largest θ that occurs, rad; decides how many terms are summed.

    Returns
    -------
    Array
    """
    if max_angle > SERIES_MAX_ANGLE:
        return _closed_form(x, order)
    total = jnp.zeros_like(x)
    for k in reversed(range(n_terms(max_angle, order, float(jnp.finfo(x.dtype).eps) / 2))):
        total = total * x + (-1) ** k / math.factorial(2 * k + order)
    return total


def _closed_form(x: jax.Array, order: int) -> jax.Array:
    """`sine_like` by sine and cosine; the series where these would cancel."""
    near = x < 1
    angle = jnp.sqrt(jnp.where(near, 1.0, x))  # made safe, for the gradient too
    if order == 1:
        far = jnp.sin(angle) / angle
    elif order == 2:
        far = (1 - jnp.cos(angle)) / angle**2
    else:
        far = (angle - jnp.sin(angle)) / angle**3
    return jnp.where(near, sine_like(jnp.where(near, x, 0.0), order, 1.0), far)


def mean_on_the_way(spins: Vector, field: Vector, n: int, max_angle: float) -> Vector:
    r"""Average of a spin over n intervals of its rotation, (1/n) ∫₀ⁿ s(τ) dτ.

    Parameters
    ----------
    spins, field : tuple of 3 Array
        s, and b in rad per interval.
    n : int
    max_angle : float
        Largest |b| that occurs, rad per interval.
    """
    along = cross(spins, field)
    inward = cross(field, along)
    x = squared_length(field) * n**2
    first = n * sine_like(x, 2, n * max_angle)
    second = n**2 * sine_like(x, 3, n * max_angle)
    x_mean, y_mean, z_mean = (
        s + first * a - second * c for s, a, c in zip(spins, along, inward, strict=True)
    )
    return x_mean, y_mean, z_mean


def sweep(
    spins: Vector, field: Vector, unity: jax.Array, n: int, max_angle: float
) -> tuple[Vector, jax.Array]:
    """Rotate by n intervals and return the mean spin after each of them.

    Parameters
    ----------
    spins, field : tuple of 3 Array, shape (n_edge, n_edge)
        s, and b in rad per interval.
    unity : Array, shape ()
        1, known at run time only; see :func:`held`.
    n : int
    max_angle : float
        Largest |b| that occurs, rad per interval.

    Returns
    -------
    spins : tuple of 3 Array
        After n intervals. |s| is conserved to rounding error for any field.
    signal : Array, shape (n, 3)
        Mean over the sites after 1 … n intervals.
    """
    field = held(field, unity)
    along = cross(spins, field)
    inward = cross(field, along)
    x = squared_length(field)
    sine, versine = held((sine_like(x, 1, max_angle), sine_like(x, 2, max_angle)), unity)
    twice_cosine = 2 - 2 * x * versine
    sines, versines = [jnp.zeros_like(x), sine], [jnp.zeros_like(x), versine]
    for _ in range(n - 1):
        sines.append(twice_cosine * sines[-1] - sines[-2])
        versines.append(twice_cosine * versines[-1] - versines[-2] + 2 * versine)
    turned_x, turned_y, turned_z = (
        s + sines[n] * a - versines[n] * c for s, a, c in zip(spins, along, inward, strict=True)
    )
    # All means are one thin matrix product. An accelerator's default would round to 10 bits.
    factors = jnp.stack(sines[1:] + versines[1:]).reshape(2 * n, -1)
    columns = jnp.stack(along + inward).reshape(6, -1)
    sums = jnp.matmul(factors, columns.T, precision="highest")
    start = jnp.stack([jnp.mean(s) for s in spins])
    signal = start[None] + (sums[:n, :3] - sums[n:, 3:]) / x.size
    return (turned_x, turned_y, turned_z), signal


def held(values: tuple[jax.Array, ...], unity: jax.Array) -> Any:
    """Divide by one, so that XLA computes the values only once.

    On a CPU XLA repeats cheap arithmetic in every expression that uses its result: without this, a
    step of eight intervals evaluates the field twenty times and takes 1.4 times as long. It
    never repeats a division, and cannot know that `unity` is one.
    """
    return tuple(value / unity for value in values)
