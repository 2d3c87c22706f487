r"""What data with Gaussian noise say of parameters, as far as they are linear in them.

Of data of mean μ(θ) and covariance Σ the Fisher information is

.. math:: F = J^T Σ^{-1} J, \qquad J = ∂μ/∂θ

(S. M. Kay, Fundamentals of Statistical Signal Processing: Estimation Theory, Prentice Hall 1993,
§3.9; the term that a Σ depending on θ adds is left out). No unbiased estimate has a covariance
below F⁻¹, the bound of Cramér and Rao. Of parameters that are known with the precision (inverse
covariance) Λ beforehand, the posterior of the linear model has the precision Λ + F, and what is
expected to be gained is ½ log det(1 + Λ⁻¹F) (D. V. Lindley, Ann. Math. Stat. 27, 986 (1956)).
"""

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

FloatArray = npt.NDArray[np.float64]


def fisher_information(jacobian: FloatArray, covariance: FloatArray) -> FloatArray:
    """Jᵀ Σ⁻¹ J.

    Parameters
    ----------
    jacobian : ndarray, shape (n_data, n_parameters)
    covariance : ndarray, shape (n_data, n_data)
        Σ, positive definite.

    Returns
    -------
    ndarray, shape (n_parameters, n_parameters)
    """
    found = jacobian.T @ np.linalg.solve(covariance, jacobian)
    return (found + found.T) / 2


def cross_information(jacobians: FloatArray, covariance: FloatArray) -> FloatArray:
    r"""Jᵀ Σ⁻¹ J of a J that is known by several estimates with independent errors.

    .. math:: \frac{1}{n (n - 1)} \sum_{s ≠ t} J_s^T Σ^{-1} J_t

    Errors add nothing on average, as they would to the information of the mean. What is found may
    have negative eigenvalues, where errors are all there is.

    Parameters
    ----------
    jacobians : ndarray, shape (n_estimates, n_data, n_parameters)
        At least two.
    covariance : ndarray, shape (n_data, n_data)

    Returns
    -------
    ndarray, shape (n_parameters, n_parameters)
    """
    n = len(jacobians)
    alike = sum(fisher_information(own, covariance) for own in jacobians)
    return (fisher_information(jacobians.sum(axis=0), covariance) - alike) / (n * (n - 1))


def matched_filters(
    jacobian: FloatArray, covariance: FloatArray, nuisance: FloatArray | None = None
) -> FloatArray:
    r"""Weights of data whose sums say all of the parameters that the data do, to first order.

    .. math:: W = Σ^{-1} J - Σ^{-1} N (N^T Σ^{-1} N)^{-1} N^T Σ^{-1} J

    where N are the derivatives with respect to what is not known and not asked for; Wᵀ N = 0. The
    information in Wᵀ x is that in x when these are free. With another Σ than that of the data Wᵀ x
    has less information, never more.

    Parameters
    ----------
    jacobian : ndarray, shape (n_data, n_parameters)
    covariance : ndarray, shape (n_data, n_data)
    nuisance : ndarray, shape (n_data, n_nuisances), optional

    Returns
    -------
    ndarray, shape (n_data, n_parameters)
    """
    if nuisance is None:
        return np.asarray(np.linalg.solve(covariance, jacobian), np.float64)
    both = np.linalg.solve(covariance, np.concatenate([jacobian, nuisance], axis=1))
    weights, unwanted = np.split(both, [jacobian.shape[1]], axis=1)
    known = np.linalg.solve(nuisance.T @ unwanted, nuisance.T @ weights)
    return weights - unwanted @ known


def expected_gain(fisher: FloatArray, precision: FloatArray) -> float:
    """½ log det(1 + Λ⁻¹F), nats.

    Parameters
    ----------
    fisher, precision : ndarray, shape (n_parameters, n_parameters)
        F, and Λ of what is known beforehand, positive definite.
    """
    after, before = (np.linalg.slogdet(own)[1] for own in (precision + fisher, precision))
    return float((after - before) / 2)


def narrowing(fisher: FloatArray, precision: FloatArray, directions: FloatArray) -> FloatArray:
    """Logarithms of the ratios of standard deviations before and after.

    Parameters
    ----------
    fisher, precision : ndarray, shape (n_parameters, n_parameters)
    directions : ndarray, shape (n_parameters, n_quantities)
        Derivatives of quantities with respect to the parameters.

    Returns
    -------
    ndarray, shape (n_quantities,)
        Not negative: exp(-narrowing) of a standard deviation is kept.
    """
    before, after = (
        np.sum(directions * np.linalg.solve(own, directions), axis=0)
        for own in (precision, precision + fisher)
    )
    return np.log(before / after) / 2


def log_unbiased(covariance: FloatArray, n_free: int) -> FloatArray:
    """A sample covariance, scaled so that its log det is that of Σ on average.

    Of Gaussian data it would otherwise be too small by Σ_i ψ((n - i)/2) - log(n/2), with i from 0
    to n_dimensions - 1 (T. W. Anderson, An Introduction to Multivariate Statistical Analysis,
    Wiley 2003, §7.5), and say more than the data do.

    Parameters
    ----------
    covariance : ndarray, shape (n_dimensions, n_dimensions)
        Sum of squares and products over `n_free`.
    n_free : int
        Degrees of freedom n, at least the number of dimensions.
    """
    free = n_free - np.arange(len(covariance))
    return covariance * np.exp(np.mean(np.log(n_free / 2) - digamma(free / 2)))
