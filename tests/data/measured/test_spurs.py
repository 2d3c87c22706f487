"""Narrow lines through a whole record."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.data.measured.spurs import SHORTEST, remove_spurs
from tests.data.measured.records import echo_of, noise_of

DWELL = 0.05  # µs
TIME = DWELL * np.arange(3000)
RESOLUTION = 1 / 150  # MHz


class TestRemoveSpurs:
    @given(st.integers(0, 999), st.floats(-9, 9), st.floats(0.3, 30), st.floats(0, 6))
    def test_a_line_is_taken_away_whatever_its_frequency(self, seed, frequency, height, angle):
        noise = noise_of(3000, seed)
        line = height * np.exp(1j * (2 * np.pi * frequency * TIME + angle))
        cleaned, spurs = remove_spurs(noise + line, TIME)
        assert abs(spurs[0].frequency - frequency) < 0.2 * RESOLUTION
        # Its amplitude is known to about 1/√3000, and the noise it stands in is fitted along.
        assert abs(spurs[0].amplitude - height) < 0.1 + 0.01 * height
        assert np.abs(cleaned - noise).std() < 0.1 + 0.01 * height

    @given(st.integers(0, 999))
    def test_noise_alone_keeps_nearly_all_of_itself(self, seed):
        noise = noise_of(3000, seed)
        cleaned, spurs = remove_spurs(noise, TIME)
        assert len(spurs) <= 1
        assert np.abs(cleaned - noise).max() < 0.2

    @settings(max_examples=settings.default.max_examples // 3)
    @given(st.integers(0, 999), st.floats(2, 15), st.floats(0, 6))
    def test_an_echo_is_no_spur(self, seed, width, angle):
        echo = 20 * echo_of(TIME, at=70, rise=width, decay=width, carrier=5.0, angle=angle)
        cleaned, _ = remove_spurs(echo + noise_of(3000, seed), TIME)
        top = np.abs(TIME - 70) < width
        assert np.abs(np.vdot(echo[top], cleaned[top])) > 0.95 * np.sum(np.abs(echo[top]) ** 2)

    def test_a_spur_at_the_frequency_of_an_echo_leaves_the_echo(self):
        echo = 5 * echo_of(TIME, at=70, rise=4, decay=4, carrier=2.0)
        line = 3 * np.exp(2j * np.pi * 2.0 * TIME)
        cleaned, spurs = remove_spurs(echo + line + noise_of(3000, 5), TIME)
        assert abs(spurs[0].frequency - 2.0) < RESOLUTION
        top = np.abs(TIME - 70) < 4
        assert 0.8 < np.abs(np.vdot(echo[top], cleaned[top])) / np.sum(np.abs(echo[top]) ** 2) < 1.2

    @settings(max_examples=settings.default.max_examples // 3)
    @given(st.integers(0, 999), st.floats(0.9, 1.1), st.floats(0, 6))
    def test_a_steady_part_among_the_frequencies_of_an_echo_is_the_spins_own(
        self, seed, height, angle
    ):
        # Strongly coupled spins go on before and after the top of their echo.
        echo = 20 * echo_of(TIME, at=70, rise=1, decay=1, carrier=2.0)
        plateau = height * np.exp(2j * np.pi * 2.0 * (TIME - 70))
        signal = (echo + plateau) * np.exp(1j * angle) + noise_of(3000, seed)
        cleaned, spurs = remove_spurs(signal, TIME)
        assert not spurs
        np.testing.assert_array_equal(cleaned, signal)

    def test_blanked_samples_stay_as_they_are(self):
        signal = noise_of(3000, 0) + np.exp(2j * np.pi * 3 * TIME)
        signal[2500:] = 0
        measured = TIME < 125
        cleaned, spurs = remove_spurs(signal, TIME, measured=measured)
        assert spurs
        assert not cleaned[2500:].any()

    def test_a_short_record_that_an_echo_may_fill_is_left_alone(self):
        signal = np.ones(SHORTEST - 1) + noise_of(SHORTEST - 1, 0, 0.01)
        cleaned, spurs = remove_spurs(signal, TIME[: SHORTEST - 1])
        assert not spurs
        np.testing.assert_array_equal(cleaned, signal)
