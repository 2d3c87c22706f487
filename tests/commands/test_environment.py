"""Errors of the environment: settings of libraries, libraries and limits; one line, exit code 2."""

import errno
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import zarr

from latent_nmr._environment import environment_fault, refuse_environment, system_fault
from latent_nmr._files import staged_file
from latent_nmr.commands._shell import attempt
from latent_nmr.data.io import open_echoes
from latent_nmr.data.store import fill_store
from latent_nmr.errors import InputError, check_choice
from latent_nmr.physics.simulate import Simulation
from latent_nmr.studies._estimators import reason_of

ROOT = Path(__file__).parents[2]
DECODE = ["traverse", "echo", "--out", "figure"]
ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs folders that none may write")


def latent_nmr(arguments, folder, **variables):
    """Run a command with environment variables; returns its exit code and what it says."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    finished = subprocess.run(
        [sys.executable, "-m", "latent_nmr.commands.main", *arguments],
        env={**known, "PYTHONPATH": str(ROOT), **variables},
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "Traceback" not in finished.stderr
    return finished.returncode, finished.stderr


def raised(code):
    """The exception that a piece of code of another package raises."""
    found = {}
    space = {"__name__": "other.module"}
    try:
        exec(compile(code, "/elsewhere/other/module.py", "exec"), space)
        space["run"]()
    except Exception as error:
        found["error"] = error
    return found["error"]


class TestSettings:
    """Environment variables that a library reads and cannot use."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            pytest.param("JAX_PLATFORMS", "nonsense", marks=pytest.mark.slow),
            pytest.param("JAX_PLATFORM_NAME", "nonsense", marks=pytest.mark.slow),
            ("JAX_ENABLE_X64", "maybe"),
            ("XLA_FLAGS", "--xla_no_such_flag=1"),
            pytest.param(
                "XLA_FLAGS", "--xla_force_host_platform_device_count=many", marks=pytest.mark.slow
            ),
            pytest.param("XLA_FLAGS", "no-such-file", marks=pytest.mark.slow),
            pytest.param("MPLBACKEND", "nonsense", marks=pytest.mark.slow),
        ],
    )
    def test_they_are_named_in_one_line(self, tmp_path, name, value):
        code, said = latent_nmr(DECODE, tmp_path, **{name: value})
        assert code == 2
        assert len(said.splitlines()) == 1
        assert f"the environment variable {name} must be one that works here" in said
        assert f"but is {value!r}" in said
        assert "Correct or unset it." in said
        assert list(tmp_path.glob("[!.]*")) == []

    def test_python_is_told_of_a_device_that_is_not_there(self):
        # In one process, whichever is tried first.
        code = (
            "import latent_nmr as ln\n"
            "for work in (\n"
            "    lambda: ln.BetaVAE().fit([[0.1, 0.2]] * 9),\n"
            "    lambda: ln.fit_many([[0.1, 0.2]] * 9, seeds=[0], model=ln.BetaVAE()),\n"
            "    lambda: ln.simulate('paper', 1, n_edge=8),\n"
            "):\n"
            "    try: work()\n"
            "    except ln.InputError as error:\n"
            "        assert not isinstance(error.__cause__, (ln.InputError, type(None)))\n"
            "        print(error)"
        )
        finished = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cuda"},
            check=True,
            capture_output=True,
            text=True,
        )
        said = "the environment variable JAX_PLATFORMS must be one that works here, but is 'cuda' ("
        assert [line.startswith(said) for line in finished.stdout.splitlines()] == [True] * 3

    @pytest.mark.parametrize("mark", ["reading", "writing"])
    def test_a_cache_that_cannot_be_used_is_one_line(self, monkeypatch, capsys, mark):
        monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/proc/x")

        def work():
            for name in "ab":
                text = f"Error {mark} persistent compilation cache entry for {name!r}: OSError: no"
                warnings.warn(text, stacklevel=1)
            return 0

        assert attempt("latent-nmr embed", work) == 0
        assert capsys.readouterr().err.splitlines() == [
            "latent-nmr embed: warning: JAX_COMPILATION_CACHE_DIR should be a folder that can be "
            "read and written, but is '/proc/x' (no). Work goes on without it. Correct or unset it."
        ]

    @pytest.mark.parametrize(
        ("name", "value"),
        [("ZARR_CODEC_PIPELINE__PATH", "foo.bar"), ("ZARR_ASYNC__CONCURRENCY", "many")],
    )
    def test_settings_of_zarr_are_told_beside_damage(self, tmp_path, monkeypatch, name, value):
        list(fill_store(tmp_path / "a.zarr", Simulation(n_edge=8), 1))
        monkeypatch.setenv(name, value)
        zarr.config.refresh()
        try:
            with pytest.raises(InputError, match=f"{name}(=| must be .* is '){value}"):
                open_echoes(tmp_path / "a.zarr")
        finally:
            monkeypatch.delenv(name)
            zarr.config.refresh()

    def test_a_command_that_compiles_nothing_works_all_the_same(self, tmp_path):
        variables = {"XLA_FLAGS": "--xla_no_such_flag=1", "JAX_PLATFORMS": "nonsense"}
        assert latent_nmr(["card", "echo"], tmp_path, **variables) == (0, "")

    @pytest.mark.slow
    @ONLY_LINUX
    def test_known_flags_and_folders_that_cannot_be_written_leave_the_work_possible(self, tmp_path):
        folders = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "MPLCONFIGDIR", "JAX_COMPILATION_CACHE_DIR")
        variables = {
            "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            **dict.fromkeys(folders, "/proc/nowhere"),
        }
        code, said = latent_nmr(DECODE, tmp_path, **variables)
        assert code == 0
        assert "MPLCONFIGDIR" in said
        assert (tmp_path / "figure.png").is_file()

    @pytest.mark.parametrize("name", ["LOKY_MAX_CPU_COUNT", "NUMBA_THREADING_LAYER", "MPL_ANY"])
    @pytest.mark.parametrize("text", ["{name} is wrong", "no {value!r} here", 'not "{value}"'])
    def test_a_library_may_say_the_name_or_the_value(self, monkeypatch, name, text):
        monkeypatch.setenv(name, "strange")
        words = text.format(name=name.lower(), value="strange")
        error = raised(f"def run(): raise ValueError({words!r})")
        assert f"the environment variable {name} must" in environment_fault(error)
        with pytest.raises(InputError, match=name):
            refuse_environment(error)

    @pytest.mark.parametrize("text", ["strange", "some text", "", "MPL_OTHER"])
    def test_other_errors_are_no_fault_of_the_environment(self, monkeypatch, text):
        monkeypatch.setenv("MPL_ANY", "strange")
        error = raised(f"def run(): raise ValueError({text!r})")
        assert environment_fault(error) == ""
        refuse_environment(error)

    def test_our_own_errors_are_none_either(self, monkeypatch):
        monkeypatch.setenv("MPL_ANY", "strange")
        with pytest.raises(InputError, match="'strange'") as caught:
            check_choice("kernel", "strange", ["gaussian"])
        assert environment_fault(caught.value) == ""

    def test_a_study_does_not_put_them_down_to_one_model(self, monkeypatch):
        error = raised("def run(): raise ValueError('bad NUMBA_ANY')")
        assert reason_of(error) == "ValueError: bad NUMBA_ANY"
        monkeypatch.setenv("NUMBA_ANY", "bad")
        with pytest.raises(InputError, match="variable NUMBA_ANY must be one that works"):
            reason_of(error)


class TestLibraries:
    """A library that cannot be loaded."""

    @pytest.mark.parametrize("kind", ["ImportError", "RuntimeError", "AttributeError", "OSError"])
    def test_it_is_named(self, tmp_path, monkeypatch, kind):
        name = f"broken_{kind.lower()}"
        (tmp_path / f"{name}.py").write_text(f"raise {kind}('built for another machine')")
        monkeypatch.syspath_prepend(tmp_path)
        error = raised(f"def run(): import {name}")
        assert type(error).__name__ == kind
        assert environment_fault(error) == (
            f"{name} must be loadable, but: built for another machine. Check its installation."
        )

    def test_one_that_is_not_there_is_named(self):
        error = raised("def run(): import no_such_library.part")
        assert "no_such_library must be loadable" in environment_fault(error)

    def test_one_that_fails_while_a_file_is_read_is_no_damage_to_the_file(self):
        error = raised("def run(): import no_such_library")
        with pytest.raises(InputError, match="no_such_library must be loadable"):
            refuse_environment(error)

    def test_a_command_ends_with_one_line(self, tmp_path):
        package = tmp_path / "broken" / "tqdm"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise RuntimeError('built for another machine')")
        path = f"{package.parent}{os.pathsep}{ROOT}"
        code, said = latent_nmr(["embed", "echo", "echoes.nc"], tmp_path, PYTHONPATH=path)
        assert code == 2
        assert said.splitlines() == [
            "latent-nmr embed: tqdm must be loadable, but: built for another machine. "
            "Check its installation."
        ]

    def test_a_module_of_ours_that_is_missing_is_a_bug(self):
        error = raised("def run(): import latent_nmr.no_such_module")
        assert isinstance(error, ImportError)
        assert environment_fault(error) == ""


class TestWarningsAsErrors:
    """`PYTHONWARNINGS=error`, from a shell in which tests were run."""

    def test_the_command_ends_with_the_words_of_the_warning(self, tmp_path):
        code = (
            "import warnings\nfrom latent_nmr.commands._shell import execute\n"
            "from latent_nmr.commands.card import Options\n"
            "def run(options): warnings.warn('an axis is weak.')\n"
            "raise SystemExit(execute('card', Options, run, ['echo']))"
        )
        finished = subprocess.run(
            [sys.executable, "-W", "error::UserWarning", "-c", code],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 2
        assert finished.stderr.splitlines() == [
            "latent-nmr card: warnings must not end the work, but are set to 'error::UserWarning': "
            "an axis is weak. Unset that."
        ]

    def test_without_such_a_setting_a_raised_warning_is_a_bug(self, monkeypatch):
        monkeypatch.setattr(sys, "warnoptions", [])
        assert environment_fault(UserWarning("an axis is weak")) == ""


class TestLimits:
    """What the machine has too little of."""

    def test_memory(self):
        with pytest.raises(MemoryError) as caught:
            np.empty(2**62, np.uint8)
        assert "memory must suffice, but: Unable to allocate" in environment_fault(caught.value)

    @pytest.mark.parametrize(
        "text",
        [
            "libm.so: failed to map segment from shared object",
            "libm.so: cannot allocate memory in static TLS block",
        ],
    )
    def test_a_library_that_finds_no_memory_is_not_broken(self, text):
        said = environment_fault(raised(f"def run(): raise ImportError({text!r}, name='sklearn')"))
        assert said.startswith("memory must suffice, but: libm.so")

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
    def test_a_file_that_cannot_be_written_on_is_named(self, tmp_path, number):
        with pytest.raises(OSError, match=r"a\.csv") as caught, staged_file(tmp_path / "a.csv"):
            raise OSError(number, os.strerror(number))
        assert str(tmp_path / "a.csv") in system_fault(caught.value)
        with pytest.raises(OSError, match="of its own"), staged_file(tmp_path / "a.csv"):
            raise OSError("of its own")

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("ENOSPC", "a.csv must be readable and writable, but: No space.*Free space"),
            ("EACCES", "a.csv must be readable.*Change its permissions, or choose another path"),
            ("EROFS", "a.csv must be readable.*Change its permissions, or choose another path"),
            ("ENOTDIR", "a.csv must be readable.*but: Not a directory. Choose another path"),
            ("EMFILE", "must allow more open files, but: Too many open files.*ulimit -n"),
            ("EFBIG", "must allow files as large as a.csv, but: File too large.*ulimit -f"),
            ("ENOMEM", "memory and processes must suffice"),
        ],
    )
    def test_the_remedy_fits_the_cause(self, name, words):
        code = getattr(errno, name)
        said = system_fault(OSError(code, os.strerror(code), "a.csv"))
        with pytest.raises(InputError, match=words):
            raise InputError(said)

    def test_no_folder_for_temporary_files(self):
        # What Python raises has neither a file nor a text of the system.
        said = system_fault(FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"))
        assert said.startswith("a folder must be there for temporary files, but: No usable")
        assert said.endswith("Set TMPDIR to one.")
