r"""Mean-field dynamics of one lattice of spins: local fields, integration schemes, recording.

Notation: s_i = <I_i>, |s_i| ≤ 1/2; ν_i, α and the dephasing rate R in MHz outside, in rad per
interval inside (an interval is a sample interval or a whole part of one; time counts intervals).
The equation of motion is [P, eqs. 2 and 3]

.. math::
    \dot{\mathbf s}_i = 2\pi\, \mathbf s_i \times \mathbf b_i, \qquad
    \mathbf b_i = (\alpha_x M^x_i,\ \alpha_y M^y_i,\ \nu_i + \alpha_z M^z_i), \qquad
    \mathbf M_i = \tfrac1\kappa \sum_{j \ne i} K(r_{ij})\, \mathbf s_j ,

plus pure dephasing of the transverse part at the rate 2πR. g denotes the coupled part of the
field, g = αM. Everything here is a pure function of the arrays of one lattice; batches come from
``jax.vmap``.
[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).

The default scheme, `averaged`, is a Magnus integrator of third order with one field evaluation per
step of n intervals: (1) the line through the mean fields ḡ of the last two steps predicts the
field; (2) every spin's mean over the step while it turns in that field; (3) the mean field ḡ of
these mean spins; (4) with the slope d = ḡ − ḡ' per step, ḡ' that of the step before, rotation
about n(b̄ + b̄ × d n/12), b̄ = ν + ḡ. Averaging in (2) is exact for each spin's own ν_i, so the few
fast spins of a line's tails cost little accuracy. After a pulse, or when the step length changes,
there is no previous step, and three evaluations start the scheme.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from latent_nmr.physics.rotation import Vector, cross, mean_on_the_way, sweep

# Weights of the last two steps' mean fields in (1): a constant field acts on a spin's mean over the
# next step as the linear one g₀ + g₁τ does if it equals g₀ + g₁n/3.
PREDICT_LAST, PREDICT_BEFORE = 11 / 6, -5 / 6


class Lattice(NamedTuple):
    """Quantities of one lattice that are constant in time.

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
    pulses : Array, shape (n_pulses, 3, 3)
        Rotation of each pulse, in order of time.
    unity : Array, shape ()
        1; see `latent_nmr.physics.rotation.held`.
    """

    frequencies: jax.Array
    spectrum: jax.Array
    couplings: jax.Array
    decay_rate: jax.Array
    pulses: jax.Array
    unity: jax.Array


class Plan(NamedTuple):
    """How a record is cut into steps; static under jit.

    Attributes
    ----------
    interval : float
        Unit of time inside, µs: the sample interval or a whole part of it.
    segments : tuple of int
        Intervals after each pulse.
    stride : int
        Intervals from one recorded sample to the next.
    n : int
        Intervals that one step spans.
    scheme : {"averaged", "midpoint", "source"}
        `averaged` as above, third order. `midpoint`: rotation in the field of the step's middle,
        reached by half a step, second order. `source`: the scheme of the lattice code behind [P],
        exact rotation in the field of the step's start, first order.
    max_angle : float
        Bound of the rotation in one interval, rad.
    checkpointed : bool
        Keep few states for the backward pass of a gradient and compute the others again.
    """

    interval: float
    segments: tuple[int, ...]
    stride: int
    n: int
    scheme: str
    max_angle: float
    checkpointed: bool = False


def in_angles(lattice: Lattice, interval: float) -> Lattice:
    """Convert frequencies, couplings and decay from MHz to rad per interval."""
    scale = 2 * math.pi * interval
    return lattice._replace(
        frequencies=scale * lattice.frequencies,
        couplings=scale * lattice.couplings,
        decay_rate=scale * lattice.decay_rate,
    )


def mean_field(spins: Vector, lattice: Lattice) -> Vector:
    """Coupled part of every local field, g_i = α M_i [P, eqs. 2 and 3], rad per interval."""
    # The convolution with K/κ is diagonal in the Fourier basis: n² log n, not n⁴.
    stacked = jnp.stack(spins)
    transform = jnp.fft.rfft2(stacked) * lattice.spectrum[None]
    x, y, z = jnp.fft.irfft2(transform, s=stacked.shape[1:])
    alpha = lattice.couplings
    return alpha[0] * x, alpha[1] * y, alpha[2] * z


def with_line(field: Vector, lattice: Lattice) -> Vector:
    """Add the site's own frequency to a field: b = ν ẑ + g."""
    return field[0], field[1], field[2] + lattice.frequencies


def combine(weight_a: float, a: Vector, weight_b: float, b: Vector) -> Vector:
    """Weighted sum of two fields."""
    x, y, z = (weight_a * u + weight_b * v for u, v in zip(a, b, strict=True))
    return x, y, z


def dephase(spins: Vector, lattice: Lattice, n: float) -> Vector:
    """Shrink the transverse part as pure dephasing does in n intervals."""
    kept = jnp.exp(-lattice.decay_rate * n)
    return kept * spins[0], kept * spins[1], spins[2]


def turn(
    spins: Vector, field: Vector, lattice: Lattice, plan: Plan, n: int
) -> tuple[Vector, jax.Array]:
    """Rotate by n intervals in a frozen field, dephasing half before and half after.

    Returns
    -------
    spins : tuple of 3 Array, shape (n_edge, n_edge)
    signal : Array, shape (n, 3)
        Mean spin after each interval.
    """
    spins, signal = sweep(dephase(spins, lattice, n / 2), field, lattice.unity, n, plan.max_angle)
    # Half a step's decay was applied in advance; the signal after k intervals still lacks k − n/2.
    kept = jnp.exp(-lattice.decay_rate * (jnp.arange(1, n + 1) - n / 2))
    signal = signal * jnp.stack([kept, kept, jnp.ones_like(kept)], axis=1)
    return dephase(spins, lattice, n / 2), signal


def mean_field_ahead(
    spins: Vector, predicted: Vector, lattice: Lattice, plan: Plan, n: int
) -> Vector:
    """Mean field ḡ over the next n intervals, of spins that meanwhile turn in `predicted`."""
    start = dephase(spins, lattice, n / 2)
    mean = mean_on_the_way(start, with_line(predicted, lattice), n, plan.max_angle)
    return mean_field(mean, lattice)


def magnus_turn(
    spins: Vector, field: Vector, rise: Vector, lattice: Lattice, plan: Plan, n: int
) -> tuple[Vector, jax.Array]:
    """Rotate by n intervals in a field that rises linearly, by `rise` over them.

    Magnus' second term for s' = s × b with b = b̄ + (τ/n − 1/2) d is n²/12 b̄ × d.
    """
    at_middle = with_line(field, lattice)
    effective = combine(1, at_middle, n / 12, cross(at_middle, rise))
    return turn(spins, effective, lattice, plan, n)


def starting_step(
    spins: Vector, lattice: Lattice, plan: Plan, n: int
) -> tuple[Vector, jax.Array, tuple[Vector, Vector]]:
    """One `averaged` step of n intervals without a previous step; three evaluations.

    Returns
    -------
    spins, signal
        As :func:`turn`.
    history : tuple of 2 Vector
        Mean field of this step, and that of a previous step extrapolated from the rise.
    """
    at_start = mean_field(spins, lattice)
    field = mean_field_ahead(spins, at_start, lattice, plan, n)
    predicted = combine(1 / 3, at_start, 2 / 3, field)  # g₀ + (rise = 2(ḡ − g₀)) / 3
    field = mean_field_ahead(spins, predicted, lattice, plan, n)
    rise = combine(2, field, -2, at_start)
    spins, signal = magnus_turn(spins, field, rise, lattice, plan, n)
    return spins, signal, (field, combine(1, field, -1, rise))


def averaged_step(
    spins: Vector, history: tuple[Vector, Vector], lattice: Lattice, plan: Plan
) -> tuple[Vector, jax.Array, tuple[Vector, Vector]]:
    """One `averaged` step after others of the same length; one evaluation."""
    last, before = history
    predicted = combine(PREDICT_LAST, last, PREDICT_BEFORE, before)
    field = mean_field_ahead(spins, predicted, lattice, plan, plan.n)
    rise = combine(1, field, -1, last)
    spins, signal = magnus_turn(spins, field, rise, lattice, plan, plan.n)
    return spins, signal, (field, last)


def frozen_step(spins: Vector, lattice: Lattice, plan: Plan, n: int) -> tuple[Vector, jax.Array]:
    """One step of `midpoint` or `source`: n intervals in one field."""
    field = with_line(mean_field(spins, lattice), lattice)
    if plan.scheme == "midpoint":
        half = plan._replace(max_angle=plan.max_angle * n / 2)
        x, y, z = (b * (n / 2) for b in field)
        middle, _ = turn(
            spins, (x, y, z), lattice._replace(decay_rate=lattice.decay_rate * n / 2), half, 1
        )
        field = with_line(mean_field(middle, lattice), lattice)
    return turn(spins, field, lattice, plan, n)


def free_evolution(
    spins: Vector, lattice: Lattice, plan: Plan, n_intervals: int
) -> tuple[Vector, jax.Array]:
    """Evolve through `n_intervals`; returns spins and (n_intervals, 3) signal.

    Steps end exactly at the end, so the last one may be shorter.
    """
    n_steps, remainder = divmod(n_intervals, plan.n)
    signals = []
    if plan.scheme == "averaged":
        if n_steps:
            spins, signal, history = starting_step(spins, lattice, plan, plan.n)
            signals.append(signal)

            def advance(state):
                spins, history = state
                spins, signal, history = averaged_step(spins, history, lattice, plan)
                return (spins, history), signal

            (spins, _), signal = _repeat(advance, (spins, history), n_steps - 1, plan)
            signals.append(signal)
        if remainder:
            spins, signal, _ = starting_step(spins, lattice, plan, remainder)
            signals.append(signal)
    else:
        spins, signal = _repeat(
            lambda s: frozen_step(s, lattice, plan, plan.n), spins, n_steps, plan
        )
        signals.append(signal)
        if remainder:
            spins, signal = frozen_step(spins, lattice, plan, remainder)
            signals.append(signal)
    return spins, jnp.concatenate(signals) if signals else jnp.zeros((0, 3), spins[0].dtype)


def _repeat(advance, state, n_steps: int, plan: Plan):
    """Apply `advance` `n_steps` times; returns the state and the signals, joined.

    Checkpointed, the steps go in about √n_steps groups of which only the first states are kept.
    """

    def steps(state, count):
        return jax.lax.scan(lambda s, _: advance(s), state, length=count)

    if not plan.checkpointed:
        state, signal = steps(state, n_steps)
        return state, signal.reshape(-1, 3)
    size = max(math.isqrt(n_steps), 1)
    group = jax.checkpoint(partial(steps, count=size))  # type: ignore[attr-defined]
    state, signal = jax.lax.scan(lambda s, _: group(s), state, length=n_steps // size)
    state, rest = steps(state, n_steps % size)
    return state, jnp.concatenate([signal.reshape(-1, 3), rest.reshape(-1, 3)])


def record(lattice: Lattice, plan: Plan) -> jax.Array:
    """Mean spin of one lattice at every sample of the sequence.

    Parameters
    ----------
    lattice : Lattice
    plan : Plan

    Returns
    -------
    Array, shape (n_samples, 3)
        Mean of (s^x, s^y, s^z) over the sites, dimensionless; |M(0)| = 1/2 after 90°.
    """
    lattice = in_angles(lattice, plan.interval)
    zero = jnp.zeros_like(lattice.frequencies)
    spins: Vector = (zero, zero, zero + 0.5)
    signal = jnp.zeros((0, 3), zero.dtype)
    for pulse, n_intervals in zip(lattice.pulses, plan.segments, strict=True):
        x, y, z = jnp.einsum("ab,bij->aij", pulse, jnp.stack(spins), precision="highest")
        after_pulse = jnp.stack([jnp.mean(x), jnp.mean(y), jnp.mean(z)])[None]
        spins, tail = free_evolution((x, y, z), lattice, plan, n_intervals)
        # A sample at a pulse's time is the one just after it.
        signal = jnp.concatenate([signal[:-1], after_pulse, tail])
    return signal[:: plan.stride]


def field_evaluations(plan: Plan) -> int:
    """Number of mean-field evaluations of the whole lattice in `record`."""
    total = 0
    for n_intervals in plan.segments:
        n_steps, remainder = divmod(n_intervals, plan.n)
        if plan.scheme == "averaged":
            # A run of steps, and a shorter last step, each take two more than their steps.
            total += n_steps + 2 * bool(n_steps) + 3 * bool(remainder)
        else:
            total += (2 if plan.scheme == "midpoint" else 1) * (n_steps + bool(remainder))
    return total
