"""The posterior of a material: numbers, kernels, draws, and whether an echo said anything."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr._json import json_value
from latent_nmr.analysis.posterior_scores import contraction
from latent_nmr.models.posterior.prior import Materials, Prior
from latent_nmr.studies._result import Figures
from latent_nmr.studies.measurement._records import FREQUENCIES, Estimate
from latent_nmr.studies.posterior._combine import combined, kernel_frequencies
from latent_nmr.studies.posterior._correction import place_columns
from latent_nmr.studies.posterior._echoes import OUTSIDE, Echo
from latent_nmr.studies.posterior._predictive import predicted, share_within
from latent_nmr.studies.posterior._quantities import QUANTITIES, places_in_range, quantities

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

PARAMETER = "kernel_parameter"
# Where the variance falls by less than this part of the prior's, a posterior is the prior.
LEAST_CONTRACTION = 0.1
# Parameters of kernels that are less likely than this are not stated.
LEAST_SHARE = 0.05
ENDS = (0.16, 0.84, 0.025, 0.975)
N_PRIOR = 20_000
FEWEST_EFFECTIVE = 100
# Where echoes are 20 times likelier of different materials than of one, they contradict each other:
# by Markov's inequality no more than one in twenty pairs of one material does.
LEAST_AGREEMENT = -math.log(20)


@dataclass(frozen=True)
class Known:
    """What is known of one number.

    Attributes
    ----------
    estimate : Estimate
    contraction : float
        1 less the variance of the posterior over the prior's.
    prior_low, prior_high : float
        Range of the prior.
    """

    estimate: Estimate
    contraction: float
    prior_low: float
    prior_high: float

    @property
    def is_identified(self) -> bool:
        """Whether the echo says anything of it."""
        return self.contraction >= LEAST_CONTRACTION


class Inference:
    """Posterior of a material.

    `table` has a row for each number, `kernels` the probabilities of the kernels, `draws` a row for
    each draw; frequencies are those of the sample, in MHz.

    Attributes
    ----------
    echoes : list of Echo
    known : dict of Known
        Of α_x, α_z, W and L, and of the parameter of each kernel that is not unlikely.
    kernels : dict of float
    information : float
        Divergence of the posterior from the prior, nats.
    n_effective : float
        Draws of the same worth, where echoes were combined.
    agreement : float
        Log of how many times likelier the echoes are of one material than of different ones.
    is_outside : bool
        Whether an echo was taken although its verdict is OUTSIDE.
    is_corrected : bool
        Whether intervals of α_x, α_z, W and L are those of a local conformal correction.
    predicted : dict of ndarray
        What `predict` simulated, by the number of the echo.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("challenge2021-spin", n_curves=2, n_edge=8)
    >>> r = ln.infer(ds, "posterior", curve=1, snr=100, anyway=True)
    >>> sorted(r.kernels)
    ['gaussian', 'power', 'rkky']
    >>> r.draws.shape
    (4000, 6)
    """

    def __init__(self, echoes: Sequence[Echo], n_draws: int, random_state: int):
        self.echoes = list(echoes)
        self.prior: Prior = echoes[0].model.prior_
        self.is_corrected = len(echoes) == 1 and echoes[0].correction is not None
        self.is_outside = any(echo.verdict == OUTSIDE for echo in echoes)
        random = np.random.RandomState(random_state)
        found = combined(self.prior, echoes, n_draws, random)
        self.information, self.n_effective = found.information, found.n_effective
        self.agreement = found.agreement
        self._materials, self._factor = found.draws, echoes[0].time_factor
        names = self.prior.kernels
        one = len(echoes) == 1
        drawn = kernel_frequencies(found.draws.kernel, len(names))
        shares = echoes[0].shares() if one else drawn
        self.kernels = dict(zip(names, map(float, shares), strict=True))
        self.known = self._known()
        self.predicted: dict[int, FloatArray] = {}
        self._figures: Figures | None = None

    def __repr__(self) -> str:
        kernel = max(self.kernels, key=self.kernels.__getitem__)
        W = self.known["W"].estimate
        return f"<Inference: W {W.mean:.3f} ± {W.sd:.3f} MHz, {kernel}; .table, .draws, .figures>"

    @property
    def table(self) -> "pd.DataFrame":
        """One row per number: mean, sd, ends of the 68 and 95 % intervals, contraction."""
        import pandas as pd

        rows = [
            {"quantity": name, **asdict(own.estimate), "contraction": own.contraction,
             "identified": own.is_identified}
            for name, own in self.known.items()
        ]  # fmt: skip
        return pd.DataFrame(rows).set_index("quantity")

    @property
    def draws(self) -> "pd.DataFrame":
        """One row per draw: kernel, α_x, α_z, W, L and the kernel's parameter."""
        import pandas as pd

        names = np.array(self.prior.kernels)[self._materials.kernel]
        columns = self.quantities()
        return pd.DataFrame({"kernel": names, **columns, PARAMETER: self._materials[3]})

    @property
    def figures(self) -> Figures:
        """`marginals`, `pairs`, `kernels`, `echo`; each drawn when it is first asked for."""
        if self._figures is None:
            from latent_nmr.studies.posterior._figures import drawers

            self._figures = Figures(drawers(self))
        return self._figures

    def quantities(self) -> dict[str, FloatArray]:
        """α_x, α_z, W and L of the draws, as those of the sample."""
        return self._scaled(quantities(self.prior, self._materials))

    def prior_quantities(self) -> dict[str, FloatArray]:
        """The same of draws of the prior."""
        return self._scaled(quantities(self.prior, _prior_draws(_key(self.prior))))

    def predict(self, n_draws: int = 20, random_state: int = 0) -> list[float]:
        """Simulate curves of draws, for the figures of echoes that are whole records.

        Every curve has offsets and noise of its own; some seconds for each.

        Returns
        -------
        list of float
            For each such echo, the part of its samples that lies within the 90 % band.
        """
        rows = self._materials.rows(slice(n_draws))
        whole = [n for n, echo in enumerate(self.echoes) if "pulse_samples" in echo.facts]
        for number in whole:
            self.predicted[number] = predicted(self.echoes[number], rows, random_state + number)
        self._figures = None
        return [share_within(self.echoes[n].measured, self.predicted[n]) for n in whole]

    @property
    def contradict(self) -> bool:
        """Whether echoes are hardly of one material, or too few draws agree with all to say."""
        return self.agreement < LEAST_AGREEMENT or self.n_effective < FEWEST_EFFECTIVE

    def as_json(self) -> dict[str, Any]:
        """All but the draws, as JSON holds it."""
        return json_value(
            {
                "echoes": [
                    {
                        "name": echo.name,
                        "verdict": echo.verdict,
                        "reason": echo.reason,
                        "flip_angle_deg": echo.flip_angle_deg,
                        "phase_trusted": echo.phase,
                        "snr": echo.snr,
                        "receiver": echo.model.shape_.receiver,
                    }
                    for echo in self.echoes
                ],
                "is_outside": self.is_outside,
                "is_corrected": self.is_corrected,
                "kernels": self.kernels,
                "known": {
                    name: {**asdict(own), "identified": own.is_identified}
                    for name, own in self.known.items()
                },
                "information": self.information,
                "n_draws": len(self._materials.kernel),
                "n_effective": self.n_effective,
                "agreement": self.agreement,
                "contradict": self.contradict,
                "leaked": self.prior.leaked(self._materials),
            }
        )

    def _scaled(self, found: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
        return {
            name: own * (self._factor if name in FREQUENCIES else 1) for name, own in found.items()
        }

    def _levels(self) -> dict[str, list[float]]:
        """Levels at which ends of corrected intervals lie, where the echo's model has some."""
        echo = self.echoes[0]
        if not self.is_corrected or echo.correction is None:
            return {}
        found = quantities(self.prior, self._materials)
        spreads = np.array([found[name].std() for name in QUANTITIES])
        columns = place_columns(echo.flip_angle_deg, echo.snr, float(found["W"].mean()), spreads)
        return {
            name: echo.correction.levels(name, columns, ENDS, phase=echo.phase).tolist()
            for name in QUANTITIES
        }

    def _known(self) -> dict[str, Known]:
        found, beforehand = self.quantities(), self.prior_quantities()
        levels = self._levels()
        known = {n: _known(found[n], beforehand[n], levels.get(n, ENDS)) for n in QUANTITIES}
        drawn = self._materials
        for number, (name, share) in enumerate(self.kernels.items()):
            own = drawn.kernel == number
            if share >= LEAST_SHARE and own.sum() > 1:
                ends = self.prior.kernel_ranges[name]
                part = drawn.rows(own)
                spread = float(places_in_range(self.prior, part).std()) * np.sqrt(12)
                known[f"{name} parameter"] = Known(
                    _estimate(part.kernel_parameter, ENDS), float(1 - spread**2), *ends
                )
        return known


def _known(drawn: FloatArray, beforehand: FloatArray, ends: Sequence[float]) -> Known:
    spread = contraction(np.array([drawn.std()]), float(beforehand.std()))
    return Known(_estimate(drawn, ends), spread, float(beforehand.min()), float(beforehand.max()))


def _estimate(drawn: FloatArray, ends: Sequence[float]) -> Estimate:
    low95, low68, high68, high95 = (float(end) for end in np.quantile(drawn, sorted(ends)))
    return Estimate(float(drawn.mean()), float(drawn.std()), low68, high68, low95, high95)


def _key(prior: Prior) -> tuple:
    return tuple(prior.kernel_ranges.items()), prior.coupling_range, prior.strength_range


@cache
def _prior_draws(key: tuple) -> Materials:
    ranges, couplings, strengths = key
    return Prior(dict(ranges), couplings, strengths).draw(N_PRIOR, np.random.RandomState(0))
