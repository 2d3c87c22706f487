r"""Relaxation of spins between rotations: pure dephasing, and jumps between up and down.

Lindblad operators √Γ I^z, √Γ₋ I⁻ (a jump down) and √Γ₊ I⁺ (a jump up), with rates in MHz, add

.. math::
    2\pi \sum_L \Bigl( L \rho L^\dagger - \tfrac12 \{L^\dagger L, \rho\} \Bigr)

to dρ/dt of each spin, ρ = 1/2 + 2 s · I. Its populations are p = 1/2 ± s^z, its coherence is
c = s^x − i s^y, and element by element, without the 2π,

* √Γ I^z: I^z ρ I^z turns the sign of c/4, and {(I^z)², ρ}/2 = ρ/4: dc/dt = −(Γ/2) c; p stays;
* √Γ₋ I⁻: dp_up/dt = −Γ₋ p_up; I⁻ρI⁺ has no coherence, and I⁺I⁻ projects on up:
  dc/dt = −(Γ₋/2) c;
* √Γ₊ I⁺: dp_up/dt = +Γ₊ p_down, and dc/dt = −(Γ₊/2) c.

With p_up = 1/2 + s^z = 1 − p_down together

.. math::
    \dot{\mathbf s}_\perp = -2\pi R_2\, \mathbf s_\perp, \qquad
    \dot s^z = -2\pi R_1 (s^z - s_{eq}), \qquad R_2 = R + R_1 / 2,

where R = Γ/2, R₁ = Γ₊ + Γ₋ and s_eq = (Γ₊ − Γ₋)/(2 R₁): T₁ = 1/(2π R₁) and T₂ = 1/(2π R₂) ≤ 2 T₁.
The operators act on one spin each, so that product states stay such and the mean field is the same.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from latent_nmr.errors import InputError
from latent_nmr.physics.rotation import Components, Vectors

# Of NumPy before a run, of JAX inside it.
Values = Any


class Relaxation(NamedTuple):
    """Exchange of a spin's s^z with its surroundings.

    Attributes
    ----------
    rate : Array, shape ()
        R₁, MHz, or rad per interval where R is.
    equilibrium : Array, shape ()
        s_eq, dimensionless, from −1/2 to 1/2.
    """

    rate: Values
    equilibrium: Values


def relaxed(
    spins: Vectors,
    dephasing_rate: jax.Array,
    relaxation: Relaxation | None,
    n: jax.Array | float,
) -> Components:
    """Spins after n intervals without a field; before them for negative n.

    Parameters
    ----------
    spins : Vectors
    dephasing_rate : Array, shape ()
        R, rad per interval.
    relaxation : Relaxation or None
        None leaves s^z as it is, and nothing is computed for it.
    n : Array or float
    """
    x, y, z = spins
    if relaxation is None:
        across = jnp.exp(-dephasing_rate * n)
        return across * x, across * y, z
    # What is lost, not what is kept: that is near 1, and one rounding of it would count every step.
    lost_across = -jnp.expm1(-(dephasing_rate + relaxation.rate / 2) * n)
    lost_along = -jnp.expm1(-relaxation.rate * n)
    return x - lost_across * x, y - lost_across * y, z - lost_along * (z - relaxation.equilibrium)


def total_rate(dephasing_rate: Values, relaxation_rate: Values) -> Values:
    """R₁ + R₂, by which steps are chosen; R without relaxation."""
    return dephasing_rate + 1.5 * relaxation_rate


def check_equilibrium(equilibrium_mz: Values, *, has_rate: bool) -> None:
    """Refuse an equilibrium, other than the default, that nothing approaches."""
    if isinstance(equilibrium_mz, float | int) and equilibrium_mz and not has_rate:
        raise InputError(
            "equilibrium_mz must be 0 without a relaxation_rate, because spins then approach no "
            f"equilibrium, but is {equilibrium_mz!r}. Give relaxation_rate = 1/(2π T₁), too."
        )
