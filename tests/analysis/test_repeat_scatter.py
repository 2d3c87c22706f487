"""The scatter of repeats over that of all rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.analysis.repeat_scatter import repeat_scatter


class TestRepeatScatter:
    """√(variance within / variance of all), mean over axes."""

    def test_it_is_the_ratio_of_the_deviations_that_were_drawn(self):
        rng, n = np.random.default_rng(0), 4000
        materials = np.repeat(np.arange(n), 3)
        within, between = np.array([0.5, 0.1]), np.array([1.0, 2.0])
        points = rng.normal(size=(n, 2))[materials] * between + rng.normal(size=(3 * n, 2)) * within
        # The estimated ratio has a relative standard deviation of about 1/√n.
        expected = (within / np.hypot(within, between)).mean()
        assert repeat_scatter(points, materials) == pytest.approx(expected, rel=4 / np.sqrt(n))

    @given(st.permutations(range(12)), st.floats(0.01, 100), st.floats(-5, 5))
    def test_order_scale_and_origin_do_not_matter(self, order, scale, origin):
        points = np.random.default_rng(1).normal(size=(12, 3))
        materials, order = np.array([3, 3, 1, 1, 1, 7, 8, 8, 9, 4, 4, 5]), np.array(order)
        expected = repeat_scatter(points, materials)
        found = repeat_scatter(scale * points[order] + origin, materials[order])
        assert found == pytest.approx(expected, rel=1e-9)

    def test_limits(self):
        materials = np.repeat(np.arange(9), 2)
        assert repeat_scatter(np.repeat(np.eye(9), 2, axis=0), materials) == 0
        # Two repeats at ±1 of every material: variances 2 within and 18/17 in all.
        opposite = np.tile([[1.0], [-1.0]], (9, 1))
        assert repeat_scatter(opposite, materials) == pytest.approx(np.sqrt(2 / (18 / 17)))
        # A collapsed axis knows no material.
        assert repeat_scatter(np.c_[np.repeat(np.arange(9.0), 2), np.ones(18)], materials) == 0.5
