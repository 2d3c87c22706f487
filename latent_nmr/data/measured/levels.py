"""The constant offset of a receiver, where a record shows one."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from latent_nmr.data.measured.echo_search import FoundEcho
from latent_nmr.data.measured.noise import Noise
from latent_nmr.data.measured.steps import Step
from latent_nmr.data.measured.working import Records

# Samples this many widths from the top of the echo are quiet.
QUIET = 2.5
# Fewest quiet samples that an offset is taken from: two in each part.
FEWEST_QUIET = 16
# Where what is away from the echo is not steady, these parts of what comes after it are left out.
LATER = (0.0, 0.5, 0.75)
# Parts of the quiet samples whose means must agree, but for noise with this probability.
N_PARTS, SIGNIFICANCE = 8, 1e-3


class Levelled(NamedTuple):
    """Records without their offsets, and what may be left of those.

    Attributes
    ----------
    records : Records
    error : ndarray, shape (n_records,)
        Standard deviation of what is left, of one channel.
    steps : tuple of Step
    """

    records: Records
    error: npt.NDArray[np.float64]
    steps: tuple[Step, ...]

    @classmethod
    def none(cls, records: Records) -> Self:
        """Records that are said to have no offset."""
        return cls(records, np.zeros(len(records.signal)), ())


def levelled(records: Records, echo: FoundEcho, noises: Sequence[Noise]) -> Levelled:
    """Records without the mean of their quiet parts, where that is no signal.

    Strongly coupled spins have signal far before the top of their echo; its mean is no offset, and
    differs from part to part. What comes after the echo is then looked at alone, or the last of
    it. If that is not steady either, the offset stays, and may be as large as the mean is there.
    """
    elapsed = records.time - records.time[0] - echo.time
    near = QUIET * echo.width
    starts = near + np.array(LATER) * max(elapsed[-1] - near, 0)
    away = [np.abs(elapsed) > near, *(elapsed > start for start in starts)]
    quiet = [own for own in (records.measured & own for own in away) if own.sum() >= FEWEST_QUIET]
    if not quiet:
        most = _Parts.of(records, _farthest(records, elapsed), noises).most
        return _not_levelled(records, most, "too little of the record is away from the echo")
    level = np.zeros(len(records.signal), np.complex128)
    error = np.full(len(level), np.inf)
    is_open = np.ones(len(level), bool)
    for own in quiet:
        parts = _Parts.of(records, own, noises)
        steady = is_open & parts.is_steady
        level[steady] = parts.mean[steady]
        error[steady] = parts.error[steady]
        is_open &= ~steady
        # Of several places that are not steady, the one with least signal bounds it best.
        error[is_open] = np.minimum(error, parts.most)[is_open]
    n_unsteady, largest = int(is_open.sum()), float(np.abs(level).max())
    if n_unsteady == len(level):
        return _not_levelled(records, error, "what is away from the echo is not steady")
    values = {"largest": largest, "unsteady": n_unsteady, "error": float(error.max())}
    detail = f"Subtracted the mean of what is away from the echo, at most {largest:.4g}"
    detail += f", but for {n_unsteady} records where it is not steady." if n_unsteady else "."
    moved = records.signal - np.where(records.measured, level[:, None], 0)
    return Levelled(records.with_signal(moved), error, (Step("baseline", detail, values),))


def _not_levelled(records: Records, error: npt.NDArray[np.float64], reason: str) -> Levelled:
    """Records as they are, with offsets that may be in them."""
    most = float(error.max())
    detail = f"Subtracted no offset: {reason}. One of {np.sqrt(2) * most:.2g} may be left."
    values = {"largest": 0.0, "unsteady": len(error), "error": most}
    return Levelled(records, error, (Step("baseline", detail, values),))


def _farthest(records: Records, elapsed: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """The quarter of the samples, of FEWEST_QUIET or more, that is farthest from the echo."""
    away = np.where(records.measured, np.abs(elapsed), -1.0)
    n_samples = max(int(records.measured.sum()) // 4, FEWEST_QUIET)
    return records.measured & (away >= np.sort(away)[-min(n_samples, len(away))])


class _Parts(NamedTuple):
    """Quiet samples of each record in parts; all of shape (n_records,).

    Attributes
    ----------
    mean : ndarray of complex
        Of all parts.
    error : ndarray
        Standard deviation of the mean by noise alone, of one channel.
    most : ndarray
        Standard deviation of an offset about nought, of one channel, that is as large as the mean.
    is_steady : ndarray of bool
        Whether the parts have one mean: under noise alone those of N scatter about that of all
        with 2 (N - 1) degrees of freedom, each by the noise of a band that is one over the part's
        duration wide.
    """

    mean: npt.NDArray[np.complex128]
    error: npt.NDArray[np.float64]
    most: npt.NDArray[np.float64]
    is_steady: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, records: Records, quiet: npt.NDArray[np.bool_], noises: Sequence[Noise]
    ) -> "_Parts":
        from scipy.stats import chi2

        split = np.array_split(np.flatnonzero(quiet), N_PARTS)
        sizes = np.array([len(part) for part in split])
        means = np.stack([records.signal[:, part].mean(axis=1) for part in split], axis=1)
        common = (means * sizes).sum(axis=1) / sizes.sum()
        densities = np.array([noise.density for noise in noises])
        variances = np.maximum(densities, 1e-300)[:, None] / (sizes * records.dwell)
        squares = np.abs(means - common[:, None]) ** 2
        return cls(
            common,
            np.sqrt(densities / (sizes.sum() * records.dwell)),
            np.sqrt((np.abs(common) ** 2 + squares.sum(axis=1) / N_PARTS / (N_PARTS - 1)) / 2),
            chi2.sf(np.sum(squares / variances, axis=1), 2 * (N_PARTS - 1)) > SIGNIFICANCE,
        )
