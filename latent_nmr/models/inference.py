"""A fitted network applied to rows: posterior, decoded curves, evidence.

Rows go through the network in pieces of one shape, so that nothing is compiled twice and a row's
result does not depend on its neighbours; on a CPU, one piece per core at a time.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import nnx

from latent_nmr._jax_settings import own_settings, seed_key
from latent_nmr._machine import available_cores
from latent_nmr.errors import NumericalError
from latent_nmr.models.losses import (
    kl_divergence,
    log_normaliser,
    reconstruction_loss,
    reparametrise,
)
from latent_nmr.models.networks import Architecture, graph_of, state_of
from latent_nmr.models.scatter import Scatter

# Values in a piece, about: as many rows as keep a core busy between calls, and no more, since one
# row costs as much as a piece.
PIECE_VALUES = 2**20
# Latent points per row over which the evidence is averaged: normal draws and their mirror images.
EVIDENCE_POINTS = 32

Weights = Mapping[str, np.ndarray]
Rows = npt.NDArray[np.floating]


def encode(architecture: Architecture, weights: Weights, rows: Rows) -> tuple[Rows, Rows]:
    """Posterior mean and log-variance of `rows`, each (n_rows, n_components), in their dtype.

    Raises
    ------
    NumericalError
        If float32 overflows on the way.
    """
    mean, log_variance = in_pieces(_encode, architecture, weights, rows)
    return mean, log_variance


def deviations(architecture: Architecture, weights: Weights, rows: Rows) -> Rows:
    """Posterior standard deviations of `rows`, shape (n_rows, n_components), in their dtype."""
    _, log_variance = encode(architecture, weights, rows)
    with np.errstate(over="ignore"):
        deviation = np.exp(0.5 * log_variance).astype(rows.dtype)
    refuse_overflow(deviation, rows)
    return deviation


def decode(architecture: Architecture, weights: Weights, points: Rows) -> Rows:
    """Decoded rows (n_rows, n_features) of latent `points` (n_rows, n_components)."""
    return in_pieces(_decode, architecture, weights, points)[0]


def evidence(
    architecture: Architecture,
    weights: Weights,
    rows: Rows,
    likelihood: str,
    scale: float,
    scatter: Scatter | None = None,
) -> npt.NDArray[np.float64]:
    """Evidence lower bound of every row at β = 1, in nats, shape (n_rows,).

    E_q[log p(x|z)] - KL(q || N(0, 1)) with the likelihood's constant (D. Kingma and M. Welling,
    ICLR 2014, eq. 3), the expectation a mean over `EVIDENCE_POINTS` latent points that are the
    same for every row and every call.
    """
    function = partial(_evidence, likelihood=likelihood)
    (bound,) = in_pieces(function, architecture, weights, rows.astype(np.float32), scale, scatter)
    return bound.astype(np.float64) - log_normaliser(rows.shape[1], likelihood, scale, scatter)


def decoder_function(
    architecture: Architecture, weights: Weights
) -> Callable[[jax.Array], jax.Array]:
    """The decoder as a jitted function of JAX arrays (..., n_components) → (..., n_features)."""
    with own_settings():
        graph, state = graph_of(architecture), state_of(architecture, weights)

    @jax.jit
    def decoder(z):
        return nnx.merge(graph, state).decode(z)

    return decoder


def in_pieces(function, architecture: Architecture, weights: Weights, rows: Rows, *extra):
    """Apply a jitted `function` of the network to pieces of `rows`; keeps their dtype."""
    with own_settings():
        graph, state = graph_of(architecture), state_of(architecture, weights)
    size = rows_per_piece(architecture.n_features)

    @own_settings()  # in here, as pieces may run in a pool's threads
    def apply(start: int) -> list[np.ndarray]:
        # Of float64 beyond float32, found below by its result. The setting is a thread's own.
        with np.errstate(over="ignore"):
            piece = rows[start : start + size].astype(np.float32, copy=False)
        n_rows = len(piece)
        if n_rows < size:
            piece = np.pad(piece, ((0, size - n_rows), (0, 0)))
        return [np.asarray(part)[:n_rows] for part in function(graph, state, piece, *extra)]

    starts = range(0, len(rows), size)
    if len(starts) > 1:
        with ThreadPoolExecutor(count_workers()) as pool:
            pieces = list(pool.map(apply, starts))
    else:
        pieces = [apply(start) for start in starts]
    results = [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
    for result in results:
        refuse_overflow(result, rows)
    return [result.astype(rows.dtype, copy=False) for result in results]


def rows_per_piece(n_features: int) -> int:
    """Rows that go through the network at a time: 2048 of 400 columns, 512 of 1882."""
    return 2 ** int(np.clip(np.log2(PIECE_VALUES / n_features), 8, 11))


def refuse_overflow(result: Rows, rows: Rows) -> None:
    """Raise `NumericalError` if what came of `rows` is not finite."""
    if not np.isfinite(result).all():
        row = int(np.argwhere(~np.isfinite(result))[0][0])
        raise NumericalError(
            f"the network's output must be finite, but is not for row {row}, whose largest "
            f"value is {np.abs(rows[row]).max():.3g}. Give rows like those it was trained on."
        )


@cache
def count_workers() -> int:
    """Pieces in work at a time: one per core on a CPU, one on an accelerator, which queues them."""
    return available_cores() if jax.default_backend() == "cpu" else 1


def device_name() -> str:
    """Device that JAX uses, such as ``cpu (2 cores)`` or ``gpu (NVIDIA H200)``."""
    device = jax.devices()[0]
    detail = device.device_kind
    if device.platform == "cpu":
        detail = f"{available_cores()} cores"
    return f"{device.platform} ({detail})"


@partial(jax.jit, static_argnames="graph")
def _encode(graph, state, rows):
    return nnx.merge(graph, state).encode(rows)


@partial(jax.jit, static_argnames="graph")
def _decode(graph, state, points):
    return (nnx.merge(graph, state).decode(points),)


@partial(jax.jit, static_argnames=("graph", "likelihood"))
def _evidence(graph, state, rows, scale, scatter, *, likelihood):
    """Bound without the likelihood's constant, one number per row."""
    model = nnx.merge(graph, state)
    mean, log_variance = model.encode(rows)
    half = jax.random.normal(seed_key(0), (EVIDENCE_POINTS // 2, mean.shape[1]))

    def misfit(point):
        z = reparametrise(mean, log_variance, point[None])
        return reconstruction_loss(rows, model.decode_logits(z), likelihood, scale, scatter)

    misfits = jax.lax.map(misfit, jnp.concatenate([half, -half]))
    return (-misfits.mean(axis=0) - kl_divergence(mean, log_variance).sum(axis=1),)
