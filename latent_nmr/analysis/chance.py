"""Scores from nearest neighbours that are expected where coordinates say nothing of the labels."""

from collections.abc import Iterator
from math import comb

import numpy as np
import numpy.typing as npt
from scipy.stats import multinomial

from latent_nmr.analysis.scores import (
    N_NEIGHBOURS,
    POWER_LAW,
    REGRESSED,
    Parts,
    is_number,
    other_labels,
)

# A vote among many classes has too many outcomes to be listed: its F1 has no expected value here.
MOST_OUTCOMES = 200_000


def chance_scores(parts: Parts, n_neighbors: int = N_NEIGHBOURS) -> dict[str, float]:
    """What :func:`neighbour_scores` gives on average if coordinates and labels are unrelated.

    A mean of k values that have nothing to do with the truth has the variance σ²/k beside their
    σ²: R² = -1/k. A class of share p that is predicted, whatever the truth, with rate q has
    F1 = 2pq/(p + q); q is the chance that it wins the vote of k draws.
    """
    known = (*REGRESSED, "L_power", "L_others")
    numbers = [name for name in other_labels(parts.fitted) if is_number(parts.fitted[name])]
    chance = {f"r2_{name}": -1 / n_neighbors for name in (*known, *numbers)}
    for label in (name for name in other_labels(parts.fitted) if name not in numbers):
        share = _shares(parts.fitted[label])[1]
        if len(share) > 1 and comb(n_neighbors + len(share) - 1, n_neighbors) <= MOST_OUTCOMES:
            chance[f"f1_{label}_macro"] = float(_chance_f1(share, n_neighbors).mean())
    if "kernel" not in parts.fitted:
        return chance
    names, share = _shares(parts.fitted["kernel"])
    if len(names) > 1:
        chance["f1_kernels_macro"] = float(_chance_f1(share, n_neighbors).mean())
    if POWER_LAW in names and len(names) > 1:
        power = float(share[names == POWER_LAW][0])
        shares = np.array([1 - power, power])
        of_class = _chance_f1(shares, n_neighbors)
        chance["f1_binary"] = float(of_class[1])
        chance["f1_macro"] = float(of_class.mean())
        chance["f1_weighted"] = float(of_class @ shares)
    return chance


def _shares(values: npt.NDArray[np.generic]) -> tuple[npt.NDArray, npt.NDArray[np.float64]]:
    """Classes and their shares."""
    names, counts = np.unique(values, return_counts=True)
    return names, counts / counts.sum()


def _chance_f1(shares: npt.NDArray[np.float64], n_neighbors: int) -> npt.NDArray[np.float64]:
    rates = _winning_rates(shares, n_neighbors)
    return 2 * shares * rates / (shares + rates)


def _winning_rates(shares: npt.NDArray[np.float64], n_votes: int) -> npt.NDArray[np.float64]:
    """How often each class wins a vote of independent draws; ties go to the first."""
    outcomes = np.array(list(_compositions(n_votes, len(shares))))
    law = multinomial(n_votes, shares).pmf(outcomes)
    rates = np.zeros(len(shares))
    np.add.at(rates, outcomes.argmax(axis=1), law)
    return rates


def _compositions(total: int, n_parts: int) -> Iterator[tuple[int, ...]]:
    """All ways to write `total` as an ordered sum of `n_parts` whole numbers >= 0."""
    if n_parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in _compositions(total - first, n_parts - 1))
