"""A whole traversal, and the sentence about it."""

import numpy as np
import pytest

from latent_nmr.analysis.axis_audit import Record, audit_axis
from latent_nmr.analysis.neighbourhood import Spacing, neighbourhoods
from latent_nmr.analysis.traversal import Traversal

TIME = np.linspace(160.0, 240.0, 200)
RECORD = Record(TIME, [0.0, 100.0], 200.0)
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
        assert one.sentence == other.sentence
        for before, after in zip(one.points, other.points, strict=True):
            assert before.neighbours.rms == after.neighbours.rms
            np.testing.assert_array_equal(before.invented, after.invented)


class TestSentence:
    """Where the decoder invents structure."""

    def test_a_faithful_decoder_invents_nothing(self):
        assert audited([NOTHING] * 5).sentence == (
            "LA1 invents no structure where data lie; is faithful at z = -2, -1, 0, 1, 2"
        )

    def test_an_inventing_one_is_told_where_when_and_how_much(self):
        added = [NOTHING, bump(180.0, 0.3), NOTHING, bump(180.0, -0.6), NOTHING]
        sentence = audited(added).sentence
        assert sentence.startswith("LA1 invents structure at z = -1, 1 (100% of it before the echo")
        assert "is faithful at z = -2, 0, 2" in sentence
        (number,) = [word for word in sentence.split() if word[:2] == "-0"]
        # What is left outside the wider band of the two: 2 sd of 0.02 around the neighbours.
        assert float(number) == pytest.approx(-0.57, abs=0.03)
        assert "outside both bands, z = 1, 18" in sentence

    def test_between_the_bands_its_size_is_told_from_the_nearer_one(self):
        for height, distance in ((0.3, "+0.2"), (0.7, "-0.2")):
            added = [NOTHING, np.full_like(TIME, height), NOTHING, NOTHING, NOTHING]
            assert f"at most {distance}" in audited(added, shift=1.0).sentence

    def test_points_off_the_data_are_told_apart(self):
        added = [bump(203.0, 0.5), NOTHING, NOTHING, NOTHING, NOTHING]
        audit = audited(added, off_data=(-2.0, 2.0))
        assert [point.is_off_data for point in audit.points] == [True, False, False, False, True]
        assert audit.sentence.startswith("LA1 invents no structure where data lie; is faithful at ")
        assert "; is off the data at z = -2, 2, inventing at z = -2 (100% of it in the echo" in (
            audit.sentence
        )

    def test_averaging_is_neither(self):
        # Inside the neighbours' band of ± 0.04, outside the simulations' of ± 0.02.
        added = [NOTHING, np.full_like(TIME, 0.03), NOTHING, NOTHING, NOTHING]
        assert audited(added).sentence == (
            "LA1 invents no structure where data lie; averages over unlike curves at z = -1; "
            "is faithful at z = -2, 0, 1, 2"
        )
