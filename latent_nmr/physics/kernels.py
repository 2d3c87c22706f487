"""Coupling kernels K(r) on a periodic square lattice, their sum κ and coupling length L.

Notation: r distance in lattice constants (minimum image); κ = Σ_{r≠0} K(r);
L = (1/κ) Σ_{r≠0} r K(r), the coupling length, with the signed K. Reference [P]: A. Rao
et al., Phys. Rev. Research 5, 043098 (2023).
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._masks import refuse_masked
from latent_nmr._rounding import rounding_of
from latent_nmr._units import in_unit
from latent_nmr.errors import InputError, check_choice, check_count, check_number

FloatArray = npt.NDArray[np.float64]

# K(distance, parameter, xp): distances > 0 in lattice constants; xp is numpy, or jax.numpy where a
# gradient is wanted.
KernelLaw = Callable[[Any, Any, ModuleType], Any]


@dataclass(frozen=True)
class Kernel:
    """A law K(r; parameter) with the symbol of its parameter."""

    law: KernelLaw
    symbol: str
    title: str


def gaussian(distance: Any, length: Any, xp: ModuleType = np) -> Any:
    """Gaussian, short range: K = exp(-(r/ξ)²), ξ = `length` in lattice constants [P]."""
    return xp.exp(-((distance / length) ** 2))


def power_law(distance: Any, exponent: Any, xp: ModuleType = np) -> Any:  # noqa: ARG001
    """Power law, long range: K = r^-p, p = `exponent`, for r > 0 [P]."""
    return distance**-exponent


def rkky(distance: Any, length: Any, xp: ModuleType = np) -> Any:
    """RKKY: K = x^-4 (x cos x - sin x), x = 2r/γ, γ = `length`, for r > 0 [P]."""
    x = 2.0 * distance / length
    return (x * xp.cos(x) - xp.sin(x)) / x**4


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

    Examples
    --------
    >>> import latent_nmr as ln
    >>> table = ln.kernel_table("power", 2.0, n_edge=4)
    >>> table[0].tolist()
    [0.0, 1.0, 0.25, 1.0]
    """
    law = KERNELS[check_choice("kernel", kernel, KERNELS)].law
    parameter = check_number("kernel_parameter", parameter, above=0)
    distance = distance_grid(n_edge)
    table = np.zeros_like(distance)
    apart = distance > 0
    table[apart] = law(distance[apart], parameter, np)
    return table


def tabulate(law: Callable[[FloatArray], npt.ArrayLike] | npt.ArrayLike, n_edge: int) -> FloatArray:
    """Tabulate a user's own K(r) from site (0, 0), for `simulate_lattices`; K(0) = 0.

    Parameters
    ----------
    law : callable or array_like, shape (n_distances, 2)
        K as a function of an array of distances r > 0 in lattice constants, or a table of r and K
        with rising r, between which K is interpolated linearly.
    n_edge : int
        Lattice edge, in sites.

    Returns
    -------
    ndarray, shape (n_edge, n_edge)
        Signed, unnormalised kernel.

    Raises
    ------
    InputError
        If the table does not reach over the lattice, or K is not a finite number everywhere.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> table = ln.tabulate(lambda r: np.exp(-r / 5), n_edge=4)
    >>> table[0].round(3).tolist()
    [0.0, 0.819, 0.67, 0.819]
    """
    distance = distance_grid(n_edge)
    apart = distance > 0
    r = distance[apart]
    values = as_real("the kernel's values", law(r)) if callable(law) else _interpolated(law, r)
    if values.shape != r.shape:
        raise InputError(
            f"the kernel must give one value per distance, but gives shape {values.shape} for "
            f"shape {r.shape}. Write it with NumPy functions."
        )
    if not np.isfinite(values).all():
        bad = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(
            f"the kernel must be finite for r > 0, but K({r[bad]:g}) = {values[bad]}. "
            "Check K at this distance."
        )
    table = np.zeros_like(distance)
    table[apart] = values
    return table


def as_real(name: str, value: Any, unit: str = "") -> FloatArray:
    """Convert to float64 in a unit, refusing what is not an array of real numbers."""
    refuse_masked(name, value)
    try:
        array = np.asarray(in_unit(name, value, unit))
        if array.dtype.kind in "fiu":
            return array.astype(np.float64)
        found = f"dtype {array.dtype}"
    except InputError:
        raise
    except ValueError as error:
        found = f"no array ({error})"
    raise InputError(f"{name} must be an array of real numbers, but is {found}. Convert it first.")


def _interpolated(law: npt.ArrayLike, r: FloatArray) -> FloatArray:
    """K at the distances r from a table of two columns."""
    columns = as_real("a tabulated kernel", law)
    if columns.ndim != 2 or columns.shape[1] != 2 or not (np.diff(columns[:, 0]) > 0).all():
        raise InputError(
            "a tabulated kernel must have shape (n_distances, 2) with rising distances, but has "
            f"shape {columns.shape}. Sort its rows."
        )
    first, last = columns[0, 0], columns[-1, 0]
    rounding = rounding_of(law)  # a table made in single precision ends where that does
    if first > r.min() * (1 + rounding) or last < r.max() * (1 - rounding):
        raise InputError(
            f"a tabulated kernel must reach from r = {r.min():g} to {r.max():.4g}, but reaches "
            f"from {first:g} to {last:.4g}. Extend it, with zeros where it has died away."
        )
    return np.interp(r, columns[:, 0], columns[:, 1])


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
