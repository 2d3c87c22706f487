"""Data around a latent point."""

import numpy as np
import pytest

from latent_nmr.analysis.neighbourhood import neighbourhoods, spacing
from latent_nmr.errors import InputError

NAMES = ["gaussian", "power", "rkky"]


@pytest.fixture
def latent():
    return np.random.default_rng(0).normal(size=(80, 2))


@pytest.fixture
def labels():
    rng = np.random.default_rng(1)
    return {
        "alpha_x": rng.uniform(0.01, 0.1, 80),
        "alpha_z": rng.uniform(0.01, 0.1, 80),
        "L": rng.uniform(4, 25, 80),
        "kernel": rng.choice(NAMES, 80),
    }


def on_a_line(kernels):
    """One curve per kernel name, at 1, 2, 3, … on a line, and labels that number them."""
    count = len(kernels)
    number = np.arange(1.0, count + 1)
    labels = {"alpha_x": number, "alpha_z": 10 * number, "L": 100 * number}
    return number[:, None], labels | {"kernel": np.array(kernels)}


class TestNeighbourhoods:
    """Nearest curves and their mean parameters."""

    def test_the_nearest_curves_are_averaged(self, latent, labels):
        points = np.array([[0.0, 0.0], [1.0, -1.0]])
        for point, place in zip(points, neighbourhoods(points, latent, labels, 7), strict=True):
            order = np.argsort(np.hypot(*(latent - point).T))[:7]
            np.testing.assert_array_equal(place.rows, order)
            np.testing.assert_allclose(
                place.distances, np.hypot(*(latent[order] - point).T), rtol=1e-14
            )
            assert place.alpha_x == pytest.approx(labels["alpha_x"][order].mean())
            assert place.alpha_z == pytest.approx(labels["alpha_z"][order].mean())
            assert place.nearest == place.distances[0]
            assert place.mean_distance == pytest.approx(place.distances.mean())

    def test_strength_is_the_sum_over_x_y_and_z_with_equal_x_and_y(self, latent, labels):
        (place,) = neighbourhoods(latent[:1], latent, labels, 5)
        expected = (2 * labels["alpha_x"] + labels["alpha_z"])[place.rows].mean()
        assert place.coupling_strength == pytest.approx(expected)

    def test_length_is_averaged_over_the_commonest_kernel_alone(self):
        latent, labels = on_a_line(["rkky", "power", "power", "gaussian", "power", "rkky"])
        (place,) = neighbourhoods(np.zeros((1, 1)), latent, labels, 5)
        assert (place.kernel, place.n_of_kernel) == ("power", 3)
        assert place.coupling_length == pytest.approx((200 + 300 + 500) / 3)
        assert place.alpha_x == pytest.approx(3.0)

    @pytest.mark.parametrize(
        ("kernels", "winner"),
        [
            (["rkky", "gaussian", "gaussian", "rkky"], "rkky"),
            (["gaussian", "rkky", "rkky", "gaussian"], "gaussian"),
            (["power", "rkky", "gaussian", "gaussian", "rkky"], "rkky"),
        ],
    )
    def test_of_equally_common_kernels_that_of_the_nearest_curve_is_taken(self, kernels, winner):
        latent, labels = on_a_line([*kernels, "power"])
        order = np.random.default_rng(0).permutation(len(latent))
        shuffled = {name: values[order] for name, values in labels.items()}
        for cloud, known in ((latent, labels), (latent[order], shuffled)):
            (place,) = neighbourhoods(np.zeros((1, 1)), cloud, known, len(kernels))
            assert place.kernel == winner

    def test_the_order_of_the_data_changes_nothing(self, latent, labels):
        points = np.array([[0.3, 0.1], [2.0, 2.0]])
        order = np.random.default_rng(3).permutation(80)
        shuffled = {name: values[order] for name, values in labels.items()}
        before = neighbourhoods(points, latent, labels, 9)
        after = neighbourhoods(points, latent[order], shuffled, 9)
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one.rows, order[other.rows])
            np.testing.assert_array_equal(one.distances, other.distances)
            assert (one.kernel, one.n_of_kernel) == (other.kernel, other.n_of_kernel)
            assert (one.alpha_x, one.alpha_z) == (other.alpha_x, other.alpha_z)
            assert one.coupling_length == other.coupling_length
        assert spacing(latent, 9) == spacing(latent[order], 9)

    def test_names_in_the_string_type_of_stores_will_do(self, latent, labels):
        stored = labels | {"kernel": labels["kernel"].astype(np.dtypes.StringDType())}
        (one,) = neighbourhoods(latent[:1], latent, labels, 5)
        (other,) = neighbourhoods(latent[:1], latent, stored, 5)
        assert one.kernel == other.kernel
        assert type(one.kernel) is type(other.kernel) is str


class TestSpacing:
    """How far the neighbours of the data are."""

    def test_each_datum_is_left_out_of_its_own_neighbours(self):
        # Equal steps on a ring: the four neighbours are one and two steps away.
        angle = 2 * np.pi * np.arange(50) / 50
        ring = np.column_stack([np.cos(angle), np.sin(angle)])
        expected = np.mean([2 * np.sin(np.pi * k / 50) for k in (1, 1, 2, 2)])
        found = spacing(ring, 4)
        assert found.typical == pytest.approx(expected)
        assert found.edge == pytest.approx(expected)

    def test_the_edge_is_the_distance_of_one_in_a_hundred(self, latent):
        apart = np.hypot(*(latent[:, None] - latent[None]).transpose(2, 0, 1))
        means = np.sort(apart, axis=1)[:, 1:6].mean(axis=1)
        found = spacing(latent, 5)
        assert found.typical == pytest.approx(np.median(means))
        assert found.edge == pytest.approx(np.quantile(means, 0.99))


class TestRefusals:
    """Data that cannot say what to simulate."""

    def test_fewer_curves_than_neighbours(self, latent, labels):
        for count in (80, 200):
            message = f"more curves than n_neighbors.*have 80 and n_neighbors is {count}"
            with pytest.raises(InputError, match=message):
                neighbourhoods(latent[:1], latent, labels, count)
        assert neighbourhoods(latent[:1], latent, labels, 79)

    @pytest.mark.parametrize("count", [0, 3, 4.0])
    def test_too_few_neighbours_to_have_a_scatter(self, latent, count):
        with pytest.raises(InputError, match="n_neighbors must be a whole number of at least 4"):
            spacing(latent, count)
