"""Saved regressors: weights.safetensors + model.json, as of β-VAEs. Loading executes nothing.

Everything read is checked before use: sizes before memory is taken, the checksum, the name,
shape and finiteness of every weight.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from latent_nmr._files import sole_writer, staged_folder
from latent_nmr.errors import InputError, check_count, check_number
from latent_nmr.models.card_checks import (
    MAX_CARD_BYTES,
    MAX_LAYERS,
    MAX_WEIGHTS,
    brief,
    check_keys,
    check_object,
    check_rows,
    check_vector,
    check_word,
    pack_rows,
    strict_json,
)
from latent_nmr.models.card_words import listed, printable
from latent_nmr.models.model_card import finite_or_null, plain
from latent_nmr.models.model_folder import (
    CARD_FILE,
    WEIGHTS_FILE,
    ModelFileError,
    OpenFolder,
    read_file,
    read_folder,
)
from latent_nmr.models.persistence import MAX_HEADER_BYTES, is_model_alone
from latent_nmr.models.regression_network import ACTIVATIONS, NetworkShape

if TYPE_CHECKING:
    from latent_nmr.models.curve_regressor import CurveRegressor

FORMAT, FORMAT_VERSION = "latent_nmr.curve_regressor", 1
MAX_NETWORKS = 64
ENTRIES = (
    "format", "format_version", "parameters", "shape", "scaling", "fitted", "metadata", "packages",
    "weights_sha256",
)  # fmt: skip
SHAPE = ("n_features", "hidden_layer_sizes", "activations", "n_targets", "batch_norm")
SCALING = ("column_means", "column_scale", "target_means", "target_scales", "is_single")
# Parameters that were called otherwise before.
RENAMED = {"activations": "activation", "optimiser": "solver"}
FITTED = ("best_epochs", "history", "training_rows", "validation_rows", "device")


def save(model: "CurveRegressor", path: Path | str, metadata: Mapping[str, Any]) -> None:
    """Write a fitted regressor as a folder, atomically."""
    path = Path(path)
    with sole_writer(path):
        if path.exists() and not is_model_alone(path):
            raise InputError(
                f"path must be new or a folder with a saved model and nothing else, but {path} "
                "holds other things. Choose another path."
            )
        with staged_folder(path) as staging:
            write_files(model, staging, metadata)


def write_files(model: "CurveRegressor", folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write the two files of a regressor into an existing folder that nobody reads yet."""
    arrays = {
        f"{number}.{name}": np.ascontiguousarray(array, np.float32)
        for number, weights in enumerate(model.weights_)
        for name, array in weights.items()
    }
    raw = safetensors.numpy.save(arrays, metadata={"format": FORMAT})
    entries = _card(model, metadata, hashlib.sha256(raw).hexdigest())
    try:
        text = json.dumps(plain(entries), ensure_ascii=False, allow_nan=False, indent=1).encode()
        _checked(strict_json(text))
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InputError(
            "the model and its metadata must fit a model file, which holds finite numbers and at "
            f"most {MAX_CARD_BYTES} bytes, but here is {brief(error)}. Leave that out of the "
            "metadata, or fit again."
        ) from error
    for name, content in ((WEIGHTS_FILE, raw), (CARD_FILE, text)):
        with (folder / name).open("wb") as file:
            file.write(content)
            # On the disk before the folder takes its name: a power cut leaves no empty files.
            file.flush()
            os.fsync(file.fileno())


def load(cls: type["CurveRegressor"], path: Path | str) -> "CurveRegressor":
    """Read and check a saved regressor.

    Raises
    ------
    ModelFileError
        For anything missing, damaged, not finite or not ours.
    """
    return read_folder(lambda folder: _load(cls, folder), Path(path))


def is_regressor(path: Path | str) -> bool:
    """Whether model.json at `path` says that it is one of ours; False for whatever cannot be read.

    Nothing else is checked.
    """

    def read(folder: OpenFolder) -> bool:
        card = strict_json(read_file(folder, CARD_FILE, MAX_CARD_BYTES))
        return isinstance(card, dict) and card.get("format") == FORMAT

    try:
        return read_folder(read, Path(path))
    except (ModelFileError, ValueError, RecursionError):
        return False


def describe(path: Path | str) -> tuple[list[str], dict[str, Any]]:
    """What a saved regressor is, in lines and as JSON; its weights are not read."""
    card = read_folder(_read_card, Path(path))
    shape, fitted = _shape(card["shape"]), card["fitted"]
    training, validation = check_rows(fitted["training_rows"], fitted["validation_rows"])
    errors = [
        records[best - 1].validation_error
        for best, records in zip(fitted["best_epochs"], _history(fitted["history"]), strict=True)
    ]
    n_networks = len(errors)
    facts = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "parameters": card["parameters"],
        "shape": card["shape"],
        "n_networks": n_networks,
        "n_weights": n_networks * sum(map(math.prod, shape.weight_shapes().values())),
        "training": {
            "n_training_rows": len(training),
            "n_validation_rows": len(validation),
            "best_epochs": fitted["best_epochs"],
            "validation_errors": errors,
        },
        "device": fitted["device"],
        "packages": card["packages"],
        "metadata": card["metadata"],
        "weights_sha256": card["weights_sha256"],
    }
    hidden = "-".join(map(str, shape.hidden_layer_sizes))
    rows = {
        "model": f"{n_networks} network(s) for {shape.n_targets} target(s), {shape.n_features} "
        f"columns, hidden layers {hidden}, {facts['n_weights']} weights",
        "parameters": listed(card["parameters"]),
        "data": f"{len(training)} training and {len(validation)} validation rows",
        "validation": "mean squared error of standardised targets "
        + ", ".join(f"{error:.4f} (epoch {best})"
                    for error, best in zip(errors, fitted["best_epochs"], strict=True)),
        "metadata": listed(card["metadata"]) or "none",
        "device": fitted["device"],
        "packages": listed(card["packages"]),
        "weights": f"sha256 {card['weights_sha256']}",
    }  # fmt: skip
    return [f"{name:<11} {printable(text)}" for name, text in rows.items()], facts


def _card(model: "CurveRegressor", metadata: Mapping[str, Any], digest: str) -> dict[str, Any]:
    parameters = model.get_params()
    if not isinstance(parameters["random_state"], int | np.integer):
        parameters["random_state"] = None
    history = [[finite_or_null(list(record)) for record in records] for records in model.history_]
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "parameters": parameters,
        "shape": {name: getattr(model.shape_, name) for name in SHAPE},
        "scaling": {
            "column_means": model.column_means_,
            "column_scale": model.column_scale_,
            "target_means": model.target_means_,
            "target_scales": model.target_scales_,
            "is_single": model._is_single,
        },
        "fitted": {
            "best_epochs": model.best_epochs_,
            "history": history,
            "training_rows": pack_rows(model.training_rows_, model.validation_rows_),
            "validation_rows": model.validation_rows_,
            "device": model.device_,
        },
        "metadata": dict(metadata),
        "packages": model.packages_,
        "weights_sha256": digest,
    }


def _load(cls: type["CurveRegressor"], folder: OpenFolder) -> "CurveRegressor":
    card = _read_card(folder)
    try:
        model = cls(**_parameters(card, cls))
        model.check_parameters()
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelFileError(folder.path, f"has a damaged {CARD_FILE} ({brief(error)})") from error
    shape, scaling, fitted = _shape(card["shape"]), card["scaling"], card["fitted"]
    model.shape_ = shape
    model.n_features_in_ = shape.n_features
    model.column_means_ = check_vector(scaling["column_means"], shape.n_features)
    model.column_scale_ = scaling["column_scale"]
    model.target_means_ = check_vector(scaling["target_means"], shape.n_targets)
    model.target_scales_ = check_vector(scaling["target_scales"], shape.n_targets)
    model._is_single = scaling["is_single"]
    model.training_rows_, model.validation_rows_ = check_rows(
        fitted["training_rows"], fitted["validation_rows"]
    )
    model.history_ = _history(fitted["history"])
    model.best_epochs_, model.device_ = fitted["best_epochs"], fitted["device"]
    model.metadata_, model.packages_ = card["metadata"], card["packages"]
    model.weights_ = _read_weights(folder, shape, len(fitted["best_epochs"]), card)
    return model


def _read_card(folder: OpenFolder) -> dict[str, Any]:
    raw = read_file(folder, CARD_FILE, MAX_CARD_BYTES)
    try:
        card = strict_json(raw)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            folder.path, f"has an unreadable {CARD_FILE} ({brief(error)})"
        ) from error
    is_object = isinstance(card, dict)
    found = (card.get("format"), card.get("format_version")) if is_object else None
    if found != (FORMAT, FORMAT_VERSION):
        raise ModelFileError(
            folder.path, f"says format and version {brief(found)}, not {(FORMAT, FORMAT_VERSION)}"
        )
    try:
        return _checked(card)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(folder.path, f"has a damaged {CARD_FILE} ({brief(error)})") from error


def _checked(card: dict[str, Any]) -> dict[str, Any]:
    """Check every entry of a card that was read from JSON."""
    check_keys("the card", card, ENTRIES)
    check_keys("scaling", card["scaling"], SCALING)
    check_keys("fitted", card["fitted"], FITTED)
    shape, scaling, fitted = _shape(card["shape"]), card["scaling"], card["fitted"]
    check_vector(scaling["column_means"], shape.n_features)
    check_vector(scaling["target_means"], shape.n_targets)
    if check_vector(scaling["target_scales"], shape.n_targets).min() <= 0:
        raise ValueError("target_scales must be > 0")
    check_number("column_scale", scaling["column_scale"], above=0)
    if not isinstance(scaling["is_single"], bool) or scaling["is_single"] > (shape.n_targets == 1):
        raise ValueError("is_single must say whether there is one target")
    best, history = fitted["best_epochs"], _history(fitted["history"])
    if not isinstance(best, list) or not 1 <= len(best) <= MAX_NETWORKS:
        raise ValueError(f"best_epochs must be a list of 1 to {MAX_NETWORKS} numbers")
    if len(history) != len(best):
        raise ValueError("history must have one list per network")
    for epoch, records in zip(best, history, strict=True):
        check_count("best_epoch", epoch, at_most=len(records))
    check_rows(fitted["training_rows"], fitted["validation_rows"])
    check_word("device", fitted["device"])
    check_object("metadata", card["metadata"])
    for name, value in check_object("packages", card["packages"]).items():
        check_word(name, value)
    check_word("weights_sha256", card["weights_sha256"])
    check_object("parameters", card["parameters"])
    return card


def _shape(entry: Any) -> NetworkShape:
    """Sizes of the layers, bounded before anything of that size is made."""
    check_keys("shape", entry, SHAPE)
    hidden, activations = entry["hidden_layer_sizes"], entry["activations"]
    if not isinstance(hidden, list) or not 1 <= len(hidden) <= MAX_LAYERS:
        raise ValueError(f"hidden_layer_sizes must be a list of 1 to {MAX_LAYERS} numbers")
    if not isinstance(activations, list) or len(activations) != len(hidden):
        raise ValueError("activations must be a list of one word per layer")
    if any(name not in ACTIVATIONS for name in activations):
        raise ValueError(f"activations must be among {', '.join(ACTIVATIONS)}")
    if not isinstance(entry["batch_norm"], bool):
        raise TypeError("batch_norm must be true or false")
    shape = NetworkShape(
        check_count("n_features", entry["n_features"]),
        tuple(check_count("hidden_layer_sizes", size) for size in hidden),
        tuple(activations),
        check_count("n_targets", entry["n_targets"]),
        entry["batch_norm"],
    )
    if sum(map(math.prod, shape.weight_shapes().values())) > MAX_WEIGHTS:
        raise ValueError("the layers would hold too many weights")
    return shape


def _parameters(card: dict[str, Any], cls: type["CurveRegressor"]) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        RENAMED.get(str(name), str(name)): value for name, value in card["parameters"].items()
    }
    unknown = set(parameters) - set(cls().get_params())
    if unknown:
        raise ValueError(f"unknown parameters {sorted(unknown)}")
    for name, value in parameters.items():
        if isinstance(value, list):  # JSON knows no tuples
            parameters[name] = tuple(value)
        elif isinstance(value, dict):
            raise TypeError(f"the parameter {brief(name)} must be a number, a word or a list")
    return parameters


def _history(entries: Any) -> list[list[Any]]:
    """Records of every network: five numbers an epoch, null where one is not finite."""
    from latent_nmr.models.curve_regressor import RegressionRecord

    if not isinstance(entries, list):
        raise TypeError("history must be a list")
    history = []
    for records in entries:
        if not isinstance(records, list) or not records:
            raise ValueError("history must hold a list of epochs per network")
        found = []
        for number, record in enumerate(records, start=1):
            if not isinstance(record, list) or len(record) != len(RegressionRecord._fields):
                raise ValueError("an epoch must be a list of five numbers")
            check_count("epoch", record[0], at_least=number, at_most=number)
            values = [math.nan if value is None else check_number("a loss", value)
                      for value in record[1:]]  # fmt: skip
            found.append(RegressionRecord(number, *values))
        history.append(found)
    return history


def _read_weights(
    folder: OpenFolder, shape: NetworkShape, n_networks: int, card: dict[str, Any]
) -> list[dict[str, np.ndarray]]:
    """Read the weights file after checking its size, its checksum and every array in it."""
    shapes = shape.weight_shapes()
    n_weights = n_networks * sum(map(math.prod, shapes.values()))
    raw = read_file(folder, WEIGHTS_FILE, 4 * n_weights + MAX_HEADER_BYTES)
    if hashlib.sha256(raw).hexdigest() != card["weights_sha256"]:
        raise ModelFileError(folder.path, f"has a {WEIGHTS_FILE} that differs from its checksum")
    try:
        arrays = safetensors.numpy.load(raw)
    except Exception as error:  # the parser has its own error, not a ValueError
        raise ModelFileError(
            folder.path, f"has an unreadable {WEIGHTS_FILE} ({brief(error)})"
        ) from error
    found = {name: (array.shape, str(array.dtype)) for name, array in arrays.items()}
    wanted = {
        f"{number}.{name}": (size, "float32")
        for number in range(n_networks)
        for name, size in shapes.items()
    }
    if found != wanted:
        raise ModelFileError(folder.path, "has weights that do not fit its layer sizes")
    if not all(np.isfinite(array).all() for array in arrays.values()):
        raise ModelFileError(folder.path, "has weights that are not finite")
    return [{name: arrays[f"{number}.{name}"] for name in shapes} for number in range(n_networks)]
