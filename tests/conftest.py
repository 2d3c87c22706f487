"""Settings that hold for every test."""

import os

# Tests of the simulator force nothing on JAX but this: shapes must match on purpose.
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
os.environ.setdefault("MPLBACKEND", "Agg")
