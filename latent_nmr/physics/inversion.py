"""Inversion of the coupling length: the kernel parameter that gives a length L.

L(ξ), L(p) and L(γ) are strictly monotonic over the published ranges (rising for Gaussian and RKKY,
falling for the power law), so that L fixes the parameter of a known kernel. L in lattice constants;
notation as in `latent_nmr.physics.kernels`.
"""

from typing import NamedTuple

from scipy.optimize import brentq

from latent_nmr.errors import InputError, check_number
from latent_nmr.physics.kernels import coupling_length, kernel_table


class KernelParameter(NamedTuple):
    """Parameter of a kernel, and whether the requested length was out of range.

    Attributes
    ----------
    value : float
        ξ or γ in lattice constants, or p.
    is_clipped : bool
        The length lies beyond those of the range; `value` is then its nearer end.
    """

    value: float
    is_clipped: bool


def parameter_of_length(
    kernel: str, length: float, n_edge: int, within: tuple[float, float]
) -> KernelParameter:
    """Return the parameter at which a kernel has the coupling length L.

    Parameters
    ----------
    kernel : {"gaussian", "power", "rkky"}
    length : float
        L, lattice constants.
    n_edge : int
        Lattice edge, in sites: L depends on it.
    within : (float, float)
        Range of the parameter, over which L must be monotonic.

    Raises
    ------
    InputError
        If L is not a positive number, or the ends of the range have one and the same L.
    """
    check_number("L", length, above=0, unit="lattice constants")

    def excess(parameter: float) -> float:
        return coupling_length(kernel_table(kernel, parameter, n_edge)) - length

    low, high = within
    at_low, at_high = excess(low), excess(high)
    if at_low == at_high:
        raise InputError(
            f"the range of the kernel parameter must change L, but {kernel} has L = "
            f"{at_low + length:.4g} at both {low:g} and {high:g}. Give a wider range."
        )
    if at_low * at_high > 0:
        return KernelParameter(low if abs(at_low) < abs(at_high) else high, True)
    # Relative to the parameter 1e-12: far below what any label is known to.
    return KernelParameter(float(brentq(excess, low, high, rtol=1e-12)), False)
