"""Saved models: weights.safetensors + model.json. Loading executes nothing.

Everything read is checked before use: sizes before memory is taken, the checksum, the name,
shape and finiteness of every weight.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from latent_nmr._files import sole_writer, staged_folder
from latent_nmr.errors import InputError, check_count
from latent_nmr.models.networks import Architecture, weight_shapes
from latent_nmr.models.training import EpochRecord

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

FORMAT = "latent_nmr.beta_vae"
FORMAT_VERSION = 1
WEIGHTS_FILE, CARD_FILE = "weights.safetensors", "model.json"
RECORDED_PACKAGES = ("latent-nmr", "jax", "flax", "optax", "numpy", "scikit-learn")

# Bounds that no model of ours comes near, so that a damaged file cannot ask for much memory.
MAX_CARD_BYTES = 64 * 2**20
MAX_WEIGHTS = 10**8
MAX_LAYERS = 64


class ModelFileError(InputError):
    """A model folder that cannot be used: what, where, why."""

    def __init__(self, path: Path, reason: str):
        super().__init__(
            f"a model folder must hold a whole {WEIGHTS_FILE} and {CARD_FILE}, "
            f"but {path} {reason}. Copy it again, or train anew with latent-nmr train-vae."
        )


def save(model: "BetaVAE", path: Path | str, metadata: Mapping[str, Any]) -> None:
    """Write a fitted model as a folder, whole or not at all."""
    path = Path(path)
    with sole_writer(path):
        if path.exists() and not is_model_alone(path):
            raise InputError(
                f"path must be new or a folder with a saved model and nothing else, but {path} "
                "holds other things. Choose another path."
            )
        with staged_folder(path) as staging:
            write_files(model, staging, metadata)


def write_files(model: "BetaVAE", folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write the two files of a model into an existing folder that nobody reads yet."""
    # The writer dumps the buffer as it lies in memory, whatever the strides say.
    weights = {name: np.ascontiguousarray(array) for name, array in model.weights_.items()}
    raw = safetensors.numpy.save(weights, metadata={"format": FORMAT})
    card = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "parameters": _plain(_reproducible_parameters(model)),
        "n_features": model.architecture_.n_features,
        "hidden_layer_sizes": list(model.architecture_.hidden_layer_sizes),
        "n_components": model.architecture_.n_components,
        "fitted": {
            "best_epoch": model.best_epoch_,
            "stop_reason": model.stop_reason_,
            "kl": model.kl_.tolist(),
            "axis_variances": model.axis_variances_.tolist(),
            "training_rows": model.training_rows_.tolist(),
            "validation_rows": model.validation_rows_.tolist(),
            "history": [record._asdict() for record in model.history_],
        },
        "metadata": _plain(dict(metadata)),
        "packages": {name: version(name) for name in RECORDED_PACKAGES},
        "weights_sha256": hashlib.sha256(raw).hexdigest(),
    }
    (folder / WEIGHTS_FILE).write_bytes(raw)
    (folder / CARD_FILE).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")


def load(cls: type["BetaVAE"], path: Path | str) -> "BetaVAE":
    """Read and check a saved model.

    Raises
    ------
    ModelFileError
        For anything missing, damaged, not finite or not ours.
    """
    path = Path(path)
    card = read_card(path)
    try:
        architecture = _checked_architecture(card)
        parameters = dict(card["parameters"])
        if isinstance(parameters.get("hidden_layer_sizes"), list):  # JSON knows no tuples
            parameters["hidden_layer_sizes"] = tuple(parameters["hidden_layer_sizes"])
        unknown = set(parameters) - set(cls().get_params())
        if unknown:
            raise ValueError(f"has unknown parameters {sorted(unknown)}")
        model = cls(**parameters)
        model.check_parameters()
        fitted = card["fitted"]
        model.architecture_ = architecture
        model.n_features_in_ = architecture.n_features
        model.history_ = [_epoch_record(entry) for entry in fitted["history"]]
        model.n_iter_ = len(model.history_)
        model.best_epoch_ = check_count("best_epoch", fitted["best_epoch"])
        model.stop_reason_ = str(fitted["stop_reason"])
        model.kl_ = _vector(fitted["kl"], architecture.n_components)
        model.axis_variances_ = _vector(fitted["axis_variances"], architecture.n_components)
        model.training_rows_ = np.asarray(fitted["training_rows"], np.int64)
        model.validation_rows_ = np.asarray(fitted["validation_rows"], np.int64)
        model.metadata_ = dict(card["metadata"])
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(path, f"has a damaged {CARD_FILE} ({_brief(error)})") from error
    model.weights_ = _read_weights(path, architecture, card.get("weights_sha256"))
    return model


def read_card(path: Path | str) -> dict[str, Any]:
    """Read model.json and check that it is one of ours."""
    path = Path(path)
    file = path / CARD_FILE
    if not path.is_dir() or not file.is_file():
        raise ModelFileError(path, "does not exist" if not path.exists() else f"has no {CARD_FILE}")
    if file.stat().st_size > MAX_CARD_BYTES:
        raise ModelFileError(path, f"has a {CARD_FILE} of {file.stat().st_size} bytes")
    try:
        card = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(path, f"has an unreadable {CARD_FILE} ({_brief(error)})") from error
    found = (card.get("format"), card.get("format_version")) if isinstance(card, dict) else None
    if found != (FORMAT, FORMAT_VERSION):
        raise ModelFileError(
            path, f"says format and version {found}, not {(FORMAT, FORMAT_VERSION)}"
        )
    return card


def is_model_alone(path: Path) -> bool:
    """Whether `path` is a folder that holds a saved model and nothing else."""
    return path.is_dir() and {entry.name for entry in path.iterdir()} == {WEIGHTS_FILE, CARD_FILE}


def _read_weights(path: Path, architecture: Architecture, checksum: Any) -> dict[str, np.ndarray]:
    """Read the weights file after checking its size, its checksum and every array in it."""
    shapes = weight_shapes(architecture)
    file = path / WEIGHTS_FILE
    n_bytes = 4 * sum(math.prod(shape) for shape in shapes.values())
    if not file.is_file():
        raise ModelFileError(path, f"has no {WEIGHTS_FILE}")
    if file.stat().st_size > n_bytes + 2**20:
        raise ModelFileError(path, f"has a {WEIGHTS_FILE} larger than its layers need")
    raw = file.read_bytes()
    if hashlib.sha256(raw).hexdigest() != checksum:
        raise ModelFileError(path, f"has a {WEIGHTS_FILE} that differs from its checksum")
    try:
        weights = safetensors.numpy.load(raw)
    except Exception as error:  # the parser has its own error, not a ValueError
        raise ModelFileError(path, f"has an unreadable {WEIGHTS_FILE} ({_brief(error)})") from error
    found = {name: (array.shape, str(array.dtype)) for name, array in weights.items()}
    if found != {name: (shape, "float32") for name, shape in shapes.items()}:
        raise ModelFileError(path, "has weights that do not fit its layer sizes")
    if not all(np.isfinite(array).all() for array in weights.values()):
        raise ModelFileError(path, "has weights that are not finite")
    return weights


def _checked_architecture(card: Mapping[str, Any]) -> Architecture:
    """Sizes from the card, bounded before anything of that size is made."""
    hidden = card["hidden_layer_sizes"]
    if not isinstance(hidden, list) or not 1 <= len(hidden) <= MAX_LAYERS:
        raise ValueError(f"hidden_layer_sizes must be a list of 1 to {MAX_LAYERS} numbers")
    hidden = tuple(check_count("hidden_layer_sizes", size) for size in hidden)
    n_features = check_count("n_features", card["n_features"])
    n_components = check_count("n_components", card["n_components"])
    sizes = (n_features, *hidden, n_components)
    n_weights = sum(a * b for a, b in pairwise(sizes))
    if n_weights > MAX_WEIGHTS:
        raise ValueError(f"the layers would hold {n_weights} weights")
    return Architecture(n_features, hidden, n_components)


def _reproducible_parameters(model: "BetaVAE") -> dict[str, Any]:
    """Constructor arguments; a generator's state is not kept, a seed is."""
    parameters = model.get_params()
    if not isinstance(parameters["random_state"], int | np.integer):
        parameters["random_state"] = None
    return parameters


def _epoch_record(entry: Mapping[str, Any]) -> EpochRecord:
    record = EpochRecord(**entry)
    return record._replace(validation_kl_per_axis=tuple(record.validation_kl_per_axis))


def _vector(values: Any, length: int) -> np.ndarray:
    vector = np.asarray(values, np.float64)
    if vector.shape != (length,) or not np.isfinite(vector).all():
        raise ValueError(f"expected {length} finite numbers")
    return vector


def _brief(error: Exception) -> str:
    """First 80 characters of an error's first line, on one line."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    return text[:80]


def _plain(value: Any) -> Any:
    """Turn NumPy scalars and arrays, tuples and paths into what JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
