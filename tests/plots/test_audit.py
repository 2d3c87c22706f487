"""Decoded curves over the bands they are judged by: what is drawn."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from latent_nmr.plots.audit import (
    DECODED,
    VERDICT_STYLES,
    AuditPanel,
    audit_profile,
    audit_profiles,
    audit_sheet,
)

TIME = np.linspace(160.0, 240.0, 9)
TEXTS = {
    "signal_text": "|M(t)| / |M(0)|",
    "simulated_text": "simulated, 8 ν fields",
    "neighbours_text": "20 nearest curves",
}
MARKS = {"180°": 100.0, "echo": 200.0}


def panel(number):
    rng = np.random.default_rng(number)
    curves = [rng.uniform(0.1, 0.9, 9) for _ in range(3)]
    decoded, simulated, neighbours = curves
    return AuditPanel(
        f"point {number}", decoded, simulated, np.full(9, 0.02), neighbours, np.full(9, 0.05)
    )


def band_of(collection):
    """Lower and upper edge of a filled band, by time."""
    vertices = collection.get_paths()[0].vertices
    edges = [vertices[np.isclose(vertices[:, 0], t), 1] for t in TIME]
    return np.array([e.min() for e in edges]), np.array([e.max() for e in edges])


class TestSheet:
    """Curves above, residuals below, three points to a row."""

    @pytest.fixture
    def panels(self):
        return [panel(number) for number in range(5)]

    @pytest.fixture
    def figure(self, panels):
        return audit_sheet(TIME, panels, marks=MARKS, **TEXTS)

    def blocks(self, figure):
        """Upper and lower axes of each point, and what is left blank."""
        grid = np.array(figure.axes).reshape(4, 3)
        return [(grid[2 * (k // 3), k % 3], grid[2 * (k // 3) + 1, k % 3]) for k in range(6)]

    def test_every_point_has_its_curve_its_bands_and_its_title(self, figure, panels):
        for (upper, _), given in zip(self.blocks(figure), panels, strict=False):
            assert upper.get_title() == given.title
            np.testing.assert_array_equal(upper.lines[0].get_ydata(), given.decoded)
            np.testing.assert_array_equal(upper.lines[0].get_xdata(), TIME)
            neighbours, simulated = (band_of(band) for band in upper.collections)
            np.testing.assert_allclose(simulated[0], given.simulated - 0.04)
            np.testing.assert_allclose(simulated[1], given.simulated + 0.04)
            np.testing.assert_allclose(neighbours[0], given.neighbours - 0.1)
            np.testing.assert_allclose(neighbours[1], given.neighbours + 0.1)

    def test_below_it_everything_is_minus_the_mean_simulation(self, figure, panels):
        for (_, lower), given in zip(self.blocks(figure), panels, strict=False):
            residual = given.decoded - given.simulated
            curves = [line.get_ydata() for line in lower.lines]
            assert any(np.array_equal(curve, residual) for curve in curves)
            neighbours, simulated = (band_of(band) for band in lower.collections)
            np.testing.assert_allclose(simulated[1], 0.04)
            np.testing.assert_allclose(neighbours[1], given.neighbours - given.simulated + 0.1)

    def test_the_frame_of_a_residual_is_symmetric_and_holds_it(self, figure, panels):
        for (_, lower), given in zip(self.blocks(figure), panels, strict=False):
            low, high = lower.get_ylim()
            assert low == -high
            assert high > np.abs(given.decoded - given.simulated).max()

    def test_every_curve_is_inside_its_frame(self, figure, panels):
        for (upper, _), given in zip(self.blocks(figure), panels, strict=False):
            assert upper.get_ylim()[0] == 0
            assert upper.get_ylim()[1] > given.decoded.max()
            assert upper.get_xlim() == (160.0, 240.0)

    def test_the_echo_is_marked_in_both(self, figure):
        for upper, lower in self.blocks(figure)[:5]:
            assert [text.get_text() for text in upper.texts] == ["echo"]
            assert [200.0, 200.0] in [list(line.get_xdata()) for line in lower.lines]
            assert [100.0, 100.0] not in [list(line.get_xdata()) for line in lower.lines]

    def test_places_without_a_point_are_blank(self, figure):
        assert [ax.axison for pair in self.blocks(figure) for ax in pair] == [True] * 10 + [
            False
        ] * 2

    def test_time_and_signal_are_labelled_at_the_edges(self, figure):
        blocks = self.blocks(figure)
        assert [upper.get_ylabel() for upper, _ in blocks[:4]] == [
            "|M(t)| / |M(0)|", "", "", "|M(t)| / |M(0)|",
        ]  # fmt: skip
        # The third has no point below it.
        assert [lower.get_xlabel() for _, lower in blocks[:5]] == ["", ""] + ["t (µs)"] * 3

    def test_one_legend_tells_the_three_apart(self, figure):
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == [
            "decoded",
            "20 nearest curves: mean ± 2 sd",
            "simulated, 8 ν fields: mean ± 2 sd",
        ]
        upper, _ = self.blocks(figure)[0]
        shown = [handle.get_facecolor() for handle in legend.get_patches()]
        drawn = [tuple(band.get_facecolor()[0]) for band in upper.collections]
        assert shown == drawn
        assert legend.get_lines()[0].get_color() == DECODED

    def test_a_single_point_will_do(self):
        figure = audit_sheet(TIME, [panel(0)], **TEXTS)
        assert [ax.axison for ax in figure.axes] == [True, True]


class TestProfile:
    """Sizes along an axis."""

    POSITIONS = np.array([-1.0, 0.0, 1.0])
    NAMES = ("simulation", "neighbours", "simulation_scatter", "neighbours_scatter")

    @pytest.fixture
    def row(self):
        sizes = {name: np.array([0.01, 0.02, 0.03]) * (k + 1) for k, name in enumerate(self.NAMES)}
        verdicts = ["faithful", "invents", "averages"]
        return {
            "positions": self.POSITIONS, "sizes": sizes, "verdicts": verdicts,
            "is_off_data": [False, False, True], "axis_name": "LA2",
        }  # fmt: skip

    def test_four_sizes_are_drawn_on_a_logarithmic_scale(self, row):
        ax = audit_profile(**row, signal_text="|M|")
        for line, name in zip(ax.lines, self.NAMES, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), self.POSITIONS)
            np.testing.assert_array_equal(line.get_ydata(), row["sizes"][name])
        assert ax.get_yscale() == "log"
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("LA2", "rms (|M|)")

    def test_a_marker_tells_each_verdict(self, row):
        ax = audit_profile(**row, signal_text="|M|")
        marked = {points.get_label(): points for points in ax.collections}
        for verdict, position in (("faithful", -1.0), ("invents", 0.0), ("averages", 1.0)):
            offsets = marked[verdict].get_offsets()
            assert [list(point) for point in offsets] == [[position, 0.01 * (position + 2)]]
            assert tuple(marked[verdict].get_facecolor()[0]) == to_rgba(VERDICT_STYLES[verdict][1])
        assert len({marker for marker, _ in VERDICT_STYLES.values()}) == 3

    def test_points_off_the_data_stand_on_grey(self, row):
        ax = audit_profile(**row, signal_text="|M|")
        (ground,) = ax.patches
        assert (ground.get_x(), ground.get_width()) == (0.5, 1.0)

    def test_axes_stand_side_by_side_under_one_legend(self, row):
        figure = audit_profiles([row, row | {"axis_name": "LA3"}], signal_text="|M|")
        assert [ax.get_xlabel() for ax in figure.axes] == ["LA2", "LA3"]
        assert [ax.get_ylabel() for ax in figure.axes] == ["rms (|M|)", ""]
        (legend,) = figure.legends
        texts = [text.get_text() for text in legend.get_texts()]
        assert texts[-1] == "off the data"
        assert texts[4:7] == list(VERDICT_STYLES)
