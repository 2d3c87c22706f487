"""A statistic against what shuffled labels give."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from latent_nmr.analysis.strength import Strength, measure, null_bound, pool


def normal(n_curves, seed=0):
    return np.random.default_rng(seed).normal(size=n_curves)


def strengths(axis, labels, n_permutations=19, n_information_permutations=19, seed=0):
    random = np.random.RandomState(seed)
    sample = measure(axis, labels, n_permutations, n_information_permutations, random)
    return {strength.label: strength for strength in pool(labels, [sample])}


def orders(axis, labels, seed):
    """Rank correlations alone: one shuffle of the slower information stands for all."""
    sample = measure(axis, labels, 19, 1, np.random.RandomState(seed))
    repeated = np.repeat(sample.information_null, 19, axis=0)
    return [s.order for s in pool(labels, [sample._replace(information_null=repeated)])]


class TestNull:
    """Shuffled labels, and the place that 95 % of them stay below."""

    @pytest.mark.parametrize(("n_draws", "place"), [(19, 19), (39, 38), (99, 95), (999, 950)])
    def test_the_bound_is_the_place_that_a_further_draw_passes_once_in_twenty(self, n_draws, place):
        draws = np.random.default_rng(0).permutation(n_draws) + 1.0
        assert null_bound(draws) == place

    def test_an_independent_label_passes_its_null_once_in_twenty(self):
        # The label's ρ is one of 20 exchangeable draws: it is the largest with probability 1/20.
        # Of 200 trials fewer than 1 or more than 24 have probabilities below 1e-4 (binomial).
        n_above = 0
        for seed in range(200):
            axis, label = np.random.default_rng(seed).normal(size=(2, 30))
            (order,) = orders(axis, {"W": label}, seed)
            n_above += order.mean > order.null
        assert 1 <= n_above <= 24

    @pytest.mark.slow
    def test_information_of_an_independent_label_passes_its_null_once_in_twenty(self):
        # As above, with 100 trials: more than 14 have a probability below 2e-4. Estimates below
        # zero count as zero, whose ties pass less often.
        n_above = 0
        for seed in range(100):
            axis, label = np.random.default_rng(seed).normal(size=(2, 40))
            known = strengths(axis, {"W": label}, seed=seed)["W"].information
            n_above += known.mean > known.null
        assert 1 <= n_above <= 14

    @pytest.mark.slow
    def test_the_largest_of_several_independent_labels_passes_once_in_twenty_too(self):
        # Against its own null each label passes once in twenty, so that of four one at least does
        # in 37 of 200 trials, in fewer than 18 with probability 1e-4. Against the null of the
        # largest all together are as rare as one label is.
        n_above = n_alone = 0
        for seed in range(200):
            axis, *columns = np.random.default_rng(seed).normal(size=(5, 30))
            found = orders(axis, dict(zip("abcd", columns, strict=True)), seed)
            n_above += any(order.is_above for order in found)
            n_alone += any(order.mean > order.null for order in found)
        assert 1 <= n_above <= 24
        assert n_alone >= 18

    def test_labels_are_shuffled_together(self):
        # Two names of one label: the largest of both is either.
        label = normal(50, seed=1)
        found = strengths(normal(50), {"W": label, "2W": 2 * label}, n_permutations=99)
        for strength in found.values():
            assert strength.order.null_of_largest == strength.order.null

    def test_the_null_of_a_rank_correlation_is_the_known_one(self):
        n_curves, n_permutations = 400, 4999
        found = strengths(normal(n_curves), {"W": normal(n_curves, seed=1)}, n_permutations)
        # ρ has variance 1 / (n - 1) and is nearly normal. The share of draws below a quantile is
        # binomial: five of its deviations, in units of the normal density at 1.96, 2 · 0.058.
        expected = 1.96 / np.sqrt(n_curves - 1)
        allowed = 5 * np.sqrt(0.05 * 0.95 / n_permutations) / (2 * 0.058) / np.sqrt(n_curves - 1)
        assert found["W"].order.null == pytest.approx(expected, abs=allowed)


class TestMeasure:
    """The statistics themselves."""

    def test_rank_correlations_are_spearmans_with_their_sign(self):
        axis, labels = normal(60), {"W": normal(60, 1), "L": -normal(60)}
        found = strengths(axis, labels)
        for name, values in labels.items():
            expected = spearmanr(axis, values).statistic
            assert found[name].rho == pytest.approx([expected], abs=1e-13)
            assert found[name].order.values == pytest.approx([abs(expected)], abs=1e-13)

    def test_a_nominal_label_has_information_and_no_order(self):
        axis = normal(60)
        labels = {"kernel": np.where(axis > 0, "power", "rkky"), "W": normal(60, 1), "L": axis}
        found = strengths(axis, labels)
        assert found["kernel"].order is None
        assert found["kernel"].rho == ()
        assert found["kernel"].information.is_above
        # The columns of ρ skip it.
        assert found["L"].rho == pytest.approx([1.0])
        assert found["W"].rho == pytest.approx([spearmanr(axis, labels["W"]).statistic])

    def test_all_rows_permuted_together_change_no_statistic(self):
        axis, order = normal(80), np.random.default_rng(2).permutation(80)
        labels = {"W": axis + normal(80, 1), "kernel": np.where(axis > 1, "power", "rkky")}
        one = strengths(axis, labels)
        other = strengths(axis[order], {name: values[order] for name, values in labels.items()})
        assert one["W"].rho == pytest.approx(other["W"].rho, abs=1e-13)
        for name in labels:
            # Ties of distances are broken by noise that goes with the row: 1 / n for each.
            before, after = one[name].information.mean, other[name].information.mean
            assert before == pytest.approx(after, abs=2 / 80)

    def test_a_turned_axis_keeps_the_size_of_its_correlation(self):
        axis, labels = normal(60), {"W": normal(60, 1)}
        one, other = strengths(axis, labels)["W"], strengths(-axis, labels)["W"]
        assert one.rho == pytest.approx([-other.rho[0]], abs=1e-13)
        assert one.order.values == pytest.approx(other.order.values, abs=1e-13)


class TestStrength:
    """Mean, spread and verdict over seeds."""

    def test_mean_and_sample_deviation(self):
        strength = Strength((0.1, 0.3), 0.1, 0.2)
        assert strength.mean == pytest.approx(0.2)
        assert strength.deviation == pytest.approx(0.2 / np.sqrt(2))
        assert str(strength) == "0.20 ± 0.14"

    def test_one_seed_has_no_deviation(self):
        strength = Strength((0.25,), 0.1, 0.2)
        assert strength.deviation is None
        assert str(strength) == "0.25"

    @pytest.mark.parametrize(
        ("values", "n_above"), [((0.3, 0.4), 2), ((0.3, 0.15), 1), ((0.2, 0.1), 0)]
    )
    def test_it_is_above_if_it_is_in_every_seed(self, values, n_above):
        strength = Strength(values, 0.1, 0.2)
        assert strength.n_above == n_above
        assert strength.is_above == (n_above == 2)

    def test_the_nulls_of_all_seeds_are_one(self):
        labels = {"W": normal(40, 1)}
        random = np.random.RandomState(0)
        samples = [measure(normal(40, seed), labels, 19, 20, random) for seed in (2, 3)]
        draws = np.concatenate([sample.rho_null[:, 0] for sample in samples])
        assert len(draws) == 38
        for order in (samples, samples[::-1]):
            (found,) = pool(labels, order)
            assert found.order.null == null_bound(draws)
            assert found.rho == tuple(sample.rho[0] for sample in order)
