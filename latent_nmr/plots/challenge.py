"""Figures of the challenge: its curves, gradients over time, and a score over the pulse angle."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_nmr.plots.parity import draw_parity
from latent_nmr.plots.probes import FEATURE_COLOURS, FEATURE_MARKERS
from latent_nmr.plots.style import TIME_TEXT, mark_times, new_figure

FloatArray = npt.NDArray[np.floating]

# Percentile of the gradients that sets the axis limits: those of the first samples, which hardly
# differ between curves, can be a hundred times larger.
USUAL = 97
SIGNED_LINES: dict[str, dict[str, str]] = {
    "Re M": {"color": "#0072B2", "linestyle": "-"},
    "Im M": {"color": "#D55E00", "linestyle": "--"},
}


def raw_curves(
    time: FloatArray,
    parts: Mapping[str, FloatArray],
    titles: list[str],
    marks: dict[str, float],
) -> Figure:
    """Draw Re, Im and |M| of some curves, or |M| alone, with pulses and echo marked.

    Parameters
    ----------
    time : ndarray, shape (n_samples,)
        µs.
    parts : mapping of ndarray, shape (n_curves, n_samples)
        `Re M` and `Im M`, or `|M|`.
    titles : list of str
        Title of each curve.
    marks : dict of float
        Times with their names, µs.
    """
    figure = new_figure(7.6, 1.75 * len(titles) + 0.8)
    panels = figure.subplots(len(titles), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    length = parts["|M|"] if "|M|" in parts else np.hypot(*parts.values())
    signed = {name: rows for name, rows in parts.items() if name != "|M|"}
    for row, (ax, title) in enumerate(zip(panels, titles, strict=True)):
        for name, rows in signed.items():
            ax.plot(time, rows[row], linewidth=1, label=name, **SIGNED_LINES[name])
        ax.plot(time, length[row], color="0.5", linewidth=1.8, zorder=0, label="|M|")
        ax.annotate(title, (0.985, 0.93), xycoords="axes fraction", ha="right", va="top",
                    fontsize="small")  # fmt: skip
        for at in marks.values():
            ax.axvline(at, color="0.4", linestyle=":", linewidth=1, zorder=0)
        ax.set(xlim=(time[0], time[-1]), ylabel="M" if signed else "|M|")
    # An uncoupled echo is as high as the first sample: room for the words above it.
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + 0.2 * (high - low))
    mark_times(panels[0], marks, (float(time[0]), float(time[-1])))
    panels[-1].set_xlabel(TIME_TEXT)
    if not signed:
        return figure
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3, frameon=False)
    return figure


def challenge_parity(
    truth: FloatArray, predicted: Mapping[str, FloatArray], texts: list[str]
) -> Figure:
    """Draw predicted over true targets: one row per model, one column per target."""
    figure = new_figure(2.9 * len(texts), 2.9 * len(predicted))
    axes = figure.subplots(len(predicted), len(texts), squeeze=False)
    for row, (model, values) in zip(axes, predicted.items(), strict=True):
        for column, (ax, text) in enumerate(zip(row, texts, strict=True)):
            draw_parity(ax, truth[:, column], values[:, column], None)
            ax.set_xlabel(f"true {text}")
            ax.set_ylabel(f"{model}\npredicted {text}" if not column else f"predicted {text}")
    return figure


def saliency_figure(
    time: FloatArray,
    curves: Mapping[str, FloatArray],
    mean: Mapping[str, Mapping[str, FloatArray]],
    mean_absolute: Mapping[str, Mapping[str, FloatArray]],
) -> Figure:
    """Draw gradients over time, over the mean curve: a row per target, a column per part of M.

    Parameters
    ----------
    time : ndarray, shape (n_samples,)
        µs.
    curves : mapping of ndarray
        Mean curve by part of M.
    mean, mean_absolute : mapping of mapping of ndarray
        Derivative of the standardised target, by target and part.
    """
    figure = new_figure(4.4 * len(curves), 2.1 * len(mean) + 0.8)
    axes = figure.subplots(len(mean), len(curves), sharex=True, squeeze=False)
    for number, (row, target) in enumerate(zip(axes, mean, strict=True)):
        for ax, (part, curve) in zip(row, curves.items(), strict=True):
            behind = ax.twinx()
            behind.fill_between(time, 0, curve, color="0.88", linewidth=0)
            reach = 1.1 * max(float(np.abs(curve).max()), 1e-12)
            behind.set_ylim(-reach, reach)
            behind.set_axis_off()
            ax.set_zorder(behind.get_zorder() + 1)
            ax.patch.set_visible(False)
            ax.plot(time, mean[target][part], color="#0072B2", linewidth=1, label="mean")
            ax.plot(time, mean_absolute[target][part], color="#D55E00", linewidth=1,
                    linestyle="--", label="mean absolute")  # fmt: skip
            _bound(ax, mean_absolute[target][part])
            ax.set_xlim(time[0], time[-1])
            if not number:
                ax.set_title(f"{part} (mean curve in grey)", fontsize="small")
        row[0].set_ylabel(f"∂({target}) / ∂{'|M|' if list(curves) == ['|M|'] else 'M'}")
    for ax in axes[-1]:
        ax.set_xlabel(TIME_TEXT)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _bound(ax: Axes, sizes: FloatArray) -> None:
    """Set limits that hold nearly all of the record, and annotate the maximum beyond them."""
    largest, usual = float(np.max(sizes)), 1.5 * float(np.percentile(sizes, USUAL))
    bound = largest if largest < 2 * usual else usual
    ax.set_ylim(-1.1 * bound, 1.1 * bound)
    if bound < largest:
        ax.annotate(
            f"up to {largest:.3g}, beyond the axis", (0.03, 0.95), xycoords="axes fraction",
            va="top", fontsize="x-small",
        )  # fmt: skip


def score_over_angle(
    edges: FloatArray, scores: Mapping[str, Mapping[str, list[float]]], score_text: str
) -> Figure:
    """Draw a score in bins of the pulse angle: a panel per target, a line per model.

    Parameters
    ----------
    edges : ndarray, shape (n_bins + 1,)
        Degrees.
    scores : mapping of mapping of list of float
        By target and model, one value per bin.
    score_text : str
    """
    figure = new_figure(3.3 * len(scores), 3.3)
    axes = figure.subplots(1, len(scores), sharey=True, squeeze=False)[0]
    centres = (edges[:-1] + edges[1:]) / 2
    for ax, (target, by_model) in zip(axes, scores.items(), strict=True):
        for number, (model, values) in enumerate(by_model.items()):
            ax.plot(centres, values, color=FEATURE_COLOURS[number], linewidth=1.2, markersize=4,
                    marker=FEATURE_MARKERS[number], label=model)  # fmt: skip
        ax.axvline(90, color="0.6", linestyle=":", linewidth=1)
        ax.set(
            xlabel="pulse angle θ (degrees)", title=target, ylim=(min(-0.1, ax.get_ylim()[0]), 1)
        )
        ax.set_xticks(edges)
        ax.tick_params(axis="x", labelsize="small")
    axes[0].set_ylabel(score_text)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
    return figure
