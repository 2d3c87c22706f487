"""Offsets are subtracted where they are steady, and signal is left alone."""

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln

TIME = 0.2 * np.arange(1000)


def record(extra, *, seed=0, noise=0.02):
    echo = np.exp(-np.abs(TIME - 100) / 5)
    drawn = np.random.default_rng(seed).normal(scale=noise, size=(2, len(TIME)))
    signal = echo + extra + drawn[0] + 1j * drawn[1]
    return xr.Dataset({"signal": (("record", "time"), signal[None])}, {"time": TIME})


def step_of(prepared):
    return next(step for step in prepared.attrs["steps"] if step["name"] == "baseline")


def prepared(extra, **given):
    own = {"grid": None, "remove_spurs": False, "carrier": None, "phase": None, "bandwidth": None}
    return ln.prepare_measurement(record(extra), pulse_separation=100, **{**own, **given})


def test_a_constant_is_taken_off():
    found = prepared(0.2 + 0.1j)
    rest = found.signal.to_numpy()[0, TIME > 150]
    # 500 samples of noise in 800: ± 4 standard errors of both means.
    assert abs(rest.mean()) < 4 * 0.02 * np.sqrt(2 / 250 + 2 / 800)
    assert step_of(found)["values"]["largest"] == pytest.approx(np.hypot(0.2, 0.1), rel=0.05)


def test_signal_away_from_the_echo_is_none():
    lobe = -0.3 * np.exp(-(((TIME - 60) / 12) ** 2)) - 0.3 * np.exp(-(((TIME - 185) / 8) ** 2))
    found = prepared(lobe)
    assert "not steady" in step_of(found)["detail"]
    np.testing.assert_allclose(found.signal.to_numpy(), record(lobe).signal.to_numpy())


def test_what_comes_after_a_lobe_is_looked_at_alone():
    lobe = -0.3 * np.exp(-(((TIME - 60) / 12) ** 2))
    found = prepared(lobe + 0.1j)
    moved = record(lobe + 0.1j).signal.to_numpy() - found.signal.to_numpy()
    # 440 samples of noise of 0.02.
    np.testing.assert_allclose(moved, 0.1j, atol=5 * 0.02 / np.sqrt(440))


def test_an_offset_beside_a_carrier_is_steady_before_the_record_is_mixed_down():
    turning = record(0).signal * np.exp(2j * np.pi * 0.3 * TIME)
    both = record(0).assign(signal=turning + 0.1j)
    found = ln.prepare_measurement(both, pulse_separation=100, grid=None, remove_spurs=False)
    assert step_of(found)["values"]["largest"] == pytest.approx(0.1, rel=0.1)


def test_of_several_records_each_is_looked_at():
    both = xr.concat([record(0.2), record(0.1 * np.cos(TIME / 8))], "record")
    found = ln.prepare_measurement(
        both, pulse_separation=100, grid=None, remove_spurs=False, carrier=None, phase=None,
        bandwidth=None,
    )  # fmt: skip
    moved = both.signal.to_numpy() - found.signal.to_numpy()
    assert abs(moved[0].mean()) == pytest.approx(0.2, rel=0.1)
    assert not moved[1].any()
    assert step_of(found)["values"]["unsteady"] == 1


def test_too_little_away_from_the_echo_says_nothing():
    short = record(0.2).isel(time=slice(480, 540))
    own = {"grid": None, "remove_spurs": False, "carrier": None, "phase": None, "bandwidth": None}
    step = step_of(ln.prepare_measurement(short, pulse_separation=100, **own))
    assert "too little of the record" in step["detail"]
    # The quarter that is farthest from the echo, 15 samples, has an echo of 0.27 at most.
    assert 0.1 < np.sqrt(2) * step["values"]["error"] < 0.2 + 0.4


def test_an_offset_that_is_left_is_no_larger_than_is_said():
    lobe = -0.3 * np.exp(-(((TIME - 60) / 12) ** 2)) - 0.3 * np.exp(-(((TIME - 185) / 8) ** 2))
    for offset in (0.05, 0.2j):
        own = prepared(lobe + offset)
        said = float(own.offset_error[0])
        # Of two channels; the lobes, of -0.3 at most, hide as much of it as they add.
        assert 0.5 * abs(offset) < np.sqrt(2) * said < abs(offset) + 0.3


def test_an_offset_that_was_taken_off_is_known_as_well_as_noise_permits():
    own = prepared(0.2)
    # 0.02 in each channel, known to a tenth; 415 samples or more are quiet, and 830 at most.
    assert 0.9 * 0.02 / np.sqrt(830) < float(own.offset_error[0]) < 1.1 * 0.02 / np.sqrt(415)


def test_an_offset_turns_as_the_record_was_mixed_down_and_a_band_limits_it():
    lobe = -0.3 * np.exp(-(((TIME - 60) / 12) ** 2)) - 0.3 * np.exp(-(((TIME - 185) / 8) ** 2))
    known = {"carrier": 0.3, "grid": None, "remove_spurs": False, "phase": None}
    wide, narrow = (
        ln.prepare_measurement(record(lobe + 0.1), pulse_separation=100, bandwidth=band, **known)
        for band in (None, 0.2)
    )
    assert wide.attrs["offset_frequency"] == -0.3
    assert float(wide.offset_error[0]) > 0.02
    assert float(narrow.offset_error[0]) == 0
