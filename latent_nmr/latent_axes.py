"""Latent axes in words: their names, and whether each is in use."""

from collections.abc import Sequence

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
    cure = "Lower scale or beta, or train on more curves."
    if likelihood == "bernoulli":
        cure = "Use the Gaussian likelihood, whose scale sets how much each axis is worth."
    sentences = []
    for name, variance in zip(axis_names(len(variances)), variances, strict=True):
        state = axis_state(variance)
        if state != "live":
            sentences.append(
                f"{name} is {state}: its posterior means have variance {variance:.2g}, "
                f"and a live axis has more than {LIVE_ABOVE:g}. {cure}"
            )
    return sentences
