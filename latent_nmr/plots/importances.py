"""Feature importances of random forests: sample points over time, and polynomial coefficients."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from latent_nmr.plots.style import TIME_TEXT, new_figure

FloatArray = npt.NDArray[np.floating]

# By power of x, with hatches that distinguish them in greyscale.
ORDER_STYLES = (("#0072B2", ""), ("#E69F00", "///"), ("#009E73", "..."), ("#CC79A7", "xxx"))
ORDER_TITLES = ("constant", "slope", "curvature", "cubic")
N_SHOWN = 10


class Coefficient(NamedTuple):
    """A polynomial coefficient and its importance.

    Attributes
    ----------
    first, last : float
        Times its section spans, µs.
    n_sections, order : int
    importance : float
    """

    first: float
    last: float
    n_sections: int
    order: int
    importance: float


class Explained(NamedTuple):
    """One forest, or the median of several.

    Attributes
    ----------
    title : str
    points : ndarray, shape (n_samples,), or None
    coefficients : sequence of Coefficient
    """

    title: str
    points: FloatArray | None
    coefficients: Sequence[Coefficient]


def importance_figure(
    time: FloatArray, curve: FloatArray, columns: Sequence[Explained], signal_text: str
) -> Figure:
    """Draw, for each forest, point importances over time and its ten first polynomial features.

    Parameters
    ----------
    time, curve : ndarray, shape (n_samples,)
        Times in µs, and a curve for orientation.
    columns : sequence of Explained
    signal_text : str
        Name of the curve in the legend.
    """
    rows = [
        any(column.points is not None for column in columns),
        any(column.coefficients for column in columns),
    ]
    figure = new_figure(3.5 * len(columns) + 0.6, 2.7 * sum(rows) + 0.5)
    axes = figure.subplots(sum(rows), len(columns), sharex=True, squeeze=False)
    for place, column in enumerate(columns):
        panels = list(axes[:, place])
        panels[0].set_title(column.title, fontsize="medium")
        if rows[0]:
            draw_points(panels.pop(0), time, column.points, curve)
        if rows[1]:
            draw_coefficients(panels.pop(0), time, column.coefficients, curve)
        axes[-1, place].set_xlabel(TIME_TEXT)
    if rows[0]:
        axes[0, 0].set_ylabel("importance of a point")
    handles = [Patch(facecolor="0.85", label=f"mean of {signal_text}")]
    if rows[1]:
        axes[-1, 0].set_ylabel("rank among the polynomials")
        handles = [
            Patch(facecolor=colour, hatch=hatch, edgecolor="white", label=title)
            for (colour, hatch), title in zip(ORDER_STYLES, ORDER_TITLES, strict=True)
        ] + handles
    n_columns = len(handles) if len(columns) > 1 else 2
    figure.legend(handles=handles, loc="outside upper center", ncols=n_columns, frameon=False)
    return figure


def draw_points(ax: Axes, time: FloatArray, points: FloatArray | None, curve: FloatArray) -> None:
    """Draw importances over time, with the curve behind them."""
    _curve_behind(ax, time, curve)
    if points is not None:
        ax.plot(time, points, color="black", linewidth=1.0)
        ax.set_ylim(0, 1.1 * float(np.max(points)))
    ax.set_xlim(time[0], time[-1])


def draw_coefficients(
    ax: Axes, time: FloatArray, coefficients: Sequence[Coefficient], curve: FloatArray
) -> None:
    """Draw the first ten features as bars over the time they span, the most important on top."""
    _curve_behind(ax, time, curve)
    first = sorted(coefficients, key=lambda found: -found.importance)[:N_SHOWN]
    for rank, found in enumerate(first, start=1):
        colour, hatch = ORDER_STYLES[found.order % len(ORDER_STYLES)]
        ax.barh(
            rank, found.last - found.first, left=found.first, height=0.8, color=colour,
            hatch=hatch, edgecolor="white", linewidth=0.5,
        )  # fmt: skip
        right = found.last < time[0] + 0.8 * (time[-1] - time[0])
        ax.annotate(
            f"{found.importance:.3f}", (found.last if right else found.first, rank),
            xytext=(3 if right else -3, 0), textcoords="offset points", fontsize="x-small",
            ha="left" if right else "right", va="center",
        )  # fmt: skip
    ax.set(xlim=(time[0], time[-1]), ylim=(N_SHOWN + 0.6, 0.4))
    ax.set_yticks(range(1, len(first) + 1))


def _curve_behind(ax: Axes, time: FloatArray, curve: FloatArray) -> None:
    """Fill the area under `curve`, to 0.9 of the panel's height whatever its scale is."""
    behind = ax.twinx()
    shown = curve / max(float(np.abs(curve).max()), 1e-12)
    behind.fill_between(time, 0, shown, color="0.9", linewidth=0)
    behind.set_ylim(min(0, 1.1 * float(shown.min())), 1.1)
    behind.set_axis_off()
    ax.set_zorder(behind.get_zorder() + 1)
    ax.patch.set_visible(False)
