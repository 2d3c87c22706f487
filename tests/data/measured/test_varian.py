"""Varian experiments: the header of fid against its size, and procpar against both."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.measured.steps import steps_of
from tests.data.measured.writers import echoes, write_varian


def patched(folder, offset, value):
    """Put a whole number (big-endian, 4 bytes) into the header of fid."""
    path = folder / "fid"
    raw = bytearray(path.read_bytes())
    raw[offset : offset + 4] = int(value).to_bytes(4, "big")
    path.write_bytes(bytes(raw))
    return folder


def test_scans_nucleus_and_carrier_are_read(tmp_path):
    found = ln.open_measurement(write_varian(tmp_path / "a.fid", echoes(), scans=(8, 64)))
    assert (found.nucleus, found.carrier_frequency) == ("29Si", 83.56)
    assert (found.scans_done, found.scans_asked) == (8, 64)
    assert [step.name for step in steps_of(found)] == ["read", "interrupted"]


@pytest.mark.parametrize("lost", [1, 28, 1000])
def test_a_cut_file_is_refused(tmp_path, lost):
    folder = write_varian(tmp_path / "a.fid", echoes(2))
    path = folder / "fid"
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(ln.EchoFileError, match=r"bytes that its header says.*: it is cut short"):
        ln.open_measurement(folder)


def test_bytes_behind_the_last_trace_are_left_out_and_said(tmp_path):
    signal = echoes(2)
    folder = write_varian(tmp_path / "a.fid", signal)
    path = folder / "fid"
    path.write_bytes(path.read_bytes() + bytes(99))
    found = ln.open_measurement(folder)
    np.testing.assert_array_equal(found.signal, signal)
    assert [step.name for step in steps_of(found)] == ["read", "longer"]


# Blocks, traces, points, bytes of a number, of a trace, of a block, headers of a block.
@pytest.mark.parametrize("offset", [0, 4, 8, 12, 16, 20, 28])
@pytest.mark.parametrize("value", [0, 3, 2**31 - 1])
def test_a_header_that_contradicts_itself_is_refused(tmp_path, offset, value):
    folder = patched(write_varian(tmp_path / "a.fid", echoes(2)), offset, value)
    with pytest.raises(ln.EchoFileError):
        ln.open_measurement(folder)


def test_more_blocks_than_the_header_says_are_refused(tmp_path):
    folder = patched(write_varian(tmp_path / "a.fid", echoes(3)), 0, 2)
    with pytest.raises(ln.EchoFileError, match="there are more blocks"):
        ln.open_measurement(folder)


def test_numbers_of_four_bytes_whose_flag_says_two_are_refused(tmp_path):
    folder = write_varian(tmp_path / "a.fid", echoes())
    path = folder / "fid"
    raw = bytearray(path.read_bytes())
    raw[27] = 1 + 16  # data, complex
    path.write_bytes(bytes(raw))
    with pytest.raises(ln.EchoFileError, match="must have 2 bytes by its status, but have 4"):
        ln.open_measurement(folder)


def test_floating_numbers_whose_flag_says_whole_ones_are_refused(tmp_path):
    folder = write_varian(tmp_path / "a.fid", echoes())
    path = folder / "fid"
    raw = bytearray(path.read_bytes())
    raw[27] = 1 + 4 + 16  # data, 32 bits, complex
    path.write_bytes(bytes(raw))
    with pytest.raises(ln.EchoFileError, match="whole numbers must come near zero"):
        ln.open_measurement(folder)


@pytest.mark.parametrize(("name", "value"), [("at", 1.0), ("sw", 1e5)])
def test_a_width_that_the_duration_contradicts_is_refused(tmp_path, name, value):
    folder = write_varian(tmp_path / "a.fid", echoes(), **{name: value})
    with pytest.raises(ln.EchoFileError, match="sw and at must say the same"):
        ln.open_measurement(folder)


def test_points_that_procpar_contradicts_are_refused(tmp_path):
    folder = write_varian(tmp_path / "a.fid", echoes(), np=100)
    with pytest.raises(ln.EchoFileError, match="np must be the same"):
        ln.open_measurement(folder)


def test_a_missing_fid_is_named(tmp_path):
    folder = write_varian(tmp_path / "a.fid", echoes())
    (folder / "fid").unlink()
    with pytest.raises(ln.EchoFileError, match="there must be fid"):
        ln.open_measurement(folder)
