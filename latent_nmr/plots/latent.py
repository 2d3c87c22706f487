"""Maps of latent space, coloured by a label."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle

from latent_nmr.errors import InputError
from latent_nmr.plots.style import (
    COLOUR_MAPS,
    KERNEL_STYLES,
    LABEL_TEXTS,
    OTHER_MAP,
    UNKNOWN_MARKER,
    colour_table,
    new_figure,
    own_axes,
)

MANY_POINTS = 2000
# More than these have no legend.
MANY_CLASSES = 12
ONE_COLOUR = "#0072B2"
UNKNOWN = "unknown"


def latent_map(
    latent: npt.NDArray[np.floating],
    values: npt.NDArray | None,
    label: str = "",
    *,
    axis_names: Sequence[str] = ("LA1", "LA2"),
    ax: Axes | None = None,
) -> Axes:
    """Scatter the first two latent coordinates, coloured by one label.

    Parameters
    ----------
    latent : ndarray, shape (n_curves, n_components)
        At least two components; the first two are drawn.
    values : ndarray, shape (n_curves,), or None
        The label: kernel names, other names, or numbers; without it, all points have one colour.
    label : str
        Its name, such as `W`.
    axis_names : sequence of str
        Names of the two coordinates.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If there is one component only.

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> rng = np.random.default_rng(0)
    >>> Z, kernel = rng.normal(size=(60, 2)), np.repeat(["gaussian", "power", "rkky"], 20)
    >>> ax = ln.plots.latent_map(Z, kernel, "kernel")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('LA1', 'LA2')
    """
    if latent.shape[1] < 2:
        raise InputError(
            "a latent map needs at least two latent axes, but the model has "
            f"{latent.shape[1]}. Use a model with n_components of at least 2."
        )
    ax = own_axes(ax)
    size = float(np.clip(6000 / len(latent), 1.5, 14))
    text = LABEL_TEXTS.get(label, label)
    # Thousands of vector points would make a PDF of megabytes.
    style = {"s": size, "lw": 0, "rasterized": len(latent) > MANY_POINTS}
    # Drawn in a shuffled order, so that no value hides the others by coming last.
    order = np.random.default_rng(0).permutation(len(latent))
    x, y = latent[order, 0], latent[order, 1]
    values = None if values is None else np.asarray(values)[order]
    if values is None:
        ax.scatter(x, y, color=ONE_COLOUR, **style)
    elif values.dtype.kind in "OUT":
        _draw_classes(ax, x, y, values.tolist(), style)
        if len(set(values.tolist())) > MANY_CLASSES:
            ax.set_title(text, fontsize="small")
        else:
            ax.legend(
                loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False,
                markerscale=(40 / size) ** 0.5, fontsize="small", handletextpad=0.1,
                columnspacing=0.8,
            )  # fmt: skip
    else:
        points = ax.scatter(x, y, c=values, cmap=COLOUR_MAPS.get(label, OTHER_MAP), **style)
        bar = ax.figure.colorbar(points, ax=ax, location="top", pad=0.02, shrink=0.9)
        bar.set_label(text)
    ax.set_xlabel(axis_names[0])
    ax.set_ylabel(axis_names[1])
    return ax


def _draw_classes(
    ax: Axes, x: npt.NDArray, y: npt.NDArray, names: Sequence[str], style: dict[str, Any]
) -> None:
    """Draw every point with the colour and the marker of its class, and name the classes."""
    every = sorted(set(names))
    styles = {
        name: KERNEL_STYLES.get(name, (name or UNKNOWN, colour, UNKNOWN_MARKER))
        for name, colour in zip(every, colour_table("", len(every)), strict=True)
    }
    markers = {marker: MarkerStyle(marker) for _, _, marker in styles.values()}
    shapes = {
        m: style.get_path().transformed(style.get_transform()) for m, style in markers.items()
    }
    # One collection for all: with one for each class the last would hide the others.
    points = ax.scatter(x, y, c=[styles[name][1] for name in names], alpha=0.7, **style)
    points.set_paths([shapes[styles[name][2]] for name in names])
    for title, colour, marker in styles.values():
        ax.scatter([], [], c=colour, marker=marker, alpha=0.7, label=title, **style)


def latent_maps(
    latent: npt.NDArray[np.floating],
    labels: Mapping[str, npt.NDArray],
    *,
    axis_names: Sequence[str] = ("LA1", "LA2"),
) -> Figure:
    """Draw one latent map per label, side by side on common axes; without any, one map.

    Parameters
    ----------
    latent : ndarray, shape (n_curves, n_components)
        At least two components; the first two are drawn.
    labels : mapping of ndarray, shape (n_curves,)
        By name: kernel names, other names, or numbers.
    axis_names : sequence of str
        Names of the two coordinates.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> rng = np.random.default_rng(0)
    >>> labels = {"W": rng.uniform(0.1, 0.3, 60), "L": rng.uniform(3, 28, 60)}
    >>> figure = ln.plots.latent_maps(rng.normal(size=(60, 2)), labels)
    >>> figure.axes[0].get_ylabel()
    'LA2'
    """
    if not labels:
        figure = new_figure(3.6, 3.7)
        latent_map(latent, None, axis_names=axis_names, ax=figure.subplots())
        return figure
    figure = new_figure(3.2 * len(labels) + 0.4, 3.7)
    row = figure.subplots(1, len(labels), sharex=True, sharey=True, squeeze=False)[0]
    for number, (ax, (label, values)) in enumerate(zip(row, labels.items(), strict=True)):
        latent_map(latent, values, label, axis_names=axis_names, ax=ax)
        if number:
            ax.set_ylabel("")
        letter = "abcdefgh"[number % 8]
        ax.annotate(
            f"({letter})", (0, 1), xycoords="axes fraction", xytext=(4, -4),
            textcoords="offset points", va="top", ha="left",
        )  # fmt: skip
    return figure
