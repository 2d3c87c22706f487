"""Files that are whole or not there, and the lock of their one writer."""

import contextlib
import ctypes
import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from latent_nmr import _files
from latent_nmr._environment import system_fault
from latent_nmr._files import (
    put_back_retired,
    sole_writer,
    staged_file,
    staged_folder,
    swap,
    sweep_staging,
    write_json,
)
from latent_nmr.errors import InputError


def fail_half_way(path):
    """Write something and raise."""
    path.write_text("ne")
    raise RuntimeError("half way")


def listing(folder):
    """Names in a folder, the lock files of `sole_writer` aside."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def can_swap(folder):
    """Whether this file system exchanges two names in one step."""
    names = folder / "probe-a", folder / "probe-b"
    for name in names:
        name.mkdir()
    able = swap(*names)
    for name in names:
        name.rmdir()
    return able


class Refusing:
    """A C library whose renameat2 fails with one error."""

    def __init__(self, code):
        self.code = code

    def renameat2(self, *_):
        ctypes.set_errno(self.code)
        return -1


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

# On a system that cannot swap two folders in one step, the second rename puts the new folder
# where the old one was until the first.
STOPPED_BETWEEN_THE_RENAMES = """
import os, signal, sys
from pathlib import Path
from latent_nmr import _files

_files.swap = lambda first, second: False
renames = 0

def stop_at_the_second(event, arguments):
    global renames
    if event == "os.rename":
        renames += 1
        if renames == 2:
            os.kill(os.getpid(), getattr(signal, sys.argv[2]))

sys.addaudithook(stop_at_the_second)
with _files.staged_folder(Path(sys.argv[1])) as staging:
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
        with pytest.raises(TypeError, match="a set has no place in JSON"):
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

    @pytest.mark.parametrize("mend", [sweep_staging, put_back_retired])
    def test_a_kill_between_the_renames_is_mended_by_the_next_writer_or_reader(self, old, mend):
        command = [sys.executable, "-c", STOPPED_BETWEEN_THE_RENAMES, str(old), "SIGKILL"]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert not old.exists()
        mend(old)
        assert listing(old) == ["old"]
        sweep_staging(old)
        assert listing(old.parent) == ["model"]

    def test_there_is_no_moment_without_a_folder_where_the_system_can_swap(self, old):
        if not can_swap(old.parent):
            pytest.skip("this file system cannot swap two names")
        renamed = []
        sys.addaudithook(lambda event, paths: event == "os.rename" and renamed.append(paths))
        with staged_folder(old) as staging:
            (staging / "new").write_text("new")
        assert listing(old) == ["new"]
        assert [paths for paths in renamed if str(old) in map(str, paths)] == []

    def test_a_link_stays_and_what_it_points_to_is_replaced(self, old, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        link = tmp_path / "elsewhere" / "link"
        link.symlink_to(old)
        with staged_folder(link) as staging:
            (staging / "new").write_text("new")
        assert link.is_symlink()
        assert listing(old) == ["new"]
        assert listing(link.parent) == ["link"]
        assert listing(old.parent) == ["elsewhere", "model"]

    @pytest.mark.parametrize("exists", [True, False])
    def test_a_link_to_a_file_stays_and_the_file_is_written(self, tmp_path, exists):
        target, link = tmp_path / "far" / "real.csv", tmp_path / "link.csv"
        if exists:
            target.parent.mkdir()
            target.write_text("old")
        link.symlink_to(target)  # dangling where nothing exists
        with staged_file(link) as staging:
            staging.write_text("new")
        assert link.is_symlink()
        assert target.read_text() == "new"
        assert listing(target.parent) == ["real.csv"]

    def test_a_dangling_link_to_a_folder_is_filled(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "far" / "model")
        with staged_folder(tmp_path / "link") as staging:
            (staging / "new").write_text("new")
        assert (tmp_path / "link").is_symlink()
        assert listing(tmp_path / "far" / "model") == ["new"]

    @pytest.mark.parametrize("write", [staged_file, staged_folder, sole_writer])
    def test_links_in_a_circle_are_refused_by_name(self, tmp_path, write):
        (tmp_path / "one").symlink_to(tmp_path / "two")
        (tmp_path / "two").symlink_to(tmp_path / "one")
        with (
            pytest.raises(InputError, match=r"one must lead somewhere.*circle"),
            write(tmp_path / "one"),
        ):
            raise AssertionError


class TestSwap:
    """Two names exchanged in one step, or a clear no."""

    @pytest.fixture
    def pair(self, tmp_path):
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            (tmp_path / name / name).touch()
        return tmp_path / "first", tmp_path / "second"

    def test_each_has_what_the_other_had(self, pair):
        if not swap(*pair):
            pytest.skip("this file system cannot swap two names")
        assert [listing(path) for path in pair] == [["second"], ["first"]]

    @pytest.mark.parametrize("code", sorted(_files.CANNOT_SWAP))
    def test_a_system_that_cannot_says_so_and_changes_nothing(self, pair, monkeypatch, code):
        monkeypatch.setattr(_files.ctypes, "CDLL", lambda *_, **__: Refusing(code))
        assert swap(*pair) is False
        assert [listing(path) for path in pair] == [["first"], ["second"]]

    def test_a_system_without_the_call_cannot(self, pair, monkeypatch):
        monkeypatch.setattr(_files.ctypes, "CDLL", lambda *_, **__: object())
        assert swap(*pair) is False

    def test_any_other_failure_is_the_systems_own(self, pair):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            swap(pair[0], pair[1].with_name("nowhere"))


class TestPutBackRetired:
    """What a reader does when it finds nothing."""

    def test_nothing_is_made_where_nothing_was(self, tmp_path):
        put_back_retired(tmp_path / "deep" / "model")
        assert list(tmp_path.iterdir()) == []

    def test_a_whole_folder_is_left_as_it_is(self, tmp_path):
        for name in ("model", ".model.staging-x-old"):
            (tmp_path / name).mkdir()
        put_back_retired(tmp_path / "model")
        assert listing(tmp_path) == [".model.staging-x-old", "model"]

    def test_a_writer_at_work_is_waited_for_and_not_robbed(self, tmp_path):
        path = tmp_path / "model"
        (tmp_path / ".model.staging-x-old").mkdir()
        with running(HELD_LOCK, path):
            put_back_retired(path, patience=0.1)
            assert listing(tmp_path) == [".model.staging-x-old"]
        put_back_retired(path)
        assert listing(tmp_path) == ["model"]

    def test_the_new_half_of_a_killed_writer_is_no_folder_to_put_back(self, tmp_path):
        (tmp_path / ".model.staging-x").mkdir()
        put_back_retired(tmp_path / "model")
        assert not (tmp_path / "model").exists()

    def test_links_in_a_circle_are_left_alone(self, tmp_path):
        (tmp_path / "model").symlink_to(tmp_path / "model")
        put_back_retired(tmp_path / "model")
        assert (tmp_path / "model").is_symlink()


class TestSoleWriter:
    """A lock that lives no longer than its process."""

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder that nobody can write")
    def test_a_place_that_cannot_be_written_is_named_and_not_its_lock(self):
        with (
            pytest.raises(OSError, match=r"'/proc/nothing\.csv'$"),
            sole_writer(Path("/proc/nothing.csv")),
        ):
            raise AssertionError

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

    def test_a_lock_file_that_is_a_link_does_not_empty_what_it_points_to(self, tmp_path):
        (tmp_path / "diary").write_text("mine")
        (tmp_path / ".a.lock").symlink_to(tmp_path / "diary")
        with sole_writer(tmp_path / "a"):
            pass
        assert (tmp_path / "diary").read_text() == "mine"
        assert (tmp_path / ".a.lock").is_symlink()

    def test_nothing_is_left_beside_what_was_written(self, tmp_path):
        with sole_writer(tmp_path / "a"):
            assert (tmp_path / ".a.lock").is_file()
        assert list(tmp_path.iterdir()) == []

    def test_the_next_writer_removes_what_a_killed_one_left(self, tmp_path):
        for name in (".a.lock", ".a.parts"):
            (tmp_path / name).touch()
        with sole_writer(tmp_path / "a"):
            pass
        assert list(tmp_path.iterdir()) == []

    def test_there_is_never_more_than_one_holder(self, tmp_path):
        """Lock files come and go: no thread may lock one that has lost its name."""
        holders, most, refused = [], [], []

        def hold(number):
            for _ in range(300):
                try:
                    with sole_writer(tmp_path / "a"):
                        holders.append(number)
                        most.append(len(holders))
                        time.sleep(0)
                        holders.remove(number)
                except InputError:
                    refused.append(number)

        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(hold, range(4)))
        finally:
            sys.setswitchinterval(interval)
        assert max(most) == 1
        assert refused  # else they were not at it at the same time


def test_threads_that_write_side_by_side_leave_the_umask_as_it_was():
    """Reading it means setting it for a moment: two threads must not do so at once."""
    before, interval = os.umask(0o027), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: {_files._umask() for _ in range(5000)}, range(4)))
        assert os.umask(0o027) == 0o027
    finally:
        sys.setswitchinterval(interval)
        os.umask(before)
    assert found == [{0o027}] * 4


@pytest.mark.skipif(os.name == "nt", reason="Windows removes no folder in use")
def test_a_working_directory_that_was_removed_is_named(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    rule = "the working directory must exist, but: No such file or directory"
    with pytest.raises(InputError, match=rule):
        write_json(Path("a.json"), 1)
    with pytest.raises(OSError, match="No such file") as caught:
        Path("a").absolute()
    assert rule in system_fault(caught.value)
    write_json(tmp_path / "a.json", 1)
    assert rule not in system_fault(FileNotFoundError(2, "No such file", "a.json"))
