"""Files that are whole or not there, and the lock of their one writer."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from latent_nmr._files import sole_writer, staged_file, staged_folder, sweep_staging, write_json
from latent_nmr.errors import InputError


def fail_half_way(path):
    """Write something and raise."""
    path.write_text("ne")
    raise RuntimeError("half way")


def listing(folder):
    """Names in a folder, the lock files of `sole_writer` aside."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


@contextlib.contextmanager
def running(code, *arguments):
    """A Python process that has printed `ready`; killed at the end at the latest."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


HALF_WRITTEN_FOLDER = """
import sys, time
from pathlib import Path
from latent_nmr._files import staged_folder
with staged_folder(Path(sys.argv[1])) as staging:
    (staging / "part").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""

HELD_LOCK = """
import sys, time
from pathlib import Path
from latent_nmr._files import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(60)
"""

# The second rename puts the new folder where the old one was until the first.
STOPPED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from pathlib import Path
from latent_nmr._files import staged_folder

renames = 0

def stop_at_the_second(event, arguments):
    global renames
    if event == "os.rename":
        renames += 1
        if renames == 2:
            os.kill(os.getpid(), getattr(signal, sys.argv[2]))

sys.addaudithook(stop_at_the_second)
with staged_folder(Path(sys.argv[1])) as staging:
    (staging / "new").write_text("new")
"""


class TestStagedFile:
    """A file appears under its name when it is finished."""

    def test_the_name_is_free_until_the_end(self, tmp_path):
        target = tmp_path / "deep" / "table.csv"
        with staged_file(target) as staging:
            staging.write_text("new")
            assert not target.exists()
        assert target.read_text() == "new"
        assert listing(target.parent) == ["table.csv"]

    def test_a_failure_leaves_the_old_file_and_nothing_else(self, tmp_path):
        target = tmp_path / "table.csv"
        target.write_text("old")
        with pytest.raises(RuntimeError, match="half way"), staged_file(target) as staging:
            fail_half_way(staging)
        assert target.read_text() == "old"
        assert listing(tmp_path) == ["table.csv"]

    def test_an_old_file_is_replaced(self, tmp_path):
        target = tmp_path / "table.csv"
        target.write_text("old")
        with staged_file(target) as staging:
            staging.write_text("new")
        assert target.read_text() == "new"

    @pytest.mark.parametrize("umask", [0o022, 0o077])
    def test_others_may_read_it_as_the_umask_says(self, tmp_path, umask):
        previous = os.umask(umask)
        try:
            with staged_file(tmp_path / "table.csv"):
                pass
            assert os.umask(umask) == umask
        finally:
            os.umask(previous)
        mode = stat.S_IMODE((tmp_path / "table.csv").stat().st_mode)
        assert mode == 0o666 & ~umask


class TestWriteJson:
    """JSON files, whole or not at all."""

    def test_it_reads_back_equal_and_keeps_greek_letters_as_they_are(self, tmp_path):
        value = {"β": 2.0, "unit": "µs", "rows": [1, 2], "none": None}
        write_json(tmp_path / "run.json", value)
        text = (tmp_path / "run.json").read_text("utf-8")
        assert json.loads(text) == value
        assert "β" in text
        assert text.endswith("}\n")

    def test_what_json_cannot_hold_leaves_the_old_file(self, tmp_path):
        write_json(tmp_path / "run.json", {"old": 1})
        with pytest.raises(TypeError, match="not JSON serializable"):
            write_json(tmp_path / "run.json", {"new": {1, 2}})
        assert json.loads((tmp_path / "run.json").read_text()) == {"old": 1}
        assert listing(tmp_path) == ["run.json"]


class TestStagedFolder:
    """A folder takes the place of another in one step."""

    @pytest.fixture
    def old(self, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / "old").write_text("old")
        return folder

    def test_the_name_is_free_until_the_end(self, tmp_path):
        target = tmp_path / "deep" / "model"
        with staged_folder(target) as staging:
            (staging / "new").write_text("new")
            assert not target.exists()
        assert listing(target) == ["new"]
        assert listing(target.parent) == ["model"]

    def test_an_old_folder_is_replaced_and_not_merged(self, old):
        with staged_folder(old) as staging:
            (staging / "new").write_text("new")
            assert listing(old) == ["old"]
        assert listing(old) == ["new"]
        assert listing(old.parent) == ["model"]

    def test_a_failure_leaves_the_old_folder_and_nothing_else(self, old):
        with pytest.raises(RuntimeError, match="half way"), staged_folder(old) as staging:
            fail_half_way(staging / "new")
        assert (old / "old").read_text() == "old"
        assert listing(old.parent) == ["model"]

    def test_what_a_killed_process_left_is_swept_by_the_next(self, old):
        with running(HALF_WRITTEN_FOLDER, old) as process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        left = [name for name in listing(old.parent) if name != "model"]
        assert len(left) == 1
        assert listing(old) == ["old"]
        with staged_folder(old) as staging:
            assert [path for path in old.parent.iterdir() if path.name in left] == []
            (staging / "new").write_text("new")
        assert listing(old.parent) == ["model"]

    def test_a_neighbour_with_a_longer_name_is_not_swept(self, tmp_path):
        with (
            staged_folder(tmp_path / "model.2") as neighbour,
            staged_folder(tmp_path / "model"),
        ):
            assert neighbour.is_dir()

    def test_a_name_with_brackets_is_swept_too(self, tmp_path):
        target = tmp_path / "model[1]"
        with running(HALF_WRITTEN_FOLDER, target) as process:
            process.send_signal(signal.SIGKILL)
            process.wait()
        sweep_staging(target)
        assert listing(tmp_path) == []

    def test_ctrl_c_between_the_renames_loses_neither_folder(self, old):
        command = [sys.executable, "-c", STOPPED_BETWEEN_THE_RENAMES, str(old), "SIGINT"]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
        sweep_staging(old)
        assert listing(old) in (["old"], ["new"])

    def test_a_kill_between_the_renames_is_mended_by_the_next_sweep(self, old):
        command = [sys.executable, "-c", STOPPED_BETWEEN_THE_RENAMES, str(old), "SIGKILL"]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert not old.exists()
        sweep_staging(old)
        assert listing(old) == ["old"]
        assert listing(old.parent) == ["model"]


class TestSoleWriter:
    """A lock that lives no longer than its process."""

    def test_a_second_process_is_refused_until_the_first_is_killed(self, tmp_path):
        path = tmp_path / "deep" / "echoes.zarr"
        with running(HELD_LOCK, path) as process:
            with (
                pytest.raises(InputError, match=r"echoes\.zarr must have one writer at a time"),
                sole_writer(path),
            ):
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
            # The kernel closes a dead process's files before anyone can reap it.
            with sole_writer(path):
                pass

    def test_another_path_is_free(self, tmp_path):
        with running(HELD_LOCK, tmp_path / "a"), sole_writer(tmp_path / "b"):
            pass

    def test_it_is_free_again_after_use_and_after_a_failure(self, tmp_path):
        with pytest.raises(RuntimeError, match="half way"), sole_writer(tmp_path / "a"):
            raise RuntimeError("half way")
        for _ in range(2):
            with sole_writer(tmp_path / "a"):
                pass
