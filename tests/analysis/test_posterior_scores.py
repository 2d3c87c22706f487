"""Ranks, coverage, reliability and correction, on posteriors that are right or wrong by design."""

import numpy as np
import pytest

from latent_nmr.analysis.posterior_scores import (
    contraction,
    corrected_levels,
    corrected_ranks,
    coverage,
    nearness_ranks,
    ranks_of,
    reliability,
    reliability_by_chance,
    uniform_p,
)

N_ROWS, N_DRAWS = 3000, 200


def posteriors(stated_width=1.0, seed=0):
    """Truths, and draws of Gaussian posteriors whose width is said to be another one."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=N_ROWS)
    truths = centres + rng.normal(size=N_ROWS)
    draws = centres[:, None] + stated_width * rng.normal(size=(N_ROWS, N_DRAWS))
    return truths, draws


def ranks(stated_width=1.0, seed=0):
    truths, draws = posteriors(stated_width, seed)
    return ranks_of(draws, truths, np.random.RandomState(seed))


class TestRanks:
    def test_ranks_of_right_posteriors_are_uniform(self):
        assert uniform_p(ranks()) > 0.01

    @pytest.mark.parametrize("width", [0.7, 1.4])
    def test_ranks_of_wrong_widths_are_not(self, width):
        assert uniform_p(ranks(width)) < 1e-6

    @pytest.mark.parametrize("level", [0.5, 0.68, 0.9, 0.95])
    def test_right_intervals_hold_the_truth_as_often_as_they_say(self, level):
        error = np.sqrt(level * (1 - level) / N_ROWS)
        # N_DRAWS draws place the ends of intervals to about 1/N_DRAWS.
        assert coverage(ranks(), level) == pytest.approx(level, abs=4 * error + 1 / N_DRAWS)

    def test_intervals_that_are_too_narrow_hold_it_less_often(self):
        assert coverage(ranks(0.7), 0.68) < 0.60

    def test_truths_that_equal_draws_lie_anywhere_among_them(self):
        found = ranks_of(np.zeros((N_ROWS, 5)), np.zeros(N_ROWS), np.random.RandomState(0))
        assert uniform_p(found) > 0.01

    def test_weights_count_draws_as_often(self):
        draws = np.array([[0.0, 1.0, 2.0, 3.0]])
        weights = np.array([[3.0, 0.0, 0.0, 1.0]])
        found = ranks_of(draws, np.array([0.5]), np.random.RandomState(0), weights)
        # Three of four lie below; the truth is one more of mean weight 1.
        assert 3 / 5 <= found[0] <= 4 / 5


class TestReliability:
    def test_shares_that_are_right_are_found_right_but_for_chance(self):
        rng = np.random.default_rng(0)
        shares = rng.dirichlet([1, 1, 1], size=4000)
        classes = (rng.random((4000, 1)) > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)
        error = reliability(shares, classes).error
        by_chance = reliability_by_chance(shares, np.random.RandomState(0))
        assert error < 2 * by_chance < 0.03

    def test_shares_that_are_too_sharp_are_found_out(self):
        rng = np.random.default_rng(0)
        shares = rng.dirichlet([1, 1, 1], size=4000)
        classes = (rng.random((4000, 1)) > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)
        sharp = shares**3 / (shares**3).sum(axis=1, keepdims=True)
        assert reliability(sharp, classes).error > 0.06

    def test_bins_hold_every_share_once(self):
        shares = np.array([[0.0, 1.0], [0.0, 1.0], [0.55, 0.45]])
        found = reliability(shares, np.array([1, 1, 0]))
        assert found.n.sum() == 6
        # Four shares that are right, and two that are 0.45 away.
        assert found.error == pytest.approx((4 * 0 + 2 * 0.45) / 6)


class TestJoint:
    def test_nearness_of_right_posteriors_is_uniform_and_of_wrong_ones_is_not(self):
        rng = np.random.default_rng(1)
        points = rng.normal(size=N_ROWS)
        for width, is_right in ((1.0, True), (0.6, False)):
            truths, draws = posteriors(width)
            found = nearness_ranks(np.abs(draws - points[:, None]), np.abs(truths - points))
            assert (uniform_p(found) > 0.01) == is_right


class TestCorrection:
    def test_widths_that_are_wrong_in_one_place_are_put_right_there(self):
        rng = np.random.default_rng(2)
        place = rng.uniform(size=2 * N_ROWS)
        truths, draws = (
            np.concatenate(p) for p in zip(posteriors(), posteriors(seed=1), strict=True)
        )
        narrow = np.where(place < 0.5, 0.6, 1.0)[:, None]
        centres = draws.mean(axis=1, keepdims=True)
        raw = ranks_of(centres + narrow * (draws - centres), truths, np.random.RandomState(0))
        half = np.arange(len(place)) % 2 == 0
        found = corrected_ranks(raw[half], place[half, None], raw[~half], place[~half, None])
        for own in (place[half] < 0.5, place[half] >= 0.5):
            error = np.sqrt(0.68 * 0.32 * (1 / own.sum() + 1 / 300))
            assert coverage(found[own], 0.68) == pytest.approx(0.68, abs=4 * error)
        assert coverage(raw[half][place[half] < 0.5], 0.68) < 0.55

    def test_fewer_known_rows_than_neighbours_are_enough(self):
        found = corrected_ranks(
            np.array([0.5]), np.zeros((1, 1)), np.array([0.4, 0.6]), np.zeros((2, 1))
        )
        assert found.tolist() == [0.5]


def test_corrected_levels_are_the_inverse_of_corrected_ranks():
    rng = np.random.default_rng(3)
    known, places = rng.beta(0.5, 0.5, 1000), rng.normal(size=(1000, 2))
    levels = corrected_levels(places[0], known, places, [0.1, 0.5, 0.9])
    back = corrected_ranks(levels, np.repeat(places[:1], 3, axis=0), known, places)
    np.testing.assert_allclose(back, [0.1, 0.5, 0.9], atol=2 / 300)
    # Truths crowd at both ends: intervals must reach farther than they say.
    assert levels[0] < 0.1 < 0.9 < levels[2]


def test_contraction_is_nought_at_the_prior_and_one_where_all_is_known():
    assert contraction(np.full(10, 2.0), 2.0) == pytest.approx(0)
    assert contraction(np.zeros(10), 2.0) == 1
