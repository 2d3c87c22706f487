r"""The parts of the β-VAE's objective, per row, before any mean.

Notation: x data, x̂ decoded, μ and log σ² posterior mean and log-variance per axis. The
objective to minimise is

.. math:: J = \underbrace{-\log p(x|z) + \text{const}}_\text{reconstruction}
    + \beta\, D_{KL}(\mathcal N(\mu, \sigma^2)\,\|\,\mathcal N(0, 1))

summed over features and axes (I. Higgins et al., ICLR 2017, eq. 4). The likelihood's constant
is left out of the reconstruction and given by :func:`log_normaliser`.
"""

import math

import jax
import jax.numpy as jnp

from latent_nmr.models.scatter import Scatter, scattered_loss, scattered_normaliser

# Of another repeat of the material, with the covariance that repeats show.
REPEATS = "repeats"
LIKELIHOODS = ("gaussian", "bernoulli", REPEATS)
# The Gaussian whose σ is the one that fits the rows at hand best.
GAUSSIAN_LEARNED = "gaussian_learned"
LEAST_VARIANCE = 1e-12


def kl_divergence(mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """KL divergence of the posterior from N(0, 1) per row and axis, in nats.

    Parameters
    ----------
    mean, log_variance : Array, shape (n_rows, n_components)

    Returns
    -------
    Array, shape (n_rows, n_components)
        ½ (μ² + σ² - 1 - log σ²), never negative (D. Kingma and M. Welling, ICLR 2014, app. B).
    """
    # expm1 keeps the sum positive where σ² is close to 1.
    return 0.5 * (mean**2 + jnp.expm1(log_variance) - log_variance)


def reconstruction_loss(
    x: jax.Array,
    logits: jax.Array,
    likelihood: str,
    scale: jax.Array | float,
    scatter: Scatter | None = None,
) -> jax.Array:
    """Misfit of each row, summed over its features, in nats.

    Parameters
    ----------
    x : Array, shape (n_rows, n_features)
        Data; in [0, 1] for the Bernoulli likelihood.
    logits : Array, shape (n_rows, n_features)
        Decoder output before the sigmoid.
    likelihood : {"gaussian", "gaussian_learned", "bernoulli", "repeats"}
        `gaussian`: Σ (x - x̂)² / 2σ². `gaussian_learned`: the same plus n_features · log σ, with
        σ² the mean of (x - x̂)² over all rows and features, its most likely value (O. Rybkin et
        al., ICML 2021, "optimal σ-VAE"). `bernoulli`: -Σ [x log x̂ + (1 - x) log(1 - x̂)].
        `repeats`: ½ (x - x̂)ᵀ (N + σ²)⁻¹ (x - x̂), x being another repeat than x̂ is decoded from.
    scale : float
        σ of the plain Gaussian and of `repeats`, in the units of x; ignored by the others.
    scatter : Scatter, optional
        N of `repeats`.

    Returns
    -------
    Array, shape (n_rows,)
    """
    if scatter is not None:
        return scattered_loss(x - jax.nn.sigmoid(logits), scatter, scale)
    if likelihood != "bernoulli":
        squares = jnp.sum((x - jax.nn.sigmoid(logits)) ** 2, axis=1)
        if likelihood == "gaussian":
            return squares / (2 * scale**2)
        n_features = x.shape[1]
        variance = jnp.maximum(squares.mean() / n_features, LEAST_VARIANCE)
        return 0.5 * (squares / variance + n_features * jnp.log(variance))
    # -x log σ(l) - (1 - x) log(1 - σ(l)) = softplus(l) - x l, without the overflow.
    return jnp.sum(jax.nn.softplus(logits) - x * logits, axis=1)


def log_normaliser(
    n_features: int, likelihood: str, scale: float, scatter: Scatter | None = None
) -> float:
    """Constant that :func:`reconstruction_loss` leaves out: -log p(x|z) is the sum of both."""
    if scatter is not None:
        return scattered_normaliser(scatter, scale)
    if likelihood == "gaussian":
        return 0.5 * n_features * math.log(2 * math.pi * scale**2)
    return 0.0


def reparametrise(mean: jax.Array, log_variance: jax.Array, noise: jax.Array) -> jax.Array:
    """Latent sample z = μ + σ ε for standard normal ε; all of shape (n_rows, n_components)."""
    return mean + jnp.exp(0.5 * log_variance) * noise
