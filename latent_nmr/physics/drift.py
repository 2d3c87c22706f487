"""What rounding does to M over a long record: by how much its phase drifts.

A rotation that is rounded turns spins by a share too far or not far enough, and, since steps are
alike, by the same share in all of them. Two curves that differ in their steps may share that, so
that their difference does not tell it.
"""

import math

import numpy as np
import numpy.typing as npt

from latent_nmr.physics.guess import N_OFFSETS
from latent_nmr.physics.sequence import Sequence

FloatArray = npt.NDArray[np.float64]

# Times in one segment of the sequence at which the drift is looked up.
N_TIMES = 256
# Of kernels that change sign, the field of spins in disorder is larger than that of aligned ones,
# and so is what rounding does to it; of its errors as few add up.
DISORDERED_SHARE = 1 / 30


def phase_drift(
    frequencies: FloatArray,
    table: FloatArray,
    couplings: FloatArray,
    sequence: Sequence,
    signal: npt.NDArray[np.floating],
    enough: float = 0.0,
) -> float:
    """Change of M, at most, where all angles of rotation are by one rounding too large.

    Parameters
    ----------
    frequencies, table : ndarray, shape (n_edge, n_edge)
        ν_i in MHz and K(r) from site (0, 0).
    couplings : ndarray, shape (3,)
        MHz.
    sequence : Sequence
    signal : ndarray, shape (n_samples, 3)
        The curve; its precision is that of the rounding.
    enough : float
        A change of at most this need not be known: then what is returned is at most this, too.
    """
    rounding = float(np.finfo(signal.dtype).eps)
    length = np.linalg.norm(signal.astype(np.float64), axis=1)
    in_kernel = max(1.0, DISORDERED_SHARE * float(np.abs(table).sum() / abs(table.sum())))
    field = 0.5 * float(np.abs(couplings).max()) * in_kernel
    coupled = rounding * 2 * math.pi * field * float((sequence.time * length).max())
    fastest = rounding * math.pi * float(np.abs(frequencies).max() * sequence.time[-1])
    if coupled + fastest <= enough:
        return coupled + fastest
    return coupled + rounding * slope_of_line(frequencies, sequence)


def slope_of_line(frequencies: FloatArray, sequence: Sequence) -> float:
    """Largest change of M of uncoupled spins over the share by which all ν are changed.

    An echo has none: what ν turns before its pulse it turns back after it.
    """
    offsets = np.sort(frequencies, axis=None)[:: max(frequencies.size // N_OFFSETS, 1)]
    turns = -2j * math.pi * sequence.dt * offsets  # s' = s × b turns clockwise about z
    spins, slopes, largest = np.zeros((3, len(offsets))), np.zeros((3, len(offsets))), 0.0
    spins[2] = 0.5
    for pulse, count in zip(sequence.pulses, sequence.segments, strict=True):
        spins, slopes = pulse.matrix() @ spins, pulse.matrix() @ slopes
        across, slope = spins[0] + 1j * spins[1], slopes[0] + 1j * slopes[1]
        times = np.unique(np.linspace(0, count, N_TIMES).astype(int))[:, None]
        phases = np.exp(times * turns)
        found = phases * (slope + times * turns * across)
        largest = max(largest, float(np.abs(found.mean(axis=1)).max()))
        turned = phases[-1] * across
        spins = np.stack([turned.real, turned.imag, spins[2]])
        slopes = np.stack([found[-1].real, found[-1].imag, slopes[2]])
    return largest
