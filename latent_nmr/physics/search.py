"""Search for the steps of one curve that keep its error below a tolerance.

A curve is simulated with steps of a first guess, and with steps some times as long. What the
two differ by, times a factor for the kernel and the ratio of the steps, estimates the error of the
finer one. Where that is too large the steps are shortened, and the new curve is compared with the
last, until the estimate meets the tolerance or does not fall any more.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.physics.drift import phase_drift
from latent_nmr.physics.guess import RULE, StepRule, first_cut, quiet_times
from latent_nmr.physics.schedule import Plan
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.steps import Cut, make_plan

# What rounding alone may do to M, by precision, if the record is not long. On 300 lattices of 10 to
# 100 sites' edge rounding to float32 changed M by at most 5e-7.
ROUNDING = {"float32": 1e-6, "float64": 1e-14}


class Curve(NamedTuple):
    """What decides the steps of one curve: a row of `simulate_lattices`.

    Attributes
    ----------
    frequencies, table : ndarray, shape (n_edge, n_edge)
        ν_i in MHz and K(r) from site (0, 0).
    couplings : ndarray, shape (3,)
        MHz.
    decay_rate : float
        Of all losses, see `latent_nmr.physics.relaxation.total_rate`, MHz.
    sequence : Sequence
    """

    frequencies: npt.NDArray[np.float64]
    table: npt.NDArray[np.float64]
    couplings: npt.NDArray[np.float64]
    decay_rate: float
    sequence: Sequence

    def plan(self, cut: Cut, scheme: str, pauses: list[tuple[int, int]] | None = None) -> Plan:
        """Cut the record into steps."""
        numbers = self.frequencies, self.table, self.couplings
        return make_plan(*numbers, self.sequence, cut, scheme, pauses=pauses or ())

    def first_cut(self, tolerance: float, rule: StepRule = RULE) -> Cut:
        """First guess of the cut for a tolerance."""
        return first_cut(*self, tolerance=tolerance, rule=rule)

    def drift(self, signal: npt.NDArray[np.floating], enough: float) -> float:
        """What rounding may have done to the recorded M, see `latent_nmr.physics.drift`."""
        numbers = self.frequencies, self.table, self.couplings
        return phase_drift(*numbers, self.sequence, signal, enough)


class Search:
    """Steps of one curve on the way to a tolerance.

    Ask :meth:`wanted` which plans to run next and give what they record to :meth:`take`, until
    none is wanted.

    Parameters
    ----------
    curve : Curve
    tolerance : float
        Largest error of any component of M at any sample.
    scheme : {"averaged", "midpoint"}
    dtype : {"float32", "float64"}
    rule : StepRule

    Attributes
    ----------
    signal : ndarray of `dtype`, shape (n_samples, 3)
        Of the shortest steps so far.
    estimate : float
        Of its error; above the tolerance where shorter steps do not lower it.
    """

    signal: npt.NDArray[np.floating]

    def __init__(
        self,
        curve: Curve,
        tolerance: float,
        scheme: str = "averaged",
        dtype: str = "float32",
        rule: StepRule = RULE,
    ):
        self.estimate = self._least = math.inf
        self._curve, self._scheme, self._rule = curve, scheme, rule
        self._order = 3 if scheme == "averaged" else 2
        self._safety = rule.own_safety(curve.table, curve.decay_rate, curve.sequence)
        self._pauses = quiet_times(curve.frequencies, curve.sequence, rule)
        self._rounding, self._aim = ROUNDING[dtype], tolerance * rule.margin
        self._small = tolerance * rule.small
        first = curve.first_cut(tolerance, rule)
        self._shortest = first.step / rule.most_divided
        self._cuts, self._stalled = [first.times(rule.ratio), first], 0

    def wanted(self) -> list[Plan]:
        """Plans to be run next."""
        return [self._curve.plan(cut, self._scheme, self._pauses) for cut in self._cuts]

    def take(self, signals: list[npt.NDArray[np.floating]]) -> None:
        """Take what the wanted plans recorded, and decide what is wanted next."""
        if math.isinf(self.estimate):
            self.signal, self._cut = signals[0], self._cuts[0]
        (cut, signal), rule = (self._cuts[-1], signals[-1]), self._rule
        factor = rule.error_factor(self._cut.step / cut.step, self._order, self._safety)
        difference = float(np.abs(signal - self.signal).max())
        estimate = self._rounding + max(factor * difference, min(difference / 2, self._small))
        if estimate < rule.progress * self._least:
            self._stalled, self._least = 0, estimate
        else:
            self._stalled += 1
        self.signal, self.estimate, self._cut = signal, estimate, cut
        shorter = rule.shorter(cut, estimate / self._aim, self._order)
        hopeless = self._stalled >= rule.most_stalled or shorter.step < self._shortest
        self._cuts = [] if estimate <= self._aim or hopeless or shorter == cut else [shorter]
        if not self._cuts:  # no step helps against the drift: it decides none
            self.estimate = max(estimate, self._curve.drift(signal, enough=estimate))
