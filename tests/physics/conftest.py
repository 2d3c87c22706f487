"""Fixtures of the simulator's tests."""

import jax
import pytest


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    """Run a test in both precisions; yields the name of the current one."""
    with jax.enable_x64(request.param == "float64"):
        yield request.param
