"""Walks through latent space, with any model that can decode."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from latent_nmr.analysis.traversal import mean_of_nearest, traverse
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE


@pytest.fixture(scope="module")
def curves():
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, 12)
    rate, height = rng.uniform(0.5, 3, (60, 1)), rng.uniform(0.3, 0.9, (60, 1))
    return height * np.exp(-rate * t)


@pytest.fixture(scope="module", params=["pca", "vae"])
def model(request, curves):
    """A fitted model with three latent axes."""
    if request.param == "pca":
        return PCA(3).fit(curves)
    vae = BetaVAE(3, hidden_layer_sizes=(8,), max_epochs=2, min_epoch_steps=5, random_state=0)
    return vae.fit(curves)


class TestTraverse:
    """Decoded points along one axis."""

    @pytest.mark.parametrize("axis", [1, 2, 3])
    def test_points_lie_on_the_axis_in_equal_steps(self, model, axis):
        walk = traverse(model, 3, axis, span=2.0, n_steps=5)
        assert walk.axis == axis
        np.testing.assert_array_equal(walk.positions, [-2, -1, 0, 1, 2])
        np.testing.assert_array_equal(walk.points[:, axis - 1], walk.positions)
        assert not np.delete(walk.points, axis - 1, axis=1).any()

    def test_curves_are_the_decoded_points(self, model):
        walk = traverse(model, 3, 2)
        np.testing.assert_array_equal(walk.curves, model.inverse_transform(walk.points))
        assert walk.curves.shape == (11, 12)

    def test_the_usual_walk_goes_from_minus_to_plus_two_and_a_half(self, model):
        np.testing.assert_array_equal(traverse(model, 3, 1).positions, np.arange(-5, 6) / 2)

    def test_all_axes_meet_in_the_middle(self, model):
        middles = [traverse(model, 3, axis, n_steps=7).curves[3] for axis in (1, 2, 3)]
        np.testing.assert_array_equal(middles[0], middles[1])
        np.testing.assert_array_equal(middles[0], middles[2])

    def test_pca_moves_straight_along_its_component(self, curves):
        pca = PCA(2).fit(curves)
        walk = traverse(pca, 2, 2, span=1.5, n_steps=4)
        expected = pca.mean_ + np.outer([-1.5, -0.5, 0.5, 1.5], pca.components_[1])
        # Two roundings of numbers of order one.
        np.testing.assert_allclose(walk.curves, expected, rtol=0, atol=1e-14)

    @pytest.mark.parametrize("axis", [4, 100])
    def test_an_axis_beyond_the_last_is_refused(self, model, axis):
        with pytest.raises(InputError, match=rf"axis must be one of 1\.\.3.*but is {axis}\."):
            traverse(model, 3, axis)

    @pytest.mark.parametrize("axis", [0, -1, 1.0])
    def test_axes_count_from_one_in_whole_numbers(self, model, axis):
        with pytest.raises(InputError, match=rf"axis must be a whole number.*but is {axis}\."):
            traverse(model, 3, axis)

    def test_a_walk_has_at_least_two_steps(self, model):
        with pytest.raises(InputError, match=r"n_steps must be .* at least 2, but is 1\."):
            traverse(model, 3, 1, n_steps=1)


class TestMeanOfNearest:
    """Mean label of the data around a latent point."""

    @pytest.mark.parametrize("n_neighbors", [1, 7, 20])
    def test_it_is_the_mean_over_the_smallest_distances(self, n_neighbors):
        rng = np.random.default_rng(1)
        points, latent = rng.normal(size=(9, 2)), rng.normal(size=(50, 2))
        values = rng.random(50).astype(np.float32)
        expected = []
        for point in points:
            nearest = sorted(range(50), key=lambda row: np.hypot(*(latent[row] - point)))
            expected.append(np.mean(values[nearest[:n_neighbors]], dtype=np.float64))
        found = mean_of_nearest(points, latent, values, n_neighbors)
        assert found.dtype == np.float64
        # At most twenty numbers below one, added in another order.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)

    def test_few_data_are_all_used(self):
        values = np.array([1.0, 2.0, 6.0])
        found = mean_of_nearest(np.zeros((2, 1)), np.arange(3.0)[:, None], values)
        np.testing.assert_allclose(found, [3.0, 3.0], rtol=1e-15)

    def test_a_datum_is_its_own_nearest(self):
        latent = np.random.default_rng(2).normal(size=(30, 3))
        values = np.arange(30.0)
        np.testing.assert_array_equal(mean_of_nearest(latent, latent, values, 1), values)
