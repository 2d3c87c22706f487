"""How fast this machine is: the Fourier transforms of a mean field, timed on the spot.

They are the part of a field evaluation that compiles in no time; the rest goes with them.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np

from latent_nmr._jax_settings import own_settings
from latent_nmr.physics.devices import batch_size, count_workers, on_cpu

# Shortest work that is timed, s, and how often: the shortest time counts, since other work on the
# machine comes and goes.
LEAST_SECONDS, N_TIMES = 0.01, 5


@jax.jit
def _transformed(
    planar: jax.Array, upright: jax.Array, n: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Spins in the plane, as complex numbers, and along z taken n times to waves and back."""

    def there_and_back(_, spins):
        planar, upright = spins
        back = jnp.fft.irfft2(jnp.fft.rfft2(upright), s=upright.shape[-2:])
        return jnp.fft.ifft2(jnp.fft.fft2(planar)), back

    return jax.lax.fori_loop(0, n, there_and_back, (planar, upright))


def transform_seconds(n_edge: int, dtype: str, n_lattices: int) -> float:
    """Wall time of the transforms of one mean field, with all local devices at work.

    Parameters
    ----------
    n_edge : int
        Lattice edge, in sites.
    dtype : {"float32", "float64"}
    n_lattices : int
        How many there are to simulate: an accelerator does no more at once.
    """
    devices, n_workers = jax.local_devices(), count_workers()
    size = 1 if on_cpu() else min(batch_size() // len(devices), n_lattices)
    upright = np.zeros((size, n_edge, n_edge), dtype)
    planar = upright * (1 + 1j)

    def work(worker: int, n: int) -> None:
        with own_settings(double=dtype == "float64"):
            spins = planar.astype(np.result_type(dtype, np.complex64)), upright
            placed = jax.device_put((*spins, np.int32(n)), devices[worker % len(devices)])
            jax.block_until_ready(_transformed(*placed))

    with ThreadPoolExecutor(n_workers) as pool:

        def seconds(n: int) -> float:
            start = time.perf_counter()
            list(pool.map(work, range(n_workers), [n] * n_workers))
            return time.perf_counter() - start

        seconds(0)  # compiles
        n = 1
        while seconds(n) < LEAST_SECONDS:
            n *= 2
        return min(seconds(n) for _ in range(N_TIMES)) / (n * n_workers * size)
