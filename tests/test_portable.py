"""The package on systems other than Linux, as far as Linux can show it.

Processes are started without the modules, calls and constants that only POSIX systems have, with
the rules of Windows for renaming and removing open files, and with an 8-bit encoding.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "latent_nmr"

# What the code must not need: not on Windows, and mostly not on macOS either.
WITHOUT_POSIX = """
import ctypes, os, sys
from pathlib import Path

for module in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[module] = None
for name in ("O_CLOEXEC", "O_DIRECTORY", "O_NONBLOCK", "fork", "geteuid", "getuid", "mkfifo",
             "sched_getaffinity"):
    delattr(os, name)
os.supports_dir_fd = set()

class Library(ctypes.CDLL):
    def __init__(self, name, *arguments, **options):
        if name is None:
            raise TypeError("a library must have a name")
        super().__init__(name, *arguments, **options)

ctypes.CDLL = Library

def is_open(path):
    held = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    names = [os.readlink(link) for link in held if os.path.lexists(link)]
    names += [line.rsplit(" ", 1)[-1] for line in open("/proc/self/maps").read().splitlines()]
    return any(name == path or name.startswith(path + "/") for name in names)

refusals = []

def rules_of_windows(event, arguments):
    if event == "os.rename":
        source, target = (str(Path(os.fsdecode(path)).absolute()) for path in arguments[:2])
        if os.path.isdir(target) or is_open(source) or is_open(target):
            refusals.append((source, target))
            raise PermissionError(13, "open elsewhere", target)
        if set(Path(target).name) & set('<>:"|?*\\\\'):
            refusals.append((source, target))
            raise OSError(22, "not a name on Windows", target)

sys.addaudithook(rules_of_windows)
"""

FIT_SAVE_LOAD = """
import numpy as np
import latent_nmr as ln

X = np.random.default_rng(0).random((40, 6), dtype=np.float32)
model = ln.BetaVAE(hidden_layer_sizes=(4,), max_epochs=1, random_state=0).fit(X)
for name in ("first", "second"):  # the second replaces the first
    model.save("model", metadata={"β": name})
loaded = ln.BetaVAE.load("model")
assert loaded.metadata_ == {"β": "second"}
np.testing.assert_array_equal(loaded.transform(X), model.transform(X))
"""

SIMULATE_AND_READ = """
from latent_nmr.commands.main import main

command = "simulate --preset paper --n-edge 8 --out echoes.zarr --n-curves".split()
assert main([*command, "2"]) == 0
assert main([*command, "3"]) == 0
echoes = ln.open_echoes("echoes.zarr")
assert len(echoes.curve) == 3
for name in ("echoes.npz", "echoes.csv"):
    ln.save_echoes(echoes, name)
    again = ln.open_echoes(name)
    assert again.kernel.to_numpy().tolist() == echoes.kernel.to_numpy().tolist()
assert refusals == []
"""

# The locks of Windows by those of POSIX: exclusive, of bytes from the file's position on.
WINDOWS_LOCKS = """
import fcntl, os, subprocess, sys, types

msvcrt = types.ModuleType("msvcrt")
msvcrt.LK_UNLCK, msvcrt.LK_NBLCK = 0, 2

def locking(handle, mode, n_bytes):
    kind = fcntl.LOCK_EX | fcntl.LOCK_NB if mode == msvcrt.LK_NBLCK else fcntl.LOCK_UN
    assert os.lseek(handle, 0, os.SEEK_CUR) == 0
    try:
        fcntl.lockf(handle, kind, n_bytes, 0, os.SEEK_CUR)
    except OSError:
        raise PermissionError(13, "Permission denied") from None

msvcrt.locking = locking
sys.modules["msvcrt"] = msvcrt
sys.modules["fcntl"] = None
"""

WITHOUT_LOCKS = """
import sys
import subprocess
sys.modules["fcntl"] = sys.modules["msvcrt"] = None
"""

# A file system that machines share and that has no locks.
FILE_SYSTEM_WITHOUT_LOCKS = """
import errno, fcntl

def refuse(*arguments):
    raise OSError(errno.ENOSYS, "Function not implemented")

fcntl.flock = fcntl.lockf = refuse
"""

SEVERAL_WRITERS = """
import os, warnings
from pathlib import Path
from latent_nmr._locks import locked_spans, one_of_several_writers

store = Path("store")
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    with one_of_several_writers(store), locked_spans(store, [range(3), range(5, 9)]):
        pass
print(*[f"{warning.category.__name__}: {warning.message}" for warning in told])
assert set(os.listdir()) <= {"code.py", ".store.lock", ".store.parts"}
"""

TWO_WRITERS = """
import subprocess, sys
from pathlib import Path
from latent_nmr._locks import sole_writer
from latent_nmr.errors import InputError

def attempt():
    try:
        with sole_writer(Path("model")):
            return "free"
    except InputError as error:
        return str(error)

if sys.argv[1:]:
    print(attempt())
    sys.exit()

command = [sys.executable, "code.py", "second"]
other = lambda: subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
for _ in range(2):
    assert other() == "free"
    with sole_writer(Path("model")):
        refusal = other()
        print(refusal)
        assert "model must have one writer at a time" in refusal
    assert other() == "free"
    try:
        with sole_writer(Path("model")):
            raise RuntimeError
    except RuntimeError:
        pass
"""


def run(code, folder, **environment):
    """Run Python code in `folder`; returns what it prints."""
    (folder / "code.py").write_text(code, "utf-8")
    finished = subprocess.run(
        [sys.executable, "code.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment},
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr.decode(errors="replace")
    return finished.stdout.decode("ascii" if environment else "utf-8")


class TestWithoutPosix:
    """Import, fit, save, load, simulate."""

    def test_models_and_stores_are_made_saved_and_read(self, tmp_path):
        # An encoding without Greek letters: files must name theirs, and printing must not fail.
        ascii_only = {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}
        run(WITHOUT_POSIX + FIT_SAVE_LOAD + SIMULATE_AND_READ, tmp_path, **ascii_only)
        assert not [path.name for path in tmp_path.glob(".*") if not path.name.endswith(".lock")]

    @pytest.mark.slow
    def test_every_module_is_imported(self, tmp_path):
        modules = [
            ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
            for path in sorted(PACKAGE.rglob("*.py"))
            if path.name != "__init__.py"
        ]
        code = "from importlib import import_module\nfor name in {0!r}: import_module(name)"
        run(WITHOUT_POSIX + code.format(modules), tmp_path)

    def test_a_letter_that_the_encoding_lacks_is_spelt(self, tmp_path):
        code = (
            "import sys\nfrom latent_nmr.commands.main import program\n"
            "sys.argv[1:] = ['--help']\nprogram()"
        )
        text = run(code, tmp_path, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
        assert "train a beta-VAE" in text


class TestLocks:
    """One writer at a time, by whatever the system has."""

    @pytest.mark.parametrize("system", ["Linux", "Windows", "neither", "disk without"])
    def test_a_second_process_is_refused_as_long_as_the_first_writes(self, tmp_path, system):
        preambles = {"Windows": WINDOWS_LOCKS, "neither": WITHOUT_LOCKS}
        preambles |= {"Linux": "", "disk without": FILE_SYSTEM_WITHOUT_LOCKS}
        preamble = preambles[system]
        printed = run(preamble + TWO_WRITERS, tmp_path)
        # Without locks of the system a killed writer leaves its file: the message names it.
        assert (".model.writing if its process was killed" in printed) == (
            system in ("neither", "disk without")
        )

    def test_writers_of_parts_are_told_that_a_disk_has_no_locks(self, tmp_path):
        printed = run(FILE_SYSTEM_WITHOUT_LOCKS + SEVERAL_WRITERS, tmp_path)
        assert printed.count("StoreWarning: ") == 1
        assert "no two processes write the same part" in printed
        assert not run(SEVERAL_WRITERS, tmp_path).strip()

    def test_parts_need_a_system_with_posix_locks(self, tmp_path):
        code = SEVERAL_WRITERS.replace(
            "with one_of", "import sys; sys.tracebacklimit = 0\n    with one_of"
        )
        with pytest.raises(AssertionError, match=r"only where the system has POSIX locks"):
            run(WITHOUT_LOCKS + code, tmp_path)


class TestPatientRename:
    """A file that another program holds open for a moment."""

    CODE = """
import sys
from pathlib import Path
from latent_nmr._files import rename
refusals = {refusals}
def hold(event, arguments):
    global refusals
    if event == "os.rename" and refusals:
        refusals -= 1
        raise PermissionError(13, "open elsewhere")
sys.addaudithook(hold)
Path("new").write_text("new")
Path("old").write_text("old")
try:
    rename(Path("new"), Path("old"), patience={patience})
except PermissionError:
    print("refused")
print(Path("old").read_text())
"""

    @pytest.mark.parametrize(
        ("refusals", "patience", "printed"),
        [(3, 10.0, "new"), (3, 0.0, "refused old"), (0, 0.0, "new")],
    )
    def test_it_is_tried_again_until_the_patience_ends(self, tmp_path, refusals, patience, printed):
        found = run(self.CODE.format(refusals=refusals, patience=patience), tmp_path)
        assert found.split() == printed.split()


def test_cores_are_counted_where_the_system_restricts_none(tmp_path):
    """Elsewhere every core is counted, and a machine that hides them has one."""
    code = """
import os
from latent_nmr._machine import available_cores
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
print(available_cores())
del os.sched_getaffinity
print(available_cores() == getattr(os, "process_cpu_count", os.cpu_count)())
os.process_cpu_count = lambda: None
print(available_cores())
"""
    assert run(code, tmp_path).split() == ["1", "True", "1"]


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"SLURM_CPUS_PER_TASK": "1", "SLURM_CPUS_ON_NODE": "2"}, "1"),
        ({"SLURM_CPUS_ON_NODE": "1"}, "1"),
        ({"SLURM_CPUS_PER_TASK": "100000"}, ""),
        ({"SLURM_CPUS_PER_TASK": "many"}, ""),
        ({"SLURM_CPUS_PER_TASK": "0"}, ""),
    ],
)
def test_a_job_of_slurm_uses_the_cores_it_was_given(tmp_path, settings, count):
    code = "from latent_nmr._machine import available_cores\nprint(available_cores())"
    found = run(code, tmp_path, **settings).strip()
    assert found == (count or str(len(os.sched_getaffinity(0))))
