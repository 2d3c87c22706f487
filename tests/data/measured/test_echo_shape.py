"""Shapes that are fitted to echoes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.data.measured.echo_shape import SHAPES, EchoShape, fit_shape, subtract_shape
from tests.data.measured.records import noise_of

DWELL = 0.16  # µs
TIME = DWELL * np.arange(800)


@pytest.mark.parametrize("name", SHAPES)
class TestShapes:
    def test_the_height_is_1_at_the_top_and_1_half_at_the_half_widths(self, name):
        shape = EchoShape(name, 50.0, 4.0, 7.0, 0.0, 1 + 0j)
        np.testing.assert_allclose(shape.at(np.array([46.0, 50.0, 57.0])), [0.5, 1, 0.5])

    def test_the_information_is_the_integral_of_the_squared_slope(self, name):
        shape = EchoShape(name, 0.0, 4.0, 7.0, 0.0, 3 + 0j)
        time = np.linspace(-200, 200, 400_001)
        slopes = np.trapezoid(np.gradient(shape.at(time), time) ** 2, time)
        assert shape.time_error(0.2, 1e9) == pytest.approx((9 / 0.2 * slopes) ** -0.5, rel=1e-3)

    @settings(max_examples=5)
    @given(st.floats(30, 90), st.floats(3, 8), st.floats(3, 8), st.floats(-6, 6))
    def test_an_echo_of_the_shape_is_fitted_exactly(self, name, at, rise, decay, angle):
        shape = EchoShape(name, at, rise, decay, 1.0, 5 * np.exp(1j * angle))
        signal = shape.amplitude * shape.at(TIME) * np.exp(2j * np.pi * (TIME - at))
        found = fit_shape(signal, DWELL, at + 0.5, 1.003, rise + decay)
        # Averages of samples blunt a cusp by about a part of their length.
        assert abs(found.time - at) < 0.15
        assert abs(found.carrier - 1.0) < 0.002
        assert found.rise + found.decay == pytest.approx(rise + decay, rel=0.1)
        rest = subtract_shape(signal, DWELL, found)
        assert np.abs(rest).max() < 0.15 * 5


def test_without_noise_the_time_is_exact():
    assert EchoShape("gaussian", 1.0, 1.0, 1.0, 0.0, 1 + 0j).time_error(0.0, 9.0) == 0


def test_the_error_of_what_is_no_echo_is_the_record():
    found = fit_shape(1e-9 * noise_of(800, 0), DWELL, 60.0, 0.0, 5.0)
    assert found.time_error(1e9, 128.0) == 128.0
