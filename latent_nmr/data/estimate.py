"""What a simulation will cost, before it starts: nothing is simulated, and little compiled."""

import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from latent_nmr.data._variables import ALL_SIGNALS, LABELS, SIGNALS
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation, planned_evaluations
from latent_nmr.physics.yardstick import transform_seconds

# Curves whose steps are planned to learn the mean cost of all, which is then known to about 10 %:
# fewer on large lattices, but some, as kernels take turns.
MOST_PLANNED, SITES_PLANNED, LEAST_PLANNED = 24, 240_000, 3
# Time of a field evaluation with its step, and of a sample noted, over that of the transforms.
PER_EVALUATION = {"averaged": 2.1, "midpoint": 2.1, "source": 1.9}
PER_SAMPLE = 0.05
# Files of labels and flags beside those of the curves. What compression saves is not counted.
OVERHEAD = 1.05


@dataclass(frozen=True)
class Estimate:
    """Expected cost of simulating some curves.

    Attributes
    ----------
    seconds : float
        Wall time with this machine's devices, compilation apart; good to a factor of two.
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
    """Plan some curves of a data set, time the machine, and scale up."""
    preset = simulation.resolve()
    n_sites, n_samples = preset.n_edge**2, preset.sequence.n_samples
    n_planned = max(min(MOST_PLANNED, SITES_PLANNED // n_sites), LEAST_PLANNED)
    indices = range(min(n_curves, n_planned))
    planned_evaluations(simulation, indices[:1])  # compiles
    start = time.perf_counter()
    evaluations = planned_evaluations(simulation, indices)
    planning = (time.perf_counter() - start) / len(indices)
    mean = sum(evaluations) / len(evaluations)
    n_records = (2 if simulation.has_tolerance else 1) * len(preset.sequences)
    transforms = PER_EVALUATION[simulation.scheme] * mean + PER_SAMPLE * n_records * n_samples
    seconds = transforms * transform_seconds(preset.n_edge, simulation.dtype, n_curves)
    return Estimate((planning + seconds) * n_curves, store_size(simulation, n_curves), mean)


def store_size(simulation: Simulation, n_curves: int) -> int:
    """Bytes that a store takes at most."""
    n_signals = len(ALL_SIGNALS if simulation.with_mz else SIGNALS)
    sequences = simulation.resolve().sequences
    n_values = n_signals * len(sequences) * sequences[0].n_samples
    return int(OVERHEAD * n_curves * (4 * n_values + 8 * len(LABELS)))


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
