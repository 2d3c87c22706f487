"""Figures of an evaluation: what is drawn."""

import numpy as np
import pytest

from latent_nmr.plots.curves import Quantity
from latent_nmr.plots.evaluation import (
    Line,
    Map,
    maps_by_method,
    scores_over_dimension,
    scores_over_noise,
)
from latent_nmr.plots.overview import Walk, latent_overview


@pytest.fixture
def labels():
    random = np.random.default_rng(0)
    return {
        "W": random.uniform(0.1, 0.3, 60),
        "kernel": np.resize(np.array(["gaussian", "power", "rkky"]), 60),
    }


def lines(*places):
    values = np.linspace(0.4, 0.8, len(places))
    return [
        Line(method, title, np.array(places), values + shift, np.full(len(places), 0.02))
        for method, title, shift in (("vae", "β-VAE", 0.1), ("pca", "PCA", 0.0))
    ]


def drawn_points(ax):
    """Positions of the markers of each line with error bars, by its label."""
    return {container.get_label(): container.lines[0].get_xydata() for container in ax.containers}


class TestMaps:
    """One row per method, one column per label."""

    def test_each_method_has_a_map_for_each_label_with_its_own_axes(self, labels):
        cloud = np.random.default_rng(1).normal(size=(60, 3))
        maps = [Map("β-VAE", cloud, ("LA1", "LA2")), Map("PCA", 9 * cloud, ("PC1", "PC2"))]
        figure = maps_by_method(maps, labels)
        panels = [ax for ax in figure.axes if ax.get_xlabel() in ("LA1", "PC1")]
        assert len(panels) == 4
        assert panels[0].get_ylabel() == "β-VAE\nLA2"
        assert panels[2].get_ylabel() == "PCA\nPC2"
        assert len(panels[0].collections[0].get_offsets()) == 60


class TestDimensions:
    """Scores over the number of coordinates."""

    def test_means_ceiling_and_floor_stand_where_they_are(self):
        figure = scores_over_dimension({"R² W": lines(1, 2, 8)}, {"R² W": 0.9}, {"R² W": -0.07})
        (ax,) = (ax for ax in figure.axes if ax.get_ylabel() == "R² W")
        points = drawn_points(ax)
        np.testing.assert_allclose(points["PCA"], [[1, 0.4], [2, 0.6], [8, 0.8]])
        flat = [line for line in ax.lines if len(set(line.get_ydata())) == 1]
        levels = {line.get_label(): line.get_ydata()[0] for line in flat}
        assert levels["ceiling: random forest"] == 0.9
        assert levels["shuffled labels"] == -0.07
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "8"]

    def test_a_score_without_bounds_has_none(self):
        figure = scores_over_dimension({"R² W": lines(1, 2)}, {}, {})
        assert len(figure.axes[0].containers) == 2
        names = [text.get_text() for text in figure.legends[0].get_texts()]
        assert names == ["β-VAE", "PCA"]


class TestNoise:
    """Scores over the signal-to-noise ratio."""

    def test_no_noise_stands_right_of_the_largest_ratio_under_its_name(self):
        noisy = {"R² W": lines(3, 100, np.inf)}
        figure = scores_over_noise(noisy, [3, 100], {"R² W": lines(3, 100, np.inf)})
        ax = figure.axes[0]
        points = drawn_points(ax)["β-VAE, fitted on noisy"]
        assert points[1, 0] == 100
        assert 100 < points[2, 0] < 1000
        names = [tick.get_text() for tick in ax.get_xticklabels()]
        assert names == ["3", "100", "no noise"]

    def test_worthless_scores_leave_room_for_the_others_and_it_says_so(self):
        bad = [Line("pca", "PCA", np.array([3, 100]), np.array([-2.0, 0.8]), np.zeros(2))]
        ax = scores_over_noise({"R² W": bad}, [3, 100], {"R² W": bad}).axes[0]
        assert ax.get_ylim()[0] == -0.15
        assert [text.get_text() for text in ax.texts] == ["below -0.15: not shown"]
        ax = scores_over_noise({"R² W": lines(3, 100)}, [3, 100], {"R² W": []}).axes[0]
        assert ax.get_ylim()[0] > 0.3
        assert not ax.texts

    def test_fitted_on_clean_and_on_noisy_differ_by_line_and_marker(self):
        figure = scores_over_noise({"F": lines(3, 100)}, [3, 100], {"F": lines(3, 100)})
        found = {c.get_label(): c.lines[0] for c in figure.axes[0].containers}
        noisy, clean = found["PCA, fitted on noisy"], found["PCA, fitted on clean"]
        assert (noisy.get_linestyle(), clean.get_linestyle()) == ("-", "--")
        assert clean.get_markerfacecolor() == "white"


class TestOverview:
    """Maps within ±span, and walks on one colour scale."""

    def test_curves_outside_are_counted_and_walks_share_their_colours(self, labels):
        cloud = np.zeros((60, 2))
        cloud[:7, 1] = 2.6
        time = np.linspace(168, 232, 40)
        walks = [
            Walk("LA1", np.full((3, 40), 0.2), np.array([0.1, 0.15, 0.2])),
            Walk("LA2", np.full((3, 40), 0.3), np.array([0.2, 0.25, 0.3])),
        ]
        figure = latent_overview(
            cloud, labels, walks, [Quantity("|M|", time)], span=2.5, color_text="W",
            marks={"echo": 200.0},
        )  # fmt: skip
        maps = [ax for ax in figure.axes if ax.get_xlabel().startswith("LA1")]
        assert {ax.get_xlim() for ax in maps} == {ax.get_ylim() for ax in maps} == {(-2.5, 2.5)}
        assert maps[0].get_xlabel() == "LA1\n(7 of 60 curves lie outside)"
        assert maps[1].get_xlabel() == "LA1"
        walked = [ax for ax in figure.axes if "along" in ax.get_title()]
        assert [len(ax.lines) for ax in walked] == [4, 4]  # three curves and the echo
        # The same W has the same colour in both.
        assert walked[0].lines[2].get_color() == walked[1].lines[0].get_color()

    def test_four_axes_are_two_planes(self, labels):
        rng = np.random.default_rng(0)
        cloud, time = rng.uniform(-1, 1, (60, 4)), np.linspace(168, 232, 40)
        cloud[:3, 3] = 3
        walks = [
            Walk(f"LA{n}", np.full((3, 40), 0.2), np.array([0.1, 0.15, 0.2])) for n in (1, 2, 3, 4)
        ]
        figure = latent_overview(
            cloud, labels, walks, [Quantity("|M|", time)], span=2.5, color_text="W", marks={}
        )
        below = [ax.get_xlabel() for ax in figure.axes if ax.get_xlabel().startswith("LA")]
        n_maps = len(labels)
        assert below[:n_maps] == ["LA1"] * n_maps
        assert below[n_maps:] == ["LA3\n(3 of 60 curves lie outside)"] + ["LA3"] * (n_maps - 1)
        drawn = figure.axes[n_maps].collections[0].get_offsets()
        assert {tuple(point) for point in np.asarray(drawn)} <= {tuple(p) for p in cloud[:, 2:]}
        walked = [ax.get_title() for ax in figure.axes if "along" in ax.get_title()]
        assert walked[0].startswith(f"({chr(ord('a') + 2 * n_maps)})  along LA1")
        assert [title.partition(",")[0] for title in walked[1:]] == [
            "along LA2", "along LA3", "along LA4",
        ]  # fmt: skip
