"""What a simulation will cost, before it starts."""

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from latent_nmr.data.echoes import ALL_SIGNALS, LABELS, SIGNALS
from latent_nmr.errors import InputError
from latent_nmr.physics.devices import batch_size, count_workers, on_cpu
from latent_nmr.physics.simulate import Simulation, planned_evaluations, simulate_curves

# Curves whose steps are planned to learn the mean cost of all: its error is below 10 %.
N_PLANNED = 96
# Files of labels and flags beside those of the curves. What compression saves is not counted.
OVERHEAD = 1.05


@dataclass(frozen=True)
class Estimate:
    """Expected cost of simulating some curves.

    Attributes
    ----------
    seconds : float
        Wall time with this machine's devices, compilation apart.
    n_bytes : int
        On disk, at most.
    evaluations : float
        Mean number of mean-field evaluations per curve.
    """

    seconds: float
    n_bytes: int
    evaluations: float

    def sentence(self) -> str:
        """Return the estimate in words."""
        return (
            f"about {_duration(self.seconds)} and {_size(self.n_bytes)}, "
            f"{self.evaluations:.0f} field evaluations per curve"
        )


def estimate_cost(simulation: Simulation, n_curves: int) -> Estimate:
    """Time a few curves of a data set and scale up.

    Simulates one curve per device or core twice, the first time to compile.
    """
    evaluations = planned_evaluations(simulation, range(min(n_curves, N_PLANNED)))
    # Curves alike are timed, so that the same program runs on every core.
    n_timed = count_workers() if on_cpu() else min(batch_size(), n_curves)
    common = max(set(evaluations), key=evaluations.count)
    rows = [i for i, count in enumerate(evaluations) if count == common]
    rows = (rows * n_timed)[:n_timed]
    simulate_curves(simulation, rows)
    start = time.perf_counter()
    simulate_curves(simulation, rows)
    per_evaluation = (time.perf_counter() - start) / (n_timed * common)
    mean = sum(evaluations) / len(evaluations)
    return Estimate(per_evaluation * mean * n_curves, store_size(simulation, n_curves), mean)


def store_size(simulation: Simulation, n_curves: int) -> int:
    """Bytes that a store takes at most."""
    n_signals = len(ALL_SIGNALS if simulation.with_mz else SIGNALS)
    n_samples = simulation.resolve().sequence.n_samples
    return int(OVERHEAD * n_curves * (4 * n_signals * n_samples + 8 * len(LABELS)))


def check_space(path: Path, n_bytes: int) -> None:
    """Refuse to start what will not fit on the disk of `path`."""
    folder = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise InputError(
            f"{path} must fit on its disk, but may take {_size(n_bytes)} and {_size(free)} are "
            "free. Free space, ask for fewer curves, or choose another path."
        )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _size(n_bytes: float) -> str:
    power = min(int(math.log10(max(n_bytes, 1000)) // 3), 4)
    return f"{n_bytes / 1000**power:.3g} {('', 'kB', 'MB', 'GB', 'TB')[power]}"
