"""What a page on which one moves through a latent space is made of: facts and arrays.

The page itself is made by `latent_nmr.report.explorer`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from latent_nmr._echo_top import HEADROOM, REACH, SMOOTHING
from latent_nmr.analysis.audit import BAND_WIDTH, LIMIT_QUANTILE
from latent_nmr.analysis.neighbourhood import EDGE_PERCENTILE, spacing
from latent_nmr.analysis.traversal import N_NEIGHBOURS, SPAN
from latent_nmr.data._attributes import interval_of
from latent_nmr.data.feature_layout import part_name
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.errors import InputError, check_count
from latent_nmr.latent_axes import axis_names
from latent_nmr.models.compact_weights import compact_layers
from latent_nmr.models.decoder_json import network_layers
from latent_nmr.models.networks import NEGATIVE_SLOPE
from latent_nmr.plots.style import colour_table
from latent_nmr.studies._explorer_labels import colourings, correlations
from latent_nmr.studies.embedding import embed, label_columns
from latent_nmr.studies.latent_figures import quantities_of, time_marks
from latent_nmr.studies.measurement.visible import visible_echoes
from latent_nmr.studies.trained_model import as_model, check_sampling

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE

    AnyModel: TypeAlias = BetaVAE | Path | str

# Curves on a page; with those of 1882 samples it is then below 4 MB.
MOST_CURVES = 3000
# A curve is kept as whole numbers from 0 to this.
LEVELS = 255
# The audit of a point looks at every n-th column, at most this number of them.
MOST_AUDITED = 512
SPLITS = ("training", "validation", "new")


class ExplorerContent(NamedTuple):
    """Content of a page.

    Attributes
    ----------
    facts : dict
        As JSON holds it.
    arrays : dict of ndarray
        Weights in few bits; `latent`, `deviation`, `rms`, `split` and labels of the curves
        shown; `curves`, their features as whole numbers; `time` of every column, µs.
    """

    facts: dict[str, Any]
    arrays: dict[str, npt.NDArray]


def explorer_content(
    model: "BetaVAE", dataset: "xr.Dataset", *, title: str = "", most_curves: int = MOST_CURVES
) -> ExplorerContent:
    """Gather what a page shows of a model and of a data set.

    Parameters
    ----------
    model : BetaVAE
        Trained on echoes, of two latent axes or more.
    dataset : xarray.Dataset
        Echoes, sampled like those that the model was trained on.
    title : str
        What the page calls the model.
    most_curves : int
        Of more curves that the data have, as many are shown, evenly spread.

    Raises
    ------
    InputError
        For a model of one axis, data that it cannot embed, and fewer than five curves.
    """
    if model.n_components < 2:
        raise InputError(
            "model must have at least two latent axes to be explored as a map, but has "
            f"{model.n_components}. Use one with n_components of 2 or more."
        )
    check_count("most_curves", most_curves, at_least=5)
    check_sampling(dataset, "the data set", model)
    n_curves = dataset.sizes["curve"]
    if n_curves < 5:
        raise InputError(
            f"data must have at least five curves, to say where data lie, but have {n_curves}. "
            "Use more."
        )
    if n_curves > most_curves:
        rows = np.linspace(0, n_curves - 1, most_curves).round().astype(int)
        dataset = dataset.isel(curve=rows)
    X = FeatureSettings.of_metadata(model.metadata_).of(dataset)
    table = embed(model, dataset)
    latent = table[axis_names(model.n_components)].to_numpy(np.float64)
    networks, weights = _networks(model, X, latent)
    labels, label_arrays = colourings(table, label_columns(table))
    curves, low, high = whole_numbers(X)
    facts = {
        "title": title or "a β-VAE",
        "networks": networks,
        "negative_slope": NEGATIVE_SLOPE,
        "axes": _axes(model, table),
        "blocks": _blocks(model.metadata_, X),
        "audit": _audit_facts(latent, X.shape[1]),
        "rms_edge": float(np.percentile(table["rms"], EDGE_PERCENTILE)),
        "labels": labels,
        "splits": list(SPLITS),
        "span": SPAN,
        "traversal_colours": colour_table("W"),
        "levels": {"n": LEVELS, "low": low, "high": high},
        "n_curves": n_curves,
        "n_shown": len(X),
        "echo": _echo_facts(model.metadata_),
    }
    return ExplorerContent(facts, weights | _points(model, table) | label_arrays | curves)


def explorer_of(
    model: "AnyModel", dataset: "xr.Dataset | None" = None, *, title: str = ""
) -> ExplorerContent:
    """:func:`explorer_content` of a model or of where it is, by default with the reference set."""
    found = as_model(model)
    name = title
    if not title and isinstance(model, str | Path):
        name = f"the model {Path(model).resolve().name}"
    shown = reference_of(found) if dataset is None else dataset
    if found.parameters_.get("augment") is not None:
        shown = visible_echoes(shown)
    return explorer_content(found, shown, title=name)


def reference_of(model: "BetaVAE") -> "xr.Dataset":
    """The curves of the reference set that a model can show."""
    from latent_nmr.data.reference import load_reference

    settings = FeatureSettings.of_metadata(model.metadata_)
    if settings.part != "magnitude" or settings.protocols:
        raise InputError(
            "data must be given for a model that sees the phase or several protocols, as the "
            "reference set holds |M| of one alone, and its features are "
            f"{part_name(settings.part)!r}. Simulate some with its pulses, such as "
            "latent_nmr.simulate('paper-pair', 600) for polar-pair."
        )
    return load_reference()


def whole_numbers(X: npt.NDArray[np.floating]) -> tuple[dict[str, npt.NDArray], float, float]:
    """Features as whole numbers from 0 to LEVELS, and what 0 and LEVELS stand for."""
    low, high = float(X.min()), float(X.max())
    scale = (high - low) or 1.0
    return {"curves": np.round((X - low) / scale * LEVELS).astype(np.uint8)}, low, low + scale


def _networks(
    model: "BetaVAE", X: npt.NDArray[np.floating], latent: npt.NDArray[np.floating]
) -> tuple[dict[str, Any], dict[str, npt.NDArray]]:
    """Sizes of the layers, and their weights in few bits, by the name of each."""
    layers = network_layers(model)
    draw = np.random.default_rng(0)
    low, high = latent.min(axis=0), latent.max(axis=0)
    # Where the pointer can be, beside where the data are.
    anywhere = draw.uniform(np.minimum(low, -SPAN), np.maximum(high, SPAN), (MOST_CURVES, len(low)))
    kept, hidden = {}, np.empty(0)
    kept["encoder"], hidden = compact_layers(layers["encoder"], X, NEGATIVE_SLOPE)
    for name in ("mean", "log_variance"):
        kept[name], _ = compact_layers(layers[name], hidden, NEGATIVE_SLOPE)
    points = np.concatenate([latent, anywhere])
    kept["decoder"], _ = compact_layers(layers["decoder"], points, NEGATIVE_SLOPE)
    sizes: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray] = {}
    for network, own in kept.items():
        sizes[network] = [
            dict(zip(("n_inputs", "n_outputs"), layer.kernel.shape, strict=True))
            | {"activation": layer.activation}
            for layer in own
        ]
        for number, layer in enumerate(own):
            parts = {"kernel": layer.kernel, "bias": layer.bias, "scale": layer.scale}
            arrays |= {f"{network}.{number}.{n}": v for n, v in parts.items() if v is not None}
    return sizes, arrays


def _points(model: "BetaVAE", table: "pd.DataFrame") -> dict[str, npt.NDArray]:
    names = axis_names(model.n_components)
    codes = {name: code for code, name in enumerate(SPLITS)}
    times = [quantity.time for quantity in _quantities(model.metadata_)]
    return {
        "latent": table[names].to_numpy(np.float32),
        "deviation": table[[f"{name}_sd" for name in names]].to_numpy(np.float16),
        "split": np.array([codes[str(name)] for name in table["split"]], np.uint8),
        "time": np.concatenate(times).astype(np.float32),
    }


def _quantities(known: Mapping[str, Any]) -> list[Any]:
    return quantities_of(known, np.asarray(known["time_us"]))


def _axes(model: "BetaVAE", table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Of each latent axis its name, its range on the page and what it orders."""
    found = []
    ordered = correlations(table, axis_names(model.n_components))
    for name, axis in model.card()["axes"].items():
        own = table[name].to_numpy(np.float64)
        room = 0.04 * float(np.ptp(own))
        found.append(
            {
                "name": name,
                "state": axis["state"],
                "low": min(-SPAN, float(own.min()) - room),
                "high": max(SPAN, float(own.max()) + room),
                "rank_correlation": ordered[name],
            }
        )
    return found


def _blocks(known: Mapping[str, Any], X: npt.NDArray[np.floating]) -> list[dict[str, Any]]:
    """Of each quantity its label, its columns, and the values that curves reach."""
    marks, found = time_marks(known), []
    for quantity in _quantities(known):
        columns = range(X.shape[1])[quantity.columns]
        values = quantity.values(X)
        found.append(
            {
                "text": plain_words(quantity.text),
                "start": columns.start,
                "stop": columns.stop,
                "unit": [float(quantity.low), float(quantity.high)],
                "shown": [float(values.min()), float(values.max())],
                "marks": dict(marks if quantity.marks is None else quantity.marks),
            }
        )
    return found


def plain_words(text: str) -> str:
    """The label of a figure without the marks of its typesetting, such as α_x for $\\alpha_x$."""
    for marked, plain in {
        r"\alpha": "α",
        r"\nu": "ν",
        "_1": "₁",
        "_2": "₂",
        "$": "",
    }.items():
        text = text.replace(marked, plain)
    return text


def _audit_facts(latent: npt.NDArray[np.floating], n_features: int) -> dict[str, Any]:
    """By what the page judges the decoder: see `latent_nmr.analysis.audit`."""
    n_neighbors = min(N_NEIGHBOURS, len(latent) - 1)
    near = spacing(latent, n_neighbors)
    return {
        "n_neighbors": n_neighbors,
        "band_width": BAND_WIDTH,
        "quantile": LIMIT_QUANTILE,
        "edge": near.edge,
        "typical": near.typical,
        "every": -(-n_features // MOST_AUDITED),
    }


def _echo_facts(known: Mapping[str, Any]) -> dict[str, Any]:
    """How a record becomes features: what the page does with an echo that is dropped on it."""
    settings = FeatureSettings.of_metadata(known)
    part = part_name(settings.part)
    n_protocols = max(1, len(settings.protocols))
    step = interval_of(known) if "dt_us" in known else None
    echo = known["echo_index"] * step if step and "echo_index" in known else None
    return {
        "window": settings.window,
        "normalisation": settings.normalisation,
        "part": part,
        "n_protocols": n_protocols,
        "echo_us": echo,
        "smoothing": SMOOTHING,
        "reach": REACH,
        "headroom": HEADROOM,
    }
