"""Names of the latent axes, and whether the model uses each of them.

An axis in use is called *active*, as in the "active units" of Y. Burda, R. Grosse and
R. Salakhutdinov (arXiv:1509.00519).
"""

from collections.abc import Sequence

# Limits of the variance of an axis' posterior means; the variance of the prior is 1.
ACTIVE_ABOVE, WEAK_ABOVE = 0.1, 0.01


def axis_names(n_components: int) -> list[str]:
    """Return LA1, LA2, … ("latent axis"), the names used in the paper's figures."""
    return [f"LA{axis}" for axis in range(1, n_components + 1)]


def axis_state(variance: float) -> str:
    """Classify an axis by the variance of its posterior means.

    Returns
    -------
    str
        `active` above 0.1, `weak` from 0.01 to 0.1, `collapsed` below.
    """
    if variance > ACTIVE_ABOVE:
        return "active"
    return "weak" if variance >= WEAK_ABOVE else "collapsed"


def axis_warnings(variances: Sequence[float], likelihood: str) -> list[str]:
    """Return one sentence, with a remedy, for each axis that is not active.

    Parameters
    ----------
    variances : sequence of float
        Variance of the posterior means of each axis.
    likelihood : str
        Likelihood of the model, which decides on the remedy.
    """
    cure = "Lower scale or beta, or train on more curves."
    if likelihood == "bernoulli":
        cure = "Use the Gaussian likelihood, whose scale weighs reconstruction against KL."
    sentences = []
    for name, variance in zip(axis_names(len(variances)), variances, strict=True):
        state = axis_state(variance)
        if state != "active":
            sentences.append(
                f"{name} is {state}: its posterior means have variance {variance:.2g}, "
                f"and an active axis has more than {ACTIVE_ABOVE:g}. {cure}"
            )
    return sentences
