"""Dependence of a latent axis and a label: rank correlation and mutual information.

Notation: ρ is Spearman's coefficient, I the mutual information in nats.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import rankdata
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

from latent_nmr.latent_axes import axis_names

# Fewer neighbours mean less bias and more variance; Kraskov et al. recommend 2 to 4.
N_NEIGHBOURS = 3


def rank_correlations(
    latent: npt.NDArray[np.floating], labels: Mapping[str, npt.NDArray[np.floating]]
) -> dict[str, dict[str, float | None]]:
    """Spearman rank correlation of every axis with every label.

    Parameters
    ----------
    latent : ndarray, shape (n_curves, n_components)
    labels : mapping of ndarray, shape (n_curves,)

    Returns
    -------
    dict of dict
        ``result["LA1"]["W"]`` in [-1, 1]; None where it is undefined, because an axis or a
        label is constant or there are fewer than three curves.
    """
    result: dict[str, dict[str, float | None]] = {}
    for name, axis in zip(axis_names(latent.shape[1]), latent.T, strict=True):
        result[name] = {label: _spearman(axis, values) for label, values in labels.items()}
    return result


def unit_ranks(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Ranks with mean 0 and length 1, so that ρ of two columns is their inner product.

    Parameters
    ----------
    values : ndarray, shape (n_curves, ...)
        Not constant; ties share their mean rank.
    """
    ranks = rankdata(values, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    return ranks / np.linalg.norm(ranks, axis=0)


def mutual_information(
    axes: npt.NDArray[np.floating],
    label: npt.NDArray[np.generic],
    random_state: np.random.RandomState,
) -> npt.NDArray[np.float64]:
    """Mutual information of each axis with one label, from nearest neighbours.

    Numeric labels use the first estimator of Kraskov et al. [1]_, nominal labels that of
    Ross [2]_. Axes and numeric labels are first replaced by their normal scores: I is invariant
    under monotonic maps, and with normal scores so is its estimate.

    Parameters
    ----------
    axes : ndarray, shape (n_curves, n_axes)
    label : ndarray, shape (n_curves,)
        Numbers, or strings for a nominal label.
    random_state : RandomState
        Breaks ties: scikit-learn adds relative noise of 10⁻¹⁰.

    Returns
    -------
    ndarray, shape (n_axes,)
        In nats, never negative.

    References
    ----------
    .. [1] A. Kraskov, H. Stögbauer, P. Grassberger, Phys. Rev. E 69, 066138 (2004).
    .. [2] B. C. Ross, PLoS ONE 9, e87357 (2014).
    """
    scores = _normal_scores(axes)
    if is_nominal(label):
        classes = np.unique(label, return_inverse=True)[1]
        return mutual_info_classif(
            scores,
            classes,
            discrete_features=False,
            n_neighbors=N_NEIGHBOURS,
            random_state=random_state,
        )
    return mutual_info_regression(
        scores,
        _normal_scores(label),
        discrete_features=False,
        n_neighbors=N_NEIGHBOURS,
        random_state=random_state,
    )


def is_nominal(label: npt.NDArray[np.generic]) -> bool:
    """Whether a label's values have no order: strings or booleans."""
    return label.dtype.kind in "OUTSb"


def _normal_scores(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Quantiles of the standard normal distribution at the ranks: Φ⁻¹((rank - 1/2) / n)."""
    return ndtri((rankdata(values, axis=0) - 0.5) / len(values))


def _spearman(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float | None:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(unit_ranks(a) @ unit_ranks(b))
