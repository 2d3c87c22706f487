r"""Posterior of one material given several echoes of it.

.. math:: p(m | x_1 … x_n) = \frac{1}{Z} p(m)^{1-n} \prod_i p(m | x_i)

Echoes are independent given the material: each has noise, and a draw of offsets, of its own. Z and
all means are taken over draws of every factor together, weighted by their balance heuristic
(E. Veach and L. Guibas, SIGGRAPH 95, 419 (1995)): no factor has to cover another.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from latent_nmr.models.posterior.prior import Materials, Prior

FloatArray = npt.NDArray[np.float64]

# As many draws of every single posterior for one of the product.
POOL = 4


class Says(Protocol):
    """An echo and its posterior."""

    def sample(self, n_draws: int, random: np.random.RandomState) -> Materials:
        """Draws given the echo, arrays of shape (n_draws,)."""
        ...

    def information(self, materials: Materials) -> FloatArray:
        """log of posterior over prior density of materials of shape (n,), nats, shape (n,)."""
        ...


class Weighted(NamedTuple):
    """Draws with weights.

    Attributes
    ----------
    materials : Materials, arrays of shape (n_draws,)
    weights : ndarray, shape (n_draws,)
        Of sum 1.
    log_z : float
        log Z of the product.
    """

    materials: Materials
    weights: FloatArray
    log_z: float

    @property
    def n_effective(self) -> float:
        """How many draws of equal weight would be as good."""
        return float(1 / np.sum(self.weights**2))


def weighted(
    prior: Prior, echoes: Sequence[Says], n_draws: int, random: np.random.RandomState
) -> Weighted:
    """What several echoes of one material say of it together; of none, the prior.

    Parameters
    ----------
    prior : Prior
    echoes : sequence of Says
        Of independent noise and offsets.
    n_draws : int
        Of each echo.
    random : RandomState

    Returns
    -------
    Weighted
    """
    if not echoes:
        return Weighted(prior.draw(n_draws, random), np.full(n_draws, 1 / n_draws), 0.0)
    draws = joined([echo.sample(n_draws, random) for echo in echoes])
    return balanced(draws, np.stack([echo.information(draws) for echo in echoes]))


def balanced(materials: Materials, log_ratios: FloatArray) -> Weighted:
    """Draws of several factors, weighted for their product.

    Parameters
    ----------
    materials : Materials, arrays of shape (n_factors n_draws,)
        As many draws of each factor.
    log_ratios : ndarray, shape (n_factors, n_factors n_draws)
        log of each factor over the prior at all of the draws.
    """
    n_factors = len(log_ratios)
    together = logsumexp(log_ratios, axis=0) - np.log(n_factors)
    logs = log_ratios.sum(axis=0) - together
    total = logsumexp(logs)
    return Weighted(materials, np.exp(logs - total), float(total - np.log(len(logs))))


def joined(parts: Sequence[Materials]) -> Materials:
    """Draws one after another."""
    return Materials(*(np.concatenate(own) for own in zip(*parts, strict=True)))


class Combined(NamedTuple):
    """Draws of a posterior.

    Attributes
    ----------
    draws : Materials
        Of shape (n_draws,), in frequencies of the model.
    information : float
        Divergence of the posterior from the prior, nats.
    n_effective : float
        Draws of the same worth.
    agreement : float
        log Z: that of how many times likelier the echoes are of one material than of as many drawn
        from the prior; 0 of a single echo.
    """

    draws: Materials
    information: float
    n_effective: float
    agreement: float


def combined(
    prior: Prior, echoes: Sequence[Says], n_draws: int, random: np.random.RandomState
) -> Combined:
    """The posterior given all echoes, in draws of one weight."""
    if len(echoes) == 1:
        draws = echoes[0].sample(n_draws, random)
        return Combined(draws, float(np.mean(echoes[0].information(draws))), float(n_draws), 0.0)
    found = weighted(prior, echoes, POOL * n_draws, random)
    chosen = random.choice(len(found.weights), n_draws, p=found.weights)
    total = sum(echo.information(found.materials) for echo in echoes)
    information = float(found.weights @ total - found.log_z)
    draws = found.materials.rows(chosen)
    return Combined(draws, information, found.n_effective, found.log_z)


def kernel_frequencies(kernel: npt.NDArray[np.int64], n_kernels: int) -> npt.NDArray[np.float64]:
    """Shares of kernels among draws of one weight."""
    return np.bincount(kernel, minlength=n_kernels) / len(kernel)
