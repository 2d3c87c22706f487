"""Speed of the simulator over lattice edges, and beside the algorithm of its source."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.line import Line, draw_frequencies
from latent_nmr.physics.liouville import liouville_curve
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.simulate import Simulation, planned_evaluations, simulate_curves
from latent_nmr.physics.yardstick import transform_seconds
from latent_nmr.studies.accuracy import Lattices, converged, largest_errors
from latent_nmr.studies.speed.timing import seconds, spread, times_in_turns

COUPLINGS = (0.1, 0.1, 0.1)
# Products of float32 100 × 100 matrices: a unit of time of the machine itself.
YARDSTICK_PRODUCTS = 942 * 12
# In samples: about that of most curves of `paper`.
FIXED_STEP = 6


def paper_times(n_curves: int, repeats: int, n_edge: int | None = None) -> dict[str, Any]:
    """Seconds per curve and per field evaluation of `paper`, beside two yardsticks.

    Parameters
    ----------
    n_curves : int
    repeats : int
    n_edge : int, optional
        Another one than that of the preset.

    Returns
    -------
    dict
        `tolerance` and `fixed_step`: each with `per_curve`, `evaluations_mean` (those planned: what
        curves need beyond the first guess is in the time, but not in the number),
        `per_evaluation_s`, and the medians of the time over those of matrix products
        (`yardstick_multiple`) and of its own Fourier transforms alone (`transforms_multiple`).
        `yardstick` and `transforms` (of one field evaluation), in s; `load`, before and after.
    """
    settings = {"tolerance": {}, "fixed_step": {"step": FIXED_STEP}}
    simulations = {
        name: Simulation("paper", seed=2026, n_edge=n_edge, **own) for name, own in settings.items()
    }
    resolved, indices = simulations["tolerance"].resolve(), range(n_curves)
    measured: list[float] = []
    contenders: dict[str, Callable[[], Any]] = {
        name: lambda own=own: simulate_curves(own, indices) for name, own in simulations.items()
    }
    for run in contenders.values():
        run()  # compiles
    contenders["yardstick"] = yardstick
    contenders["transforms"] = lambda: measured.append(
        transform_seconds(resolved.n_edge, "float32", n_curves)
    )
    before = os.getloadavg()
    times = times_in_turns(contenders, repeats, warm_up=False)
    found: dict[str, Any] = {
        "n_curves": n_curves,
        "yardstick": spread(times["yardstick"]),
        "transforms": spread(measured),
        "load": {"before": before, "after": os.getloadavg()},
    }
    for name, simulation in simulations.items():
        own = [time / n_curves for time in times[name]]
        evaluations = float(np.mean(planned_evaluations(simulation, indices)))
        beside = {"yardstick": times["yardstick"], "transforms": np.multiply(measured, evaluations)}
        found[name] = {
            "per_curve": spread(own),
            "evaluations_mean": evaluations,
            "per_evaluation_s": float(np.median(own)) / evaluations,
        } | {
            f"{key}_multiple": float(np.median(np.divide(own, unit)))
            for key, unit in beside.items()
        }
    return found


def yardstick() -> None:
    """Multiply float32 100 × 100 matrices, 942 × 12 times."""
    rng = np.random.default_rng(0)
    a = (rng.standard_normal((100, 100)) / 10).astype(np.float32)
    out = np.empty_like(a)
    for _ in range(YARDSTICK_PRODUCTS):
        np.matmul(a, a, out=out)


def times_by_edge(edges: Sequence[int], repeats: int) -> Iterator[dict[str, Any]]:
    """Seconds per curve of lattices of some edges: Gaussian ξ = 8, every step eight samples."""
    for n_edge in edges:
        n_curves = max(os.cpu_count() or 1, 400 // n_edge)
        lattices = _lattices("gaussian", 8.0, n_edge, offset_maps(n_edge, n_curves))
        simulate_lattices(*lattices, step=8)
        times = [
            seconds(lambda own=lattices: simulate_lattices(*own, step=8)) / n_curves
            for _ in range(repeats)
        ]
        yield {"n_edge": n_edge} | spread(times)


def beside_source(edges: Sequence[int], repeats: int) -> Iterator[dict[str, Any]]:
    """Times and errors of both algorithms on lattices of some edges, a power law p = 1.47."""
    for n_edge in edges:
        one = _lattices("power", 1.47, n_edge, offset_maps(n_edge, 1))
        exact = converged(one)
        n_ours = 2 * (os.cpu_count() or 1)
        many = _lattices("power", 1.47, n_edge, np.repeat(one.frequencies, n_ours, axis=0))
        row = (one.frequencies[0].astype(float), one.kernel_tables[0], COUPLINGS, one.sequence)
        theirs: list[npt.NDArray] = []
        theirs_s = seconds(lambda row=row, kept=theirs: kept.append(liouville_curve(*row)))
        error = float(largest_errors(many, exact)[0])  # compiles, too
        ours_s = [
            seconds(lambda own=many: simulate_lattices(*own)) / n_ours for _ in range(repeats)
        ]
        yield {
            "n_edge": n_edge,
            "ours": spread(ours_s) | {"error": error},
            "source": spread([theirs_s]) | {"error": float(np.abs(theirs[0] - exact[0]).max())},
            "ratio": theirs_s / float(np.median(ours_s)),
        }


def fitted_exponent(rows: Sequence[dict[str, Any]]) -> float:
    """Power of the lattice edge with which the time grows, of rows of :func:`times_by_edge`."""
    edges = np.log([row["n_edge"] for row in rows])
    return float(np.polyfit(edges, np.log([row["median_s"] for row in rows]), 1)[0])


def extrapolated(rows: Sequence[dict[str, Any]], ours_at_100: float) -> dict[str, Any]:
    """Source's time at 100 × 100 from a power law through the measured lattices.

    Parameters
    ----------
    rows : sequence of dict
        Of :func:`beside_source`.
    ours_at_100 : float
        Our seconds per curve there.
    """
    edges = np.log([row["n_edge"] for row in rows])
    slope, offset = np.polyfit(edges, np.log([row["source"]["median_s"] for row in rows]), 1)
    # All pairs cost n⁴, which the small lattices do not yet show: the fitted exponent is a floor.
    at_100 = float(np.exp(offset + slope * np.log(100)))
    return {
        "extrapolated": True,
        "n_edge": 100,
        "fitted_exponent": float(slope),
        "source_s": at_100,
        "ratio": at_100 / ours_at_100,
    }


def offset_maps(n_edge: int, n_curves: int) -> npt.NDArray[np.floating]:
    """Offset maps of the line of `paper`, MHz, shape (n_curves, n_edge, n_edge)."""
    line = Line(fwhm=0.05, cutoff=0.5)
    keys = [jax.random.key(seed) for seed in range(n_curves)]
    return np.stack([np.asarray(draw_frequencies(key, n_edge, line)) for key in keys])


def _lattices(kernel: str, parameter: float, n_edge: int, fields: npt.NDArray) -> Lattices:
    tables = np.stack([kernel_table(kernel, parameter, n_edge)] * len(fields))
    couplings = np.array([COUPLINGS] * len(fields))
    return Lattices(fields, tables, couplings, get_preset("paper").sequence)
