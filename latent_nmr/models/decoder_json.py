"""The decoder alone as JSON, for programs in other languages.

A decoded curve takes a few lines anywhere: for each layer ``x ← activation(x · kernel + bias)``,
where the activation is `leaky_relu` with the slope given, `gelu` (by tanh, see
`networks.ACTIVATIONS`) or `sigmoid`. docs/decoder.mjs is such a program, without dependencies.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr._files import staged_file
from latent_nmr.models.networks import NEGATIVE_SLOPE

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

FORMAT = "latent_nmr.decoder"
FORMAT_VERSION = 1


def save_decoder(model: "BetaVAE", path: Path | str) -> None:
    """Write the decoder of a fitted model as JSON, atomically.

    Parameters
    ----------
    model : BetaVAE
        A fitted or loaded model; its `metadata_` (time grid, window, normalisation) go along.
    path : path-like
        File to write.
    """
    # Made before anything is written: a model that is not fitted leaves the old file.
    text = json.dumps(decoder_values(model), ensure_ascii=False, allow_nan=False)
    with staged_file(Path(path)) as staging:
        staging.write_text(text + "\n", "utf-8")


def decoder_values(model: "BetaVAE") -> dict[str, Any]:
    """What :func:`save_decoder` writes.

    ``layers`` holds, from the latent point to the curve, ``n_inputs``, ``n_outputs``,
    ``activation``, and ``kernel`` (n_inputs × n_outputs, row by row) and ``bias`` (n_outputs) as
    base64 of little-endian float32.
    """
    card = model.card()
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "n_components": card["n_components"],
        "n_features": card["n_features"],
        "negative_slope": NEGATIVE_SLOPE,
        "layers": _layers(model.weights_, model.architecture_.activation),
        "axes": card["axes"],
        "metadata": card["metadata"],
        "weights_sha256": card["weights_sha256"],
    }


def _layers(weights: Mapping[str, np.ndarray], activation: str) -> list[dict[str, Any]]:
    n_hidden = sum(name.startswith("decoder.layers.") for name in weights) // 2
    names = [f"decoder.layers.{number}" for number in range(n_hidden)]
    layers = [_layer(weights, name, activation) for name in names]
    return [*layers, _layer(weights, "output", "sigmoid")]


def _layer(weights: Mapping[str, np.ndarray], name: str, activation: str) -> dict[str, Any]:
    kernel, bias = weights[f"{name}.kernel"], weights[f"{name}.bias"]
    n_inputs, n_outputs = kernel.shape
    return {
        "n_inputs": n_inputs,
        "n_outputs": n_outputs,
        "activation": activation,
        "kernel": _base64(kernel),
        "bias": _base64(bias),
    }


def _base64(array: npt.NDArray[np.floating]) -> str:
    """Numbers row by row as little-endian float32, whatever this machine and array hold."""
    raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return base64.b64encode(raw).decode("ascii")
