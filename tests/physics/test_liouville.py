"""The algorithm behind the paper in Liouville space: what it must agree with."""

import numpy as np
import pytest
from scipy.linalg import expm

from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.liouville import exponential, liouville_curve
from latent_nmr.physics.sequence import spin_echo


@pytest.mark.parametrize(("kernel", "parameter"), [("power", 1.47), ("rkky", 3.0)])
def test_it_is_the_scheme_called_source(kernel, parameter):
    sequence = spin_echo(dt=0.16, pulse_spacing=40, n_samples=120, flip_angle=1.3)
    frequencies = np.random.default_rng(0).uniform(-0.5, 0.5, (6, 6))
    table, couplings = kernel_table(kernel, parameter, 6), (0.1, 0.07, 0.04)
    theirs = liouville_curve(frequencies, table, couplings, sequence)
    (ours,) = simulate_lattices(
        frequencies[None], table[None], [couplings], sequence, scheme="source", dtype="float64"
    )
    # Some hundred operations of size 1/2 per sample, rounded.
    np.testing.assert_allclose(theirs, ours, atol=1e-12)


def test_its_exponential_is_the_matrix_exponential():
    rng = np.random.default_rng(1)
    matrices = rng.standard_normal((5, 4, 4)) + 1j * rng.standard_normal((5, 4, 4))
    expected = np.stack([expm(matrix) for matrix in matrices])
    np.testing.assert_allclose(exponential(matrices), expected, rtol=1e-12, atol=1e-12)
