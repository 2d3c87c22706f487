"""Figures of measured speed; each returns a matplotlib Figure."""

from collections.abc import Mapping
from typing import Any


def simulator_figure(result: Mapping[str, Any]):
    """Time per curve over the lattice edge, beside the source's algorithm.

    Parameters
    ----------
    result : mapping
        `scaling`, `against_source` and `at_100`, of the functions of `studies.speed.simulator`.
    """
    from latent_nmr.plots.benchmarks import plot_simulator_benchmark

    return plot_simulator_benchmark(dict(result))


def training_figure(result: Mapping[str, Any]):
    """Seconds per epoch by window, beside the arithmetic floor and other contenders.

    Parameters
    ----------
    result : mapping
        `epochs`: by window, what `studies.speed.training.epoch_times` returns.
    """
    from latent_nmr.plots.benchmarks import plot_training_benchmark

    return plot_training_benchmark(dict(result))
