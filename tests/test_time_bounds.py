"""Plain numbers of time that can only have been meant in another unit than µs are refused."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import latent_nmr as ln
from latent_nmr._times import interval, record_times
from latent_nmr.data.echoes import sample_times

N = 600
M = 0.5j * np.exp(-np.arange(N) / 50)[np.newaxis] + 0.1
# Dwell times of laboratories and simulations, µs.
DWELL = st.floats(0.1, 50)
IN_OTHER_UNITS = {"ns": 1e3, "ms": 1e-3, "s": 1e-6}
DOORS = {
    "spin_echo": lambda spacing: ln.spin_echo(spacing, 3, 10).dt,
    "cpmg": lambda spacing: ln.cpmg(spacing, 3, 2).dt,
    "Sequence": lambda spacing: ln.Sequence(spacing, 10, (ln.Pulse(0, 1.0),)).dt,
    "SectionPolynomials": lambda spacing: (
        ln.SectionPolynomials((4,), sample_interval=spacing).fit(np.abs(M)).sample_interval_
    ),
}


def axis(spacing, n_samples=N):
    return spacing * np.arange(n_samples)


class TestAxes:
    """Times of records."""

    @given(DWELL, st.integers(2, 50), st.floats(0, 1e3), st.sampled_from([np.float32, float]))
    def test_every_dwell_time_of_a_laboratory_is_taken(self, spacing, n_samples, start, dtype):
        times = (start + axis(spacing, n_samples)).astype(dtype)
        assert (record_times("time", times) == times).all()

    @given(st.floats(0.101, 0.99), st.integers(2, 50))
    def test_of_dwell_times_up_to_1_us_every_other_unit_is_refused(self, spacing, n_samples):
        # In ms, longer ones are those of raw data, 1 to 50 ns; in ns, 0.1 µs are 100.
        units = {"ns": "nanoseconds", "ms": "in milliseconds", "s": "in seconds"}
        for unit, words in units.items():
            with pytest.raises(ln.InputError, match=words):
                record_times("time", axis(spacing * IN_OTHER_UNITS[unit], n_samples))

    @given(st.floats(1, 50), st.sampled_from(["ns", "s"]))
    def test_longer_ones_are_refused_in_ns_and_s(self, spacing, unit):
        with pytest.raises(ln.InputError, match="time must be in µs, but has"):
            record_times("time", axis(spacing * IN_OTHER_UNITS[unit]))

    @pytest.mark.parametrize("spacing", [1e-3, 100.0])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_bounds_themselves_are_taken(self, spacing, dtype):
        # As sums of steps, and in single precision, intervals miss the bound by roundings.
        for times in (axis(spacing), np.cumsum(np.full(N, spacing, dtype))):
            assert len(record_times("time", times.astype(dtype))) == N

    @pytest.mark.parametrize("factor", [0.99, 1 / 3, 1e-3])
    def test_just_beyond_them_nothing_is(self, factor):
        for spacing in (1e-3 * factor, 100 / factor):
            with pytest.raises(ln.InputError, match="time must be in µs"):
                record_times("time", axis(spacing))

    def test_a_gap_does_not_hide_milliseconds_nor_a_burst_nanoseconds(self):
        gap = np.where(np.arange(N) < 300, axis(1.6e-4), axis(1.6e-4) + 50)
        with pytest.raises(ln.InputError, match="in milliseconds"):
            record_times("time", gap)
        with pytest.raises(ln.InputError, match="as nanoseconds have"):
            record_times("time", np.sort([*axis(160.0), *(axis(3e5) + 1e6)]))

    def test_a_logarithmic_axis_is_taken(self):
        times = np.geomspace(1, 1e6, 40)
        assert (record_times("time", times) == times).all()

    @given(st.floats(1e-5, 1e6))
    def test_values_with_a_unit_are_taken_at_their_word(self, spacing):
        picoseconds = (axis(spacing, 5) * 1e6).round().astype("timedelta64[ps]")
        assert np.allclose(record_times("time", picoseconds), axis(spacing, 5), rtol=0.05)

    @pytest.mark.parametrize("values", [axis(250.0), np.arange(N) * 40, np.arange(N) * 2000])
    def test_an_attribute_lifts_the_upper_bounds(self, values):
        with pytest.raises(ln.InputError, match="as nanoseconds have"):
            record_times("time", xr.DataArray(values))
        stated = xr.DataArray(values, attrs={"units": "µs"})
        assert (record_times("time", stated) == values).all()

    def test_but_not_the_lower_one_since_arithmetic_keeps_attributes(self):
        time = xr.DataArray(axis(0.16), dims="time", attrs={"units": "µs"})
        for factor, words in ((1e-3, "in milliseconds"), (1e-6, "in seconds")):
            with pytest.raises(ln.InputError, match=words):
                record_times("time", factor * time)

    @pytest.mark.parametrize("unit", IN_OTHER_UNITS)
    def test_echo_features_refuse_them(self, unit):
        with pytest.raises(ln.InputError, match="time must be in µs"):
            ln.EchoFeatures(axis(0.16) * IN_OTHER_UNITS[unit], "full").fit(M)

    @pytest.mark.parametrize("values", [axis(160.0), np.arange(N) * 160, np.arange(N) * 30])
    def test_each_cure_of_the_message_works(self, values):
        with pytest.raises(ln.InputError, match=r"time / 1000; .*to_timedelta\(time, 'us'\)"):
            record_times("time", values)
        assert record_times("time", values / 1000)[-1] == values[-1] / 1000
        assert record_times("time", pd.to_timedelta(values, "us"))[-1] == values[-1]


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
class TestIntervals:
    """Plain intervals, wherever one enters."""

    @pytest.mark.parametrize("spacing", [0.001, 1 / (2 * np.pi), 0.1, 1, 20, np.int64(50), 100])
    def test_what_can_be_meant_is_taken(self, door, spacing):
        assert door(spacing) == spacing

    @pytest.mark.parametrize(
        ("spacing", "words"),
        [
            (159.155, "in nanoseconds"),
            (np.int64(160), "in nanoseconds"),
            (np.float32(318.3), "in nanoseconds"),
            (1.59e-4, "in milliseconds. Convert it: 1000"),
            (1.59e-7, "in seconds. Convert it: 1e6"),
            (np.array(5e-5), "in milliseconds"),
        ],
    )
    def test_other_units_are_refused(self, door, spacing, words):
        with pytest.raises(ln.InputError, match=rf"must be in µs, but is .*{words}"):
            door(spacing)

    @pytest.mark.parametrize(
        ("spacing", "expected"),
        [
            (np.timedelta64(500, "ps"), 5e-4),
            (np.timedelta64(2, "ms"), 2000),
            (pd.Timedelta(159, "us"), 159),
            (dt.timedelta(milliseconds=1), 1000),
            (xr.DataArray(150.0, attrs={"units": "µs"}), 150),
            (xr.DataArray(160, attrs={"units": "ns"}), 0.16),
        ],
    )
    def test_a_stated_unit_is_taken_at_its_word(self, door, spacing, expected):
        assert door(spacing) == pytest.approx(expected, rel=1e-15)


class TestSequencesOfAnyInterval:
    """An interval outside the bounds stays in sequences made of its own."""

    @pytest.mark.parametrize("spacing", [np.timedelta64(500, "ps"), pd.Timedelta(2, "ms")])
    @pytest.mark.parametrize("make", [ln.spin_echo, ln.cpmg])
    def test_other_pulse_angles_keep_it(self, make, spacing):
        sequence = make(spacing, 3, 10)
        flipped = sequence.flipped_by(1.2)
        assert flipped == make(spacing, 3, 10, 1.2)
        assert type(flipped.dt) is float
        assert sequence == make(spacing, 3, 10)  # itself unchanged

    def test_other_pulse_angles_are_still_checked(self):
        with pytest.raises(ln.InputError, match="pulse angle must be"):
            ln.spin_echo(0.16, 3, 10).flipped_by(1e308)

    def test_a_plain_number_in_its_place_is_checked(self):
        with pytest.raises(ln.InputError, match="in nanoseconds"):
            replace(ln.spin_echo(0.16, 3, 10), dt=160)

    @given(DWELL)
    def test_no_dwell_time_is_refused(self, spacing):
        assert interval("dt", spacing) == spacing


def record(spacing=0.16, dt_us=0.16, n_samples=N, **attributes):
    signal = (("curve", "time"), np.full((1, n_samples), 0.25, np.float32))
    stated = {} if dt_us is None else {"dt_us": dt_us}
    return xr.Dataset(
        {"mx": signal, "my": signal},
        {"curve": [0], "time": ("time", axis(spacing, n_samples), {"units": "µs"})},
        {"echo_index": 350, "pulse_samples": [0, 175], **stated, **attributes},
    )


class TestAxisAndAttribute:
    """The interval of a data set's times, and what its attribute `dt_us` says."""

    @pytest.mark.parametrize("power", [-9, -6, -3, 3, 6, 9])
    @pytest.mark.parametrize("miss", [0.995, 1.0, 1.005])
    def test_powers_of_a_thousand_are_other_units(self, power, miss):
        dataset = record(10.0, 10.0 / 10.0**power * miss)
        for use in (
            sample_times, lambda ds: ln.shift_frequency(ds, 0.01), ln.features,
            lambda ds: ln.blank_dead_time(ds, 5.0),
        ):  # fmt: skip
            with pytest.raises(ln.InputError, match=r"must be in µs, as its attribute dt_us is"):
                use(dataset)

    def test_arithmetic_that_keeps_the_attribute_is_noticed(self, tmp_path):
        changed = record().assign_coords(time=1000 * record()["time"])
        assert changed["time"].attrs["units"] == "µs"
        with pytest.raises(ln.InputError, match=r"160 µs apart for a dt_us of 0\.16 µs"):
            ln.save_echoes(changed, tmp_path / "echoes.nc")
        cured = changed.assign_coords(time=changed["time"].assign_attrs(units="ns"))
        assert np.allclose(sample_times(cured), axis(0.16), rtol=1e-15)

    @given(
        step=st.integers(1, 250), start=st.integers(0, 90), factor=st.floats(0.1, 50),
        n_samples=st.integers(1, 600),
    )  # fmt: skip
    def test_cut_and_thinned_records_pass(self, step, start, factor, n_samples):
        cut = record(factor, factor).isel(time=slice(start, start + n_samples, step))
        assert (sample_times(cut) == cut["time"]).all()

    @pytest.mark.parametrize(("first", "kind"), [(0, int), (1, int), (0, float), (7, float)])
    def test_numbers_of_samples_are_no_times(self, first, kind):
        time = np.arange(first, first + 600, dtype=kind)
        dataset = record(0.16, 0.16, n_samples=600).assign_coords(time=time)
        for use in (
            lambda ds: ln.shift_frequency(ds, 0.01),
            lambda ds: ln.blank_dead_time(ds, 5.0),
        ):
            with pytest.raises(ln.InputError, match=r"numbers the samples .* 0\.16 µs apart"):
                use(dataset)
        cured = dataset.assign_coords(time=dataset["time"] * dataset.attrs["dt_us"])
        assert len(sample_times(cured)) == 600

    def test_they_are_times_where_so_many_samples_were_left_out(self):
        thinned = record(0.2, 0.2, n_samples=600).isel(time=slice(None, None, 5))
        assert np.allclose(sample_times(thinned), np.arange(120))

    @pytest.mark.parametrize("n_samples", [1, 2])
    def test_of_less_than_three_samples_nothing_is_said(self, n_samples):
        assert len(sample_times(record(160.0, n_samples=n_samples))) == n_samples

    def test_without_dt_us_an_attribute_is_taken_at_its_word(self):
        assert (sample_times(record(160.0, None)) == axis(160.0)).all()

    @pytest.mark.parametrize("dt_us", [1e-4, 250.0])
    def test_dt_us_has_its_unit_in_its_name_and_no_bounds(self, dt_us):
        dataset = record(0.16, dt_us)
        assert len(ln.shift_frequency(dataset, 0.01)["time"]) == N


class TestDeadTimes:
    """Plain dead times that are next to nothing."""

    @given(DWELL, st.floats(0.1, 20))
    def test_every_dead_time_of_a_receiver_is_taken(self, spacing, dead_time):
        blanked = ln.blank_dead_time(record(spacing, spacing), dead_time)
        assert blanked["mx"][0, 0] == 0

    @given(st.floats(0.1, 1), st.floats(0.1, 1))
    def test_shorter_ones_are_taken_from_a_tenth_of_a_sample_on(self, spacing, steps):
        blanked = ln.blank_dead_time(record(spacing, spacing), steps * spacing)
        assert (blanked["mx"] == 0).sum() == 2

    @given(st.floats(0.1, 50), st.floats(1, 20))
    def test_seconds_are_refused(self, spacing, dead_time):
        with pytest.raises(ln.InputError, match=r"dead_time must be 0 or at least .*in ms or s"):
            ln.blank_dead_time(record(spacing, spacing), 1e-6 * dead_time * 0.99)

    @given(st.floats(0.2, 50), st.floats(1, 19))
    def test_milliseconds_are_refused(self, spacing, dead_time):
        with pytest.raises(ln.InputError, match=r"in ms or s\. Give it in µs"):
            ln.blank_dead_time(record(spacing, spacing), 1e-3 * dead_time)

    @pytest.mark.parametrize("spacing", [0.16, 10.0])
    @pytest.mark.parametrize(
        "dead_time", [0, np.timedelta64(5, "ns"), pd.Timedelta(1, "ns"), np.timedelta64(3, "as")]
    )
    def test_none_and_a_stated_unit_are_taken(self, spacing, dead_time):
        blanked = ln.blank_dead_time(record(spacing, spacing), dead_time)
        assert (blanked["mx"] == 0).sum() == (0 if dead_time == 0 else 2)

    def test_of_a_single_sample_nothing_is_said(self):
        with pytest.raises(ln.InputError, match="leave some of the record"):
            ln.blank_dead_time(record(n_samples=1, pulse_samples=[0]), 1e-6)


class TestEchoTimes:
    """Plain times of the echo that are next to nothing."""

    @staticmethod
    def found(echo_time, times=None):
        times = axis(0.16) if times is None else times
        return ln.EchoFeatures(times, "full", echo_time=echo_time).fit(M).echo_index_

    @pytest.mark.parametrize("echo_time", [56e-6, 56e-3, 0.2, 0.3])
    def test_milliseconds_and_seconds_are_refused(self, echo_time):
        with pytest.raises(ln.InputError, match="echo_time must be that of a sample or at least"):
            self.found(echo_time)

    @given(st.floats(1, 50), st.floats(20, 900))
    def test_they_are_refused_at_any_longer_interval(self, spacing, echo_time):
        with pytest.raises(ln.InputError, match=r"in ms or s\. Give it in µs"):
            self.found(1e-6 * echo_time, axis(spacing))
        with pytest.raises(ln.InputError, match=r"in ms or s\. Give it in µs"):
            self.found(1e-3 * echo_time, axis(spacing))

    @given(DWELL, st.floats(1, 29))
    def test_echoes_that_come_later_are_taken(self, spacing, echo_time):
        echo_time = min(echo_time, spacing * (N - 1))
        index = self.found(echo_time, axis(spacing))
        assert abs(index * spacing - echo_time) <= spacing * 0.501

    @pytest.mark.parametrize("echo_time", [0.35, 0.7])
    def test_shorter_ones_are_taken_from_two_samples_on(self, echo_time):
        assert self.found(echo_time) == round(echo_time / 0.16)

    @given(DWELL, st.sampled_from([0, 1, 2, 5]), st.sampled_from([np.float32, float]))
    def test_the_time_of_a_sample_is_taken(self, spacing, sample, dtype):
        # Half echoes are recorded from their top on.
        assert self.found(dtype(axis(spacing)[sample]), axis(spacing)) == sample

    @pytest.mark.parametrize("echo_time", [np.timedelta64(200, "ns"), pd.Timedelta(300, "ns")])
    def test_a_stated_unit_is_taken(self, echo_time):
        assert self.found(echo_time) in (1, 2)

    @pytest.mark.parametrize("start", [-64.0, -0.1])
    def test_on_an_axis_that_starts_before_zero_the_echo_may_be_there(self, start):
        assert self.found(0.05, start + axis(0.16)) == round((0.05 - start) / 0.16)

    def test_the_number_of_a_sample_has_no_unit(self):
        assert ln.EchoFeatures(window="full", echo_time=0.7).fit(M).echo_index_ == 1
