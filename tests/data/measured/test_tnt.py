"""TNT files: trains, interrupted runs, spectra, and headers that contradict themselves."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of
from tests.data.measured.writers import echoes, write_tnt


def opened(tmp_path, signal, **entries):
    options = entries.pop("options", {})
    return ln.open_measurement(write_tnt(tmp_path / "echo.tnt", signal, **entries), **options)


def names(dataset):
    return [step.name for step in steps_of(dataset)]


def test_a_flat_train_has_one_echo_per_record(tmp_path):
    signal = echoes(32, 64)
    found = opened(tmp_path, signal.reshape(1, -1), acquired=64)
    np.testing.assert_array_equal(found.signal, signal)
    assert "train" in names(found)


def test_a_train_whose_flag_says_spectrum_is_one_of_echoes(tmp_path):
    signal = echoes(32, 64)
    found = opened(tmp_path, signal.reshape(1, -1), acquired=64, fft_flag=1)
    np.testing.assert_array_equal(found.signal, signal)
    assert names(found) == ["read", "domain", "train"]


def test_a_spectrum_comes_back_as_the_record_it_was_made_of(tmp_path):
    record = echoes(1, 256, echo_time=0.0)
    spectrum = np.fft.fftshift(np.fft.fft(record, 512), axes=1)
    found = opened(tmp_path, spectrum, acquired=256, fft_flag=1)
    np.testing.assert_allclose(found.signal, record, atol=2**-24 * np.abs(spectrum).max())
    np.testing.assert_allclose(np.diff(found.time), 0.5)


def test_what_the_data_are_may_be_stated(tmp_path):
    # A whole echo whose flag is wrong: nothing in the data contradicts it.
    signal = echoes()
    assert "domain" in names(opened(tmp_path, signal, fft_flag=1))
    found = opened(tmp_path, signal, fft_flag=1, options={"domain": "time"})
    np.testing.assert_array_equal(found.signal, signal)
    assert names(found) == ["read"]


def test_an_interrupted_run_is_said(tmp_path):
    found = opened(tmp_path, echoes(), scans=(388, 4096))
    assert (found.scans_done, found.scans_asked) == (388, 4096)
    step = next(step for step in steps_of(found) if step.name == "interrupted")
    assert step.values == {"scans_done": 388, "scans_asked": 4096}


def test_a_template_of_zeros_is_refused(tmp_path):
    with pytest.raises(ln.EchoFileError, match="template"):
        opened(tmp_path, np.zeros((1, 64), complex))


def test_a_second_dimension_that_was_transformed_is_refused(tmp_path):
    with pytest.raises(ln.EchoFileError, match="second dimension"):
        opened(tmp_path, echoes(2), fft_flag=(0, 1, 0, 0))


class TestHeader:
    """Two of three entries agree on the time between samples, or it must be stated."""

    @pytest.mark.parametrize("entry", [{"sw": 1.25e6}, {"acq_time": 1.0}, {"sw": np.nan}])
    def test_one_that_is_off_is_outvoted(self, tmp_path, entry):
        found = opened(tmp_path, echoes(), **entry)
        np.testing.assert_allclose(np.diff(found.time), 0.5)

    def test_a_dwell_that_both_others_contradict_is_refused(self, tmp_path):
        with pytest.raises(ln.EchoFileError, match=r"dwell, sw and acq_time.*1, 0.5 and 0.5 µs"):
            opened(tmp_path, echoes(), dwell=1.0, sw=1e6, acq_time=128e-6)

    def test_a_stated_dwell_settles_it(self, tmp_path):
        entries = {"sw": 5.0, "acq_time": 1.0}
        found = opened(tmp_path, echoes(), **entries, options={"dwell": 0.25})
        np.testing.assert_allclose(np.diff(found.time), 0.25)

    def test_a_count_that_the_duration_contradicts_is_refused(self, tmp_path):
        with pytest.raises(ln.EchoFileError, match=r"acq_points and acq_time.*64 and 32 points"):
            opened(tmp_path, echoes(), acquired=64, acq_time=32 * 0.5e-6)

    def test_a_count_beyond_what_is_stored_is_said(self, tmp_path):
        found = opened(tmp_path, echoes(), acquired=512)
        assert found.sizes["time"] == 256
        assert "shorter" in names(found)

    def test_the_observed_channel_has_the_carrier(self, tmp_path):
        found = opened(tmp_path, echoes(), ob_freq=(10.0, 83.5, 0, 0), obs_channel=2)
        assert found.carrier_frequency == 83.5

    @pytest.mark.parametrize(
        ("label", "nucleus"), [(b"H1", "1H"), (b"15N", "15N"), (b"Undefined", None)]
    )
    def test_the_nucleus_ends_where_its_text_does(self, tmp_path, label, nucleus):
        assert opened(tmp_path, echoes(), nucleus=label).attrs.get("nucleus") == nucleus
