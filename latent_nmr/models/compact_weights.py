"""Weights in few bits, for pages that carry a network: half precision, or less in large layers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError

if TYPE_CHECKING:
    from latent_nmr.models.decoder_json import Layer

# Kernels of more weights than this are kept as whole numbers, of which STEPS are the root mean
# square of a column: about eight bits each, once compressed.
LARGE, STEPS, TOP = 2**17, 48, 2**15 - 1
# Standard deviation of the white noise that inputs are expected to have, of features in [0, 1].
NOISE = 0.02
BLOCK = 64


class CompactLayer(NamedTuple):
    """A layer whose kernel is in few bits.

    Attributes
    ----------
    activation : str
    kernel : ndarray of float16 or int16, shape (n_inputs, n_outputs)
        Of int16, the weights are ``kernel · scale``.
    bias : ndarray of float32, shape (n_outputs,)
    scale : ndarray of float32, shape (n_outputs,), or None
    """

    activation: str
    kernel: npt.NDArray
    bias: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32] | None

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """What the kernel stands for."""
        if self.scale is None:
            return self.kernel.astype(np.float64)
        return self.kernel.astype(np.float64) * self.scale


def compact_layers(
    layers: "Sequence[Layer]",
    rows: npt.NDArray[np.floating],
    negative_slope: float,
    *,
    large: int = LARGE,
) -> tuple[list[CompactLayer], npt.NDArray[np.float64]]:
    """Keep a network in few bits.

    Parameters
    ----------
    layers : sequence of Layer
        From the input on.
    rows : ndarray, shape (n_rows, n_inputs)
        Inputs such as the network is used on.
    negative_slope : float
        Of leaky ReLU.
    large : int
        Kernels of more weights are kept as whole numbers, by :func:`rounded`.

    Returns
    -------
    list of CompactLayer
    ndarray, shape (n_rows, n_outputs)
        What they make of the rows.

    Raises
    ------
    InputError
        For weights that half precision cannot hold.
    """
    x, found = np.asarray(rows, np.float64), []
    for activation, kernel, bias in layers:
        own = CompactLayer(activation, *_half(kernel, bias))
        if kernel.size > large:
            own = CompactLayer(activation, *rounded(kernel, bias, x))
        found.append(own)
        x = _activated(x @ own.weights + own.bias, activation, negative_slope)
    return found, x


def rounded(
    kernel: npt.NDArray[np.floating], bias: npt.NDArray[np.floating], x: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Round a kernel W to whole numbers so that x·W changes little; returns kernel, bias and scale.

    Inputs of a network are far from independent: samples of a smooth curve, or units that follow
    two latent coordinates. So each row of W, once rounded, leaves its error to the rows that
    follow, in the proportion that takes it off x·W best: with H = ⟨xᵀx⟩ + noise² and the Cholesky
    factor U of H⁻¹ = UᵀU, ``W_j ← W_j - (W_i - Q_i) U_ij / U_ii`` for j > i
    (B. Hassibi and D. G. Stork, NIPS 5, 164 (1993); E. Frantar et al., arXiv:2210.17323).
    """
    W = np.array(kernel, np.float64)
    n_inputs = len(W)
    scale = (np.maximum(np.sqrt(np.mean(W**2, axis=0)), 1e-30) / STEPS).astype(np.float32)
    H = x.T @ x / len(x) + NOISE**2 * np.eye(n_inputs)
    U = np.linalg.cholesky(np.linalg.inv(H)).T
    levels = np.empty(W.shape, np.int16)
    for start in range(0, n_inputs, BLOCK):
        stop = min(start + BLOCK, n_inputs)
        errors = np.empty((stop - start, W.shape[1]))
        for i in range(start, stop):
            level = np.clip(np.round(W[i] / scale), -TOP, TOP)
            levels[i] = level
            errors[i - start] = (W[i] - level * scale) / U[i, i]
            W[i + 1 : stop] -= np.outer(U[i, i + 1 : stop], errors[i - start])
        W[stop:] -= U[start:stop, stop:].T @ errors
    return levels, np.asarray(bias, np.float32), scale


def _half(
    kernel: npt.NDArray[np.floating], bias: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float32], None]:
    with np.errstate(over="ignore"):
        half = kernel.astype(np.float16)
    if not np.isfinite(half).all():
        raise InputError(
            "weights must be below 65504 in size to be kept in half precision, but reach "
            f"{np.abs(kernel).max():.3g}. Train the model again, at a lower learning rate."
        )
    return half, np.asarray(bias, np.float32), None


def _activated(x: npt.NDArray[np.float64], name: str, slope: float) -> npt.NDArray[np.float64]:
    if name == "leaky_relu":
        return np.where(x < 0, slope * x, x)
    if name == "gelu":
        return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return (1 + np.tanh(x / 2)) / 2 if name == "sigmoid" else x
