"""Audit of a whole traversal, and a summary of where the decoder invents structure."""

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
)
from latent_nmr.analysis.neighbourhood import Neighbourhood, Spacing
from latent_nmr.analysis.traversal import Traversal


class Excess(NamedTuple):
    """Structure outside both bands, over several points.

    Attributes
    ----------
    region : str
        Part of the record, of `REGIONS`, that holds most of it.
    share : float
        Fraction of the squared excess that lies there.
    height : float
        Its largest value, with the sign of the residual from the nearer band, in the unit of the
        features.
    position, time : float
        Where that is: coordinate along the axis, and time in µs.
    """

    region: str
    share: float
    height: float
    position: float
    time: float


class AxisSummary(NamedTuple):
    """Verdicts along an axis: coordinates of the points of each kind.

    Attributes
    ----------
    invents, averages, faithful : tuple of float
        Where data lie.
    off_data, off_data_invents : tuple of float
        Outside the data, and those of them that invent structure.
    excess, off_data_excess : Excess or None
        What is invented where data lie, and outside them.
    """

    invents: tuple[float, ...]
    averages: tuple[float, ...]
    faithful: tuple[float, ...]
    off_data: tuple[float, ...]
    off_data_invents: tuple[float, ...]
    excess: Excess | None
    off_data_excess: Excess | None


class Record(NamedTuple):
    """When features are of, and what part of their record that is.

    Attributes
    ----------
    time : ndarray, shape (n_features,)
        Times of the samples, µs.
    regions : sequence of str, length n_features
        See `latent_nmr.analysis.audit.time_regions`.
    """

    time: npt.NDArray[np.float64]
    regions: Sequence[str]


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
    summary : AxisSummary
        Where the decoder invents structure.
    """

    axis: int
    points: tuple[PointAudit, ...]
    spacing: Spacing
    time: npt.NDArray[np.float64]
    summary: AxisSummary


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
        Times of samples, and the parts of the record they are in.

    Returns
    -------
    AxisAudit
    """
    points = tuple(
        audit_point(position, curve, place, spacing, curves, X[place.rows], *record)
        for position, curve, place, curves in zip(
            walk.positions, walk.curves, places, fresh, strict=True
        )
    )
    summary = summary_of(points, *record)
    return AxisAudit(walk.axis, points, spacing, record.time, summary)


def summary_of(
    points: Sequence[PointAudit], time: npt.NDArray[np.floating], regions: Sequence[str]
) -> AxisSummary:
    """Summarise the verdicts along an axis.

    Parameters
    ----------
    points : sequence of PointAudit
    time : ndarray, shape (n_features,)
        Times of the samples, µs.
    regions : sequence of str, length n_features
        See `latent_nmr.analysis.audit.time_regions`.
    """
    within = [point for point in points if not point.is_off_data]
    off_data = [point for point in points if point.is_off_data]
    kinds = {
        verdict: [point for point in within if point.verdict == verdict]
        for verdict in (INVENTS, AVERAGES, FAITHFUL)
    }
    off_data_invents = [point for point in off_data if point.verdict == INVENTS]
    return AxisSummary(
        _positions(kinds[INVENTS]),
        _positions(kinds[AVERAGES]),
        _positions(kinds[FAITHFUL]),
        _positions(off_data),
        _positions(off_data_invents),
        _excess(kinds[INVENTS], time, regions),
        _excess(off_data_invents, time, regions),
    )


def _positions(points: Sequence[PointAudit]) -> tuple[float, ...]:
    return tuple(float(point.position) for point in points)


def _excess(
    points: Sequence[PointAudit], time: npt.NDArray[np.floating], regions: Sequence[str]
) -> Excess | None:
    """Part of the record that holds most of the invented structure, and its largest value."""
    if not points:
        return None
    profile = np.sqrt(np.mean([point.invented**2 for point in points], axis=0))
    shares = shares_of(profile, regions)
    most = max(REGIONS, key=lambda region: shares[region])
    worst = max(points, key=lambda point: float(point.invented.max()))
    sample = int(np.argmax(worst.invented))
    # The sign is that of the residual from the nearer band.
    sides = [worst.simulation, worst.neighbours]
    side = min(sides, key=lambda group: group.beyond[sample])
    height = float(np.copysign(worst.invented[sample], side.residual[sample]))
    return Excess(most, float(shares[most]), height, float(worst.position), float(time[sample]))
