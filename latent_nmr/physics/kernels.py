"""Coupling kernels K(r) on a periodic square lattice, and the two numbers that sum them up.

Notation: r distance in lattice constants (minimum image); κ = Σ_{r≠0} K(r);
L = (1/κ) Σ_{r≠0} r K(r), the coupling length, with the signed K. Reference [P]: A. Rao
et al., Phys. Rev. Research 5, 043098 (2023).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError, check_choice, check_count, check_number

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Kernel:
    """A law K(r; parameter) with the symbol of its parameter."""

    law: Callable[[FloatArray, float], FloatArray]
    symbol: str
    title: str


def gaussian(distance: FloatArray, length: float) -> FloatArray:
    """Gaussian, short range: K = exp(-(r/ξ)²), ξ = `length` in lattice constants [P]."""
    return np.exp(-((distance / length) ** 2))


def power_law(distance: FloatArray, exponent: float) -> FloatArray:
    """Power law, long range: K = r^-p, p = `exponent`, for r > 0 [P]."""
    return distance**-exponent


def rkky(distance: FloatArray, length: float) -> FloatArray:
    """RKKY: K = x^-4 (x cos x - sin x), x = 2r/γ, γ = `length`, for r > 0 [P]."""
    x = 2.0 * distance / length
    return (x * np.cos(x) - np.sin(x)) / x**4


KERNELS = {
    "gaussian": Kernel(gaussian, "ξ", "Gaussian"),
    "power": Kernel(power_law, "p", "power law"),
    "rkky": Kernel(rkky, "γ", "RKKY"),
}


def distance_grid(n_edge: int) -> FloatArray:
    """Minimum-image distance of every site from site (0, 0).

    Parameters
    ----------
    n_edge : int
        Lattice edge, in sites.

    Returns
    -------
    ndarray, shape (n_edge, n_edge)
        Distances in lattice constants, zero at the origin.
    """
    n_edge = check_count("n_edge", n_edge, at_least=2)
    index = np.arange(n_edge)
    along = np.minimum(index, n_edge - index).astype(np.float64)
    return np.hypot(along[:, None], along[None, :])


def kernel_table(kernel: str, parameter: float, n_edge: int) -> FloatArray:
    """Tabulate K(r) from site (0, 0); no spin feels itself, so K(0) = 0.

    Parameters
    ----------
    kernel : {"gaussian", "power", "rkky"}
        The law.
    parameter : float
        ξ or γ in lattice constants, or the exponent p; positive.
    n_edge : int
        Lattice edge, in sites.

    Returns
    -------
    ndarray, shape (n_edge, n_edge)
        Signed, unnormalised kernel.

    Raises
    ------
    InputError
        For an unknown kernel or a parameter that is not a positive number.
    """
    law = KERNELS[check_choice("kernel", kernel, KERNELS)].law
    parameter = check_number("kernel_parameter", parameter, above=0)
    distance = distance_grid(n_edge)
    table = np.zeros_like(distance)
    apart = distance > 0
    table[apart] = law(distance[apart], parameter)
    return table


def kernel_sum(table: FloatArray) -> float:
    """Sum of the signed kernel, κ = Σ_{r≠0} K(r) [P, eq. 3]."""
    return float(table.sum())


def coupling_length(table: FloatArray) -> float:
    """Mean distance of the coupling, L = (1/κ) Σ_{r≠0} r K(r), in lattice constants [P, eq. 4]."""
    distance = distance_grid(table.shape[0])
    return float((distance * table).sum() / checked_kernel_sum(table))


def coupling_spectrum(table: FloatArray) -> FloatArray:
    """Eigenvalues of the convolution with K/κ: the real half-spectrum of the table.

    K is even in x and in y, so the discrete Fourier transform is real and multiplying by it
    is the whole mean field of [P, eq. 3].

    Parameters
    ----------
    table : ndarray, shape (n_edge, n_edge)
        Kernel from site (0, 0), even in both directions.

    Returns
    -------
    ndarray, shape (n_edge, n_edge // 2 + 1)
        Dimensionless; 1 at zero wave vector.
    """
    return np.fft.rfft2(table / checked_kernel_sum(table)).real


def checked_kernel_sum(table: FloatArray) -> float:
    """Return κ, or raise where a kernel sums to nothing and so cannot be normalised."""
    total, size = kernel_sum(table), float(np.abs(table).sum())
    if not abs(total) > 1e-9 * size:
        raise InputError(
            "the kernel must have a sum κ away from zero, because the mean field is divided by it, "
            f"but κ = {total:.3g} with Σ|K| = {size:.3g}. Change its parameter or the lattice edge."
        )
    return total
