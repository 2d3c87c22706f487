"""Parameters of the curves of a data set, and the distributions they are drawn from.

[P]: A. Rao et al., Phys. Rev. Research 5, 043098 (2023). [H]: the NMR challenge of the ML4SCI
hackathon, 2020, 2021 and 2024. Couplings in MHz; N = n_edge² spins; κ = Σ_{r≠0} K(r), signed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import jax
import numpy as np

from latent_nmr.errors import InputError
from latent_nmr.physics.kernels import kernel_sum, kernel_table

# Pairs (α_x, α_z) drawn for each curve, of which the first with an allowed W is kept. 85 % of pairs
# are allowed, so all 64 fail with probability 1e-53.
N_CANDIDATES = 64
# Folded into a curve's key for its pulse angle, to make it independent of the other parameters.
ROLE_ANGLE = 1


class CurveParameters(NamedTuple):
    """Parameters of one curve, apart from its offset map.

    Attributes
    ----------
    kernel : str
        Name of the law.
    kernel_parameter : float
        ξ or γ in lattice constants, or p.
    couplings : tuple of float
        (α_x, α_y, α_z), MHz. Negative where the challenge's signed kernel makes it so.
    decay_rate : float
        R, MHz.
    challenge : tuple of (str, float)
        Names (alpha, xi, p, d, theta) and values of the challenge's own parameters.
    flip_angle : float or None
        θ of the first pulse, rad, the second being 2θ; None takes the sequence as it is.
    """

    kernel: str
    kernel_parameter: float
    couplings: tuple[float, float, float]
    decay_rate: float
    challenge: tuple[tuple[str, float], ...] = ()
    flip_angle: float | None = None


class Law(Protocol):
    """How the parameters of one curve are drawn from its own key."""

    def draw(self, key: jax.Array, index: int, n_edge: int) -> CurveParameters:
        """Draw the parameters of curve `index`."""
        ...


@dataclass(frozen=True)
class UniformLaw:
    """[P, sec. II]: α_x = α_y and α_z uniform, kept if W is in its range; kernels take turns.

    Parameters
    ----------
    kernel_ranges : mapping of str to (float, float)
        Range of each kernel's parameter, in which it is uniform.
    coupling_range, strength_range : (float, float)
        Of α and of W = α_x + α_y + α_z, MHz.
    """

    kernel_ranges: Mapping[str, tuple[float, float]] = field(hash=False)
    coupling_range: tuple[float, float]
    strength_range: tuple[float, float]

    def kernel_of(self, index: int) -> str:
        """Kernel of curve `index`: they take turns, so a longer set extends a shorter one."""
        return list(self.kernel_ranges)[index % len(self.kernel_ranges)]

    def draw(self, key: jax.Array, index: int, n_edge: int) -> CurveParameters:  # noqa: ARG002
        """Draw the parameters of curve `index`."""
        u = _uniform(key, (N_CANDIDATES + 1, 2))
        low, high = self.coupling_range
        in_plane, along = (low + (high - low) * u[1:]).T
        strength = 2 * in_plane + along
        allowed = np.flatnonzero(
            (strength >= self.strength_range[0]) & (strength <= self.strength_range[1])
        )
        if not allowed.size:
            raise InputError(
                f"strength_range must allow some couplings, but none of {N_CANDIDATES} draws has W "
                f"in {self.strength_range} MHz. Widen it."
            )
        kept = allowed[0]
        kernel = self.kernel_of(index)
        first, last = self.kernel_ranges[kernel]
        alpha_x, alpha_z = float(in_plane[kept]), float(along[kept])
        parameter = float(first + (last - first) * u[0, 0])
        return CurveParameters(kernel, parameter, (alpha_x, alpha_x, alpha_z), 0.0)


@dataclass(frozen=True)
class FlipAngleLaw:
    """Another law's curves, each with a pulse angle θ of its own, uniform in a range.

    Our reading of the task of November 2021 [H]: α_x, α_z and θ from M_x and M_y.

    Parameters
    ----------
    law : Law
    angle_range : (float, float)
        Of θ, degrees.
    """

    law: Law
    angle_range: tuple[float, float]

    def draw(self, key: jax.Array, index: int, n_edge: int) -> CurveParameters:
        """Draw the parameters of curve `index`; all but θ are those of the other law."""
        low, high = self.angle_range
        angle = low + (high - low) * float(_uniform(jax.random.fold_in(key, ROLE_ANGLE), ()))
        drawn = self.law.draw(key, index, n_edge)
        own = (*drawn.challenge, ("theta", angle))
        return drawn._replace(challenge=own, flip_angle=math.radians(angle))


@dataclass(frozen=True)
class Challenge2021Law:
    """[H] 2021 and 2024: b_i = ν_i ẑ + (α/2N) Σ_j K(r_ij) (s^x_j, s^y_j, 0), signed K.

    α ~ U(0, 20), w ~ U(0.075, 0.2), d = 6 − 2 log₁₀ U(0, 1), R = 1.25 · 10^(−d/2) MHz; Gaussian:
    ξ = √(N w / πα), RKKY: ξ = √(8 N w / π²α), with no upper cut. The laws are inferred from
    published predictions and the factor 1.25 is fitted to published curves.
    """

    kernel: str

    def draw(self, key: jax.Array, index: int, n_edge: int) -> CurveParameters:  # noqa: ARG002
        """Draw the parameters of a curve."""
        u = 1 - _uniform(key, (3,))  # in (0, 1]: α > 0 and a finite d
        alpha, width = 20 * u[0], 0.075 + 0.125 * u[1]
        spread = {"gaussian": 1 / math.pi, "rkky": 8 / math.pi**2}[self.kernel]
        xi = math.sqrt(n_edge**2 * spread * width / alpha)
        return challenge_2021(self.kernel, alpha, xi, 6 - 2 * math.log10(u[2]), n_edge)


@dataclass(frozen=True)
class Challenge2020Law:
    """[H] 2020: unit-sum kernel r^−p, b_i = ν_i ẑ + (α/2) M_i in the plane, R = 0.5 · 10^(−d) MHz.

    α ~ U(0, 0.2), ξ ~ U(0, 20), p ~ U(2, 4), d ~ U(3, 6). ξ has no effect on the curve, by
    construction of the challenge: it cannot be learned.
    """

    def draw(self, key: jax.Array, index: int, n_edge: int) -> CurveParameters:  # noqa: ARG002
        """Draw the parameters of a curve."""
        u = _uniform(key, (4,))
        return challenge_2020(0.2 * u[0], 20 * u[1], 2 + 2 * u[2], 3 + 3 * u[3])


def challenge_2021(
    kernel: str, alpha: float, xi: float, d: float, n_edge: int = 100
) -> CurveParameters:
    """Translate the parameters α, ξ, d of the challenge of 2021 (see `Challenge2021Law`)."""
    coupling = alpha * kernel_sum(kernel_table(kernel, xi, n_edge)) / (2 * n_edge**2)
    own = (("alpha", float(alpha)), ("xi", float(xi)), ("d", float(d)))
    return CurveParameters(
        kernel, float(xi), (coupling, coupling, 0.0), 1.25 * 10 ** (-float(d) / 2), own
    )


def challenge_2020(alpha: float, xi: float, p: float, d: float) -> CurveParameters:
    """Translate the parameters α, ξ, p, d of the challenge of 2020 (see `Challenge2020Law`)."""
    coupling = float(alpha) / 2
    own = (("alpha", float(alpha)), ("xi", float(xi)), ("p", float(p)), ("d", float(d)))
    return CurveParameters("power", float(p), (coupling, coupling, 0.0), 0.5 * 10 ** -float(d), own)


def _uniform(key: jax.Array, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers in [0, 1) with the 24 bits of float32, as float64."""
    return np.asarray(jax.random.uniform(key, shape, "float32"), np.float64)
