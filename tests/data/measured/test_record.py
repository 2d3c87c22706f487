"""Records of a measurement: what is refused, and what is found and written into the log."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.data.measured.reading import Options, Reading
from latent_nmr.data.measured.record import assemble
from latent_nmr.data.measured.steps import steps_of
from latent_nmr.errors import EchoFileError
from tests.data.measured.writers import echoes

PATH = Path("measured.dat")


def assembled(signal, options=None, **about):
    reading = replace(Reading("format", signal, dwell=0.5), **about)
    return assemble(PATH, reading, options or Options())


def step(dataset, name):
    """The one step of a name."""
    (found,) = [step for step in steps_of(dataset) if step.name == name]
    return found


class TestRecords:
    """Every row is a record, on one axis of time in µs."""

    def test_time_begins_where_the_file_says_and_goes_on_in_equal_steps(self):
        found = assembled(echoes(2, 16), first_time=-3.0)
        np.testing.assert_allclose(found.time, -3.0 + 0.5 * np.arange(16))
        assert found.time.attrs["units"] == "µs"
        assert found.signal.dims == ("record", "time")
        assert found.signal.dtype == np.complex128

    def test_the_log_begins_with_what_was_read(self):
        assert steps_of(assembled(echoes(2, 16)))[0].values == {
            "format": "format",
            "records": 2,
            "points": 16,
            "dwell": 0.5,
        }

    def test_what_is_unknown_is_no_attribute(self):
        found = assembled(echoes(), facts={"nucleus": None, "carrier_frequency": 83.56})
        assert set(found.attrs) == {"format", "path", "carrier_frequency", "steps"}

    def test_one_channel_alone_is_said(self):
        found = assembled(echoes().real)
        assert found.signal_kind == "real"
        assert step(found, "one_channel")

    def test_a_spectrum_needs_both_parts(self):
        with pytest.raises(EchoFileError, match="must have its imaginary part"):
            assembled(echoes().real, domain="spectrum")

    def test_empty_records_are_left_out_and_the_others_keep_their_numbers(self):
        signal = echoes(4)
        signal[[0, 2]] = 0
        found = assembled(signal)
        assert found.record.values.tolist() == [1, 3]
        assert step(found, "empty_records").values == {"records": [0, 2], "count": 2}


class TestTrains:
    """Echoes that are stored one behind another are a record each."""

    def test_a_train_is_split_by_the_length_of_an_acquisition(self):
        signal = echoes(6, 32)
        found = assembled(signal.reshape(2, 96), acquired=32)
        np.testing.assert_array_equal(found.signal, signal)
        assert step(found, "train").values == {"echoes": 3, "points": 32, "rows": 2}

    def test_a_stated_length_goes_before_that_of_the_file(self):
        found = assembled(echoes(1, 96), Options(points_per_record=48), acquired=32)
        assert found.signal.shape == (2, 48)

    def test_a_stated_length_that_does_not_divide_is_refused(self):
        with pytest.raises(EchoFileError, match=r"96 points.*no multiple of the 40"):
            assembled(echoes(1, 96), Options(points_per_record=40))

    def test_a_length_of_the_file_that_does_not_divide_leaves_the_record_whole(self):
        found = assembled(echoes(1, 96), acquired=40)
        assert found.signal.shape == (1, 96)
        assert "no multiple" in step(found, "train").detail

    def test_zeros_behind_the_acquisition_are_no_echoes(self):
        signal = np.pad(echoes(2, 32), ((0, 0), (0, 64)))
        found = assembled(signal, acquired=32)
        np.testing.assert_array_equal(found.signal, signal[:, :32])
        assert step(found, "zero_filling").values == {"points": 32}


class TestBlanks:
    """Ranges of zeros are listed, since noise is none there."""

    def test_a_blanked_tail_is_listed_with_its_times(self):
        signal = echoes(2, 64)
        signal[:, 50:] = 0
        (found,) = step(assembled(signal, first_time=2.0), "blanked").values["ranges"]
        assert found == {"first": 50, "last": 63, "from": 27.0, "to": 33.5, "records": "all"}

    def test_a_gap_of_one_record_is_listed_with_its_number(self):
        signal = echoes(3, 64)
        signal[1, 10:13] = 0
        (found,) = step(assembled(signal), "blanked").values["ranges"]
        assert (found["first"], found["last"], found["records"]) == (10, 12, [1])

    def test_two_zeros_are_chance(self):
        signal = echoes(1, 64)
        signal[0, 10:12] = 0
        assert [s.name for s in steps_of(assembled(signal))] == ["read"]


class TestRefusals:
    """What no receiver gave."""

    def test_zeros_alone_are_a_template(self):
        with pytest.raises(EchoFileError, match=r"all 256 samples are zero.*template"):
            assembled(np.zeros((1, 256), complex))

    @pytest.mark.parametrize("value", [np.nan, np.inf, complex(0, -np.inf)])
    def test_what_is_not_finite_is_named_by_its_place(self, value):
        signal = echoes(2, 32)
        signal[1, 7] = value
        with pytest.raises(EchoFileError, match="sample 7 of record 1"):
            assembled(signal)

    def test_a_sample_far_above_all_others_is_damage(self):
        signal = echoes(2, 32)
        signal[1, 7] *= 2.0**32  # one bit of the exponent
        with pytest.raises(EchoFileError, match="sample 7 of record 1 is"):
            assembled(signal)

    def test_a_ring_down_is_none(self):
        ringing = 1e9 * np.exp(-np.arange(64.0))
        assert assembled(echoes(1, 64) + ringing).sizes["time"] == 64

    @pytest.mark.parametrize("scale", [1e-35, 1e35])
    def test_sizes_that_no_file_has_are_refused(self, scale):
        with pytest.raises(EchoFileError, match="largest"):
            assembled(echoes().astype(complex) * scale)

    @pytest.mark.parametrize("shape", [(1, 7), (0, 64)])
    def test_too_few_points_are_refused(self, shape):
        with pytest.raises(EchoFileError, match="at least 8 points"):
            assembled(np.ones(shape, complex))


class TestDwell:
    """The time between samples is known and plausible, or stated."""

    @pytest.mark.parametrize("dwell", [None, 0.0, -1.0, np.nan, 1e-7, 1e9])
    def test_a_missing_or_absurd_one_is_refused_with_the_cure(self, dwell):
        with pytest.raises(EchoFileError, match=r"time between samples.*dwell=…"):
            assembled(echoes(), dwell=dwell)

    def test_a_stated_one_goes_before_that_of_the_file_and_moves_the_start_with_it(self):
        found = assembled(echoes(1, 16), Options(dwell=2.0), dwell=0.5, first_time=0.25)
        np.testing.assert_allclose(found.time, 1.0 + 2.0 * np.arange(16))
        assert step(found, "dwell").values == {"dwell": 2.0, "said": 0.5}
