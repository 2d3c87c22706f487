"""Echoes of one material with several draws of offsets, and their derivatives.

Derivatives are those of each draw's own curve, taken forwards through `curve_function`, with
respect to the normal scores u of the prior: in these the prior is N(0, 1), and every u a material.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr.data.record_rows import BLOCK
from latent_nmr.errors import InputError
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.physics.differentiable import CurveInputs, curve_function, curve_inputs
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.sequence import Sequence
from latent_nmr.studies.posterior._curves import curves_of
from latent_nmr.studies.posterior._quantities import quantities

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

# Draws of offsets of every echo, and how many of them have derivatives, each of which costs as much
# as five curves.
N_OFFSETS, N_SLOPES = 10, 4
# Of derivatives, in samples. Beside steps half as long they are off by 4 % of their rms at most at
# 60°, a tenth of what they scatter by from draw to draw.
STEP = 4
# Of u, to either side: the map from u to a material is smooth but for the edges of the prior.
SCORE_STEP = 1e-3


class Repeats(NamedTuple):
    """One echo of one material with several draws of offsets, without noise.

    Attributes
    ----------
    signals : ndarray of complex, shape (n_offsets, n_columns)
        As :func:`latent_nmr.record_rows` has them, over |M(0)|.
    slopes : ndarray of complex, shape (n_slopes, 3, n_columns)
        Derivatives of the first of them with respect to u.
    """

    signals: ComplexArray
    slopes: ComplexArray


class Slopes:
    """Makes repeats; programs are compiled once for each kernel and spacing of the pulses.

    Parameters
    ----------
    prior : Prior
    line : Line
    n_edge : int
        Lattice edge, in sites.
    seed : int
        Of the offsets; material i has those of seed and i.
    """

    def __init__(self, prior: Prior, line: Line, n_edge: int, seed: int):
        self._prior, self._line, self._n_edge = prior, line, n_edge
        self._key = seed_key(seed)
        self._programs: dict = {}

    def repeats(self, material: Materials, number: int, sequence: Sequence) -> Repeats:
        """Echoes of the material of a number, arrays of shape (1,), after the pulses."""
        keys = jax.random.split(jax.random.fold_in(self._key, number), N_OFFSETS)
        kernel = self._prior.kernels[int(material.kernel[0])]
        couplings = [float(own[0]) for own in material[1:3]]
        inputs = curve_inputs(
            (couplings[0], *couplings), float(material.kernel_parameter[0]), sequence
        )
        tangents = parameter_slopes(self._prior, material)
        found = []
        with own_settings():
            program = self._program(kernel, sequence)
            for key in keys[:N_SLOPES]:
                offsets = draw_frequencies(key, self._n_edge, self._line)
                found.append(jax.device_get(program(inputs, offsets, tangents)))
        others = curves_of(
            self._prior,
            material.rows([0] * (N_OFFSETS - N_SLOPES)),
            keys[N_SLOPES:],
            self._line,
            sequence,
            self._n_edge,
        )
        own, slopes = (np.stack(part) for part in zip(*found, strict=True))
        if not np.isfinite(slopes).all():
            raise InputError(
                f"couplings must be within twice those of the prior, but a {kernel} material of "
                f"W = {material.W[0]:.3g} MHz has no derivative. Widen the prior."
            )
        signals = np.concatenate([in_columns(_complex(own)), in_columns(others)])
        start = np.hypot(*own[0, 0])
        return Repeats(signals / start, in_columns(_complex(slopes)) / start)

    def _program(self, kernel: str, sequence: Sequence):
        """A compiled function of inputs, offsets and slopes of parameters."""
        place = kernel, sequence.dt, sequence.n_samples, sequence.segments
        if place not in self._programs:
            near = _strongest(self._prior, kernel, sequence, self._n_edge)
            offsets = draw_frequencies(self._key, self._n_edge, self._line)
            curve = curve_function(offsets, kernel, sequence, near, step=STEP)

            def with_slopes(inputs: CurveInputs, frequencies: jax.Array, tangents: jax.Array):
                def record(numbers: jax.Array) -> jax.Array:
                    alpha_x, alpha_z, parameter = numbers
                    couplings = jnp.stack([alpha_x, alpha_x, alpha_z])
                    own = inputs._replace(couplings=couplings, kernel_parameter=parameter)
                    return curve(own, frequencies)[:, :2]

                at = jnp.stack([*inputs.couplings[1:], inputs.kernel_parameter])
                along = lambda tangent: jax.jvp(record, (at,), (tangent,))  # noqa: E731
                return jax.vmap(along, out_axes=(None, 0))(tangents)

            self._programs[place] = jax.jit(with_slopes)
        return self._programs[place]


def parameter_slopes(prior: Prior, material: Materials) -> npt.NDArray[np.float32]:
    """Derivatives of α_x, α_z and the kernel's parameter with respect to u, shape (3 of u, 3)."""
    low, high = _either_side(prior, material)
    rise = np.array([high.alpha_x, high.alpha_z, high.kernel_parameter])
    rise -= np.array([low.alpha_x, low.alpha_z, low.kernel_parameter])
    return (rise.T / (2 * SCORE_STEP)).astype(np.float32)


def quantity_slopes(prior: Prior, material: Materials) -> dict[str, FloatArray]:
    """Derivatives of every quantity with respect to u, shape (3,)."""
    low, high = (quantities(prior, own) for own in _either_side(prior, material))
    return {name: (high[name] - low[name]) / (2 * SCORE_STEP) for name in low}


def _either_side(prior: Prior, material: Materials) -> list[Materials]:
    """Materials of lower and of higher u, one for each of the three."""
    centre = prior.scores(material)
    return [
        prior.materials(np.repeat(material.kernel, 3), centre + sign * SCORE_STEP * np.eye(3))
        for sign in (-1, 1)
    ]


def _strongest(prior: Prior, kernel: str, sequence: Sequence, n_edge: int) -> CurveInputs:
    """Inputs whose couplings and kernel no material of the prior exceeds."""
    ends = prior.kernel_ranges[kernel]
    aligned = {own: _aligned(kernel_table(kernel, own, n_edge)) for own in (*ends, sum(ends) / 2)}
    largest = prior.coupling_range[1]
    return curve_inputs([largest] * 3, max(aligned, key=lambda own: aligned[own]), sequence)


def _aligned(table: FloatArray) -> float:
    return float(np.abs(table).sum() / abs(table.sum()))


def _complex(spins: npt.NDArray[np.floating]) -> ComplexArray:
    return spins[..., 0] + 1j * spins[..., 1].astype(np.float64)


def in_columns(signal: ComplexArray) -> ComplexArray:
    """Means of neighbouring samples, shape (..., n_time // BLOCK)."""
    n_columns = signal.shape[-1] // BLOCK
    kept = signal[..., : n_columns * BLOCK]
    return kept.reshape(*signal.shape[:-1], n_columns, BLOCK).mean(axis=-1)
