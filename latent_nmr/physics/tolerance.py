"""Error control: every curve is simulated with steps fine enough for a tolerance.

A curve is simulated with steps of a first guess, and with steps some times as long. What the
two differ by, times a factor for the kernel and the ratio of the steps, estimates the error of the
finer one. Where that is too large the steps are divided, and the new curve is compared with the
last, until the estimate meets the tolerance or does not fall any more.
"""

import warnings
from collections.abc import Sequence as Rows
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError, StepWarning, check_number
from latent_nmr.physics.devices import run_lattices
from latent_nmr.physics.guess import RULE, StepRule, first_cut, quiet_times
from latent_nmr.physics.propagate import Lattice
from latent_nmr.physics.schedule import Plan
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.steps import FINEST_STEP, Cut, make_plan

# What rounding alone may do to M, by precision, and how many times that a tolerance must be. On 300
# lattices of 10 to 100 sites' edge rounding to float32 changed M by at most 5e-7.
ROUNDING = {"float32": 1e-6, "float64": 1e-14}
LEAST_TOLERANCE = 10


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

    def plan(self, cut: Cut, scheme: str, pauses: Rows[tuple[int, int]] = ()) -> Plan:
        """Cut the record into steps."""
        numbers = self.frequencies, self.table, self.couplings
        return make_plan(*numbers, self.sequence, cut, scheme, pauses=pauses)

    def first_cut(self, tolerance: float, rule: StepRule = RULE) -> Cut:
        """First guess of the cut for a tolerance."""
        return first_cut(*self, tolerance=tolerance, rule=rule)

    def first_plans(self, tolerance: float, scheme: str, rule: StepRule = RULE) -> list[Plan]:
        """Plans of the first guess and of the coarser curve that it is compared with."""
        pauses = quiet_times(self.frequencies, self.sequence, rule)
        cut = self.first_cut(tolerance, rule)
        return [self.plan(c, scheme, pauses) for c in (cut, cut.times(rule.ratio))]


def check_tolerance(tolerance: float, dtype: str) -> float:
    """Return a tolerance that `dtype` can keep, or raise `InputError`."""
    tolerance = check_number("tolerance", tolerance, above=0)
    least = LEAST_TOLERANCE * ROUNDING[dtype]
    if tolerance < least:
        cure = "Use dtype='float64'" if dtype == "float32" else f"Use {least:g} or more"
        raise InputError(
            f"tolerance must be at least {least:g} in {dtype}, whose rounding alone may change M "
            f"by a tenth of that, but is {tolerance:g}. {cure}."
        )
    return tolerance


def run_to_tolerance(
    lattices: Rows[Lattice],
    curves: Rows[Curve],
    *,
    tolerance: float,
    scheme: str,
    dtype: str,
    rule: StepRule = RULE,
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.float64]]:
    """Record lattices, each with steps that keep the estimated error below a tolerance.

    Parameters
    ----------
    lattices : sequence of Lattice of ndarray
    curves : sequence of Curve
        The same, as their steps are chosen.
    tolerance : float
        Largest error of any component of M at any sample.
    scheme : {"averaged", "midpoint"}
    dtype : {"float32", "float64"}
    rule : StepRule

    Returns
    -------
    signal : ndarray of `dtype`, shape (n_curves, n_samples, 3)
    estimates : ndarray, shape (n_curves,)
        Of the error; above the tolerance where finer steps did not lower it.
    """
    pauses = [quiet_times(curve.frequencies, curve.sequence, rule) for curve in curves]
    powers = [rule.power(c.table, scheme, c.decay_rate) for c in curves]
    cuts = [curve.first_cut(tolerance, rule) for curve in curves]
    divided, stalled = np.ones((2, len(curves)), int)

    def run(rows: Rows[int], cuts: Rows[Cut]) -> npt.NDArray[np.floating]:
        plans = [curves[r].plan(c, scheme, pauses[r]) for r, c in zip(rows, cuts, strict=True)]
        return run_lattices([lattices[row] for row in rows], plans, dtype)

    def estimate(rows, ratios, finer, coarser):
        factors = [rule.error_factor(k, powers[r]) for r, k in zip(rows, ratios, strict=True)]
        return ROUNDING[dtype] + np.array(factors) * np.abs(finer - coarser).max(axis=(1, 2))

    rows = list(range(len(curves)))
    both = run(rows * 2, [*cuts, *(cut.times(rule.ratio) for cut in cuts)])
    signal, coarser = both[: len(rows)], both[len(rows) :]
    estimates = estimate(rows, [rule.ratio] * len(rows), signal, coarser)
    aims = tolerance * np.array([rule.share(power) for power in powers])
    while True:
        ratios = {row: rule.division(estimates[row] / aims[row]) for row in rows}
        rows = [
            row
            for row in rows
            if estimates[row] > aims[row]
            and stalled[row] <= rule.most_stalled
            and divided[row] * ratios[row] <= rule.most_divided
            and cuts[row].over(ratios[row]).step >= 1 / FINEST_STEP
        ]
        if not rows:
            return signal, estimates
        for row in rows:
            cuts[row] = cuts[row].over(ratios[row])
            divided[row] *= ratios[row]
        finer = run(rows, [cuts[row] for row in rows])
        found = estimate(rows, [ratios[row] for row in rows], finer, signal[rows])
        stalled[rows] = np.where(found < estimates[rows], 1, stalled[rows] + 1)
        signal[rows], estimates[rows] = finer, found


def warn_of_errors(errors: npt.NDArray[np.float64], tolerance: float) -> None:
    """Warn of curves whose estimated error is above the tolerance."""
    above = np.flatnonzero(errors > tolerance)
    if not above.size:
        return
    named = ", ".join(map(str, above[:5])) + (", …" if above.size > 5 else "")
    warnings.warn(
        f"the error of M should be at most {tolerance:g} (tolerance), but is estimated at up to "
        f"{errors.max():.2g} for {above.size} of {len(errors)} curves (rows {named}), and shorter "
        "steps do not lower it: the motion is unstable, so that small errors grow, or too fast. "
        "Check the units (MHz, µs), leave these curves out by their error_estimate, or allow a "
        "larger tolerance.",
        StepWarning,
        stacklevel=4,
    )


def warn_of_long_steps(curves: Rows[Curve], cut: Cut, tolerance: float) -> None:
    """Warn of curves for which a given cut is too coarse, by the guess for a better scheme."""
    guesses = [curve.first_cut(tolerance).step for curve in curves]
    above = [row for row, guess in enumerate(guesses) if guess < cut.step]
    if above:
        warnings.warn(
            f"the scheme 'source' takes one step per sample, but for {len(above)} of {len(curves)} "
            f"curves (the first is row {above[0]}) even the default scheme needs shorter ones for "
            f"an error of M of at most {tolerance:g} (tolerance). Sample more finely (a smaller "
            "dt), or use the default scheme.",
            StepWarning,
            stacklevel=4,
        )
