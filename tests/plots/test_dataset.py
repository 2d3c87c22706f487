"""Figures of a data set and of benchmarks: what is drawn, not that it ran."""

import numpy as np
import pytest

from latent_nmr.plots.benchmarks import plot_accuracy, plot_simulator_benchmark
from latent_nmr.plots.dataset import Example, plot_echo_overview, plot_label_histograms

TIME = np.linspace(0, 300, 301)
WINDOW = slice(150, 250)


@pytest.fixture(scope="module")
def overview():
    rng = np.random.default_rng(0)
    curves = 0.5 * rng.uniform(size=(40, 1)) * np.exp(-TIME / 100)
    # A line at +10 kHz: M⁺ turns by exp(2πi 0.01 t).
    signal = 0.4 * np.exp(2j * np.pi * 0.01 * TIME)
    kernels = {
        "gaussian": ("ξ = 8", np.exp(-np.arange(1, 20) / 4.0)),
        "power": ("p = 1.47", np.arange(1.0, 20) ** -1.47),
    }
    return plot_echo_overview(
        TIME, curves, [Example("power", signal)], kernels, WINDOW, {"2τ": 200.0}
    )


def panels(figure):
    """Axes by their letter."""
    return {ax.get_title(loc="left"): ax for ax in figure.axes if ax.get_title(loc="left")}


class TestOverview:
    """All echoes, kernels, and one curve in time, window and frequency."""

    def test_every_panel_names_its_quantities_and_units(self, overview):
        labels = {
            letter: (ax.get_xlabel(), ax.get_ylabel()) for letter, ax in panels(overview).items()
        }
        assert labels == {
            "(a)": ("t (µs)", "|M(t)|"),
            "(b)": ("r (lattice constants)", "|K(r)| / |K(1)|"),
            "(c)": ("t (µs)", "|M(t)|"),
            "(d)": ("t (µs)", "|M(t)|"),
            "(e)": ("frequency offset (kHz)", "|spectrum of the echo| (µs)"),
        }

    def test_every_curve_is_counted_once_at_every_time(self, overview):
        (image,) = panels(overview)["(a)"].collections
        np.testing.assert_array_equal(image.get_array().sum(axis=0), 40)

    def test_the_spectrum_peaks_at_the_offset_of_the_line(self, overview):
        (line,) = panels(overview)["(e)"].lines
        frequency, size = line.get_data()
        # The window of 100 µs, padded eight times, has a grid of 1.25 kHz.
        assert frequency[np.argmax(size)] == pytest.approx(10.0, abs=0.625 + 1e-9)

    def test_the_window_panel_shows_the_window_only(self, overview):
        (line,) = panels(overview)["(d)"].lines
        np.testing.assert_array_equal(line.get_xdata(), TIME[WINDOW])
        np.testing.assert_allclose(line.get_ydata(), 0.4, rtol=1e-12)

    def test_kernels_start_at_one_and_say_their_parameter(self, overview):
        ax = panels(overview)["(b)"]
        assert [line.get_ydata()[0] for line in ax.lines] == [1.0, 1.0]
        words = [text.get_text() for text in ax.get_legend().get_texts()]
        assert words == ["Gaussian, ξ = 8", "power law, p = 1.47"]


def test_histograms_hold_every_curve_and_stack_the_kernels():
    rng = np.random.default_rng(1)
    kernel = np.array(["gaussian", "rkky", "rkky", "power"] * 25)
    labels = {name: rng.uniform(size=100) for name in ("alpha_x", "alpha_z", "W", "L")}
    figure = plot_label_histograms(labels, kernel)
    for ax, unit in zip(figure.axes, ("MHz", "MHz", "MHz", "lattice constants"), strict=True):
        assert f"({unit})" in ax.get_xlabel()
        assert sum(patch.get_height() for patch in ax.patches) == pytest.approx(100)
    words = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert words == ["Gaussian", "power law", "RKKY"]


def test_the_benchmark_marks_what_is_extrapolated():
    result = {
        "scaling": [
            {"n_edge": n, "median_s": s} for n, s in ((25, 0.01), (50, 0.02), (100, 0.05), (400, 1))
        ],
        "against_source": [
            {"n_edge": n, "source": {"median_s": s}} for n, s in ((20, 4.0), (40, 40.0))
        ],
        "at_100": {"n_edge": 100, "source_s": 900.0, "fitted_exponent": 3.3, "ratio": 18000.0},
    }
    (ax,) = plot_simulator_benchmark(result).axes
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert "extrapolated, n^3.3" in words
    dashed = next(line for line in ax.lines if line.get_label().startswith("extrapolated"))
    np.testing.assert_array_equal(dashed.get_xydata(), [[40, 40], [100, 900]])
    assert dashed.get_linestyle() == "--"
    assert ax.texts[0].get_text() == "× 18,000\n(extrapolated)"
    assert ax.get_ylabel() == "time per curve (s)"


def test_accuracy_draws_both_schemes_for_every_kernel():
    curves = [
        {"kernel": kernel, "W": w, "error": 1e-4, "source_error": 1e-2}
        for kernel in ("gaussian", "power", "rkky")
        for w in (0.1, 0.2)
    ]
    (ax,) = plot_accuracy({"paper": {"curves": curves}}).axes
    filled = [
        line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_marker() != "None"
    ]
    assert [line.get_ydata()[0] for line in filled] == [1e-4, 1e-2] * 3
    assert ax.get_ylabel() == "largest error of M over the record"
