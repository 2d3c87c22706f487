"""Wall times of functions that take turns, and the machine that they were measured on."""

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from statistics import median
from typing import Any

from latent_nmr._machine import available_cores
from latent_nmr.models.inference import device_name

PACKAGES = ("jax", "flax", "optax", "numpy", "scikit-learn")


def seconds(function: Callable[[], Any]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def spread(times: Sequence[float]) -> dict[str, float]:
    """Median, least and largest of some times: `median_s`, `min_s`, `max_s`."""
    return {"median_s": median(times), "min_s": min(times), "max_s": max(times)}


def times_in_turns(
    contenders: Mapping[str, Callable[[], Any]], repeats: int, *, warm_up: bool = True
) -> dict[str, list[float]]:
    """Wall times of functions that take turns, so that other load on the machine hits them alike.

    Parameters
    ----------
    contenders : mapping of callable
    repeats : int
        Times that each is measured.
    warm_up : bool
        Whether each is called once before, which is not counted: compilation, for one.

    Returns
    -------
    dict of list of float
        Seconds, by the names of `contenders`.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values() if warm_up else ():
        run()
    for _ in range(repeats):
        for name, run in contenders.items():
            times[name].append(seconds(run))
    return times


def in_turns(
    contenders: Mapping[str, Callable[[], Any]], repeats: int, *, warm_up: bool = True
) -> dict[str, dict[str, float]]:
    """The `spread` of each of the :func:`times_in_turns`."""
    times = times_in_turns(contenders, repeats, warm_up=warm_up)
    return {name: spread(own) for name, own in times.items()}


def n_cores() -> int:
    """Processor cores that this process may use."""
    return available_cores()


def machine(more_packages: Sequence[str] = ()) -> dict[str, Any]:
    """Device, processor architecture and versions of Python and of what computes."""
    return {
        "device": device_name(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in (*PACKAGES, *more_packages)},
    }
