"""Entries of a regressor's card: its layers, the scaling of columns and targets, histories."""

from typing import Any

from latent_nmr.errors import check_count, check_number
from latent_nmr.models.card_checks import (
    brief,
    check_keys,
    check_layer_sizes,
    check_number_or_nan,
    check_object,
    check_total,
    check_vector,
)
from latent_nmr.models.card_text import finite_or_null
from latent_nmr.models.cards import CardFormat
from latent_nmr.models.fitted import FittedRegressor
from latent_nmr.models.regression_network import ACTIVATIONS, NetworkShape
from latent_nmr.models.regression_training import RegressionRecord

MAX_NETWORKS = 64
SHAPE = ("n_features", "hidden_layer_sizes", "activations", "n_targets", "batch_norm")
SCALING = ("column_means", "column_scale", "target_means", "target_scales", "is_single")
FITTED = ("best_epochs", "device", "training_rows", "validation_rows", "history")
# Parameters that version 1 knows by another name.
RENAMED = {"activations": "activation", "optimiser": "solver"}


def to_entries(model: FittedRegressor) -> tuple[dict[str, Any], dict[str, Any]]:
    """Entries of the card and of its entry `fitted` that only a regressor has."""
    own = {
        "shape": {name: getattr(model.shape, name) for name in SHAPE},
        "scaling": {name: getattr(model, name) for name in SCALING},
    }
    history = [
        [finite_or_null(record._asdict()) for record in records] for records in model.history
    ]
    return own, {"best_epochs": model.best_epochs, "history": history}


def to_model(card: dict[str, Any], common: dict[str, Any]) -> FittedRegressor:
    """Check what only a regressor's card has."""
    shape, scaling, fitted = check_shape(card["shape"]), card["scaling"], card["fitted"]
    check_keys("scaling", scaling, SCALING)
    target_scales = check_vector(scaling["target_scales"], shape.n_targets)
    if target_scales.min() <= 0:
        raise ValueError("target_scales must be > 0")
    is_single = scaling["is_single"]
    if not isinstance(is_single, bool) or is_single > (shape.n_targets == 1):
        raise ValueError("is_single must say whether there is one target")
    best, history = fitted["best_epochs"], check_histories(fitted["history"])
    if not isinstance(best, list) or not 1 <= len(best) <= MAX_NETWORKS:
        raise ValueError(f"best_epochs must be a list of 1 to {MAX_NETWORKS} numbers")
    if len(history) != len(best):
        raise ValueError("history must have one list per network")
    for epoch, records in zip(best, history, strict=True):
        check_count("best_epoch", epoch, at_most=len(records))
    return FittedRegressor(
        **common,
        shape=shape,
        column_means=check_vector(scaling["column_means"], shape.n_features),
        column_scale=check_number("column_scale", scaling["column_scale"], above=0),
        target_means=check_vector(scaling["target_means"], shape.n_targets),
        target_scales=target_scales,
        is_single=is_single,
        best_epochs=best,
        history=history,
    )


def check_shape(entry: Any) -> NetworkShape:
    """Return the sizes of the layers, bounded before anything of that size is made."""
    check_keys("shape", entry, SHAPE)
    hidden, activations = check_layer_sizes(entry["hidden_layer_sizes"]), entry["activations"]
    if not isinstance(activations, list) or len(activations) != len(hidden):
        raise ValueError("activations must be a list of one word per layer")
    if any(name not in ACTIVATIONS for name in map(str, activations)):
        raise ValueError(f"activations must be among {', '.join(ACTIVATIONS)}")
    if not isinstance(entry["batch_norm"], bool):
        raise TypeError("batch_norm must be true or false")
    n_features = check_count("n_features", entry["n_features"])
    n_targets = check_count("n_targets", entry["n_targets"])
    shape = NetworkShape(n_features, hidden, tuple(activations), n_targets, entry["batch_norm"])
    check_total(shape.weight_shapes().values())
    return shape


def check_histories(entries: Any) -> list[list[RegressionRecord]]:
    """Return the records of every network: epochs 1 to n, finite numbers or null."""
    if not isinstance(entries, list):
        raise TypeError("history must be a list")
    histories = []
    for records in entries:
        if not isinstance(records, list) or not records:
            raise ValueError("history must hold a list of epochs per network")
        histories.append([_record(record, number) for number, record in enumerate(records, 1)])
    return histories


def _record(entry: Any, number: int) -> RegressionRecord:
    check_keys("an epoch", entry, RegressionRecord._fields)
    check_count("epoch", entry["epoch"], at_least=number, at_most=number)
    names = RegressionRecord._fields[1:]
    return RegressionRecord(number, *(check_number_or_nan(name, entry[name]) for name in names))


def from_version_1(card: dict[str, Any]) -> dict[str, Any]:
    """Card of version 1 with today's names of parameters, and epochs with names of numbers."""
    given = check_object("parameters", card["parameters"])
    parameters = {RENAMED.get(name, name): value for name, value in given.items()}
    history = [[_named(record) for record in records] for records in card["fitted"]["history"]]
    return card | {"parameters": parameters, "fitted": card["fitted"] | {"history": history}}


def _named(record: Any) -> dict[str, Any]:
    names = RegressionRecord._fields
    if not isinstance(record, list) or len(record) != len(names):
        raise ValueError(f"an epoch must be a list of five numbers, but is {brief(record)}")
    return dict(zip(names, record, strict=True))


FORMAT = CardFormat(
    "latent_nmr.curve_regressor", 2, "regressor of curves", "challenge-gauss",
    FittedRegressor, ("shape", "scaling"), FITTED, to_entries, to_model, {1: from_version_1},
)  # fmt: skip
