"""Figures of an evaluation: the maps of several methods, and scores over the dimension."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from latent_nmr.plots.latent import latent_map
from latent_nmr.plots.style import new_figure

# A colour, a line style and a marker each: any one of them distinguishes the methods.
METHOD_STYLES = {
    "vae": ("#D55E00", "-", "o"),
    "thorough": ("#E69F00", "-", "v"),
    "vae-repeats": ("#8B3A00", "-", "P"),
    "pca": ("#0072B2", "--", "s"),
    "repeat-pca": ("#56B4E9", "--", "X"),
    "umap": ("#009E73", "-.", "^"),
    "kmeans": ("#CC79A7", ":", "D"),
    "bottleneck": ("#666666", (0, (5, 1, 1, 1, 1, 1)), "x"),
}
# In turn, for methods of other names.
OTHER_STYLES = (
    ("#56B4E9", "-", "v"),
    ("#E69F00", "--", "P"),
    ("#000000", "-.", "X"),
    ("#F0E442", ":", "*"),
)
# A prediction worse than the mean is worthless, however much worse: R² below this is cut off.
LOWEST_SHOWN = -0.15


class Map(NamedTuple):
    """Coordinates of one method.

    Attributes
    ----------
    title : str
    coordinates : ndarray, shape (n_curves, n_components)
        At least two components; the first two are drawn.
    axis_names : tuple of str
    """

    title: str
    coordinates: npt.NDArray[np.floating]
    axis_names: tuple[str, str]


class Line(NamedTuple):
    """A score over the number of coordinates.

    Attributes
    ----------
    method : str
    title : str
    dimensions : ndarray, shape (n_dimensions,)
    means, deviations : ndarray, shape (n_dimensions,)
    """

    method: str
    title: str
    dimensions: npt.NDArray[np.floating] | npt.NDArray[np.integer]
    means: npt.NDArray[np.float64]
    deviations: npt.NDArray[np.float64]


def style_of(method: str, methods: Sequence[str]) -> tuple[str, str, str]:
    """Colour, line style and marker of one of several methods."""
    if method in METHOD_STYLES:
        return METHOD_STYLES[method]
    others = [name for name in dict.fromkeys(methods) if name not in METHOD_STYLES]
    return OTHER_STYLES[others.index(method) % len(OTHER_STYLES)]


def maps_by_method(maps: Sequence[Map], labels: Mapping[str, npt.NDArray]) -> Figure:
    """Draw the maps of all methods, one row each, coloured by one label per column."""
    figure = new_figure(3.2 * len(labels) + 0.4, 3.35 * len(maps))
    panels = figure.subplots(len(maps), len(labels), squeeze=False)
    for row, drawn in zip(panels, maps, strict=True):
        for number, (ax, (label, values)) in enumerate(zip(row, labels.items(), strict=True)):
            latent_map(drawn.coordinates, values, label, axis_names=drawn.axis_names, ax=ax)
            if number:
                ax.set_ylabel("")
            else:
                ax.set_ylabel(f"{drawn.title}\n{drawn.axis_names[1]}")
    return figure


def scores_over_dimension(
    panels: Mapping[str, Sequence[Line]],
    ceilings: Mapping[str, float],
    floors: Mapping[str, float],
) -> Figure:
    """Draw each score over the number of coordinates, one panel per score.

    Parameters
    ----------
    panels : mapping of sequence of Line
        By the score's title.
    ceilings, floors : mapping of float
        By the score's title; those missing are not drawn.
    """
    n_columns = min(2, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = new_figure(3.6 * n_columns, 2.6 * n_rows + 0.5)
    axes = figure.subplots(n_rows, n_columns, sharex=True, squeeze=False)
    methods = [line.method for lines in panels.values() for line in lines]
    for ax, (title, lines) in zip(axes.flat, panels.items(), strict=False):
        for line in lines:
            colour, style, marker = style_of(line.method, methods)
            ax.errorbar(
                line.dimensions,
                line.means,
                yerr=line.deviations,
                color=colour,
                linestyle=style,
                marker=marker,
                markersize=4,
                capsize=2,
                linewidth=1.2,
                label=line.title,
            )
        if title in ceilings:
            ax.axhline(ceilings[title], color="black", linewidth=1, label="ceiling: random forest")
        if title in floors:
            ax.axhline(
                floors[title], color="0.55", linewidth=1, linestyle=":", label="shuffled labels"
            )
        ax.set_ylabel(title)
        ticks = sorted({int(n) for line in lines for n in line.dimensions})
        ax.set_xscale("log", base=2)
        ax.set_xticks(ticks, [str(tick) for tick in ticks])
        ax.minorticks_off()
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("number of coordinates")
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False)
    return figure


def scores_over_noise(
    panels: Mapping[str, Sequence[Line]],
    levels: Sequence[float],
    clean: Mapping[str, Sequence[Line]],
) -> Figure:
    """Draw each score over the signal-to-noise ratio, one panel per score.

    Parameters
    ----------
    panels : mapping of sequence of Line
        By the score's title; `dimensions` of a line are signal-to-noise ratios, inf for no noise.
        Fitted on curves as noisy as those that are scored.
    levels : sequence of float
        The finite ratios.
    clean : mapping of sequence of Line
        The same, fitted on clean curves.
    """
    n_rows = -(-len(panels) // 2)
    figure = new_figure(7.2, 2.7 * n_rows + 0.7)
    axes = figure.subplots(n_rows, 2, sharex=True, squeeze=False)
    # No noise has a place of its own at the right end of a logarithmic axis.
    end = 3.2 * max(levels)
    for ax, title in zip(axes.flat, panels, strict=False):
        for lines, filled in ((panels[title], True), (clean[title], False)):
            for line in lines:
                colour, _, marker = METHOD_STYLES.get(line.method, ("0.4", "-", "x"))
                places = np.where(np.isfinite(line.dimensions), line.dimensions, end)
                ax.errorbar(
                    places,
                    line.means,
                    yerr=line.deviations,
                    color=colour,
                    linestyle="-" if filled else "--",
                    marker=marker,
                    markersize=4,
                    markerfacecolor=colour if filled else "white",
                    capsize=2,
                    linewidth=1.2 if filled else 0.9,
                    label=line.title + (", fitted on noisy" if filled else ", fitted on clean"),
                )
        if ax.get_ylim()[0] < LOWEST_SHOWN:
            ax.set_ylim(bottom=LOWEST_SHOWN)
            ax.annotate(
                f"below {LOWEST_SHOWN:g}: not shown", (1, 0), xycoords="axes fraction",
                xytext=(-4, 4), textcoords="offset points", ha="right", fontsize="x-small",
            )  # fmt: skip
        ax.set_ylabel(title)
        ax.set_xscale("log")
        ax.set_xticks([*levels, end], [*(f"{level:g}" for level in levels), "no noise"])
        ax.minorticks_off()
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("signal-to-noise ratio in the window")
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
    return figure
