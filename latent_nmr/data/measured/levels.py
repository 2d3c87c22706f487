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
# Fewest quiet samples, and the least part of a record, that an offset is taken from.
FEWEST_QUIET, LEAST_QUIET = 16, 0.1
# Parts of the quiet samples whose means must agree, but for noise with this probability.
N_PARTS, SIGNIFICANCE = 8, 1e-3


def levelled(
    records: Records, echo: FoundEcho, noises: Sequence[Noise]
) -> tuple[Records, tuple[Step, ...]]:
    """Records without the mean of their quiet parts, where that is no signal.

    Strongly coupled spins have signal far from the top of their echo; its mean is no offset, and
    differs from part to part.
    """
    elapsed = np.abs(records.time - records.time[0] - echo.time)
    quiet = records.measured & (elapsed > QUIET * echo.width)
    values = {"samples": int(quiet.sum())}
    if quiet.sum() < max(FEWEST_QUIET, LEAST_QUIET * len(quiet)):
        detail = "Subtracted no offset: too little of the record is away from the echo."
        return records, (Step("baseline", detail, values),)
    steady = is_steady(records, quiet, noises)
    if not steady.any():
        detail = "Subtracted no offset: what is away from the echo is not steady."
        return records, (Step("baseline", detail, values),)
    level = np.where(steady, records.signal[:, quiet].mean(axis=1), 0)
    largest = float(np.abs(level).max())
    detail = f"Subtracted the mean of {int(quiet.sum())} quiet samples, at most {largest:.4g}"
    few = int((~steady).sum())
    detail += f", but for {few} records where those are not steady." if few else "."
    moved = records.signal - np.where(records.measured, level[:, None], 0)
    step = Step("baseline", detail, {**values, "largest": largest, "unsteady": few})
    return records.with_signal(moved), (step,)


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
