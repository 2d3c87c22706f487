r"""Mean-field dynamics of one lattice of spins: local fields, integration schemes, recording.

Notation: s_i = <I_i>, |s_i| ≤ 1/2; ν_i, α and the dephasing rate R in MHz outside, in rad per
interval inside (an interval is a sample interval or a whole part of one; time counts intervals).
The equation of motion is [P, eqs. 2 and 3]

.. math::
    \dot{\mathbf s}_i = 2\pi\, \mathbf s_i \times \mathbf b_i, \qquad
    \mathbf b_i = (\alpha_x M^x_i,\ \alpha_y M^y_i,\ \nu_i + \alpha_z M^z_i), \qquad
    \mathbf M_i = \tfrac1\kappa \sum_{j \ne i} K(r_{ij})\, \mathbf s_j ,

plus pure dephasing of the transverse part at the rate 2πR, and relaxation along z if there is one
(`latent_nmr.physics.relaxation`). g denotes the coupled part of the field, g = αM. Everything here
is a pure function of the arrays of one lattice; batches come from ``jax.vmap``.
[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).

The default scheme, `averaged`, is a Magnus integrator of third order with one field evaluation per
step of n intervals: (1) the line through the mean fields ḡ of the last two steps predicts the
field; (2) every spin's mean over the step while it turns in that field; (3) the mean field ḡ of
these mean spins; (4) with the slope d = ḡ − ḡ' per step, ḡ' that of the step before, rotation
about n(b̄ + b̄ × d n/12), b̄ = ν + ḡ. Averaging in (2) is exact for each spin's own ν_i, so the few
fast spins of a line's tails cost little accuracy. Where the step length changes, line and slope
are those of fields in the middles of their steps. After a pulse there is no previous step, and
three evaluations start the scheme.

A record is a loop over field evaluations, all of which share one compiled body: what an evaluation
is for, and how the record is cut into steps, are numbers (`latent_nmr.physics.schedule`).
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from latent_nmr.physics.relaxation import Relaxation, relaxed
from latent_nmr.physics.rotation import (
    Components,
    Note,
    Vectors,
    combined,
    cross,
    held,
    mean_on_the_way,
    signal_on_the_way,
    site_mean,
    through_middle,
    turned,
)
from latent_nmr.physics.schedule import Evaluations, Program, Timing


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
    relaxation : Relaxation or None
        None, for which other programs are compiled, where spins only dephase.
    """

    frequencies: jax.Array
    spectrum: jax.Array
    couplings: jax.Array
    decay_rate: jax.Array
    pulses: jax.Array
    unity: jax.Array
    relaxation: Relaxation | None = None


class State(NamedTuple):
    """What one field evaluation hands to the next.

    Attributes
    ----------
    spins : Components
    predicted, last : Components
        Mean field that the next evaluation is to start from, and the one that it is compared with,
        rad per interval.
    at : Array, shape ()
        Intervals since the first pulse.
    signal : Array, shape (n_samples, 3)
        Mean spin at every sample, as far as it is known.
    """

    spins: Components
    predicted: Components
    last: Components
    at: jax.Array
    signal: jax.Array


def in_angles(lattice: Lattice, interval: jax.Array | float) -> Lattice:
    """Convert frequencies, couplings, decay and relaxation from MHz to rad per interval."""
    scale = 2 * math.pi * interval
    relaxation = lattice.relaxation
    return lattice._replace(
        frequencies=scale * lattice.frequencies,
        couplings=scale * lattice.couplings,
        decay_rate=scale * lattice.decay_rate,
        relaxation=relaxation and relaxation._replace(rate=scale * relaxation.rate),
    )


def mean_field(spins: Vectors, lattice: Lattice) -> Components:
    """Coupled part of every local field, g_i = α M_i [P, eqs. 2 and 3], rad per interval."""
    # The convolution with K/κ is diagonal in the Fourier basis: n² log n, not n⁴. Its spectrum is
    # real, so that x and y go as one complex field, whose parts do not mix.
    shape = spins[2].shape
    transform = jnp.fft.fft2(jax.lax.complex(spins[0], spins[1]))
    planar = jnp.fft.ifft2(scaled(transform, whole(lattice.spectrum, shape[1])))
    upright = jnp.fft.irfft2(scaled(jnp.fft.rfft2(spins[2]), lattice.spectrum), s=shape)
    alpha = lattice.couplings
    return alpha[0] * planar.real, alpha[1] * planar.imag, alpha[2] * upright


def scaled(values: jax.Array, factors: jax.Array) -> jax.Array:
    """Complex values times real factors."""
    return jax.lax.complex(values.real * factors, values.imag * factors)


def whole(spectrum: jax.Array, n_edge: int) -> jax.Array:
    """Spectrum of an even kernel from its half."""
    mirrored = spectrum[:, (n_edge - 1) // 2 : 0 : -1]
    return jnp.concatenate([spectrum, mirrored], axis=1)


def with_line(field: Vectors, lattice: Lattice) -> Components:
    """Add the site's own frequency to a field: b = ν ẑ + g."""
    return field[0], field[1], field[2] + lattice.frequencies


def relax(spins: Vectors, lattice: Lattice, n: jax.Array | float) -> Components:
    """Dephase, and relax, for n intervals; before them for negative n."""
    return relaxed(spins, lattice.decay_rate, lattice.relaxation, n)


def ahead(
    spins: Vectors, predicted: Vectors, lattice: Lattice, program: Program, n: jax.Array | float
) -> Vectors:
    """Spins whose mean field is that of the next n intervals; as they are for n = 0.

    `averaged`: their mean while they turn in the field `predicted`; `midpoint`: half way; `source`:
    as they are.
    """
    if program.scheme == "source":
        return spins
    field = with_line(predicted, lattice)
    if program.scheme == "midpoint":
        start = relax(spins, lattice, n / 4)
        middle = turned(start, field, lattice.unity, n / 2, program.doublings)
        return relax(middle, lattice, n / 4)
    start = relax(spins, lattice, n / 2)
    return mean_on_the_way(start, field, n, program.doublings)


def magnus_field(field: Vectors, rise: Vectors, lattice: Lattice, n: jax.Array) -> Components:
    """Steady field that turns spins as one that rises linearly, by `rise` over n intervals, does.

    Magnus' second term for s' = s × b with b = b̄ + (τ/n − 1/2) d is n²/12 b̄ × d.
    """
    at_middle = with_line(field, lattice)
    x, y, z = cross(at_middle, rise)
    return at_middle[0] + n / 12 * x, at_middle[1] + n / 12 * y, at_middle[2] + n / 12 * z


def turn(
    spins: Vectors,
    field: Vectors,
    lattice: Lattice,
    program: Program,
    n: jax.Array | int,
    taken: jax.Array | float,
    note: Note,
    noted: Any,
) -> tuple[Components, Any]:
    """Rotate by n intervals in a steady field, dephasing and relaxing half before and half after.

    Parameters
    ----------
    taken : Array or float
        1, or 0 to leave the spins as they are; what is noted is then void.
    note, noted
        See :func:`latent_nmr.physics.rotation.signal_on_the_way`; the last call is for the end.
    """
    length = jnp.asarray(n, spins[0].dtype)
    half = taken * length / 2

    def finish(spins):
        return relax(spins, lattice, half)

    settings = field, lattice.unity, 2 * half, program.doublings
    end, middle = through_middle(finish(spins), *settings, finish)
    at_end = site_mean(end)

    def note_inside(noted, k, mean):
        # Half a step's losses were taken in advance; after k intervals those of k − n/2 are due.
        due = relax(mean, lattice, jnp.asarray(k, length.dtype) - length / 2)
        return note(noted, k, jnp.stack(due))

    at_middle = jnp.stack(relax(at_end, lattice, -half)) + middle.mean
    settings = lattice.unity, n, program.doublings_inside, note_inside
    noted = signal_on_the_way(middle._replace(mean=at_middle), *settings, noted)
    return end, note(noted, n * jnp.asarray(taken, jnp.int32), at_end)


def advance(
    state: State,
    evaluation: Evaluations,
    n: jax.Array | int,
    lattice: Lattice,
    program: Program,
    stride: jax.Array | int,
) -> State:
    """Evaluate the mean field once, and take a step of n intervals in it if `evaluation` says so.

    Parameters
    ----------
    state : State
    evaluation : Evaluations
        Of one, without the first axis; its length is given apart, as `n`.
    n : Array or int
    lattice : Lattice
    program : Program
    stride : Array or int
        Intervals of a sample.
    """
    spins, predicted, last, at, signal = state
    # Looked up once and not, as XLA would, for every site. The length is of a step, in arithmetic.
    weights = evaluation._replace(length=jnp.asarray(n, spins[0].dtype))
    length, ahead_of, taken, rise, predict, kept = held(weights, lattice.unity)
    felt = ahead(spins, predicted, lattice, program, length * ahead_of)
    found = mean_field(felt, lattice)
    risen = combined(rise, found, -rise, last)
    field = held(magnus_field(found, risen, lattice, length), lattice.unity)

    def note(signal, k, mean):
        per_sample = jnp.asarray(stride, at.dtype)
        # What is between two samples goes where the step's end, or what follows, overwrites it.
        k = jnp.where(jax.lax.rem(at + k, per_sample) == 0, k, n)
        sample = jax.lax.div(at + k + stride - 1, per_sample)
        return jax.lax.dynamic_update_index_in_dim(signal, mean, sample, axis=0)

    # Where no step is taken, later evaluations overwrite what is noted.
    spins, signal = turn(spins, field, lattice, program, n, taken, note, signal)
    at = (at + n * taken.astype(at.dtype)).astype(at.dtype)
    predicted = combined(predict[0], found, predict[1], last)
    last = combined(1 - kept, found, kept, last)
    return State(spins, predicted, last, at, signal)


def evolve(
    state: State, first: jax.Array, end: jax.Array, timing: Timing, lattice, program
) -> State:
    """Evolve from one pulse to the next, by evaluations `first` to `end`."""

    def body(number, state):
        evaluation = jax.tree.map(lambda rows: rows[number], timing.evaluations)
        return advance(state, evaluation, evaluation.length, lattice, program, timing.stride)

    return jax.lax.fori_loop(first, end, body, state)


def after_pulse(state: State, pulse: jax.Array, stride: jax.Array | int) -> State:
    """Turn all spins by a pulse; a sample at its time is the one just after it."""
    x, y, z = state.spins
    spins = tuple(row[0] * x + row[1] * y + row[2] * z for row in pulse)
    signal = jax.lax.dynamic_update_index_in_dim(
        state.signal, site_mean(spins), state.at // stride, axis=0
    )
    return state._replace(spins=spins, signal=signal)


def at_rest(lattice: Lattice, n_samples: int) -> State:
    """All spins along z, before the first pulse."""
    zero = jnp.zeros_like(lattice.frequencies)
    none = zero, zero, zero
    return State(
        (zero, zero, zero + 0.5),
        none,
        none,
        jnp.zeros((), jnp.int32),
        jnp.zeros((n_samples, 3), zero.dtype),
    )


def record(lattice: Lattice, timing: Timing, program: Program) -> jax.Array:
    """Mean spin of one lattice at every sample of the sequence.

    Returns
    -------
    Array, shape (n_samples, 3)
        Mean of (s^x, s^y, s^z) over the sites, dimensionless; |M(0)| = 1/2 after 90°.
    """
    lattice = in_angles(lattice, timing.interval)

    def segment(state, own):
        pulse, first, end = own
        state = after_pulse(state, pulse, timing.stride)
        return evolve(state, first, end, timing, lattice, program), None

    start = at_rest(lattice, program.n_samples)
    segments = (lattice.pulses, timing.starts[:-1], timing.starts[1:])
    state, _ = jax.lax.scan(segment, start, segments)
    return state.signal
