"""Noise from parts of a record that are neither blanked nor signal."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latent_nmr.data.measured.noise import (
    SHORTEST_BLANK,
    blanked_samples,
    estimate_noise,
    stretches,
)
from latent_nmr.errors import InputError
from tests.data.measured.records import echo_of, noise_of

DWELL = 0.16  # µs
SEEDS = st.integers(0, 2**32 - 1)


class TestBlankedSamples:
    @given(SEEDS, st.integers(0, 90), st.integers(SHORTEST_BLANK, 60))
    def test_a_run_of_zeros_is_found_from_its_first_sample_to_its_last(self, seed, start, length):
        signal = noise_of(200, seed)
        signal[start : start + length] = 0
        expected = np.zeros(200, bool)
        expected[start : start + length] = True
        np.testing.assert_array_equal(blanked_samples(signal), expected)

    def test_whole_numbers_that_repeat_by_chance_are_no_blank(self):
        assert not blanked_samples(np.repeat(np.arange(20.0), SHORTEST_BLANK - 1)).any()

    def test_each_record_has_its_own(self):
        signal = np.stack([noise_of(50, 0), noise_of(50, 1)])
        signal[1, 30:] = 0
        assert blanked_samples(signal).sum(axis=1).tolist() == [0, 20]

    @given(st.lists(st.booleans(), min_size=1, max_size=50))
    def test_stretches_cover_what_is_marked_and_nothing_else(self, marks):
        covered = np.zeros(len(marks), bool)
        for part in stretches(np.array(marks)):
            assert not covered[part].any()
            covered[part] = True
        assert covered.tolist() == marks


class TestEstimateNoise:
    # Four standard errors: one estimate in 16,000 is further off.
    @given(SEEDS, st.floats(-6, 6), st.integers(0, 800))
    def test_the_deviation_of_white_noise_is_found_within_its_error(self, seed, power, n_blanked):
        deviation = 10**power
        signal = noise_of(2000, seed, deviation)
        signal[2000 - n_blanked :] = 0
        found = estimate_noise(signal, DWELL)
        assert found.source == "spectrum"
        off = found.sd(1 / DWELL) / deviation - 1
        assert abs(off) < 4 * found.relative_error

    def test_its_error_is_the_scatter_of_estimates(self):
        found = [estimate_noise(noise_of(1000, seed), DWELL) for seed in range(300)]
        scatter = np.std([noise.sd(1 / DWELL) for noise in found])
        # The scatter of 300 numbers is known to 1/√600 = 4 %; the stated error counts neighbours
        # as if medians were means, which is on the safe side.
        assert 0.75 < scatter / found[0].relative_error < 1.1

    @given(SEEDS, st.floats(-1.5, 1.5), st.sampled_from([0, 3, 10, 100]))
    @example(seed=161, carrier=0.9296875, snr=100)  # one ring of its cusp does not fall
    def test_an_echo_on_the_record_hardly_changes_it(self, seed, carrier, snr):
        time = DWELL * np.arange(1800)
        signal = noise_of(1800, seed) + snr * echo_of(time, at=150, carrier=carrier)
        found = estimate_noise(signal, DWELL, carrier=carrier)
        assert abs(found.sd(1 / DWELL) - 1) < 4 * found.relative_error + 0.05

    def test_the_tails_of_a_strong_echo_are_no_noise(self):
        time = DWELL * np.arange(1800)
        off = []
        for seed in range(40):
            signal = noise_of(1800, seed) + 100 * echo_of(time, at=150, carrier=seed / 40)
            found = estimate_noise(signal, DWELL, carrier=seed / 40)
            off.append(found.sd(1 / DWELL) - 1)
        # Errors of 6 % in 40 records leave 1 % in their mean; tails of (f/f₀)^-4 add the rest.
        assert np.mean(off) < 0.05
        assert max(off) < 4 * found.relative_error

    def test_coloured_noise_is_measured_near_the_carrier(self):
        spectrum = np.fft.fft(noise_of(4096, 0))
        frequencies = np.fft.fftfreq(4096, DWELL)
        spectrum[np.abs(frequencies - 1.5) > 0.5] *= 0.1
        signal = np.fft.ifft(spectrum)
        loud, quiet = (estimate_noise(signal, DWELL, carrier=f) for f in (1.5, -1.5))
        assert loud.density / quiet.density == pytest.approx(100, rel=0.3)

    def test_a_record_that_is_short_of_frequencies_is_measured_where_it_is_quiet(self):
        time = 10.0 * np.arange(64)
        signal = 50 * echo_of(time, at=320, rise=20, decay=20) + noise_of(64, 1)
        quiet = np.abs(time - 320) > 150
        found = estimate_noise(signal, 10.0, quiet=quiet)
        assert found.source == "quiet"
        assert abs(found.sd(1 / 10.0) - 1) < 4 * found.relative_error

    def test_a_record_that_is_all_signal_says_so(self):
        found = estimate_noise(noise_of(64, 1), 10.0, quiet=np.zeros(64, bool))
        assert found.source == "lowest"
        assert abs(found.sd(1 / 10.0) - 1) < 4 * found.relative_error

    def test_a_record_of_zeros_is_refused(self):
        with pytest.raises(InputError, match="not blanked, but has none"):
            estimate_noise(np.zeros(100), DWELL)
