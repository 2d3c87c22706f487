r"""Posterior of one material given several echoes of it.

.. math:: p(\theta | x_1 … x_n) \propto p(\theta)^{1-n} \prod_i p(\theta | x_i)

Echoes are independent given the material: each has noise, and a draw of offsets, of its own. Draws
of the single posteriors are weighted by what the product says of them over what they were drawn
from, their mixture, and drawn again by these weights.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from latent_nmr.models.posterior.prior import Materials
from latent_nmr.studies.posterior._echoes import Echo

# As many draws of every single posterior for one of the product.
POOL = 4


class Combined(NamedTuple):
    """Draws of a posterior.

    Attributes
    ----------
    draws : Materials
        Of shape (n_draws,), in frequencies of the model.
    information : float
        Divergence of the posterior from the prior, nats.
    n_effective : float
        Draws of the same worth: few where echoes contradict each other.
    """

    draws: Materials
    information: float
    n_effective: float


def combined(echoes: Sequence[Echo], n_draws: int, random: np.random.RandomState) -> Combined:
    """The posterior given all echoes."""
    if len(echoes) == 1:
        draws = echoes[0].sample(n_draws, random)
        return Combined(draws, float(np.mean(echoes[0].information(draws))), float(n_draws))
    parts = [echo.sample(POOL * n_draws, random) for echo in echoes]
    pool = Materials(*(np.concatenate(own) for own in zip(*parts, strict=True)))
    logs = np.stack([echo.information(pool) for echo in echoes])
    total = logs.sum(axis=0)
    # Over the prior, the product is exp(total) and the mixture the mean of exp(logs).
    weights = total - logsumexp(logs, axis=0) + np.log(len(echoes))
    evidence = logsumexp(weights) - np.log(len(weights))
    shares = np.exp(weights - logsumexp(weights))
    chosen = random.choice(len(shares), n_draws, p=shares)
    information = float(np.sum(shares * total) - evidence)
    return Combined(pool.rows(chosen), information, float(1 / np.sum(shares**2)))


def weighted_shares(kernel: npt.NDArray[np.int64], n_kernels: int) -> npt.NDArray[np.float64]:
    """Shares of kernels among draws."""
    return np.bincount(kernel, minlength=n_kernels) / len(kernel)
