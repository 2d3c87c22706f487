"""Decoded curves compared with new simulations and neighbouring data, and rms differences."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from latent_nmr.plots.style import TIME_TEXT, mark_times, new_figure, own_axes

# Half widths of the bands, in standard deviations.
BAND_WIDTH = 2.0
DECODED, SIMULATED, NEIGHBOURS = "#D55E00", "#0072B2", "0.55"
# Marker and colour of a verdict; the marker alone distinguishes them in greyscale.
VERDICT_STYLES = {
    "faithful": ("o", "#009E73"),
    "averages": ("s", "#E69F00"),
    "invents": ("X", "#CC79A7"),
}


class AuditPanel(NamedTuple):
    """Curves drawn for one latent point; all arrays have shape (n_features,).

    Attributes
    ----------
    title : str
    decoded : ndarray
    simulated, simulated_deviation : ndarray
        Mean and standard deviation of the new simulations.
    neighbours, neighbours_deviation : ndarray
        Mean and standard deviation of the curves of the neighbours.
    """

    title: str
    decoded: npt.NDArray[np.floating]
    simulated: npt.NDArray[np.floating]
    simulated_deviation: npt.NDArray[np.floating]
    neighbours: npt.NDArray[np.floating]
    neighbours_deviation: npt.NDArray[np.floating]


def audit_sheet(
    time: npt.NDArray[np.floating],
    panels: Sequence[AuditPanel],
    *,
    signal_text: str,
    neighbours_text: str,
    simulated_text: str,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw each point's curve over both bands, and below it the difference from the simulations.

    Every panel has its own scale: along an axis, curves and residuals vary by a factor of ten.

    Parameters
    ----------
    time : ndarray, shape (n_features,)
        µs.
    panels : sequence of AuditPanel
        Three to a row.
    signal_text : str
        Label of the curves' axis.
    neighbours_text, simulated_text : str
        Legend entries of the two groups of curves.
    marks : mapping, optional
        Name and time (µs) of pulses and echo.
    """
    n_columns = min(3, len(panels))
    n_rows = -(-len(panels) // n_columns)
    figure = new_figure(3.3 * n_columns + 0.4, 3.7 * n_rows + 0.7)
    grid = figure.subplots(
        2 * n_rows, n_columns, sharex=True, squeeze=False, height_ratios=[5, 3] * n_rows
    )
    for place in range(n_rows * n_columns):
        row, column = divmod(place, n_columns)
        upper, lower = grid[2 * row : 2 * row + 2, column]
        if place >= len(panels):
            upper.set_axis_off()
            lower.set_axis_off()
            continue
        draw_curves(upper, time, panels[place], marks or {})
        draw_residual(lower, time, panels[place], marks or {})
        if not column:
            upper.set_ylabel(signal_text)
            lower.set_ylabel("minus simulated")
        if place + n_columns >= len(panels):
            lower.set_xlabel(TIME_TEXT)
            lower.tick_params(labelbottom=True)
    figure.align_ylabels(grid[:, 0])
    groups = [f"{text}: mean ± 2 sd" for text in (neighbours_text, simulated_text)]
    handles = [grid[0, 0].lines[0], *grid[0, 0].collections[:2]]
    figure.legend(handles, ["decoded", *groups], loc="outside upper center", ncols=3, frameon=False)
    return figure


def draw_curves(
    ax: Axes, time: npt.NDArray[np.floating], panel: AuditPanel, marks: Mapping[str, float]
) -> None:
    """Draw a decoded curve over the bands of both groups."""
    ax.plot(time, panel.decoded, color=DECODED, linewidth=1.2, zorder=4)
    _band(ax, time, panel.neighbours, panel.neighbours_deviation, NEIGHBOURS, 1)
    _band(ax, time, panel.simulated, panel.simulated_deviation, SIMULATED, 3)
    limits = float(time[0]), float(time[-1])
    mark_times(ax, dict(marks), limits)
    # Above the names of the marks.
    ax.set_title(panel.title, fontsize="small", pad=13)
    ax.set_xlim(limits)
    if min(panel.decoded.min(), panel.simulated.min()) >= 0:
        ax.set_ylim(bottom=0)


def draw_residual(
    ax: Axes, time: npt.NDArray[np.floating], panel: AuditPanel, marks: Mapping[str, float]
) -> None:
    """Draw the same curves minus the mean of the simulations."""
    shifted = panel.neighbours - panel.simulated
    _band(ax, time, shifted, panel.neighbours_deviation, NEIGHBOURS, 1)
    zero = np.zeros_like(panel.simulated)
    _band(ax, time, zero, panel.simulated_deviation, SIMULATED, 3)
    residual = panel.decoded - panel.simulated
    ax.plot(time, residual, color=DECODED, linewidth=1.2, zorder=4)
    # Scaled to residual and simulations alone: a wide band of neighbours may leave the frame.
    height = max(np.abs(residual).max(), BAND_WIDTH * panel.simulated_deviation.max())
    ax.set_ylim(-1.15 * height, 1.15 * height)
    for when in marks.values():
        if time[0] <= when <= time[-1]:
            ax.axvline(when, color="0.4", linestyle=":", linewidth=1, zorder=0)


def _band(ax: Axes, time, mean, deviation, colour: str, order: int) -> None:
    """Fill mean ± 2 sd and draw the mean; the fill alone enters the legend."""
    low, high = mean - BAND_WIDTH * deviation, mean + BAND_WIDTH * deviation
    ax.fill_between(time, low, high, color=colour, alpha=0.3, linewidth=0, zorder=order)
    style = "-" if colour == SIMULATED else "--"
    ax.plot(time, mean, color=colour, linewidth=0.8, linestyle=style, zorder=order + 0.5)


def audit_profile(
    positions: npt.NDArray[np.floating],
    sizes: Mapping[str, npt.NDArray[np.floating]],
    verdicts: Sequence[str],
    is_off_data: Sequence[bool],
    *,
    axis_name: str,
    signal_text: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw rms residuals and scatters along an axis, and each point's verdict.

    Parameters
    ----------
    positions : ndarray, shape (n_points,)
        Coordinate along the axis.
    sizes : mapping of ndarray, shape (n_points,)
        `simulation`, `neighbours`: rms of decoded minus their means; `simulation_scatter`,
        `neighbours_scatter`: rms of their standard deviations.
    verdicts : sequence of str
        Keys of `VERDICT_STYLES`.
    is_off_data : sequence of bool
        Points drawn on a grey background.
    axis_name, signal_text : str
        Labels of the axes.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes
    """
    ax = own_axes(ax, 4.6, 3.4)
    ax.plot(positions, sizes["simulation"], color=DECODED, label="decoded − simulated")
    ax.plot(
        positions, sizes["neighbours"], color=DECODED, linestyle="--", label="decoded − neighbours"
    )
    for name, colour, style, text in (
        ("simulation_scatter", SIMULATED, "-", "scatter of simulations"),
        ("neighbours_scatter", NEIGHBOURS, "--", "scatter of neighbours"),
    ):
        ax.plot(positions, sizes[name], color=colour, linestyle=style, label=text)
    for verdict, (marker, colour) in VERDICT_STYLES.items():
        rows = [row for row, given in enumerate(verdicts) if given == verdict]
        ax.scatter(
            positions[rows], sizes["simulation"][rows], marker=marker, color=colour, s=42,
            zorder=5, label=verdict, edgecolor="black", linewidth=0.5,
        )  # fmt: skip
    step = float(positions[1] - positions[0]) if len(positions) > 1 else 1.0
    for position in positions[np.asarray(is_off_data, bool)]:
        ax.axvspan(position - step / 2, position + step / 2, color="0.9", lw=0, zorder=0)
    ax.set(
        xlabel=axis_name,
        ylabel=f"rms ({signal_text})",
        yscale="log",
        xlim=(positions[0] - step / 2, positions[-1] + step / 2),
    )
    return ax


def audit_profiles(rows: Sequence[Mapping], *, signal_text: str) -> Figure:
    """Draw one `audit_profile` per axis side by side; `rows` hold its arguments."""
    figure = new_figure(3.6 * len(rows) + 0.6, 4.0)
    panels = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    for ax, row in zip(panels, rows, strict=True):
        audit_profile(**row, signal_text=signal_text, ax=ax)
        if ax is not panels[0]:
            ax.set_ylabel("")
    handles, _ = panels[0].get_legend_handles_labels()
    handles.append(Patch(color="0.9", label="off the data"))
    figure.legend(
        handles=handles, loc="outside upper center", ncols=2 if len(rows) == 1 else 4,
        frameon=False, fontsize="small",
    )  # fmt: skip
    return figure
