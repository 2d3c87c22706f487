"""How finely the record of a curve is cut into steps, and what they must be compiled for."""

import math
from collections.abc import Sequence as Rows
from numbers import Real
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import ROUNDING, InputError
from latent_nmr.physics.rotation import INSIDE, n_doublings
from latent_nmr.physics.schedule import Plan, Run
from latent_nmr.physics.sequence import Sequence

FloatArray = npt.NDArray[np.float64]

# Bounds of a step, in sample intervals: beyond the first the rounding of samples inside a step
# grows, beyond the second that of the whole record.
LARGEST_STEP, FINEST_STEP = 128, 1024


class Cut(NamedTuple):
    """How finely a record is cut.

    Attributes
    ----------
    n : int
        Intervals of a step.
    stride : int
        Intervals of a sample.
    pause : int
        By what factor steps are longer where M has died away.
    """

    n: int
    stride: int
    pause: int = 1

    @property
    def step(self) -> float:
        """In sample intervals."""
        return self.n / self.stride

    def times(self, factor: int) -> "Cut":
        """Steps that are longer by a whole factor."""
        common = math.gcd(factor, self.stride)
        return self._replace(n=self.n * (factor // common), stride=self.stride // common)

    def over(self, factor: int) -> "Cut":
        """Steps that are shorter by a whole factor."""
        common = math.gcd(factor, self.n)
        return self._replace(n=self.n // common, stride=self.stride * (factor // common))


# Of steps that are chosen, longest first: whole samples, then one and three over powers of two.
LENGTHS = (
    *(Cut(n, 1) for n in (16, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2)),
    *(Cut(n, 2**k) for k in range(11) for n, k in ((3, k + 1), (1, k))),
)


def cut_within(step: float, pause: int = 1) -> Cut:
    """Longest cut into steps of at most a length in sample intervals."""
    fitting = (cut for cut in LENGTHS if cut.step <= step)
    return next(fitting, LENGTHS[-1])._replace(pause=pause)


def fixed_cut(step: float) -> Cut:
    """Cut into steps of one given length in sample intervals, whole or one over a whole number."""
    is_number = isinstance(step, Real) and not isinstance(step, bool)
    if is_number and step > 0 and math.isfinite(step):
        whole = max(float(step), 1 / float(step))
        if abs(whole - round(whole)) < ROUNDING * whole:  # 1/3 in single precision is 1/3
            if whole > (LARGEST_STEP if step > 1 else FINEST_STEP):
                cure = "Use 8 or less." if step > 1 else f"Use 1/{FINEST_STEP} or more."
                raise InputError(
                    f"step must be between 1/{FINEST_STEP} and {LARGEST_STEP} sample intervals, "
                    f"because rounding errors grow beyond, but is {step!r}. {cure}"
                )
            return Cut(round(whole), 1) if step >= 1 else Cut(1, round(whole))
    raise InputError(
        "step must be a whole number of sample intervals or one over a whole number, so that "
        f"samples and steps meet, but is {step!r}. Use 4, 2, 1, 0.5, …"
    )


def make_plan(
    frequencies: FloatArray,
    table: FloatArray,
    couplings: FloatArray,
    sequence: Sequence,
    cut: Cut,
    scheme: str,
    *,
    pauses: Rows[tuple[int, int]] = (),
) -> Plan:
    """Cut the record of one curve into steps.

    Parameters
    ----------
    frequencies, table : ndarray, shape (n_edge, n_edge)
        ν_i in MHz and K(r) from site (0, 0).
    couplings : ndarray, shape (3,)
        MHz.
    sequence : Sequence
    cut : Cut
    scheme : {"averaged", "midpoint", "source"}
    pauses : sequence of (int, int)
        First and last samples of times of longer steps, see `latent_nmr.physics.guess`.

    Raises
    ------
    InputError
        If a spin would turn by no finite angle.
    """
    in_line, coupled = field_bounds(frequencies, table, couplings)
    interval = sequence.dt / cut.stride
    n_longest = cut.n * cut.pause
    radians = 2 * math.pi * interval
    # The predicted mean field is at most 8/3 of the largest there is, and Magnus' second
    # term n/12 |b̄| |d| with |d| at most twice the field.
    bound = n_longest * radians * (in_line + 8 / 3 * coupled)
    bound *= 1 + n_longest * radians * coupled / 6
    if not math.isfinite(bound):
        raise InputError(
            "frequencies and couplings must turn a spin by a finite angle per interval, but the "
            f"largest coupling is {np.abs(couplings).max():g} MHz. Check the units."
        )
    runs = [
        _runs(cut, cut.stride * pulse.sample, cut.stride * (pulse.sample + count), pauses)
        for pulse, count in zip(sequence.pulses, sequence.segments, strict=True)
    ]
    doublings = n_doublings(bound), n_doublings(bound / n_longest, INSIDE)
    return Plan(interval, cut.stride, tuple(runs), scheme, *doublings)


def _runs(cut: Cut, start: int, end: int, pauses: Rows[tuple[int, int]]) -> tuple[Run, ...]:
    """Steps that fill the intervals from `start` to `end`, longer ones in the pauses."""
    runs: list[Run] = []
    at = start

    def fill(until: int, length: int) -> None:
        nonlocal at
        count = max(until - at, 0) // length
        runs.append((count, length))
        at += count * length

    for quiet, loud in pauses if cut.pause > 1 else ():
        first, last = max(quiet * cut.stride, start), min(loud * cut.stride, end)
        if last - first >= cut.n * cut.pause:
            # Up to the pause, or one step into it.
            fill(first + cut.n - 1, cut.n)
            fill(last, cut.n * cut.pause)
    fill(end, cut.n)
    runs.append((1, end - at))
    return tuple((count, length) for count, length in runs if count and length)


def field_bounds(
    frequencies: FloatArray, table: FloatArray, couplings: FloatArray
) -> tuple[float, float]:
    """Largest |ν_i| and largest coupled field |α M_i| that can occur, MHz."""
    # |M_i| ≤ (1/2) Σ|K| / |κ|: above 1/2 for kernels that change sign.
    in_kernel = float(np.abs(table).sum() / abs(table.sum()))
    return float(np.abs(frequencies).max()), 0.5 * in_kernel * float(np.abs(couplings).max())
