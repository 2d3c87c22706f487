"""Ranks of truths in posteriors."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from latent_nmr.plots.style import LABEL_TEXTS, new_figure

# Of the largest difference of two cumulative shares, times the root of the number of ranks.
KOLMOGOROV_99 = 1.628


def rank_figure(ranks: Mapping[str, npt.NDArray[np.floating]]) -> Figure:
    """Cumulative share of ranks less the diagonal, with the band that holds 99 % of right ones."""
    figure = new_figure(2.4 * len(ranks) + 0.4, 2.6)
    axes = figure.subplots(1, len(ranks), sharey=True, squeeze=False)[0]
    for ax, (name, values) in zip(axes, ranks.items(), strict=True):
        ordered = np.sort(np.asarray(values, np.float64))
        share = (np.arange(len(ordered)) + 0.5) / len(ordered)
        band = KOLMOGOROV_99 / np.sqrt(len(ordered))
        ax.axhspan(-band, band, color="0.9", label="99 % of right posteriors")
        ax.plot(ordered, share - ordered, color="#0072B2")
        ax.axhline(0, color="0.6", linewidth=0.8)
        ax.set_title(LABEL_TEXTS.get(name, name))
        ax.set_xlabel("rank of the truth")
    axes[0].set_ylabel("cumulative share less rank")
    axes[0].legend(frameon=False, fontsize="small")
    return figure
