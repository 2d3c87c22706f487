"""Choice of the time step of each curve, and bounds on the rotation in one step.

The error of the `averaged` scheme has two sources (measured by `make accuracy`): the mean field
of a long-ranged kernel changes smoothly and allows long steps; that of a short-ranged one
follows single fast neighbours, which previous steps cannot predict, and needs short steps.
"""

import math
import warnings
from numbers import Real

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import ROUNDING, InputError, StepWarning
from latent_nmr.physics.schedule import Plan
from latent_nmr.physics.sequence import Sequence

FloatArray = npt.NDArray[np.float64]

# Bounds of a step, in sample intervals: beyond the first the rounding of samples inside a step
# grows, beyond the second that of the whole record.
LARGEST_STEP, FINEST_STEP = 128, 1024

# Steps that are tried, in sample intervals, longest first.
AUTOMATIC_STEPS = (8.0, 6.0, 4.0, 3.0, 2.0, 1.0, *(0.5**k for k in range(1, 8)))
# The lattice code has one step per sample. Its first-order errors on 16 × 16 sites are 0.01 at a
# third of the limits below, where those of `averaged` are 3e-4; no published curve comes to them.
SOURCE_STEPS = (1.0,)

# Limits for one step of T µs, from the measured errors of 85 curves at five steps. Smooth kernels
# (rotation of a spin by the aligned field of all others, and by a typical ν, in rad; loss by
# dephasing): errors up to 7e-4 at the limit. Rough ones, of roughness r on a record of t µs: the
# error is 1.9e-4 (2π r W)³ T² t, within a factor of 1.5 where it matters; 7e-4 at the limit.
MAX_COUPLED_ANGLE = 0.5
# After a first pulse of another angle than 90° the spins share a magnetisation along z, which
# holds them together, and errors grow: measured on 36 curves with angles from 30° to 150°, 0.026
# at the limit above and at most 7e-4 at this one.
MAX_TILTED_ANGLE = 0.125
# cos θ of a pulse that counts as one of 90°: M_z is then less than a hundredth of M.
UPRIGHT = 0.01
MAX_LINE_ANGLE = 0.3
MAX_DECAY = 0.02
# A seventh of the spins or more with a large common offset are a satellite line, not a tail, and
# their mean field rotates fast. The truncated Lorentzians of the published sets stay below this
# limit (rad) at eight samples.
MAX_SATELLITE_ANGLE = 0.8
SATELLITE_PERCENTILE = 85
MAX_ROUGHNESS = 3.7
# By what factor the finest step may be longer than these limits allow. Measured with 90° pulses on
# 16 × 16 sites, kernels from nearest neighbours to ξ = 3: errors up to 3e-5 at twice the limit, and
# 0.1 at four times.
MOST_BEYOND = 2.0


def split_step(step: float) -> tuple[int, int]:
    """Return (sample intervals per step, steps per sample interval); one of them is 1."""
    is_number = isinstance(step, Real) and not isinstance(step, bool)
    if is_number and step > 0 and math.isfinite(step):
        whole = max(float(step), 1 / float(step))
        if abs(whole - round(whole)) < ROUNDING * whole:  # 1/3 in single precision is 1/3
            if whole > (LARGEST_STEP if step > 1 else FINEST_STEP):
                raise InputError(
                    f"step must be between 1/{FINEST_STEP} and {LARGEST_STEP} sample intervals, "
                    f"because rounding errors grow beyond, but is {step!r}. Use 8 or less."
                )
            return (round(whole), 1) if step >= 1 else (1, round(whole))
    raise InputError(
        "step must be a whole number of sample intervals or one over a whole number, so that "
        f"samples and steps meet, but is {step!r}. Use 4, 2, 1, 0.5, …"
    )


def make_plan(
    frequencies: FloatArray,
    table: FloatArray,
    couplings: FloatArray,
    decay_rate: float,
    sequence: Sequence,
    *,
    step: float | None,
    scheme: str,
) -> Plan:
    """Cut the record of one curve into steps.

    Parameters
    ----------
    frequencies, table : ndarray, shape (n_edge, n_edge)
        ν_i in MHz and K(r) from site (0, 0).
    couplings : ndarray, shape (3,)
        MHz.
    decay_rate : float
        R, MHz.
    sequence : Sequence
    step : float or None
        In sample intervals; None chooses, see :func:`automatic_step`, which has only 1 for
        `source`.
    scheme : {"averaged", "midpoint", "source"}

    Returns
    -------
    Plan
    """
    if step is None:
        steps = SOURCE_STEPS if scheme == "source" else AUTOMATIC_STEPS
        step = automatic_step(frequencies, table, couplings, decay_rate, sequence, steps)
    n, stride = split_step(step)
    interval = sequence.dt / stride
    in_line, coupled = field_bounds(frequencies, table, couplings)
    radians = 2 * math.pi * interval
    # The predicted mean field is at most 8/3 of the largest there is, and Magnus' second
    # term n/12 |b̄| |d| with |d| at most twice the field.
    bound = radians * (in_line + 8 / 3 * coupled) * (1 + n * radians * coupled / 6)
    if not math.isfinite(bound):
        raise InputError(
            "frequencies and couplings must turn a spin by a finite angle per interval, but the "
            f"largest coupling is {np.abs(couplings).max():g} MHz. Check the units."
        )
    return Plan(
        interval=interval,
        segments=tuple(stride * count for count in sequence.segments),
        stride=stride,
        n=n,
        scheme=scheme,
        max_angle=bound,
    )


def field_bounds(
    frequencies: FloatArray, table: FloatArray, couplings: FloatArray
) -> tuple[float, float]:
    """Largest |ν_i| and largest coupled field |α M_i| that can occur, MHz."""
    # |M_i| ≤ (1/2) Σ|K| / |κ|: above 1/2 for kernels that change sign.
    in_kernel = float(np.abs(table).sum() / abs(table.sum()))
    return float(np.abs(frequencies).max()), 0.5 * in_kernel * float(np.abs(couplings).max())


def roughness(table: FloatArray) -> float:
    """Field of randomly oriented neighbours over that of aligned ones, √(Σ K²) / |κ|."""
    return float(math.sqrt((table**2).sum()) / abs(table.sum()))


def automatic_step(
    frequencies: FloatArray,
    table: FloatArray,
    couplings: FloatArray,
    decay_rate: float,
    sequence: Sequence,
    steps: tuple[float, ...] = AUTOMATIC_STEPS,
) -> float:
    """Longest step, in sample intervals, expected to keep the error of M below about 0.001.

    Where even the finest is too long, it is taken with a `StepWarning`, or refused.

    The limits are calibrated on 100 × 100 sites, kernels and lines of the published sets. Smaller
    lattices average less (some 0.005 at 20 × 20), nearest-neighbour kernels and lines of two
    components need a shorter step than this: compare two steps there.

    Parameters
    ----------
    frequencies, table : ndarray, shape (n_edge, n_edge)
        ν_i in MHz and K(r) from site (0, 0).
    couplings : ndarray, shape (3,)
        MHz.
    decay_rate : float
        R, MHz.
    sequence : Sequence
    steps : tuple of float
        Those to choose from, in sample intervals, longest first.

    Raises
    ------
    InputError
        If the finest step is more than twice as long as it may be.
    """
    _, coupled = field_bounds(frequencies, table, couplings)
    restless = 2 * math.pi * roughness(table) * float(np.abs(couplings).sum())
    is_tilted = abs(math.cos(sequence.pulses[0].angle)) > UPRIGHT
    largest_angle = MAX_TILTED_ANGLE if is_tilted else MAX_COUPLED_ANGLE
    longest = min(
        _ratio(largest_angle, 2 * math.pi * coupled),
        _ratio(MAX_LINE_ANGLE, 2 * math.pi * float(np.median(np.abs(frequencies)))),
        _ratio(
            MAX_SATELLITE_ANGLE,
            2 * math.pi * float(np.percentile(np.abs(frequencies), SATELLITE_PERCENTILE)),
        ),
        _ratio(MAX_DECAY, 2 * math.pi * decay_rate),
        _ratio(math.sqrt(_ratio(MAX_ROUGHNESS, sequence.time[-1])), np.float64(restless) ** 1.5),
    )
    fitting = [step for step in steps if step * sequence.dt <= longest]
    return fitting[0] if fitting else _finest_step(longest, sequence.dt, steps[-1])


def _finest_step(longest: float, interval: float, finest: float) -> float:
    """Return the finest step for a curve that should have a finer one still, or refuse it."""
    size = "one sample" if finest == 1 else f"1/{1 / finest:.0f} of a sample"
    said = (
        "couplings, frequencies and dephasing must be slow enough for a step that keeps the error "
        f"of M below about 0.001, but need one of {longest:.2g} µs at most, and the finest is "
        f"{size}, {finest * interval:.2g} µs"
    )
    cure = "Sample more finely (a smaller dt), and check the units (MHz, µs)"
    if not finest * interval <= MOST_BEYOND * longest:
        raise InputError(f"{said}. {cure}, or fix the step: step={finest}.")
    warnings.warn(f"{said}, which is taken. {cure}.", StepWarning, stacklevel=5)
    return finest


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 else math.inf
