"""Time or spectrum: the flag of a file, held against its data."""

import numpy as np
import pytest

from latent_nmr.data.measured.domain import (
    EARLY_SHARE,
    ONSET,
    evidence,
    inverse_transform,
    to_time,
)
from tests.data.measured.writers import echoes

N = 256


def half_echo(n_points=N):
    """A record that begins at the top, as that of a solid echo or an FID."""
    return echoes(2, n_points, echo_time=0.0, width=20.0).astype(np.complex128)


def spectrum_of(records, n_filled, sign=1):
    """Their transform in single precision, filled with zeros, zero frequency in the middle."""
    filled = np.pad(records, ((0, 0), (0, n_filled - records.shape[1])))
    transform = np.fft.fft(filled) if sign > 0 else np.fft.ifft(filled) * n_filled
    return np.fft.fftshift(transform, axes=1).astype(np.complex64)


class TestSpectra:
    """A spectrum goes back to the record that it was made of."""

    @pytest.mark.parametrize("sign", [1, -1])
    @pytest.mark.parametrize("times", [2, 4, 8])
    @pytest.mark.parametrize("said", ["spectrum", "time"])
    def test_a_spectrum_that_was_filled_with_zeros_is_found_whatever_the_flag(
        self, sign, times, said
    ):
        records = half_echo()
        data = spectrum_of(records, times * N, sign)
        signal, steps = to_time(data, said, True, None)
        # Single precision rounds each of the N points, by 2^-24 of the largest.
        rounding = 2**-24 * np.abs(data).max()
        np.testing.assert_allclose(signal, records, atol=rounding)
        assert steps[0].values["found"] == "spectrum"
        assert steps[0].values["points"] == N

    def test_the_header_says_how_much_of_the_transform_was_acquired(self):
        records = half_echo()
        signal, _ = to_time(spectrum_of(records, 2 * N), "spectrum", True, 200)
        assert signal.shape == (2, 200)

    def test_a_line_at_the_edge_of_a_spectrum_does_not_hide_what_it_is(self):
        # Its first points are its highest, as those of a record in time are.
        at_edge = half_echo() * np.exp(-1j * (np.pi + 0.1) * np.arange(N))
        found = evidence(spectrum_of(at_edge, 2 * N))
        assert found.early_share > EARLY_SHARE
        assert found.onset > ONSET
        _, steps = to_time(spectrum_of(at_edge, 2 * N), "spectrum", True, None)
        assert steps[0].values["found"] == "spectrum"

    @pytest.mark.parametrize("echo_time", [25.0, 64.0, 100.0])
    def test_the_spectrum_of_a_whole_echo_goes_back_in_the_usual_sense(self, echo_time):
        records = echoes(1, N, echo_time=echo_time).astype(complex)
        signal, _ = to_time(spectrum_of(records, N), "spectrum", True, None)
        np.testing.assert_allclose(signal, records, atol=2**-24 * np.abs(records).sum())

    @pytest.mark.parametrize("sign", [1, -1])
    def test_a_spectrum_without_filling_is_believed_its_flag(self, sign):
        records = half_echo()
        signal, steps = to_time(spectrum_of(records, N, sign), "spectrum", True, None)
        assert steps[0].values["found"] == "spectrum"
        np.testing.assert_allclose(signal, records, atol=2**-24 * np.abs(records).sum())


class TestRecords:
    """A record in time stays as it is."""

    def test_a_flag_that_says_spectrum_of_a_record_that_starts_with_its_signal_is_overruled(self):
        records = half_echo()
        signal, steps = to_time(records, "spectrum", True, None)
        np.testing.assert_array_equal(signal, records)
        assert steps[0].values["found"] == "time"
        assert "against" not in steps[0].detail

    def test_a_train_of_many_acquisitions_is_no_spectrum(self):
        train = np.tile(echoes(1, 64), (1, 32)).astype(np.complex128)
        signal, steps = to_time(train, "spectrum", True, 64)
        np.testing.assert_array_equal(signal, train)
        assert steps[0].name == "domain"

    @pytest.mark.parametrize("snr", [3.0, 50.0, 1e7])
    @pytest.mark.parametrize("echo_time", [0.0, 40.0, 64.0, 100.0])
    def test_an_echo_anywhere_on_a_record_is_no_spectrum_when_the_flag_says_time(
        self, snr, echo_time
    ):
        records = echoes(1, N, echo_time=echo_time, snr=snr)
        signal, steps = to_time(records, "time", True, None)
        np.testing.assert_array_equal(signal, records)
        assert steps == ()

    @pytest.mark.parametrize("width", [3.0, 10.0, 30.0])
    @pytest.mark.parametrize("frequency", np.linspace(-np.pi, np.pi, 16))
    def test_the_wing_of_a_line_without_noise_is_no_end_of_an_acquisition(self, width, frequency):
        samples = np.arange(N) - N / 2
        echo = np.exp(-((samples / width) ** 2) + 1j * frequency * samples)[None]
        _, steps = to_time(echo, "time", True, None)
        assert steps == ()

    @pytest.mark.parametrize("line", [27.0, 57.5, 58.0, 120.0, -58.0])
    @pytest.mark.parametrize("snr", [50, 1000, np.inf])
    def test_a_line_where_an_acquisition_could_end_is_none(self, line, snr):
        samples = np.arange(N) - N / 2
        echo = np.exp(-((samples / 30) ** 2) - 2j * np.pi * line / N * samples)
        noise = np.random.default_rng(0).standard_normal((2, 1, N)) / snr
        _, steps = to_time(echo + noise[0] + 1j * noise[1], "time", True, None)
        assert steps == ()

    @pytest.mark.parametrize("width", [20.0, 400.0])
    def test_an_analytic_record_that_begins_with_its_signal_is_no_spectrum(self, width):
        # Its transform ends as sharply as that of a filled spectrum.
        transform = np.fft.fft(echoes(1, N, echo_time=0.0, width=width).astype(complex))
        transform[:, N // 2 :] = 0
        analytic = np.fft.ifft(transform)
        assert evidence(analytic).filled_from is not None
        _, steps = to_time(analytic, "time", True, None)
        assert steps == ()

    def test_what_is_beyond_doubt_is_not_looked_at(self):
        data = spectrum_of(half_echo(), 2 * N)
        signal, steps = to_time(data, "time", False, None)
        assert signal is data
        assert steps == ()


@pytest.mark.parametrize("sign", [1, -1])
def test_the_inverse_transform_undoes_the_transform(sign):
    records = half_echo()
    filled = spectrum_of(records, N, sign)
    found = inverse_transform(filled, sign)
    np.testing.assert_allclose(found, records, atol=2**-24 * np.abs(records).sum())
