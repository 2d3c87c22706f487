"""The same networks in PyTorch, which trainings are timed beside where it is installed."""

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from latent_nmr.studies.speed import regression, training
from latent_nmr.studies.speed.timing import n_cores


def torch_epoch(rows: np.ndarray, *, fused: bool) -> Callable[[], None]:
    """One epoch of the same network in PyTorch per call."""
    torch, nn = torch_modules()
    sizes = training.widths_of(rows.shape[1])

    def perceptron(widths):
        layers = []
        for n_in, n_out in pairwise(widths):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(0.01)]
        return nn.Sequential(*layers)

    encoder, mean_head = perceptron(sizes), nn.Linear(sizes[-1], 2)
    log_variance_head = nn.Linear(sizes[-1], 2)
    decoder = nn.Sequential(perceptron((2, *sizes[:0:-1])), nn.Linear(sizes[1], sizes[0]))
    parts = nn.ModuleList([encoder, mean_head, log_variance_head, decoder])
    optimiser = torch.optim.Adam(parts.parameters(), lr=training.LEARNING_RATE, fused=fused)
    data = torch.from_numpy(rows)

    def loss(batch):
        x = data[batch]
        hidden = encoder(x)
        mean, log_variance = mean_head(hidden), log_variance_head(hidden)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        misfit = ((x - torch.sigmoid(decoder(z))) ** 2).sum(1) / (2 * training.OBJECTIVE.scale**2)
        kl = 0.5 * (mean**2 + torch.expm1(log_variance) - log_variance).sum(1)
        return (misfit + training.OBJECTIVE.beta * kl).mean()

    return torch_loop(loss, optimiser, len(rows), training.BATCH_SIZE)


def torch_modules() -> tuple[Any, Any]:
    """`torch` and `torch.nn`, on all cores, seeded: type checkers need not know them."""
    torch = import_module("torch")
    torch.set_num_threads(n_cores())
    torch.manual_seed(0)
    return torch, import_module("torch.nn")


def torch_loop(
    loss_of: Callable[[Any], Any], optimiser: Any, n_rows: int, batch_size: int
) -> Callable[[], None]:
    """One epoch per call: a plain loop over batches of row numbers."""
    torch = import_module("torch")

    def run():
        order = torch.cat([torch.randperm(n_rows), torch.randperm(n_rows)])
        for step in range(-(-n_rows // batch_size)):
            loss = loss_of(order[step * batch_size : (step + 1) * batch_size])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return run


def torch_network(activations: tuple[str, ...], n_features: int, n_targets: int) -> Any:
    """A public network of the challenge in PyTorch."""
    nn = import_module("torch.nn")
    kinds = {"relu": nn.ReLU, "selu": nn.SELU, "tanh": nn.Tanh}
    layers, n_in = [], n_features
    for number in range(len(activations) + 1):
        n_out = regression.HIDDEN_WIDTH if number < len(activations) else n_targets
        # PyTorch's momentum is the part of the new batch.
        norm = nn.BatchNorm1d(n_in, eps=regression.EPSILON, momentum=1 - regression.MOMENTUM)
        layer = nn.Linear(n_in, n_out)
        nn.init.kaiming_normal_(layer.weight)
        layers += [norm, layer, *(kinds[name]() for name in activations[number : number + 1])]
        n_in = n_out
    return nn.Sequential(*layers)


def torch_network_epoch(
    activations: tuple[str, ...], rows: np.ndarray, targets: np.ndarray
) -> Callable[[], None]:
    """One epoch of such a network in PyTorch per call."""
    torch, _ = torch_modules()
    model = torch_network(activations, rows.shape[1], targets.shape[1]).train()
    optimiser = torch.optim.NAdam(model.parameters(), lr=regression.LEARNING_RATE)
    data, wanted = torch.from_numpy(rows), torch.from_numpy(targets)

    def loss(batch):
        return ((model(data[batch]) - wanted[batch]) ** 2).mean()

    return torch_loop(loss, optimiser, len(rows), regression.BATCH_SIZE)
