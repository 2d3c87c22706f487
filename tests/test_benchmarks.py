"""The networks in PyTorch that benchmarks compare with have the weights of ours."""

import numpy as np
import pytest

from latent_nmr.models.networks import Architecture, layer_sizes, weight_shapes
from latent_nmr.models.regression_network import NetworkShape
from latent_nmr.studies.speed.regression import HIDDEN_WIDTH, NETWORKS
from latent_nmr.studies.speed.torch_networks import torch_epoch, torch_network


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
    torch_epoch(rows, fused=False)
    assert sorted(sizes) == sorted(int(np.prod(shape)) for shape in shapes)


def test_the_challenges_network_in_pytorch_has_our_weights():
    pytest.importorskip("torch")
    for network in NETWORKS.values():
        widths = (HIDDEN_WIDTH,) * len(network.activations)
        sizes = (400, widths, network.activations, 3)
        ours = NetworkShape(*sizes, batch_norm=True).weight_shapes()
        learned = [shape for name, shape in ours.items() if not name.endswith(("mean", "var"))]
        theirs = torch_network(network.activations, 400, 3).parameters()
        assert sorted(p.numel() for p in theirs) == sorted(int(np.prod(s)) for s in learned)
