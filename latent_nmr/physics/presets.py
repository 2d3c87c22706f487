"""Published data sets as distributions: what is fixed, what is drawn for each curve.

`paper` is the set of A. Rao et al., Phys. Rev. Research 5, 043098 (2023), [P]. Where its text
and its data disagree the data win: FWHM is 50 kHz (not 8), the echo window has 400 samples
centred on 2τ. One exception: α is uniform, as [P] states, although the surviving rows show a
falling W histogram.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import numpy as np

from latent_nmr.errors import InputError, check_choice
from latent_nmr.physics.line import Line
from latent_nmr.physics.sequence import Sequence, spin_echo

# Pairs (α_x, α_z) drawn for each curve, of which the first with an allowed W is kept. 85 % are
# allowed, so that none of 64 is has probability 1e-53.
N_CANDIDATES = 64


class CurveParameters(NamedTuple):
    """What distinguishes one curve from the next, apart from its ν field.

    Attributes
    ----------
    kernel : str
        Name of the law.
    kernel_parameter : float
        ξ or γ in lattice constants, or p.
    couplings : tuple of float
        (α_x, α_y, α_z), MHz.
    decay_rate : float
        R, MHz.
    """

    kernel: str
    kernel_parameter: float
    couplings: tuple[float, float, float]
    decay_rate: float


@dataclass(frozen=True)
class Preset:
    """A data set: lattice, line, sequence, and the ranges its curves are drawn from."""

    name: str
    n_edge: int
    line: Line
    sequence: Sequence
    kernel_ranges: Mapping[str, tuple[float, float]] = field(hash=False)
    coupling_range: tuple[float, float]
    strength_range: tuple[float, float]

    def kernel_of(self, index: int) -> str:
        """Kernel of curve `index`: they take turns, so a longer set extends a shorter one."""
        return list(self.kernel_ranges)[index % len(self.kernel_ranges)]

    def draw_parameters(self, key: jax.Array, index: int) -> CurveParameters:
        """Draw the parameters of curve `index` from its own key.

        α_x = α_y and α_z are uniform in `coupling_range`, kept if W = α_x + α_y + α_z lies in
        `strength_range`; the kernel's parameter is uniform in its range [P, sec. II].
        """
        u = np.asarray(jax.random.uniform(key, (N_CANDIDATES + 1, 2), "float32"), np.float64)
        low, high = self.coupling_range
        in_plane, along = (low + (high - low) * u[1:]).T
        strength = 2 * in_plane + along
        allowed = np.flatnonzero(
            (strength >= self.strength_range[0]) & (strength <= self.strength_range[1])
        )
        if not allowed.size:
            raise InputError(
                f"the preset {self.name!r} must allow some couplings, but none of {N_CANDIDATES} "
                f"draws has W in {self.strength_range} MHz. Widen its strength_range."
            )
        kept = allowed[0]
        kernel = self.kernel_of(index)
        first, last = self.kernel_ranges[kernel]
        alpha_x, alpha_z = float(in_plane[kept]), float(along[kept])
        parameter = float(first + (last - first) * u[0, 0])
        return CurveParameters(kernel, parameter, (alpha_x, alpha_x, alpha_z), 0.0)


PRESETS = {
    "paper": Preset(
        name="paper",
        n_edge=100,
        line=Line(fwhm=0.05, cutoff=0.5),
        sequence=spin_echo(dt=1 / (2 * math.pi), pulse_spacing=628, n_samples=1882),
        kernel_ranges={"gaussian": (8.0, 32.0), "power": (1.0, 3.0), "rkky": (13.0, 52.0)},
        coupling_range=(0.01, 0.1),
        strength_range=(0.1, 0.3),
    ),
}


def get_preset(name: str) -> Preset:
    """Return the preset called `name`, or raise `InputError` naming those there are."""
    return PRESETS[check_choice("preset", name, PRESETS)]
