"""Overview of a latent space: maps coloured by W, L and kernel, and the curves along each axis."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
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
    Research 5, 043098 (2023): LA1 and LA2 from -span to span.

    Parameters
    ----------
    latent : ndarray, shape (n_curves, n_components)
    labels : mapping of ndarray, shape (n_curves,)
        Labels that colour the maps.
    walks : sequence of Walk
        One per axis, two as a rule.
    quantities : sequence of Quantity
        What the curves' columns are; each has a row of its own.
    span : float
        Half the range of the maps' axes; curves outside are counted below (a).
    color_text : str
        Label, with the unit, of the colours.
    marks : dict
        Name and time of pulses and echo, µs.
    """
    figure = new_figure(9.6, 3.9 + 2.9 * len(quantities))
    ratios = (1.15, len(quantities))
    upper, lower = figure.subfigures(2, 1, height_ratios=ratios, squeeze=False)[:, 0]
    maps = upper.subplots(1, len(labels), sharex=True, sharey=True, squeeze=False)[0]
    outside = int((np.abs(latent[:, :2]) > span).any(axis=1).sum())
    for letter, ax, (label, values) in zip("abcdef", maps, labels.items(), strict=False):
        latent_map(latent, values, label, ax=ax)
        ax.set(xlim=(-span, span), ylim=(-span, span))
        if letter != "a":
            ax.set_ylabel("")
        ax.annotate(
            f"({letter})", (0, 1), xycoords="axes fraction", xytext=(4, -4),
            textcoords="offset points", va="top", ha="left",
        )  # fmt: skip
    if outside:
        maps[0].set_xlabel(f"LA1\n({outside} of {len(latent)} curves lie outside)")
    limits = min(walk.colours.min() for walk in walks), max(walk.colours.max() for walk in walks)
    titles = [f"along {walk.name}, from {-span:g} to {span:g}" for walk in walks]
    traversal_grid(
        lower,
        np.stack([walk.curves for walk in walks]),
        [walk.colours for walk in walks],
        quantities,
        titles=[f"(d)  {titles[0]}", *titles[1:]],
        color_texts=[""] * (len(walks) - 1) + [color_text],
        color_limits=[(float(limits[0]), float(limits[1]))] * len(walks),
        marks=marks,
    )
    return figure
