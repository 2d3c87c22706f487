"""Figures of a posterior: marginals, pairs by kernel, and the echo with what is predicted of it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_nmr.plots.measurement import kernel_shares
from latent_nmr.plots.style import KERNEL_STYLES, LABEL_TEXTS, TIME_TEXT, new_figure

FloatArray = npt.NDArray[np.floating]

N_BINS = 40
# More points hide each other.
MOST_POINTS = 1500
PRIOR_COLOUR = "0.55"


def marginals_figure(
    draws: Mapping[str, FloatArray],
    kernels: npt.NDArray[np.str_],
    prior: Mapping[str, FloatArray],
    shares: Mapping[str, float],
) -> Figure:
    """Draw the marginal density of each number, stacked by kernel, over that of the prior.

    Parameters
    ----------
    draws : mapping of ndarray, shape (n_draws,)
        By label.
    kernels : ndarray of str, shape (n_draws,)
    prior : mapping of ndarray
        Draws of the prior, by label.
    shares : mapping of float
        Probabilities of the kernels.
    """
    figure = new_figure(2.5 * len(draws) + 2.6, 2.5)
    axes = figure.subplots(1, len(draws) + 1)
    for ax, (name, values) in zip(axes, draws.items(), strict=False):
        _marginal(ax, name, values, kernels, prior[name])
    axes[0].set_ylabel("density over its highest")
    kernel_shares(shares, ax=axes[-1])
    return figure


def _marginal(
    ax: Axes, name: str, values: FloatArray, kernels: npt.NDArray[np.str_], prior: FloatArray
) -> None:
    """One number; grey is its prior."""
    edges = np.linspace(prior.min(), prior.max(), N_BINS + 1)
    beforehand = np.histogram(prior, edges)[0] / len(prior)
    own = {k: np.histogram(values[kernels == k], edges)[0] / len(values) for k in KERNEL_STYLES}
    top = max(float(sum(own.values()).max()), 1e-9)  # type: ignore[union-attr]
    ax.stairs(beforehand / top, edges, color=PRIOR_COLOUR, linestyle="--")
    base = np.zeros(N_BINS)
    for kernel, counts in own.items():
        colour = KERNEL_STYLES[kernel][1]
        ax.stairs(base + counts / top, edges, baseline=base, fill=True, color=colour, alpha=0.8)
        base = base + counts / top
    ax.set(xlabel=LABEL_TEXTS.get(name, name), yticks=[], ylim=(0, 1.08))


def pairs_figure(draws: Mapping[str, FloatArray], kernels: npt.NDArray[np.str_]) -> Figure:
    """Draw every pair of numbers, a point for each draw, coloured by kernel.

    Parameters
    ----------
    draws : mapping of ndarray, shape (n_draws,)
        By label.
    kernels : ndarray of str, shape (n_draws,)
    """
    names = list(draws)
    n_panels = len(names) - 1
    figure = new_figure(2.1 * n_panels + 0.6, 2.0 * n_panels + 0.4)
    axes = figure.subplots(n_panels, n_panels, squeeze=False)
    for row, below in enumerate(names[1:]):
        for column, along in enumerate(names[:-1]):
            ax = axes[row, column]
            if column > row:
                ax.set_axis_off()
                continue
            ax.locator_params(axis="x", nbins=3)  # numbers of five digits stand side by side
            for kernel, (title, colour, marker) in KERNEL_STYLES.items():
                own = np.flatnonzero(kernels[:MOST_POINTS] == kernel)
                points = draws[along][own], draws[below][own]
                ax.plot(*points, marker, color=colour, markersize=2, alpha=0.4, label=title)
            if row == n_panels - 1:
                ax.set_xlabel(LABEL_TEXTS.get(along, along))
            if column == 0:
                ax.set_ylabel(LABEL_TEXTS.get(below, below))
    handles, titles = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, titles, loc="upper right", frameon=False, markerscale=3)
    return figure


def predictive_figure(time: FloatArray, measured: FloatArray, predicted: FloatArray) -> Figure:
    """Draw a measured curve over the band of curves simulated for draws of its posterior.

    Parameters
    ----------
    time : ndarray, shape (n_samples,)
        µs.
    measured : ndarray, shape (n_samples,)
    predicted : ndarray, shape (n_draws, n_samples)
        May have no draws.
    """
    figure = new_figure(7.2, 2.8)
    ax = figure.subplots()
    if len(predicted):
        low, high = np.quantile(predicted, [0.05, 0.95], axis=0)
        ax.fill_between(time, low, high, color="#56B4E9", alpha=0.6, linewidth=0, label="90 % band")
    ax.plot(time, measured, color="0.2", linewidth=0.8, label="measured")
    ax.set(xlabel=TIME_TEXT, ylabel="|M(t)|, scaled")
    ax.legend(frameon=False)
    return figure
