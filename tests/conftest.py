"""Settings that hold for every test."""

import gc
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

# Tests of the simulator force nothing on JAX but this: shapes must match on purpose.
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("MPLBACKEND", "Agg")

# Threads of fits this small do little but wait for each other, and spin while they wait: the four
# calls of the command `axes` took 17 s of CPU time with two threads and 3 s with one. Each worker
# has a core of its own. Set before NumPy is loaded, and inherited by commands that tests start.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# JAX's tracing makes many small objects that live on: looking for cycles among them took 7 % of
# the CPU time of two files of tests at the default of 700 new objects, and 2 % at this one.
gc.set_threshold(50_000, 20, 20)

# Compiled programs are kept in the user's cache folder, where workers, the commands that tests
# start and later clones find them. JAX names an entry by program, version and compiler options.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "latent_nmr" / "tests"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE / "jax"))
# Many programs of the tests are small, and reading one takes less time than compiling it: with
# programs of under 0.2 s left out, two files of tests took 17 s of CPU time instead of 10 s.
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
# Most of a first run is compilers' work. With all of XLA's optimisations the tests of propagation
# took 70 s of CPU time, without most 53 s, and 28 s with its older emitters of fused loops as well.
# Where most are asked for (0), all are made, as users' programs have them.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "1" and "XLA_FLAGS" not in os.environ:
    flag = "--xla_cpu_use_fusion_emitters=false"
    # A release of XLA that does not know a flag ends the process: another one tries it.
    trial = [sys.executable, "-c", "from jaxlib import xla_client; xla_client.CompileOptions()"]
    if not subprocess.run(
        trial, env={**os.environ, "XLA_FLAGS": flag}, capture_output=True, check=False
    ).returncode:
        os.environ["XLA_FLAGS"] = flag
KEPT_DAYS = 30

# Tests start many interpreters: each would compile the package's source again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The first example of a property compiles; a deadline would time the compiler.
settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=300)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Linux gives a process 65,530 mapped regions by default, and every compiled program takes several:
# a worker of this suite came to 57,000 before a quarter of the tests, and beyond the limit XLA ends
# it with a segmentation fault, in whatever test is next.
MAPS = Path("/proc/self/maps")
MOST_MAPS = 30_000


@pytest.fixture(autouse=True, scope="module")
def room_for_programs():
    """Let programs of earlier files go once there are many; the next files read theirs again."""
    if "jax" in sys.modules and MAPS.exists() and MAPS.read_bytes().count(b"\n") > MOST_MAPS:
        sys.modules["jax"].clear_caches()
        gc.collect()


# Files that take longest start first, so that no worker ends long after the others.
FIRST = ("test_wheel.py", "test_portable.py", "commands", "studies", "models", "physics")


def pytest_collection_modifyitems(items):
    """Order whole files: rooms and files of `FIRST`, then the others."""
    tests = Path(__file__).parent

    def rank(item):
        room = item.path.relative_to(tests).parts[0]
        return FIRST.index(room) if room in FIRST else len(FIRST)

    items.sort(key=rank)


def pytest_configure(config):
    """Remove kept programs that no run has used for long, and those whose writer was killed."""
    if hasattr(config, "workerinput"):
        return
    oldest = time.time() - KEPT_DAYS * 24 * 3600
    for entry in (CACHE / "jax").glob("*-cache"):
        with suppress(FileNotFoundError):  # another run may remove the same
            found = entry.stat()
            if not found.st_size or max(found.st_atime, found.st_mtime) < oldest:
                entry.unlink()
