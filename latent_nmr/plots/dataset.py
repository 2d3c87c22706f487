"""Figures of a simulated data set: its echoes, its kernels and its labels."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from latent_nmr.plots.style import KERNEL_STYLES, LABEL_TEXTS, TIME_TEXT, mark_times, new_figure

FloatArray = npt.NDArray[np.floating]


class Example(NamedTuple):
    """One curve to show.

    Attributes
    ----------
    kernel : str
    signal : ndarray of complex, shape (n_samples,)
        M⁺, dimensionless.
    """

    kernel: str
    signal: npt.NDArray[np.complexfloating]


def plot_echo_overview(
    time: FloatArray,
    curves: FloatArray,
    examples: list[Example],
    kernels: dict[str, tuple[str, FloatArray]],
    window: slice,
    marks: dict[str, float],
) -> Figure:
    """Draw all echoes, |K| over distance, and one curve per kernel in time, window and frequency.

    Parameters
    ----------
    time : ndarray, shape (n_samples,)
        µs.
    curves : ndarray, shape (n_curves, n_samples)
        |M|, dimensionless.
    examples : list of Example
    kernels : dict of (str, ndarray of shape (n_distances,))
        Name of the law: its parameter in words, and |K| at r = 1, 2, ….
    window : slice
        Samples of the echo window, the area of interest.
    marks : dict of float
        Times to mark with their names, µs.
    """
    figure = new_figure(10.0, 6.0)
    upper, lower = figure.subfigures(2, 1, squeeze=False)[:, 0]
    grid = upper.subplot_mosaic([["all", "all", "kernels"]])
    grid |= lower.subplot_mosaic([["time", "window", "frequency"]])
    _draw_all(grid["all"], time, curves, window, marks)
    _draw_kernels(grid["kernels"], kernels)
    spacing = time[1] - time[0]
    for example in examples:
        title, colour, _ = KERNEL_STYLES[example.kernel]
        style = {"color": colour, "linewidth": 0.9, "label": title}
        length = np.abs(example.signal)
        grid["time"].plot(time, length, **style)
        grid["window"].plot(time[window], length[window], **style)
        # Of the echo window alone: a line centred on the rotating frame.
        echo = example.signal[window]
        spectrum = np.abs(np.fft.fftshift(np.fft.fft(echo, 8 * len(echo)))) * spacing
        frequency = np.fft.fftshift(np.fft.fftfreq(8 * len(echo), spacing)) * 1000
        grid["frequency"].plot(frequency, spectrum, **style)
    for name in ("time", "window"):
        grid[name].set_xlabel(TIME_TEXT)
        grid[name].set_ylabel("|M(t)|")
    mark_times(grid["time"], marks, (time[0], time[-1]))
    grid["time"].legend(edgecolor="white", framealpha=1, fontsize="small")
    grid["frequency"].set_xlim(-100, 100)
    grid["frequency"].set_xlabel("frequency offset (kHz)")
    grid["frequency"].set_ylabel("|spectrum of the echo| (µs)")
    for letter, name in zip(
        "abcde", ("all", "kernels", "time", "window", "frequency"), strict=True
    ):
        grid[name].set_title(f"({letter})", loc="left", fontsize="medium")
    return figure


def _draw_all(
    ax: Axes, time: FloatArray, curves: FloatArray, window: slice, marks: dict[str, float]
) -> None:
    """Draw all curves at once: how many pass through each point."""
    levels = np.linspace(0, 0.5, 161)
    counts = np.stack([np.histogram(column, levels)[0] for column in curves.T], axis=1)
    image = ax.pcolormesh(
        time, levels[:-1] + 0.5 / 320, counts, norm=LogNorm(1, counts.max()), cmap="cividis"
    )
    image.set_rasterized(True)
    ax.figure.colorbar(image, ax=ax, label="curves per bin")  # type: ignore[union-attr]
    first, last = time[window][0], time[window][-1]
    ax.axvspan(first, last, facecolor="none", edgecolor="#D55E00", linewidth=1.2)
    ax.annotate(
        "area of interest",
        (last, 0.97),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize="small",
        color="#D55E00",
    )
    mark_times(ax, marks, (time[0], time[-1]))
    ax.set_xlabel(TIME_TEXT)
    ax.set_ylabel("|M(t)|")


def _draw_kernels(ax: Axes, kernels: dict[str, tuple[str, FloatArray]]) -> None:
    """Draw |K| over distance, each law divided by its value at the nearest neighbour."""
    for name, (parameter, size) in kernels.items():
        title, colour, marker = KERNEL_STYLES[name]
        distance = np.arange(1, len(size) + 1)
        ax.semilogy(
            distance,
            size / size[0],
            marker=marker,
            markersize=2.5,
            linewidth=0.8,
            color=colour,
            label=f"{title}, {parameter}",
        )
    ax.set_ylim(1e-6, 2)
    ax.set_xlabel("r (lattice constants)")
    ax.set_ylabel("|K(r)| / |K(1)|")
    ax.legend(frameon=False, fontsize="small", loc="upper right")


def plot_label_histograms(labels: dict[str, FloatArray], kernel: npt.NDArray[np.str_]) -> Figure:
    """Draw how α_x, α_z, W and L are distributed, stacked by kernel.

    Parameters
    ----------
    labels : dict of ndarray, shape (n_curves,)
        `alpha_x`, `alpha_z`, `W` (MHz) and `L` (lattice constants).
    kernel : ndarray of str, shape (n_curves,)
    """
    figure = new_figure(7.0, 5.0)
    axes = figure.subplots(2, 2).ravel()
    present = [name for name in KERNEL_STYLES if (kernel == name).any()]
    for letter, ax, (name, values) in zip("abcd", axes, labels.items(), strict=False):
        ax.hist(
            [values[kernel == k] for k in present],
            bins=30,
            stacked=True,
            color=[KERNEL_STYLES[k][1] for k in present],
            label=[KERNEL_STYLES[k][0] for k in present],
        )
        ax.set_xlabel(LABEL_TEXTS[name])
        ax.set_ylabel("curves")
        ax.set_title(f"({letter})", loc="left", fontsize="medium")
    axes[-1].legend(frameon=False, fontsize="small")
    return figure
