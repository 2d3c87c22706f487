"""What this machine offers: asked in one place, because every system has its own question."""

import os


def available_cores() -> int:
    """Processor cores this process may use; at least 1.

    Linux can restrict a process to some of the cores and says to which; elsewhere all cores of
    the machine are counted, or those that ``PYTHON_CPU_COUNT`` allows (Python 3.13 and later).
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    count = getattr(os, "process_cpu_count", os.cpu_count)()
    return count or 1
