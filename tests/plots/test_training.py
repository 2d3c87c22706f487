"""The figure of a training."""

import numpy as np
import pytest

from latent_nmr.plots.training import loss_history

EPOCHS = [1, 2, 3, 4]
TRAINING = np.array([400.0, 90.0, 20.0, 10.0])
VALIDATION = np.array([300.0, 80.0, 15.0, 16.0])
KL = np.array([[0.1, 0.0], [1.0, 0.2], [2.0, 0.9], [2.1, 1.0]])


class TestLossHistory:
    """Losses against the epoch."""

    @pytest.fixture
    def panels(self):
        figure = loss_history(
            EPOCHS, TRAINING, VALIDATION, KL, best_epoch=3, likelihood_text="Gaussian, σ = 0.02"
        )
        return figure.axes

    def lines(self, ax):
        return {line.get_label(): line for line in ax.lines}

    def test_the_left_panel_holds_training_and_validation_loss(self, panels):
        lines = self.lines(panels[0])
        assert set(lines) == {"training", "validation", "best epoch"}
        for name, losses in (("training", TRAINING), ("validation", VALIDATION)):
            np.testing.assert_array_equal(lines[name].get_xdata(), EPOCHS)
            np.testing.assert_array_equal(lines[name].get_ydata(), losses)
        assert panels[0].get_yscale() == "log"

    def test_losses_below_zero_are_seen(self):
        figure = loss_history(
            EPOCHS, TRAINING, VALIDATION - 50, KL, best_epoch=3, likelihood_text="learned"
        )
        low, high = figure.axes[0].get_ylim()
        assert low < -35 < 400 < high

    def test_the_right_panel_holds_one_line_per_latent_axis(self, panels):
        lines = self.lines(panels[1])
        assert set(lines) == {"LA1", "LA2", "best epoch"}
        for axis in range(2):
            np.testing.assert_array_equal(lines[f"LA{axis + 1}"].get_ydata(), KL[:, axis])
        assert panels[1].get_ylim()[0] == 0

    def test_lines_differ_in_style_as_well_as_in_colour(self, panels):
        for ax in panels:
            styles = [line.get_linestyle() for line in ax.lines]
            colours = [line.get_color() for line in ax.lines]
            assert len(set(styles)) == len(set(colours)) == 3

    def test_the_best_epoch_is_marked_in_both(self, panels):
        assert [list(self.lines(ax)["best epoch"].get_xdata()) for ax in panels] == [[3, 3], [3, 3]]

    def test_axes_are_labelled_with_units_and_the_likelihood_is_named(self, panels):
        left, right = panels
        assert left.get_xlabel() == right.get_xlabel() == "epoch"
        assert left.get_ylabel() == "reconstruction (nats per curve)"
        assert right.get_ylabel() == "KL (nats per curve)"
        assert left.get_title() == "Gaussian, σ = 0.02"

    def test_both_panels_have_a_legend(self, panels):
        entries = [[text.get_text() for text in ax.get_legend().get_texts()] for ax in panels]
        assert entries == [["training", "validation", "best epoch"], ["LA1", "LA2", "best epoch"]]

    def test_more_axes_than_colours_are_drawn_all_the_same(self):
        kl = np.tile(KL[:, :1], 7)
        figure = loss_history(
            EPOCHS, TRAINING, VALIDATION, kl, best_epoch=3, likelihood_text="Gaussian"
        )
        assert len(figure.axes[1].lines) == 8
