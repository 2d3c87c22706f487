r"""Mean-field dynamics of one lattice of spins: field, rotation, step, record.

Notation: s_i = <I_i>, |s_i| ≤ 1/2; b_i local field; α couplings in MHz; ν in MHz; t in µs;
R dephasing rate in MHz. The equation of motion [P, eq. 2] is

.. math::
    \dot{\mathbf s}_i = 2\pi\, \mathbf s_i \times \mathbf b_i, \qquad
    \mathbf b_i = (\alpha_x M^x_i,\ \alpha_y M^y_i,\ \nu_i + \alpha_z M^z_i), \qquad
    \mathbf M_i = \tfrac1\kappa \sum_{j \ne i} K(r_{ij})\, \mathbf s_j ,

plus pure dephasing of the transverse part at the rate 2πR. Everything here is a pure function
of the arrays of one lattice; batches come from ``jax.vmap``.
[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

# Up to this angle (rad) the series of `Turn` with N_TERMS terms are exact to rounding: the first
# term left out is below 3e-8 of the sum in float32 and 1e-16 in float64.
SERIES_MAX_ANGLE = 1.5
N_TERMS = {"float32": 6, "float64": 10}


class Lattice(NamedTuple):
    """What stays fixed while one lattice evolves.

    Attributes
    ----------
    frequencies : Array, shape (n_edge, n_edge)
        ν_i, MHz.
    spectrum : Array, shape (n_edge, n_edge // 2 + 1)
        Half-spectrum of K/κ, dimensionless.
    couplings : Array, shape (3,)
        (α_x, α_y, α_z), MHz.
    decay_rate : Array, shape ()
        R, MHz.
    """

    frequencies: jax.Array
    spectrum: jax.Array
    couplings: jax.Array
    decay_rate: jax.Array


class Turn(NamedTuple):
    """Rotation of every spin about its own field; each entry has shape (n_edge, n_edge)."""

    cosine: jax.Array
    sine: jax.Array
    versine: jax.Array


class Plan(NamedTuple):
    """How a record is cut into steps; static under jit.

    Attributes
    ----------
    dt : float
        Sample interval, µs.
    segments : tuple of int
        Sample intervals after each pulse.
    samples_per_step : int
        Sample intervals that one step spans (1 where steps are shorter than that).
    steps_per_sample : int
        Steps in one sample interval (1 where steps are longer than that).
    scheme : {"midpoint", "source"}
        Second-order midpoint rotation, or the first-order scheme of the lattice code behind
        [P]: field of the current spins, exact rotation.
    small_angles : bool
        Whether every rotation stays below `SERIES_MAX_ANGLE`.
    """

    dt: float
    segments: tuple[int, ...]
    samples_per_step: int
    steps_per_sample: int
    scheme: str
    small_angles: bool


def local_field(spins: jax.Array, lattice: Lattice) -> jax.Array:
    """Angular local field 2π b_i of [P, eqs. 2 and 3], in rad/µs.

    Parameters
    ----------
    spins : Array, shape (3, n_edge, n_edge)
        s_i, dimensionless.
    lattice : Lattice

    Returns
    -------
    Array, shape (3, n_edge, n_edge)
    """
    # The convolution with K/κ is diagonal in the Fourier basis: n² log n, not n⁴.
    mean_field = jnp.fft.irfft2(jnp.fft.rfft2(spins) * lattice.spectrum[None], s=spins.shape[1:])
    field = lattice.couplings[:, None, None] * mean_field
    return 2 * math.pi * field.at[2].add(lattice.frequencies)


def turn_about(field: jax.Array, duration: float, *, small_angles: bool) -> Turn:
    r"""Coefficients of the exact rotation about a frozen field.

    With the angle :math:`\theta = |\mathbf b|\,t` these are :math:`\cos\theta`,
    :math:`t \sin\theta/\theta` and :math:`t^2 (1 - \cos\theta)/\theta^2`, all even and smooth
    in θ, so that a power series in θ² needs neither a square root nor a division.

    Parameters
    ----------
    field : Array, shape (3, n_edge, n_edge)
        Angular field, rad/µs.
    duration : float
        t, µs.
    small_angles : bool
        Use the series; the caller vouches for θ ≤ `SERIES_MAX_ANGLE`.
    """
    angle_sq = jnp.sum(field**2, axis=0) * duration**2
    if small_angles:
        n_terms = N_TERMS[str(angle_sq.dtype)]
        sinc = _alternating_series(angle_sq, first_factorial=1, n_terms=n_terms)
        versinc = _alternating_series(angle_sq, first_factorial=2, n_terms=n_terms)
    else:
        # sinc of an angle made safe at zero keeps value and gradient finite there.
        positive = angle_sq > 0
        angle = jnp.sqrt(jnp.where(positive, angle_sq, 1.0)) * positive
        sinc = jnp.sinc(angle / math.pi)
        versinc = 0.5 * jnp.sinc(angle / (2 * math.pi)) ** 2
    return Turn(1 - versinc * angle_sq, sinc * duration, versinc * duration**2)


def rotate(spins: jax.Array, field: jax.Array, turn: Turn) -> jax.Array:
    """Solve ds/dt = s × b for a frozen field by Rodrigues' formula; |s| is conserved.

    Parameters
    ----------
    spins, field : Array, shape (3, n_edge, n_edge)
        Spins, dimensionless, and angular field, rad/µs.
    turn : Turn
        From :func:`turn_about` with the same field.
    """
    sx, sy, sz = spins
    bx, by, bz = field
    along = turn.versine * (sx * bx + sy * by + sz * bz)
    return jnp.stack(
        [
            turn.cosine * sx + turn.sine * (sy * bz - sz * by) + along * bx,
            turn.cosine * sy + turn.sine * (sz * bx - sx * bz) + along * by,
            turn.cosine * sz + turn.sine * (sx * by - sy * bx) + along * bz,
        ]
    )


def dephase(spins: jax.Array, decay_rate: jax.Array, duration: float) -> jax.Array:
    """Shrink the transverse part by exp(-2πR t)."""
    kept = jnp.exp(-2 * math.pi * decay_rate * duration)
    return spins * jnp.stack([kept, kept, jnp.ones_like(kept)])[:, None, None]


def evolve(
    spins: jax.Array, field: jax.Array, lattice: Lattice, duration: float, plan: Plan
) -> jax.Array:
    """Rotate in a frozen field for `duration` µs, dephasing half before and half after."""
    turn = turn_about(field, duration, small_angles=plan.small_angles)
    spins = dephase(spins, lattice.decay_rate, duration / 2)
    return dephase(rotate(spins, field, turn), lattice.decay_rate, duration / 2)


def step(
    spins: jax.Array, lattice: Lattice, plan: Plan, n_samples: int
) -> tuple[jax.Array, jax.Array]:
    """Advance by `n_samples` sample intervals in one field and record each of them.

    The field is that of the midpoint, reached by half a step in the field of the start
    (second order), or of the start itself (`scheme="source"`, first order).

    Returns
    -------
    spins : Array, shape (3, n_edge, n_edge)
        At the end of the step.
    signal : Array, shape (n_samples, 3)
        Mean spin after each interval: the step's start state turned part of the way.
    """
    interval = plan.dt / plan.steps_per_sample
    field = local_field(spins, lattice)
    if plan.scheme == "midpoint":
        midpoint = evolve(spins, field, lattice, n_samples * interval / 2, plan)
        field = local_field(midpoint, lattice)
    turn = turn_about(field, interval, small_angles=plan.small_angles)
    halfway = jnp.exp(-math.pi * lattice.decay_rate * interval)
    kept = jnp.stack([halfway, halfway, jnp.ones_like(halfway)])[:, None, None]
    signal = []
    for _ in range(n_samples):
        spins = kept * rotate(kept * spins, field, turn)
        signal.append(jnp.mean(spins, axis=(1, 2)))
    return spins, jnp.stack(signal)


def free_evolution(
    spins: jax.Array, lattice: Lattice, plan: Plan, n_samples: int
) -> tuple[jax.Array, jax.Array]:
    """Evolve through `n_samples` sample intervals; returns spins and (n_samples, 3) signal."""
    n_steps, remainder = divmod(n_samples, plan.samples_per_step)

    def advance(spins, _):
        if plan.steps_per_sample == 1:
            return step(spins, lattice, plan, plan.samples_per_step)
        for _ in range(plan.steps_per_sample):
            spins, signal = step(spins, lattice, plan, 1)
        return spins, signal

    spins, signal = jax.lax.scan(advance, spins, length=n_steps)
    signal = signal.reshape(-1, 3)
    if remainder:
        # Steps end exactly at a pulse, so the last one before it may be shorter.
        spins, tail = step(spins, lattice, plan, remainder)
        signal = jnp.concatenate([signal, tail])
    return spins, signal


def record(lattice: Lattice, pulses: jax.Array, plan: Plan) -> jax.Array:
    """Mean spin of one lattice at every sample of the sequence.

    Parameters
    ----------
    lattice : Lattice
    pulses : Array, shape (n_pulses, 3, 3)
        Rotation of each pulse, in order of time.
    plan : Plan

    Returns
    -------
    Array, shape (n_samples, 3)
        Mean of (s^x, s^y, s^z) over the sites, dimensionless; |M(0)| = 1/2 after 90°.
    """
    up = jnp.zeros((3, *lattice.frequencies.shape), lattice.frequencies.dtype).at[2].set(0.5)
    spins, signal = up, jnp.zeros((0, 3), lattice.frequencies.dtype)
    for pulse, n_samples in zip(pulses, plan.segments, strict=True):
        spins = jnp.einsum("ab,bij->aij", pulse, spins)
        after_pulse = jnp.mean(spins, axis=(1, 2))[None]
        spins, tail = free_evolution(spins, lattice, plan, n_samples)
        # A sample at a pulse's time is the one just after it.
        signal = jnp.concatenate([signal[:-1], after_pulse, tail])
    return signal


def _alternating_series(x: jax.Array, *, first_factorial: int, n_terms: int) -> jax.Array:
    """Σ_k (-x)^k / (2k + first_factorial)! by Horner's rule: sinc (1) or versine (2) of √x."""
    total = jnp.zeros_like(x)
    for k in reversed(range(n_terms)):
        total = total * x + (-1) ** k / math.factorial(2 * k + first_factorial)
    return total
