"""Figures of measured speed and accuracy."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from latent_nmr.plots.style import KERNEL_STYLES, new_figure

OURS, SOURCE = "#0072B2", "#D55E00"
# Of the simulator, unless told otherwise: largest error of any component of M.
DEFAULT_TOLERANCE = 1e-3


def plot_simulator_benchmark(result: dict[str, Any]) -> Figure:
    """Time per curve over the lattice edge: ours, the source's algorithm, its extrapolation.

    Parameters
    ----------
    result : dict
        What scripts/benchmark_simulator.py measures.
    """
    figure = new_figure(5.2, 3.8)
    ax = figure.subplots()
    edges = [row["n_edge"] for row in result["scaling"]]
    times = [row["median_s"] for row in result["scaling"]]
    ax.loglog(edges, times, "o-", color=OURS, label="latent_nmr, Gaussian ξ = 8")
    rows = result["against_source"]
    source_edges = [row["n_edge"] for row in rows]
    source_times = [row["source"]["median_s"] for row in rows]
    ax.loglog(source_edges, source_times, "s-", color=SOURCE, label="source's algorithm, NumPy")
    far = result["at_100"]
    ax.loglog(
        [source_edges[-1], far["n_edge"]],
        [source_times[-1], far["source_s"]],
        "s--",
        color=SOURCE,
        markerfacecolor="white",
        markevery=[1],
        label=f"extrapolated, n^{far['fitted_exponent']:.1f}",
    )
    ax.annotate(
        f"× {far['ratio']:,.0f}\n(extrapolated)",
        (far["n_edge"], np.sqrt(far["source_s"] * times[edges.index(100)])),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
    )
    law = np.array([edges[-3], edges[-1]], float)
    slope = law**2 * np.log(law)
    ax.loglog(
        law, 0.5 * times[-3] * slope / slope[0], ":", color="0.4", label="n² log n, for comparison"
    )
    ax.set_xlabel("lattice edge n (sites)")
    ax.set_ylabel("time per curve (s)")
    ax.set_xticks(edges, [str(edge) for edge in edges])
    ax.minorticks_off()
    ax.legend(fontsize="small", frameon=False)
    return figure


def plot_accuracy(result: dict[str, Any]) -> Figure:
    """Largest error of each random `paper` curve, default scheme beside the source's.

    Parameters
    ----------
    result : dict
        What scripts/study_accuracy.py measures.
    """
    figure = new_figure(5.2, 3.8)
    ax = figure.subplots()
    for kernel, (title, colour, marker) in KERNEL_STYLES.items():
        rows = [row for row in result["paper"]["curves"] if row["kernel"] == kernel]
        strength = [row["W"] for row in rows]
        ax.semilogy(
            strength,
            [row["error"] for row in rows],
            marker,
            color=colour,
            label=f"{title}",
            markersize=4,
        )
        ax.semilogy(
            strength,
            [row["source_error"] for row in rows],
            marker,
            color=colour,
            markerfacecolor="none",
            markersize=4,
        )
    ax.axhline(DEFAULT_TOLERANCE, color="0.4", linestyle=":", linewidth=1)
    ax.annotate(
        f"tolerance {DEFAULT_TOLERANCE:g}",
        (1, DEFAULT_TOLERANCE),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 2),
        textcoords="offset points",
        ha="right",
        color="0.3",
    )
    ax.set_xlabel("W (MHz)")
    ax.set_ylabel("largest error of M over the record")
    ax.legend(
        title="filled: default scheme, open: source's scheme",
        fontsize="small",
        title_fontsize="small",
        frameon=False,
        loc="lower center",
        bbox_to_anchor=(0.5, 1),
        ncols=3,
    )
    return figure


def plot_training_benchmark(result: dict[str, Any]) -> Figure:
    """Seconds per epoch in both windows: the arithmetic floor, ours, and PyTorch's.

    Parameters
    ----------
    result : dict
        What scripts/benchmark_training.py measures.
    """
    bars = {
        "arithmetic floor": ("floor_products", "0.75"),
        "latent_nmr": ("latent_nmr", OURS),
        "PyTorch, fused Adam": ("torch_fused_adam", "#E69F00"),
        "PyTorch": ("torch", SOURCE),
    }
    windows = list(result["epochs"])
    figure = new_figure(6.4, 2.9)
    for ax, window in zip(np.atleast_1d(figure.subplots(1, len(windows))), windows, strict=True):
        measured = result["epochs"][window]
        times = measured["seconds_per_epoch"]
        shown = {name: bar for name, bar in bars.items() if bar[0] in times}
        heights = [times[key]["median_s"] for key, _ in shown.values()]
        heights[0] = measured["floor_s"]  # products and Adam's pass together
        places = np.arange(len(shown))
        ax.barh(places, heights, color=[colour for _, colour in shown.values()])
        for place, (key, _) in enumerate(shown.values()):
            low, high = times[key]["min_s"], times[key]["max_s"]
            if place:  # the floor is a sum of two medians
                ax.plot([low, high], [place, place], color="black", linewidth=1)
            ratio = heights[place] / heights[1]
            ax.text(
                max(high, heights[place]), place, f"  × {ratio:.2f}", va="center", fontsize="small"
            )
        ax.set_yticks(places, list(shown))
        ax.invert_yaxis()
        ax.set_xlim(0, 1.32 * max(times[key]["max_s"] for key, _ in shown.values()))
        ax.set_xlabel("time per epoch (s)")
        ax.set_title(f"{window} window, 15,000 curves", fontsize="medium")
        if ax is not figure.axes[0]:
            ax.tick_params(labelleft=False)
    return figure
