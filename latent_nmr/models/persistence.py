"""Saved models of every kind: weights.safetensors + model.json. Loading executes nothing.

Everything read is checked before use: sizes before memory is taken, the checksum, the name,
shape and finiteness of every weight.
"""

import hashlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import safetensors.numpy

from latent_nmr._files import sole_writer, staged_folder
from latent_nmr.errors import InputError, check_choice
from latent_nmr.models import posterior_card, regressor_card, vae_card
from latent_nmr.models.card_checks import MAX_CARD_BYTES, brief, strict_json
from latent_nmr.models.cards import BAD_ENTRY, Card, CardFormat
from latent_nmr.models.fitted import FittedModel
from latent_nmr.models.model_folder import (
    CARD_FILE,
    WEIGHTS_FILE,
    ModelFileError,
    OpenFolder,
    read_file,
    read_folder,
)
from latent_nmr.models.networks import Weights

FORMATS = {
    form.name: form for form in (vae_card.FORMAT, regressor_card.FORMAT, posterior_card.FORMAT)
}
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

Model = TypeVar("Model", bound=FittedModel)


class Freezable(Protocol):
    """An estimator that gives what it has learned."""

    def frozen(self, metadata: Mapping[str, Any] | None = None) -> FittedModel:
        """The fitted model as arrays and facts."""
        ...


def save(model: FittedModel, path: Path | str, precision: str = "single") -> None:
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
            _write(model, staging, precision)


def write_files(model: Freezable, folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write the two files of an estimator into an existing folder that nobody reads yet."""
    _write(model.frozen(metadata), folder)


def _write(model: FittedModel, folder: Path, precision: str = "single") -> None:
    strange = _strange_weights(model.arrays())
    if strange:
        raise InputError(
            f"a model must have weights of at most {MAX_WEIGHT:g} to be saved, but has {strange}. "
            "Scale the data to be of order 1 and fit again."
        )
    raw = _weights_bytes(model, precision)
    text = format_of(model).text(Card(model, hashlib.sha256(raw).hexdigest()))
    for name, content in ((WEIGHTS_FILE, raw), (CARD_FILE, text)):
        with (folder / name).open("wb") as file:
            file.write(content)
            # On the disk before the folder takes its name: a power cut leaves no empty files.
            file.flush()
            os.fsync(file.fileno())


def load(path: Path | str, kind: type[Model]) -> Model:
    """Read and check a saved model of one kind.

    Raises
    ------
    ModelFileError
        For anything missing, damaged, not finite, not ours or of another kind.
    """

    def read(folder: OpenFolder) -> Model:
        card = _read_card(folder, kind)
        return card.model.with_arrays(_read_weights(folder, card))  # type: ignore[return-value]

    return read_folder(read, Path(path))


def read_card(path: Path | str) -> Card:
    """Read and check model.json of any kind of model, without the weights."""
    return read_folder(_read_card, Path(path))


def card_of(model: FittedModel) -> Card:
    """Card of a model in memory, with the hash that its file would have."""
    return Card(model, hashlib.sha256(_weights_bytes(model)).hexdigest())


def format_of(model: FittedModel | type[FittedModel]) -> CardFormat:
    """Format of the card of a kind of model."""
    kind = model if isinstance(model, type) else type(model)
    return next(form for form in FORMATS.values() if form.kind is kind)


def is_model_alone(path: Path) -> bool:
    """Whether `path` is a folder that holds a saved model and nothing else."""
    return path.is_dir() and {entry.name for entry in path.iterdir()} == {WEIGHTS_FILE, CARD_FILE}


def _read_card(folder: OpenFolder, kind: type[FittedModel] | None = None) -> Card:
    raw = read_file(folder, CARD_FILE, MAX_CARD_BYTES)
    try:
        entries = strict_json(raw)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            folder.path, f"has an unreadable {CARD_FILE} ({brief(error)})"
        ) from error
    is_object = isinstance(entries, dict)
    name, version = (entries.get("format"), entries.get("format_version")) if is_object else (0, 0)
    asked = [form for form in FORMATS.values() if kind is None or form.kind is kind]
    form = next((form for form in asked if form.name == name), None)
    other = next((form for form in FORMATS.values() if form.name == name), None)
    if form is None and other is not None:
        (wanted,) = asked
        raise ModelFileError(
            folder.path,
            f"is a {other.title}",
            rule=f"the model must be a {wanted.title}",
            cure=f"Give one, such as {wanted.example}, which comes with the package.",
        )
    # In Python true equals 1; as the number of a version it is none.
    is_version = form is not None and type(version) is int
    if form is None or not is_version or version not in {form.version, *form.upgrades}:
        wanted = " or ".join(str((form.name, form.version)) for form in asked)
        reason = f"says format and version {brief((name, version))}, not {wanted}"
        if is_version:
            cure = "Read it with the version of latent-nmr that wrote it."
            raise ModelFileError(folder.path, reason, cure=cure)
        raise ModelFileError(folder.path, reason)
    try:
        if version != form.version:
            entries = form.upgrades[version](entries)
        return form.check(entries)
    except BAD_ENTRY as error:
        raise ModelFileError(folder.path, f"has a damaged {CARD_FILE} ({brief(error)})") from error


def _read_weights(folder: OpenFolder, card: Card) -> Weights:
    """Read the weights file after checking its size, its checksum and every array in it."""
    shapes = card.model.weight_shapes()
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


def _weights_bytes(model: FittedModel, precision: str = "single") -> bytes:
    stored = {}
    for name, array in model.arrays().items():
        dtype = np.dtype(_stored_type(array.ndim, precision))
        largest = np.abs(array).max()
        if largest > np.finfo(dtype).max:
            raise InputError(
                f"weights saved in {precision} precision must be at most {np.finfo(dtype).max:g}, "
                f"but {name} holds {largest:.3g}. Save in single precision."
            )
        # The writer dumps the buffer as it lies in memory, whatever the strides say.
        stored[name] = np.ascontiguousarray(array, dtype)
    return safetensors.numpy.save(stored, metadata={"format": format_of(model).name})


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
