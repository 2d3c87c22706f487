"""Figures of probes and of the challenge: what is drawn."""

import numpy as np
import pytest

from latent_nmr.plots.challenge import challenge_parity, raw_curves, saliency_figure
from latent_nmr.plots.importances import N_SHOWN, Coefficient, Explained, importance_figure
from latent_nmr.plots.parity import parity_figure
from latent_nmr.plots.probes import (
    Bar,
    ClassCurves,
    Confusion,
    bars_by_group,
    class_curves,
    confusion_figure,
    elimination_figure,
    sections_figure,
)

TIME = np.linspace(168, 231, 40)
CURVE = np.exp(-(((TIME - 200) / 8) ** 2))


def texts_of(ax):
    return [text.get_text() for text in ax.texts]


class TestSections:
    def test_every_division_has_a_panel_with_its_pieces_and_rms(self):
        fits = {4: CURVE + 0.01, 10: CURVE + 0.002}
        cuts = {4: TIME[[10, 20, 30]].tolist(), 10: TIME[4::4].tolist()}
        figure = sections_figure(TIME, CURVE, fits, cuts, "|M|")
        whole, four, ten, empty = figure.axes
        assert [ax.get_title() for ax in (whole, four, ten)] == [
            "whole window", "4 sections", "10 sections",
        ]  # fmt: skip
        assert len(whole.lines) == 1
        # The echo, three cuts, four pieces.
        assert len(four.lines) == 1 + 3 + 4
        assert texts_of(four) == ["rms 0.0100"]
        assert texts_of(ten) == ["rms 0.0020"]
        pieces = np.concatenate([line.get_ydata() for line in four.lines[-4:]])
        np.testing.assert_array_equal(pieces, fits[4])
        assert not empty.lines


class TestClasses:
    def test_means_of_classes_are_drawn_and_their_difference_over_the_spread(self):
        draw = np.random.default_rng(0)
        kernels = np.array(["power", "rkky", "gaussian"] * 20)
        curves = CURVE + 0.05 * draw.standard_normal((60, 40))
        is_power = kernels == "power"
        members = {"power": is_power, "others": ~is_power}
        members |= {name: kernels == name for name in ("gaussian", "rkky")}
        classes = {
            name: ClassCurves(
                curves[rows].mean(axis=0),
                *np.percentile(curves[rows], (25, 75), axis=0),
                curves[rows].var(axis=0),
            )
            for name, rows in members.items()
        }
        figure = class_curves(TIME, classes, "|M|")
        two, three, difference = figure.axes
        np.testing.assert_allclose(two.lines[0].get_ydata(), curves[is_power].mean(axis=0))
        names = [text.get_text() for text in three.get_legend().get_texts()]
        assert names == ["Gaussian", "power law", "RKKY"]
        assert np.abs(difference.lines[0].get_ydata()).max() < 1.5
        assert all(ax.get_xlabel() == "t (µs)" for ax in figure.axes)


class TestBars:
    def test_published_numbers_are_lines_and_what_is_below_the_floor_is_written(self):
        panels = {"R²": {"points": {"W": Bar(0.8, 0.01), "L": Bar(-3.0, 0.5)}}}
        figure = bars_by_group(
            panels, {"R²": {"W": 0.85}}, value_text={"R²": "R²"}, reference_text="published",
            floor=-0.1,
        )  # fmt: skip
        (ax,) = figure.axes
        assert texts_of(ax) == ["-3.00 ↓"]
        assert ax.get_ylim()[0] > -1
        assert [t.get_text() for t in ax.get_xticklabels()] == ["W", "L"]
        assert ax.collections[-1].get_segments()[0][:, 1].tolist() == [0.85, 0.85]

    def test_a_series_without_a_group_leaves_its_place_empty(self):
        panels = {"F1": {"a": {"x": Bar(1, 0), "y": Bar(2, 0)}, "b": {"y": Bar(3, 0)}}}
        figure = bars_by_group(panels, {}, value_text={"F1": "F1"}, reference_text="published")
        (ax,) = figure.axes
        second = ax.lines[-1].get_xdata() if len(ax.lines) else []
        assert np.all(np.asarray(second) > 0.5)

    def test_many_series_stay_beside_their_group(self):
        series = {f"series {n}": {"a": Bar(0.5, 0.0), "b": Bar(0.5, 0.0)} for n in range(8)}
        figure = bars_by_group({"t": series}, {}, value_text={"t": "F1"}, reference_text="")
        handles, _ = figure.axes[0].get_legend_handles_labels()
        drawn = [handle.lines[0] for handle in handles]
        places = np.array([line.get_xdata() for line in drawn])
        assert np.all(np.abs(places - [0, 1]) < 0.45)
        styles = [(line.get_marker(), line.get_color()) for line in drawn]
        assert len(set(styles)) == 8

    def test_the_legend_of_few_groups_is_inside_the_figure(self):
        titles = ("points, a kind of model", "published (average not said)")
        panels = {t: {titles[0]: {"a": Bar(0.8, 0.1), "b": Bar(0.7, 0.1)}} for t in "uv"}
        figure = bars_by_group(
            panels, {"u": {"a": 0.8}}, value_text=dict.fromkeys("uv", "F1"),
            reference_text=titles[1],
        )  # fmt: skip
        figure.draw_without_rendering()
        (legend,) = figure.legends
        assert [text.get_text() for text in legend.get_texts()] == [titles[1], titles[0]]
        box = legend.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1


class TestConfusion:
    def test_cells_hold_shares_of_the_true_class_and_counts(self):
        matrix = Confusion("points", ["others", "power"], np.array([[30, 10], [5, 5]]))
        (ax,) = confusion_figure([matrix]).axes
        assert texts_of(ax) == ["0.75\n(30)", "0.25\n(10)", "0.50\n(5)", "0.50\n(5)"]
        assert [t.get_text() for t in ax.get_yticklabels()] == ["others", "power law"]

    def test_a_class_that_is_empty_divides_by_nothing(self):
        matrix = Confusion("points", ["others", "power"], np.array([[3, 1], [0, 0]]))
        (ax,) = confusion_figure([matrix]).axes
        assert texts_of(ax)[2:] == ["0.00\n(0)", "0.00\n(0)"]


class TestElimination:
    def test_the_axis_counts_features_from_few_to_many(self):
        lines = {"points": [(400, Bar(0.8, 0.01)), (200, Bar(0.79, 0.01)), (2, Bar(0.6, 0.02))]}
        (ax,) = elimination_figure(lines, "F1").axes
        assert [t.get_text() for t in ax.get_xticklabels()] == ["2", "200", "400"]
        assert ax.get_xscale() == "log"


class TestParity:
    def test_titles_are_r2_of_what_is_drawn(self):
        truth = np.array([1.0, 2.0, 3.0, 4.0])
        predicted = np.array([1.1, 1.9, 3.2, 3.9])
        figure = parity_figure({"W": truth}, {"points": {"W": predicted}}, None, {"W": "W (MHz)"})
        (ax,) = figure.axes
        score = 1 - np.sum((truth - predicted) ** 2) / np.sum((truth - 2.5) ** 2)
        assert ax.get_title() == f"R² = {score:.3f}"
        assert ax.get_xlabel() == "true W (MHz)"


class TestImportances:
    def test_the_ten_first_polynomials_are_bars_over_their_sections(self):
        found = [Coefficient(168.0 + n, 170.0 + n, 10, n % 4, n / 100) for n in range(14)]
        points = np.linspace(0, 0.1, 40)
        figure = importance_figure(TIME, CURVE, [Explained("W", points, found)], "|M|")
        drawn = [ax for ax in figure.axes if ax.axison]
        np.testing.assert_array_equal(drawn[0].lines[0].get_ydata(), points)
        bars = drawn[1].patches
        assert len(bars) == N_SHOWN == 10
        # The most important is on top, and lies where its section does.
        assert bars[0].get_x() == pytest.approx(168 + 13)
        assert bars[0].get_width() == pytest.approx(2)
        assert texts_of(drawn[1])[0] == "0.130"
        assert drawn[1].get_ylim()[0] > drawn[1].get_ylim()[1]

    def test_one_kind_of_features_takes_one_row(self):
        figure = importance_figure(TIME, CURVE, [Explained("W", np.ones(40), [])], "|M|")
        assert len([ax for ax in figure.axes if ax.axison]) == 1


class TestChallenge:
    def test_pulse_and_echo_are_marked_on_every_curve(self):
        mx, my = np.zeros((2, 40)), np.stack([CURVE, CURVE / 2])
        marks = {"180°": 180.0, "echo": 200.0}
        figure = raw_curves(TIME, {"Re M": mx, "Im M": my}, ["first", "second"], marks)
        for ax in figure.axes:
            assert [line.get_label() for line in ax.lines][:3] == ["Re M", "Im M", "|M|"]
            dotted = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == ":"]
            assert {180.0, 200.0} <= set(dotted)
        assert {"180°", "echo", "first"} <= set(texts_of(figure.axes[0]))

    def test_a_magnitude_alone_is_drawn_as_one(self):
        (ax,) = raw_curves(TIME, {"|M|": CURVE[np.newaxis]}, ["first"], {}).axes
        assert ax.get_ylabel() == "|M|"
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), CURVE)
        figure = saliency_figure(
            TIME, {"|M|": CURVE}, {"α": {"|M|": CURVE}}, {"α": {"|M|": CURVE**2}}
        )
        assert "∂(α) / ∂|M|" in [ax.get_ylabel() for ax in figure.axes]

    def test_each_target_is_a_row_and_each_part_of_m_a_column(self):
        lines = {"α": {"Re M": np.ones(40), "Im M": -np.ones(40)}}
        size = {"α": {"Re M": np.ones(40), "Im M": np.ones(40)}}
        figure = saliency_figure(TIME, {"Re M": CURVE, "Im M": CURVE}, lines, size)
        drawn = [ax for ax in figure.axes if ax.axison]
        assert [ax.get_title() for ax in drawn] == [
            "Re M (mean curve in grey)", "Im M (mean curve in grey)",
        ]  # fmt: skip
        assert drawn[0].get_ylabel() == "∂(α) / ∂M"

    def test_each_model_has_a_row_of_parities(self):
        truth = np.random.default_rng(0).uniform(size=(9, 2))
        figure = challenge_parity(truth, {"ours": truth, "theirs": truth[::-1]}, ["α", "d"])
        assert len(figure.axes) == 4
        assert figure.axes[0].get_title() == "R² = 1.000"
        assert figure.axes[0].get_ylabel() == "ours\npredicted α"
