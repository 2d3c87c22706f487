"""Colours, words and files that figures share."""

import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from PIL import Image

from latent_nmr._png import shrink_png
from latent_nmr.plots.style import (
    COLOUR_MAPS,
    KERNEL_STYLES,
    LABEL_TEXTS,
    SCREEN_DPI,
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

    def test_a_notebook_shows_it_without_pyplot(self):
        figure = new_figure(3, 2)
        figure.subplots().plot([0, 1])
        with Image.open(io.BytesIO(figure._repr_png_())) as shown:
            assert (shown.format, shown.size) == ("PNG", (3 * SCREEN_DPI, 2 * SCREEN_DPI))


class TestSaveFigure:
    """One file, in the format that its name says."""

    def test_a_name_without_a_format_is_that_of_a_png(self, tmp_path):
        png = save_figure(marked_figure(), tmp_path / "latent_v1.2")
        assert [path.name for path in tmp_path.iterdir()] == [png.name] == ["latent_v1.2.png"]
        assert png.read_bytes().startswith(b"\x89PNG")
        # The header of a PNG holds width and height: inches times 200 dots.
        size = [int.from_bytes(png.read_bytes()[at : at + 4]) for at in (16, 20)]
        assert size == [400, 300]

    @pytest.mark.parametrize(("suffix", "start"), [(".pdf", b"%PDF"), (".svg", b"<?xml")])
    def test_other_formats_are_asked_for_by_suffix(self, tmp_path, suffix, start):
        path = save_figure(marked_figure(), tmp_path / f"map{suffix}")
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name] == [f"map{suffix}"]
        assert path.read_bytes().startswith(start)

    @pytest.mark.parametrize("suffix", [".png", ".pdf"])
    def test_equal_figures_give_equal_files(self, tmp_path, monkeypatch, suffix):
        # Seconds since 1970, which matplotlib would take for the date of the file.
        contents = []
        for name, seconds in (("first", "0"), ("second", "1000000000")):
            monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
            contents.append(save_figure(marked_figure(), tmp_path / f"{name}{suffix}").read_bytes())
        assert contents[0] == contents[1]

    def test_a_figure_full_of_colours_is_shrunk_to_the_limit_and_looks_the_same(self, tmp_path):
        figure = new_figure(1.5, 1.0)
        ax = figure.subplots()
        ax.scatter(*np.random.default_rng(0).random((2, 800)), c=np.arange(800), s=3)
        whole = save_figure(figure, tmp_path / "whole", max_bytes=10**9).read_bytes()
        small, tiny = (shrink_png(whole, len(whole) // part) for part in (2, 8))
        assert len(small) <= len(whole) // 2
        assert len(tiny) <= len(whole) // 8
        images = [Image.open(io.BytesIO(png)) for png in (whole, small, tiny)]
        pixels = [np.asarray(image.convert("RGB")).astype(int) for image in images[:2]]
        assert np.abs(pixels[0] - pixels[1]).mean() < 2
        assert images[2].size < images[0].size
        assert save_figure(figure, tmp_path / "kept", max_bytes=15_000).stat().st_size <= 15_000

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
