"""How far simulated curves are from the solution of the equation of motion.

The reference is a float64 run of the third-order scheme at two steps, extrapolated.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Rows
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.presets import get_preset
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.simulate import (
    Simulation,
    draw_fields,
    draw_parameters,
    planned_evaluations,
)

# Kernels, and their parameters, whose curves are the hardest to integrate.
HARD_CASES = (("gaussian", 8.0), ("power", 1.47), ("power", 3.0), ("rkky", 13.0), ("rkky", 40.0))
HARD_COUPLINGS = (0.1, 0.1, 0.1)
# Order of the global error of each scheme.
ORDERS = {"averaged": 3, "midpoint": 2}
# Long and short steps of the extrapolation, sample intervals.
STEPS = (1, 0.5)


class Lattices(NamedTuple):
    """What :func:`latent_nmr.simulate_lattices` simulates.

    Attributes
    ----------
    frequencies : ndarray, shape (n_curves, n_edge, n_edge)
        Offset maps, MHz.
    kernel_tables : ndarray, shape (n_curves, n_edge, n_edge)
    couplings : ndarray, shape (n_curves, 3)
        MHz.
    sequence : Sequence
    """

    frequencies: npt.NDArray[np.floating]
    kernel_tables: npt.NDArray[np.floating]
    couplings: npt.NDArray[np.floating]
    sequence: Sequence


def converged(lattices: Lattices, scheme: str = "averaged") -> npt.NDArray[np.float64]:
    """Curves extrapolated to a step of zero, shape (n_curves, n_samples, 3).

    Parameters
    ----------
    lattices : Lattices
    scheme : {"averaged", "midpoint"}
    """
    coarse, fine = (
        simulate_lattices(*lattices, step=step, scheme=scheme, dtype="float64") for step in STEPS
    )
    return fine + (fine - coarse) / ((STEPS[0] / STEPS[1]) ** ORDERS[scheme] - 1)


def largest_errors(
    lattices: Lattices, reference: npt.NDArray[np.floating], **options: Any
) -> npt.NDArray[np.floating]:
    """Largest difference of any component of M at any sample, shape (n_curves,); |M(0)| = 1/2.

    Parameters
    ----------
    lattices : Lattices
    reference : ndarray, shape (n_curves, n_samples, 3)
        Such as :func:`converged`.
    **options
        Step, scheme and dtype of :func:`latent_nmr.simulate_lattices`.
    """
    curves = simulate_lattices(*lattices, **options)
    return np.abs(curves - reference).max(axis=(1, 2))


def errors_by_step(lattices: Lattices, steps: Rows[float] = (8, 4, 2, 1)) -> dict[str, Any]:
    """Errors by the default step, the source's scheme and fixed steps.

    Returns
    -------
    dict
        `error` and `source_error` of each curve; `error_by_step`, the largest of all curves;
        `references_differ`: the largest difference between the reference and one by the midpoint
        scheme, which bounds what the reference itself is worth.
    """
    reference = converged(lattices)
    return {
        "error": largest_errors(lattices, reference).tolist(),
        "source_error": largest_errors(lattices, reference, scheme="source").tolist(),
        "error_by_step": {
            str(step): float(largest_errors(lattices, reference, step=step).max()) for step in steps
        },
        "references_differ": float(np.abs(reference - converged(lattices, "midpoint")).max()),
    }


def hard_cases(n_fields: int, simulation: Simulation | None = None) -> Iterator[dict[str, Any]]:
    """Errors of the hard kernels, each coupling 0.1 MHz, on some offset maps.

    Parameters
    ----------
    n_fields : int
        Number of offset maps.
    simulation : Simulation, optional
        Whose offset maps, and whose preset's sequence; by default `paper`.

    Yields
    ------
    dict
        `kernel` and `parameter`, and what :func:`errors_by_step` returns.
    """
    simulation = simulation or Simulation("paper", seed=61)
    sequence = get_preset(simulation.preset).sequence
    fields = draw_fields(simulation, range(n_fields))
    couplings = np.array([HARD_COUPLINGS] * n_fields)
    for kernel, parameter in HARD_CASES:
        tables = np.stack([kernel_table(kernel, parameter, fields.shape[1])] * n_fields)
        lattices = Lattices(fields, tables, couplings, sequence)
        yield {"kernel": kernel, "parameter": parameter, **errors_by_step(lattices)}


def integration_errors(simulation: Simulation, indices: Rows[int]) -> pd.DataFrame:
    """Errors of some curves of a simulation, by its default step and by its source's scheme.

    Parameters
    ----------
    simulation : Simulation
        Whose preset has one sequence for all curves and no decay, such as `paper`; without
        relaxation.
    indices : sequence of int
        Numbers of the curves.

    Returns
    -------
    DataFrame
        One row per curve: `kernel`, `parameter`, `W` (MHz), `evaluations` of the mean field,
        `error` and `source_error`.
    """
    preset, parameters = draw_parameters(simulation, indices)
    tables = [kernel_table(p.kernel, p.kernel_parameter, preset.n_edge) for p in parameters]
    couplings = np.array([p.couplings for p in parameters])
    lattices = Lattices(
        draw_fields(simulation, indices), np.stack(tables), couplings, preset.sequence
    )
    reference = converged(lattices)
    return pd.DataFrame(
        {
            "kernel": [p.kernel for p in parameters],
            "parameter": [p.kernel_parameter for p in parameters],
            "W": [sum(p.couplings) for p in parameters],
            "evaluations": planned_evaluations(simulation, indices),
            "error": largest_errors(lattices, reference),
            "source_error": largest_errors(lattices, reference, scheme="source"),
        }
    )


def error_summary(errors: pd.DataFrame) -> dict[str, Any]:
    """Largest, 95th percentile and median of :func:`integration_errors`, and what curves cost."""
    ours, source, evaluations = errors["error"], errors["source_error"], errors["evaluations"]
    return {
        "max": float(ours.max()),
        "percentile_95": float(np.percentile(ours, 95)),
        "median": float(np.median(ours)),
        "evaluations_mean": float(evaluations.mean()),
        "evaluations_max": int(evaluations.max()),
        "source": {"max": float(source.max()), "percentile_95": float(np.percentile(source, 95))},
    }


def accuracy_figure(result: Mapping[str, Any]):
    """Largest error of each random curve, ours beside the source's scheme: a matplotlib Figure.

    Parameters
    ----------
    result : mapping
        `paper.curves`, the records of :func:`integration_errors`.
    """
    from latent_nmr.plots.benchmarks import plot_accuracy

    return plot_accuracy(dict(result))
