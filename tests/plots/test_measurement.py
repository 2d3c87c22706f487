"""Figures of a measured record: what is drawn where."""

import math

import numpy as np
import pytest
from matplotlib.patches import Ellipse

from latent_nmr.plots.measurement import (
    Interval,
    draw_place,
    estimate_axis,
    estimates_figure,
    kernel_shares,
    measured_curves,
    place_on_map,
)
from latent_nmr.plots.style import new_figure
from tests.studies.measurements import TIME, curve, reference

NOWHERE = np.full(400, np.nan)


class TestCurves:
    """The measured curve over the two that the model has for it."""

    def test_three_curves_and_two_residuals_are_drawn(self):
        measured = curve() + 0.06
        figure = measured_curves(TIME, measured, curve(), curve(width=9), 0.02)
        upper, lower = figure.axes
        labels = upper.get_legend_handles_labels()[1]
        assert labels == ["measured", "decoded", "nearest simulated"]
        np.testing.assert_array_equal(np.asarray(upper.lines[0].get_ydata()), measured)
        residuals = [np.asarray(line.get_ydata()) for line in lower.lines[1:]]
        np.testing.assert_allclose(residuals[0], 3.0)
        assert len(residuals) == 2
        assert lower.get_xlabel().endswith("(µs)")

    def test_large_residuals_lie_in_the_frame(self):
        figure = measured_curves(TIME, curve(), curve(height=0.1), NOWHERE, 0.001)
        lower = figure.axes[1]
        lowest, highest = lower.get_ylim()
        residuals = np.asarray(lower.lines[1].get_ydata())
        assert np.quantile(np.abs(residuals), 0.99) < highest == -lowest

    def test_what_was_not_measured_is_not_drawn(self):
        measured = curve()
        measured[:100] = np.nan
        figure = measured_curves(TIME, measured, curve(), NOWHERE, 0.02)
        for line in (figure.axes[0].lines[0], figure.axes[1].lines[1]):
            assert np.isnan(np.asarray(line.get_ydata())[:100]).all()

    @pytest.mark.parametrize(("decoded", "noise"), [(NOWHERE, 0.02), (curve(), 0.0)])
    def test_without_a_curve_or_noise_there_are_no_residuals(self, decoded, noise):
        assert len(measured_curves(TIME, curve(), decoded, NOWHERE, noise).axes) == 1


class TestPlace:
    """A point and its ellipses."""

    def test_each_ellipse_holds_its_share_of_the_normal_law(self):
        covariance = np.array([[2.0, 0.9], [0.9, 0.6]])
        ax = new_figure(3, 3).subplots()
        draw_place(ax, np.array([1.0, -2.0]), covariance)
        draws = np.random.default_rng(0).multivariate_normal([1, -2], covariance, 20_000)
        patches = [patch for patch in ax.patches if isinstance(patch, Ellipse)]
        assert len(patches) == 2
        for patch, level in zip(patches, (0.68, 0.95), strict=True):
            path = patch.get_path().transformed(patch.get_patch_transform())
            share = path.contains_points(draws).mean()
            # Four standard deviations of a share of 20,000 draws.
            assert abs(share - level) < 4 * math.sqrt(level * (1 - level) / 20_000)

    def test_radii_of_each_pair_of_axes_stretch_its_ellipses(self):
        known, point = reference(n_components=4), np.zeros(4)
        radii = np.array([[1.0, 2.0], [3.0, 5.0]])
        figure = place_on_map(
            known.points,
            {"kernel": known.labels["kernel"]},
            point,
            np.eye(4) / 4,
            axis_names=["LA1", "LA2", "LA3", "LA4"],
            radii=radii,
        )
        widths = [
            [patch.width for patch in ax.patches if isinstance(patch, Ellipse)]
            for ax in figure.axes
        ]
        np.testing.assert_allclose(widths, radii)

    @pytest.mark.parametrize(("n_components", "rows"), [(2, 1), (4, 2)])
    def test_each_pair_of_axes_has_a_row_of_maps(self, n_components, rows):
        known = reference(n_components=n_components)
        labels = {name: known.labels[name] for name in ("W", "kernel")}
        point = np.zeros(n_components)
        names = [f"LA{k + 1}" for k in range(n_components)]
        figure = place_on_map(
            known.points, labels, point, np.eye(n_components) / 50, axis_names=names
        )
        maps = [ax for ax in figure.axes if ax.get_xlabel().startswith("LA")]
        assert len(maps) == 2 * rows
        assert [ax.get_xlabel() for ax in maps[::2]] == names[::2]
        assert maps[0].get_ylabel() == "LA2"
        for ax in maps:
            assert sum(isinstance(patch, Ellipse) for patch in ax.patches) == 2

    def test_a_point_far_from_all_curves_is_in_the_frame(self):
        known = reference(n_components=2)
        labels = {"W": known.labels["W"]}
        figure = place_on_map(
            known.points, labels, np.array([40.0, 0]), np.eye(2), axis_names=["LA1", "LA2"]
        )
        assert figure.axes[0].get_xlim()[1] > 40


class TestEstimates:
    """Labels over what was simulated, and shares of kernels."""

    def test_the_frame_holds_the_interval_and_the_prior_range(self):
        ax = estimate_axis(Interval(0.2, 0.18, 0.22, 0.16, 0.33), "W (MHz)", (0.1, 0.3))
        low, high = ax.get_xlim()
        assert low < 0.1
        assert high > 0.33
        thin, thick, mean = (np.asarray(line.get_xdata()).tolist() for line in ax.lines)
        assert (thin, thick, mean) == ([0.16, 0.33], [0.18, 0.22], [0.2])
        assert ax.get_ylabel() == "W (MHz)"

    def test_bars_are_as_long_as_the_shares_and_say_them(self):
        ax = kernel_shares({"gaussian": 0.25, "power": 0.75})
        widths = [patch.get_width() for patch in ax.patches]  # pyright: ignore
        assert widths == [0.25, 0.75]
        assert [text.get_text() for text in ax.texts] == ["25 %", "75 %"]
        assert [tick.get_text() for tick in ax.get_yticklabels()] == ["Gaussian", "power law"]

    def test_the_figure_has_an_axis_for_each_label_and_one_for_kernels(self):
        found = Interval(0.2, 0.18, 0.22, 0.16, 0.24)
        figure = estimates_figure({"W": found, "L": found}, {"W": (0.1, 0.3)}, {"rkky": 1.0})
        assert len(figure.get_axes()) == 3
