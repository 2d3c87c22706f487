"""Settings that hold for every test."""

import os
from pathlib import Path

from hypothesis import settings

# Tests of the simulator force nothing on JAX but this: shapes must match on purpose.
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("MPLBACKEND", "Agg")

# Compiled programs are shared by the workers and by the commands that tests start.
CACHE = Path(__file__).parents[1] / ".pytest_cache" / "jax"
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")


# The first example of a property compiles; a deadline would time the compiler.
settings.register_profile("compiled", deadline=None)
settings.load_profile("compiled")
