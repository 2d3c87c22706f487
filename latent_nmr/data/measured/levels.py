"""The constant offset of a receiver, where a record shows one."""

from collections.abc import Sequence

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


def levelled(
    records: Records, echo: FoundEcho, noises: Sequence[Noise]
) -> tuple[Records, tuple[Step, ...]]:
    """Records without the mean of their quiet parts, where that is no signal.

    Strongly coupled spins have signal far before the top of their echo; its mean is no offset, and
    differs from part to part. What comes after the echo is then looked at alone, or the last of
    it.
    """
    elapsed = records.time - records.time[0] - echo.time
    near = QUIET * echo.width
    starts = near + np.array(LATER) * max(elapsed[-1] - near, 0)
    away = [np.abs(elapsed) > near, *(elapsed > start for start in starts)]
    quiet = [own for own in (records.measured & own for own in away) if own.sum() >= FEWEST_QUIET]
    if not quiet:
        detail = "Subtracted no offset: too little of the record is away from the echo."
        return records, (Step("baseline", detail, {"unsteady": len(records.signal)}),)
    level = np.zeros(len(records.signal), np.complex128)
    is_open = np.ones(len(level), bool)
    for own in quiet:
        steady = is_open & is_steady(records, own, noises)
        level[steady] = records.signal[steady][:, own].mean(axis=1)
        is_open &= ~steady
    n_unsteady, largest = int(is_open.sum()), float(np.abs(level).max())
    values = {"largest": largest, "unsteady": n_unsteady}
    if n_unsteady == len(level):
        detail = "Subtracted no offset: what is away from the echo is not steady."
        return records, (Step("baseline", detail, values),)
    detail = f"Subtracted the mean of what is away from the echo, at most {largest:.4g}"
    detail += f", but for {n_unsteady} records where it is not steady." if n_unsteady else "."
    moved = records.signal - np.where(records.measured, level[:, None], 0)
    return records.with_signal(moved), (Step("baseline", detail, values),)


def is_steady(
    records: Records, quiet: npt.NDArray[np.bool_], noises: Sequence[Noise]
) -> npt.NDArray[np.bool_]:
    """Whether the quiet samples of each record have one mean, shape (n_records,).

    Under noise alone the means of N parts scatter about that of all with 2 (N - 1) degrees of
    freedom, each by the noise of a band that is one over the part's duration wide.
    """
    from scipy.stats import chi2

    parts = np.array_split(np.flatnonzero(quiet), N_PARTS)
    sizes = np.array([len(part) for part in parts])
    means = np.stack([records.signal[:, part].mean(axis=1) for part in parts], axis=1)
    common = (means * sizes).sum(axis=1) / sizes.sum()
    densities = np.array([noise.density for noise in noises])
    variances = np.maximum(densities, 1e-300)[:, None] / (sizes * records.dwell)
    scatter = np.sum(np.abs(means - common[:, None]) ** 2 / variances, axis=1)
    return chi2.sf(scatter, 2 * (N_PARTS - 1)) > SIGNIFICANCE
