"""Bruker experiments: digital filters, TD that says too little or too much, damaged parameters."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of
from tests.data.measured.writers import DWELL, echoes, write_bruker


def opened(tmp_path, signal, **own):
    return ln.open_measurement(write_bruker(tmp_path / "1", signal, **own))


def names(dataset):
    return [step.name for step in steps_of(dataset)]


class TestFilter:
    """The delay of the digital filter is taken off: time 0 is where the receiver opened."""

    def test_the_echo_stands_where_it_was(self, tmp_path):
        found = opened(tmp_path, echoes(echo_time=40.0, snr=1000))
        top = float(found.time[np.abs(found.signal[0].values).argmax()])
        assert abs(top - 40.0) <= 2 * DWELL  # noise moves it on the flat top

    def test_a_fraction_of_a_sample_is_left_in_the_time_of_the_first(self, tmp_path):
        found = opened(tmp_path, echoes(), delay=67.75)
        assert found.sizes["time"] == 256
        assert float(found.time[0]) == pytest.approx(0.25 * DWELL)

    def test_older_firmware_states_it_by_a_table(self, tmp_path):
        own = {"GRPDLY": -1, "DSPFVS": 12, "DECIM": 16}
        found = opened(tmp_path, echoes(), delay=71.625, **own)
        assert found.sizes["time"] == 256
        assert float(found.time[0]) == pytest.approx(0.375 * DWELL)

    def test_analog_filters_have_none(self, tmp_path):
        own = {"DIGMOD": 0, "GRPDLY": -1, "DSPFVS": 12, "DECIM": 16}
        assert names(opened(tmp_path, echoes(), delay=0, **own)) == ["read"]

    def test_a_delay_that_newer_firmware_lacks_is_refused(self, tmp_path):
        folder = write_bruker(tmp_path / "1", echoes())
        path = folder / "acqus"
        path.write_text(path.read_text().replace("$GRPDLY", "$GRPDLX"))
        with pytest.raises(ln.EchoFileError, match="GRPDLY must be in acqus"):
            ln.open_measurement(folder)

    def test_a_delay_beyond_the_record_is_refused(self, tmp_path):
        with pytest.raises(ln.EchoFileError, match="well within a record"):
            opened(tmp_path, echoes(), GRPDLY=300.0)


class TestCounts:
    """TD and what is stored."""

    def test_zeros_behind_td_are_left_out(self, tmp_path):
        signal = np.pad(echoes(), ((0, 0), (0, 500)))
        found = opened(tmp_path, signal, TD=2 * (68 + 256))
        np.testing.assert_array_equal(found.signal, signal[:, :256])
        assert names(found) == ["read", "longer", "digital_filter"]

    def test_samples_behind_td_are_read_and_said(self, tmp_path):
        signal = echoes()
        found = opened(tmp_path, signal, TD=500)
        np.testing.assert_array_equal(found.signal, signal)
        assert names(found) == ["read", "longer", "digital_filter"]

    @pytest.mark.parametrize("lost", [1, 8, 16, 3000])
    def test_a_cut_file_is_refused(self, tmp_path, lost):
        folder = write_bruker(tmp_path / "1", echoes())
        path = folder / "fid"
        path.write_bytes(path.read_bytes()[:-lost])
        with pytest.raises(ln.EchoFileError, match=r"cut short|numbers of 8 bytes"):
            ln.open_measurement(folder)

    def test_rows_fill_blocks(self, tmp_path):
        signal = echoes(3, 100)
        found = opened(tmp_path, signal)
        np.testing.assert_array_equal(found.signal, signal)

    def test_a_cut_row_is_refused(self, tmp_path):
        folder = write_bruker(tmp_path / "1", echoes(3, 100))
        path = folder / "ser"
        path.write_bytes(path.read_bytes()[:-512])
        with pytest.raises(ln.EchoFileError, match="ser must hold rows of"):
            ln.open_measurement(folder)


class TestNumbers:
    """Whole and floating numbers, in both orders of bytes."""

    @pytest.mark.parametrize("order", [0, 1])
    @pytest.mark.parametrize("integers", [True, False])
    def test_they_come_back(self, tmp_path, integers, order):
        signal = np.round(echoes(1, 256))
        found = opened(tmp_path, signal, integers=integers, BYTORDA=order)
        np.testing.assert_array_equal(found.signal, signal)

    @pytest.mark.parametrize("integers", [True, False])
    def test_the_wrong_order_is_refused(self, tmp_path, integers):
        folder = write_bruker(tmp_path / "1", echoes(), integers=integers)
        path = folder / "acqus"
        path.write_text(path.read_text().replace("BYTORDA= 0", "BYTORDA= 1"))
        with pytest.raises(ln.EchoFileError):
            ln.open_measurement(folder)

    @pytest.mark.parametrize("integers", [True, False])
    def test_the_wrong_kind_is_refused(self, tmp_path, integers):
        folder = write_bruker(tmp_path / "1", echoes(), integers=integers)
        path = folder / "acqus"
        old, new = ("0", "2") if integers else ("2", "0")
        path.write_text(path.read_text().replace(f"DTYPA= {old}", f"DTYPA= {new}"))
        with pytest.raises(ln.EchoFileError):
            ln.open_measurement(folder)

    def test_one_channel_alone_is_sampled_twice_as_often(self, tmp_path):
        found = opened(tmp_path, echoes(), AQ_mod=0)
        assert found.signal_kind == "real"
        np.testing.assert_allclose(np.diff(found.time), DWELL / 2)


class TestParameters:
    """What stands in acqus, and what must."""

    def test_scans_nucleus_and_carrier_are_read(self, tmp_path):
        found = opened(tmp_path, echoes())
        assert (found.nucleus, found.carrier_frequency, found.scans_done) == ("207Pb", 83.56, 16)

    def test_fewer_scans_than_were_asked_for_are_said(self, tmp_path):
        folder = write_bruker(tmp_path / "1", echoes())
        text = (folder / "acqus").read_text()
        (folder / "acqu").write_text(text.replace("NS= 16", "NS= 64"))
        found = ln.open_measurement(folder)
        assert (found.scans_done, found.scans_asked) == (16, 64)
        assert "interrupted" in names(found)

    @pytest.mark.parametrize("name", ["TD", "SW_h"])
    def test_those_that_must_be_there_are_named(self, tmp_path, name):
        folder = write_bruker(tmp_path / "1", echoes())
        path = folder / "acqus"
        path.write_text(path.read_text().replace(f"${name}=", f"${name}X="))
        with pytest.raises(ln.EchoFileError, match=f"{name} in acqus must be a number"):
            ln.open_measurement(folder)

    def test_a_width_in_hz_that_that_in_ppm_contradicts_is_refused(self, tmp_path):
        with pytest.raises(ln.EchoFileError, match=r"SW_h must be SW times SFO1.*dwell=…"):
            opened(tmp_path, echoes(), SW_h=1e6)

    @pytest.mark.parametrize("ends", ["D= (0..63)", "##$TD= 6", "##$NUC1= <20"])
    def test_cut_parameters_are_refused_and_not_waited_for(self, tmp_path, ends):
        folder = write_bruker(tmp_path / "1", echoes())
        path = folder / "acqus"
        text = path.read_text()
        path.write_text(text[: text.index(ends) + len(ends)])
        with pytest.raises(ln.EchoFileError, match="cut short"):
            ln.open_measurement(folder)

    @pytest.mark.parametrize("inside", ["D= (0..63)\n", "NUC1= <"])
    def test_a_value_without_an_end_is_not_waited_for(self, tmp_path, inside):
        folder = write_bruker(tmp_path / "1", echoes())
        path = folder / "acqus"
        text = path.read_text()
        path.write_text(text[: text.index(inside) + len(inside)] + "1\n##END=")
        with pytest.raises(ln.EchoFileError):
            ln.open_measurement(folder)

    def test_only_spectra_are_said(self, tmp_path):
        folder = write_bruker(tmp_path / "1", echoes())
        (folder / "fid").unlink()
        (folder / "pdata").mkdir()
        with pytest.raises(ln.EchoFileError, match="Only spectra are here"):
            ln.open_measurement(folder)
