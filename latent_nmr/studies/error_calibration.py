"""Whether estimated errors of simulated curves are true, on lattices drawn to be hard.

Nobody calibrated a rule for steps on these: few sites, nearest-neighbour to uniform kernels,
unequal couplings of both signs, tilted and odd pulses, trains, lines of two components, dephasing,
rare samples, motions in which small errors grow. The reference is a float64 run whose steps are
halved until it has converged.
"""

import math
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Rows
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from latent_nmr.errors import StepWarning
from latent_nmr.physics.guess import roughness
from latent_nmr.physics.kernels import distance_grid
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.search import Curve
from latent_nmr.physics.sequence import Pulse, Sequence

# Edges and how often they are drawn. One number of samples for long and one for short records:
# programs are compiled for each.
EDGES = {10: 0.25, 16: 0.25, 24: 0.25, 40: 0.2, 100: 0.04, 200: 0.01}
N_SAMPLES = (240, 900)
INTERVALS = (0.16, 0.32, 0.64, 1.3)
KERNELS = ("nearest", "mixed", "gaussian, short", "gaussian", "power", "rkky", "uniform")
LINES = ("lorentzian", "gaussian", "two components", "narrow")
SEQUENCES = ("echo", "tilted", "train", "odd")
# A kernel whose sum is a smaller share of Σ|K| than this is not drawn: 1/κ is then arbitrary.
LEAST_SUM = 0.15
# The reference has converged where halving its steps changes it by less; it is given up where that
# would take more site samples than this.
CONVERGED, MOST_WORK = 1e-5, 1e9


class HardLattice(NamedTuple):
    """One lattice of the calibration, with the names of what it was drawn from.

    Attributes
    ----------
    curve : Curve
        What decides its steps; its losses are dephasing alone.
    facts : dict
        `n_edge`, `kernel`, `line`, `sequence`, `interval_us`, `strength_MHz`, `roughness`.
    """

    curve: Curve
    facts: dict[str, Any]

    def simulated(self, **settings: Any) -> Any:
        """Its curve, with settings of `simulate_lattices`."""
        own = self.curve
        rows = own.frequencies[None], own.table[None], own.couplings[None], own.sequence
        return simulate_lattices(*rows, decay_rate=own.decay_rate, **settings)


def draw_lattice(rng: np.random.Generator) -> HardLattice:
    """Draw a lattice that is hard to simulate."""
    n_edge = int(rng.choice(list(EDGES), p=list(EDGES.values())))
    kernel, table = _draw_kernel(rng, n_edge)
    strength = 10 ** rng.uniform(-2, -0.3)
    couplings = rng.normal(size=3)
    if rng.random() < 0.3:
        couplings[1] = couplings[0]
    if rng.random() < 0.4:
        couplings = np.abs(couplings)
    couplings *= strength / np.abs(couplings).sum()
    line, frequencies = _draw_line(rng, n_edge)
    pulses, sequence = _draw_sequence(rng)
    decay_rate = 10 ** rng.uniform(-3.5, -1.5) if rng.random() < 0.25 else 0.0
    facts = {
        "n_edge": n_edge,
        "kernel": kernel,
        "line": line,
        "sequence": pulses,
        "interval_us": sequence.dt,
        "strength_MHz": strength,
        "roughness": roughness(table),
    }
    return HardLattice(Curve(frequencies, table, couplings, decay_rate, sequence), facts)


def _draw_kernel(rng: np.random.Generator, n_edge: int) -> tuple[str, npt.NDArray[np.float64]]:
    distance = distance_grid(n_edge)
    apart = np.where(distance > 0, distance, 1.0)
    while True:
        name = str(rng.choice(KERNELS))
        u = rng.uniform()
        x = 2 * apart / (3 + 49 * u)
        table = {
            "nearest": np.where(apart < 1.1, 1.0, 0.0),
            "mixed": np.where(apart < 1.1, 1.0, np.where(apart < 1.5, -0.5, 0.0)),
            "gaussian, short": np.exp(-((apart / (0.8 + 2.2 * u)) ** 2)),
            "gaussian": np.exp(-((apart / (4 + 28 * u)) ** 2)),
            "power": apart ** -(0.5 + 5.5 * u),
            "rkky": (x * np.cos(x) - np.sin(x)) / x**4,
            "uniform": np.ones_like(apart),
        }[name]
        table = np.where(distance > 0, table, 0.0)
        if abs(table.sum()) >= LEAST_SUM * np.abs(table).sum():
            return name, table


def _draw_line(rng: np.random.Generator, n_edge: int) -> tuple[str, npt.NDArray[np.float64]]:
    name, size = str(rng.choice(LINES)), (n_edge, n_edge)
    if name == "lorentzian":
        return name, 0.025 * np.tan(math.atan(20) * rng.uniform(-1, 1, size))
    if name == "two components":
        offset, share = 10 ** rng.uniform(-1.5, -0.2), rng.uniform(0.05, 0.6)
        return name, np.where(rng.uniform(size=size) < share, offset, 0) + rng.normal(0, 0.01, size)
    width = 1e-3 if name == "narrow" else 10 ** rng.uniform(-2.3, -1)
    return name, rng.normal(0, width, size)


def _draw_sequence(rng: np.random.Generator) -> tuple[str, Sequence]:
    interval, n_samples = float(rng.choice(INTERVALS)), int(rng.choice(N_SAMPLES))
    if n_samples * interval > 400:  # µs
        n_samples = min(N_SAMPLES)
    name, quarter = str(rng.choice(SEQUENCES)), math.pi / 2
    second = int(n_samples * rng.uniform(0.2, 0.45))
    if name == "echo":
        pulses = [(0, quarter, 0.0), (second, math.pi, quarter)]
    elif name == "tilted":
        angle = math.radians(rng.uniform(15, 165))
        pulses = [(0, angle, 0.0), (second, 2 * angle, float(rng.choice([0.0, quarter])))]
    elif name == "train":
        spacing = n_samples // 7
        first = quarter if rng.random() < 0.7 else 1.2
        pulses = [(0, first, 0.0)] + [(spacing * k, math.pi, quarter) for k in (1, 3, 5)]
    else:
        starts = [0, *(int(n_samples * share) for share in (0.25, 0.6, 0.8))]
        pulses = [(start, rng.uniform(0.3, 3), rng.uniform(0, 6)) for start in starts]
    return name, Sequence(interval, n_samples, tuple(Pulse(*pulse) for pulse in pulses))


def converged_curve(lattice: HardLattice) -> npt.NDArray[np.float64] | None:
    """Curve of a lattice, extrapolated from its two finest runs; None if it did not converge."""
    own = lattice.curve
    order = 2 if own.decay_rate else 3
    work, before, halvings = own.frequencies.size * own.sequence.n_samples, None, 0
    while halvings < 10 and work * 2**halvings < MOST_WORK:
        (curve,) = lattice.simulated(step=0.5**halvings, dtype="float64")
        if before is not None and np.abs(curve - before).max() < CONVERGED:
            return curve + (curve - before) / (2**order - 1)
        before, halvings = curve, halvings + 1
    return None


def draw_lattices(n_lattices: int, random_state: int = 1) -> Iterator[HardLattice]:
    """Draw lattices that are hard to simulate."""
    rng = np.random.default_rng(random_state)
    return (draw_lattice(rng) for _ in range(n_lattices))


def calibrate(lattices: Iterable[HardLattice], tolerance: float = 1e-3) -> Iterator[dict]:
    """Estimated and true errors of lattices, one record each.

    Parameters
    ----------
    lattices : iterable of HardLattice
    tolerance : float
        Of the simulation, in float32.

    Yields
    ------
    dict
        The facts of the lattice, `estimate`, `error` (None where the reference did not converge)
        and `seconds` of the simulation.
    """
    for lattice in lattices:
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StepWarning)
            signal, estimates = lattice.simulated(tolerance=tolerance, return_error=True)
        seconds = time.perf_counter() - start
        exact = converged_curve(lattice)
        error = None if exact is None else float(np.abs(signal[0] - exact).max())
        yield {**lattice.facts, "estimate": estimates[0], "error": error, "seconds": seconds}


def calibration_summary(records: Rows[Mapping[str, Any]], tolerance: float = 1e-3) -> pd.DataFrame:
    """Shares of curves that keep what is promised, of all and by kernel, line and sequence.

    Returns
    -------
    DataFrame
        One row for all and for each family: `n`; `met`, the share whose estimate is within the
        tolerance; of these, where the reference is known, `within` it by their true error;
        `within_two_estimates`, and the 50th and 99th percentiles of error over estimate.
    """
    table = pd.DataFrame(records).astype({"error": float})
    families = [("all", "all", table)]
    for name in ("kernel", "line", "sequence"):
        families += [(name, value, part) for value, part in table.groupby(name)]
    rows = []
    for name, value, part in families:
        is_met = part["estimate"] <= tolerance
        known = part[is_met & part["error"].notna()]
        ratio = known["error"] / known["estimate"]
        rows.append(
            {
                "family": name,
                "value": value,
                "n": len(part),
                "met": is_met.mean(),
                "within": (known["error"] <= tolerance).mean(),
                "within_two_estimates": (ratio <= 2).mean(),
                "ratio_50": ratio.median(),
                "ratio_99": ratio.quantile(0.99),
            }
        )
    return pd.DataFrame(rows)


def calibration_result(records: Rows[Mapping[str, Any]], random_state: int = 1) -> dict[str, Any]:
    """Records of :func:`calibrate` and their summary, for a JSON file."""
    table = calibration_summary(records).astype(object)
    return {
        "random_state": random_state,
        "tolerance": 1e-3,
        "summary": table.where(table.notna(), None).to_dict("records"),
        "lattices": list(records),
    }
