r"""What is known of a material after echoes: their posteriors multiplied over one prior.

Echoes of one material are independent given it, so that

.. math:: p(m|x_1, x_2) = p(m|x_1) p(m|x_2) / p(m) / Z, \quad Z = \int p(m|x_1) p(m|x_2)/p(m) dm.

Z and all means are taken over draws of every factor together, weighted by their balance heuristic
(E. Veach and L. Guibas, SIGGRAPH 95, 419 (1995)): no factor has to cover another.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from latent_nmr.models.posterior.prior import Materials, Prior

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

FloatArray = npt.NDArray[np.float64]


class Says(Protocol):
    """An echo and its posterior."""

    def sample(self, n_draws: int, random: np.random.RandomState) -> Materials:
        """Draws given the echo, arrays of shape (n_draws,)."""
        ...

    def information(self, materials: Materials) -> FloatArray:
        """log of posterior over prior density of materials of shape (n,), nats, shape (n,)."""
        ...


class SimulatedEcho(NamedTuple):
    """One row as an `EchoPosterior` takes it, with how it was measured.

    Attributes
    ----------
    model : EchoPosterior
    row : ndarray, shape (1, n_features)
    flip_angle_deg : float
        θ of the first pulse, degrees.
    phase : bool
        Whether its phase is trusted, with its carrier.
    snr : float
        As of `EchoPosterior.sample`.
    """

    model: "EchoPosterior"
    row: npt.NDArray[np.floating]
    flip_angle_deg: float
    phase: bool
    snr: float

    def sample(self, n_draws: int, random: np.random.RandomState) -> Materials:
        """Draws given the echo, arrays of shape (n_draws,)."""
        how = {"n_draws": n_draws, "random_state": random}
        return self.model.sample(self.row, **self._given(), **how).rows(0)

    def information(self, materials: Materials) -> FloatArray:
        """log of posterior over prior density of materials of shape (n,), nats, shape (n,)."""
        names = np.array(self.model.prior_.kernels)[materials.kernel]
        rows = np.repeat(self.row, len(names), axis=0)
        labels = materials._replace(kernel=names)._asdict()
        return self.model.information(rows, labels, **self._given())

    def _given(self) -> dict[str, Any]:
        return {"flip_angle_deg": self.flip_angle_deg, "phase": self.phase, "snr": self.snr}


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


def combined(
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
