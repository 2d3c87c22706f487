"""Strength of the relation of a latent axis and its labels, with permutation tests.

Notation: ρ is Spearman's coefficient, I the mutual information in nats. "Seed" is one of several
models that differ in their random seed.

To correct for testing several labels, a statistic is compared with the null distribution of its
maximum over all labels, permuted together ("max-T": P. H. Westfall, S. S. Young, Resampling-Based
Multiple Testing, Wiley 1993).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.dependence import is_nominal, mutual_information, unit_ranks

CONFIDENCE_PERCENT = 95
# The smallest number of permutations whose maximum can serve as the 95 % quantile.
FEWEST_PERMUTATIONS = 19

Labels = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Strength:
    """A statistic of one axis and one label.

    Attributes
    ----------
    values : tuple of float
        One per seed.
    null : float
        95 % quantile of the statistic with this label permuted, over all seeds.
    null_of_largest : float
        95 % quantile of its maximum over all labels, all permuted together.
    """

    values: tuple[float, ...]
    null: float
    null_of_largest: float

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over seeds; None for one seed."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else None

    @property
    def n_above(self) -> int:
        """Number of seeds in which the statistic exceeds `null_of_largest`."""
        return sum(value > self.null_of_largest for value in self.values)

    @property
    def is_above(self) -> bool:
        """Whether the statistic exceeds `null_of_largest` in every seed."""
        return self.n_above == len(self.values)

    def __str__(self) -> str:
        spread = "" if self.deviation is None else f" ± {self.deviation:.2f}"
        return f"{self.mean:.2f}{spread}"


@dataclass(frozen=True)
class LabelStrength:
    """Rank correlation and mutual information of one axis and one label.

    Attributes
    ----------
    label : str
    order : Strength or None
        |ρ|. None for a nominal label such as the kernel, whose values have no order.
    rho : tuple of float
        ρ with its sign, one per seed; empty for a nominal label.
    information : Strength
        I in nats.
    """

    label: str
    order: Strength | None
    rho: tuple[float, ...]
    information: Strength

    @property
    def mean_order(self) -> float:
        """Mean |ρ| over seeds; 0 for a nominal label."""
        return self.order.mean if self.order else 0.0


class Sample(NamedTuple):
    """Statistics of one axis in one seed; one column per label, nominal ones have no ρ.

    Attributes
    ----------
    rho : ndarray, shape (n_numeric,)
    rho_null : ndarray, shape (n_permutations, n_numeric)
        |ρ| with the labels permuted.
    information : ndarray, shape (n_labels,)
    information_null : ndarray, shape (n_information_permutations, n_labels)
    """

    rho: npt.NDArray[np.float64]
    rho_null: npt.NDArray[np.float64]
    information: npt.NDArray[np.float64]
    information_null: npt.NDArray[np.float64]


def measure(
    axis: npt.NDArray[np.floating],
    labels: Labels,
    n_permutations: int,
    n_information_permutations: int,
    random: np.random.RandomState,
) -> Sample:
    """Compute the statistics of one axis with every label, as given and permuted.

    Parameters
    ----------
    axis : ndarray, shape (n_curves,)
        Coordinates along the axis, not constant.
    labels : mapping of ndarray, shape (n_curves,)
        Labels, none of them constant.
    n_permutations, n_information_permutations : int
        Number of permutations for ρ and for I.
    random : RandomState
        Draws the permutations.

    Returns
    -------
    Sample
    """
    n_shuffles = max(n_permutations, n_information_permutations)
    # The axis is permuted and not each label, which preserves the dependence between labels and
    # hence the distribution of the maximum over them.
    shuffles = np.array([random.permutation(len(axis)) for _ in range(n_shuffles)])
    numeric = [unit_ranks(values) for values in labels.values() if not is_nominal(values)]
    label_ranks = np.array(numeric).reshape(-1, len(axis)).T
    axis_ranks = unit_ranks(axis)
    copies = np.column_stack([axis, *axis[shuffles[:n_information_permutations]]])
    information = np.array(
        [mutual_information(copies, values, random) for values in labels.values()]
    )
    return Sample(
        # Rounding may make a perfect correlation slightly larger than one.
        np.clip(axis_ranks @ label_ranks, -1, 1),
        np.abs(axis_ranks[shuffles[:n_permutations]] @ label_ranks),
        information[:, 0],
        information[:, 1:].T,
    )


def pool(labels: Labels, samples: Sequence[Sample]) -> tuple[LabelStrength, ...]:
    """Combine seeds: keep one value of each statistic per seed and pool the null distributions."""
    rho = np.array([sample.rho for sample in samples])
    rho_null = np.concatenate([sample.rho_null for sample in samples])
    information = np.array([sample.information for sample in samples])
    information_null = np.concatenate([sample.information_null for sample in samples])
    numeric = [name for name, values in labels.items() if not is_nominal(values)]
    result = []
    for number, name in enumerate(labels):
        order, signed = None, np.empty(0)
        if name in numeric:
            signed = rho[:, numeric.index(name)]
            order = _strength(np.abs(signed), rho_null, numeric.index(name))
        known = _strength(information[:, number], information_null, number)
        result.append(LabelStrength(name, order, tuple(signed.tolist()), known))
    return tuple(result)


def null_bound(draws: npt.NDArray[np.float64]) -> float:
    """95 % quantile of a null distribution: the ⌈0.95 (n + 1)⌉-th smallest of n draws, n ≥ 19.

    A further draw exceeds it with a probability of at most 5 %, because its rank among n + 1
    exchangeable values is uniform; an interpolated quantile would be exceeded more often.
    """
    # Integer arithmetic: 0.95 (n + 1) in floating point may round up past an exact integer.
    place = -(-CONFIDENCE_PERCENT * (len(draws) + 1) // 100)
    return float(np.sort(draws)[place - 1])


def _strength(
    values: npt.NDArray[np.float64], null: npt.NDArray[np.float64], column: int
) -> Strength:
    of_largest = null_bound(null.max(axis=1))
    return Strength(tuple(values.tolist()), null_bound(null[:, column]), of_largest)
