"""Clusters of curves: sums of squares, silhouettes, and the labels of each."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from latent_nmr.analysis.clusters import (
    agreement,
    check_distinct,
    describe,
    elbow,
    mean_silhouettes,
    order_by,
    overlap,
    partitions,
    separations,
    sum_of_squares,
)
from latent_nmr.errors import InputError

COUNTS = range(1, 6)


class Clusters(KMeans):
    """K-means whose number of clusters goes by the name that all estimators here give it."""

    def __init__(self, n_components=2, n_init=5, random_state=0):
        super().__init__(n_components, n_init=n_init, random_state=random_state)
        self.n_components = n_components

    def fit(self, X, y=None):
        self.n_clusters = self.n_components
        return super().fit(X, y)


def clumps(n_each=40, noise=0.02, seed=0):
    """Three clumps of curves far apart, in turn, and which of them each curve is of."""
    rng = np.random.default_rng(seed)
    kind = np.arange(3 * n_each) % 3
    t = np.linspace(-1, 1, 20)
    curves = np.array([0.9, 0.5, 0.1])[kind, np.newaxis] * np.exp(-(t**2))
    return (curves + noise * rng.normal(size=curves.shape)).astype(np.float32), kind


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of fits this small do little but wait for each other where cores are busy."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def found():
    return partitions(Clusters(), clumps()[0], COUNTS)


class TestPartitions:
    """One clustering for each K."""

    def test_every_k_has_its_clusters_and_every_fit_is_told(self):
        fits = []
        estimator = Clusters(random_state=3)
        result = partitions(estimator, clumps()[0], [3, 1], on_fit=lambda: fits.append(1))
        assert {count: len(set(p.tolist())) for count, p in result.items()} == {1: 1, 3: 3}
        assert len(fits) == 2
        assert not hasattr(estimator, "labels_")
        assert estimator.n_components == 2

    def test_the_scree_does_not_depend_on_the_order_of_curves_while_clumps_are_clear(self, found):
        X, _ = clumps()
        order = np.random.default_rng(1).permutation(len(X))
        shuffled = partitions(Clusters(), X[order], [1, 2, 3])
        for count, partition in shuffled.items():
            expected = sum_of_squares(X, found[count])
            assert sum_of_squares(X[order], partition) == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize(("n_rows", "n_distinct"), [(5, 5), (40, 1), (40, 5)])
    def test_as_many_clusters_as_different_curves_are_refused(self, n_rows, n_distinct):
        X = np.tile(clumps()[0][:n_distinct], (n_rows // n_distinct, 1))
        words = rf"distinct curves than there are clusters \(5\), but hold {n_distinct} of {n_rows}"
        with pytest.raises(InputError, match=words):
            check_distinct(X, 5)
        check_distinct(clumps()[0][:6], 5)


class TestSumOfSquares:
    """What the mean curves leave."""

    def test_of_one_cluster_it_is_n_times_the_variance(self, found):
        X, _ = clumps()
        expected = len(X) * X.astype(np.float64).var(axis=0).sum()
        assert sum_of_squares(X, found[1]) == pytest.approx(expected, rel=1e-12)

    def test_it_is_the_sum_over_pairs_inside_each_cluster(self, found):
        # Σ|x - mean|² = Σ over pairs |x - y|² / n, which knows no mean.
        X, _ = clumps()
        expected = 0.0
        for number in range(3):
            part = X[found[3] == number].astype(np.float64)
            expected += ((part[:, np.newaxis] - part) ** 2).sum() / (2 * len(part))
        assert sum_of_squares(X, found[3]) == pytest.approx(expected, rel=1e-10)

    def test_it_falls_with_k_down_to_nothing_for_clusters_of_one(self, found):
        X, _ = clumps()
        sums = [sum_of_squares(X, found[count]) for count in COUNTS]
        assert (np.diff(sums) < 0).all()
        assert sum_of_squares(X, np.arange(len(X))) == 0

    def test_a_large_common_offset_costs_no_digits(self):
        X, kind = clumps()
        # 64 is a power of two and the curves are rounded to its grid: the sum is exact.
        X = np.round(X * 2**16) / np.float32(2**16)
        assert sum_of_squares(X + np.float32(64), kind) == pytest.approx(
            sum_of_squares(X, kind), rel=1e-12
        )


class TestElbow:
    """Where the scree turns."""

    @pytest.mark.parametrize("knee", [2, 4, 7])
    def test_of_two_straight_lines_it_is_where_they_meet(self, knee):
        sums = {k: 100 - 10 * (k - 1) if k <= knee else 110 - 10 * knee - (k - knee) for k in
                range(1, 11)}  # fmt: skip
        assert elbow(sums) == knee

    def test_of_clear_clumps_it_is_their_number(self, found):
        X, _ = clumps()
        # The middle clump halves the distance of the others, so that two explain most.
        sums = {count: sum_of_squares(X, partition) for count, partition in found.items()}
        assert elbow(sums) in (2, 3)
        far = np.eye(3, 20)[clumps()[1]] + 0.01 * X
        sums = {c: sum_of_squares(far, p) for c, p in partitions(Clusters(), far, COUNTS).items()}
        assert elbow(sums) == 3


class TestSilhouettes:
    """How much nearer curves are to their own cluster than to the next."""

    def test_they_are_those_of_scikit_learn_on_the_curves(self, found):
        X, _ = clumps()
        result = mean_silhouettes(X, {count: found[count] for count in (2, 3)})
        for count, score in result.items():
            assert score == pytest.approx(silhouette_score(X, found[count]), abs=1e-5)
        assert result[3] > max(0.8, result[2])

    def test_a_large_set_is_sampled_by_seed_and_the_sample_is_the_same_for_every_k(self):
        X, kind = clumps()
        twice = mean_silhouettes(X, {2: kind, 3: kind}, 5, 30)
        assert twice[2] == twice[3]
        assert twice == mean_silhouettes(X, {2: kind, 3: kind}, 5, 30)
        assert twice[3] != mean_silhouettes(X, {3: kind}, 6, 30)[3]
        rows = np.random.RandomState(5).choice(len(X), 30, replace=False)
        assert twice[3] == pytest.approx(silhouette_score(X[rows], kind[rows]), abs=1e-5)

    def test_where_they_are_not_defined_there_is_none(self):
        X, _ = clumps()
        one, each = np.zeros(len(X), int), np.arange(len(X))
        assert mean_silhouettes(X, {1: one, 120: each}) == {1: None, 120: None}


class TestOrder:
    """Numbers of clusters that do not depend on the seed."""

    def test_they_rise_with_the_mean_of_the_values(self):
        partition = np.array([4, 4, 0, 0, 2, 2])
        # Means 2, 4 and 9 of the clusters 4, 0 and 2: a cycle, which is not its own inverse.
        values = np.array([1.0, 3.0, 0.0, 8.0, 9.0, 9.0])
        np.testing.assert_array_equal(order_by(partition, values), [0, 0, 1, 1, 2, 2])

    def test_they_are_the_same_however_the_clusters_were_numbered(self):
        X, kind = clumps()
        for names in ([0, 1, 2], [2, 0, 1], [7, 5, 6]):
            np.testing.assert_array_equal(order_by(np.array(names)[kind], X[:, 10]), 2 - kind)


@pytest.fixture(scope="module")
def described():
    X, kind = clumps()
    strength = np.linspace(0.1, 0.3, len(X)) + 0.05 * kind
    return X, kind, strength, describe(X, kind, strength, np.array(["rkky", "power"] * 60))


class TestDescribe:
    """Mean, band and labels of each cluster."""

    def test_curves_and_bands_are_those_of_the_members(self, described):
        X, kind, _, found = described
        for number, cluster in enumerate(found):
            members = X[kind == number].astype(np.float64)
            assert cluster.n_curves == len(members)
            np.testing.assert_allclose(cluster.mean, members.mean(axis=0), rtol=1e-12)
            # Linear interpolation between order statistics: place 0.16 (n - 1) of n.
            ordered, place = np.sort(members, axis=0), 0.16 * (len(members) - 1)
            low, part = int(place), place % 1
            expected = (1 - part) * ordered[low] + part * ordered[low + 1]
            np.testing.assert_allclose(cluster.lower, expected, rtol=0, atol=1e-6)
            mirrored = (1 - part) * ordered[-1 - low] + part * ordered[-2 - low]
            np.testing.assert_allclose(cluster.upper, mirrored, rtol=0, atol=1e-6)

    def test_strength_is_spread_over_the_members(self, described):
        _, kind, strength, found = described
        for number, cluster in enumerate(found):
            part = strength[kind == number]
            expected = (
                part.min(),
                part.max(),
                part.mean(),
                np.sqrt(np.mean((part - part.mean()) ** 2)),
            )
            assert cluster.strength == pytest.approx(expected)

    def test_kernels_are_counted(self, described):
        *_, found = described
        assert [cluster.n_of_kernel for cluster in found] == [{"power": 20, "rkky": 20}] * 3

    def test_without_labels_there_are_curves_only(self):
        X, kind = clumps()
        assert [(c.strength, c.n_of_kernel) for c in describe(X, kind)] == [(None, {})] * 3


class TestOverlap:
    """Ranges of a label over one another."""

    def test_curves_in_two_ranges_are_counted(self):
        values = np.array([1.0, 2.0, 3.0, 4.0, 2.5, 5.0, 6.0, 7.0])
        found = overlap(values, np.array([0, 0, 0, 0, 1, 1, 1, 1]))
        assert found.ranges == [(2.5, 4.0)]
        assert found.shared == 3 / 8  # 3, 4 and 2.5

    def test_a_gap_is_a_falling_pair_and_shares_nothing(self):
        found = overlap(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1]))
        assert found == ([(3.0, 2.0)], 0.0)

    def test_three_clusters_have_two_neighbourhoods(self):
        found = overlap(np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0]), np.array([0, 0, 1, 1, 2, 2]))
        assert found.ranges == [(2.0, 3.0), (4.0, 5.0)]


class TestSeparations:
    """Labels that part neighbouring clusters."""

    def test_it_is_the_share_of_pairs_in_which_the_next_cluster_has_the_larger_value(self):
        values = np.array([1.0, 4.0, 2.0, 3.0, 5.0])
        # Of the pairs (1, 2), (1, 3), (1, 5), (4, 2), (4, 3), (4, 5) four rise.
        (found,) = separations({"W": values, "L": -values}, np.array([0, 0, 1, 1, 1]))
        assert found == pytest.approx({"W": 4 / 6, "L": 2 / 6})

    def test_a_label_that_parts_them_has_probability_one_and_equal_values_one_half(self):
        _, kind = clumps()
        found = separations({"W": kind + 0.5, "L": np.zeros(len(kind))}, kind)
        assert found == [{"W": 1.0, "L": 0.5}] * 2

    def test_no_label_and_one_cluster_give_nothing(self):
        _, kind = clumps()
        assert separations({}, kind) == [{}, {}]
        assert separations({"W": kind}, np.zeros(len(kind), int)) == []


class TestAgreement:
    """Clusters beside known classes."""

    KERNELS = np.array(["gaussian", "power", "rkky"] * 40)

    def test_equal_partitions_agree_whatever_their_names(self):
        assert agreement(2 - clumps()[1], self.KERNELS) == pytest.approx(1)

    def test_it_is_the_closed_form_of_the_contingency_table(self):
        # Two clusters of classes (2, 1) and (1, 2): pairs together in both are 1 + 1 = 2, in each
        # 6; by chance 6 · 6 / 15 = 2.4, at most 6.
        partition, classes = np.array([0, 0, 0, 1, 1, 1]), np.array(list("aababb"))
        assert agreement(partition, classes) == pytest.approx((2 - 2.4) / (6 - 2.4))

    def test_random_partitions_agree_by_chance(self):
        rng = np.random.default_rng(0)
        found = [agreement(rng.integers(0, 3, 120), self.KERNELS) for _ in range(200)]
        # Each is spread by about 0.01; the mean of 200 by a fourteenth of it; five of these.
        assert abs(np.mean(found)) < 5 * np.std(found) / 200**0.5
        assert np.std(found) < 0.03

    def test_one_class_agrees_with_nothing(self):
        assert agreement(clumps()[1], np.full(120, "power")) is None
