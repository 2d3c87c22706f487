"""Strengths of latent axes: what each orders and depends on, and what several models share."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from latent_nmr.plots.style import LABEL_TEXTS, new_figure

FloatArray = npt.NDArray[np.floating]

# Names of labels without their units, which strengths do not have.
_NAMES = {name: text.split(" (")[0] for name, text in LABEL_TEXTS.items()}


class DrawnStrength(NamedTuple):
    """One statistic of an axis and its labels, as it is drawn.

    Attributes
    ----------
    text : str
        Name of the statistic, with its unit.
    values : mapping of str to ndarray, shape (n_models,), or None
        By label; None where the statistic does not apply.
    nulls : mapping of str to float
        By label, the 95 % quantile under permutation.
    null_of_largest : float or None
        The same of the largest over all labels.
    """

    text: str
    values: Mapping[str, FloatArray | None]
    nulls: Mapping[str, float]
    null_of_largest: float | None


def strengths_figure(axes: Mapping[str, Sequence[DrawnStrength]]) -> Figure:
    """Draw how strongly each axis orders, and depends on, each label, beside chance.

    Parameters
    ----------
    axes : mapping of str to sequence of DrawnStrength
        By the name of the axis, one statistic per column. An axis that could not be measured has
        statistics without labels.
    """
    drawn = list(axes.values())
    n_labels = max(len(statistics[0].values) for statistics in drawn)
    n_columns = len(drawn[0])
    figure = new_figure(3.2 * n_columns + 0.4, (0.28 * n_labels + 0.45) * len(drawn) + 0.8)
    panels = figure.subplots(len(drawn), n_columns, sharex="col", squeeze=False)
    for row, (name, statistics) in enumerate(axes.items()):
        for column, statistic in enumerate(statistics):
            ax = panels[row, column]
            draw_strength(ax, statistic)
            ax.tick_params(labelleft=column == 0)
            if row == len(drawn) - 1:
                ax.set_xlabel(statistic.text)
        panels[row, 0].set_ylabel(name)
    figure.legend(handles=_handles(), loc="outside upper center", ncols=3, frameon=False)
    return figure


def draw_strength(ax: Axes, statistic: DrawnStrength) -> Axes:
    """Draw one statistic of an axis: a point per model over the label's null."""
    labels = list(statistic.values)
    if not labels:
        ax.annotate("not measured", (0.5, 0.5), xycoords="axes fraction", ha="center", va="center",
                    fontsize="small", color="0.4")  # fmt: skip
        ax.set_yticks([])
        return ax
    ax.barh(labels, [statistic.nulls.get(name, 0.0) for name in labels], color="0.85", height=0.8)
    for place, label in enumerate(labels):
        values = statistic.values[label]
        if values is None:
            ax.annotate("no order", (0, place), xytext=(4, 0), textcoords="offset points",
                        va="center", fontsize="small", color="0.4")  # fmt: skip
            continue
        heights = place + _spread(len(values))
        ax.plot(values, heights, "o", color="#0072B2", markersize=4, zorder=3, clip_on=False)
    if statistic.null_of_largest is not None:
        ax.axvline(statistic.null_of_largest, color="black", linestyle="--", linewidth=1)
    ax.set_yticks(range(len(labels)), [_NAMES.get(name, name) for name in labels])
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlim(left=0)
    return ax


def stability_figure(names: Sequence[str], shares: Mapping[str, FloatArray]) -> Figure:
    """Draw the share of the variance of each axis that several models have in common.

    Parameters
    ----------
    names : sequence of str
        Names of the axes.
    shares : mapping of str to ndarray, shape (n_axes,)
        `before_rotation`, `after_rotation` and `null`, the 95 % quantile under permutation.
    """
    figure = new_figure(0.9 * len(names) + 2.2, 3.0)
    ax = figure.subplots()
    places = np.arange(len(names))
    ax.bar(places, shares["null"], color="0.85", width=0.8, label="null, 95 %")
    styles = {"before_rotation": ("#E69F00", "^", -0.15), "after_rotation": ("#0072B2", "o", 0.15)}
    for name, (colour, marker, offset) in styles.items():
        ax.plot(places + offset, shares[name], marker, color=colour, label=name.replace("_", " "))
    ax.set_xticks(places, list(names))
    ax.set_xlim(-0.6, len(names) - 0.4)
    ax.set_ylim(min(0.0, *shares["before_rotation"]), 1.02)
    ax.set_ylabel("shared share of the variance")
    figure.legend(loc="outside upper center", ncols=1, frameon=False)
    return figure


def _spread(n_values: int) -> FloatArray:
    """Offsets that keep points of several models apart within a bar."""
    return np.linspace(-0.25, 0.25, n_values) if n_values > 1 else np.zeros(1)


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], marker="o", linestyle="", markersize=4, color="#0072B2", label="a model"),
        Line2D([], [], linewidth=6, color="0.85", label="null of the label, 95 %"),
        Line2D([], [], linestyle="--", color="black", label="null of the largest, 95 %"),
    ]
