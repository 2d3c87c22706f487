"""One curve as a differentiable function of its parameters, for fits and sensitivity analysis.

The same dynamics as `simulate_lattices`, left inside JAX: gradients of any sample with respect to
the couplings, the kernel's parameter, the dephasing rate and the pulses come from ``jax.grad``,
``jax.jacrev`` or ``jax.jvp``. Units as in `latent_nmr.physics`; precision is that of the caller's
JAX (float32 unless ``jax_enable_x64`` is set).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._masks import refuse_masked
from latent_nmr.errors import InputError, check_choice
from latent_nmr.physics import propagate
from latent_nmr.physics.kernels import KERNELS, KernelLaw, checked_kernel_sum, distance_grid
from latent_nmr.physics.lattices import SCHEMES, checked_arrays, checked_frequencies
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.steps import make_plan

# Fits move away from their starting point; the plan allows for couplings larger by this factor.
COUPLING_MARGIN = 2.0


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
    """

    couplings: jax.Array
    kernel_parameter: jax.Array
    decay_rate: jax.Array
    pulse_angles: jax.Array
    pulse_phases: jax.Array


def curve_inputs(
    couplings: npt.ArrayLike,
    kernel_parameter: float,
    sequence: Sequence,
    *,
    decay_rate: float = 0.0,
) -> CurveInputs:
    """Collect inputs, with the pulses as `sequence` has them.

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
    angles = [pulse.angle for pulse in sequence.pulses]
    phases = [pulse.phase for pulse in sequence.pulses]
    values = (couplings, kernel_parameter, decay_rate, angles, phases)
    return CurveInputs(*(jnp.asarray(value, jnp.result_type(float)) for value in values))


def curve_function(
    frequencies: npt.ArrayLike,
    kernel: str | KernelLaw,
    sequence: Sequence,
    near: CurveInputs,
    *,
    step: float | None = None,
    scheme: str = "averaged",
) -> Callable[[CurveInputs], jax.Array]:
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
        as large are safe. A later, much larger coupling needs a new function.
    step, scheme
        As in `simulate_lattices`.

    Returns
    -------
    callable
        From `CurveInputs` to an Array of shape (n_samples, 3): mean (s^x, s^y, s^z),
        dimensionless. Not jitted. The backward pass keeps about two states for every square root of
        the number of steps and computes the others again.

    Raises
    ------
    InputError
        If the field is no square lattice, a number is not finite, the kernel has no sum, or
        another argument cannot be used.

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
    (lattice_frequencies,) = checked_frequencies(np.asarray(frequencies)[None])
    law = kernel if callable(kernel) else KERNELS[check_choice("kernel", kernel, KERNELS)].law
    if len(near.pulse_angles) != len(sequence.pulses):
        raise InputError(
            f"near must have one angle per pulse, but has {len(near.pulse_angles)} for "
            f"{len(sequence.pulses)} pulses. Make it with curve_inputs."
        )
    distance = distance_grid(len(lattice_frequencies))
    (field,), (table,), (couplings,), (decay_rate,) = checked_arrays(
        lattice_frequencies[None],
        np.asarray(_table(law, distance, near.kernel_parameter))[None],
        np.asarray(near.couplings)[None],
        np.asarray(near.decay_rate),
    )
    checked_kernel_sum(table)
    plan = make_plan(
        field,
        table,
        COUPLING_MARGIN * couplings,
        decay_rate,
        sequence,
        step=step,
        scheme=check_choice("scheme", scheme, SCHEMES),
    )._replace(checkpointed=True)

    def curve(inputs: CurveInputs) -> jax.Array:
        dtype = jnp.result_type(float)
        table = _table(law, distance, inputs.kernel_parameter)
        lattice = propagate.Lattice(
            frequencies=jnp.asarray(lattice_frequencies, dtype),
            spectrum=jnp.fft.rfft2(table / table.sum()).real,
            couplings=inputs.couplings,
            decay_rate=inputs.decay_rate,
            pulses=jax.vmap(_pulse_matrix)(inputs.pulse_angles, inputs.pulse_phases),
            unity=jnp.ones((), dtype),
        )
        return propagate.record(lattice, plan)

    return curve


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
