"""What a latent axis does: whether it is alive, and which label it orders."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

# Variance of an axis' posterior means, against a prior variance of 1.
LIVE_ABOVE, WEAK_ABOVE = 0.1, 0.01


def axis_names(n_components: int) -> list[str]:
    """LA1, LA2, … ("latent axis"), as in the paper's figures."""
    return [f"LA{axis}" for axis in range(1, n_components + 1)]


def axis_state(variance: float) -> str:
    """`live` above 0.1, `weak` from 0.01 to 0.1, `collapsed` below."""
    if variance > LIVE_ABOVE:
        return "live"
    return "weak" if variance >= WEAK_ABOVE else "collapsed"


def axis_warnings(variances: Sequence[float], likelihood: str) -> list[str]:
    """One sentence per axis that is not live, with the cure; empty if all are."""
    cure = "Lower --scale or --beta, or train on more curves."
    if likelihood == "bernoulli":
        cure = "Use --likelihood gaussian, whose --scale sets how much each axis is worth."
    sentences = []
    for name, variance in zip(axis_names(len(variances)), variances, strict=True):
        state = axis_state(variance)
        if state != "live":
            sentences.append(
                f"{name} is {state}: its posterior means have variance {variance:.2g}, "
                f"and a live axis has more than {LIVE_ABOVE:g}. {cure}"
            )
    return sentences


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


def _spearman(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float | None:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(spearmanr(a, b).statistic)
