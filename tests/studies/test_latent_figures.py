"""Figures of decoded curves: what stands beside what."""

import numpy as np

from latent_nmr.plots.curves import Quantity
from latent_nmr.studies.latent_figures import draw_walks


def test_labels_of_colour_bars_stand_by_their_own_panel():
    rng, positions, time = np.random.default_rng(0), np.linspace(-2, 2, 3), np.arange(20.0)
    figure = draw_walks(
        rng.random((3, 3, 20)),
        positions,
        names=["LA1", "LA2", "LA3"],
        latent=rng.normal(size=(50, 3)),
        strength=rng.random(50),
        quantities=[Quantity("|M(t)| / |M(0)|", time)],
        marks={},
    )
    figure.dpi = 72  # points
    figure.draw_without_rendering()
    panels = [ax for ax in figure.axes if ax.lines]
    bars = [ax for ax in figure.axes if not ax.lines]
    for bar, following in zip(bars, panels[1:], strict=False):
        label = bar.yaxis.label.get_window_extent()
        # Twice the size of the label's letters, 10 points.
        assert following.get_window_extent().x0 - label.x1 > 20
