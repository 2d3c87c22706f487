"""Distribution of lattices over the local devices: CPU cores or accelerators.

On a CPU one lattice is one task: its arrays then stay in the core's cache, and a curve is
bit-identical whatever else is simulated with it. An accelerator gets many lattices at once.
"""

import queue
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from latent_nmr._environment import check_devices
from latent_nmr._jax_settings import own_settings
from latent_nmr._machine import available_cores
from latent_nmr.physics.propagate import Lattice, record
from latent_nmr.physics.schedule import Plan, Program, Timing, field_evaluations, timing_of

# Lattices in one call on an accelerator: 512 of 100² with all their arrays take about 2 GB.
ACCELERATOR_BATCH = 512
# On a CPU every core has a lattice of its own: XLA need not cut its loops for several threads,
# which would send the arrays from one core's cache to another's. It is to use wide registers, too.
ONE_CORE = {
    "xla_disable_hlo_passes": "cpu-parallel-task-assigner",
    "xla_cpu_prefer_vector_width": 512,
}


@partial(jax.jit, static_argnames="program", compiler_options=ONE_CORE)
def _record_one(lattice: Lattice, timing: Timing, program: Program) -> jax.Array:
    return record(lattice, timing, program)


@partial(jax.jit, static_argnames="program")
def _record_many(lattices: Lattice, timing: Timing, program: Program) -> jax.Array:
    return jax.vmap(lambda lattice: record(lattice, timing, program))(lattices)


def on_cpu() -> bool:
    """Whether JAX computes on the CPU here."""
    check_devices()
    return jax.default_backend() == "cpu"


def count_workers() -> int:
    """How many tasks run at a time: one per accelerator, or per core that we may use."""
    n_devices = len(jax.local_devices())
    return max(n_devices, available_cores()) if on_cpu() else n_devices


def batch_size() -> int:
    """How many curves to ask for at once, so that all local devices are busy."""
    return 16 if on_cpu() else ACCELERATOR_BATCH * len(jax.local_devices())


def run_lattices(
    lattices: Sequence[Lattice], plans: Sequence[Plan], dtype: str
) -> npt.NDArray[np.floating]:
    """Record every lattice by its plan.

    Parameters
    ----------
    lattices : sequence of Lattice of ndarray
    plans : sequence of Plan
        One for each; their records must be equally long.
    dtype : {"float32", "float64"}

    Returns
    -------
    ndarray of `dtype`, shape (n_curves, n_samples, 3)
    """
    by_plan = defaultdict(list)
    for row, plan in enumerate(plans):
        # Lattices with and without relaxation are of two programs.
        by_plan[plan, lattices[row].relaxation is None].append(row)
    check_devices()
    devices = jax.local_devices()
    tasks = []
    for (plan, _), rows in by_plan.items():
        size = 1 if on_cpu() else min(ACCELERATOR_BATCH, -(-len(rows) // len(devices)))
        tasks += [(plan, rows[start : start + size]) for start in range(0, len(rows), size)]
    # The longest first, so that no core waits at the end for another's last curve.
    tasks.sort(key=lambda task: -field_evaluations(task[0]))
    n_workers = count_workers()
    free = queue.SimpleQueue()
    for worker in range(n_workers):
        free.put(devices[worker % len(devices)])

    def run(task: tuple[Plan, list[int]]) -> npt.NDArray[np.floating]:
        device = free.get()
        try:
            return _run_task([lattices[row] for row in task[1]], task[0], dtype, device)
        finally:
            free.put(device)

    with ThreadPoolExecutor(min(n_workers, len(tasks))) as pool:
        parts = list(pool.map(run, tasks))
    signal = np.empty((len(lattices), *parts[0].shape[1:]), dtype)
    for (_, rows), part in zip(tasks, parts, strict=True):
        signal[rows] = part
    return signal


def _run_task(
    lattices: list[Lattice], plan: Plan, dtype: str, device: Any
) -> npt.NDArray[np.floating]:
    """Record lattices of one plan on one device, shape (n_lattices, n_samples, 3)."""
    timing = timing_of(plan, dtype)
    with own_settings(double=dtype == "float64"):
        if on_cpu():
            (lattice,) = lattices
            arrays = jax.tree.map(lambda a: np.asarray(a, dtype), lattice), timing
            return np.asarray(_record_one(*jax.device_put(arrays, device), plan.program))[None]
        # Padded to a power of two: few sizes, few compilations.
        n_padded = 1 << (len(lattices) - 1).bit_length()
        padded = lattices + lattices[:1] * (n_padded - len(lattices))
        stacked = jax.tree.map(lambda *rows: np.stack(rows).astype(dtype), *padded)
        arrays = jax.device_put((stacked, timing), device)
        return np.asarray(_record_many(*arrays, plan.program))[: len(lattices)]
