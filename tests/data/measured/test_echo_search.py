"""Finding an echo: when, how wide, at which frequency, and how surely."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_nmr.data.measured.echo_search import SIGNIFICANCE, search_echo
from latent_nmr.errors import InputError
from tests.data.measured.records import (
    FINE,
    FINE_ECHO,
    MODEL_DT,
    echo_of,
    fine_time,
    noise_of,
    simulated,
)

DWELL = 0.16  # µs
TIME = DWELL * np.arange(1200)
SEEDS = st.integers(0, 2**32 - 1)


class TestEchoes:
    @settings(max_examples=8)
    @given(SEEDS, st.floats(40, 150), st.floats(3, 9), st.floats(3, 9), st.floats(-2.5, 2.5))
    def test_time_widths_and_carrier_are_found_within_their_errors(
        self, seed, at, rise, decay, carrier
    ):
        snr = 10
        signal = snr * echo_of(TIME, at, rise, decay, carrier) + noise_of(1200, seed)
        found = search_echo(signal, DWELL)
        assert found.kind == "echo"
        assert found.p_value < 1e-20
        # Five standard errors: about as much again for the shape, which is fitted along.
        assert abs(found.time - at) < 5 * found.time_error
        # 1/(2π T √energy), T² = ∫ t² h²/∫ h² of about the half width squared.
        energy = snr**2 * (rise + decay) / (2 * np.log(2) * DWELL)
        assert abs(found.carrier - carrier) < 5 * 2 / (2 * np.pi * min(rise, decay) * energy**0.5)
        assert found.width == pytest.approx(rise + decay, rel=0.35)
        assert abs(found.amplitude) == pytest.approx(snr, rel=0.25)

    def test_an_echo_that_begins_at_its_top_is_a_half_one(self):
        signal = 10 * echo_of(TIME, at=0, decay=8) + noise_of(1200, 0)
        found = search_echo(signal, DWELL)
        assert found.kind == "half"
        assert found.time < 3 * DWELL
        assert found.width == pytest.approx(16, rel=0.3)

    def test_an_echo_behind_a_decay_is_found(self):
        signal = 30 * echo_of(TIME, at=0, decay=6) + 15 * echo_of(TIME, at=90) + noise_of(1200, 0)
        found = search_echo(signal, DWELL)
        assert (found.kind, round(found.time)) == ("echo", 90)

    def test_blanked_samples_before_the_echo_keep_its_time(self):
        signal = 10 * echo_of(TIME, at=100) + noise_of(1200, 0)
        measured = TIME > 50
        found = search_echo(np.where(measured, signal, 0), DWELL, measured=measured)
        assert abs(found.time - 100) < 5 * found.time_error

    def test_a_range_of_times_and_frequencies_decides_between_two(self):
        signal = 10 * echo_of(TIME, at=60, carrier=1) + 8 * echo_of(TIME, at=120, carrier=-1)
        signal += noise_of(1200, 0)
        assert round(search_echo(signal, DWELL).time) == 60
        assert round(search_echo(signal, DWELL, carrier_range=(-1.5, -0.5)).time) == 120
        assert round(search_echo(signal, DWELL, time_range=(100, 140)).time) == 120

    @pytest.mark.parametrize("seed", range(4))
    def test_a_simulated_echo_at_snr_5_is_found_within_two_samples_or_its_error(self, seed):
        curve, time = simulated()[3], fine_time()
        taken = slice(FINE_ECHO - 300 * FINE, None, FINE)
        signal = curve[taken] * np.exp(2j * np.pi * 1.2 * time[taken])
        height = np.abs(signal).max()
        found = search_echo(signal + noise_of(len(signal), seed, height / 5), MODEL_DT)
        off = found.time - 300 * MODEL_DT
        assert abs(off) < 2 * MODEL_DT + 2 * found.time_error
        assert abs(found.carrier - 1.2) < 0.01


class TestNoise:
    def test_p_values_of_noise_are_no_smaller_than_they_say(self):
        found = [search_echo(noise_of(300, seed), DWELL).p_value for seed in range(100)]
        for level in (0.02, 0.1, 0.3):
            # Three standard deviations of a binomial count above what is expected.
            limit = 100 * level + 3 * np.sqrt(100 * level)
            assert np.sum(np.array(found) < level) < limit

    def test_noise_is_no_echo(self):
        found = search_echo(noise_of(1200, 3), DWELL)
        assert found.kind == "none"
        assert found.p_value > SIGNIFICANCE
        assert found.sigma < 3.1

    @given(SEEDS, st.floats(-6, 6))
    @settings(max_examples=4)
    def test_the_unit_of_the_record_does_not_matter(self, seed, power):
        signal = 3 * echo_of(TIME[:500], at=40) + noise_of(500, seed)
        one, other = search_echo(signal, DWELL), search_echo(10**power * signal, DWELL)
        assert other.kind == one.kind
        assert other.p_value == pytest.approx(one.p_value, rel=1e-6)

    def test_a_record_of_a_few_samples_is_refused(self):
        with pytest.raises(InputError, match=r"at least 32 samples in succession.*has 20"):
            search_echo(noise_of(20, 0), DWELL)
