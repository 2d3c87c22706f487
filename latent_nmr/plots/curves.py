"""Curves against time: traversals of latent space, and data over their reconstructions."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure

from latent_nmr.plots.style import TIME_TEXT, mark_times, new_figure, own_axes


class Quantity(NamedTuple):
    """What some columns of features are.

    Attributes
    ----------
    text : str
        Label, with the unit.
    time : ndarray, shape (n_columns,), or None
        µs; without them, columns are numbered.
    columns : slice
        Which these are.
    low, high : float
        What the features 0 and 1 stand for.
    protocol : str
        Which of several protocols they are of, if of one.
    marks : mapping of float, optional
        Names and times of its pulses and echo, where protocols have their own.
    """

    text: str
    time: npt.NDArray[np.floating] | None
    columns: slice = slice(None)
    low: float = 0
    high: float = 1
    protocol: str = ""
    marks: Mapping[str, float] | None = None

    def values(self, X: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Its values, shape (..., n_columns), in features of shape (..., n_features)."""
        own = X[..., self.columns]
        return own if (self.low, self.high) == (0, 1) else self.low + (self.high - self.low) * own


def traversal(
    time: npt.NDArray[np.floating],
    curves: npt.NDArray[np.floating],
    colours: npt.NDArray[np.floating],
    *,
    color_text: str,
    signal_text: str,
    color_limits: tuple[float, float] | None = None,
    marks: dict[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw decoded curves along a latent axis.

    Parameters
    ----------
    time : ndarray, shape (n_features,)
        µs.
    curves : ndarray, shape (n_steps, n_features)
        Decoded |M(t)|, in order along the axis.
    colours : ndarray, shape (n_steps,)
        Number that colours each curve.
    color_text, signal_text : str
        Labels, with units, of the colours and of the curves.
    color_limits : (float, float), optional
        Limits of the colour scale, for panels that share it.
    marks : dict, optional
        Name and time of pulses and echo.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> model, z = ln.load_pretrained("echo"), np.linspace(-2, 2, 9)
    >>> curves = model.inverse_transform(np.stack([z, np.zeros(9)], axis=1))
    >>> time = np.array(model.metadata_["time_us"])
    >>> ax = ln.plots.traversal(time, curves, z, color_text="LA1", signal_text="|M(t)| / |M(0)|",
    ...                         marks={"echo": 200.0})
    >>> len(ax.lines) >= 9
    True
    """
    ax = own_axes(ax, 4.6, 3.4)
    bottom = min(0.0, ax.get_ylim()[0])
    low, high = color_limits or (float(colours.min()), float(colours.max()))
    scale = Normalize(low, high)
    for curve, colour in zip(curves, colours, strict=True):
        ax.plot(time, curve, color=colormaps["viridis"](scale(colour)), linewidth=1.2)
    ax.figure.colorbar(ScalarMappable(scale, "viridis"), ax=ax, pad=0.02).set_label(color_text)
    limits = float(time[0]), float(time[-1])
    mark_times(ax, marks or {}, limits)
    ax.set(xlabel=TIME_TEXT, ylabel=signal_text, xlim=limits)
    # Panels that share this axis may hold higher curves, or lower ones.
    top = max(ax.get_ylim()[1], 1.05 * float(np.max(curves)))
    ax.set_ylim(min(bottom, 1.05 * float(np.min(curves))), top)
    return ax


def traversal_grid(
    figure: Figure | SubFigure,
    curves: npt.NDArray[np.floating],
    colours: Sequence[npt.NDArray[np.floating]],
    quantities: Sequence[Quantity],
    *,
    titles: Sequence[str],
    color_texts: Sequence[str],
    color_limits: Sequence[tuple[float, float]],
    marks: Mapping[str, float],
) -> None:
    """Draw the curves along several axes, a column each, with a row for each of their quantities.

    Parameters
    ----------
    figure : Figure or SubFigure
        Where to draw.
    curves : ndarray, shape (n_axes, n_steps, n_features)
    colours : sequence of ndarray, each of shape (n_steps,)
        Numbers that colour the curves along each axis.
    quantities : sequence of Quantity
    titles, color_texts, color_limits : sequence
        One per axis.
    marks : mapping of float
        Names and times of pulses and echo.
    """
    n_axes, n_rows = len(curves), len(quantities)
    # Blocks of columns have times of their own, of the same window: the frame is the first one's.
    frames = _first_rows(quantities)
    grid = figure.subplots(n_rows, n_axes, sharey="row", squeeze=False)
    for row, (quantity, panels) in enumerate(zip(quantities, grid, strict=True)):
        for column, (ax, walk) in enumerate(zip(panels, curves, strict=True)):
            values = quantity.values(walk)
            traversal(
                np.arange(values.shape[1]) if quantity.time is None else quantity.time,
                values,
                colours[column],
                color_text=color_texts[column],
                color_limits=color_limits[column],
                signal_text=quantity.text if not column else "",
                marks=dict(_marks(quantity, marks)) if row in frames else {},
                ax=ax,
            )
            ax.set_xlim(grid[frames[row], column].get_xlim())
            if quantity.time is None:
                ax.set_xlabel("feature")
            if row < n_rows - 1 and _is_same_frame(quantities, frames[row], frames[row + 1]):
                ax.set_xlabel("")
                ax.tick_params(labelbottom=False)
            if not row:
                ax.set_title(titles[column], pad=16, fontsize="medium")


def _first_rows(quantities: Sequence[Quantity]) -> list[int]:
    """Of each quantity, the first one of its protocol; of none of its own, the first of all."""
    protocols = [quantity.protocol for quantity in quantities]
    return [protocols.index(name) if name else 0 for name in protocols]


def _is_same_frame(quantities: Sequence[Quantity], one: int, other: int) -> bool:
    times: list[Any] = [quantities[one].time, quantities[other].time]
    return one == other or np.array_equal(*times)


def _marks(quantity: Quantity, marks: Mapping[str, float]) -> Mapping[str, float]:
    return marks if quantity.marks is None else quantity.marks


def reconstruction_sheet(
    time: npt.NDArray[np.floating],
    curves: npt.NDArray[np.floating],
    reconstructions: npt.NDArray[np.floating],
    titles: Sequence[str],
    *,
    signal_text: str,
) -> Figure:
    """Draw curves over their reconstructions, four to a row, with the rms difference of each.

    Parameters
    ----------
    time : ndarray, shape (n_features,)
        µs.
    curves, reconstructions : ndarray, shape (n_curves, n_features)
    titles : sequence of str
        One per curve.
    signal_text : str
        What the curves are.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import latent_nmr as ln
    >>> model, data = ln.load_pretrained("echo"), ln.load_reference(n_curves=8)
    >>> X, time = ln.features(data), model.metadata_["time_us"]
    >>> again = model.inverse_transform(model.transform(X))
    >>> titles = [f"W = {W:.2f} MHz" for W in data.W.values]
    >>> figure = ln.plots.reconstruction_sheet(time, X, again, titles,
    ...                                        signal_text="|M(t)| / |M(0)|")
    >>> len(figure.axes)
    8
    """
    n_columns = 4
    n_rows = -(-len(curves) // n_columns)
    figure = new_figure(9.0, 2.0 * n_rows + 0.5)
    panels = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    for ax, curve, fit, title in zip(panels.flat, curves, reconstructions, titles, strict=False):
        ax.plot(time, curve, color="0.65", linewidth=2.2, label="simulated")
        ax.plot(time, fit, color="#D55E00", linewidth=1.0, label="reconstructed")
        rms = float(np.sqrt(np.mean((curve - fit) ** 2)))
        ax.set_title(f"{title}, rms {rms:.4f}", fontsize="small")
        ax.set_xlim(time[0], time[-1])
    for ax in panels.flat[len(curves) :]:
        ax.set_axis_off()
    figure.supxlabel(TIME_TEXT, fontsize="medium")
    figure.supylabel(signal_text, fontsize="medium")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
    return figure
