"""Standard streams that are closed, full or without a reader: no traceback, the right exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HELP = [["--help"], ["--version"], ["train-vae", "--help"]]
REFUSED = [["nonsense"], ["embed", "echo"]]
FULL = Path("/dev/full")

posix = pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")
full = pytest.mark.skipif(not FULL.exists(), reason="only some systems have a full device")


def latent_nmr(arguments, redirections="", **how):
    """Run a command as a shell runs it, with redirections."""
    return python(["-m", "latent_nmr.commands.main", *arguments], redirections, **how)


def python(arguments, redirections="", **how):
    """Run the interpreter as a shell runs it, with redirections."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    finished = subprocess.run(
        ["sh", "-c", f'exec "$0" "$@" {redirections}', sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        text=True,
        **how,
    )
    assert "Traceback" not in (finished.stderr or "")
    assert "Exception ignored" not in (finished.stderr or "")
    return finished


@pytest.fixture
def no_reader():
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@posix
class TestClosedStreams:
    """`>&-`: who closes a stream does not want what is printed there."""

    @pytest.mark.parametrize("arguments", [*HELP, ["card", "echo"]])
    def test_a_closed_output_is_no_failure(self, arguments):
        finished = latent_nmr(arguments, ">&-")
        assert (finished.returncode, finished.stderr) == (0, "")

    @pytest.mark.parametrize("arguments", REFUSED)
    def test_a_refusal_keeps_its_exit_code_without_its_words(self, arguments):
        finished = latent_nmr(arguments, "2>&-")
        assert (finished.returncode, finished.stdout) == (2, "")

    def test_all_three_may_be_closed(self):
        assert latent_nmr(["embed", "--help"], "<&- >&- 2>&-").returncode == 0
        assert latent_nmr(["nonsense"], "<&- >&- 2>&-").returncode == 2

    def test_no_file_that_is_opened_takes_the_number_of_a_closed_stream(self, tmp_path):
        code = (
            "import os, sys\nfrom latent_nmr._streams import prepare_streams\n"
            "prepare_streams()\nwith open('data', 'w') as file:\n"
            "    os.write(2, b'what a library logs'); file.write(str(file.fileno()))"
        )
        finished = python(["-c", code], "<&- >&- 2>&-", cwd=tmp_path)
        assert finished.returncode == 0
        assert int((tmp_path / "data").read_text()) > 2


@posix
class TestReaderWhoHasGone:
    """`| head`: who stops reading has read enough."""

    @pytest.mark.parametrize("arguments", [*HELP, ["card", "echo"]])
    def test_the_exit_code_stays_and_nothing_is_said(self, arguments, no_reader):
        finished = latent_nmr(arguments, stdout=no_reader)
        assert (finished.returncode, finished.stderr) == (0, "")

    @pytest.mark.parametrize("arguments", REFUSED)
    def test_a_refusal_keeps_its_exit_code(self, arguments, no_reader):
        assert latent_nmr(arguments, stdout=no_reader, stderr=no_reader).returncode == 2


@full
class TestFullStreams:
    """A result that cannot be delivered is a failure, words that cannot be are none."""

    @pytest.mark.parametrize("arguments", [*HELP, ["card", "echo", "--json"]])
    def test_a_full_output_is_told_in_one_line(self, arguments):
        finished = latent_nmr(arguments, f">{FULL}")
        assert finished.returncode == 2
        assert finished.stderr.splitlines() == [
            "latent-nmr: standard output must be writable, but: No space left on device. "
            "The work itself is done."
        ]

    def test_a_refusal_keeps_its_exit_code_without_its_words(self):
        assert latent_nmr(["nonsense"], f"2>{FULL}").returncode == 2
        assert latent_nmr(["nonsense"], f">{FULL} 2>&1").returncode == 2

    def test_full_messages_harm_no_work(self):
        # Warnings and messages go to standard error while the work is done.
        code = (
            "import warnings\nfrom latent_nmr.commands._shell import Report, execute, tell\n"
            "from latent_nmr.commands.card import Options\n"
            "from latent_nmr.commands.main import leave, prepare_streams\n"
            "def run(options):\n"
            "    for _ in range(100): tell('working ' * 1000); warnings.warn('attention')\n"
            "    return Report(['done'], exit_code=4)\n"
            "prepare_streams()\nleave(execute('card', Options, run, ['echo']))"
        )
        finished = python(["-c", code], f"2>{FULL}")
        assert (finished.returncode, finished.stdout) == (4, "done\n")


@posix
class TestPipesThatDoNotBlock:
    """Pipes of programs that read by events, as Node makes them."""

    def test_a_slow_reader_gets_everything(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        code = (
            "from latent_nmr.commands.main import leave, prepare_streams\n"
            "prepare_streams()\nprint('spin' * 2_000_000)\nleave(0)"
        )
        program = subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            assert pipe.read() == b"spin" * 2_000_000 + b"\n"
        assert program.communicate()[1] == b""
        assert program.returncode == 0


@posix
class TestLibraryWithoutStandardError:
    """Graphical programs, and `2>&-`, have none."""

    def test_bars_are_left_out(self):
        code = (
            "import json, sys\nfrom latent_nmr._progress import progress_bar\n"
            "assert sys.stderr is None\n"
            "with progress_bar(3, 'curve', delay=0, shown=None) as bar: bar.update(3)\n"
            "print(json.dumps(bar.disable))"
        )
        finished = python(["-c", code], "2>&-")
        assert finished.returncode == 0
        assert json.loads(finished.stdout) is True
