"""Mixing down and limiting the band."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.data.measured.mixing import band_limit, mix_down, noise_bandwidth
from latent_nmr.errors import InputError
from tests.data.measured.records import noise_of

DWELL = 0.1  # µs
TIME = DWELL * np.arange(1000)


class TestMixDown:
    @given(st.floats(-5, 5), st.integers(0, 99))
    def test_it_is_undone_by_the_opposite_frequency_and_leaves_the_length(self, carrier, seed):
        signal = noise_of(1000, seed)
        mixed = mix_down(signal, TIME, carrier)
        np.testing.assert_allclose(np.abs(mixed), np.abs(signal), rtol=1e-12)
        np.testing.assert_allclose(mix_down(mixed, TIME, -carrier), signal, atol=1e-11)

    def test_what_turns_anticlockwise_at_the_carrier_stands_still(self):
        still = mix_down(np.exp(2j * np.pi * 2 * TIME), TIME, 2)
        np.testing.assert_allclose(still, 1, atol=1e-12)

    def test_a_carrier_that_is_no_number_is_refused(self):
        with pytest.raises(InputError, match="carrier must be a finite number MHz"):
            mix_down(TIME, TIME, np.nan)


class TestBandLimit:
    @given(st.floats(0.2, 4))
    def test_frequencies_inside_pass_and_those_outside_do_not(self, bandwidth):
        # Away from the ends by what the filter sees, 1/(0.4 bandwidth) and its tail.
        middle = slice(400, 600)
        inside = np.exp(2j * np.pi * 0.7 * bandwidth * TIME)
        outside = np.exp(2j * np.pi * min(1.3 * bandwidth, 4.99) * TIME)
        kept = band_limit(inside, DWELL, bandwidth)[middle]
        np.testing.assert_allclose(kept, inside[middle], atol=0.01)
        if 1.3 * bandwidth < 4.99:
            assert np.abs(band_limit(outside, DWELL, bandwidth)[middle]).max() < 0.01

    def test_a_constant_does_not_droop_at_the_ends(self):
        np.testing.assert_allclose(band_limit(np.ones(500), DWELL, 0.3), 1, atol=1e-9)

    def test_it_shifts_nothing_in_time(self):
        pulse = np.exp(-(((TIME - 40) / 5) ** 2))
        np.testing.assert_allclose(band_limit(pulse, DWELL, 0.5), pulse, atol=1e-4)

    def test_blanked_samples_are_left_out_of_the_mean(self):
        measured = np.ones(1000, bool)
        measured[600:] = False
        kept = band_limit(np.where(measured, 3.0, 99.0), DWELL, 0.3, measured=measured)
        np.testing.assert_allclose(kept[:600], 3, atol=1e-9)
        assert not kept[600:].any()

    def test_a_band_beyond_the_record_changes_nothing(self):
        signal = noise_of(300, 0)
        np.testing.assert_array_equal(band_limit(signal, DWELL, 7), signal)

    @pytest.mark.parametrize("bandwidth", [None, 0.04, 0.5, 3.0])
    def test_the_noise_that_is_left_is_as_stated(self, bandwidth):
        signal = noise_of(200_000, 1)
        kept = signal if bandwidth is None else band_limit(signal, DWELL, bandwidth)
        expected = np.sqrt(noise_bandwidth(DWELL, bandwidth) * DWELL)
        # Independent values: the record's length times twice the bandwidth.
        error = 1 / np.sqrt(2 * 20_000 * (bandwidth or 5))
        assert kept.real.std() / expected == pytest.approx(1, abs=4 * error)

    def test_a_bandwidth_of_zero_is_refused(self):
        with pytest.raises(InputError, match="bandwidth must be > 0 MHz, but is 0"):
            band_limit(TIME, DWELL, 0)
