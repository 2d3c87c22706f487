"""The inhomogeneous line: resonance frequencies ν_i of the lattice's nuclei.

A Lorentzian of full width at half maximum Γ cut at ±c has the quantile function

    ν(u) = (Γ/2) tan[(2u - 1) arctan(2c/Γ)],    0 < u < 1,

so every way to draw ν is a way to draw u. Frequencies in MHz, offsets from the line's centre.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from latent_nmr.errors import check_choice, check_number

DRAWS = ("independent", "stratified", "frozen")


@dataclass(frozen=True)
class Line:
    """A cut Lorentzian line and how its sites are drawn.

    Parameters
    ----------
    fwhm : float
        Full width at half maximum, MHz.
    cutoff : float
        Largest |ν|, MHz.
    draw : {"independent", "stratified", "frozen"}
        `independent`: u ~ U(0, 1) per site. `stratified`: the N quantiles u = (i + 1/2)/N in
        random order, so that uncoupled spins give a noise-free signal. `frozen`: one
        independent field for all curves, the flaw of part of the published data; for study
        only.
    """

    fwhm: float = 0.05
    cutoff: float = 0.5
    draw: str = "independent"

    def __post_init__(self):
        check_number("fwhm", self.fwhm, above=0, unit="MHz")
        check_number("cutoff", self.cutoff, above=0, unit="MHz")
        check_choice("line draw", self.draw, DRAWS)


def lorentzian_quantile(u: jax.Array, fwhm: float, cutoff: float) -> jax.Array:
    """Frequency below which the fraction `u` of a cut Lorentzian lies, in MHz."""
    return (fwhm / 2) * jnp.tan((2 * u - 1) * jnp.arctan(2 * cutoff / fwhm))


@partial(jax.jit, static_argnames=("n_edge", "line"))
def draw_frequencies(key: jax.Array, n_edge: int, line: Line) -> jax.Array:
    """Draw one lattice of frequencies.

    Parameters
    ----------
    key : Array
        JAX key. For `frozen`, the caller passes the same key for every curve.
    n_edge : int
        Lattice edge, in sites.
    line : Line
        Width, cutoff and way of drawing.

    Returns
    -------
    Array of float32, shape (n_edge, n_edge)
        ν_i in MHz. Always float32, so that a float64 run sees the very same spins.
    """
    n_sites = n_edge * n_edge
    if line.draw == "stratified":
        u = (jax.random.permutation(key, n_sites).astype(jnp.float32) + 0.5) / n_sites
    else:
        u = jax.random.uniform(key, (n_sites,), jnp.float32)
    return (
        lorentzian_quantile(u, line.fwhm, line.cutoff).astype(jnp.float32).reshape(n_edge, n_edge)
    )
