"""What a latent axis does: which label it orders."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from latent_nmr.latent_axes import axis_names


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
