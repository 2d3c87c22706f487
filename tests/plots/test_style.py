"""Colours, words and files that figures share."""

import hashlib

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from latent_nmr.plots.style import (
    COLOUR_MAPS,
    KERNEL_STYLES,
    LABEL_TEXTS,
    mark_times,
    new_figure,
    own_axes,
    save_figure,
)


def marked_figure():
    figure = new_figure(2.0, 1.5)
    ax = figure.subplots()
    ax.plot([0, 1, 2], [0.1, 0.9, 0.4], label="curve")
    ax.legend()
    mark_times(ax, {"echo": 1.0}, (0.0, 2.0))
    return figure


def digests(paths):
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


class TestStyles:
    """What a reader must be able to tell apart."""

    def test_kernels_differ_in_colour_and_in_marker(self):
        titles, colours, markers = zip(*KERNEL_STYLES.values(), strict=True)
        for entries in (titles, [to_rgb(colour) for colour in colours], markers):
            assert len(set(entries)) == 3

    @pytest.mark.parametrize("label", ["W", "alpha_x", "alpha_y", "alpha_z", "decay_rate"])
    def test_frequencies_are_written_with_their_unit(self, label):
        assert LABEL_TEXTS[label].endswith(" (MHz)")

    def test_every_colour_map_exists(self):
        assert set(COLOUR_MAPS.values()) <= set(mpl.colormaps)


class TestNewFigure:
    """A figure that belongs to nobody else."""

    def test_pyplot_does_not_know_it(self):
        before = plt.get_fignums()
        figure = new_figure(3.0, 2.0)
        assert plt.get_fignums() == before
        assert figure.get_size_inches().tolist() == [3.0, 2.0]

    def test_given_axes_are_used_and_none_makes_new_ones(self):
        ax = new_figure(3.0, 2.0).subplots()
        assert own_axes(ax) is ax
        made = own_axes(None, 5.0, 4.0)
        assert made.figure.get_size_inches().tolist() == [5.0, 4.0]


class TestSaveFigure:
    """PNG and PDF under one stem."""

    def test_both_are_written_and_hold_what_their_suffix_says(self, tmp_path):
        png, pdf = save_figure(marked_figure(), tmp_path / "latent_v1.2")
        assert (png.name, pdf.name) == ("latent_v1.2.png", "latent_v1.2.pdf")
        assert png.read_bytes().startswith(b"\x89PNG")
        assert pdf.read_bytes().startswith(b"%PDF")
        # The header of a PNG holds width and height: inches times 200 dots.
        size = [int.from_bytes(png.read_bytes()[at : at + 4]) for at in (16, 20)]
        assert size == [400, 300]

    def test_equal_figures_give_equal_files(self, tmp_path, monkeypatch):
        # Seconds since 1970, which matplotlib would take for the date of the file.
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
        first = digests(save_figure(marked_figure(), tmp_path / "first"))
        monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
        second = digests(save_figure(marked_figure(), tmp_path / "second"))
        assert first == second

    def test_settings_of_matplotlib_stay_as_they_are(self, tmp_path):
        before = dict(mpl.rcParams)
        save_figure(marked_figure(), tmp_path / "figure")
        assert dict(mpl.rcParams) == before


class TestMarkTimes:
    """Pulses and echo in a plot against time."""

    def marked(self, marks, limits=(0.0, 10.0)):
        ax = new_figure(3.0, 2.0).subplots()
        mark_times(ax, marks, limits)
        lines = [line.get_xdata()[0] for line in ax.lines]
        return lines, {text.get_text(): text for text in ax.texts}

    def test_each_time_has_a_line_and_its_name(self):
        lines, texts = self.marked({"90°": 0.0, "180°": 4.0, "echo": 8.0})
        assert lines == [0.0, 4.0, 8.0]
        assert {name: text.xy[0] for name, text in texts.items()} == {
            "90°": 0.0,
            "180°": 4.0,
            "echo": 8.0,
        }

    def test_times_outside_the_limits_are_left_out(self):
        lines, texts = self.marked({"before": -0.1, "last": 10.0, "after": 10.1})
        assert lines == [10.0]
        assert list(texts) == ["last"]

    def test_a_name_at_the_left_edge_starts_there_and_others_are_centred(self):
        _, texts = self.marked({"edge": 0.0, "inside": 4.0})
        assert [text.get_ha() for text in texts.values()] == ["left", "center"]
