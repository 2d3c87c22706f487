"""Error control: every curve is simulated with steps fine enough for a tolerance.

`latent_nmr.physics.search` finds the steps of one curve; here they are run, many curves at a time.
"""

import math
import warnings
from collections.abc import Iterable
from collections.abc import Sequence as Rows
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import ROUNDING as OF_NUMBERS
from latent_nmr.errors import InputError, StepWarning, check_number
from latent_nmr.physics.devices import run_lattices
from latent_nmr.physics.guess import RULE, StepRule
from latent_nmr.physics.propagate import Lattice
from latent_nmr.physics.search import ROUNDING, Curve, Search
from latent_nmr.physics.steps import FINEST_STEP, Cut, field_bounds

DEFAULT_TOLERANCE = 1e-3
# How many times what rounding may do to M a tolerance must be; |M| itself is at most the other.
LEAST_TOLERANCE, MOST_TOLERANCE = 10, 0.5
# Rotation in the shortest step beyond which no difference of curves says anything.
MOST_RADIANS = 1


def check_tolerance(
    tolerance: Any, dtype: str, step: float | None, finer: str = "Use dtype='float64'"
) -> float:
    """Return a tolerance that `dtype` can keep, or raise `InputError`.

    `finer` says how the caller has float64; with a `step`, there can be no other tolerance than
    the default, which then decides nothing.
    """
    cure = f"The default is {DEFAULT_TOLERANCE:g}; |M(0)| is 1/2."
    tolerance = check_number("tolerance", tolerance, above=0, at_most=MOST_TOLERANCE, cure=cure)
    if step is not None and tolerance != DEFAULT_TOLERANCE:
        raise InputError(
            "tolerance must be left out with a step, which is then that of all curves whatever "
            f"their errors are, but is {tolerance:g} with step = {step!r}. Leave one of the two "
            "out."
        )
    least = LEAST_TOLERANCE * ROUNDING[dtype]
    if tolerance < least * (1 - OF_NUMBERS):  # 1e-5 in single precision is 1e-5
        cure = finer if dtype == "float32" else f"Use {least:g} or more"
        raise InputError(
            f"tolerance must be at least {least:g} in {dtype}, whose rounding alone may change M "
            f"by a tenth of that, but is {tolerance:g}. {cure}."
        )
    return tolerance


def names_of_rows(names: Any, n_curves: int) -> list[str]:
    """What messages call the curves: by names of the caller's, if there are any."""
    if names is None:
        return [f"row {row}" for row in range(n_curves)]
    is_list = isinstance(names, Iterable) and not isinstance(names, str | bytes)
    found = [str(name) for name in names] if is_list else []
    if len(found) != n_curves:
        raise InputError(
            f"names must be one text for each of {n_curves} curves, but are "
            f"{len(found) if is_list else repr(names)}. Give as many, or leave them out."
        )
    return found


def check_resolvable(curves: Rows[Curve], names: Rows[str]) -> None:
    """Raise `InputError` for couplings that no step can follow."""
    for curve, name in zip(curves, names, strict=True):
        _, coupled = field_bounds(curve.frequencies, curve.table, curve.couplings)
        angle = 2 * math.pi * coupled * curve.sequence.dt / FINEST_STEP
        if angle > MOST_RADIANS:
            raise InputError(
                f"couplings must turn a spin by at most {MOST_RADIANS} rad in the shortest step, "
                f"1/{FINEST_STEP} of a sample, but those of {name} turn it by up to {angle:.2g} "
                f"rad: the largest is {np.abs(curve.couplings).max():g} MHz. Check the units (MHz, "
                "µs), or sample more finely."
            )


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
    searches = [Search(curve, tolerance, scheme, dtype, rule) for curve in curves]
    while wanted := [(row, plan) for row, own in enumerate(searches) for plan in own.wanted()]:
        rows = [row for row, _ in wanted]
        found = run_lattices([lattices[row] for row in rows], [plan for _, plan in wanted], dtype)
        for row, own in groupby(zip(rows, found, strict=True), key=itemgetter(0)):
            searches[row].take([signal for _, signal in own])
    return np.stack([s.signal for s in searches]), np.array([s.estimate for s in searches])


def warn_of_errors(errors: npt.NDArray[np.float64], tolerance: float, names: Rows[str]) -> None:
    """Warn of curves whose estimated error is above the tolerance, by name."""
    above = np.flatnonzero(errors > tolerance)
    if not above.size:
        return
    named = ", ".join(names[int(row)] for row in above[:5]) + (", …" if above.size > 5 else "")
    warnings.warn(
        f"the error of M should be at most {tolerance:g} (tolerance), but is estimated at up to "
        f"{errors.max():.2g} for {above.size} of {len(errors)} curves ({named}), and shorter "
        "steps do not lower it: the motion is unstable, so that small errors grow, or too fast, or "
        "the record so long that rounding adds up. Check the units (MHz, µs), use dtype float64 "
        "for long records, leave these curves out by their error_estimate, or allow a larger "
        "tolerance.",
        StepWarning,
        stacklevel=4,
    )


def warn_of_long_steps(curves: Rows[Curve], cut: Cut, tolerance: float, names: Rows[str]) -> None:
    """Warn of curves for which a given cut is too coarse, by the guess for a better scheme."""
    guesses = [curve.first_cut(tolerance).step for curve in curves]
    above = [row for row, guess in enumerate(guesses) if guess < cut.step]
    if above:
        warnings.warn(
            f"the scheme 'source' takes one step per sample, but for {len(above)} of {len(curves)} "
            f"curves (the first is {names[above[0]]}) even the default scheme needs shorter ones "
            f"for an error of M of at most {tolerance:g} (tolerance). Sample more finely (a "
            "smaller dt), or use the default scheme.",
            StepWarning,
            stacklevel=4,
        )
