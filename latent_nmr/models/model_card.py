"""The card of a model: what model.json holds, from the model and back.

Losses that are not finite are written as null and read as NaN: JSON knows only finite numbers.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError, check_count, check_number
from latent_nmr.models.card_checks import (
    MAX_CARD_BYTES,
    brief,
    check_architecture,
    check_history,
    check_keys,
    check_object,
    check_parameters,
    check_rows,
    check_vector,
    check_word,
    pack_rows,
    strict_json,
)
from latent_nmr.models.networks import Architecture
from latent_nmr.models.training import EpochRecord

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

FORMAT = "latent_nmr.beta_vae"
FORMAT_VERSION = 2
RECORDED_PACKAGES = ("latent-nmr", "jax", "flax", "optax", "numpy", "scikit-learn")

SIZES = ("n_features", "hidden_layer_sizes", "n_components")
FITTED = (
    "best_epoch",
    "stop_reason",
    "device",
    "scale",
    "kl",
    "axis_variances",
    "training_rows",
    "validation_rows",
    "history",
)
ENTRIES = (
    "format",
    "format_version",
    "parameters",
    *SIZES,
    "fitted",
    "metadata",
    "packages",
    "weights_sha256",
)


@dataclass(frozen=True)
class ModelCard:
    """Everything that is known of a fitted model but its weights."""

    parameters: dict[str, Any]
    architecture: Architecture
    best_epoch: int
    stop_reason: str
    device: str
    scale: float
    kl: npt.NDArray[np.float64]
    axis_variances: npt.NDArray[np.float64]
    training_rows: npt.NDArray[np.int64]
    validation_rows: npt.NDArray[np.int64]
    history: list[EpochRecord]
    metadata: dict[str, Any]
    packages: dict[str, str]
    weights_sha256: str


def card_of(model: "BetaVAE", metadata: Mapping[str, Any], weights_sha256: str) -> ModelCard:
    """Card of a fitted model."""
    return ModelCard(
        parameters=plain(_reproducible_parameters(model)),
        architecture=model.architecture_,
        best_epoch=model.best_epoch_,
        stop_reason=model.stop_reason_,
        device=model.device_,
        scale=model.scale_,
        kl=model.kl_,
        axis_variances=model.axis_variances_,
        training_rows=model.training_rows_,
        validation_rows=model.validation_rows_,
        history=model.history_,
        metadata=dict(metadata),
        packages=model.packages_,
        weights_sha256=weights_sha256,
    )


def checked_text(card: ModelCard) -> bytes:
    """Bytes of model.json, which a reader accepts.

    Raises
    ------
    InputError
        For metadata that JSON cannot hold, or a model that a reader would refuse.
    """
    try:
        text = card_text(card).encode()
        check_entries(strict_json(text))
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(
            "the model and its metadata must fit a model file, which holds finite numbers and at "
            f"most {MAX_CARD_BYTES} bytes, but here is {brief(error)}. Leave that out of the "
            "metadata, or fit again."
        ) from error
    return text


def card_text(card: ModelCard) -> str:
    """Text of model.json: one entry a line."""
    sizes = card.architecture
    fitted = {name: getattr(card, name) for name in FITTED}
    fitted["training_rows"] = pack_rows(card.training_rows, card.validation_rows)
    fitted["history"] = [finite_or_null(record._asdict()) for record in card.history]
    return _to_text(
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "parameters": card.parameters,
            **{name: getattr(sizes, name) for name in SIZES},
            "fitted": fitted,
            "metadata": card.metadata,
            "packages": card.packages,
            "weights_sha256": card.weights_sha256,
        }
    )


def check_entries(card: Any) -> ModelCard:
    """Check every entry of a card that was read from JSON.

    Raises
    ------
    KeyError, TypeError, ValueError, OverflowError
        For anything that is not a whole card of this version.
    """
    check_keys("the card", card, ENTRIES)
    fitted = card["fitted"]
    check_keys("fitted", fitted, FITTED)
    architecture = check_architecture(card)
    history = check_history(fitted["history"], architecture.n_components)
    training_rows, validation_rows = check_rows(fitted["training_rows"], fitted["validation_rows"])
    packages = check_object("packages", card["packages"])
    return ModelCard(
        parameters=check_parameters(card["parameters"], architecture),
        architecture=architecture,
        best_epoch=check_count("best_epoch", fitted["best_epoch"], at_most=len(history)),
        stop_reason=check_word("stop_reason", fitted["stop_reason"]),
        device=check_word("device", fitted["device"]),
        scale=check_number("scale", fitted["scale"], above=0),
        kl=check_vector(fitted["kl"], architecture.n_components),
        axis_variances=check_vector(fitted["axis_variances"], architecture.n_components),
        training_rows=training_rows,
        validation_rows=validation_rows,
        history=history,
        metadata=check_object("metadata", card["metadata"]),
        packages={check_word("package", k): check_word("version", v) for k, v in packages.items()},
        weights_sha256=check_word("weights_sha256", card["weights_sha256"]),
    )


def installed_packages() -> dict[str, str]:
    """Versions of the packages that decide a fit."""
    return {name: version(name) for name in RECORDED_PACKAGES}


def _reproducible_parameters(model: "BetaVAE") -> dict[str, Any]:
    """Constructor arguments; a generator's state is not kept, a seed is."""
    parameters = model.get_params()
    if not isinstance(parameters["random_state"], int | np.integer):
        parameters["random_state"] = None
    return parameters


def _to_text(entries: Mapping[str, Any]) -> str:
    """JSON with a line for every entry and for every entry of an entry, and no longer."""
    return "{\n" + ",\n".join(_line(k, v, _inner) for k, v in entries.items()) + "\n}\n"


def _inner(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return _dump(value)
    return "{\n " + ",\n ".join(_line(k, v, _dump) for k, v in value.items()) + "\n }"


def _line(key: str, value: Any, dump: Callable[[Any], str]) -> str:
    return f" {_dump(key)}: {dump(value)}"


def _dump(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def finite_or_null(value: Any) -> Any:
    """Put None for numbers that are not finite, also inside of mappings and sequences."""
    if isinstance(value, Mapping):
        return {key: finite_or_null(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite_or_null(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(value: Any) -> Any:
    """Turn NumPy scalars and arrays, tuples and paths into what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
