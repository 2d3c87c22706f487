"""Lattices spread over cores and devices: the same curves, whoever computes them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latent_nmr._machine import available_cores
from latent_nmr.physics.devices import ONE_CORE
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.sequence import spin_echo
from latent_nmr.physics.simulate import (
    Simulation,
    draw_fields,
    draw_parameters,
    simulate_curves,
)

N_EDGE, N_CURVES = 6, 64
SEQUENCE = spin_echo(dt=0.32, pulse_spacing=11, n_samples=33, flip_angle=1.3)
KERNELS = [("gaussian", 1.5), ("power", 1.7), ("rkky", 3.0)]

SCRIPT = """
import sys
import jax
import numpy as np
from latent_nmr.physics import simulate
import latent_nmr as ln
simulation = simulate.Simulation("challenge2021-gauss", seed=3, n_edge=16, step=4)
_, parameters = simulate.draw_parameters(simulation, range(4))
with jax.default_device(jax.devices()[-1]):
    (device,) = ln.draw_frequencies(jax.random.key(0), 8, ln.Line()).devices()
np.savez(
    sys.argv[1],
    n_devices=len(jax.local_devices()),
    drawn_on=device.id,
    signal=simulate.simulate_curves(simulation, range(4)).signal,
    fields=simulate.draw_fields(simulation, range(4)),
    parameters=repr(parameters),
)
"""


def rows(indices) -> dict[str, Any]:
    """Arguments of `simulate_lattices` for the given curves, each by its own number alone."""
    draws = [np.random.default_rng(index) for index in indices]
    # Couplings over a decade: several steps, several compiled programs in one call.
    return {
        "frequencies": np.stack([d.uniform(-0.1, 0.1, (N_EDGE, N_EDGE)) for d in draws]),
        "kernel_tables": np.stack([kernel_table(*KERNELS[i % 3], N_EDGE) for i in indices]),
        "couplings": np.stack(
            [d.uniform(0.5, 1, 3) * [0.02, 0.2][i % 2] for i, d in zip(indices, draws, strict=True)]
        ),
        "decay_rate": [0.001 * (i % 2) for i in indices],
    }


@pytest.fixture(scope="module")
def together():
    """All curves from one call."""
    return simulate_lattices(**rows(range(N_CURVES)), sequence=SEQUENCE)


class TestBatches:
    """On a CPU a curve has the same bits in whatever company."""

    @pytest.mark.parametrize("size", [1, 7])
    def test_smaller_batches_give_the_same_bits(self, together, size):
        # Curves of one batch differ by far more than rounding.
        assert len({curve.tobytes() for curve in together}) == N_CURVES
        for start in range(0, N_CURVES, size):
            indices = range(start, min(start + size, N_CURVES))
            part = simulate_lattices(**rows(indices), sequence=SEQUENCE)
            np.testing.assert_array_equal(part, together[start : start + size])

    def test_the_order_and_the_company_of_rows_change_no_bit(self, together):
        for seed in range(3):
            indices = np.random.default_rng(seed).permutation(N_CURVES)[: 20 + seed].tolist()
            part = simulate_lattices(**rows(indices), sequence=SEQUENCE)
            np.testing.assert_array_equal(part, together[indices])

    def test_a_curve_that_appears_twice_is_the_same_twice(self, together):
        part = simulate_lattices(**rows([5, 9, 5]), sequence=SEQUENCE)
        np.testing.assert_array_equal(part, together[[5, 9, 5]])


@pytest.mark.slow
def test_four_devices_give_the_curves_of_one(tmp_path):
    path = tmp_path / "four.npz"
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    subprocess.run([sys.executable, "-c", SCRIPT, path], env=environment, check=True)
    simulation = Simulation("challenge2021-gauss", seed=3, n_edge=16, step=4)
    with np.load(path) as four:
        assert four["n_devices"] == 4
        # Whatever device the caller prefers, as others round differently.
        assert four["drawn_on"] == 0
        np.testing.assert_array_equal(four["fields"], draw_fields(simulation, range(4)))
        assert str(four["parameters"]) == repr(draw_parameters(simulation, range(4))[1])
        # Two compilations of one program: 470 intervals, rounded at random by 6e-8 of 1/2 each,
        # and the mean over 256 sites.
        expected = simulate_curves(simulation, range(4)).signal
        np.testing.assert_allclose(four["signal"], expected, atol=1e-6)


def test_the_loops_of_a_lattice_are_not_cut_for_several_cores():
    shape = jax.ShapeDtypeStruct((500, 500), "float32")
    texts = [
        jax.jit(jnp.sin, compiler_options=options).lower(shape).compile().as_text()
        for options in (None, ONE_CORE)
    ]
    # The name of XLA's pass is nothing that it promises: the first shows that the second counts.
    is_cut = ["outer_dimension_partitions" in (text or "") for text in texts]
    assert is_cut == [available_cores() > 1, False]
