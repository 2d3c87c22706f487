"""Which label an axis orders."""

import numpy as np
import pytest
from scipy import stats

from latent_nmr.analysis.axes import rank_correlations


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
