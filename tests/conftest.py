"""Settings that hold for every test."""

import os

from hypothesis import settings

# Tests of the simulator force nothing on JAX but this: shapes must match on purpose.
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("MPLBACKEND", "Agg")


# The first example of a property compiles; a deadline would time the compiler.
settings.register_profile("compiled", deadline=None)
settings.load_profile("compiled")
