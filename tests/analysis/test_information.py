"""Information of Gaussian models, held against joint Gaussian distributions and laws."""

import numpy as np
import pytest

from latent_nmr.analysis.information import (
    cross_information,
    expected_gain,
    fisher_information,
    log_unbiased,
    matched_filters,
    narrowing,
)

N_DATA, N_PARAMETERS = 12, 3
RNG = np.random.default_rng(0)
JACOBIAN = RNG.normal(size=(N_DATA, N_PARAMETERS))


def positive(n, seed):
    """A covariance."""
    root = np.random.default_rng(seed).normal(size=(n, n))
    return root @ root.T + 0.1 * np.eye(n)


SIGMA, PRIOR = positive(N_DATA, 1), positive(N_PARAMETERS, 2)
FISHER = fisher_information(JACOBIAN, SIGMA)
PRECISION = np.linalg.inv(PRIOR)


def log_det(matrix):
    return np.linalg.slogdet(matrix)[1]


class TestLinearModel:
    """x = J θ + noise with θ ~ N(0, prior): the joint distribution of both is known."""

    JOINT = np.block([[PRIOR, PRIOR @ JACOBIAN.T], [JACOBIAN @ PRIOR, np.zeros((N_DATA, N_DATA))]])
    JOINT[N_PARAMETERS:, N_PARAMETERS:] = JACOBIAN @ PRIOR @ JACOBIAN.T + SIGMA

    def test_the_gain_is_the_mutual_information(self):
        data = self.JOINT[N_PARAMETERS:, N_PARAMETERS:]
        exact = (log_det(PRIOR) + log_det(data) - log_det(self.JOINT)) / 2
        assert expected_gain(FISHER, PRECISION) == pytest.approx(exact, rel=1e-9)

    def test_what_is_kept_is_the_conditional_deviation(self):
        data, cross = self.JOINT[N_PARAMETERS:, N_PARAMETERS:], PRIOR @ JACOBIAN.T
        after = PRIOR - cross @ np.linalg.solve(data, cross.T)
        directions = np.array([[1.0, 0, 0], [2.0, 1.0, 0]]).T
        kept = [np.sqrt((d @ after @ d) / (d @ PRIOR @ d)) for d in directions.T]
        np.testing.assert_allclose(np.exp(-narrowing(FISHER, PRECISION, directions)), kept)


class TestFisherInformation:
    def test_information_of_independent_echoes_adds(self):
        both = np.zeros((2 * N_DATA, 2 * N_DATA))
        both[:N_DATA, :N_DATA], both[N_DATA:, N_DATA:] = SIGMA, positive(N_DATA, 3)
        other = JACOBIAN[::-1]
        together = fisher_information(np.concatenate([JACOBIAN, other]), both)
        alone = FISHER + fisher_information(other, positive(N_DATA, 3))
        np.testing.assert_allclose(together, alone)

    def test_gains_do_not_depend_on_the_units_of_parameters_and_data(self):
        change, units = RNG.normal(size=(3, 3)), RNG.normal(size=(N_DATA, N_DATA))
        fisher = fisher_information(units @ JACOBIAN @ change, units @ SIGMA @ units.T)
        precision = change.T @ PRECISION @ change
        assert expected_gain(fisher, precision) == pytest.approx(expected_gain(FISHER, PRECISION))
        # ∂q/∂η = changeᵀ ∂q/∂θ.
        np.testing.assert_allclose(
            narrowing(fisher, precision, change.T),
            narrowing(FISHER, PRECISION, np.eye(3)),
        )

    def test_gains_grow_with_the_signal_and_vanish_without_it(self):
        ratios = np.geomspace(1e-3, 1e3, 13)
        gains = [
            expected_gain(fisher_information(JACOBIAN, SIGMA / r**2), PRECISION) for r in ratios
        ]
        assert (np.diff(gains) > 0).all()
        # To first order ½ tr(Λ⁻¹F), and then 3 ln(SNR).
        first = np.trace(PRIOR @ FISHER) / 2
        assert gains[0] == pytest.approx(first * ratios[0] ** 2, rel=1e-3)
        slope = (gains[-1] - gains[-2]) / np.log(ratios[-1] / ratios[-2])
        assert slope == pytest.approx(3, rel=1e-3)
        assert expected_gain(np.zeros((3, 3)), PRECISION) == 0

    def test_the_bound_is_that_of_least_squares(self):
        # Generalised least squares attains the bound: its covariance from many draws.
        noise = np.random.default_rng(4).multivariate_normal(np.zeros(N_DATA), SIGMA, 20000)
        solved = noise @ matched_filters(JACOBIAN, SIGMA) @ np.linalg.inv(FISHER)
        # Relative standard errors of variances are 1 %, of the off-diagonal ones as large.
        found, bound = np.cov(solved.T), np.linalg.inv(FISHER)
        sizes = np.sqrt(np.outer(np.diag(bound), np.diag(bound)))
        np.testing.assert_allclose((found - bound) / sizes, 0, atol=0.05)


class TestCrossInformation:
    def test_of_equal_estimates_it_is_the_information(self):
        found = cross_information(np.stack([JACOBIAN] * 3), SIGMA)
        np.testing.assert_allclose(found, FISHER)

    @pytest.mark.parametrize("n_estimates", [2, 4])
    def test_errors_of_the_derivatives_add_nothing_on_average(self, n_estimates):
        random = np.random.default_rng(8)
        errors = random.normal(size=(3000, n_estimates, N_DATA, N_PARAMETERS))
        found = np.array([cross_information(JACOBIAN + own, SIGMA) for own in errors])
        error = found.std(axis=0) / np.sqrt(len(found))
        assert (np.abs(found.mean(axis=0) - FISHER) < 4.5 * error).all()
        means = [fisher_information(JACOBIAN + own.mean(axis=0), SIGMA) for own in errors]
        assert (np.diag(np.mean(means, axis=0) - FISHER) > 10 * np.diag(error)).all()


class TestMatchedFilters:
    NUISANCE = np.random.default_rng(5).normal(size=(N_DATA, 2))

    def information(self, weights, sigma=SIGMA):
        return fisher_information(weights.T @ JACOBIAN, weights.T @ sigma @ weights)

    def test_they_keep_all_information(self):
        np.testing.assert_allclose(self.information(matched_filters(JACOBIAN, SIGMA)), FISHER)

    def test_what_is_not_known_is_marginalised(self):
        weights = matched_filters(JACOBIAN, SIGMA, self.NUISANCE)
        np.testing.assert_allclose(weights.T @ self.NUISANCE, 0, atol=1e-10)
        whole = fisher_information(np.concatenate([JACOBIAN, self.NUISANCE], axis=1), SIGMA)
        marginal = np.linalg.inv(np.linalg.inv(whole)[:3, :3])
        np.testing.assert_allclose(self.information(weights), marginal)

    @pytest.mark.parametrize("nuisance", [None, NUISANCE])
    def test_those_for_another_covariance_never_say_more(self, nuisance):
        best = self.information(matched_filters(JACOBIAN, SIGMA, nuisance))
        for seed in range(10):
            weights = matched_filters(JACOBIAN, positive(N_DATA, 10 + seed), nuisance)
            less = best - self.information(weights)
            assert np.linalg.eigvalsh(less).min() > -1e-9 * np.trace(best)


class TestLogUnbiased:
    @pytest.mark.parametrize(("n_free", "n_dimensions"), [(7, 3), (15, 3), (30, 1)])
    def test_the_logarithm_of_the_determinant_is_right_on_average(self, n_free, n_dimensions):
        sigma = positive(n_dimensions, 6)
        random = np.random.default_rng(7)
        draws = random.multivariate_normal(np.zeros(n_dimensions), sigma, (4000, n_free))
        samples = np.einsum("rni,rnj->rij", draws, draws) / n_free
        logs = [log_det(log_unbiased(own, n_free)) for own in samples]
        error = np.std(logs) / np.sqrt(len(logs))
        assert np.mean(logs) == pytest.approx(log_det(sigma), abs=4 * error)
        plain = np.mean([log_det(own) for own in samples])
        assert plain < log_det(sigma) - 4 * error
