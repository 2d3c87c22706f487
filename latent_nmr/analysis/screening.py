"""Power law or not within bins of W: [P]'s screening, and a variant usable on measured curves.

[P], Figs. 8 and 9, sorts curves by their true W, which is unknown for a measured curve; here they
are also sorted by the W that a regression predicts. [P]: A. Rao et al., Phys. Rev. Research 5,
043098 (2023).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.classification import TREES, class_names, classify, forest_maker
from latent_nmr.analysis.oversampling import Rows

# MHz.
BIN_EDGES = (0.1, 0.17, 0.23, 0.3)
# Fewest curves of a class in either part of a bin for its scores to mean anything.
FEWEST_CURVES = 5


def bins_of(strength: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """Bin of every W, from 0; values beyond the outer edges are in the outer bins."""
    return np.digitize(strength, BIN_EDGES[1:-1])


def screen(
    X: npt.NDArray[np.floating],
    labels: npt.NDArray[np.generic],
    strength: npt.NDArray[np.floating],
    fitted: Rows,
    scored: Rows,
    random_state: int,
    *,
    n_trees: int = TREES,
) -> list[dict[str, Any] | None]:
    """Fit and score a forest within each bin.

    Parameters
    ----------
    X : ndarray, shape (n_curves, n_features)
    labels : ndarray of str, shape (n_curves,)
    strength : ndarray, shape (n_curves,)
        W that sorts the curves, MHz: the true one; or a predicted one, out of bag for `fitted`.
        Curves without one (NaN) are in no bin.
    fitted, scored : ndarray of int
    random_state : int
    n_trees : int

    Returns
    -------
    list of dict or None
        By bin, as from `classify`, with `n_curves` scored; None where curves are too few.
    """
    bins = np.where(np.isnan(strength), -1, bins_of(strength))
    found: list[dict[str, Any] | None] = []
    for number in range(len(BIN_EDGES) - 1):
        inside, outside = (rows[bins[rows] == number] for rows in (fitted, scored))
        if min(smallest_class(labels, rows) for rows in (inside, outside)) < FEWEST_CURVES:
            found.append(None)
            continue
        outcome = classify(forest_maker(n_trees), X, labels, inside, outside, random_state)
        found.append({**outcome, "n_curves": len(outside)})
    return found


def smallest_class(labels: npt.NDArray[np.generic], rows: Rows) -> int:
    """Number of curves of the smallest class among `rows`; it may be zero."""
    return min(int(np.sum(labels[rows] == name)) for name in class_names(labels))
