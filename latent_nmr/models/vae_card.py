"""Entries of a β-VAE's card: layer sizes, history, and what every axis does."""

from typing import Any

from latent_nmr.errors import check_count, check_number
from latent_nmr.models.card_checks import (
    check_keys,
    check_layer_sizes,
    check_number_or_nan,
    check_object,
    check_total,
    check_vector,
    check_word,
)
from latent_nmr.models.card_text import finite_or_null
from latent_nmr.models.cards import CardFormat
from latent_nmr.models.fitted import FittedVAE
from latent_nmr.models.networks import ACTIVATIONS, PUBLISHED_ACTIVATION, Architecture
from latent_nmr.models.schedule import EpochRecord

SIZES = ("n_features", "hidden_layer_sizes", "n_components")
FITTED = (
    "best_epoch", "stop_reason", "device", "scale", "kl", "axis_variances", "training_rows",
    "validation_rows", "history",
)  # fmt: skip


def to_entries(model: FittedVAE) -> tuple[dict[str, Any], dict[str, Any]]:
    """Entries of the card and of its entry `fitted` that only a β-VAE has."""
    sizes = {name: getattr(model.architecture, name) for name in SIZES}
    names = ("best_epoch", "stop_reason", "scale", "kl", "axis_variances")
    fitted = {name: getattr(model, name) for name in names}
    fitted["history"] = [finite_or_null(record._asdict()) for record in model.history]
    return sizes, fitted


def to_model(card: dict[str, Any], common: dict[str, Any]) -> FittedVAE:
    """Check what only a β-VAE's card has."""
    fitted, architecture = card["fitted"], check_architecture(card)
    check_agreement(common["parameters"], architecture)
    history = check_history(fitted["history"], architecture.n_components)
    return FittedVAE(
        **common,
        architecture=architecture,
        best_epoch=check_count("best_epoch", fitted["best_epoch"], at_most=len(history)),
        stop_reason=check_word("stop_reason", fitted["stop_reason"]),
        scale=check_number("scale", fitted["scale"], above=0),
        kl=check_vector(fitted["kl"], architecture.n_components),
        axis_variances=check_vector(fitted["axis_variances"], architecture.n_components),
        history=history,
    )


def check_architecture(card: dict[str, Any]) -> Architecture:
    """Return the sizes of the layers, bounded before anything of that size is made."""
    architecture = Architecture(
        check_count("n_features", card["n_features"]),
        check_layer_sizes(card["hidden_layer_sizes"]),
        check_count("n_components", card["n_components"]),
        check_activation(card["parameters"]),
    )
    check_total(architecture.weight_shapes().values())
    return architecture


def check_activation(parameters: Any) -> str:
    """Return the activation of the hidden layers, which is a constructor argument."""
    name = check_word("activation", check_object("parameters", parameters)["activation"])
    if name not in ACTIVATIONS:
        raise ValueError(f"activation must be among {', '.join(ACTIVATIONS)}")
    return name


def check_agreement(parameters: dict[str, Any], architecture: Architecture) -> None:
    """Refuse constructor arguments that do not agree with the layers."""
    sizes = parameters.get("hidden_layer_sizes")
    if sizes is not None:
        if not isinstance(sizes, tuple):
            raise TypeError("hidden_layer_sizes must be null or a list")
        if sizes != architecture.hidden_layer_sizes:
            raise ValueError("parameters name other hidden_layer_sizes than the card")
    if parameters.get("n_components") != architecture.n_components:
        raise ValueError("parameters name another n_components than the card")
    for name, value in parameters.items():
        if name != "hidden_layer_sizes" and isinstance(value, tuple):
            raise TypeError(f"the parameter {name!r} must be a number or a word")


def check_history(entries: Any, n_components: int) -> list[EpochRecord]:
    """Return the records of epochs 1 to n."""
    if not isinstance(entries, list) or not entries:
        raise ValueError("history must be a list of epochs")
    records = [_record(entry, n_components) for entry in entries]
    if [record.epoch for record in records] != list(range(1, len(records) + 1)):
        raise ValueError("history must count its epochs from 1")
    return records


def _record(entry: Any, n_components: int) -> EpochRecord:
    """One epoch: its number, and finite numbers or null, one or one per axis."""
    # Epochs of earlier versions say nothing of a contrast: there was none.
    entry = EpochRecord._field_defaults | check_object("an epoch", entry)
    check_keys("an epoch", entry, EpochRecord._fields)
    values: dict[str, Any] = {"epoch": check_count("epoch", entry["epoch"])}
    for name in EpochRecord._fields[1:]:
        value = entry[name]
        if name.endswith("_per_axis"):
            if not isinstance(value, list) or len(value) != n_components:
                raise ValueError(f"{name} must be a list of {n_components} numbers")
            values[name] = tuple(check_number_or_nan(name, axis) for axis in value)
        else:
            values[name] = check_number_or_nan(name, value)
    return EpochRecord(**values)


def from_version_2(card: dict[str, Any]) -> dict[str, Any]:
    """Card of version 2 with the activation that all networks had then."""
    parameters = check_object("parameters", card["parameters"])
    return card | {"parameters": {"activation": PUBLISHED_ACTIVATION, **parameters}}


FORMAT = CardFormat(
    "latent_nmr.beta_vae", 3, "β-VAE", "echo",
    FittedVAE, SIZES, FITTED, to_entries, to_model, {2: from_version_2},
)  # fmt: skip
