"""Overview of a latent space: maps coloured by W, L and kernel, and the curves along each axis."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_nmr.plots.curves import Quantity, traversal_grid
from latent_nmr.plots.latent import latent_map
from latent_nmr.plots.style import new_figure


class Walk(NamedTuple):
    """Decoded curves along one latent axis.

    Attributes
    ----------
    name : str
        Of the axis.
    curves : ndarray, shape (n_steps, n_features)
    colours : ndarray, shape (n_steps,)
        Number that colours each curve.
    """

    name: str
    curves: npt.NDArray[np.floating]
    colours: npt.NDArray[np.floating]


def latent_overview(
    latent: npt.NDArray[np.floating],
    labels: Mapping[str, npt.NDArray],
    walks: Sequence[Walk],
    quantities: Sequence[Quantity],
    *,
    span: float,
    color_text: str,
    marks: dict[str, float],
) -> Figure:
    """Draw (a-c) the latent plane by three labels and (d) the curves generated along its axes.

    The panels and the range of both axes are those of Fig. 3 of A. Rao et al., Phys. Rev.
    Research 5, 043098 (2023): LA1 and LA2 from -span to span. Of four axes, LA3 and LA4 are a
    second plane, in a row of maps below.

    Parameters
    ----------
    latent : ndarray, shape (n_curves, n_components)
    labels : mapping of ndarray, shape (n_curves,)
        Labels that colour the maps.
    walks : sequence of Walk
        One per axis of `latent`, in order.
    quantities : sequence of Quantity
        What the curves' columns are; each has a row of its own.
    span : float
        Half the range of the maps' axes; curves outside are counted below (a).
    color_text : str
        Label, with the unit, of the colours.
    marks : dict
        Name and time of pulses and echo, µs.
    """
    planes = [slice(first, first + 2) for first in range(0, latent.shape[1] - 1, 2)]
    width = max(9.6, 3.2 * len(labels), 3.2 * len(walks))
    heights = 3.9 + 3.4 * (len(planes) - 1), 2.9 * len(quantities)
    figure = new_figure(width, sum(heights))
    ratios = (1.15 * len(planes), len(quantities))
    upper, lower = figure.subfigures(2, 1, height_ratios=ratios, squeeze=False)[:, 0]
    maps = upper.subplots(len(planes), len(labels), squeeze=False)
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    for plane, row in zip(planes, maps, strict=True):
        names = [walk.name for walk in walks[plane]]
        _draw_plane(row, latent[:, plane], labels, names, span, letters)
    limits = min(walk.colours.min() for walk in walks), max(walk.colours.max() for walk in walks)
    titles = [f"along {walk.name}, from {-span:g} to {span:g}" for walk in walks]
    traversal_grid(
        lower,
        np.stack([walk.curves for walk in walks]),
        [walk.colours for walk in walks],
        quantities,
        titles=[f"({next(letters)})  {titles[0]}", *titles[1:]],
        color_texts=[""] * (len(walks) - 1) + [color_text],
        color_limits=[(float(limits[0]), float(limits[1]))] * len(walks),
        marks=marks,
    )
    return figure


def _draw_plane(
    panels: Sequence[Axes],
    points: npt.NDArray[np.floating],
    labels: Mapping[str, npt.NDArray],
    names: Sequence[str],
    span: float,
    letters: Iterator[str],
) -> None:
    """Maps of one plane by every label; curves outside are counted below the first."""
    outside = int((np.abs(points) > span).any(axis=1).sum())
    for ax, (label, values) in zip(panels, labels.items(), strict=True):
        latent_map(points, values, label, axis_names=names, ax=ax)
        ax.set(xlim=(-span, span), ylim=(-span, span))
        if ax is not panels[0]:
            ax.set_ylabel("")
            ax.tick_params(labelleft=False)
        ax.annotate(
            f"({next(letters)})", (0, 1), xycoords="axes fraction", xytext=(4, -4),
            textcoords="offset points", va="top", ha="left",
        )  # fmt: skip
    if outside:
        panels[0].set_xlabel(f"{names[0]}\n({outside} of {len(points)} curves lie outside)")
