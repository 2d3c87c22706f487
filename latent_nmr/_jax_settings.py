"""JAX's settings inside our own code: a seed means the same numbers in every process.

Which random numbers a key gives depends on settings of the process (``jax_threefry_partitionable``,
``jax_default_prng_impl``, ``jax_enable_x64``, ``jax_random_seed_offset``), which a notebook, an
environment variable or another package may change. So do promotion rules and the precision of
products. Whatever draws or computes here runs under settings of its own, for its thread and its
time only; those of the caller stay as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp

KEY_IMPLEMENTATION = "threefry2x32"
# What a store says of its random numbers; another way of drawing must be called something else.
RANDOM_NUMBERS = f"{KEY_IMPLEMENTATION}, partitionable"


@contextmanager
def own_settings(*, double: bool = False) -> Iterator[None]:
    """Set what decides numbers, as a context or as a decorator of a function.

    JAX keeps these settings per thread: a function that runs in a pool needs them there.

    Parameters
    ----------
    double : bool
        Compute in float64 rather than in float32.
    """
    with (
        jax.enable_x64(double),
        jax.threefry_partitionable(True),
        jax.default_prng_impl(KEY_IMPLEMENTATION),
        jax.default_matmul_precision(None),
        jax.numpy_dtype_promotion("standard"),
        jax.numpy_rank_promotion("allow"),
        # Not numbers, but refusals: a frozen line is one key used for every curve, on purpose.
        jax.debug_key_reuse(False),
        jax.transfer_guard("allow"),
    ):
        yield


@own_settings()
def seed_key(seed: int) -> jax.Array:
    """Key of a seed below 2**32; ``jax.random.key`` under JAX's own defaults gives the same.

    Written out, as ``jax_random_seed_offset`` has no context of its own.
    """
    data = jnp.array([0, seed], jnp.uint32)
    return jax.random.wrap_key_data(data, impl=KEY_IMPLEMENTATION)
