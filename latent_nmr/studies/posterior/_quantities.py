"""What posteriors are asked for: couplings, W and L of draws, and the kernel's parameter."""

from functools import cache

import numpy as np
import numpy.typing as npt

from latent_nmr.data._kernel_sums import kernel_sums
from latent_nmr.models.posterior.prior import Materials, Prior

FloatArray = npt.NDArray[np.float64]

QUANTITIES = ("alpha_x", "alpha_z", "W", "L")
# Parameters between which L is interpolated: within 1e-4 of L.
N_KNOTS = 513


def quantities(prior: Prior, materials: Materials, n_edge: int = 100) -> dict[str, FloatArray]:
    """α_x, α_z and W (MHz) and L (lattice constants) of materials, arrays of their shape."""
    return {
        "alpha_x": materials.alpha_x,
        "alpha_z": materials.alpha_z,
        "W": materials.W,
        "L": coupling_lengths(prior, materials, n_edge),
    }


def coupling_lengths(prior: Prior, materials: Materials, n_edge: int = 100) -> FloatArray:
    """L of materials, lattice constants."""
    found = np.empty(np.shape(materials.kernel_parameter))
    for number, (name, ends) in enumerate(prior.kernel_ranges.items()):
        is_own = materials.kernel == number
        knots, lengths = _lengths(name, *ends, n_edge)
        found[is_own] = np.interp(materials.kernel_parameter[is_own], knots, lengths)
    return found


def places_in_range(prior: Prior, materials: Materials) -> FloatArray:
    """Kernel parameters as places in their ranges, from 0 to 1: uniform in the prior."""
    ends = np.array(list(prior.kernel_ranges.values()))[materials.kernel]
    return (materials.kernel_parameter - ends[..., 0]) / (ends[..., 1] - ends[..., 0])


@cache
def _lengths(kernel: str, low: float, high: float, n_edge: int) -> tuple[FloatArray, FloatArray]:
    # The power law's L falls fastest at its lower end, where all are nearly straight.
    knots = np.linspace(low, high, N_KNOTS)
    return knots, kernel_sums(kernel, knots, n_edge)[1]
