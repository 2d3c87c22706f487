"""Numbers of an audit: one row per point, and the arrays that its figures are drawn from."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from latent_nmr.analysis.audit import REGIONS, PointAudit
from latent_nmr.analysis.axis_audit import AxisAudit, AxisSummary, Excess
from latent_nmr.physics.inversion import KernelParameter
from latent_nmr.studies._result import record

# What a point is described by; all else that is in its row was measured.
DESCRIPTIONS = ("axis", "z", "verdict", "off_data", "kernel")
Audited = tuple[AxisAudit, Sequence[KernelParameter]]


def point_rows(audited: Sequence[Audited]) -> list[dict[str, Any]]:
    """One row per point, all numbers of its audit; signals in the unit of the features."""
    return [
        _row(audit.axis, point, parameter)
        for audit, parameters in audited
        for point, parameter in zip(audit.points, parameters, strict=True)
    ]


def point_records(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every measured number of every point as a record."""
    return [
        record("audit", score=name, value=float(value), **{key: row[key] for key in DESCRIPTIONS})
        for row in rows
        for name, value in row.items()
        if name not in DESCRIPTIONS
    ]


def drawn_arrays(audited: Sequence[Audited], time: Sequence[float]) -> dict[str, np.ndarray]:
    """Times of the window, and by axis curves and bands of every point, (n_steps, n_features)."""
    arrays = {"time": np.asarray(time)}
    for audit, _ in audited:
        parts = {
            "decoded": [point.decoded for point in audit.points],
            "simulated": [point.simulation.mean for point in audit.points],
            "simulated_sd": [point.simulation.deviation for point in audit.points],
            "neighbors": [point.neighbours.mean for point in audit.points],
            "neighbors_sd": [point.neighbours.deviation for point in audit.points],
        }
        arrays |= {f"{name}/{audit.axis}": np.array(curves) for name, curves in parts.items()}
    return arrays


def plain_summary(summary: AxisSummary) -> dict[str, Any]:
    """Summary of an axis as JSON holds it."""
    return {
        name: value._asdict()
        if isinstance(value, Excess)
        else None
        if value is None
        else list(value)
        for name, value in summary._asdict().items()
    }


def _row(axis: int, point: PointAudit, parameter: KernelParameter) -> dict[str, Any]:
    place, sim, near = point.place, point.simulation, point.neighbours
    return {
        "axis": f"LA{axis}",
        "z": float(point.position),
        "verdict": point.verdict,
        "off_data": bool(point.is_off_data),
        "nearest_distance": float(place.nearest),
        "mean_distance": float(place.mean_distance),
        "kernel": place.kernel,
        "n_of_kernel": int(place.n_of_kernel),
        "alpha_x": float(place.alpha_x),
        "alpha_z": float(place.alpha_z),
        "W": float(place.coupling_strength),
        "L": float(place.coupling_length),
        "kernel_parameter": float(parameter.value),
        "L_out_of_reach": bool(parameter.is_clipped),
        "rms": float(sim.rms),
        "scatter": float(sim.scatter),
        "ratio": float(sim.ratio),
        "outside": float(sim.outside),
        "excess": float(sim.excess),
        "excess_limit": float(sim.limit),
        "rms_neighbours": float(near.rms),
        "scatter_neighbours": float(near.scatter),
        "ratio_neighbours": float(near.ratio),
        "outside_neighbours": float(near.outside),
        "invented": float(np.sqrt(np.mean(point.invented**2))),
        "invented_limit": float(near.limit),
        "worst_time_us": float(point.worst_time),
        "worst_residual": float(point.worst_residual),
        **{f"share_{region}": float(point.shares[region]) for region in REGIONS},
    }
