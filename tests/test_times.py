"""Times in µs: what states another unit is converted, what cannot be meant is refused."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import latent_nmr as ln
from latent_nmr._times import MICROSECONDS, microseconds, record_times
from latent_nmr.data.echoes import sample_times

N = 600
TIME = np.arange(N) * 0.16
M = 0.5j * (np.exp(-TIME / 8) + np.exp(-(((TIME - 56) / 6.4) ** 2)))[np.newaxis]


class Quantity:
    """A number with a unit as pint has it: `to` gives another, whose `magnitude` is the number."""

    def __init__(self, magnitude, unit):
        self.magnitude, self.unit_name = magnitude, unit

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.magnitude, dtype)

    def to(self, unit):
        if self.unit_name not in MICROSECONDS:
            raise TypeError(f"Cannot convert from {self.unit_name} to {unit}")
        return Quantity(self.magnitude * (MICROSECONDS[self.unit_name] / MICROSECONDS[unit]), unit)


class QuantityOfAstropy:
    """The same as astropy has it: `to` gives another, whose `value` is the number."""

    unit = "s"

    def __init__(self, value):
        self.value = value

    def to(self, unit):
        assert unit == "us"
        return QuantityOfAstropy(self.value * 1e6)

    def to_value(self, unit):
        return self.to(unit).value


class DifferenceOfAstropy(QuantityOfAstropy):
    """A time difference as astropy has it: it converts itself, and has no unit."""

    unit = property()  # no attribute

    def __array__(self, dtype=None, copy=None):
        return np.array(None, object)


def in_attribute(factor, unit):
    return xr.DataArray(TIME / factor, dims="time", attrs={"units": unit})


WITH_UNITS = {
    "pandas": pd.to_timedelta(TIME, unit="us"),
    "series": pd.Series(pd.to_timedelta(TIME, unit="us")),
    "timedelta64[ns]": (TIME * 1000).round().astype("timedelta64[ns]"),
    "timedelta64[ps]": (TIME * 1e6).round().astype("timedelta64[ps]"),
    "list of pandas": list(pd.to_timedelta(TIME, unit="us")),
    "list of NumPy": list((TIME * 1000).round().astype("timedelta64[ns]")),
    "xarray": xr.DataArray(pd.to_timedelta(TIME, unit="us"), dims="time"),
    "nanoseconds": in_attribute(1e-3, "ns"),
    "seconds": in_attribute(1e6, "Seconds"),
    "quantity": Quantity(TIME * 1000, "nanosecond"),
    "list of quantities": [Quantity(time, "microsecond") for time in TIME],
    "astropy": QuantityOfAstropy(TIME / 1e6),
    "difference of astropy": DifferenceOfAstropy(TIME / 1e6),
    "attribute unit": xr.DataArray(TIME * 1e3, dims="time", attrs={"unit": "ns"}),
    "attribute Units": xr.DataArray(TIME * 1e-3, dims="time", attrs={"Units": "ms"}),
}
DATES = {
    "datetime64": np.datetime64("2026-01-01") + WITH_UNITS["timedelta64[ns]"],
    "with a zone": pd.date_range("2026-01-01", periods=N, freq="us", tz="UTC"),
    "datetime": [dt.datetime(2026, 1, 1)] * N,
}
NOT_MEANT = {
    "whole nanoseconds": ((TIME * 1000).round().astype(np.int64), r"160 apart, as nanoseconds"),
    "counts of timedelta64": (
        WITH_UNITS["timedelta64[ns]"].astype(np.int64), "as nanoseconds have"),
    "plain seconds": (TIME / 1e6, "apart, as if it were in seconds"),
    "text": ([f"{time} us" for time in TIME], "must be times in µs"),
    "truth values": (np.ones(N, bool), "must be times in µs"),
    "another dimension": (Quantity(TIME, "metre"), "cannot be converted to µs"),
    "another unit": (in_attribute(1, "T"), "must state a unit of time"),
    "a gap": (np.where(np.arange(N) == 7, np.timedelta64("NaT"), WITH_UNITS["timedelta64[ns]"]),
              "sample 7 is NaT"),
    "no unit": (np.arange(N).astype("timedelta64"), "without one"),
    "months": (np.arange(N).astype("timedelta64[M]"), "fixed length"),
    "falling": (TIME[::-1], "rise from sample to sample"),
    "infinite": (np.where(np.arange(N) == 5, np.inf, TIME), "must be finite"),
}  # fmt: skip


class TestEchoFeatures:
    """Times of `EchoFeatures`."""

    @pytest.mark.parametrize("time", WITH_UNITS.values(), ids=WITH_UNITS)
    def test_a_stated_unit_is_converted(self, time):
        plain = ln.EchoFeatures(TIME).fit(M)
        found = ln.EchoFeatures(time).fit(M)
        # Nanoseconds hold 0.16 µs exactly; the rest are a few roundings of 96 µs.
        assert np.allclose(found.time_, plain.time_, rtol=1e-14, atol=0)
        assert found.samples_ == plain.samples_

    @pytest.mark.parametrize("time", DATES.values(), ids=DATES)
    def test_dates_are_refused(self, time):
        with pytest.raises(ln.InputError, match="time must be times since the first pulse"):
            ln.EchoFeatures(time).fit(M)

    @pytest.mark.parametrize(("time", "message"), NOT_MEANT.values(), ids=NOT_MEANT)
    def test_what_cannot_be_meant_is_refused(self, time, message):
        with pytest.raises(ln.InputError, match=message):
            ln.EchoFeatures(time).fit(M)

    @pytest.mark.parametrize(
        "echo_time",
        [pd.Timedelta("56us"), dt.timedelta(microseconds=56), np.timedelta64(56, "us"),
         Quantity(56e-6, "second")],
    )  # fmt: skip
    def test_the_time_of_the_echo_has_a_unit_too(self, echo_time):
        expected = ln.EchoFeatures(TIME, echo_time=56.0).fit(M).echo_index_
        assert ln.EchoFeatures(TIME, echo_time=echo_time).fit(M).echo_index_ == expected == 350
        with pytest.raises(ln.InputError, match="echo_time must be"):
            ln.EchoFeatures(echo_time=echo_time).fit(M)


class TestNumbers:
    """Numbers without a unit are µs."""

    @given(st.lists(st.floats(0, 1e3, width=32), min_size=1), st.sampled_from(["f4", "f8"]))
    def test_they_come_back_as_they_are(self, values, dtype):
        times = np.array(values, dtype)
        found = microseconds("time", times)
        assert found.dtype == times.dtype
        assert (found == times).all()

    @given(st.sampled_from(sorted(MICROSECONDS)), st.floats(1e-3, 1e3))
    def test_every_spelling_of_a_unit_is_its_number_of_microseconds(self, unit, value):
        found = microseconds("time", xr.DataArray([value], attrs={"units": unit}))
        assert found == pytest.approx([value * MICROSECONDS[unit]], rel=1e-15)

    def test_whole_microseconds_are_no_nanoseconds(self):
        assert (record_times("time", np.arange(N)) == np.arange(N)).all()
        assert (record_times("time", 100.0 * np.arange(N)) == 100.0 * np.arange(N)).all()

    def test_unsigned_numbers_that_fall_are_refused(self):
        with pytest.raises(ln.InputError, match="rise from sample to sample"):
            record_times("time", np.array([0, 2, 1], np.uint8))


@pytest.fixture(scope="module")
def plain():
    return ln.simulate("paper", 2, n_edge=8, step=4)


def in_nanoseconds(dataset):
    time = (1000 * dataset["time"]).assign_attrs(units="ns")
    return dataset.assign_coords(time=time)


def in_nanoseconds_of_another_name(dataset):
    time = (1000 * dataset["time"]).drop_attrs().assign_attrs(Unit="ns")
    return dataset.assign_coords(time=time)


def as_differences(dataset):
    """Times as `xarray.open_dataset` decodes them: whole nanoseconds."""
    return dataset.assign_coords(time=pd.to_timedelta(dataset["time"].to_numpy(), unit="us"))


@pytest.mark.parametrize(
    "changed", [in_nanoseconds, in_nanoseconds_of_another_name, as_differences]
)
class TestDataSets:
    """A data set whose coordinate time has another unit."""

    def test_windows_features_and_embedding_are_the_same(self, plain, changed):
        other = changed(plain)
        time = ln.window_time(plain, "echo")
        # timedelta64 counts whole nanoseconds.
        assert np.allclose(ln.window_time(other, "echo"), time, rtol=0, atol=0.5e-3)
        assert (ln.features(other) == ln.features(plain)).all()
        model = ln.load_pretrained("echo")
        assert ln.embed(model, other)["LA1"].tolist() == ln.embed(model, plain)["LA1"].tolist()

    def test_a_receiver_turns_it_as_far(self, plain, changed):
        found = ln.shift_frequency(changed(plain), offset=0.02)
        expected = ln.shift_frequency(plain, offset=0.02)
        # 2π · 0.02 MHz · 0.5 ns, of |M| at most 1/2, and float32.
        assert np.allclose(found["mx"].to_numpy(), expected["mx"].to_numpy(), rtol=0, atol=4e-5)
        blanked = ln.blank_dead_time(changed(plain), pd.Timedelta("1us"))
        expected = ln.blank_dead_time(plain, 1.0)
        assert (blanked["my"].to_numpy() == expected["my"].to_numpy()).all()

    @pytest.mark.parametrize("suffix", [".zarr", ".nc", ".csv", ".npz"])
    def test_files_hold_microseconds(self, plain, changed, suffix, tmp_path):
        ln.save_echoes(changed(plain), tmp_path / f"echoes{suffix}")
        back = ln.open_echoes(tmp_path / f"echoes{suffix}")
        assert back["time"].attrs["units"] == "µs"
        assert "ns" not in back["time"].attrs.values()
        assert np.allclose(back["time"], plain["time"], rtol=0, atol=0.5e-3)


class TestDataSetsThatCannotBeMeant:
    """Coordinates of time that no record has."""

    @pytest.mark.parametrize("time", DATES.values(), ids=DATES)
    def test_dates(self, plain, time):
        dataset = plain.isel(time=slice(N)).assign_coords(time=time)
        with pytest.raises(ln.InputError, match=r"time of the data set must be times since"):
            sample_times(dataset)

    def test_falling_times_and_seconds(self, plain, tmp_path):
        backwards = plain.assign_coords(time=plain["time"].to_numpy()[::-1])
        with pytest.raises(ln.InputError, match="rise from sample to sample"):
            ln.features(backwards)
        with pytest.raises(ln.InputError, match="as if it were in seconds"):
            ln.save_echoes(plain.assign_coords(time=plain["time"] / 1e6), tmp_path / "echoes.nc")


class TestSequences:
    """Sample intervals of sequences and polynomials."""

    def test_an_interval_may_have_a_unit(self):
        expected = ln.spin_echo(0.16, 100, 401)
        assert ln.spin_echo(pd.Timedelta("160ns"), 100, 401) == expected
        assert ln.spin_echo(np.timedelta64(160, "ns"), 100, 401) == expected
        assert type(ln.cpmg(Quantity(0.16, "microsecond"), 100, 2).dt) is float
        with pytest.raises(ln.InputError, match="dt must be"):
            ln.spin_echo("0.16 us", 100, 401)
        with pytest.raises(ln.InputError, match="dt must be times since"):
            ln.spin_echo(np.datetime64("2026-01-01"), 100, 401)

    def test_polynomials_are_those_of_the_same_interval(self):
        X = np.abs(M[:, :200])
        found = ln.SectionPolynomials((4,), sample_interval=pd.Timedelta("160ns")).fit_transform(X)
        assert (found == ln.SectionPolynomials((4,), sample_interval=0.16).fit_transform(X)).all()
