"""Scores of the challenge: standardised errors, and the score of 2020 with its own widths.

The challenge is the NMR task of the ML4SCI hackathons of 2020 and 2021.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.scores import has_r2

FloatArray = npt.NDArray[np.float64]

# By which the score of 2020 divides the error of each parameter.
WIDTHS_2020 = {"alpha": 0.2, "xi": 20.0, "p": 2.0, "d": 3.0}
# Published networks: mean over α, ξ and d, on a 10 % test split of data with a frozen line.
PUBLISHED = {
    "2021-gauss": {"baseline": 0.114, "deep": 0.0396},
    "2021-rkky": {"deep": 0.0872},
}


def challenge_scores(
    truth: FloatArray, predicted: FloatArray, scales: FloatArray, names: Sequence[str]
) -> dict[str, float]:
    """Score predictions of the challenge's targets.

    Parameters
    ----------
    truth, predicted : ndarray, shape (n_curves, n_targets)
        True and predicted targets.
    scales : ndarray, shape (n_targets,)
        Standard deviations of the targets over the training rows.
    names : sequence of str
        Names of the targets.

    Returns
    -------
    dict of float
        `mse_NAME`, the mean squared standardised error of each target; `mse_mean` and `mse_sum`
        over targets; `r2_NAME` of those that vary; and for the parameters of 2020 `score_2020`,
        the mean over targets of the mean squared error over the squared width (our
        interpretation).
    """
    squares = (predicted - truth) ** 2
    standardised = (squares / scales**2).mean(axis=0)
    spread = truth.var(axis=0)
    found = {f"mse_{name}": float(v) for name, v in zip(names, standardised, strict=True)}
    found |= {"mse_mean": float(standardised.mean()), "mse_sum": float(standardised.sum())}
    for column, name in enumerate(names):
        if has_r2(truth[:, column]):
            found[f"r2_{name}"] = float(1 - squares[:, column].mean() / spread[column])
    if set(names) == set(WIDTHS_2020):
        widths = np.array([WIDTHS_2020[name] for name in names])
        found["score_2020"] = float((squares / widths**2).mean())
    return found
