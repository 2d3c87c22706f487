"""Maps, scree and clusters: what is drawn."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from latent_nmr.plots.baselines import (
    CLUSTER_STYLES,
    ClusterCurve,
    Scree,
    baselines_figure,
    cluster_curves,
    clusters_figure,
    scree_plot,
)
from latent_nmr.plots.style import KERNEL_STYLES, new_figure

TIME = np.linspace(90.0, 230.0, 15)
SCREE = Scree({1: 8.0, 2: 2.0, 3: 1.0, 4: 0.5}, {2: 0.6, 3: 0.5, 4: None})
MARKS = {"90°": 0.0, "180°": 100.0, "echo": 200.0}
SIGNAL = "|M(t)| / |M(0)|"
RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(30, 3))
LABELS = {
    "W": RNG.uniform(0.1, 0.3, 30),
    "L": RNG.uniform(2, 30, 30),
    "kernel": np.array(["rkky", "gaussian", "power"] * 10),
}


def curves(count):
    means = [np.full(15, 0.2 + 0.2 * number) for number in range(count)]
    return [
        ClusterCurve(mean, mean - 0.05, mean + 0.1, f"cluster {k + 1}: W 0.10 to 0.2{k} MHz")
        for k, mean in enumerate(means)
    ]


def overview(labels):
    return baselines_figure(
        SCORES, [0.851, 0.052, 0.01], labels, SCREE, curves(2), TIME, signal_text=SIGNAL,
        marks=MARKS,
    )  # fmt: skip


def lettered(figure):
    """Axes by the letter of their panel."""
    return {ax.get_title(loc="left"): ax for ax in figure.axes if ax.get_title(loc="left")}


def texts_outside(figure):
    """Texts that leave the figure, or lie over one another."""
    figure.draw_without_rendering()
    frame = figure.bbox
    boxes = [
        (text.get_text(), text.get_window_extent())
        for ax in figure.axes
        for text in [*ax.texts, ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label]
        if text.get_text()
    ]
    out = [
        name
        for name, box in boxes
        if not (box.x0 >= 0 <= box.y0 and box.x1 <= frame.x1 and box.y1 <= frame.y1)
    ]
    pairs = [
        (one[0], other[0])
        for place, one in enumerate(boxes)
        for other in boxes[:place]
        if one[1].overlaps(other[1])
    ]
    return out, pairs


class TestScree:
    """Sum of squares and silhouette over K."""

    @pytest.fixture
    def sides(self):
        ax = scree_plot(*SCREE)
        (right,) = [other for other in ax.figure.axes if other is not ax]
        return ax, right

    def test_the_sums_are_fractions_of_that_of_one_cluster(self, sides):
        (line,) = sides[0].lines
        np.testing.assert_array_equal(
            line.get_xydata(), [[1, 1], [2, 0.25], [3, 0.125], [4, 0.0625]]
        )

    def test_silhouettes_are_drawn_where_they_are_defined_on_an_axis_of_their_own(self, sides):
        (line,) = sides[1].lines
        np.testing.assert_array_equal(line.get_xydata(), [[2, 0.6], [3, 0.5]])

    def test_each_axis_is_named_in_the_colour_of_its_line(self, sides):
        assert sides[0].get_xlabel() == "number of clusters K"
        assert [ax.get_ylabel() for ax in sides] == ["SSE(K) / SSE(1)", "mean silhouette"]
        for ax in sides:
            assert ax.yaxis.label.get_color() == ax.lines[0].get_color()

    def test_a_legend_tells_the_lines_apart(self, sides):
        words = [text.get_text() for text in sides[0].get_legend().get_texts()]
        assert words == ["SSE", "silhouette"]
        assert len({ax.lines[0].get_marker() for ax in sides}) == 2

    def test_negative_silhouettes_are_inside_the_frame(self):
        ax = scree_plot(SCREE.sums, {2: -0.3, 3: 0.1})
        assert ax.figure.axes[1].get_ylim()[0] <= -0.3


class TestClusterCurves:
    """Mean curves on their bands."""

    @pytest.fixture
    def ax(self):
        return cluster_curves(TIME, curves(3), signal_text=SIGNAL, marks=MARKS)

    def test_means_are_lines_and_bands_span_the_percentiles(self, ax):
        for line, band, cluster in zip(ax.lines, ax.collections, curves(3), strict=False):
            np.testing.assert_array_equal(line.get_xydata(), np.stack([TIME, cluster.mean], axis=1))
            heights = band.get_paths()[0].vertices[:, 1]
            assert (heights.min(), heights.max()) == (cluster.lower[0], cluster.upper[0])

    def test_clusters_differ_in_colour_and_dashes_and_not_in_the_colours_of_kernels(self, ax):
        styles = [(line.get_color(), line.get_linestyle()) for line in ax.lines[:3]]
        assert styles == list(CLUSTER_STYLES[:3])
        assert len({dashes for _, dashes in CLUSTER_STYLES}) == len(CLUSTER_STYLES)
        kernels = {to_rgb(colour) for _, colour, _ in KERNEL_STYLES.values()}
        assert kernels.isdisjoint(to_rgb(colour) for colour, _ in CLUSTER_STYLES)

    def test_the_legend_says_what_each_cluster_is(self, ax):
        words = [text.get_text() for text in ax.get_legend().get_texts()]
        assert words == [cluster.text for cluster in curves(3)]

    def test_axes_have_units_and_pulse_and_echo_are_marked(self, ax):
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("t (µs)", SIGNAL)
        assert ax.get_xlim() == (90.0, 230.0)
        assert [text.get_text() for text in ax.texts] == ["180°", "echo"]

    @pytest.mark.parametrize("count", [2, 3])
    def test_the_legend_lies_above_every_band(self, count):
        (panel,) = lettered(clusters_figure({count: curves(count)}, TIME, signal_text="")).values()
        panel.figure.draw_without_rendering()
        bottom = panel.get_legend().get_window_extent().y0
        top = max(cluster.upper.max() for cluster in curves(count))
        assert panel.transData.transform((0, top))[1] < bottom

    def test_given_axes_are_used(self):
        ax = new_figure(3, 3).subplots()
        assert cluster_curves(TIME, curves(2), signal_text=SIGNAL, ax=ax) is ax
        assert scree_plot(*SCREE, ax=ax) is ax


class TestOverview:
    """All panels of the figure."""

    @pytest.fixture
    def panels(self):
        return lettered(overview(LABELS))

    def test_maps_scree_and_curves_are_lettered_in_this_order(self, panels):
        assert list(panels) == ["(a)", "(b)", "(c)", "(d)", "(e)"]
        assert panels["(d)"].get_xlabel() == "number of clusters K"
        assert panels["(e)"].get_xlabel() == "t (µs)"

    def test_maps_show_the_first_two_components_with_what_they_explain(self, panels):
        for letter in "abc":
            ax = panels[f"({letter})"]
            drawn = np.concatenate([points.get_offsets() for points in ax.collections])
            np.testing.assert_array_equal(
                sorted(map(tuple, drawn)), sorted(map(tuple, SCORES[:, :2]))
            )
            assert ax.get_xlabel() == "PC1 (85.1 % of variance)"
        assert panels["(a)"].get_ylabel() == "PC2 (5.2 % of variance)"
        assert panels["(b)"].get_ylabel() == panels["(c)"].get_ylabel() == ""

    def test_maps_are_coloured_by_w_l_and_kernel_in_turn(self, panels):
        for letter, name in (("(a)", "W"), ("(b)", "L")):
            (points,) = panels[letter].collections
            np.testing.assert_array_equal(np.sort(points.get_array()), np.sort(LABELS[name]))
        words = [text.get_text() for text in panels["(c)"].get_legend().get_texts()]
        assert words == ["Gaussian", "power law", "RKKY"]

    def test_points_are_pixels_in_a_pdf(self, panels):
        assert all(points.get_rasterized() for points in panels["(a)"].collections)

    def test_without_labels_there_is_one_map_without_colours(self):
        panels = lettered(overview({}))
        assert list(panels) == ["(a)", "(b)", "(c)"]
        (points,) = panels["(a)"].collections
        np.testing.assert_array_equal(points.get_offsets(), SCORES[:, :2])
        assert points.get_array() is None
        assert panels["(a)"].get_ylabel() == "PC2 (5.2 % of variance)"

    @pytest.mark.parametrize("names", [(), ("kernel",), ("W", "kernel"), ("W", "L", "kernel")])
    def test_no_text_leaves_the_figure_or_lies_on_another(self, names):
        assert texts_outside(overview({name: LABELS[name] for name in names})) == ([], [])


class TestClustersFigure:
    """Several K side by side."""

    @pytest.fixture
    def figure(self):
        return clusters_figure({2: curves(2), 3: curves(3)}, TIME, signal_text=SIGNAL, marks=MARKS)

    def test_every_k_has_its_panel_with_its_clusters(self, figure):
        assert [ax.get_title() for ax in figure.axes] == ["K = 2", "K = 3"]
        assert list(lettered(figure)) == ["(a)", "(b)"]
        assert [len(ax.get_legend().get_texts()) for ax in figure.axes] == [2, 3]

    def test_the_panels_share_their_height_and_the_first_names_it(self, figure):
        left, right = figure.axes
        assert left.get_ylim() == right.get_ylim()
        # The tallest panel decides, wherever it stands.
        turned = clusters_figure({3: curves(3), 2: curves(2)}, TIME, signal_text=SIGNAL)
        assert turned.axes[0].get_ylim() == left.get_ylim()
        assert (left.get_ylabel(), right.get_ylabel()) == (SIGNAL, "")

    def test_no_text_leaves_the_figure_or_lies_on_another(self, figure):
        assert texts_outside(figure) == ([], [])
