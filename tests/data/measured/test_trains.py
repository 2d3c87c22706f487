"""Echo trains stored as one record."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from latent_nmr.data.measured.trains import FEWEST_SAMPLES, find_period, split_train
from latent_nmr.errors import InputError
from tests.data.measured.records import echo_of, noise_of


def train_of(n_time, period, decay=1e9, width=8.0):
    time = np.arange(n_time, dtype=float)
    elapsed = (time + period / 2) % period - period / 2
    return echo_of(elapsed, at=0, rise=width, decay=width) * np.exp(-time / decay)


class TestFindPeriod:
    @given(st.floats(FEWEST_SAMPLES + 2, 300), st.integers(8, 30), st.integers(0, 99))
    @example(253.5, 8, 7)
    def test_the_distance_of_echoes_is_found_to_parts_of_a_sample(self, period, n_echoes, seed):
        n_time = int(n_echoes * period)
        train = train_of(n_time, period) + noise_of(n_time, seed, 0.05)
        # Whole where half a sample in the record makes it so, a 16th of one here; and for noise.
        assert abs(find_period(train) - period) < 0.25

    @given(st.integers(FEWEST_SAMPLES + 2, 300), st.integers(8, 30), st.integers(0, 99))
    def test_whole_samples_between_echoes_are_whole(self, period, n_echoes, seed):
        train = train_of(n_echoes * period, period) + noise_of(n_echoes * period, seed, 0.02)
        assert find_period(train) == period

    def test_a_train_that_decays_is_one(self):
        assert find_period(train_of(4000, 100, decay=800)) == pytest.approx(100, abs=0.3)

    @given(st.integers(0, 999), st.integers(100, 3000))
    def test_noise_is_no_train(self, seed, n_time):
        assert find_period(noise_of(n_time, seed)) is None

    @given(st.floats(5, 60), st.floats(0.02, 0.3))
    def test_one_echo_is_no_train(self, width, noise):
        time = np.arange(1500.0)
        record = echo_of(time, at=600, rise=width, decay=width) + noise_of(1500, 3, noise)
        assert find_period(record) is None

    def test_nothing_is_no_train(self):
        assert find_period(np.zeros(1000)) is None


class TestSplitTrain:
    @given(st.integers(1, 3), st.integers(2, 9), st.integers(1, 20), st.integers(0, 5))
    def test_whole_periods_are_cut_one_behind_another(self, n_records, n_echoes, length, rest):
        rest = min(rest, length - 1)
        n_time = n_echoes * length + rest
        signal = np.arange(n_records * n_time).reshape(n_records, n_time)
        split = split_train(signal, length)
        expected = signal[:, : n_echoes * length].reshape(-1, length)
        np.testing.assert_array_equal(split, expected)

    def test_a_period_that_is_not_whole_keeps_every_echo_in_its_place(self):
        train = train_of(3000, 100.25)
        tops = np.abs(np.roll(split_train(train, 100.25), 50, axis=1)).argmax(axis=1)
        assert len(tops) == 29
        assert set(tops) <= {49, 50, 51}

    def test_an_echo_longer_than_the_record_is_refused(self):
        with pytest.raises(InputError, match=r"n_points must be .* at most 10, but is 11"):
            split_train(np.ones((1, 10)), 11)
