"""Figures of supervised probes: sections, classes, classifiers, confusion, elimination."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from latent_nmr.plots.style import KERNEL_STYLES, TIME_TEXT, new_figure

FloatArray = npt.NDArray[np.floating]

# A colour and a marker for each kind of features; joined kinds come last.
FEATURE_COLOURS = ("#0072B2", "#D55E00", "#56B4E9", "#009E73", "#CC79A7", "#E69F00", "black")
# One more than colours, so that two series rarely share both.
FEATURE_MARKERS = "os^DvPX*"
POWER, OTHERS = "power", "others"
CLASS_STYLES = {
    **{name: style[:2] for name, style in KERNEL_STYLES.items()},
    OTHERS: ("Gaussian and RKKY", "#0072B2"),
}
# Panels with more groups are stacked.
MOST_GROUPS = 9
# Inches: minimum width of a figure, and width of one column of the legend.
LEAST_WIDTH, LEGEND_WIDTH = 5.6, 2.4


class Bar(NamedTuple):
    """One bar, or point, with its error bar.

    Attributes
    ----------
    mean, deviation : float
        Mean and standard deviation over seeds.
    """

    mean: float
    deviation: float


class Confusion(NamedTuple):
    """One confusion matrix.

    Attributes
    ----------
    title : str
    names : list of str
        Of the classes.
    counts : ndarray, shape (n_classes, n_classes)
        Rows are the truth.
    """

    title: str
    names: list[str]
    counts: npt.NDArray[np.integer]


class ClassCurves(NamedTuple):
    """The curves of one class.

    Attributes
    ----------
    mean, low, high, variance : ndarray, shape (n_samples,)
        Mean curve, quartiles, variance.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    variance: FloatArray


def sections_figure(
    time: FloatArray,
    curve: FloatArray,
    fits: Mapping[int, FloatArray],
    cuts: Mapping[int, Sequence[float]],
    signal_text: str,
) -> Figure:
    """Draw one echo whole, and with its piecewise polynomials for each number of sections.

    Parameters
    ----------
    time, curve : ndarray, shape (n_samples,)
        µs, and the echo.
    fits : mapping of ndarray, shape (n_samples,)
        Piecewise curve by number of sections.
    cuts : mapping of sequence of float
        Times between sections, µs.
    signal_text : str
    """
    figure = new_figure(7.4, 5.0)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for ax, n_sections in zip(panels.flat, (None, *fits), strict=False):
        ax.plot(time, curve, color="0.6", linewidth=3 if n_sections else 1.4, label="echo")
        ax.set_title("whole window" if n_sections is None else f"{n_sections} sections")
        if n_sections is None:
            continue
        for cut in cuts[n_sections]:
            ax.axvline(cut, color="0.8", linewidth=0.8, zorder=0)
        edges = np.searchsorted(time, cuts[n_sections])
        for number, rows in enumerate(np.split(np.arange(len(time)), edges)):
            ax.plot(
                time[rows], fits[n_sections][rows], linewidth=1.3,
                color=FEATURE_COLOURS[number % 2], label=None if number else "cubic fit",
            )  # fmt: skip
        rms = float(np.sqrt(np.mean((fits[n_sections] - curve) ** 2)))
        ax.annotate(
            f"rms {rms:.4f}", (0.03, 0.93), xycoords="axes fraction", fontsize="small", va="top"
        )
    panels[0, 0].set_xlim(time[0], time[-1])
    for ax in panels[-1]:
        ax.set_xlabel(TIME_TEXT)
    for ax in panels[:, 0]:
        ax.set_ylabel(signal_text)
    return figure


def class_curves(time: FloatArray, classes: Mapping[str, ClassCurves], signal_text: str) -> Figure:
    """Draw the mean curve and the middle half of each class, and how far two classes differ.

    Parameters
    ----------
    time : ndarray, shape (n_samples,)
        µs.
    classes : mapping of ClassCurves
        `power`, `others` and any of the kernels, by name.
    signal_text : str
    """
    groups = [
        {name: classes[name] for name in (POWER, OTHERS)},
        {name: classes[name] for name in KERNEL_STYLES if name in classes},
    ]
    figure = new_figure(10.0, 3.3)
    panels = figure.subplots(1, 3, sharex=True)
    for ax, shown in zip(panels, groups, strict=False):
        for name, curves in shown.items():
            title, colour = CLASS_STYLES[name]
            ax.fill_between(time, curves.low, curves.high, color=colour, alpha=0.15, linewidth=0)
            ax.plot(time, curves.mean, color=colour, linewidth=1.5, label=title)
        ax.set_ylabel(signal_text)
        ax.legend(frameon=False, fontsize="small", loc="upper left")
    panels[0].set_title("means; bands hold the middle half of a class", fontsize="small")
    panels[1].set_title("by kernel", fontsize="small")
    power, others = classes[POWER], classes[OTHERS]
    deviation = np.sqrt((power.variance + others.variance) / 2)
    difference = (power.mean - others.mean) / np.maximum(deviation, 1e-12)
    panels[2].plot(time, difference, color="black")
    panels[2].axhline(0, color="0.7", linewidth=0.8, zorder=0)
    panels[2].set_ylabel("difference of means / standard deviation")
    panels[2].set_title("power law minus others", fontsize="small")
    for ax in panels:
        ax.set(xlabel=TIME_TEXT, xlim=(time[0], time[-1]))
    return figure


def bars_by_group(
    panels: Mapping[str, Mapping[str, Mapping[str, Bar]]],
    references: Mapping[str, Mapping[str, float]],
    *,
    value_text: Mapping[str, str],
    reference_text: str,
    floor: float | None = None,
) -> Figure:
    """Draw points with error bars, grouped along the axis: one panel per key.

    Parameters
    ----------
    panels : mapping
        Title: series (such as features): group (such as algorithm): bar.
    references : mapping
        Title: group: published number.
    value_text : mapping
        Words of each panel's values, by title.
    reference_text : str
    floor : float, optional
        Values below are drawn at it, with an arrow's marker.
    """
    n_groups = max(len({g for s in series.values() for g in s}) for series in panels.values())
    n_columns = 1 if n_groups > MOST_GROUPS else min(len(panels), 2)
    n_rows = -(-len(panels) // n_columns)
    width = max(1.0 + 0.62 * n_groups * n_columns, LEAST_WIDTH)
    figure = new_figure(width, 2.7 * n_rows + 0.5)
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for ax, (title, series) in zip(axes.flat, panels.items(), strict=False):
        groups = list(dict.fromkeys(g for found in series.values() for g in found))
        for number, (name, found) in enumerate(series.items()):
            shift = min(0.14, 0.8 / len(series)) * (number - (len(series) - 1) / 2)
            places = [groups.index(group) + shift for group in found]
            means = np.array([bar.mean for bar in found.values()])
            cut = means < floor if floor is not None else np.zeros(len(means), bool)
            shown = np.where(cut, floor if floor is not None else 0, means)
            ax.errorbar(
                places, shown, yerr=[bar.deviation for bar in found.values()], capsize=2,
                linestyle="none", marker=FEATURE_MARKERS[number % 8], markersize=5,
                color=FEATURE_COLOURS[number % 7], label=name,
            )  # fmt: skip
            for place, mean in zip(np.array(places)[cut], means[cut], strict=True):
                ax.annotate(f"{mean:.2f} ↓", (place, floor or 0), fontsize="xx-small",
                            xytext=(0, 5), textcoords="offset points", ha="center")  # fmt: skip
        known = references.get(title, {})
        for group in (group for group in groups if group in known):
            place = groups.index(group)
            ax.hlines(known[group], place - 0.4, place + 0.4, color="black", linewidth=1.2,
                      label=reference_text)  # fmt: skip
        ax.set_xticks(range(len(groups)), groups, rotation=35, ha="right", fontsize="small")
        ax.set_xlim(-0.6, len(groups) - 0.4)
        ax.set_ylabel(value_text[title])
        ax.set_title(title, fontsize="medium")
        ax.grid(axis="y", color="0.9", linewidth=0.7)
        ax.set_axisbelow(True)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    found_handles: dict[str, Any] = {}
    for ax in axes.flat[: len(panels)]:
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
            found_handles.setdefault(name, handle)
    n_legend = min(4, max(1, int(width / LEGEND_WIDTH)))
    figure.legend(
        list(found_handles.values()), list(found_handles), loc="outside upper center",
        ncols=n_legend, frameon=False,
    )  # fmt: skip
    return figure


def confusion_figure(matrices: Sequence[Confusion], n_columns: int = 3) -> Figure:
    """Draw confusion matrices, each row as shares of its true class, with the counts."""
    n_columns = min(n_columns, len(matrices))
    n_rows = -(-len(matrices) // n_columns)
    figure = new_figure(2.9 * n_columns + 0.3, 2.75 * n_rows)
    axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for ax, matrix in zip(axes.flat, matrices, strict=False):
        shares = matrix.counts / np.maximum(matrix.counts.sum(axis=1, keepdims=True), 1)
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(shares.shape):
            ax.text(
                column, row, f"{shares[row, column]:.2f}\n({matrix.counts[row, column]})",
                ha="center", va="center", fontsize="small",
                color="white" if shares[row, column] > 0.55 else "black",
            )  # fmt: skip
        names = [short_name(name) for name in matrix.names]
        ax.set_xticks(range(len(names)), names, fontsize="small")
        ax.set_yticks(range(len(names)), names, fontsize="small", rotation=90, va="center")
        ax.set(xlabel="predicted", ylabel="true")
        ax.set_title(matrix.title, fontsize="small")
    for ax in axes.flat[len(matrices) :]:
        ax.set_axis_off()
    return figure


def short_name(name: str) -> str:
    """Name of a class for a narrow place."""
    return OTHERS if name == OTHERS else CLASS_STYLES[name][0]


def elimination_figure(lines: Mapping[str, Sequence[tuple[int, Bar]]], score_text: str) -> Figure:
    """Draw the score over the number of features left, one line per kind of features."""
    figure = new_figure(4.4, 3.3)
    ax = figure.subplots()
    for number, (name, points) in enumerate(lines.items()):
        counts, bars = zip(*points, strict=True)
        ax.errorbar(
            counts, [bar.mean for bar in bars], yerr=[bar.deviation for bar in bars],
            color=FEATURE_COLOURS[number], marker=FEATURE_MARKERS[number], markersize=4,
            capsize=2, linewidth=1.2, label=name,
        )  # fmt: skip
    ax.set_xscale("log")
    ticks = sorted({count for points in lines.values() for count, _ in points})
    shown = [
        tick for place, tick in enumerate(ticks) if not place or tick > 1.45 * ticks[place - 1]
    ]
    ax.set_xticks(shown, [str(tick) for tick in shown], fontsize="small")
    ax.minorticks_off()
    ax.set(xlabel="features left", ylabel=score_text)
    ax.legend(frameon=False, fontsize="small")
    return figure
