"""Rank correlation and mutual information of an axis and a label."""

import numpy as np
import pytest
from scipy import stats

from latent_nmr.analysis.dependence import (
    is_nominal,
    mutual_information,
    rank_correlations,
    unit_ranks,
)


class TestRankCorrelations:
    """Spearman's coefficient of every axis with every label."""

    def test_they_are_pearsons_coefficient_of_the_ranks(self):
        rng = np.random.default_rng(0)
        latent = rng.normal(size=(40, 2))
        # Rounding makes ties, which share their mean rank.
        labels = {"W": np.round(latent[:, 0] + rng.normal(size=40), 1), "L": rng.random(40)}
        found = rank_correlations(latent, labels)
        assert set(found) == {"LA1", "LA2"}
        for number, name in enumerate(("LA1", "LA2")):
            assert set(found[name]) == {"W", "L"}
            for label, values in labels.items():
                ranks = stats.rankdata(latent[:, number]), stats.rankdata(values)
                expected = stats.pearsonr(*ranks).statistic
                # Sums of 40 terms of order one, in another order.
                assert found[name][label] == pytest.approx(expected, abs=1e-13)

    def test_any_rising_law_gives_one_and_any_falling_law_minus_one(self):
        z = np.random.default_rng(0).normal(size=(30, 1))
        found = rank_correlations(z, {"rising": np.exp(z[:, 0]), "falling": -(z[:, 0] ** 3)})
        assert found["LA1"] == pytest.approx({"rising": 1.0, "falling": -1.0}, abs=1e-13)

    def test_a_constant_label_has_none(self):
        z = np.random.default_rng(0).normal(size=(10, 1))
        assert rank_correlations(z, {"W": np.full(10, 0.5)}) == {"LA1": {"W": None}}

    def test_a_constant_axis_has_none(self):
        rising = np.arange(10.0)
        found = rank_correlations(np.stack([rising, np.zeros(10)], axis=1), {"W": rising})
        assert found["LA1"]["W"] == pytest.approx(1.0)
        assert found["LA2"]["W"] is None

    @pytest.mark.parametrize(("n_curves", "is_defined"), [(2, False), (3, True)])
    def test_it_takes_three_curves(self, n_curves, is_defined):
        rising = np.arange(float(n_curves))
        value = rank_correlations(rising[:, None], {"W": rising})["LA1"]["W"]
        assert (value is not None) == is_defined


def gaussian_pair(correlation, n_curves, seed):
    rng = np.random.default_rng(seed)
    x, noise = rng.normal(size=(2, n_curves))
    return x, correlation * x + np.sqrt(1 - correlation**2) * noise


def information(axis, label, seed=0):
    return mutual_information(axis[:, None], label, np.random.RandomState(seed))[0]


def mean_information(draw, n_draws=40):
    """Mean over independent draws and its standard error."""
    values = [information(*draw(seed)) for seed in range(n_draws)]
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(n_draws)


class TestUnitRanks:
    """Ranks whose inner product is Spearman's ρ."""

    @pytest.mark.parametrize("correlation", [-0.9, 0.3, 0.6])
    def test_of_a_joint_gaussian_it_is_the_known_value(self, correlation):
        n_curves = 4000
        x, y = gaussian_pair(correlation, n_curves, seed=0)
        expected = 6 / np.pi * np.arcsin(correlation / 2)
        # Bonett and Wright, Psychometrika 65, 23 (2000): Fisher's z of ρ has variance
        # (1 + ρ²/2) / (n - 3). Four standard deviations.
        allowed = 4 * np.sqrt((1 + expected**2 / 2) / (n_curves - 3))
        assert abs(np.arctanh(unit_ranks(x) @ unit_ranks(y)) - np.arctanh(expected)) < allowed

    def test_they_are_taken_of_each_column_alone(self):
        columns = np.random.default_rng(0).normal(size=(30, 4))
        alone = np.stack([unit_ranks(column) for column in columns.T], axis=1)
        np.testing.assert_allclose(unit_ranks(columns), alone, rtol=0, atol=1e-15)


class TestMutualInformation:
    """Nearest-neighbour estimates, in nats."""

    @pytest.mark.parametrize("correlation", [0.3, 0.6, 0.9])
    def test_of_a_joint_gaussian_it_is_the_known_value(self, correlation):
        # The systematic error for Gaussians is below the resolution of any practical average
        # (Kraskov et al., section III A), so four standard errors of the mean are allowed.
        mean, error = mean_information(lambda seed: gaussian_pair(correlation, 500, seed))
        assert abs(mean + 0.5 * np.log(1 - correlation**2)) < 4 * error

    def test_of_two_normal_classes_it_is_the_entropy_that_mixing_adds(self):
        def draw(seed):
            rng = np.random.default_rng(seed)
            classes = rng.integers(2, size=500)
            return rng.normal(size=500) + 2 * classes, np.array(["power", "rkky"])[classes]

        x = np.linspace(-8, 10, 20_001)
        mixture = (stats.norm.pdf(x) + stats.norm.pdf(x - 2)) / 2
        added = -np.trapezoid(mixture * np.log(mixture), x) - stats.norm.entropy()
        mean, error = mean_information(draw)
        assert abs(mean - added) < 4 * error

    def test_of_classes_apart_it_is_their_entropy(self):
        classes = np.repeat([0, 1, 2], 100)
        axis = 10.0 * classes + np.random.default_rng(0).random(300)
        names = np.array(["gaussian", "power", "rkky"])[classes]
        # Both sides of ψ(n) - ψ(n/3) are logarithms up to 1 / (2 n/3).
        assert information(axis, names) == pytest.approx(np.log(3), abs=3 / 300)

    @pytest.mark.parametrize("monotonic", [np.exp, np.cbrt, lambda x: -5e3 * x])
    def test_a_monotonic_map_of_either_side_changes_nothing(self, monotonic):
        x, y = gaussian_pair(0.5, 200, seed=1)
        before = information(x, y)
        # A falling map mirrors the scores, and the noise that breaks ties falls otherwise: a
        # neighbour counted or not moves the estimate by at most 1 / n each.
        assert information(monotonic(x), y) == pytest.approx(before, abs=2 / 200)
        assert information(x, monotonic(y)) == pytest.approx(before, abs=2 / 200)

    def test_names_of_classes_may_be_exchanged(self):
        # As many classes as leave none far from the next, were their names taken for an order.
        x, y = gaussian_pair(0.8, 300, seed=2)
        classes = np.floor(10 * y).astype(int) + 50
        exchanged = np.random.default_rng(3).permutation(100)[classes]
        one, other = (np.array([f"{k:03}" for k in names]) for names in (classes, exchanged))
        assert information(x, one) == pytest.approx(information(x, other), abs=1e-12)

    def test_each_axis_is_measured_for_itself(self):
        x, y = gaussian_pair(0.7, 200, seed=3)
        axes = np.stack([x, np.random.default_rng(4).normal(size=200)], axis=1)
        related, unrelated = mutual_information(axes, y, np.random.RandomState(0))
        assert related == pytest.approx(information(x, y), abs=2 / 200)
        assert unrelated < related

    @pytest.mark.parametrize(
        ("values", "nominal"),
        [(["a", "b"], True), ([True, False], True), ([1, 2], False), ([0.5, 1.0], False)],
    )
    def test_strings_and_truth_values_have_no_order(self, values, nominal):
        assert is_nominal(np.array(values)) == nominal
