"""A whole traversal, and its summary."""

import numpy as np

from latent_nmr.analysis.audit import time_regions
from latent_nmr.analysis.axis_audit import Record, audit_axis
from latent_nmr.analysis.neighbourhood import Spacing, neighbourhoods
from latent_nmr.analysis.traversal import Traversal

TIME = np.linspace(160.0, 240.0, 200)
RECORD = Record(TIME, time_regions(TIME, [0.0, 100.0], 200.0))
POSITIONS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
MEAN = np.exp(-(((TIME - 200) / 8) ** 2))


def bump(time, height):
    return height * np.exp(-(((TIME - time) / 2) ** 2))


def audited(added, off_data=(), order=slice(None), shift=0.0):
    """Audit a decoder that adds a curve to the truth at each point; 30 data at each, shifted."""
    rng = np.random.default_rng(0)
    latent = np.repeat(POSITIONS, 30)[:, None] + rng.normal(scale=0.05, size=(150, 1))
    latent[np.isin(np.repeat(POSITIONS, 30), off_data)] += 10
    X = MEAN + shift + rng.normal(scale=0.02, size=(150, 200))
    fresh = [MEAN + rng.normal(scale=0.01, size=(8, 200)) for _ in POSITIONS]
    values = rng.uniform(0.01, 0.1, 150)
    labels = {"alpha_x": values, "alpha_z": values, "L": 100 * values}
    labels |= {"kernel": rng.choice(["power", "rkky"], 150)}
    latent, X = latent[order], X[order]
    labels = {name: column[order] for name, column in labels.items()}
    points = POSITIONS[:, None]
    walk = Traversal(1, POSITIONS, points, np.array([MEAN + curve for curve in added]))
    places = neighbourhoods(points, latent, labels, 10)
    return audit_axis(walk, places, Spacing(0.05, 0.5), fresh, X, RECORD)


NOTHING = np.zeros_like(TIME)


class TestAxis:
    """Points in the order of the walk."""

    def test_every_point_is_set_beside_its_own_groups(self):
        added = [bump(200.0, 0.1 * k) for k in range(5)]
        audit = audited(added)
        assert audit.axis == 1
        assert [point.position for point in audit.points] == list(POSITIONS)
        for point, extra in zip(audit.points, added, strict=True):
            np.testing.assert_allclose(point.decoded, MEAN + extra)
            assert abs(point.simulation.residual.max() - extra.max()) < 0.02
            assert point.place.mean_distance < 0.2

    def test_the_order_of_the_data_changes_nothing(self):
        added = [bump(200.0, 0.1 * k) for k in range(5)]
        order = np.random.default_rng(1).permutation(150)
        one, other = audited(added), audited(added, order=order)
        assert one.summary == other.summary
        for before, after in zip(one.points, other.points, strict=True):
            assert before.neighbours.rms == after.neighbours.rms
            np.testing.assert_array_equal(before.invented, after.invented)


class TestSummary:
    """Where the decoder invents structure."""

    def test_a_faithful_decoder_invents_nothing(self):
        summary = audited([NOTHING] * 5).summary
        assert summary.faithful == tuple(POSITIONS)
        assert (summary.invents, summary.averages, summary.off_data, summary.excess) == (
            (), (), (), None,
        )  # fmt: skip

    def test_an_inventing_one_is_located_in_axis_time_and_size(self):
        added = [NOTHING, bump(180.0, 0.3), NOTHING, bump(180.0, -0.6), NOTHING]
        summary = audited(added).summary
        assert (summary.invents, summary.faithful) == ((-1.0, 1.0), (-2.0, 0.0, 2.0))
        excess = summary.excess
        assert (excess.region, excess.position) == ("early", 1.0)
        assert abs(excess.time - 180.0) < 2
        assert excess.share > 0.995
        # What is left outside the wider band of the two: 2 sd of 0.02 around the neighbours.
        assert abs(excess.height + 0.57) < 0.03

    def test_between_the_bands_the_size_is_that_from_the_nearer_one(self):
        for height, distance in ((0.3, 0.2), (0.7, -0.2)):
            added = [NOTHING, np.full_like(TIME, height), NOTHING, NOTHING, NOTHING]
            assert abs(audited(added, shift=1.0).summary.excess.height - distance) < 0.1

    def test_points_off_the_data_are_distinguished(self):
        added = [bump(203.0, 0.5), NOTHING, NOTHING, NOTHING, NOTHING]
        audit = audited(added, off_data=(-2.0, 2.0))
        assert [point.is_off_data for point in audit.points] == [True, False, False, False, True]
        summary = audit.summary
        assert (summary.invents, summary.faithful) == ((), (-1.0, 0.0, 1.0))
        assert (summary.off_data, summary.off_data_invents) == ((-2.0, 2.0), (-2.0,))
        assert summary.off_data_excess.region == "echo"

    def test_averaging_is_neither(self):
        # Inside the neighbours' band of ± 0.04, outside the simulations' of ± 0.02.
        added = [NOTHING, np.full_like(TIME, 0.03), NOTHING, NOTHING, NOTHING]
        summary = audited(added).summary
        assert (summary.averages, summary.invents) == ((-1.0,), ())
