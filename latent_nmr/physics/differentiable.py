"""One curve as a differentiable function of its parameters, for fits and sensitivity analysis.

The same dynamics as `simulate_lattices`, left inside JAX: gradients of any sample with respect to
the couplings, the kernel's parameter, the rates of dephasing and relaxation and the pulses come
from ``jax.grad``, ``jax.jacrev`` or ``jax.jvp``. Units as in `latent_nmr.physics`; precision is
that of the caller's JAX (float32 unless ``jax_enable_x64`` is set).
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.core import Tracer

from latent_nmr._masks import refuse_masked
from latent_nmr._units import in_unit
from latent_nmr.errors import ROUNDING, InputError, check_choice
from latent_nmr.physics import propagate
from latent_nmr.physics.guess import RULE, UPRIGHT
from latent_nmr.physics.kernels import KERNELS, KernelLaw, checked_kernel_sum, distance_grid
from latent_nmr.physics.lattices import (
    SCHEMES,
    checked_arrays,
    checked_frequencies,
    checked_relaxation,
)
from latent_nmr.physics.relaxation import Relaxation, check_equilibrium, total_rate
from latent_nmr.physics.reversible import reversible_record
from latent_nmr.physics.search import Curve
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.steps import fixed_cut
from latent_nmr.physics.tolerance import check_resolvable, check_tolerance

# Fits move away from their starting point; the plan allows for couplings larger by this factor.
COUPLING_MARGIN = 2.0
# How far the first pulse may leave 90°, as |cos θ|, if the step was chosen for that: to 75° or
# 105°. On 16 × 16 sites errors are there at most 4 times those of 90°, and below 0.002.
MOST_TILTED = 0.26


class CurveInputs(NamedTuple):
    """Parameters with respect to which a curve can be differentiated; a JAX pytree.

    Attributes
    ----------
    couplings : Array, shape (3,)
        (α_x, α_y, α_z), MHz.
    kernel_parameter : Array, shape ()
        ξ or γ in lattice constants, or p, or that of the user's own law.
    decay_rate : Array, shape ()
        R, MHz.
    pulse_angles, pulse_phases : Array, shape (n_pulses,)
        rad, in order of time.
    relaxation_rate, equilibrium_mz : Array, shape (), or None
        R₁, MHz, and the s^z to which spins relax, 0 if there is none; no rate for spins that only
        dephase.
    """

    couplings: jax.Array
    kernel_parameter: jax.Array
    decay_rate: jax.Array
    pulse_angles: jax.Array
    pulse_phases: jax.Array
    relaxation_rate: jax.Array | None = None
    equilibrium_mz: jax.Array | None = None

    @property
    def relaxation(self) -> Relaxation | None:
        """Both numbers of the relaxation, if there is one."""
        if self.relaxation_rate is None:
            return None
        equilibrium = 0.0 if self.equilibrium_mz is None else self.equilibrium_mz
        return Relaxation(self.relaxation_rate, equilibrium)


class Pace(NamedTuple):
    """What the length of a step depends on: of some inputs, or the most there may be of it.

    Attributes
    ----------
    coupled_field : Array or float
        Largest field of aligned neighbours, MHz.
    random_field : Array or float
        Field of randomly oriented neighbours, MHz.
    decay_rate : Array or float
        Of all losses, see `latent_nmr.physics.relaxation.total_rate`, MHz.
    first_cosine : Array or float
        |cos θ| of the first pulse.
    """

    coupled_field: jax.Array | float
    random_field: jax.Array | float
    decay_rate: jax.Array | float
    first_cosine: jax.Array | float


def curve_inputs(
    couplings: npt.ArrayLike,
    kernel_parameter: float,
    sequence: Sequence,
    *,
    decay_rate: float = 0.0,
    relaxation_rate: float | None = None,
    equilibrium_mz: float = 0.0,
) -> CurveInputs:
    """Collect inputs, with the pulses as `sequence` has them.

    Without a `relaxation_rate`, curves have no derivative with respect to it and are cheaper; 0
    is a rate. With one, give `equilibrium_mz=0.5` if the sample was in equilibrium before the
    first pulse.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> sequence = ln.spin_echo(dt=0.2, pulse_spacing=10, n_samples=31)
    >>> inputs = ln.curve_inputs((0.05, 0.05, 0.0), 3.0, sequence, decay_rate=0.01)
    >>> inputs.couplings.shape, [f"{angle:.2f}" for angle in inputs.pulse_angles]
    ((3,), ['1.57', '3.14'])
    """
    refuse_masked("couplings", couplings)
    refuse_masked("kernel_parameter", kernel_parameter)
    refuse_masked("decay_rate", decay_rate)
    refuse_masked("relaxation_rate", relaxation_rate)
    refuse_masked("equilibrium_mz", equilibrium_mz)
    couplings = in_unit("couplings", couplings, "MHz")
    decay_rate = in_unit("decay_rate", decay_rate, "MHz")
    relaxation_rate = in_unit("relaxation_rate", relaxation_rate, "MHz")
    equilibrium_mz = in_unit("equilibrium_mz", equilibrium_mz)
    check_equilibrium(equilibrium_mz, has_rate=relaxation_rate is not None)
    relaxation = () if relaxation_rate is None else (relaxation_rate, equilibrium_mz)
    angles = [pulse.angle for pulse in sequence.pulses]
    phases = [pulse.phase for pulse in sequence.pulses]
    values = (couplings, kernel_parameter, decay_rate, angles, phases, *relaxation)
    return CurveInputs(*map(_as_input, CurveInputs._fields, values))


def curve_function(
    frequencies: npt.ArrayLike,
    kernel: str | KernelLaw,
    sequence: Sequence,
    near: CurveInputs,
    *,
    tolerance: float = 1e-3,
    step: float | None = None,
    scheme: str = "averaged",
) -> Callable[..., jax.Array]:
    """Make the function from inputs to one curve.

    Parameters
    ----------
    frequencies : array_like, shape (n_edge, n_edge)
        ν_i, MHz.
    kernel : str or callable
        Name of a law, or K(distance, parameter, xp) made of functions of the namespace `xp`.
    sequence : Sequence
        Times of pulses and samples; angles and phases are taken from the inputs.
    near : CurveInputs
        Where the function will be used: the time step is chosen for it, and couplings up to twice
        as large are safe. Inputs farther away need a new function, see Notes.
    tolerance, step, scheme
        As in `simulate_lattices`, but the error is not estimated: the step is a first guess.

    Returns
    -------
    callable
        From `CurveInputs` to an Array of shape (n_samples, 3): mean (s^x, s^y, s^z),
        dimensionless. Not jitted. The backward pass keeps about two states for every square root of
        the number of steps and computes the others again. A second argument replaces `frequencies`
        by others of the same line and shape: one compiled function serves many draws.

    Raises
    ------
    InputError
        If the field is no square lattice, a number is not finite, the kernel has no sum, or
        another argument cannot be used. The function itself raises it for inputs that are too far
        from `near`.

    Notes
    -----
    Inputs are too far where the field of the neighbours, aligned or at random, which couplings and
    kernel decide, is more than twice that of `near`; where the dephasing is, and is too fast for
    the step; and where the first pulse leaves 75° to 105° and `near` has one of 90°. With `step`
    given, only the field of aligned neighbours counts. Under a transformation of JAX (``jit``,
    ``grad``, ``vmap``), where numbers are not known when the function runs and nothing can be
    raised, such inputs give NaN, in every sample and every derivative.

    Examples
    --------
    >>> import jax
    >>> import latent_nmr as ln
    >>> sequence = ln.spin_echo(dt=0.2, pulse_spacing=10, n_samples=31)
    >>> nu = ln.draw_frequencies(jax.random.key(0), 6, ln.Line())
    >>> inputs = ln.curve_inputs((0.05, 0.05, 0.1), 2.0, sequence)
    >>> curve = ln.curve_function(nu, "gaussian", sequence, near=inputs, step=5)
    >>> jax.jit(curve)(inputs).shape
    (31, 3)

    The sensitivity of every sample to every input is ``jax.jacfwd(curve)(inputs)``.
    """
    refuse_masked("frequencies", frequencies)
    frequencies = np.asarray(in_unit("frequencies", frequencies, "MHz"))
    (lattice_frequencies,) = checked_frequencies(frequencies[None])
    law = kernel if callable(kernel) else KERNELS[check_choice("kernel", kernel, KERNELS)].law
    if len(near.pulse_angles) != len(sequence.pulses):
        raise InputError(
            f"near must have one angle per pulse, but has {len(near.pulse_angles)} for "
            f"{len(sequence.pulses)} pulses. Make it with curve_inputs."
        )
    distance = distance_grid(len(lattice_frequencies))
    (field,), (table,), (couplings,), (decay_rate,) = checked_arrays(
        lattice_frequencies[None],
        np.asarray(near_table := _table(law, distance, near.kernel_parameter))[None],
        np.asarray(near.couplings)[None],
        np.asarray(near.decay_rate),
    )
    checked_kernel_sum(table)
    rate, equilibrium = map(np.asarray, near.relaxation or Relaxation(0.0, 0.0))
    (relaxation_rate,), _ = checked_relaxation(rate, equilibrium, 1)
    rate = float(total_rate(decay_rate, relaxation_rate))
    row = Curve(field, table, COUPLING_MARGIN * couplings, rate, sequence)
    is_chosen = check_choice("scheme", scheme, SCHEMES) != "source" and step is None
    tolerance = check_tolerance(tolerance, jnp.result_type(float).name, step, "Set jax_enable_x64")
    cut = fixed_cut(1 if step is None else step)
    if is_chosen:
        check_resolvable([row._replace(couplings=couplings)], ["near"])
        cut = row.first_cut(tolerance)._replace(pause=1)
    plan = row.plan(cut, scheme)
    most = _most(_pace(near, near_table), cut.step * sequence.dt, is_chosen=is_chosen)

    def curve(inputs: CurveInputs, frequencies: jax.Array = lattice_frequencies) -> jax.Array:
        dtype = jnp.result_type(float)
        table = _table(law, distance, inputs.kernel_parameter)
        lattice = propagate.Lattice(
            frequencies=jnp.asarray(frequencies, dtype),
            spectrum=jnp.fft.rfft2(table / table.sum()).real,
            couplings=inputs.couplings,
            decay_rate=inputs.decay_rate,
            pulses=jax.vmap(_pulse_matrix)(inputs.pulse_angles, inputs.pulse_phases),
            unity=jnp.ones((), dtype),
            relaxation=inputs.relaxation,
        )
        return _unless_beyond(inputs, table, most) * reversible_record(lattice, plan)

    return curve


def _as_input(name: str, value: Any) -> jax.Array:
    try:
        return jnp.asarray(value, jnp.result_type(float))
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers, but is {value!r:.60}. Convert it.") from error


def _pace(inputs: CurveInputs, table: jax.Array) -> Pace:
    """How fast a curve is."""
    inputs, table = jax.lax.stop_gradient((inputs, table))
    couplings, total = jnp.abs(jnp.asarray(inputs.couplings)), jnp.abs(table.sum())
    relaxation_rate = 0.0 if inputs.relaxation is None else jnp.abs(inputs.relaxation.rate)
    return Pace(
        0.5 * jnp.abs(table).sum() / total * couplings.max(),
        jnp.sqrt((table**2).sum()) / total * couplings.sum(),
        total_rate(jnp.abs(inputs.decay_rate), relaxation_rate),
        jnp.abs(jnp.cos(jnp.asarray(inputs.pulse_angles)[0])),
    )


def _most(near: Pace, step: float, *, is_chosen: bool) -> Pace:
    """The fastest curve that a step, µs, is good for; `is_chosen` says that it was not given."""
    coupled_field, random_field, decay_rate, cosine = map(float, near)
    if not is_chosen:
        return Pace(COUPLING_MARGIN * coupled_field, math.inf, math.inf, math.inf)
    in_step = RULE.decay / (2 * math.pi * step)
    return Pace(
        COUPLING_MARGIN * coupled_field,
        COUPLING_MARGIN * random_field,
        max(COUPLING_MARGIN * decay_rate, in_step),
        MOST_TILTED if cosine <= UPRIGHT else math.inf,
    )


def _unless_beyond(inputs: CurveInputs, table: jax.Array, most: Pace) -> jax.Array | float:
    """1; for inputs that are beyond the reach of a plan NaN, or an error where they are known."""
    pace = _pace(inputs, table)
    # A fit may walk along the limit in single precision; what is not a number is beyond it.
    is_within = [now <= limit * (1 + ROUNDING) for now, limit in zip(pace, most, strict=True)]
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((inputs, is_within))):
        return jnp.where(jnp.stack(is_within).all(), 1.0, jnp.nan).astype(table.dtype)
    for name, now, limit, is_fine in zip(Pace._fields, pace, most, is_within, strict=True):
        if not is_fine:
            raise InputError(
                "inputs must be near those that the function was made for, because its time step "
                f"was chosen there: {name.replace('_', ' ')} at most {limit:.3g}, but it is "
                f"{float(now):.3g}. Make another function with near=inputs."
            )
    return 1.0


def _table(law: KernelLaw, distance: npt.NDArray[np.float64], parameter: jax.Array) -> jax.Array:
    """K(r) from site (0, 0); the origin is kept out of the law, for the gradient's sake."""
    apart = distance > 0
    grid = jnp.asarray(np.where(apart, distance, 1.0), jnp.result_type(float))
    return jnp.where(apart, law(grid, parameter, jnp), 0.0)


def _pulse_matrix(angle: jax.Array, phase: jax.Array) -> jax.Array:
    """`Pulse.matrix` inside JAX."""
    x, y = jnp.cos(phase), jnp.sin(phase)
    zero = jnp.zeros_like(x)
    axis = jnp.stack([x, y, zero])
    cross = jnp.stack(
        [jnp.stack([zero, zero, y]), jnp.stack([zero, zero, -x]), jnp.stack([-y, x, zero])]
    )
    along = axis[:, None] * axis[None, :]
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return cosine * jnp.eye(3, dtype=x.dtype) - sine * cross + (1 - cosine) * along
