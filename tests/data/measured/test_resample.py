"""Resampling to other times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.data.measured.resample import resample
from latent_nmr.errors import InputError
from tests.data.measured.records import FINE, FINE_ECHO, MODEL_DT, fine_time, noise_of, simulated

# |M(0)| is 1/2.
ERROR = 1e-4


class TestSimulatedCurves:
    # Multiples of 20 ns up to 1 µs, whose band is that of the line's ± 0.5 MHz.
    @pytest.mark.parametrize("stride", [1, 8, 25, 50])
    @pytest.mark.parametrize("first", [0, 5])
    def test_the_echo_window_is_the_models_to_1e_4_at_any_dwell(self, stride, first):
        curves, time = simulated(), fine_time()
        window = FINE_ECHO + FINE * np.arange(-200, 200)
        taken = np.arange(FINE_ECHO // 2 + 160 + first, len(time), stride)
        found, covered = resample(curves[:, taken], time[taken], time[window])
        assert covered.all()
        assert np.abs(found - curves[:, window]).max() < ERROR

    def test_a_record_that_begins_in_the_window_is_exact_from_its_first_sample_on(self):
        curves, time = simulated(), fine_time()
        window = FINE_ECHO + FINE * np.arange(-200, 200)
        taken = np.arange(FINE_ECHO - 203, len(time), FINE)
        found, covered = resample(curves[:, taken], time[taken], time[window])
        np.testing.assert_array_equal(covered, time[window] >= time[taken[0]])
        assert np.isnan(found[:, ~covered]).all()
        # Between its first samples a value has neighbours on one side only.
        assert np.abs(found - curves[:, window])[:, covered].max() < 5 * ERROR


class TestResample:
    @given(st.integers(0, 99), st.floats(0.02, 5), st.floats(-1e4, 1e4))
    def test_at_its_own_times_a_record_is_what_it_is(self, seed, dwell, start):
        signal = noise_of(150, seed)
        time = start + dwell * np.arange(150)
        found, covered = resample(signal, time, time)
        assert covered.all()
        np.testing.assert_allclose(found, signal, atol=1e-4)

    @given(st.floats(-0.8, 0.8))
    def test_a_turning_record_is_exact_up_to_the_edge_of_its_band(self, part):
        time = np.arange(400) * 1.0
        new = np.linspace(100, 300, 77)
        found, _ = resample(np.exp(1j * np.pi * part * time), time, new)
        np.testing.assert_allclose(found, np.exp(1j * np.pi * part * new), atol=1e-3)

    def test_blanked_samples_are_neither_used_nor_made_up(self):
        time = np.arange(300.0)
        signal = np.exp(-(((time - 150) / 40) ** 2))
        measured = np.abs(time - 200) > 15
        new = np.arange(0, 299, 0.7)
        found, covered = resample(np.where(measured, signal, 1e6), time, new, measured=measured)
        np.testing.assert_array_equal(covered, (new <= 184) | (new >= 216))
        expected = np.exp(-(((new - 150) / 40) ** 2))
        assert np.abs(found - expected)[covered].max() < ERROR
        assert np.isnan(found[~covered]).all()

    def test_times_that_are_not_the_records_are_refused(self):
        with pytest.raises(InputError, match=r"one value per time.*\(3,\) and there are 4 times"):
            resample(np.ones(3), np.arange(4), [1.0])

    def test_the_models_grid_is_an_eighth_of_the_fine_one(self):
        assert fine_time()[FINE] == pytest.approx(MODEL_DT)
