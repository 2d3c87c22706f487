"""JAX's settings inside our own code: a seed means the same numbers in every process.

Which random numbers a key gives depends on settings of the process (``jax_threefry_partitionable``,
``jax_default_prng_impl``, ``jax_enable_x64``, ``jax_random_seed_offset``), which a notebook, an
environment variable or another package may change. So do promotion rules and the precision of
products. Whatever draws or computes here runs under settings of its own, for its thread and its
time only; those of the caller stay as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from latent_nmr._environment import check_devices
from latent_nmr.errors import InputError

KEY_IMPLEMENTATION = "threefry2x32"
# What a store says of its random numbers; another way of drawing must be called something else.
RANDOM_NUMBERS = f"{KEY_IMPLEMENTATION}, partitionable"


@contextmanager
def own_settings(*, double: bool = False, on_cpu: bool = False) -> Iterator[None]:
    """Set what decides numbers, as a context or as a decorator of a function.

    JAX keeps these settings per thread: a function that runs in a pool needs them there.

    Parameters
    ----------
    double : bool
        Compute in float64 rather than in float32.
    on_cpu : bool
        Compute on the CPU where JAX has it: what is drawn is then the same to the bit beside a GPU,
        whose functions round differently.

    Raises
    ------
    InputError
        If JAX has no device to compute on, as with ``JAX_PLATFORMS=cuda`` where there is no GPU.
    """
    _check_devices_once()
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
        jax.default_device(_cpu()) if on_cpu else nullcontext(),
    ):
        yield


@cache
def _cpu() -> Any:
    """First CPU, or None, JAX's own choice, where ``JAX_PLATFORMS`` leaves CPUs out."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return None


@cache
def _check_devices_once() -> None:
    """The first use of JAX is here: a device that there is not is told of in one line."""
    check_devices()


@own_settings()
def seed_key(seed: int) -> jax.Array:
    """Key of a seed below 2**32; ``jax.random.key`` under JAX's own defaults gives the same.

    Written out, as ``jax_random_seed_offset`` has no context of its own.
    """
    data = jnp.array([0, seed], jnp.uint32)
    return jax.random.wrap_key_data(data, impl=KEY_IMPLEMENTATION)


def typed_key(key: Any) -> jax.Array:
    """A user's key, which then says how it was made, or raise `InputError`.

    Keys of the old kind are arrays of two or four whole numbers and do not say it: they are those
    of the caller's settings, and have to come here before `own_settings`.
    """
    dtype = getattr(key, "dtype", None)
    if dtype is not None and jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return key
    own = jax.config.jax_default_prng_impl  # type: ignore[attr-defined]
    # The implementations are known by the length; two of them have four numbers.
    made_by = {(2,): KEY_IMPLEMENTATION, (4,): own if own.endswith("rbg") else "rbg"}
    shape = getattr(key, "shape", None)
    if dtype == jnp.uint32 and shape in made_by:
        return jax.random.wrap_key_data(key, impl=made_by[shape])
    raise InputError(f"key must be a JAX key, but is {key!r:.60}. Make it with jax.random.key(0).")
