"""What is said about latent axes."""

import numpy as np
import pytest
from scipy import stats

from latent_nmr.analysis.axes import axis_names, axis_state, axis_warnings, rank_correlations


class TestAxisState:
    """Live, weak or collapsed, by the variance of an axis' posterior means."""

    @pytest.mark.parametrize(
        ("variance", "state"),
        [
            (1.0, "live"),
            (np.nextafter(0.1, 1), "live"),
            (0.1, "weak"),
            (0.01, "weak"),
            (np.nextafter(0.01, 0), "collapsed"),
            (0.0, "collapsed"),
        ],
    )
    def test_the_limits_are_a_tenth_and_a_hundredth(self, variance, state):
        assert axis_state(variance) == state


class TestAxisWarnings:
    """Sentences for axes that are not live."""

    @pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli"])
    def test_live_axes_need_no_words(self, likelihood):
        assert axis_warnings([1.0, 0.11], likelihood) == []

    def test_each_axis_that_is_not_live_is_named_with_state_variance_and_limit(self):
        weak, collapsed = axis_warnings([0.9, 0.04, 0.00123], "gaussian")
        assert weak.startswith("LA2 is weak: its posterior means have variance 0.04,")
        assert collapsed.startswith("LA3 is collapsed: its posterior means have variance 0.0012,")
        assert "a live axis has more than 0.1." in weak

    @pytest.mark.parametrize(
        ("likelihood", "cure"),
        [("gaussian", "Lower --scale or --beta"), ("bernoulli", "Use --likelihood gaussian")],
    )
    def test_the_cure_fits_the_likelihood(self, likelihood, cure):
        (sentence,) = axis_warnings([0.0], likelihood)
        assert f". {cure}" in sentence
        assert sentence.endswith(".")


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


class TestAxisNames:
    """Names of latent axes."""

    def test_they_count_from_one(self):
        assert axis_names(3) == ["LA1", "LA2", "LA3"]
