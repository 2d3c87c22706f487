"""A posterior from simulations near one echo alone: Gaussian synthetic likelihood.

Nothing of an amortised posterior is used. Simulations at draws near the echo give few numbers that
say most of the parameters: a linear regression on what is read off an echo (P. Fearnhead and
D. Prangle, J. R. Stat. Soc. B 74, 419 (2012)). Mean and covariance of these come from simulations
that the regression did not see, the mean as a polynomial of second degree in the parameters; with
them a Gaussian likelihood (S. N. Wood, Nature 466, 1102 (2010)) is multiplied by the prior.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

FloatArray = npt.NDArray[np.float64]
# Parameters u, shape (n, n_parameters), and a seed, to features, shape (n, n_repeats, n_features).
Simulate = Callable[[FloatArray, int], FloatArray]

# Draws of a round are wider than what it found by this factor, so that the next sees its edges.
WIDER = 1.7
N_WEIGHTED = 40_000
# Principal components of features on which parameters are regressed, at most.
N_COMPONENTS = 200
SHRINKAGES = tuple(10.0**exponent for exponent in range(-1, 6))
N_FOLDS = 5


class LocalPosterior(NamedTuple):
    """Draws of the posterior of one echo.

    Attributes
    ----------
    draws : ndarray, shape (n_draws, n_parameters)
        Of parameters that are N(0, 1) in the prior.
    halves : tuple of ndarray
        Those of either half of the last simulations alone.
    n_simulations : int
    """

    draws: FloatArray
    halves: tuple[FloatArray, FloatArray]
    n_simulations: int

    @property
    def error(self) -> FloatArray:
        """By how much halves differ in their standard deviations, of their mean."""
        one, other = (half.std(axis=0) for half in self.halves)
        return 2 * np.abs(one - other) / (one + other)


def local_posterior(
    simulate: Simulate,
    observed: FloatArray,
    n_parameters: int,
    *,
    rounds: tuple[int, ...] = (150, 150, 150, 500),
    n_draws: int = 4000,
    seed: int = 0,
) -> LocalPosterior:
    """Draw parameters that are N(0, 1) in the prior, given observed features.

    Parameters
    ----------
    simulate : callable
        Features of parameters, with fresh noise and offsets.
    observed : ndarray, shape (n_features,)
    n_parameters : int
    rounds : tuple of int
        Simulations of each round; the first is of the prior, others of what the last one found.
    n_draws : int
    seed : int

    Returns
    -------
    LocalPosterior
    """
    random = np.random.default_rng(seed)
    *earlier, n_last = rounds
    proposal = np.zeros(n_parameters), np.eye(n_parameters)

    def simulated(number: int, n_own: int) -> tuple[FloatArray, FloatArray]:
        center, root = proposal
        u = center + random.standard_normal((n_own, n_parameters)) @ root.T
        return u, simulate(u, seed + number)

    for number, n_own in enumerate(earlier):
        own = simulated(number, n_own)
        proposal = _wider(_weighted(*own, observed, proposal, n_draws, random))
    u, features = simulated(len(earlier), n_last)
    draws, one, other = (
        _weighted(u[part], features[part], observed, proposal, n_draws, random)
        for part in (slice(None), slice(n_last // 2), slice(n_last // 2, None))
    )
    return LocalPosterior(draws, (one, other), sum(rounds))


def _wider(draws: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and root of the covariance of a proposal about draws."""
    n_parameters = draws.shape[1]
    covariance = np.cov(draws.T).reshape(n_parameters, n_parameters)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(n_parameters))
    return draws.mean(axis=0), np.asarray(WIDER * root, np.float64)


def _weighted(
    u: FloatArray,
    features: FloatArray,
    observed: FloatArray,
    proposal: tuple[FloatArray, FloatArray],
    n_draws: int,
    random: np.random.Generator,
) -> FloatArray:
    """Draws of the posterior: candidates of the proposal, weighted by likelihood and prior."""
    log_likelihood = _gaussian(u, *_statistics(u, features, observed))
    center, root = proposal
    normal = random.standard_normal((N_WEIGHTED, len(center)))
    candidates = center + normal @ root.T
    # Prior over proposal; constants fall out.
    log_weight = log_likelihood(candidates) + 0.5 * (normal**2 - candidates**2).sum(axis=1)
    weight = np.exp(log_weight - logsumexp(log_weight))
    return candidates[random.choice(N_WEIGHTED, n_draws, p=weight)]


def _statistics(
    u: FloatArray, features: FloatArray, observed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Estimates of parameters, each from a regression that did not see its own simulation.

    Of the observed features they are the mean of all regressions.
    """
    found, seen = np.empty((*features.shape[:2], u.shape[1])), []
    for fold in range(N_FOLDS):
        is_own = np.arange(len(u)) % N_FOLDS == fold
        estimate = _regression(u[~is_own], features[~is_own])
        found[is_own] = estimate(features[is_own])
        seen.append(estimate(observed))
    return found, np.mean(seen, axis=0)


def _regression(u: FloatArray, features: FloatArray) -> Callable[[FloatArray], FloatArray]:
    """Linear estimates of parameters from features, each over its scatter about its mean.

    How far coefficients are drawn to nought is chosen on simulations that they were not fitted on.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    n_repeats, n_features = features.shape[1:]
    rows, targets = features.reshape(-1, n_features), np.repeat(u, n_repeats, axis=0)
    known = _second_degree(targets)
    rest = rows - known @ np.linalg.lstsq(known, rows, rcond=None)[0]
    scatter = np.maximum(rest.std(axis=0), 1e-9)
    # Noise on one simulation stays in its fold.
    fold = np.repeat(np.arange(len(u)) % N_FOLDS, n_repeats)
    folds = [(np.flatnonzero(fold != own), np.flatnonzero(fold == own)) for own in range(N_FOLDS)]
    model = make_pipeline(
        FunctionTransformer(lambda own: own / scatter),
        PCA(min(N_COMPONENTS, n_features, len(rows) // 2), random_state=0),
        RidgeCV(SHRINKAGES, cv=folds),
    ).fit(rows, targets)

    def estimate(own: FloatArray) -> FloatArray:
        found = model.predict(own.reshape(-1, n_features))
        return found.reshape(*own.shape[:-1], u.shape[1])

    return estimate


def _gaussian(
    u: FloatArray, statistics: FloatArray, observed: FloatArray
) -> Callable[[FloatArray], FloatArray]:
    """Log likelihood of observed statistics, whose mean is a polynomial in the parameters."""
    n_rows, n_repeats, n_statistics = statistics.shape
    center, scale = u.mean(axis=0), u.std(axis=0)
    terms = _second_degree((u - center) / scale)
    mean = statistics.mean(axis=1)
    polynomial = np.linalg.lstsq(terms, mean, rcond=None)[0]
    rest = (statistics - (terms @ polynomial)[:, None]).reshape(-1, n_statistics)
    n_free = n_rows - terms.shape[1]
    covariance = rest.T @ rest / (n_free * n_repeats)
    # Student's t in place of a Gaussian of unknown covariance: E. Sellentin and A. F. Heavens,
    # MNRAS 456, L132 (2016). Repeats share their lattice, so that rows count once.
    inverse = np.linalg.inv(covariance)

    def log_likelihood(own: FloatArray) -> FloatArray:
        away = observed - _second_degree((own - center) / scale) @ polynomial
        distance = np.einsum("ij,jk,ik->i", away, inverse, away)
        return -0.5 * (n_free + 1) * np.log1p(distance / n_free)

    return log_likelihood


def _second_degree(u: FloatArray) -> FloatArray:
    first, second = np.triu_indices(u.shape[1])
    return np.column_stack([np.ones(len(u)), u, u[:, first] * u[:, second]])
