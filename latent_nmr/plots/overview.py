"""Overview of a latent space: maps coloured by W, L and kernel, and the curves along each axis."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from latent_nmr.plots.curves import traversal
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
    time: npt.NDArray[np.floating],
    *,
    span: float,
    color_text: str,
    signal_text: str,
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
    time : ndarray, shape (n_features,)
        µs.
    span : float
        Half the range of the maps' axes; curves outside are counted below (a).
    color_text, signal_text : str
        Labels, with units, of the colours and of the curves.
    marks : dict
        Name and time of pulses and echo, µs.
    """
    figure = new_figure(9.6, 6.8)
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.15, 1), squeeze=False)[:, 0]
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
    row = lower.subplots(1, len(walks), sharey=True, squeeze=False)[0]
    for ax, walk in zip(row, walks, strict=True):
        is_first = ax is row[0]
        traversal(
            time,
            walk.curves,
            walk.colours,
            color_text=color_text if ax is row[-1] else "",
            color_limits=(float(limits[0]), float(limits[1])),
            signal_text=signal_text if is_first else "",
            marks=marks,
            ax=ax,
        )
        title = f"along {walk.name}, from {-span:g} to {span:g}"
        ax.set_title(f"(d)  {title}" if is_first else title, pad=16, fontsize="medium")
    return figure
