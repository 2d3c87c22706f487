"""Saved models: weights.safetensors + model.json. Loading executes nothing.

Everything read is checked before use: sizes before memory is taken, the checksum, the name,
shape and finiteness of every weight.
"""

import hashlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from latent_nmr._files import sole_writer, staged_folder
from latent_nmr.errors import InputError, check_choice
from latent_nmr.models import card_words, model_card
from latent_nmr.models.card_checks import MAX_CARD_BYTES, brief, strict_json, weight_shapes
from latent_nmr.models.model_card import FORMAT, FORMAT_VERSION, ModelCard
from latent_nmr.models.model_folder import (
    CARD_FILE,
    WEIGHTS_FILE,
    ModelFileError,
    OpenFolder,
    read_file,
    read_folder,
)
from latent_nmr.models.networks import Weights

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

# The header of the weights file names every array in about 100 bytes.
MAX_HEADER_BYTES = 2**20
# Training begins with a first layer divided by the spread of the data, the largest weights there
# are: below 1e9 even for data of order 1 that differ by rounding only. Outputs can overflow with
# smaller ones; whoever computes them checks them.
MAX_WEIGHT = 1e12
# How kernels are written: half as many bytes leave about three digits of each. Biases, few and
# of any size, keep all of theirs.
PRECISIONS = {"single": "float32", "half": "float16"}
BIAS_TYPE = "float32"


def save(
    model: "BetaVAE", path: Path | str, metadata: Mapping[str, Any], precision: str = "single"
) -> None:
    """Write a fitted model as a folder, atomically."""
    check_choice("precision", precision, PRECISIONS)
    path = Path(path)
    with sole_writer(path):
        if path.exists() and not is_model_alone(path):
            raise InputError(
                f"path must be new or a folder with a saved model and nothing else, but {path} "
                "holds other things. Choose another path."
            )
        with staged_folder(path) as staging:
            write_files(model, staging, metadata, precision)


def write_files(
    model: "BetaVAE", folder: Path, metadata: Mapping[str, Any], precision: str = "single"
) -> None:
    """Write the two files of a model into an existing folder that nobody reads yet."""
    strange = _strange_weights(model.weights_)
    if strange:
        raise InputError(
            f"a model must have weights of at most {MAX_WEIGHT:g} to be saved, but has {strange}. "
            "Scale the data to be of order 1 and fit again."
        )
    raw = _weights_bytes(model, precision)
    card = model_card.card_of(model, metadata, hashlib.sha256(raw).hexdigest())
    for name, content in (
        (WEIGHTS_FILE, raw),
        (CARD_FILE, model_card.checked_text(card)),
    ):
        with (folder / name).open("wb") as file:
            file.write(content)
            # On the disk before the folder takes its name: a power cut leaves no empty files.
            file.flush()
            os.fsync(file.fileno())


def load(cls: type["BetaVAE"], path: Path | str) -> "BetaVAE":
    """Read and check a saved model.

    Raises
    ------
    ModelFileError
        For anything missing, damaged, not finite or not ours.
    """
    return read_folder(lambda folder: _load(cls, folder), Path(path))


def read_card(path: Path | str) -> ModelCard:
    """Read and check model.json, without the weights."""
    return read_folder(_read_card, Path(path))


def card(model: "BetaVAE") -> dict[str, Any]:
    """What is known of a fitted model, as JSON can hold it."""
    digest = hashlib.sha256(_weights_bytes(model)).hexdigest()
    return card_words.summary(model_card.card_of(model, model.metadata_, digest))


def describe(path: Path | str) -> list[str]:
    """Lines that tell a reader what a saved model is; its weights are not read."""
    return card_words.summary_lines(read_card(path))


def is_model_alone(path: Path) -> bool:
    """Whether `path` is a folder that holds a saved model and nothing else."""
    return path.is_dir() and {entry.name for entry in path.iterdir()} == {WEIGHTS_FILE, CARD_FILE}


def _load(cls: type["BetaVAE"], folder: OpenFolder) -> "BetaVAE":
    card = _read_card(folder)
    try:
        unknown = set(card.parameters) - set(cls().get_params())
        if unknown:
            raise ValueError(f"unknown parameters {sorted(unknown)}")
        model = cls(**card.parameters)
        model.check_parameters()
    except (TypeError, ValueError, OverflowError) as error:
        raise ModelFileError(folder.path, f"has a damaged {CARD_FILE} ({brief(error)})") from error
    model.architecture_ = card.architecture
    model.n_features_in_ = card.architecture.n_features
    model.history_, model.n_iter_ = card.history, len(card.history)
    model.best_epoch_, model.stop_reason_ = card.best_epoch, card.stop_reason
    model.scale_ = card.scale
    model.kl_, model.axis_variances_ = card.kl, card.axis_variances
    model.training_rows_, model.validation_rows_ = card.training_rows, card.validation_rows
    model.metadata_, model.device_, model.packages_ = card.metadata, card.device, card.packages
    model.weights_ = _read_weights(folder, card)
    return model


def _read_card(folder: OpenFolder) -> ModelCard:
    raw = read_file(folder, CARD_FILE, MAX_CARD_BYTES)
    try:
        entries = strict_json(raw)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            folder.path, f"has an unreadable {CARD_FILE} ({brief(error)})"
        ) from error
    is_object = isinstance(entries, dict)
    found = (entries.get("format"), entries.get("format_version")) if is_object else None
    if found != (FORMAT, FORMAT_VERSION):
        raise ModelFileError(
            folder.path, f"says format and version {brief(found)}, not {(FORMAT, FORMAT_VERSION)}"
        )
    try:
        return model_card.check_entries(entries)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelFileError(folder.path, f"has a damaged {CARD_FILE} ({brief(error)})") from error


def _read_weights(folder: OpenFolder, card: ModelCard) -> Weights:
    """Read the weights file after checking its size, its checksum and every array in it."""
    shapes = weight_shapes(card.architecture)
    n_weights = sum(map(math.prod, shapes.values()))
    raw = read_file(folder, WEIGHTS_FILE, 4 * n_weights + MAX_HEADER_BYTES)
    if len(raw) < 2 * n_weights:
        raise ModelFileError(folder.path, f"has a {WEIGHTS_FILE} smaller than its layers need")
    if hashlib.sha256(raw).hexdigest() != card.weights_sha256:
        raise ModelFileError(folder.path, f"has a {WEIGHTS_FILE} that differs from its checksum")
    try:
        weights = safetensors.numpy.load(raw)
    except Exception as error:  # the parser has its own error, not a ValueError
        raise ModelFileError(
            folder.path, f"has an unreadable {WEIGHTS_FILE} ({brief(error)})"
        ) from error
    found = {name: (array.shape, str(array.dtype)) for name, array in weights.items()}
    if found not in (
        {name: (shape, _stored_type(len(shape), precision)) for name, shape in shapes.items()}
        for precision in PRECISIONS
    ):
        raise ModelFileError(folder.path, "has weights that do not fit its layer sizes")
    weights = {name: array.astype(np.float32, copy=False) for name, array in weights.items()}
    strange = _strange_weights(weights)
    if strange:
        raise ModelFileError(folder.path, f"has {strange}")
    return weights


def _weights_bytes(model: "BetaVAE", precision: str = "single") -> bytes:
    stored = {}
    for name, array in model.weights_.items():
        dtype = np.dtype(_stored_type(array.ndim, precision))
        largest = np.abs(array).max()
        if largest > np.finfo(dtype).max:
            raise InputError(
                f"weights saved in {precision} precision must be at most {np.finfo(dtype).max:g}, "
                f"but {name} holds {largest:.3g}. Save in single precision."
            )
        # The writer dumps the buffer as it lies in memory, whatever the strides say.
        stored[name] = np.ascontiguousarray(array, dtype)
    return safetensors.numpy.save(stored, metadata={"format": FORMAT})


def _stored_type(n_dimensions: int, precision: str) -> str:
    """Type in which a kernel (two dimensions) or a bias (one) is written."""
    return PRECISIONS[precision] if n_dimensions == 2 else BIAS_TYPE


def _strange_weights(weights: Weights) -> str:
    """What is wrong with weights that no training ends with; empty for others."""
    for name, array in weights.items():
        # Extremes need no copy of the array, and NaN is neither below nor above anything.
        if not (array.max() <= MAX_WEIGHT and array.min() >= -MAX_WEIGHT):
            size = f"larger than {MAX_WEIGHT:g}" if np.isfinite(array).all() else "not finite"
            return f"weights in {name} that are {size}"
    return ""
