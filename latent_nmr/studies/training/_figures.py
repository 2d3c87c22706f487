"""Figures of a training: latent map, traversals, loss history, reconstructions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.data.labels import label_values
from latent_nmr.studies.embedding import map_labels
from latent_nmr.studies.latent_figures import (
    draw_latent_map,
    draw_traversals,
    quantities_of,
    quantity_suffixes,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE

Facts = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]


def draw_map(model: "BetaVAE", embedding: "pd.DataFrame") -> Any:
    """Latent map of the first two axes, one panel per label."""
    return draw_latent_map(embedding, map_labels(embedding), model.n_components)


def draw_axis(
    model: "BetaVAE", axis: int, embedding: "pd.DataFrame", span: float, n_steps: int
) -> Any:
    """Curves along one axis."""
    return draw_traversals(model, (axis,), embedding, span=span, n_steps=n_steps)


def draw_history(model: "BetaVAE") -> Any:
    """Loss history with the likelihood named."""
    from latent_nmr.plots.training import loss_history

    records = model.history_
    text = "Bernoulli likelihood"
    if model.parameters_["likelihood"] == "gaussian":
        text = f"Gaussian likelihood, σ = {model.scale_:.3g}"
    elif model.parameters_["likelihood"] == "repeats":
        text = f"Likelihood of other repeats, σ = {model.scale_:.3g}"
    return loss_history(
        [record.epoch for record in records],
        np.array([record.reconstruction for record in records]),
        np.array([record.validation_reconstruction for record in records]),
        np.array([record.validation_kl_per_axis for record in records]),
        best_epoch=model.best_epoch_,
        likelihood_text=text,
    )


def sheet_rows(model: "BetaVAE", dataset: "xr.Dataset", n_curves: int) -> np.ndarray:
    """Validation curves to draw, evenly spread over W."""
    rows = model.validation_rows_
    if "W" in dataset.variables:
        rows = rows[np.argsort(label_values(dataset, "W")[rows])]
    return rows[np.linspace(0, len(rows) - 1, min(n_curves, len(rows))).astype(int)]


def curve_title(dataset: "xr.Dataset", row: int) -> str:
    """What is known of a curve, in one or two short lines."""
    from latent_nmr.plots.style import KERNEL_STYLES

    title = f"curve {dataset['curve'].to_numpy()[row]}"
    if "kernel" in dataset.variables:
        kernel = str(label_values(dataset, "kernel")[row])
        title += ", " + KERNEL_STYLES.get(kernel, (kernel,))[0]
    if "W" in dataset.variables:
        title += f"\nW = {label_values(dataset, 'W')[row]:.2f} MHz"
    return title


def sheet_names(facts: Facts, arrays: Arrays) -> list[str]:
    """Names of the sheets of reconstructions, one for each quantity of the features."""
    return [f"reconstructions{suffix}" for suffix in quantity_suffixes(facts, arrays["time"])]


def draw_reconstructions(facts: Facts, arrays: Arrays, number: int) -> Any:
    """One quantity of validation curves on top of what the model makes of it."""
    from latent_nmr.plots.curves import reconstruction_sheet

    quantity = quantities_of(facts, arrays["time"])[number]
    assert quantity.time is not None  # of echoes
    return reconstruction_sheet(
        quantity.time,
        quantity.values(arrays["shown"]),
        quantity.values(arrays["shown_reconstructed"]),
        facts["shown_titles"],
        signal_text=quantity.text,
    )
