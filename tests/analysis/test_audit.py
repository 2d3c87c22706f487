"""One decoded curve beside fresh simulations and beside its neighbours."""

import numpy as np
import pytest

from latent_nmr.analysis.audit import (
    REGIONS,
    audit_point,
    beyond_band,
    chance_outside,
    compare,
    shares_of,
    time_regions,
)
from latent_nmr.analysis.neighbourhood import Neighbourhood, Spacing
from latent_nmr.errors import InputError

TIME = np.linspace(160.0, 240.0, 400)
MEAN = 0.1 + 0.5 * np.exp(-(((TIME - 200) / 8) ** 2))
REGIONS_OF_TIME = time_regions(TIME, [0.0, 100.0], 200.0)


def smooth_noise(seed, n_curves, deviation=0.01):
    """Normal noise that is alike over a few samples, as that of ν is."""
    white = np.random.default_rng(seed).normal(size=(n_curves, len(TIME) + 8))
    kernel = np.hanning(9)
    kernel /= np.sqrt((kernel**2).sum())
    return deviation * np.array([np.convolve(row, kernel, "valid") for row in white])


def place(distance=0.1):
    return Neighbourhood(np.arange(20), np.full(20, distance), "rkky", 11, 0.05, 0.06, 12.0)


def judged(decoded, *, fresh=None, near=None, distance=0.1):
    fresh = MEAN + smooth_noise(0, 8) if fresh is None else fresh
    near = MEAN + smooth_noise(1, 20, 0.03) if near is None else near
    spacing = Spacing(0.1, 0.3)
    return audit_point(0.5, decoded, place(distance), spacing, fresh, near, TIME, REGIONS_OF_TIME)


def bump(time, height):
    return height * np.exp(-(((TIME - time) / 1.5) ** 2))


class TestFaithful:
    """A decoder that does what the simulator does."""

    @pytest.mark.parametrize("seed", range(10))
    def test_the_mean_of_the_simulator_is_inside_its_band(self, seed):
        point = judged(MEAN, fresh=MEAN + smooth_noise(seed, 8))
        assert point.verdict == "faithful"
        assert point.simulation.outside <= 0.05
        # The mean of eight curves is itself uncertain by 1/√8 of their scatter.
        assert point.simulation.ratio < 3 / np.sqrt(8)

    def test_one_more_simulation_stands_out_as_seldom_as_the_others(self):
        strange = [
            judged(noise[8], fresh=noise[:8]).simulation.stands_out
            for noise in (MEAN + smooth_noise(seed, 9) for seed in range(300))
        ]
        # The limit lies between the two largest of eight: more than two in nine curves cannot
        # exceed it, by exchangeability. Three standard deviations of 300 trials.
        assert np.mean(strange) < 2 / 9 + 3 * np.sqrt(14 / 81 / 300)

    @pytest.mark.parametrize("n_curves", [4, 8, 40])
    def test_one_more_normal_curve_is_outside_as_often_as_student_says(self, n_curves):
        rng = np.random.default_rng(n_curves)
        curves = rng.normal(size=(n_curves + 1, 40_000))
        found = np.mean(beyond_band(curves[0], curves[1:]) > 0)
        chance = chance_outside(n_curves)
        assert found == pytest.approx(chance, abs=4 * np.sqrt(chance / 40_000))

    def test_with_many_curves_that_is_one_in_twenty(self):
        # The normal law beyond two standard deviations.
        assert chance_outside(10**7) == pytest.approx(0.0455, abs=1e-4)

    def test_a_normal_residual_has_the_ratio_of_one_more_curve(self):
        rng = np.random.default_rng(5)
        curves = rng.normal(size=(9, 40_000))
        assert compare(curves[0], curves[1:]).ratio == pytest.approx(np.sqrt(9 / 8), rel=0.02)


class TestInvention:
    """A decoder that adds what no curve has."""

    @pytest.mark.parametrize(("time", "region"), [(180.0, "early"), (203.0, "echo"), (225, "late")])
    @pytest.mark.parametrize("height", [0.2, -0.2])
    def test_a_bump_is_found_at_its_time(self, time, region, height):
        point = judged(MEAN + bump(time, height))
        assert point.verdict == "invents"
        # Within the width of the bump.
        assert point.worst_time == pytest.approx(time, abs=1.5)
        assert point.worst_residual == pytest.approx(height, abs=0.03)
        assert point.shares[region] > 0.95
        assert TIME[np.argmax(point.invented)] == pytest.approx(time, abs=1.5)

    def test_a_bump_that_real_neighbours_have_is_averaging(self):
        strength = np.random.default_rng(2).uniform(-1, 1, (20, 1))
        near = MEAN + strength * bump(203.0, 0.3) + smooth_noise(1, 20)
        decoded = MEAN + bump(203.0, 0.15)
        averaged = judged(decoded, near=near)
        assert averaged.verdict == "averages"
        # Where it differs from the simulations is told all the same.
        assert averaged.shares["echo"] > 0.95
        assert judged(decoded, near=MEAN + smooth_noise(1, 20)).verdict == "invents"

    def test_between_two_bands_that_do_not_meet_the_nearer_counts(self):
        near = MEAN + 1.0 + smooth_noise(1, 20)
        point = judged(MEAN + 0.4, near=near)
        np.testing.assert_array_equal(point.invented, point.simulation.beyond)
        assert (point.neighbours.beyond > point.simulation.beyond).all()

    def test_a_constant_offset_is_an_excess_everywhere(self):
        point = judged(MEAN + 0.5)
        assert point.simulation.outside == 1.0
        counts = {name: REGIONS_OF_TIME.count(name) / len(TIME) for name in REGIONS}
        for region, share in counts.items():
            assert point.shares[region] == pytest.approx(share, abs=0.01)


class TestComparison:
    """Numbers of a comparison, by hand."""

    def test_residual_scatter_and_excess_are_those_of_the_definition(self):
        group = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]])
        found = compare(np.array([6.0, 2.0]), group)
        sd = np.sqrt(4 / 3)
        np.testing.assert_allclose(found.mean, [1, 2])
        np.testing.assert_allclose(found.deviation, [sd, 2 * sd])
        np.testing.assert_allclose(found.residual, [5, 0])
        np.testing.assert_allclose(found.beyond, [5 - 2 * sd, 0])
        assert found.rms == pytest.approx(np.sqrt(25 / 2))
        assert found.scatter == pytest.approx(np.sqrt((sd**2 + 4 * sd**2) / 2))
        assert found.outside == 0.5
        barely = np.array([6.0, 2 + 4 * sd + 0.01])
        assert compare(barely, group).outside == 1.0
        assert found.excess == pytest.approx((5 - 2 * sd) / np.sqrt(2))
        assert found.ratio == pytest.approx(found.rms / found.scatter)

    def test_the_limit_is_what_nine_in_ten_members_keep_among_the_others(self):
        group = MEAN + smooth_noise(0, 11)
        group[3] += bump(190.0, 0.3)
        own = [
            np.sqrt(np.mean(beyond_band(group[row], np.delete(group, row, axis=0)) ** 2))
            for row in range(11)
        ]
        # Of eleven the second largest: one strange curve excuses nothing.
        assert compare(MEAN, group).limit == pytest.approx(sorted(own)[-2])
        assert np.argmax(own) == 3

    def test_the_order_of_the_group_changes_nothing(self):
        group, decoded = MEAN + smooth_noise(0, 8), MEAN + bump(190.0, 0.1)
        one, other = compare(decoded, group), compare(decoded, group[::-1])
        # Sums in another order.
        for name in ("rms", "scatter", "outside", "excess", "limit"):
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)

    def test_a_group_without_scatter_has_no_ratio(self):
        assert np.isnan(compare(MEAN + 1, np.tile(MEAN, (4, 1))).ratio)

    @pytest.mark.parametrize("shape", [(3, 400), (8, 399), (400,)])
    def test_a_group_of_another_shape_is_refused(self, shape):
        with pytest.raises(InputError, match=r"shape \(n_curves, 400\).*but has shape"):
            compare(MEAN, np.zeros(shape))


class TestOffData:
    """Points where no data lie."""

    def test_a_point_is_off_the_data_if_its_neighbours_are_beyond_the_edge(self):
        assert not judged(MEAN, distance=0.29).is_off_data
        assert judged(MEAN, distance=0.31).is_off_data

    def test_its_curve_is_judged_all_the_same(self):
        assert judged(MEAN + bump(203.0, 0.3), distance=3.0).verdict == "invents"


class TestRegions:
    """Parts of the record."""

    def test_every_sample_has_a_region(self):
        time = np.array([0.0, 9.9, 11.0, 99.0, 100.0, 109.9, 111, 189, 190, 200, 210, 211, 299])
        expected = ["pulse"] * 2 + ["early"] * 2 + ["pulse"] * 2 + ["early"] * 2
        expected += ["echo"] * 3 + ["late"] * 2
        assert time_regions(time, [0.0, 100.0], 200.0) == expected

    def test_shares_add_up_to_one_and_are_of_squares(self):
        beyond = np.array([0.0, 1.0, 3.0])
        shares = shares_of(beyond, ["pulse", "early", "echo"])
        assert shares == {"pulse": 0.0, "early": 0.1, "echo": 0.9, "late": 0.0}

    def test_without_an_excess_no_region_has_a_share(self):
        assert set(shares_of(np.zeros(2), ["echo", "late"]).values()) == {0.0}
