"""The inhomogeneous line: resonance frequencies ν_i of the lattice's nuclei.

A line of full width at half maximum Γ cut at ±c has the quantile function, for 0 < u < 1,

    ν(u) = (Γ/2) tan[(2u - 1) arctan(2c/Γ)]              Lorentzian,
    ν(u) = √2 σ erf⁻¹[(2u - 1) erf(c/√2σ)],  σ = Γ/√(8 ln 2)    Gaussian,

so every way to draw ν is a way to draw u. Frequencies in MHz, offsets from the line's centre.
"""

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from latent_nmr._jax_settings import own_settings, typed_key
from latent_nmr._masks import refuse_masked
from latent_nmr._units import in_unit
from latent_nmr.errors import InputError, check_choice, check_number

DRAWS = ("independent", "stratified", "frozen")
SHAPES = ("lorentzian", "gaussian")


@dataclass(frozen=True)
class Line:
    """A truncated line and how the frequencies of the sites are drawn from it.

    Parameters
    ----------
    fwhm : float
        Full width at half maximum, MHz.
    cutoff : float
        Largest |ν|, MHz.
    draw : {"independent", "stratified", "frozen"}
        `independent`: u ~ U(0, 1) per site. `stratified`: the N quantiles u = (i + 1/2)/N in
        random order, so that uncoupled spins give a noise-free signal. `frozen`: one offset map
        for all curves, the flaw of part of the published data; for study only.
    shape : {"lorentzian", "gaussian"}
        Distribution before it is cut.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> line = ln.Line(fwhm=0.05, cutoff=0.5)
    >>> line.quantile(0.5).item()
    0.0
    """

    fwhm: float = 0.05
    cutoff: float = 0.5
    draw: str = "independent"
    shape: str = "lorentzian"

    def __post_init__(self):
        check_number("fwhm", self.fwhm, above=0, unit="MHz")
        check_number("cutoff", self.cutoff, above=0, unit="MHz")
        check_choice("line draw", self.draw, DRAWS)
        check_choice("line shape", self.shape, SHAPES)

    def quantile(self, u: jax.Array) -> jax.Array:
        """Frequency below which the fraction `u` of the line lies, in MHz."""
        law = gaussian_quantile if self.shape == "gaussian" else lorentzian_quantile
        return law(u, self.fwhm, self.cutoff)


@dataclass(frozen=True)
class MeasuredLine:
    """A line given as a histogram, such as a measured spectrum.

    Parameters
    ----------
    edges : tuple of float
        Rising edges of the bins, MHz, one more than there are bins.
    counts : tuple of float
        Weight of each bin, not negative; ν is uniform inside a bin.
    draw : {"independent", "stratified", "frozen"}
        As in `Line`.

    Examples
    --------
    >>> import jax
    >>> import latent_nmr as ln
    >>> line = ln.MeasuredLine(edges=(-0.1, 0.0, 0.1), counts=(1.0, 3.0))
    >>> frequencies = ln.draw_frequencies(jax.random.key(0), 20, line)
    >>> bool(abs(frequencies).max() <= 0.1)
    True
    """

    edges: tuple[float, ...]
    counts: tuple[float, ...]
    draw: str = "independent"

    def __post_init__(self):
        # Converted to tuples: a line must be hashable, as a static argument of compiled functions.
        refuse_masked("edges", self.edges)
        refuse_masked("counts", self.counts)
        given = in_unit("edges", self.edges, "MHz")
        edges = tuple(check_number("line edge", edge, unit="MHz") for edge in given)
        counts = tuple(check_number("line count", count, at_least=0) for count in self.counts)
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "counts", counts)
        check_choice("line draw", self.draw, DRAWS)
        if len(edges) != len(counts) + 1 or not counts:
            raise InputError(
                "edges must be one more than counts, but there are "
                f"{len(edges)} for {len(counts)}. Give both ends of every bin."
            )
        if any(b <= a for a, b in pairwise(edges)):
            raise InputError(f"edges must rise, but are {edges}. Sort the bins.")
        if not sum(counts) > 0:
            raise InputError("counts must not all be zero, but they are. Give the line a weight.")

    def quantile(self, u: jax.Array) -> jax.Array:
        """Frequency below which the fraction `u` of the line lies, in MHz."""
        total = np.cumsum(np.concatenate([[0.0], self.counts]))
        # Empty bins make the cumulative distribution flat there; no u falls inside.
        kept = np.concatenate([[True], np.diff(total) > 0]) | np.concatenate(
            [np.diff(total) > 0, [False]]
        )
        cumulative = jnp.asarray(total[kept] / total[-1], u.dtype)
        return jnp.interp(u, cumulative, jnp.asarray(np.array(self.edges)[kept], u.dtype))


def lorentzian_quantile(u: jax.Array, fwhm: float, cutoff: float) -> jax.Array:
    """Frequency below which the fraction `u` of a cut Lorentzian lies, in MHz."""
    return (fwhm / 2) * jnp.tan((2 * u - 1) * jnp.arctan(2 * cutoff / fwhm))


def gaussian_quantile(u: jax.Array, fwhm: float, cutoff: float) -> jax.Array:
    """Frequency below which the fraction `u` of a cut Gaussian lies, in MHz."""
    # Where the cut is so far out that erf(c/√2σ) rounds to 1, u = 0 and u = 1 lie at infinity.
    root_two_sigma = fwhm / (2 * math.sqrt(math.log(2)))
    edge = math.erf(cutoff / root_two_sigma)
    return jnp.clip(root_two_sigma * jax.scipy.special.erfinv((2 * u - 1) * edge), -cutoff, cutoff)


def draw_frequencies(key: jax.Array, n_edge: int, line: Line | MeasuredLine) -> jax.Array:
    """Draw one lattice of frequencies.

    Parameters
    ----------
    key : Array
        JAX key, of any implementation. For `frozen`, the caller passes the same key for every
        curve.
    n_edge : int
        Lattice edge, in sites.
    line : Line or MeasuredLine
        Distribution and way of drawing.

    Returns
    -------
    Array of float32, shape (n_edge, n_edge)
        ν_i in MHz. Always float32, so that a float64 run sees the very same spins.

    Raises
    ------
    InputError
        If `key` is no JAX key.

    Examples
    --------
    >>> import jax
    >>> import latent_nmr as ln
    >>> frequencies = ln.draw_frequencies(jax.random.key(0), 20, ln.Line(fwhm=0.05, cutoff=0.5))
    >>> frequencies.shape, bool(abs(frequencies).max() <= 0.5)
    ((20, 20), True)
    """
    return _drawn(typed_key(key), n_edge, line)


@own_settings(on_cpu=True)
@partial(jax.jit, static_argnames=("n_edge", "line"))
def _drawn(key: jax.Array, n_edge: int, line: Line | MeasuredLine) -> jax.Array:
    """Frequencies of one lattice from a typed key."""
    n_sites = n_edge * n_edge
    if line.draw == "stratified":
        u = (jax.random.permutation(key, n_sites).astype(jnp.float32) + 0.5) / n_sites
    else:
        u = jax.random.uniform(key, (n_sites,), jnp.float32)
    return line.quantile(u).astype(jnp.float32).reshape(n_edge, n_edge)
