"""The preparation of a measurement, from the record to the model's window."""

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.data.measured.steps import Step, steps_of, with_steps
from latent_nmr.errors import InputError
from tests.data.measured.records import (
    FINE,
    FINE_ECHO,
    MODEL_DT,
    data_set,
    echo_of,
    fine_time,
    noise_of,
    simulated,
)

TAU = 628 * MODEL_DT  # µs
DWELL = 0.2
TIME = DWELL * np.arange(1000)
OFF = {
    "carrier": None,
    "remove_spurs": False,
    "train": None,
    "bandwidth": None,
    "phase": None,
    "baseline": False,
    "grid": None,
}
AFTER = ["spurs", "echo", "baseline", "carrier", "bandwidth", "phase", "noise", "grid"]


def record(seed=0, height=20.0, at=110.0, carrier=0.7, **attributes):
    signal = height * echo_of(TIME, at, 6, 6, carrier, 0.4) + noise_of(1000, seed)
    return data_set(signal, TIME, **attributes)


def names(dataset):
    return [step.name for step in steps_of(dataset)]


class TestSteps:
    def test_each_is_reported_in_its_order_after_those_of_the_file(self):
        given = with_steps(record(), Step("read", "Read.", {}))
        assert names(ln.prepare_measurement(given, pulse_separation=TAU)) == ["read", *AFTER]

    def test_all_off_leaves_the_record_as_it_is(self):
        given = record()
        prepared = ln.prepare_measurement(given, pulse_separation=TAU, **OFF)
        np.testing.assert_array_equal(prepared.signal, given.signal)
        np.testing.assert_array_equal(prepared.time, TIME)
        assert names(prepared) == ["echo", "noise"]

    @pytest.mark.parametrize(
        ("setting", "step"),
        [
            ({"carrier": None}, "carrier"),
            ({"remove_spurs": False}, "spurs"),
            ({"phase": None}, "phase"),
            ({"baseline": False}, "baseline"),
            ({"grid": None}, "grid"),
            ({"bandwidth": 100.0, "grid": None}, "bandwidth"),
        ],
    )
    def test_each_can_be_switched_off(self, setting, step):
        prepared = ln.prepare_measurement(record(carrier=0.01), pulse_separation=TAU, **setting)
        assert step not in names(prepared)

    def test_the_given_data_set_is_unchanged(self):
        given = record()
        copy = given.copy(deep=True)
        ln.prepare_measurement(given, pulse_separation=TAU)
        xr.testing.assert_identical(given, copy)


class TestSimulatedEcho:
    """An echo of the preset paper, at a carrier, in noise, at another dwell time."""

    STRIDE = 20  # 0.4 µs
    TAKEN = slice(FINE_ECHO - 500 * FINE, None, STRIDE)

    def prepared(self, snr=200.0, scale=1.0, **settings):
        curve, time = simulated()[3][self.TAKEN], fine_time()[self.TAKEN]
        time = (time - time[0]) / scale
        height = np.abs(curve).max()
        signal = 7.0 * curve * np.exp(2j * np.pi * 0.3 * scale * time + 1j)
        signal += noise_of(len(signal), 0, 7.0 * height / snr)
        at = 500 * MODEL_DT / scale
        settings = {"pulse_separation": TAU / scale, "bandwidth": None, "echo_time": at} | settings
        return ln.prepare_measurement(data_set(signal, time), **settings)

    def truth(self):
        return 7.0 * simulated()[3][FINE_ECHO + FINE * np.arange(-200, 200)]

    def test_it_comes_back_on_the_grid_of_the_model_with_its_phase(self):
        prepared, truth = self.prepared(), self.truth()
        window = MODEL_DT * (1256 + np.arange(-200, 200))  # of `paper`, around its echo
        np.testing.assert_allclose(prepared.time, window, rtol=1e-6)
        assert prepared.measured.all()
        noise = prepared.attrs["noise"]
        rest = prepared.signal[0].values - truth
        # The offset that is subtracted, and the phase and carrier, are fitted in the same noise.
        assert np.abs(rest).std() < 2.5 * noise + 0.01 * np.abs(truth).max()
        assert prepared.attrs["snr"] == pytest.approx(200, rel=0.3)

    @pytest.mark.parametrize("scale", [0.25, 5.0])
    def test_an_echo_of_another_tau_is_mapped_by_the_law_of_scaling(self, scale):
        one, other = self.prepared(), self.prepared(scale=scale)
        assert other.attrs["time_factor"] == pytest.approx(scale)
        np.testing.assert_allclose(np.abs(other.signal), np.abs(one.signal), atol=1e-3)
        detail = steps_of(other)[-1].detail
        assert f"multiply W, and other frequencies that the model states, by {scale:g}" in detail

    def test_the_time_of_a_weakly_coupled_echo_is_found(self):
        prepared = self.prepared(snr=30, echo_time="find")
        assert abs(prepared.attrs["echo_time"] - 500 * MODEL_DT) < 2 * MODEL_DT


class TestHiddenEcho:
    """Intermediate frequency of 5 MHz, six spurs: nothing to see in |M|."""

    def hidden(self, seed=0, height=1.0):
        time = 0.0325 * np.arange(4608)
        signal = height * echo_of(time, 58, 12, 12, 5.004, 1.0) + noise_of(4608, seed, 1.0)
        for place, frequency in enumerate([-7.68, -2.1, -0.0733, 1.593, 4.2, 7.68]):
            signal += (1.5 + 0.1 * place) * np.exp(2j * np.pi * frequency * time + 1j * place)
        return data_set(signal, time, intermediate_frequency=5.0)

    def test_it_is_invisible_before_and_found_after(self):
        given = self.hidden()
        size = np.abs(given.signal[0].values)
        assert abs(float(given.time[size.argmax()]) - 58) > 5
        prepared = ln.prepare_measurement(given, pulse_separation=100)
        assert prepared.attrs["echo_kind"] == "echo"
        assert abs(prepared.attrs["echo_time"] - 58) < 3
        assert abs(prepared.attrs["echo_carrier"] - 5.004) < 0.003
        assert prepared.attrs["echo_sigma"] > 5
        spurs = next(step for step in steps_of(prepared) if step.name == "spurs")
        assert len(spurs.values["spurs"]) >= 6

    def test_without_an_echo_none_is_found(self):
        prepared = ln.prepare_measurement(self.hidden(height=0), pulse_separation=100)
        assert prepared.attrs["echo_kind"] == "none"
        assert prepared.attrs["echo_p_value"] > 1e-3

    def test_where_it_was_due_is_said_and_used_if_nothing_is_found(self):
        given = self.hidden(height=0).assign_attrs(echo_time=58.0)
        prepared = ln.prepare_measurement(given, pulse_separation=100)
        assert prepared.attrs["echo_time"] == 58
        assert (
            "It was due at 58 µs." in next(s for s in steps_of(prepared) if s.name == "echo").detail
        )


class TestMissingParts:
    def test_times_before_the_record_are_not_made_up(self):
        given = record(at=12.0)
        prepared = ln.prepare_measurement(given, pulse_separation=TAU, echo_time=12.0)
        missing = ~prepared.measured.values
        np.testing.assert_array_equal(missing, prepared.record_time.values < 0)
        assert np.isnan(prepared.signal.values[:, missing]).all()
        assert np.isfinite(prepared.signal.values[:, ~missing]).all()
        assert "samples 125 to 399 were measured" in steps_of(prepared)[-1].detail

    def test_a_blanked_tail_is_not_measured_and_has_no_part_in_the_noise(self):
        given = record()
        given.signal[:, 650:] = 0
        prepared = ln.prepare_measurement(given, pulse_separation=TAU, bandwidth=None)
        assert not prepared.measured.values[prepared.record_time.values > TIME[650]].any()
        step = next(step for step in steps_of(prepared) if step.name == "noise")
        # 2.5 of the record's ± 2.5 MHz, which is what a model's grid has room for, or all of it.
        assert abs(step.values["noise"] - 1) < 4 * step.values["relative_error"]

    def test_nothing_is_used_beyond_the_crop(self):
        prepared = ln.prepare_measurement(record(), pulse_separation=TAU, crop=10.0)
        near = np.abs(prepared.record_time - prepared.attrs["echo_time"]) <= 10
        measured = prepared.measured.values
        assert not measured[~near.values].any()
        assert measured.sum() >= near.values.sum() - 2


class TestRecords:
    def test_a_train_is_split_and_each_echo_keeps_its_own_quality(self):
        elapsed = (TIME + 10) % 20 - 10
        train = 30 * echo_of(elapsed, 0, 2, 2) * np.exp(-TIME / 150) + noise_of(1000, 0)
        given = data_set(train, TIME)
        whole = ln.prepare_measurement(given, pulse_separation=10)
        assert (whole.sizes["record"], names(whole)[0]) == (1, "may_be_train")
        prepared = ln.prepare_measurement(given, pulse_separation=10, train="find")
        assert prepared.sizes["record"] == 10
        assert names(prepared)[0] == "split"
        assert (np.diff(prepared.snr.values[1:8:3]) < 0).all()

    def test_the_clearest_record_says_where_the_echo_is(self):
        given = xr.concat([record(seed, height) for seed, height in ((0, 0), (1, 20))], "record")
        prepared = ln.prepare_measurement(given, pulse_separation=TAU)
        assert abs(prepared.attrs["echo_time"] - 110) < 1
        assert prepared.p_value.values[0] > 1e-4 > prepared.p_value.values[1]
        assert prepared.attrs["snr"] == prepared.snr.values[1]


class TestRefusals:
    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({}, "pulse_separation must be given where the file does not say τ"),
            (
                {"pulse_separation": TAU, "fwhm": 0.01},
                "fwhm times .* 10 % .* but is 0.999",
            ),
            ({"pulse_separation": TAU, "echo_time": 300}, "echo_time must be on the record, 0 to"),
            ({"pulse_separation": TAU, "carrier": "fnd"}, "carrier must be a number or 'find'"),
            ({"pulse_separation": TAU, "grid": "ecko"}, "Did you mean 'echo'"),
            ({"pulse_separation": TAU, "bandwidth": -1}, "bandwidth must be > 0 MHz, but is -1"),
            ({"pulse_separation": TAU, "train": 2000}, "train must be at most the 1000 samples"),
        ],
    )
    def test_a_setting_that_cannot_be_used_is_named(self, settings, message):
        with pytest.raises(InputError, match=message):
            ln.prepare_measurement(record(), **settings)

    def test_a_simulated_data_set_is_no_measurement(self):
        with pytest.raises(InputError, match="dataset must have the variable signal"):
            ln.prepare_measurement(ln.simulate("paper", 1, n_edge=8, step=8))

    def test_uneven_times_are_refused(self):
        given = record().assign_coords(time=TIME**1.1)
        with pytest.raises(InputError, match="time must rise in equal steps"):
            ln.prepare_measurement(given, pulse_separation=TAU)

    def test_tau_of_the_file_is_used(self):
        prepared = ln.prepare_measurement(record(pulse_separation=TAU, fwhm=1.0))
        assert prepared.attrs["time_factor"] == pytest.approx(1)


def test_a_record_of_the_length_alone_keeps_it():
    given = record(carrier=0.0).assign_attrs(signal_kind="magnitude")
    given["signal"] = np.abs(given.signal).astype(complex)
    prepared = ln.prepare_measurement(given, pulse_separation=TAU)
    assert not {"carrier", "phase"} & set(names(prepared))
