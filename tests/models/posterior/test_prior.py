"""The prior and its normal scores: a law known from rejection, in coordinates without ends."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.errors import InputError
from latent_nmr.models.posterior.prior import Materials, Prior, as_materials

PRIORS = [Prior(), Prior({"power": (1.0, 3.0)}, (0.02, 0.2), (0.15, 0.25))]


def by_rejection(prior, n_draws, seed=0):
    """Draws of the prior, as the simulator makes them: uniform, kept where W is in its range."""
    rng = np.random.default_rng(seed)
    alpha = rng.uniform(*prior.coupling_range, (n_draws, 2))
    W = 2 * alpha[:, 0] + alpha[:, 1]
    low, high = prior.strength_range
    alpha = alpha[(low <= W) & (high >= W)]
    kernel = rng.integers(len(prior.kernels), size=len(alpha))
    ends = np.array(list(prior.kernel_ranges.values()))[kernel]
    parameter = rng.uniform(ends[:, 0], ends[:, 1])
    return Materials(kernel, alpha[:, 0], alpha[:, 1], parameter)


@pytest.mark.parametrize("prior", PRIORS)
class TestPrior:
    """Scores of draws are standard normal, and every score is a material that is allowed."""

    def test_scores_of_draws_by_rejection_are_independent_and_standard_normal(self, prior):
        scores = prior.scores(by_rejection(prior, 20_000))
        for column in scores.T:
            assert scipy.stats.kstest(column, "norm").pvalue > 0.01
        # The standard error of a correlation of n independent pairs is 1/√n.
        off_diagonal = np.corrcoef(scores.T)[np.triu_indices(3, 1)]
        assert np.abs(off_diagonal).max() < 4 / np.sqrt(len(scores))

    def test_materials_and_scores_are_inverse_to_each_other(self, prior):
        materials = by_rejection(prior, 2000)
        back = prior.materials(materials.kernel, prior.scores(materials))
        for name in ("alpha_x", "alpha_z", "kernel_parameter"):
            np.testing.assert_allclose(getattr(back, name), getattr(materials, name), atol=2e-5)

    def test_its_density_is_one_over_the_size_of_its_support(self, prior):
        n_draws = 200_000
        share = len(by_rejection(prior, n_draws).kernel) / n_draws
        area = share * (prior.coupling_range[1] - prior.coupling_range[0]) ** 2
        low, high = next(iter(prior.kernel_ranges.values()))
        error = np.sqrt((1 - share) / (share * n_draws))  # relative, of a binomial share
        density = float(np.exp(prior.log_density(np.array(0))))
        assert density * area * (high - low) == pytest.approx(1, abs=4 * error)

    @given(st.lists(st.floats(-40, 40), min_size=3, max_size=3), st.integers(0, 0))
    def test_no_score_leads_out_of_the_support(self, prior, scores, kernel):
        materials = prior.materials(np.array([kernel]), np.array([scores]))
        assert prior.leaked(materials) == 0


def test_what_leaks_is_counted():
    prior = Prior()
    kernel = np.zeros(4, int)
    # Allowed; W 0.06; α_x beyond its range; ξ beyond its range.
    alpha_x, alpha_z = np.array([0.05, 0.02, 0.12, 0.05]), np.array([0.05, 0.02, 0.05, 0.05])
    materials = Materials(kernel, alpha_x, alpha_z, np.array([10.0, 10.0, 10.0, 40.0]))
    assert prior.leaked(materials) == pytest.approx(0.75)


def test_scores_of_the_ends_of_the_support_are_finite():
    prior = Prior()
    ends = Materials(
        np.zeros(2, int), np.array([0.01, 0.1]), np.array([0.1, 0.1]), np.array([8, 32.0])
    )
    assert np.isfinite(prior.scores(ends)).all()


LABELS = {
    "kernel": ["power", "rkky"],
    "alpha_x": [0.05, 0.06],
    "alpha_z": [0.05, 0.06],
    "kernel_parameter": [2.0, 20.0],
}


class TestLabels:
    """What is no material of the prior is refused, with the row."""

    def test_labels_of_curves_become_materials(self):
        found = as_materials(Prior(), LABELS)
        assert found.kernel.tolist() == [1, 2]
        np.testing.assert_allclose(found.W, [0.15, 0.18])

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"kernel": ["power", "dipole"]}, "kernel must be one of gaussian.*'dipole'"),
            ({"alpha_x": [0.05, np.nan]}, "alpha_x must be finite, but is nan in row 1"),
            ({"alpha_z": None}, "alpha_z is missing"),
        ],
    )
    def test_labels_that_cannot_be_used_are_refused(self, change, message):
        y = {name: own for name, own in {**LABELS, **change}.items() if own is not None}
        with pytest.raises(InputError, match=message):
            as_materials(Prior(), y)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"alpha_x": [0.05, 0.2]}, "alpha_x must lie .* 0.01 to 0.1, but is 0.2 in row 1"),
            ({"alpha_x": [0.02, 0.06]}, "W must lie .* 0.1 to 0.3, but is 0.09 in row 0"),
            ({"kernel_parameter": [3.5, 20]}, "kernel_parameter must lie .* 1 to 3, but is 3.5"),
        ],
    )
    def test_a_material_outside_of_the_prior_is_refused(self, change, message):
        with pytest.raises(InputError, match=message):
            Prior().scores(as_materials(Prior(), {**LABELS, **change}))

    def test_ranges_that_allow_nothing_are_refused(self):
        with pytest.raises(InputError, match="strength_range must allow some couplings"):
            Prior(strength_range=(0.4, 0.5)).log_density(np.array([0]))
