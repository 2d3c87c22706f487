"""Scripts that are no commands: no traceback for their users' mistakes, nor for their streams."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.commands._shell import Report, attempt, execute
from latent_nmr.commands.card import Options
from latent_nmr.commands.main import run_script
from latent_nmr.errors import InputError

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
posix = pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")


def script(name):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_runs_by_one_of_the_two_functions_for_it(path):
    last = path.read_text("utf-8").splitlines()[-2:]
    assert last[0] == 'if __name__ == "__main__":'
    assert last[1] in ("    run_script(main)", f'    script("{path.stem.replace("_", "-")}")')


@posix
@pytest.mark.parametrize(
    ("redirections", "code", "said"),
    [
        ("", 0, ""),
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        pytest.param(
            "> /dev/full", 2, "standard output must be writable",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device"),
        ),
    ],
)  # fmt: skip
def test_what_a_script_prints_goes_to_any_output(redirections, code, said):
    finished = subprocess.run(
        ["sh", "-c", f'exec "$0" scripts/reproduce.py --dry-run {redirections}', sys.executable],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == code
    assert len(finished.stderr.splitlines()) == bool(said)
    assert said in finished.stderr
    assert ("nu" in finished.stdout) == (not redirections)  # which UTF-8 prints as ν
    assert finished.stdout.isascii()


@posix
def test_a_reader_who_has_gone_is_no_failure():
    reading, writing = os.pipe()
    os.close(reading)
    finished = subprocess.run(
        [sys.executable, "scripts/reproduce.py", "--dry-run"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=False,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (finished.returncode, finished.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("name", "arguments", "code", "said"),
    [
        ("describe_data", ["--help"], 0, "usage: describe_data"),
        ("publish", ["nowhere"], 2, "publish.py: a run must hold"),
        ("publish", [], 2, "the following arguments are required: runs"),
    ],
)
def test_mistakes_are_told_and_help_is_given(monkeypatch, capsys, name, arguments, code, said):
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments])
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # put back what the script replaces
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    with pytest.raises(SystemExit) as ended:
        run_script(script(name).main)
    assert ended.value.code == code
    captured = capsys.readouterr()
    assert said in (captured.err if code else captured.out)


def test_a_title_begins_what_ends_a_work(capsys):
    def refuse():
        raise InputError("n must be 1,\nbut is 2. Lower it.")

    def interrupt():
        raise KeyboardInterrupt

    assert attempt("a.py", refuse) == 2
    assert attempt("a.py", interrupt) == 130
    first, second = capsys.readouterr().err.splitlines()
    assert first == "a.py: n must be 1, but is 2. Lower it."
    assert second.startswith("a.py: interrupted")


@pytest.mark.parametrize("columns", ["1", "5", "10", "40", "x"])
def test_help_is_given_in_a_terminal_of_any_width(monkeypatch, capsys, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert execute("card", Options, lambda _: Report([]), ["--help"]) == 0
    assert "usage: latent-nmr card" in capsys.readouterr().out
    assert os.environ["COLUMNS"] == columns


def test_values_of_numpy_and_paths_are_reported_as_json(capsys):
    values = {"n": np.int64(3), 2: np.array([0.5, 1.0]), "path": Path("a.zarr"), "x": {"y": (1,)}}
    assert execute("card", Options, lambda _: Report([], values), ["echo", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"n": 3, "2": [0.5, 1.0], "path": "a.zarr", "x": {"y": [1]}}
