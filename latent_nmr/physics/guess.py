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
from latent_nmr.physics.steps import Cut, cut_within, field_bounds

FloatArray = npt.NDArray[np.float64]


# In sample intervals.
SHORTEST_GUESS = 1 / 128
# cos θ of a pulse that counts as one of 90°: M_z is then less than a hundredth of M.
UPRIGHT = 0.01
# Offsets at the second percentile of BUNCH that are by less than a factor above those at the first
# are one line, however few its spins: those of one line's tails lie farther apart.
SATELLITE_PERCENTILE, BUNCH, BUNCHED = 85, (93, 97), 1.15
# Steps of the coarser curve between two pulses, at least.
LEAST_STEPS = 4
# M of uncoupled spins is taken from some offsets, on a grid of samples; a noise of 1/√n_sites must
# be below a third of what counts as died away. Edges stand away from louder times by a margin
# and on a coarser grid, in grid points, so that curves with their own ν agree.
N_OFFSETS, QUIET_GRID, LEAST_SITES_IN_NOISE, QUIET_MARGIN, QUIET_ROUND = 256, 8, 9, 2, 4


@dataclass(frozen=True)
class StepRule:
    """Constants that decide the steps of a curve; stored with the data that they made.

    The first guess is the longest step T, µs, whose angles stay below limits for a tolerance of
    0.001. They scale with the third root of the tolerance, up to a factor `most_lenient`, those of
    the line up to one: from longer steps one could not tell how large the error is.

    Parameters
    ----------
    coupled_angle, tilted_angle : float
        Rotation of a spin in T by the aligned field of all others, rad, after a first pulse of 90°
        and of another angle: then a magnetisation along z stays, and holds the spins together.
    along_z : float
        How much α_z counts in that: its field is along the offsets, and changes their axes little.
    line_angle, satellite_angle : float
        Rotation by the median of |ν|, and by that of satellite lines, whose field rotates fast, see
        :func:`satellite_offset`. Rad.
    decay : float
        Loss by dephasing.
    roughness : float
        Bound of (2π r W)^(3/2) T √t, with r the roughness of the kernel on a record of t µs.
    pause_factor : int
        Where M of spins without couplings has died away, steps are this many times as long, after
        a pulse of 90° and with a smooth kernel.
    pause_below : float
        M that has died away, as a share of |M(0)|.
    ratio : int
        By what factor the steps of the first comparison are longer.
    safety : float
        By what factor errors may exceed what two curves' difference and the scheme's order say,
        under a smooth kernel after a first pulse of 90°.
    rough_safety, tilted_safety : float
        By what factor more under a rough kernel, and under a smooth one after a pulse of another
        angle: few fast neighbours, and spins that keep a part along z, make errors fall more
        slowly.
    smooth, rough : float
        Roughness of a kernel on 100 × 100 sites below which it is smooth, and above which rough. On
        others it counts in proportion to their edge: fewer sites average less.
    lossy : float
        Dephasing rate, MHz, from which on it counts as much as a rough kernel.
    small : float
        Share of the tolerance down to which errors are taken to fall with the step as they should:
        a smaller estimate is half of what two curves differ by, up to this.
    margin : float
        Share of the tolerance that an estimate may take.
    aim : float
        What shorter steps aim at, as a share of what an estimate may be.
    least_division, most_division : float
        By what factor steps become shorter at once. Rounding errors that grow do not fall with the
        step: by a larger factor, an estimate would take them for errors that do.
    most_divided : int
        By what factor steps may become shorter than those of the first guess.
    progress, most_stalled : float, int
        The search ends where the estimate did not fall below this share of the lowest so far, that
        many times in a row.
    """

    most_lenient: float = 1.3
    coupled_angle: float = 0.265
    tilted_angle: float = 0.12
    along_z: float = 0.5
    line_angle: float = 0.3
    satellite_angle: float = 0.8
    decay: float = 0.02
    roughness: float = 2.4
    pause_factor: int = 2
    pause_below: float = 0.1
    ratio: int = 4
    safety: float = 1.7
    rough_safety: float = 4.7
    tilted_safety: float = 1.8
    smooth: float = 0.03
    rough: float = 0.3
    lossy: float = 0.002
    small: float = 0.2
    margin: float = 0.8
    aim: float = 0.8
    least_division: float = 1.25
    most_division: float = 2.0
    most_divided: int = 64
    progress: float = 0.9
    most_stalled: int = 2

    def error_factor(self, ratio: float, order: int, safety: float) -> float:
        """Estimated error over the difference from a curve with steps `ratio` times as long."""
        return safety / (ratio**order - 1)

    def how_rough(self, table: FloatArray, decay_rate: float) -> float:
        """How rough a kernel is, with dephasing, from 0 to 1."""
        on_100_sites = max(roughness(table) * 100 / len(table), self.smooth)
        share = math.log(on_100_sites / self.smooth) / math.log(self.rough / self.smooth)
        # Dephasing is split from rotation, symmetrically: second order, of what little it is.
        return min(max(share, decay_rate / self.lossy), 1.0)

    def own_safety(self, table: FloatArray, decay_rate: float, sequence: Sequence) -> float:
        """Factor of safety for one kernel, dephasing and sequence."""
        rough = self.how_rough(table, decay_rate)
        tilted = 1 if is_upright(sequence) else self.tilted_safety
        return self.safety * tilted ** (1 - rough) * self.rough_safety**rough

    def shorter(self, cut: Cut, excess: float, order: int) -> Cut:
        """Cut for an estimated error that is by a factor `excess` above what it may be."""
        factor = (excess / self.aim) ** (1 / order)
        factor = min(max(factor, self.least_division), self.most_division)
        return cut_within(cut.step / factor, cut.pause)


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
    _, coupled = field_bounds(frequencies, table, couplings * [1, 1, rule.along_z])
    restless = 2 * math.pi * roughness(table) * float(np.abs(couplings).sum())
    offsets = np.abs(frequencies)
    upright = is_upright(sequence)
    scale = min((tolerance / 1e-3) ** (1 / 3), rule.most_lenient)
    longest = min(
        scale * _ratio(rule.coupled_angle if upright else rule.tilted_angle, coupled),
        min(scale, 1) * _ratio(rule.line_angle, float(np.median(offsets))),
        min(scale, 1) * _ratio(rule.satellite_angle, satellite_offset(frequencies)),
        scale * _ratio(rule.decay, decay_rate),
    ) / (2 * math.pi)
    roughness_bound = math.sqrt(_ratio(rule.roughness, sequence.time[-1]))
    longest = min(longest, scale * _ratio(roughness_bound, restless**1.5))
    # Between two pulses there must be room for some of the longer steps of the comparison.
    spacing = min((n for n in sequence.segments if n), default=1)
    longest = min(longest / sequence.dt, spacing / (LEAST_STEPS * rule.ratio))
    cut = cut_within(max(longest, SHORTEST_GUESS))
    may_pause = upright and rule.how_rough(table, 0.0) == 0
    return cut._replace(pause=rule.pause_factor if may_pause else 1)


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


def satellite_offset(frequencies: FloatArray) -> float:
    """Offset |ν| of the fastest spins that turn together, MHz."""
    percentiles = (*BUNCH, SATELLITE_PERCENTILE)
    inner, outer, usual = np.percentile(np.abs(frequencies), percentiles)
    return float(outer if outer < BUNCHED * inner else usual)


def is_upright(sequence: Sequence) -> bool:
    """Whether the first pulse leaves no magnetisation along z."""
    return abs(math.cos(sequence.pulses[0].angle)) <= UPRIGHT


def roughness(table: FloatArray) -> float:
    """Field of randomly oriented neighbours over that of aligned ones, √(Σ K²) / |κ|."""
    return float(math.sqrt((table**2).sum()) / abs(table.sum()))


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else math.inf
