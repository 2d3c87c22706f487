"""What the benchmarks compare with is what they say it is."""

import importlib.util
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm

from latent_nmr.models.networks import Architecture, layer_sizes, weight_shapes
from latent_nmr.models.regression_network import NetworkShape
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.sequence import spin_echo

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("b", SCRIPTS / "benchmark_simulator.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("kernel", "parameter"), [("power", 1.47), ("rkky", 3.0)])
def test_the_sources_algorithm_in_liouville_space_is_the_scheme_called_source(
    benchmark, kernel, parameter
):
    sequence = spin_echo(dt=0.16, pulse_spacing=40, n_samples=120, flip_angle=1.3)
    frequencies = np.random.default_rng(0).uniform(-0.5, 0.5, (6, 6))
    table, couplings = kernel_table(kernel, parameter, 6), (0.1, 0.07, 0.04)
    theirs = benchmark.source_curve(frequencies, table, couplings, sequence)
    (ours,) = simulate_lattices(
        frequencies[None], table[None], [couplings], sequence, scheme="source", dtype="float64"
    )
    # Some hundred operations of size 1/2 per sample, rounded.
    np.testing.assert_allclose(theirs, ours, atol=1e-12)


def test_its_exponential_is_the_matrix_exponential(benchmark):
    rng = np.random.default_rng(1)
    matrices = rng.standard_normal((5, 4, 4)) + 1j * rng.standard_normal((5, 4, 4))
    expected = np.stack([expm(matrix) for matrix in matrices])
    np.testing.assert_allclose(benchmark.exponential(matrices), expected, rtol=1e-12, atol=1e-12)


def test_a_time_at_a_hundred_squared_is_said_to_be_extrapolated(benchmark):
    rows = [{"n_edge": n, "source": {"median_s": 1e-6 * n**4.0}} for n in (20, 30, 40)]
    far = benchmark.extrapolated(rows, ours_at_100=0.05)
    assert far["extrapolated"] is True
    assert far["fitted_exponent"] == pytest.approx(4.0)
    assert far["source_s"] == pytest.approx(100.0)
    assert far["ratio"] == pytest.approx(2000.0)


class TestTraining:
    """scripts/benchmark_training.py."""

    @pytest.fixture(scope="class")
    @staticmethod
    def training():
        spec = importlib.util.spec_from_file_location("t", SCRIPTS / "benchmark_training.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @pytest.mark.parametrize("width", [400, 1882])
    def test_the_floor_multiplies_by_every_weight_of_the_network(self, training, width):
        architecture = Architecture(width, layer_sizes(width, None), 2)
        shapes = weight_shapes(architecture).values()
        n_multiplied = sum(np.prod(shape) for shape in shapes if len(shape) == 2)
        assert sum(a * b for a, b in training.product_shapes(width)) == n_multiplied

    def test_the_network_in_pytorch_has_our_weights(self, training):
        torch = pytest.importorskip("torch")
        shapes = weight_shapes(Architecture(400, layer_sizes(400, None), 2)).values()
        rows = np.random.default_rng(0).random((300, 400), np.float32)
        sizes = []
        keep = torch.optim.Adam.__init__

        def noted(self, parameters, **options):
            parameters = list(parameters)
            sizes.extend(parameter.numel() for parameter in parameters)
            keep(self, parameters, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.optim.Adam, "__init__", noted)
            training.torch_epoch(rows, fused=False)
        assert sorted(sizes) == sorted(int(np.prod(shape)) for shape in shapes)


def test_the_challenges_network_in_pytorch_has_our_weights(monkeypatch):
    """scripts/benchmark_challenge.py."""
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(SCRIPTS)
    script = import_module("benchmark_challenge")
    for network in script.DEEP.values():
        widths = (script.WIDTH,) * len(network.activations)
        sizes = (script.N_FEATURES, widths, network.activations, script.N_TARGETS)
        ours = NetworkShape(*sizes, batch_norm=True).weight_shapes()
        learned = [shape for name, shape in ours.items() if not name.endswith(("mean", "var"))]
        theirs = script.torch_network(network.activations).parameters()
        assert sorted(p.numel() for p in theirs) == sorted(int(np.prod(s)) for s in learned)
