"""Echoes of given materials: whole simulations on lattices with offsets of their own."""

import math

import jax
import numpy as np
import xarray as xr

from latent_nmr._jax_settings import seed_key
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.physics.presets import get_preset
from latent_nmr.studies.posterior._curves import curves_of
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
    key, n_materials = seed_key(seed), len(materials.kernel)
    pieces = []
    for start in range(0, n_materials, CURVES_AT_ONCE):
        rows = range(start, min(start + CURVES_AT_ONCE, n_materials))
        keys = [jax.random.fold_in(key, row) for row in rows]
        part = materials.rows(slice(rows.start, rows.stop))
        pieces.append(curves_of(prior, part, keys, known.line, sequence, edge))
    signal = np.concatenate(pieces)
    angles = np.full(len(signal), float(flip_angle_deg))
    return xr.Dataset(
        {"mx": (("curve", "time"), np.real(signal)), "my": (("curve", "time"), np.imag(signal))},
        {
            "curve": np.arange(len(signal)),
            "time": ("time", sequence.time, {"units": "µs"}),
            ANGLE: ("curve", angles),
        },
        {"echo_index": known.sequence.echo_sample, "dt_us": sequence.dt},
    )
