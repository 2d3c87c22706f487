"""Figures of a trained β-VAE: maps of an embedding, and decoded curves along the axes."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.data._attributes import echo_index_of, interval_of, pulse_numbers
from latent_nmr.data.feature_layout import (
    FREQUENCY,
    HALF_DIFFERENCE,
    SIGNAL_NAMES,
    Block,
    feature_blocks,
    part_of_metadata,
)
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.protocols import KnownProtocol, protocols_of_metadata
from latent_nmr.studies._result import Figures
from latent_nmr.studies.embedding import MAP_LABELS, embed, label_columns, map_labels

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE
    from latent_nmr.plots.curves import Quantity

# Ends of the names of figures of further quantities.
SUFFIXES = {"Im M": "imaginary", FREQUENCY: "frequency", HALF_DIFFERENCE: "difference"}


def map_figures(model: "BetaVAE", dataset: "xr.Dataset", color: Sequence[str]) -> Figures:
    """`latent_map` of a data set that the model can embed, one panel per label.

    With `color` as it is by default, data without these labels are coloured by what they have.
    """
    table = embed(model, dataset)
    labels = map_labels(table) if tuple(color) == MAP_LABELS else color
    return Figures({"latent_map": lambda: draw_latent_map(table, labels, model.n_components)})


def traversal_figures(
    model: "BetaVAE", axis: int, table: "pd.DataFrame | None", *, span: float, n_steps: int
) -> Figures:
    """`traversal_LA1`, or of another axis, coloured by W of an embedding where there is one."""
    return Figures(
        {
            f"traversal_LA{axis}": lambda: draw_traversals(
                model, (axis,), table, span=span, n_steps=n_steps
            )
        }
    )


def overview_figure(model: "BetaVAE", dataset: "xr.Dataset"):
    """The latent space as in Fig. 3 of the paper: maps by W, L and kernel, and walks.

    Where features hold more than |M|, α_z too.

    Only curves that the model was not fitted on are drawn. The axes run from -2.5 to 2.5; the
    walks are coloured by the mean W of the drawn curves nearest to each point.
    Paper: A. Rao et al., Phys. Rev. Research 5, 043098 (2023).

    Parameters
    ----------
    model : BetaVAE
        With the metadata of `latent_nmr.train`.
    dataset : xarray.Dataset
        With labels, sampled like the data of the model.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from latent_nmr.analysis.traversal import SPAN, mean_of_nearest, traverse
    from latent_nmr.data.labels import label_values, materials_of
    from latent_nmr.latent_axes import axis_names
    from latent_nmr.plots.overview import Walk, latent_overview
    from latent_nmr.studies._known_curves import training_split

    known = model.metadata_
    X = FeatureSettings.of_metadata(known).of(dataset)
    rows = np.flatnonzero(training_split(model, X, materials_of(dataset)) == "new")
    latent = model.transform(X[rows])
    strength = label_values(dataset, "W")[rows]
    # |M| alone hardly depends on it.
    shows_phase = part_of_metadata(known) != "magnitude"
    labels = ("W", "alpha_z", "L", "kernel") if shows_phase else ("W", "L", "kernel")
    walks = []
    for axis, name in enumerate(axis_names(model.n_components), start=1):
        walk = traverse(model, model.n_components, axis)
        walks.append(Walk(name, walk.curves, mean_of_nearest(walk.points, latent, strength)))
    return latent_overview(
        latent,
        {label: label_values(dataset, label)[rows] for label in labels},
        walks,
        quantities_of(known, np.asarray(known["time_us"])),
        span=SPAN,
        color_text="mean W of the nearest data (MHz)",
        marks=time_marks(known),
    )


def draw_latent_map(table: "pd.DataFrame", labels: Sequence[str], n_components: int):
    """Latent maps of an embedding table, one panel per label; without any, one in one colour."""
    from latent_nmr.errors import InputError, check_choice
    from latent_nmr.latent_axes import axis_names
    from latent_nmr.plots.latent import latent_maps

    names, known = axis_names(n_components), label_columns(table)
    if labels and not known:
        raise InputError(
            f"color must name labels of the data, but they have none, and it is {labels[0]!r}. "
            "Leave it out, for a map in one colour."
        )
    values = {label: table[check_choice("color", label, known)].to_numpy() for label in labels}
    return latent_maps(table[names].to_numpy(), values, axis_names=names)


def draw_traversals(
    model: "BetaVAE",
    axes: tuple[int, ...],
    table: "pd.DataFrame | None",
    *,
    span: float,
    n_steps: int,
):
    """Decoded curves along each of `axes`, from -`span` to `span`.

    They are coloured by the mean W of the curves of an embedding `table` that lie nearest to them,
    of those whose W is known, or if none is by their position on the axis.
    """
    from latent_nmr.analysis.traversal import traverse
    from latent_nmr.errors import check_number
    from latent_nmr.latent_axes import axis_names

    names = axis_names(model.n_components)
    span = check_number("span", span, above=0)
    walks = [traverse(model, model.n_components, axis, span=span, n_steps=n_steps) for axis in axes]
    labelled = None
    if table is not None and "W" in table and np.isfinite(_numbers(table["W"])).any():
        labelled = table
    return draw_walks(
        np.stack([walk.curves for walk in walks]),
        walks[0].positions,
        axes=axes,
        names=names,
        latent=None if labelled is None else labelled[names].to_numpy(),
        strength=None if labelled is None else _numbers(labelled["W"]),
        quantities=quantities_of(model.metadata_, np.asarray(model.metadata_["time_us"])),
        marks=time_marks(model.metadata_),
    )


def draw_walks(
    curves: np.ndarray,
    positions: np.ndarray,
    *,
    names: Sequence[str],
    axes: Sequence[int] | None = None,
    latent: np.ndarray | None = None,
    strength: np.ndarray | None = None,
    quantities: "Sequence[Quantity]",
    marks: dict[str, float],
):
    """Decoded curves along latent axes, one panel each, the other axes at zero.

    Parameters
    ----------
    curves : ndarray, shape (n_axes, n_steps, n_features)
    positions : ndarray, shape (n_steps,)
        Places on each axis.
    names : sequence of str
        Of all latent axes.
    axes : sequence of int, optional
        Which axes these are, counted from 1; the first ones by default.
    latent : ndarray, shape (n_curves, n_components), optional
    strength : ndarray, shape (n_curves,), optional
        W of data at `latent`, MHz; without it, places on the axis colour the curves.
    quantities : sequence of Quantity
        What the features are; each has a row of its own.
    marks : dict of float
        Names and times of pulses and echo.
    """
    from latent_nmr.analysis.traversal import mean_of_nearest
    from latent_nmr.plots.curves import traversal_grid
    from latent_nmr.plots.style import new_figure

    axes = range(1, len(curves) + 1) if axes is None else axes
    colours, color_text = [positions] * len(curves), "position along the axis"
    if strength is not None and latent is not None:
        colours, color_text = [], "mean W of the nearest data (MHz)"
        for axis in axes:
            points = np.zeros((len(positions), latent.shape[1]))
            points[:, axis - 1] = positions
            colours.append(mean_of_nearest(points, latent, strength))
    ends = f"from {positions[0]:g} to {positions[-1]:g}"
    # Room between columns: a colour bar's label belongs to the panel on its left.
    size = 5.1 * len(curves), 0.8 + 2.7 * len(quantities)
    figure = new_figure(*size, wspace=0.06)
    traversal_grid(
        figure,
        curves,
        colours,
        quantities,
        titles=[f"along {names[axis - 1]}, {ends}" for axis in axes],
        color_texts=[color_text] * len(curves),
        color_limits=[(float(np.min(colour)), float(np.max(colour))) for colour in colours],
        marks=marks,
    )
    return figure


def quantities_of(known: Mapping[str, Any], time: np.ndarray) -> "list[Quantity]":
    """What the features of echoes are, of a model's metadata or a result's facts.

    Parameters
    ----------
    known : mapping
        With `normalisation`, the part of M unless it is |M|, and `protocols` where there are any.
    time : ndarray, shape (n_window,), or (n_protocols, n_window)
        Times of the window's samples, µs.
    """
    from latent_nmr.plots.curves import Quantity
    from latent_nmr.plots.style import FREQUENCY_TEXTS, SIGNAL_TEXTS

    length = SIGNAL_TEXTS[known["normalisation"]]
    texts = {name: length.replace("|M(t)|", f"{name}(t)", 1) for name in SIGNAL_NAMES}
    texts |= {"|M|": length, **FREQUENCY_TEXTS}
    marks = {own.name: _marks_of(own) for own in protocols_of_metadata(known)}
    return [
        Quantity(
            f"{b.protocol}: {texts[b.name]}" if b.protocol else texts[b.name],
            *(b.time, b.columns, b.low, b.high, b.protocol),
            marks.get(b.protocol, {} if marks else None),
        )
        for b in _blocks(known, time)
    ]


def _blocks(known: Mapping[str, Any], time: np.ndarray) -> list[Block]:
    return feature_blocks(time, part_of_metadata(known), protocols_of_metadata(known))


def _marks_of(protocol: KnownProtocol) -> dict[str, float]:
    """Names and times (µs) of the pulses and the echo of a protocol, as far as they are known."""
    _, angle, tau = protocol
    if tau is None:
        return {}
    pulses = {} if angle is None else {f"{angle:.0f}°": 0.0, f"{2 * angle:.0f}°": tau}
    return pulses | {"echo": 2 * tau}


def quantity_suffixes(known: Mapping[str, Any], time: np.ndarray) -> list[str]:
    """Ends of the names of figures that show one quantity each; none for the first."""
    found = []
    for block in _blocks(known, time):
        # Names of protocols may be anything; that of a figure is that of a file.
        words = SUFFIXES.get(block.name), re.sub(r"[^\w.-]+", "-", block.protocol)
        found.append("".join(f"_{word}" for word in words if word))
    return ["", *found[1:]]


def _numbers(column: "pd.Series") -> np.ndarray:
    """A column as numbers, NaN where it is something else."""
    import pandas as pd

    return pd.to_numeric(column, errors="coerce").to_numpy(np.float64)


def time_marks(attributes: Mapping[Any, Any]) -> dict[str, float]:
    """Names and times (µs) of the pulses and the echo, as far as a data set's attributes say them.

    All of them are optional: a record of another program may say where its echo is, and no more.
    """
    if not {"dt_us", "echo_index"} <= set(attributes):
        return {}
    step, marks = interval_of(attributes), {}
    if {"pulse_samples", "pulse_angles_rad"} <= set(attributes):
        samples, angles = (
            pulse_numbers(attributes, name) for name in ("pulse_samples", "pulse_angles_rad")
        )
        for sample, angle in zip(samples, angles, strict=True):
            marks[f"{np.degrees(angle):.0f}°"] = sample * step
    return marks | {"echo": echo_index_of(attributes) * step}
