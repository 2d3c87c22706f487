"""Echoes of given materials: whole simulations on lattices with offsets of their own."""

import math

import jax
import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.line import draw_frequencies
from latent_nmr.physics.presets import get_preset
from latent_nmr.studies.posterior._data import ANGLE

# Curves at a time: what a lattice needs fits many times over, and progress is seen.
CURVES_AT_ONCE = 16


def simulated_echoes(
    prior: Prior,
    materials: Materials,
    flip_angle_deg: float,
    *,
    seed: int = 0,
    n_edge: int | None = None,
    flip_error: float = 0.0,
    preset: str = "paper",
) -> xr.Dataset:
    """One echo of every material, without noise.

    Parameters
    ----------
    prior : Prior
        Names the kernels.
    materials : Materials, arrays of shape (n_materials,)
    flip_angle_deg : float
        θ of the first pulse, degrees, the second being 2θ.
    seed : int
        Of the offsets; material i has those of seed and i.
    n_edge : int, optional
        Lattice edge in sites; by default that of `preset`.
    flip_error : float
        Pulses turn spins by 1 + flip_error times the angle that the data set states.
    preset : str
        Whose line and sequence are used.

    Returns
    -------
    xarray.Dataset
        `mx`, `my` (curve, time), and the stated angle of every curve.
    """
    known = get_preset(preset)
    edge = known.n_edge if n_edge is None else n_edge
    sequence = known.sequence.flipped_by(math.radians(flip_angle_deg * (1 + flip_error)))
    kernels = [prior.kernels[number] for number in materials.kernel]
    pieces = []
    for start in range(0, len(kernels), CURVES_AT_ONCE):
        rows = range(start, min(start + CURVES_AT_ONCE, len(kernels)))
        tables = [
            kernel_table(kernels[row], float(materials.kernel_parameter[row]), edge) for row in rows
        ]
        couplings = [
            (materials.alpha_x[row], materials.alpha_x[row], materials.alpha_z[row]) for row in rows
        ]
        fields = _fields(seed, rows, edge, known.line)
        pieces.append(simulate_lattices(fields, np.stack(tables), np.array(couplings), sequence))
    signal = np.concatenate(pieces)
    angles = np.full(len(signal), float(flip_angle_deg))
    return xr.Dataset(
        {"mx": (("curve", "time"), signal[..., 0]), "my": (("curve", "time"), signal[..., 1])},
        {
            "curve": np.arange(len(signal)),
            "time": ("time", sequence.time, {"units": "µs"}),
            ANGLE: ("curve", angles),
        },
        {"echo_index": known.sequence.echo_sample, "dt_us": sequence.dt},
    )


@own_settings(on_cpu=True)
def _fields(seed: int, rows: range, n_edge: int, line) -> npt.NDArray[np.float32]:
    """Offsets ν of these materials, MHz, shape (n_rows, n_edge, n_edge)."""
    key = seed_key(seed)
    drawn = [draw_frequencies(jax.random.fold_in(key, row), n_edge, line) for row in rows]
    return np.stack([np.asarray(own) for own in drawn])
