"""Closed forms that simulated curves are compared with.

Units as in `latent_nmr.physics`: frequencies in MHz, time in µs. M⁺ = mean of s^x + i s^y.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def line_transform(time: ArrayLike, fwhm: float, cutoff: float) -> NDArray[np.float64]:
    """Fourier transform of the unit Lorentzian of width `fwhm` cut at ±`cutoff`; 1 at t = 0.

    F(t) = ∫ p(ν) cos 2πνt dν with p ∝ 1/(1 + (2ν/Γ)²), by Gauss quadrature of 20 points in each
    of 200 panels. For t ≤ 300 µs and the widths used here a panel spans less than 10 rad, and
    the line's poles lie 10 half-panels away, so that the quadrature is exact to rounding.
    """
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(0.0, cutoff, 201)
    half = (edges[1] - edges[0]) / 2
    frequency = (edges[:-1, None] + half + half * nodes).ravel()
    density = np.tile(weights, 200) / (1 + (2 * frequency / fwhm) ** 2)
    phase = 2 * np.pi * np.multiply.outer(np.asarray(time, np.float64), frequency)
    return np.cos(phase) @ density / density.sum()


def uncoupled_echo(
    time: NDArray[np.float64],
    spacing: float,
    flip_angle: float,
    fwhm: float,
    cutoff: float,
    decay_rate: float = 0.0,
) -> NDArray[np.complex128]:
    r"""M⁺ of spins that do not interact: θ about x at t = 0, 2θ about y at τ = `spacing`.

    Between pulses s⁺ turns as exp(-2πiνt) and shrinks as exp(-2πRt); a rotation by φ about y maps
    s⁺ to cos²(φ/2) s⁺ - sin²(φ/2) s⁺* - s^z sin φ. From s⁺ = (i/2) sin θ, s^z = (1/2) cos θ and a
    symmetric line, three parts follow: the echo, the decay that went on, and that of s^z.
    """
    sin, cos = np.sin(flip_angle), np.cos(flip_angle)

    def free(t):
        return line_transform(t, fwhm, cutoff)

    before = 0.5j * sin * free(time)
    echo = 0.5j * sin**3 * free(time - 2 * spacing)
    survivor = 0.5j * sin * cos**2 * free(time)
    # s^z does not dephase while it waits, so that this part decays from the second pulse on.
    stored = -0.5 * cos * np.sin(2 * flip_angle) * free(time - spacing)
    stored = stored * np.exp(2 * np.pi * decay_rate * spacing)
    lost = np.exp(-2 * np.pi * decay_rate * time)
    return lost * np.where(time < spacing, before, echo + survivor + stored)


def uniform_precession(
    time: NDArray[np.float64], flip_angle: float, in_plane: float, along: float
) -> NDArray[np.complex128]:
    """M⁺ of equal spins on resonance after one pulse, α_x = α_y = `in_plane`, α_z = `along`.

    All s_i are equal, so M_i = s and ds/dt = 2π (α_z - α_x) s^z s × ẑ: the component s^z =
    (1/2) cos θ is kept and sets the frequency.
    """
    frequency = (along - in_plane) * np.cos(flip_angle) / 2
    return 0.5j * np.sin(flip_angle) * np.exp(-2j * np.pi * frequency * time)
