"""What this machine offers: asked in one place, because every system has its own question."""

import os


def available_cores() -> int:
    """Processor cores this process may use; at least 1.

    Linux can restrict a process to some of the cores and says to which; elsewhere all cores of
    the machine are counted, or those that ``PYTHON_CPU_COUNT`` allows (Python 3.13 and later).
    A job of Slurm uses no more than it was given, also where Slurm does not enforce it.
    """
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = getattr(os, "process_cpu_count", os.cpu_count)() or 1
    given = os.environ.get("SLURM_CPUS_PER_TASK") or os.environ.get("SLURM_CPUS_ON_NODE", "")
    return min(count, int(given)) if given.isdecimal() and int(given) else count
