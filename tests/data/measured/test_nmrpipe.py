"""NMRPipe files: both orders of bytes, spectra, delays of digital filters, wrong sizes."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of
from tests.data.measured.writers import DWELL, echoes, write_nmrpipe


def opened(tmp_path, signal, **entries):
    return ln.open_measurement(write_nmrpipe(tmp_path / "echo.pipe", signal, **entries))


def test_the_other_order_of_bytes_is_read(tmp_path):
    signal = echoes(2)
    path = write_nmrpipe(tmp_path / "echo.pipe", signal)
    path.write_bytes(np.fromfile(path, "<f4").astype(">f4").tobytes())
    np.testing.assert_array_equal(ln.open_measurement(path).signal, signal)


def test_a_spectrum_comes_back_as_the_record_it_was_made_of(tmp_path):
    record = echoes(1, 256, echo_time=0.0)
    spectrum = np.fft.fftshift(np.fft.fft(record, 512), axes=1)
    found = opened(tmp_path, spectrum, spectrum=True, FDF2TDSIZE=256.0)
    np.testing.assert_allclose(found.signal, record, atol=2**-24 * np.abs(spectrum).max())


def test_the_delay_of_a_digital_filter_is_taken_off(tmp_path):
    signal = echoes()
    found = opened(tmp_path, signal, FDDMXVAL=67.5, FDDMXFLAG=-1.0)
    np.testing.assert_array_equal(found.signal, signal[:, 68:])
    assert float(found.time[0]) == pytest.approx(0.5 * DWELL)
    assert [step.name for step in steps_of(found)] == ["read", "digital_filter"]


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ({"FDDIMCOUNT": 3.0}, "one or two dimensions"),
        ({"FDTRANSPOSED": 1.0}, "not transposed"),
        ({"FDSIZE": 64.0}, "numbers as the header says"),
        ({"FDSIZE": 0.5}, "whole numbers"),
        ({"FDF2SW": 1e5}, "fit the origin"),
        ({"FDF2SW": 0.0}, "does not say it"),
        ({"FDDMXVAL": 200.0}, "well within"),
        ({"FDDMXVAL": 4.0, "FDDMXFLAG": 1e-5}, "FDDMXFLAG must be"),
    ],
)
def test_headers_that_contradict_their_data_are_refused(tmp_path, entries, match):
    with pytest.raises(ln.EchoFileError, match=match):
        opened(tmp_path, echoes(), **entries)


def test_rows_that_were_transformed_are_refused(tmp_path):
    with pytest.raises(ln.EchoFileError, match="second dimension"):
        opened(tmp_path, echoes(2), FDF1FTFLAG=1.0)


@pytest.mark.parametrize("lost", [1, 4, 1500, 3000])
def test_a_cut_file_is_refused(tmp_path, lost):
    path = write_nmrpipe(tmp_path / "echo.pipe", echoes())
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(ln.EchoFileError):
        ln.open_measurement(path)
