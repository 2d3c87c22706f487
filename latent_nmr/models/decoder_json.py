"""The decoder alone as JSON, for programs in other languages.

A decoded curve takes a few lines anywhere: for each layer ``x ← activation(x · kernel + bias)``,
where the activation is `leaky_relu` with the slope given, `gelu` (by tanh, see
`networks.ACTIVATIONS`) or `sigmoid`. report/explorer/decoder.mjs is such a program, without
dependencies.
"""

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr._files import staged_file
from latent_nmr.models.networks import NEGATIVE_SLOPE

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

FORMAT = "latent_nmr.decoder"
FORMAT_VERSION = 1


class Layer(NamedTuple):
    """A layer, ``activation(x · kernel + bias)``.

    Attributes
    ----------
    activation : str
        `leaky_relu`, `gelu`, `sigmoid` or `linear`.
    kernel : ndarray of float32, shape (n_inputs, n_outputs)
    bias : ndarray of float32, shape (n_outputs,)
    """

    activation: str
    kernel: npt.NDArray[np.floating]
    bias: npt.NDArray[np.floating]


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
        "layers": [_as_json(layer) for layer in network_layers(model)["decoder"]],
        "axes": card["axes"],
        "metadata": card["metadata"],
        "weights_sha256": card["weights_sha256"],
    }


def network_layers(model: "BetaVAE") -> dict[str, list[Layer]]:
    """Layers of a fitted model's networks.

    Returns
    -------
    dict of list of Layer
        `encoder`, from the curve to what the two heads take; `mean` and `log_variance`, the heads;
        `decoder`, from the latent point to the curve.
    """
    weights, activation = model.weights_, model.architecture_.activation
    n_hidden = sum(name.startswith("decoder.layers.") for name in weights) // 2

    def layer(name: str, activation: str) -> Layer:
        return Layer(activation, weights[f"{name}.kernel"], weights[f"{name}.bias"])

    def hidden(network: str) -> list[Layer]:
        return [layer(f"{network}.layers.{number}", activation) for number in range(n_hidden)]

    return {
        "encoder": hidden("encoder"),
        "mean": [layer("mean_head", "linear")],
        "log_variance": [layer("log_variance_head", "linear")],
        "decoder": [*hidden("decoder"), layer("output", "sigmoid")],
    }


def _as_json(layer: Layer) -> dict[str, Any]:
    n_inputs, n_outputs = layer.kernel.shape
    return {
        "n_inputs": n_inputs,
        "n_outputs": n_outputs,
        "activation": layer.activation,
        "kernel": _base64(layer.kernel),
        "bias": _base64(layer.bias),
    }


def _base64(array: npt.NDArray[np.floating]) -> str:
    """Numbers row by row as little-endian float32, whatever this machine and array hold."""
    raw = np.ascontiguousarray(array, dtype="<f4").tobytes()
    return base64.b64encode(raw).decode("ascii")
