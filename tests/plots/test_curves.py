"""Curves against time: what is drawn."""

import numpy as np
import pytest
from matplotlib import colormaps

from latent_nmr.plots.curves import reconstruction_sheet, traversal
from latent_nmr.plots.style import new_figure

TIME = np.linspace(100.0, 140.0, 9)
CURVES = np.random.default_rng(0).uniform(0.1, 0.9, (5, 9))
COLOURS = np.array([0.04, 0.08, 0.12, 0.16, 0.2])
TEXTS = {"color_text": "W (MHz)", "signal_text": "|M(t)| / |M(0)|"}


class TestTraversal:
    """Decoded curves along an axis."""

    @pytest.fixture
    def ax(self):
        return traversal(TIME, CURVES, COLOURS, **TEXTS)

    def test_every_curve_is_a_line_in_the_order_of_the_walk(self, ax):
        assert len(ax.lines) == 5
        for line, curve in zip(ax.lines, CURVES, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), TIME)
            np.testing.assert_array_equal(line.get_ydata(), curve)

    def test_the_axes_are_labelled_with_units_and_start_at_zero_signal(self, ax):
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("t (µs)", "|M(t)| / |M(0)|")
        assert ax.get_xlim() == (100.0, 140.0)
        assert ax.get_ylim()[0] == 0

    def test_colours_run_over_the_map_from_the_lowest_to_the_highest_number(self, ax):
        expected = colormaps["viridis"]([0.0, 0.25, 0.5, 0.75, 1.0])
        # The map has 256 colours, so that a rounded position may take the next one.
        drawn = [line.get_color() for line in ax.lines]
        np.testing.assert_allclose(drawn, expected, rtol=0, atol=0.02)

    def test_the_colour_bar_is_labelled_and_spans_the_numbers(self, ax):
        (bar,) = [other for other in ax.figure.axes if other is not ax]
        assert bar.get_ylabel() == "W (MHz)"
        assert bar.get_ylim() == (0.04, 0.2)

    def test_shared_limits_replace_those_of_the_numbers(self):
        ax = traversal(TIME, CURVES, COLOURS, color_limits=(0.0, 1.0), **TEXTS)
        (bar,) = [other for other in ax.figure.axes if other is not ax]
        assert bar.get_ylim() == (0.0, 1.0)
        np.testing.assert_allclose(
            ax.lines[-1].get_color(), colormaps["viridis"](0.2), rtol=0, atol=0.02
        )

    def test_pulse_and_echo_are_marked_at_their_times(self):
        marks = {"90°": 0.0, "180°": 100.0, "echo": 125.5}
        ax = traversal(TIME, CURVES, COLOURS, marks=marks, **TEXTS)
        # The first pulse lies before the time shown.
        assert [line.get_xdata()[0] for line in ax.lines[5:]] == [100.0, 125.5]
        assert [text.get_text() for text in ax.texts] == ["180°", "echo"]

    def test_panels_that_share_an_axis_have_room_for_the_highest_curve_of_any(self):
        left, right = new_figure(6, 3).subplots(1, 2, sharey=True)
        traversal(TIME, 0.5 * CURVES, COLOURS, **TEXTS, ax=left)
        traversal(TIME, CURVES, COLOURS, **TEXTS, ax=right)
        traversal(TIME, 0.1 * CURVES, COLOURS, **TEXTS, ax=left)
        assert left.get_ylim() == right.get_ylim()
        assert right.get_ylim()[0] == 0
        assert CURVES.max() < right.get_ylim()[1] < 1.2 * CURVES.max()

    def test_given_axes_are_used(self):
        ax = new_figure(3, 3).subplots()
        assert traversal(TIME, CURVES, COLOURS, ax=ax, **TEXTS) is ax


class TestReconstructionSheet:
    """Curves over their reconstructions."""

    @pytest.fixture
    def figure(self):
        titles = ["a", "b", "c", "d", "e"]
        return reconstruction_sheet(TIME, CURVES, CURVES + 0.03, titles, signal_text="signal")

    def test_every_panel_holds_a_curve_and_its_reconstruction(self, figure):
        for ax, curve in zip(figure.axes, CURVES, strict=False):
            data, fit = ax.lines
            np.testing.assert_array_equal(data.get_ydata(), curve)
            np.testing.assert_array_equal(fit.get_ydata(), curve + 0.03)
            np.testing.assert_array_equal(fit.get_xdata(), TIME)

    def test_titles_hold_the_rms_difference(self, figure):
        titles = [ax.get_title() for ax in figure.axes[:5]]
        assert titles == [f"{name}, rms 0.0300" for name in "abcde"]

    def test_panels_without_a_curve_are_blank(self, figure):
        assert [ax.axison for ax in figure.axes] == [True] * 5 + [False] * 3

    def test_four_panels_stand_in_a_row(self, figure):
        assert figure.axes[0].get_gridspec().get_geometry() == (2, 4)

    def test_time_and_signal_are_labelled_once(self, figure):
        assert figure.get_supxlabel() == "t (µs)"
        assert figure.get_supylabel() == "signal"

    def test_one_legend_tells_data_from_model(self, figure):
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == ["simulated", "reconstructed"]

    def test_a_single_curve_will_do(self):
        figure = reconstruction_sheet(TIME, CURVES[:1], CURVES[:1], ["a"], signal_text="signal")
        assert [ax.axison for ax in figure.axes] == [True, False, False, False]
