"""Figures of a measured record: its curve, its place on the latent map, and its estimates."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from latent_nmr.plots.latent import latent_map
from latent_nmr.plots.style import KERNEL_STYLES, LABEL_TEXTS, new_figure, own_axes

# Okabe and Ito: the decoded curve and the nearest simulated one, which is dashed as well.
DECODED, NEAREST = "#0072B2", "#D55E00"
MEASURED = "0.35"
TIME_OF_ECHO = "time from the top of the echo (µs)"
# Radii, in standard deviations, that hold 68 and 95 % of a normal law of the plane.
NORMAL_RADII = (math.sqrt(-2 * math.log(0.32)), math.sqrt(-2 * math.log(0.05)))
HALO = [patheffects.withStroke(linewidth=3.2, foreground="white")]


class Interval(NamedTuple):
    """A number with its uncertainty.

    Attributes
    ----------
    mean : float
    low68, high68, low95, high95 : float
        Ends of its central intervals.
    """

    mean: float
    low68: float
    high68: float
    low95: float
    high95: float


def measured_curves(
    time: npt.NDArray[np.floating],
    measured: npt.NDArray[np.floating],
    decoded: npt.NDArray[np.floating],
    nearest: npt.NDArray[np.floating],
    noise: float,
    *,
    nearest_text: str = "",
    signal_text: str = "|M(t)|, scaled to the model",
) -> Figure:
    """Draw a measured curve over its decoded and its nearest simulated one, and the residuals.

    Parameters
    ----------
    time : ndarray, shape (n_window,)
        µs, from the top of the echo.
    measured, decoded, nearest : ndarray, shape (n_window,)
        NaN where there is none; a curve that is NaN throughout is left out.
    noise : float
        Standard deviation of the noise of one sample, the unit of the residuals.
    nearest_text : str
        What the nearest simulated curve is of.
    signal_text : str
        Label of the curves.

    Returns
    -------
    Figure
    """
    curves = {
        "decoded": (decoded, DECODED, "-"),
        f"nearest simulated{nearest_text and f': {nearest_text}'}": (nearest, NEAREST, "--"),
    }
    curves = {name: own for name, own in curves.items() if np.isfinite(own[0]).any()}
    has_residuals = bool(curves) and noise > 0
    figure = new_figure(8.2, 4.6 if has_residuals else 3.2)
    heights = (2.4, 1)[: 1 + has_residuals]
    panels = figure.subplots(1 + has_residuals, sharex=True, squeeze=False, height_ratios=heights)[
        :, 0
    ]
    panels[0].plot(time, measured, ".", color=MEASURED, markersize=3, label="measured")
    for name, (values, colour, line) in curves.items():
        panels[0].plot(time, values, color=colour, linestyle=line, linewidth=1.5, label=name)
    panels[0].set(ylabel=signal_text, xlim=(time[0], time[-1]))
    panels[0].set_ylim(bottom=min(0.0, float(np.nanmin([0.0, *measured]))))
    panels[0].legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize="small"
    )
    if has_residuals:
        _draw_residuals(panels[1], time, measured, curves, noise)
    panels[-1].set_xlabel(TIME_OF_ECHO)
    return figure


def _draw_residuals(
    ax: Axes,
    time: npt.NDArray[np.floating],
    measured: npt.NDArray[np.floating],
    curves: Mapping[str, tuple[npt.NDArray[np.floating], str, str]],
    noise: float,
) -> None:
    """Measured minus each curve, in units of the noise, over a band of two such units."""
    ax.axhspan(-2, 2, color="0.9", zorder=0, linewidth=0)
    ax.axhline(0, color="0.5", linewidth=0.8, zorder=1)
    extent = 2.5
    for (values, colour, _), marker in zip(curves.values(), (".", "+"), strict=False):
        residuals = (measured - values) / noise
        ax.plot(time, residuals, marker, color=colour, markersize=3, markeredgewidth=0.8)
        extent = max(extent, float(np.nanquantile(np.abs(residuals), 0.995)))
    ax.set_ylim(-1.15 * extent, 1.15 * extent)
    ax.set_ylabel("residual\n(noise sd)")


def place_on_map(
    reference: npt.NDArray[np.floating],
    labels: Mapping[str, npt.NDArray],
    point: npt.NDArray[np.floating],
    covariance: npt.NDArray[np.floating],
    *,
    axis_names: Sequence[str],
    radii: npt.NDArray[np.floating] | None = None,
) -> Figure:
    """Draw where a record is among simulated curves, with ellipses of 68 and 95 %.

    One row of maps for each pair of axes; one column for each label.

    Parameters
    ----------
    reference : ndarray, shape (n_curves, n_components)
        Simulated curves; at least two components.
    labels : mapping of ndarray, shape (n_curves,)
        What colours the maps, such as `W` and `kernel`.
    point : ndarray, shape (n_components,)
    covariance : ndarray, shape (n_components, n_components)
    axis_names : sequence of str
    radii : ndarray, shape (n_pairs, 2), optional
        See `draw_place`; by default those of a normal law.

    Returns
    -------
    Figure
    """
    planes = [slice(first, first + 2) for first in range(0, len(point) - 1, 2)]
    figure = new_figure(4.2 * len(labels), 4.4 * len(planes) + 0.3)
    panels = figure.subplots(len(planes), len(labels), squeeze=False)
    for pair, (plane, row) in enumerate(zip(planes, panels, strict=True)):
        own_radii = NORMAL_RADII if radii is None else radii[pair]
        for number, (ax, (label, values)) in enumerate(zip(row, labels.items(), strict=True)):
            latent_map(reference[:, plane], values, label, axis_names=axis_names[plane], ax=ax)
            draw_place(ax, point[plane], covariance[plane, plane], own_radii)
            _set_limits(ax, reference[:, plane], point[plane])
            if values.dtype.kind == "f":  # the colour bar is the figure's newest axis
                figure.axes[-1].locator_params(axis="x", nbins=4)
            if number:
                ax.set_ylabel("")
    handles = draw_keys(panels[0, 0])
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def draw_place(
    ax: Axes,
    point: npt.NDArray[np.floating],
    covariance: npt.NDArray[np.floating],
    radii: Sequence[float] | npt.NDArray[np.floating] = NORMAL_RADII,
) -> None:
    """Draw a point of the plane with its ellipses of 68 (solid) and 95 % (dashed).

    Parameters
    ----------
    ax : Axes
    point : ndarray, shape (2,)
    covariance : ndarray, shape (2, 2)
    radii : sequence of float
        Radii of the two ellipses in units of the covariance.
    """
    variances, directions = np.linalg.eigh(covariance)
    x, y = directions[:, 1]
    angle = math.degrees(math.atan2(y, x))
    for radius, line in zip(radii, ("-", "--"), strict=True):
        minor, major = 2 * radius * np.sqrt(np.maximum(variances, 0))
        ax.add_patch(
            Ellipse(
                (float(point[0]), float(point[1])), major, minor, angle=angle, fill=False,
                edgecolor="black", linestyle=line, linewidth=1.4, zorder=5, path_effects=HALO,
            )
        )  # fmt: skip
    style = {"markersize": 9, "markeredgecolor": "white", "markeredgewidth": 1, "zorder": 6}
    ax.plot(*point, "P", color="black", **style)


def draw_keys(ax: Axes) -> list:
    """Entries of a legend for what `draw_place` draws."""
    ends = [("-", "68 % ellipse"), ("--", "95 % ellipse")]
    point = ax.plot([], [], "P", color="black", markersize=8, label="this record")
    lines = [ax.plot([], [], line, color="black", label=text)[0] for line, text in ends]
    return [*point, *lines]


def _set_limits(
    ax: Axes, reference: npt.NDArray[np.floating], point: npt.NDArray[np.floating]
) -> None:
    """All curves of the map and the point; ellipses may leave the frame."""
    low = np.minimum(reference.min(axis=0), point)
    high = np.maximum(reference.max(axis=0), point)
    margin = 0.06 * (high - low)
    ax.set(xlim=(low[0] - margin[0], high[0] + margin[0]))
    ax.set(ylim=(low[1] - margin[1], high[1] + margin[1]))


def estimates_figure(
    estimates: Mapping[str, Interval],
    priors: Mapping[str, tuple[float, float]],
    kernels: Mapping[str, float],
) -> Figure:
    """Draw labels with their intervals over the simulated range, and the shares of kernels.

    Parameters
    ----------
    estimates : mapping of Interval
        By label.
    priors : mapping of (float, float)
        Range of the simulated curves, by label, in the same unit.
    kernels : mapping of float
        Shares, of 1 together.

    Returns
    -------
    Figure
    """
    figure = new_figure(8.2, 0.55 * max(len(estimates), 3) + 0.5)
    left, right = figure.subfigures(1, 2, width_ratios=(1.7, 1), squeeze=False)[0]
    panels = left.subplots(max(len(estimates), 1), squeeze=False)[:, 0]
    for ax, (label, found) in zip(panels, estimates.items(), strict=False):
        estimate_axis(found, LABEL_TEXTS.get(label, label), priors.get(label), ax=ax)
    kernel_shares(kernels, ax=right.subplots())
    return figure


def estimate_axis(
    found: Interval,
    text: str,
    prior: tuple[float, float] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw one label: its mean, its intervals of 68 (thick) and 95 % (thin), and the prior range.

    Parameters
    ----------
    found : Interval
    text : str
        Name and unit.
    prior : (float, float), optional
        Range of the simulated curves.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = own_axes(ax, 4.0, 0.7)
    if prior is not None:
        ax.axvspan(*prior, color="0.88", zorder=0, linewidth=0)
    ax.plot([found.low95, found.high95], [0, 0], color=DECODED, linewidth=1.4)
    ax.plot(
        [found.low68, found.high68], [0, 0], color=DECODED, linewidth=4.5, solid_capstyle="butt"
    )
    ax.plot([found.mean], [0], "o", color="white", markeredgecolor="black", markersize=5, zorder=4)
    ends = [found.low95, found.high95, *(prior or ())]
    margin = 0.04 * (max(ends) - min(ends)) or 1e-3
    ax.set(xlim=(min(ends) - margin, max(ends) + margin), ylim=(-1, 1), yticks=[])
    ax.set_ylabel(text, rotation=0, ha="right", va="center")
    ax.tick_params(axis="x", labelsize="small", pad=2)
    ax.spines[["left", "right", "top"]].set_visible(False)
    return ax


def kernel_shares(kernels: Mapping[str, float], *, ax: Axes | None = None) -> Axes:
    """Draw the share of each kernel as a bar with its percentage.

    Parameters
    ----------
    kernels : mapping of float
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = own_axes(ax, 3.0, 1.6)
    titles = []
    for place, (name, share) in enumerate(kernels.items()):
        title, colour, _ = KERNEL_STYLES.get(name, (name, "0.4", "o"))
        titles.append(title)
        ax.barh(place, share, color=colour, height=0.62)
        ax.annotate(
            f"{100 * share:.0f} %", (share, place), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize="small",
        )  # fmt: skip
    ax.set(xlim=(0, 1.18), ylim=(len(titles) - 0.4, -0.6), xticks=[0, 0.5, 1])
    ax.set_yticks(range(len(titles)), titles)
    ax.set_xlabel("share of the kernel")
    ax.spines[["right", "top"]].set_visible(False)
    return ax
