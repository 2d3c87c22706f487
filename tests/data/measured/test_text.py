"""Tables of columns: separators, headers, units, and what cannot be known."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of
from tests.data.measured.writers import DWELL, echoes, write_table

SIGNAL = echoes(1, 64)[0].astype(complex)
TIME = DWELL * np.arange(64)


def table(tmp_path, columns, *, head="", separator=",", decimal="."):
    texts = [[f"{x:.9g}".replace(".", decimal) for x in column] for column in columns]
    rows = [separator.join(row) for row in zip(*texts, strict=True)]
    path = tmp_path / "echo.txt"
    path.write_text("\n".join([*([head] if head else []), *rows, ""]), encoding="utf-8")
    return path


def same(found, signal=SIGNAL):
    return np.allclose(found.signal[0], signal, atol=1e-8 * np.abs(signal).max())


class TestLayouts:
    """Tables as instruments and programs write them."""

    @pytest.mark.parametrize("separator", [",", ", ", "\t", ";", " ", "   "])
    def test_separators_are_found(self, tmp_path, separator):
        path = table(tmp_path, (TIME, SIGNAL.real, SIGNAL.imag), separator=separator)
        found = ln.open_measurement(path, columns=("time", "real", "imaginary"), time_unit="µs")
        assert same(found)
        np.testing.assert_allclose(found.time, TIME)

    @pytest.mark.parametrize("separator", ["\t", ";"])
    def test_decimal_commas_are_read_beside_other_separators(self, tmp_path, separator):
        columns = (TIME, SIGNAL.real, SIGNAL.imag)
        path = table(tmp_path, columns, separator=separator, decimal=",")
        found = ln.open_measurement(path, columns=("time", "real", "imaginary"), time_unit="µs")
        assert same(found)

    @pytest.mark.parametrize(
        ("head", "factor"),
        [
            ("time (µs),Re (V),Im (V)", 1),
            ("Time[ms],real,imag", 1e-3),
            ("t/s,Mx,My", 1e-6),
            ('"t (ns)","Real","Imaginary"', 1e3),
            ("# time_us, I, Q", 1),
            ("time (µs),Re M,Im M", 1),
            ("Time [us],Re(M),Im(M)", 1),
            ("t / µs,Re{M},Im{M}", 1),
            ("time in ms,M_real,M_imag", 1e-3),
            ("Acquisition time (us),Real part,Imaginary part", 1),
            ("µs,in-phase,quadrature", 1),
            ("TIME (US),RE (V),IM (V)", 1),
        ],
    )
    def test_a_header_names_columns_and_the_unit_of_time(self, tmp_path, head, factor):
        path = table(tmp_path, (factor * TIME, SIGNAL.real, SIGNAL.imag), head=head)
        found = ln.open_measurement(path)
        assert same(found)
        np.testing.assert_allclose(found.time, TIME, rtol=1e-7)

    def test_names_with_spaces_stand_two_spaces_apart_where_nothing_else_separates(self, tmp_path):
        columns = (TIME, SIGNAL.real, SIGNAL.imag)
        path = table(tmp_path, columns, head="time (µs)  Re M   Im M", separator="  ")
        assert same(ln.open_measurement(path))

    def test_parts_of_several_signals_are_records(self, tmp_path):
        columns = (TIME, SIGNAL.real, SIGNAL.imag, 2 * SIGNAL.real, 2 * SIGNAL.imag)
        path = table(tmp_path, columns, head="time (µs),Re M1,Im M1,Re M2,Im M2")
        assert same(ln.open_measurement(path).isel(record=[1]), 2 * SIGNAL)

    def test_lines_above_the_header_are_passed_over(self, tmp_path):
        head = "Instrument: A, serial 7\n\n% remark\ntime (µs),re,im"
        found = ln.open_measurement(table(tmp_path, (TIME, SIGNAL.real, SIGNAL.imag), head=head))
        assert same(found)

    def test_columns_may_be_left_out_and_hold_several_records(self, tmp_path):
        columns = (SIGNAL.real, SIGNAL.imag, TIME, 2 * SIGNAL.real, 2 * SIGNAL.imag)
        path = table(tmp_path, columns)
        names = ("real", "imaginary", "-", "real", "imaginary")
        found = ln.open_measurement(path, columns=names, dwell=DWELL)
        assert found.sizes["record"] == 2
        assert same(found.isel(record=[1]), 2 * SIGNAL)

    def test_times_that_were_rounded_are_even(self, tmp_path):
        times = np.round(0.0325520833 * np.arange(64), 3)
        path = table(tmp_path, (times, SIGNAL.real, SIGNAL.imag), head="time (µs),re,im")
        found = ln.open_measurement(path)
        np.testing.assert_allclose(np.diff(found.time), 0.0325520833, rtol=1e-3)

    def test_magnitudes_alone_are_said(self, tmp_path):
        path = table(tmp_path, (TIME, np.abs(SIGNAL)), head="time (µs),abs")
        found = ln.open_measurement(path)
        assert found.signal_kind == "magnitude"
        assert "no_phase" in [step.name for step in steps_of(found)]

    def test_one_channel_alone_is_said(self, tmp_path):
        path = table(tmp_path, (TIME, SIGNAL.real), head="time (µs),re")
        assert ln.open_measurement(path).signal_kind == "real"

    def test_latin_1_is_read_for_its_micro_sign(self, tmp_path):
        path = table(tmp_path, (TIME, SIGNAL.real, SIGNAL.imag), head="time (µs),re,im")
        path.write_bytes(path.read_text("utf-8").encode("latin-1"))
        assert same(ln.open_measurement(path))


class TestRefusals:
    """What is not stated is asked for."""

    @pytest.mark.parametrize(
        ("head", "options", "match"),
        [
            ("", {}, r"columns must be named.*columns=\('time'"),
            ("a,b,c", {}, "columns must be named"),
            ("time (µs),CH1,CH2", {}, r"there is time \(µs\),CH1,CH2 above.*columns=\('time'"),
            ("time (µs) Re M Im M", {}, r"there is time \(µs\) Re M Im M above"),
            ("real time (µs),Re M,Im M", {}, "columns must be named"),
            ("time (µs),Re M1,Im M2", {}, "of one signal, but are of m1 and m2"),
            ("time (min),re,im", {}, r"the unit of time.*is 'min'.*time_unit='µs'"),
            ("time,re,im", {}, r"the unit of time.*is not stated.*time_unit='µs'"),
            ("", {"columns": ("time", "real")}, "name all 3 columns"),
            ("", {"columns": ("real", "real", "imaginary")}, "pairs of real and imaginary"),
            ("", {"columns": ("time", "time", "real")}, "one column may be time"),
            ("", {"columns": ("-", "real", "imaginary")}, "time between samples"),
            ("# latent_nmr echo table, version 2", {}, r"ln\.open_echoes"),
        ],
    )
    def test_missing_statements_are_named(self, tmp_path, head, options, match):
        path = table(tmp_path, (TIME, SIGNAL.real, SIGNAL.imag), head=head)
        with pytest.raises(ln.EchoFileError, match=match):
            ln.open_measurement(path, **options)

    def test_a_row_of_another_length_is_named_by_its_line(self, tmp_path):
        path = write_table(tmp_path / "a.csv", SIGNAL)
        lines = path.read_text().splitlines()
        lines[9] = "4 1"
        path.write_text("\n".join([*lines, ""]))
        with pytest.raises(ln.EchoFileError, match="line 10 must hold 3 numbers"):
            ln.open_measurement(path)

    def test_times_that_fall_are_named_with_their_samples(self, tmp_path):
        path = write_table(tmp_path / "a.csv", SIGNAL)
        head, *rows = path.read_text().splitlines()
        path.write_text("\n".join([head, *rows[::-1], ""]))
        with pytest.raises(ln.EchoFileError, match="rise from sample to sample, but sample 1 of"):
            ln.open_measurement(path)

    def test_a_missing_row_is_a_gap_in_time(self, tmp_path):
        path = write_table(tmp_path / "a.csv", SIGNAL)
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines[:9], *lines[10:], ""]))
        with pytest.raises(ln.EchoFileError, match="equally spaced"):
            ln.open_measurement(path)

    def test_a_last_line_without_its_end_is_left_out(self, tmp_path):
        path = write_table(tmp_path / "a.csv", SIGNAL)
        path.write_text(path.read_text()[:-3])
        found = ln.open_measurement(path)
        assert same(found, SIGNAL[:-1])
        assert "unfinished" in [step.name for step in steps_of(found)]
