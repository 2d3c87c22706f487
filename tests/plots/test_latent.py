"""Maps of latent space: what is drawn where, in which colour."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.markers import MarkerStyle

from latent_nmr.errors import InputError
from latent_nmr.plots.latent import latent_map, latent_maps
from latent_nmr.plots.style import KERNEL_STYLES, new_figure

LATENT = np.random.default_rng(0).normal(size=(30, 3))
W = np.random.default_rng(1).uniform(0.04, 0.2, 30)
KERNELS = np.array(["rkky", "gaussian", "power"] * 10)


def sorted_rows(points):
    """Rows in lexical order: which are drawn, whatever the order."""
    return np.asarray(sorted(map(tuple, np.asarray(points))))


class TestNumericLabel:
    """Points coloured by a number."""

    def test_the_first_two_coordinates_are_drawn_each_with_its_own_value(self):
        (points,) = latent_map(LATENT, W, "W").collections
        drawn = np.column_stack([points.get_offsets(), points.get_array()])
        np.testing.assert_array_equal(
            sorted_rows(drawn), sorted_rows(np.column_stack([LATENT[:, :2], W]))
        )

    def test_the_axes_carry_the_names_of_the_coordinates(self):
        ax = latent_map(LATENT, W, "W", axis_names=("PC1", "PC2"))
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("PC1", "PC2")

    @pytest.mark.parametrize(
        ("label", "text"), [("W", "W (MHz)"), ("L", "L (lattice constants)"), ("own", "own")]
    )
    def test_the_colour_bar_names_the_label_and_its_unit(self, label, text):
        ax = latent_map(LATENT, W, label)
        (bar,) = [other for other in ax.figure.axes if other is not ax]
        assert bar.get_xlabel() == text

    def test_colours_span_the_values(self):
        (points,) = latent_map(LATENT, W, "W").collections
        assert points.get_clim() == (W.min(), W.max())

    def test_labels_have_their_own_colour_maps(self):
        names = [
            latent_map(LATENT, W, label).collections[0].get_cmap().name for label in ("W", "L")
        ]
        assert names == ["viridis", "plasma"]


class TestKernelLabel:
    """Points coloured by a class."""

    @pytest.fixture(params=[str, object])
    def ax(self, request):
        return latent_map(LATENT, KERNELS.astype(request.param), "kernel")

    def test_each_kernel_has_its_points_in_its_colour_and_shape(self, ax):
        points = ax.collections[0]
        offsets, colours = np.asarray(points.get_offsets()), points.get_facecolor()
        assert len(points.get_paths()) == len(offsets) == 30
        for kernel, (_, colour, marker) in KERNEL_STYLES.items():
            mine = np.all(colours[:, :3] == to_rgb(colour), axis=1)
            np.testing.assert_array_equal(
                sorted_rows(offsets[mine]), sorted_rows(LATENT[kernel == KERNELS, :2])
            )
            shape = MarkerStyle(marker)
            expected = shape.get_path().transformed(shape.get_transform()).vertices
            for row in np.flatnonzero(mine):
                np.testing.assert_array_equal(points.get_paths()[row].vertices, expected)

    def test_no_kernel_lies_over_all_others(self, ax):
        # Points are drawn in their order: the last third must not be of one kernel.
        colours = ax.collections[0].get_facecolor()[-10:]
        assert len(np.unique(colours, axis=0)) == 3

    def test_each_kernel_has_an_entry_in_the_legend(self, ax):
        entries = [text.get_text() for text in ax.get_legend().get_texts()]
        assert entries == ["Gaussian", "power law", "RKKY"]

    def test_kernels_that_do_not_occur_have_no_entry(self):
        ax = latent_map(LATENT, np.full(30, "power"), "kernel")
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["power law"]

    def test_an_unknown_class_is_drawn_under_its_own_name(self):
        ax = latent_map(LATENT, np.full(30, "dipolar"), "kernel")
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["dipolar"]
        # A cross has no area, and the points have no outline.
        assert all(len(path.vertices) > 4 for path in ax.collections[0].get_paths())

    def test_unknown_classes_have_colours_of_their_own_and_many_have_no_legend(self):
        names = np.array([f"sample {n:02d}" for n in range(30)])
        few, many = (
            latent_map(LATENT, values, "own") for values in (names[np.arange(30) % 3], names)
        )
        assert len(np.unique(few.collections[0].get_facecolor(), axis=0)) == 3
        assert len(few.get_legend().get_texts()) == 3
        assert many.get_legend() is None
        assert many.get_title() == "own"

    def test_without_values_all_points_are_drawn_in_one_colour(self):
        (points,) = latent_maps(LATENT, {}).axes[0].collections
        assert len(points.get_offsets()) == 30
        assert len(np.unique(points.get_facecolor(), axis=0)) == 1


class TestDrawing:
    """Where and in which order a map is drawn."""

    def test_given_axes_are_used(self):
        ax = new_figure(3, 3).subplots()
        assert latent_map(LATENT, W, "W", ax=ax) is ax

    def test_points_are_drawn_in_one_and_the_same_shuffled_order(self):
        first, second = (latent_map(LATENT, W, "W").collections[0] for _ in range(2))
        np.testing.assert_array_equal(first.get_offsets(), second.get_offsets())
        assert (first.get_offsets() != LATENT[:, :2]).any()

    def test_points_shrink_where_there_are_many(self):
        few, many = (
            latent_map(np.tile(LATENT, (n, 1)), np.tile(W, n), "W").collections[0].get_sizes()[0]
            for n in (1, 100)
        )
        assert many < few

    def test_one_latent_axis_is_refused(self):
        with pytest.raises(InputError, match=r"at least two latent axes, but the model has 1\."):
            latent_map(LATENT[:, :1], W, "W")


class TestLatentMaps:
    """One map per label, side by side."""

    @pytest.fixture
    def figure(self):
        return latent_maps(LATENT, {"W": W, "L": 3 * W, "kernel": KERNELS})

    @staticmethod
    def maps(figure):
        return [ax for ax in figure.axes if ax.get_xlabel() == "LA1"]

    def test_every_label_has_a_map_of_all_points(self, figure):
        maps = self.maps(figure)
        assert len(maps) == 3
        for ax in maps:
            drawn = np.concatenate([points.get_offsets() for points in ax.collections])
            np.testing.assert_array_equal(sorted_rows(drawn), sorted_rows(LATENT[:, :2]))

    def test_the_maps_share_their_axes_and_the_first_names_the_upright_one(self, figure):
        maps = self.maps(figure)
        assert [ax.get_ylabel() for ax in maps] == ["LA2", "", ""]
        assert len({ax.get_xlim() for ax in maps}) == len({ax.get_ylim() for ax in maps}) == 1
        maps[0].set_xlim(-9, 9)
        assert maps[2].get_xlim() == (-9, 9)

    def test_the_maps_are_lettered(self, figure):
        assert [ax.texts[0].get_text() for ax in self.maps(figure)] == ["(a)", "(b)", "(c)"]
