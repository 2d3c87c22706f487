"""First guess of the steps of a curve, from its lattice, kernel and line.

The error of the `averaged` scheme has two sources (measured by `make accuracy`): the mean field
of a long-ranged kernel changes smoothly and allows long steps; that of a short-ranged one
follows single fast neighbours, which previous steps cannot predict, and needs short steps. The
guess knows both; `latent_nmr.physics.tolerance` measures the error and divides the steps.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.steps import Cut, field_bounds, fixed_cut

FloatArray = npt.NDArray[np.float64]

# First guesses, in sample intervals, longest first.
GUESSES = (12.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, *(0.5**k for k in range(1, 8)))


# cos θ of a pulse that counts as one of 90°: M_z is then less than a hundredth of M.
UPRIGHT = 0.01
SATELLITE_PERCENTILE = 85
# Steps of the coarser curve between two pulses, at least.
LEAST_STEPS = 2
# M of uncoupled spins is taken from some offsets, on a grid of samples; a noise of 1/√n_sites must
# be below a third of what counts as died away. Edges stand away from louder times by a margin
# and on a coarser grid, in grid points, so that curves with their own ν agree.
N_OFFSETS, QUIET_GRID, LEAST_SITES_IN_NOISE, QUIET_MARGIN, QUIET_ROUND = 256, 8, 9, 2, 4


@dataclass(frozen=True)
class StepRule:
    """Constants that decide the steps of a curve; stored with the data that they made.

    The first guess is the longest step T, µs, whose angles stay below limits for a tolerance of
    0.001, which grow with the third root of the tolerance.

    Parameters
    ----------
    coupled_angle, tilted_angle : float
        Rotation of a spin in T by the aligned field of all others, rad, after a first pulse of 90°
        and of another angle: then a magnetisation along z stays, and holds the spins together.
    line_angle, satellite_angle : float
        Rotation by the median of |ν|, and by its 85th percentile: a seventh of the spins or more
        with a large common offset are a satellite line, whose field rotates fast. Rad.
    decay : float
        Loss by dephasing.
    roughness : float
        Bound of (2π r W)^(3/2) T √t, with r the roughness of the kernel on a record of t µs.
    pause_factor : int
        Where M of spins without couplings has died away, steps are this many times as long, after
        a pulse of 90° and with a smooth kernel.
    pause_below : float
        M that has died away, as a share of |M(0)|.
    smooth, rough : float
        Roughness of a kernel on 100 × 100 sites below which errors fall with the third power of
        the step, and above which, at steps worth taking, with the second. On others it counts in
        proportion to their edge: fewer sites average less.
    lossy : float
        Dephasing rate, MHz, from which on errors fall with the second power as well.
    ratio : int
        By what factor the steps of the first comparison are longer.
    safety : float
        By what factor errors may exceed what two curves' difference and that power say.
    margin, rough_margin : float
        Share of the tolerance that an estimate may take where errors fall with the third power of
        the step, and with the second; in between, in proportion.
    most_divided : int
        By what factor steps may become shorter than those of the first guess.
    most_stalled : int
        Divisions in a row that do not lower the estimate, after which it stays.
    """

    coupled_angle: float = 0.4
    tilted_angle: float = 0.2
    line_angle: float = 0.24
    satellite_angle: float = 0.64
    decay: float = 0.02
    roughness: float = 2.4
    pause_factor: int = 2
    pause_below: float = 0.1
    smooth: float = 0.03
    rough: float = 0.06
    lossy: float = 0.002
    ratio: int = 4
    safety: float = 2.3
    margin: float = 0.9
    rough_margin: float = 0.5
    most_divided: int = 64
    most_stalled: int = 2

    def error_factor(self, ratio: int, power: float) -> float:
        """Estimated error over the difference from a curve with steps `ratio` times as long."""
        return self.safety / (ratio**power - 1)

    def power(self, table: FloatArray, scheme: str, decay_rate: float) -> float:
        """Power of the step with which errors fall."""
        share = (roughness(table) * 100 / len(table) - self.smooth) / (self.rough - self.smooth)
        # Dephasing is split from rotation, symmetrically: second order, of what little it is.
        share = min(max(share, decay_rate / self.lossy, 0.0), 1.0)
        return 3 - share if scheme == "averaged" else 2 - share / 2

    def share(self, power: float) -> float:
        """Share of the tolerance that an estimate may take."""
        return self.margin - (self.margin - self.rough_margin) * min(max(3 - power, 0.0), 1.0)

    def division(self, excess: float) -> int:
        """By what steps are divided, for an estimated error over what it may be."""
        return next((k for k in range(2, self.ratio) if excess <= k**2), self.ratio)


RULE = StepRule()


def first_cut(
    frequencies: FloatArray,
    table: FloatArray,
    couplings: FloatArray,
    decay_rate: float,
    sequence: Sequence,
    *,
    tolerance: float,
    rule: StepRule = RULE,
) -> Cut:
    """First guess of the cut that keeps the error of M below a tolerance.

    Parameters
    ----------
    frequencies, table : ndarray, shape (n_edge, n_edge)
        ν_i in MHz and K(r) from site (0, 0).
    couplings : ndarray, shape (3,)
        MHz.
    decay_rate : float
        R, MHz.
    sequence : Sequence
    tolerance : float
        Largest error of any component of M; |M(0)| = 1/2.
    rule : StepRule
    """
    _, coupled = field_bounds(frequencies, table, couplings)
    restless = 2 * math.pi * roughness(table) * float(np.abs(couplings).sum())
    offsets = np.abs(frequencies)
    is_upright = abs(math.cos(sequence.pulses[0].angle)) <= UPRIGHT
    longest = (tolerance / 1e-3) ** (1 / 3) * min(
        _ratio(rule.coupled_angle if is_upright else rule.tilted_angle, 2 * math.pi * coupled),
        _ratio(rule.line_angle, 2 * math.pi * float(np.median(offsets))),
        _ratio(
            rule.satellite_angle, 2 * math.pi * float(np.percentile(offsets, SATELLITE_PERCENTILE))
        ),
        _ratio(rule.decay, 2 * math.pi * decay_rate),
        _ratio(math.sqrt(_ratio(rule.roughness, sequence.time[-1])), np.float64(restless) ** 1.5),
    )
    # Between two pulses there must be room for some of the longer steps of the comparison.
    spacing = min((n for n in sequence.segments if n), default=1)
    longest = min(longest / sequence.dt, spacing / (LEAST_STEPS * rule.ratio))
    fitting = [guess for guess in GUESSES if guess <= longest]
    cut = fixed_cut(fitting[0] if fitting else GUESSES[-1])
    is_smooth = rule.power(table, "averaged", 0.0) == 3
    return cut._replace(pause=rule.pause_factor if is_upright and is_smooth else 1)


def quiet_times(
    frequencies: FloatArray, sequence: Sequence, rule: StepRule = RULE
) -> list[tuple[int, int]]:
    """First and last samples between which M of uncoupled spins has died away.

    None where the sites are too few to tell.
    """
    if frequencies.size * rule.pause_below**2 < LEAST_SITES_IN_NOISE:
        return []
    offsets = np.sort(frequencies, axis=None)[:: max(frequencies.size // N_OFFSETS, 1)]
    # s' = s × b turns clockwise about z.
    turns = -2j * math.pi * sequence.dt * offsets
    n_points = max(sequence.segments) // QUIET_GRID + 1
    phases = np.exp(np.multiply.outer(QUIET_GRID * np.arange(n_points), turns))
    spins = np.zeros((3, len(offsets)))
    spins[2] = 0.5
    found = []
    for pulse, count in zip(sequence.pulses, sequence.segments, strict=True):
        spins = pulse.matrix() @ spins
        transverse = spins[0] + 1j * spins[1]
        on_grid = phases[: count // QUIET_GRID + 1] * transverse
        loud = np.abs(on_grid.mean(axis=1)) >= rule.pause_below / 2
        found += [
            (pulse.sample + QUIET_GRID * first, pulse.sample + QUIET_GRID * last)
            for first, last in _quiet_runs(loud)
        ]
        turned = transverse * np.exp(count * turns)
        spins = np.stack([turned.real, turned.imag, spins[2]])
    return found


def _quiet_runs(loud: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Grid points between which none is loud, a margin inside, on a coarser grid."""
    borders = np.flatnonzero(np.concatenate([[True], loud, [True]])) - 1
    firsts = -(-(borders[:-1] + QUIET_MARGIN) // QUIET_ROUND) * QUIET_ROUND
    lasts = (borders[1:] - QUIET_MARGIN) // QUIET_ROUND * QUIET_ROUND
    return [(int(a), int(b)) for a, b in zip(firsts, lasts, strict=True) if a < b]


def roughness(table: FloatArray) -> float:
    """Field of randomly oriented neighbours over that of aligned ones, √(Σ K²) / |κ|."""
    return float(math.sqrt((table**2).sum()) / abs(table.sum()))


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else math.inf
