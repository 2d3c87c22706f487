"""Curves of given materials, by the simulator."""

from collections.abc import Iterable

import jax
import numpy as np
import numpy.typing as npt

from latent_nmr._jax_settings import own_settings
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.sequence import Sequence


def curves_of(
    prior: Prior,
    materials: Materials,
    keys: Iterable[jax.Array],
    line: Line,
    sequence: Sequence,
    n_edge: int,
) -> npt.NDArray[np.complex128]:
    """M_x + i M_y of materials of shape (n,), each with the offsets of its key, (n, n_samples)."""
    tables = [
        kernel_table(prior.kernels[number], float(parameter), n_edge)
        for number, parameter in zip(materials.kernel, materials.kernel_parameter, strict=True)
    ]
    with own_settings(on_cpu=True):
        fields = np.stack([np.asarray(draw_frequencies(key, n_edge, line)) for key in keys])
    couplings = np.stack([materials.alpha_x, materials.alpha_x, materials.alpha_z], axis=1)
    spins = simulate_lattices(fields, np.stack(tables), couplings, sequence)
    return spins[..., 0] + 1j * spins[..., 1]
