"""The β-VAE written once more in NumPy, float64, from its named weights."""

import numpy as np
from scipy import stats
from scipy.special import expit, log_expit


def dense(weights, name, x):
    """One linear layer."""
    kernel, bias = weights[f"{name}.kernel"], weights[f"{name}.bias"]
    return x @ np.asarray(kernel, np.float64) + np.asarray(bias, np.float64)


def leaky_relu(x):
    """x above nought, x/100 below."""
    return np.maximum(x, 0.0) + 0.01 * np.minimum(x, 0.0)


def gelu(x):
    """x Φ(x), with Φ of the standard normal distribution."""
    return x * stats.norm.cdf(x)


def hidden_layers(weights, name, x, activation=leaky_relu):
    """Linear layers ``name.layers.0``, 1, …, each followed by an activation."""
    number = 0
    while f"{name}.layers.{number}.kernel" in weights:
        x = dense(weights, f"{name}.layers.{number}", x)
        x = activation(x)
        number += 1
    return x


def encode(weights, x, activation=leaky_relu):
    """Posterior mean and log-variance."""
    h = hidden_layers(weights, "encoder", np.asarray(x, np.float64), activation)
    return dense(weights, "mean_head", h), dense(weights, "log_variance_head", h)


def logits(weights, z):
    """Decoder output before the sigmoid."""
    return dense(weights, "output", hidden_layers(weights, "decoder", np.asarray(z, np.float64)))


def decode(weights, z):
    """Decoded rows."""
    return expit(logits(weights, z))


def kl(mean, log_variance):
    """KL from N(0, 1) per row and axis, as the mean of log q - log p over q.

    The integrand is a polynomial of degree two, for which Gauss-Hermite quadrature of two
    points is exact.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    deviation = np.exp(0.5 * log_variance)
    z = mean[..., None] + deviation[..., None] * nodes
    log_q = stats.norm.logpdf(nodes) - 0.5 * log_variance[..., None]
    return (log_q - stats.norm.logpdf(z)) @ weights / np.sqrt(2 * np.pi)


def misfit(x, decoder_logits, likelihood, scale):
    """-log p(x|z) without its constant, per row."""
    if likelihood == "gaussian":
        p = expit(decoder_logits)
        peak = stats.norm.logpdf(0.0, scale=scale)
        return (peak - stats.norm.logpdf(x, p, scale)).sum(axis=1)
    return -(x * log_expit(decoder_logits) + (1 - x) * log_expit(-decoder_logits)).sum(axis=1)


def random_weights(shapes, seed=0):
    """Weights of size 1/sqrt(inputs) and biases of a half; every layer then passes signals on."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, 0.5 if len(shape) == 1 else shape[0] ** -0.5, shape)
        for name, shape in shapes.items()
    }
