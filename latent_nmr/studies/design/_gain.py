r"""What a further echo says about a material, on average over what is known of it.

.. math:: E[\log p(m|b, x) - \log p(m|b)]

over materials m of the belief b and echoes x of them is the expected information gain. An amortised
posterior that errs makes it smaller, never larger on average (D. Barber and F. Agakov, NIPS 16, 201
(2003)): it is a lower bound but for the errors of finitely many materials and draws.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.studies.posterior._combine import Says, Weighted, weighted
from latent_nmr.studies.posterior._quantities import QUANTITIES, quantities

KERNEL, ALL = "kernel", "all"
# What gains are stated of.
TARGETS = (ALL, *QUANTITIES, KERNEL)


class Gain(NamedTuple):
    """What new echoes of one material say.

    Attributes
    ----------
    nats : float
        log density of the material itself, after over before.
    narrowing : dict of float
        log of the standard deviation of each quantity before over after; of `kernel`, by how much
        the entropy of its shares fell, nats.
    n_effective : float
        Draws that the numbers rest on.
    """

    nats: float
    narrowing: dict[str, float]
    n_effective: float


class Spread(NamedTuple):
    """Standard deviation of every quantity, and entropy of the kernel's shares."""

    deviations: dict[str, float]
    entropy: float

    @classmethod
    def of(cls, prior: Prior, found: Weighted) -> "Spread":
        """Of weighted draws."""
        deviations = {}
        for name, values in quantities(prior, found.materials).items():
            mean = found.weights @ values
            deviations[name] = float(np.sqrt(found.weights @ (values - mean) ** 2))
        shares = np.bincount(found.materials.kernel, found.weights, len(prior.kernels))
        shares = shares[shares > 0]
        return cls(deviations, float(-np.sum(shares * np.log(shares))))


def narrowed(before: Spread, after: Spread) -> dict[str, float]:
    """Logarithms of the ratios of standard deviations, and the fall of the entropy."""
    least = np.finfo(float).tiny
    found = {
        name: float(np.log(max(before.deviations[name], least) / max(own, least)))
        for name, own in after.deviations.items()
    }
    return found | {KERNEL: before.entropy - after.entropy}


def gain_of(
    prior: Prior,
    known: Sequence[Says],
    belief: Weighted,
    before: Spread,
    truth: Materials,
    new: Sequence[Says],
    n_draws: int,
    random: np.random.RandomState,
) -> Gain:
    """What new echoes of a material say beyond those that are known.

    Parameters
    ----------
    prior : Prior
    known : sequence of Says
        Echoes that the belief comes from; none of the prior.
    belief : Weighted
    before : Spread
        Of the belief.
    truth : Materials, arrays of shape (1,)
    new : sequence of Says
    n_draws : int
        Of each echo.
    random : RandomState
    """
    after = weighted(prior, [*known, *new], n_draws, random)
    own = sum(float(echo.information(truth)[0]) for echo in new)
    nats = own - after.log_z + belief.log_z
    return Gain(nats, narrowed(before, Spread.of(prior, after)), after.n_effective)
