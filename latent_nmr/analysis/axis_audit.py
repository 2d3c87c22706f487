"""Audit of a whole traversal, and a sentence on where the decoder invents structure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.audit import (
    AVERAGES,
    FAITHFUL,
    INVENTS,
    REGIONS,
    PointAudit,
    audit_point,
    shares_of,
    time_regions,
)
from latent_nmr.analysis.neighbourhood import Neighbourhood, Spacing
from latent_nmr.analysis.traversal import Traversal

REGION_TEXTS = {
    "pulse": "after a pulse",
    "echo": "in the echo",
    "early": "before the echo",
    "late": "after the echo",
}


class Record(NamedTuple):
    """Times of the samples, the pulses and the echo.

    Attributes
    ----------
    time : ndarray, shape (n_features,)
        Times of the samples, µs.
    pulses : sequence of float
        Times of the pulses, µs.
    echo : float
        Time of the echo, µs.
    """

    time: npt.NDArray[np.float64]
    pulses: Sequence[float]
    echo: float


@dataclass(frozen=True)
class AxisAudit:
    """Verdicts on all points of one traversal.

    Attributes
    ----------
    axis : int
        Latent axis, counted from 1.
    points : tuple of PointAudit
        In the order of the traversal.
    spacing : Spacing
        Distances between neighbours within the data.
    time : ndarray, shape (n_features,)
        Times of the samples, µs.
    sentence : str
        Summary: where the decoder invents structure.
    """

    axis: int
    points: tuple[PointAudit, ...]
    spacing: Spacing
    time: npt.NDArray[np.float64]
    sentence: str


def audit_axis(
    walk: Traversal,
    places: Sequence[Neighbourhood],
    spacing: Spacing,
    fresh: Sequence[npt.NDArray[np.floating]],
    X: npt.NDArray[np.floating],
    record: Record,
) -> AxisAudit:
    """Classify every curve of a traversal, see `audit_point`.

    Parameters
    ----------
    walk : Traversal
        Points along the axis with their decoded curves.
    places : sequence of Neighbourhood, length n_steps
        Neighbourhood of each point.
    spacing : Spacing
        Distances between neighbours within the data.
    fresh : sequence of ndarray, each of shape (n_fields, n_features)
        Simulations at the mean parameters of each neighbourhood.
    X : ndarray, shape (n_curves, n_features)
        Features of the data.
    record : Record
        Times of samples, pulses and echo.

    Returns
    -------
    AxisAudit
    """
    regions = time_regions(record.time, record.pulses, record.echo)
    points = tuple(
        audit_point(position, curve, place, spacing, curves, X[place.rows], record.time, regions)
        for position, curve, place, curves in zip(
            walk.positions, walk.curves, places, fresh, strict=True
        )
    )
    sentence = f"LA{walk.axis} " + sentence_of(points, record.time, regions)
    return AxisAudit(walk.axis, points, spacing, record.time, sentence)


def sentence_of(
    points: Sequence[PointAudit], time: npt.NDArray[np.floating], regions: Sequence[str]
) -> str:
    """Summarise the verdicts along an axis in a sentence that the name of the axis precedes.

    Parameters
    ----------
    points : sequence of PointAudit
    time : ndarray, shape (n_features,)
        Times of the samples, µs.
    regions : sequence of str, length n_features
        See `time_regions`.
    """
    within = [point for point in points if not point.is_off_data]
    off_data = [point for point in points if point.is_off_data]
    kinds = {
        verdict: [point for point in within if point.verdict == verdict]
        for verdict in (INVENTS, AVERAGES, FAITHFUL)
    }
    clauses = []
    if kinds[INVENTS]:
        what = _excess_text(kinds[INVENTS], time, regions)
        clauses.append(f"invents structure at {_places(kinds[INVENTS])} ({what})")
    elif within:
        clauses.append("invents no structure where data lie")
    if kinds[AVERAGES]:
        clauses.append(f"averages over unlike curves at {_places(kinds[AVERAGES])}")
    if kinds[FAITHFUL]:
        clauses.append(f"is faithful at {_places(kinds[FAITHFUL])}")
    if off_data:
        strange = [point for point in off_data if point.verdict == INVENTS]
        what = ""
        if strange:
            what = f", inventing at {_places(strange)} ({_excess_text(strange, time, regions)})"
        clauses.append(f"is off the data at {_places(off_data)}{what}")
    return "; ".join(clauses)


def _places(points: Sequence[PointAudit]) -> str:
    """Positions of points as text, such as "z = -0.5, 1"."""
    return "z = " + ", ".join(f"{point.position:.3g}" for point in points)


def _excess_text(
    points: Sequence[PointAudit], time: npt.NDArray[np.floating], regions: Sequence[str]
) -> str:
    """Part of the record that holds most of the invented structure, and its largest value."""
    profile = np.sqrt(np.mean([point.invented**2 for point in points], axis=0))
    shares = shares_of(profile, regions)
    most = max(REGIONS, key=lambda region: shares[region])
    worst = max(points, key=lambda point: float(point.invented.max()))
    sample = int(np.argmax(worst.invented))
    # The sign is that of the residual from the nearer band.
    sides = [worst.simulation, worst.neighbours]
    side = min(sides, key=lambda group: group.beyond[sample])
    height = float(np.copysign(worst.invented[sample], side.residual[sample]))
    return (
        f"{shares[most]:.0%} of it {REGION_TEXTS[most]}; at most {height:+.3f} outside both bands, "
        f"z = {worst.position:.3g}, {time[sample]:.1f} µs"
    )
