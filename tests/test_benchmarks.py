"""The networks in PyTorch that benchmarks compare with have the weights of ours."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.models.networks import Architecture, layer_sizes, weight_shapes
from latent_nmr.models.regression_network import NetworkShape
from latent_nmr.studies.speed.regression import HIDDEN_WIDTH, NETWORKS

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture(autouse=True)
def scripts_on_the_path(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)


def test_the_network_in_pytorch_has_our_weights(monkeypatch):
    torch = pytest.importorskip("torch")
    shapes = weight_shapes(Architecture(400, layer_sizes(400, None), 2)).values()
    rows = np.random.default_rng(0).random((300, 400), np.float32)
    sizes = []
    keep = torch.optim.Adam.__init__

    def noted(self, parameters, **options):
        parameters = list(parameters)
        sizes.extend(parameter.numel() for parameter in parameters)
        keep(self, parameters, **options)

    monkeypatch.setattr(torch.optim.Adam, "__init__", noted)
    import_module("benchmark_training").torch_epoch(rows, fused=False)
    assert sorted(sizes) == sorted(int(np.prod(shape)) for shape in shapes)


def test_the_challenges_network_in_pytorch_has_our_weights():
    pytest.importorskip("torch")
    script = import_module("benchmark_training")
    for network in NETWORKS.values():
        widths = (HIDDEN_WIDTH,) * len(network.activations)
        sizes = (script.N_FEATURES, widths, network.activations, script.N_TARGETS)
        ours = NetworkShape(*sizes, batch_norm=True).weight_shapes()
        learned = [shape for name, shape in ours.items() if not name.endswith(("mean", "var"))]
        theirs = script.torch_network(network.activations).parameters()
        assert sorted(p.numel() for p in theirs) == sorted(int(np.prod(s)) for s in learned)
