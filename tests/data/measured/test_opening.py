"""Opening files: every format comes back as it was written, and unknown files are refused."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

import latent_nmr as ln
from tests.data.measured import writers
from tests.data.measured.writers import DWELL, WRITERS, echoes

# Nine digits of a table, which have an error of half of the last of them.
ROUNDING = {"text": 0.5e-8}


@pytest.fixture(params=WRITERS)
def written(request, tmp_path):
    """Format, path, and the records of a file."""
    write, name, n_records = WRITERS[request.param]
    signal = echoes(n_records)
    return request.param, write(tmp_path / name, signal), signal


class TestFormats:
    """Whatever the format, signal and time are those of the file."""

    def test_signal_and_time_come_back(self, written):
        kind, path, signal = written
        found = ln.open_measurement(path)
        assert found.format == kind
        assert found.path == str(path)
        bound = ROUNDING.get(kind, 0) * np.abs(signal).max()
        np.testing.assert_allclose(found.signal, signal, rtol=0, atol=bound)
        first = -20.0 if kind == "CSDM" else 0.0
        np.testing.assert_allclose(found.time, first + DWELL * np.arange(256), atol=1e-9)

    @pytest.mark.parametrize("dwell", [0.0325, 0.4, 80.0])
    @pytest.mark.parametrize("kind", WRITERS)
    def test_any_time_between_samples_comes_back(self, tmp_path, kind, dwell):
        write, name, _ = WRITERS[kind]
        found = ln.open_measurement(write(tmp_path / name, echoes(), dwell))
        # NMRPipe keeps the spectral width in single precision, a table nine digits.
        np.testing.assert_allclose(np.diff(found.time), dwell, rtol=2**-23)

    def test_a_text_path_does(self, written):
        kind, path, _ = written
        assert ln.open_measurement(str(path)).format == kind

    def test_a_stated_dwell_replaces_that_of_the_file(self, written):
        _, path, _ = written
        found = ln.open_measurement(path, dwell=2.0)
        np.testing.assert_allclose(np.diff(found.time), 2.0)

    def test_tau_and_the_time_of_the_echo_may_be_stated(self, written):
        _, path, _ = written
        found = ln.open_measurement(path, pulse_separation=100, echo_time=40)
        assert (found.pulse_separation, found.echo_time) == (100.0, 40.0)

    @pytest.mark.parametrize("kind", ["Bruker", "Varian"])
    def test_a_file_of_the_folder_stands_for_it(self, tmp_path, kind):
        write, name, _ = WRITERS[kind]
        folder = write(tmp_path / name, echoes())
        assert ln.open_measurement(folder / "fid").format == kind


class TestRefusals:
    """One error, with path, reason and cure."""

    def test_it_says_path_reason_and_cure_and_is_an_input_error(self, tmp_path):
        path = tmp_path / "absent.tnt"
        with pytest.raises(ln.InputError) as caught:
            ln.open_measurement(path)
        error = caught.value
        assert isinstance(error, ln.EchoFileError)
        assert error.path == str(path)
        assert str(error) == f"{path}: {error.reason}. {error.cure}"
        again = pickle.loads(pickle.dumps(error))  # as parallel workers hand it on
        assert (again.path, again.reason, again.cure) == (error.path, error.reason, error.cure)

    @pytest.mark.parametrize(
        ("name", "content", "match"),
        [
            ("a.tnt", b"", "must not be empty"),
            ("a.tnt", b"\x89PNG\r\n\x1a\n" + bytes(100), "must begin as TNT"),
            ("a.csdf", b"no json", "must begin as CSDM"),
            ("a.npz", b"PL", "must begin as npz"),
            ("a.meas", b'{"tdx": [0, 1', "must be readable"),
            ("a.meas", b'{"name": "SE"}', "its format must be one of those known"),
            ("a.meas", b'["tdx", "tdy"]', "rows of numbers"),
            ("a.dat", bytes(range(256)), "its format must be one of those known"),
            ("a.tnt", b"TNT1.008" + bytes(4000), "must be readable as TNT"),
        ],
    )
    def test_other_files_are_refused(self, tmp_path, name, content, match):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ln.EchoFileError, match=match):
            ln.open_measurement(tmp_path / name)

    def test_a_pipe_is_refused_and_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "echo.tnt")
        with pytest.raises(ln.EchoFileError, match="a pipe"):
            ln.open_measurement(tmp_path / "echo.tnt")

    def test_a_folder_of_experiments_names_one_of_them(self, tmp_path):
        writers.write_bruker(tmp_path / "7", echoes())
        with pytest.raises(ln.EchoFileError, match=r"one experiment, but holds 1: 7.*/7$"):
            ln.open_measurement(tmp_path)

    def test_a_fid_without_parameters_is_refused(self, tmp_path):
        folder = writers.write_bruker(tmp_path / "7", echoes())
        (folder / "acqus").unlink()
        with pytest.raises(ln.EchoFileError, match="neither"):
            ln.open_measurement(folder)

    def test_a_folder_of_processed_spectra_is_said_to_be_one(self, tmp_path):
        (tmp_path / "1r").touch()
        with pytest.raises(ln.EchoFileError, match=r"processed spectrum.*raw experiment"):
            ln.open_measurement(tmp_path)

    def test_an_empty_folder_is_refused(self, tmp_path):
        with pytest.raises(ln.EchoFileError, match="holds neither"):
            ln.open_measurement(tmp_path)

    @pytest.mark.parametrize("kind", ["TNT", "Bruker", "Varian", "NMRPipe", "CSDM"])
    def test_a_missing_package_is_named_with_the_extra(self, tmp_path, kind, monkeypatch):
        write, name, _ = WRITERS[kind]
        path = write(tmp_path / name, echoes())
        package = "csdmpy" if kind == "CSDM" else "nmrglue"
        monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
        with pytest.raises(ln.InputError, match=rf"{package} must be.*latent-nmr\[nmr\]") as caught:
            ln.open_measurement(path)
        assert not isinstance(caught.value, ln.EchoFileError)


class TestArguments:
    """Arguments have their own rules, whatever the file."""

    @pytest.mark.parametrize(
        "arguments",
        [
            {"dwell": 0},
            {"dwell": 1e9},
            {"dwell": "0.5"},
            {"time_unit": "minutes"},
            {"columns": ("time", "voltage")},
            {"points_per_record": 4},
            {"domain": "frequency"},
            {"pulse_separation": -1},
            {"echo_time": float("nan")},
        ],
    )
    def test_wrong_ones_are_named(self, arguments):
        (name,) = arguments
        with pytest.raises(ln.InputError, match=f"^{name} must") as caught:
            ln.open_measurement("absent", **arguments)
        assert not isinstance(caught.value, ln.EchoFileError)


def test_formats_without_the_extra_load_neither_package(tmp_path):
    path = writers.write_table(tmp_path / "echo.csv", echoes())
    code = f"import latent_nmr as ln, sys; ln.open_measurement({str(path)!r}); "
    code += "print({'nmrglue', 'csdmpy', 'jax'} & sys.modules.keys())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
