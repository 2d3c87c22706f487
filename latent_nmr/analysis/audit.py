"""Audit of a decoder: what it generates beside fresh simulations and beside real neighbours.

A decoded curve d(t) is compared with two groups of curves: fresh simulations at the mean parameters
of its latent neighbourhood, which differ by their ν field alone, and the neighbours' own curves,
which differ in their parameters, too. Each group has a mean m(t), a standard deviation s(t) and a
band m ± 2s. The *excess* is what of d sticks out of a band, and its root mean square over the
window is set beside what nine in ten curves of the group have with respect to the others.
Signals in the unit of the features, time in µs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from latent_nmr.analysis.neighbourhood import FEWEST_CURVES, Neighbourhood, Spacing
from latent_nmr.errors import InputError

Curve = npt.NDArray[np.float64]

BAND_WIDTH = 2.0
# Of a group's own curves so many stand out less than the limit. Not all: the largest excess grows
# with the group, and one strange curve would excuse everything.
LIMIT_QUANTILE = 0.9
# Around a pulse or an echo, µs: the dephased line of 0.05 MHz has decayed to a fifth by then.
REGION_HALF_WIDTH = 10.0
REGIONS = ("pulse", "echo", "early", "late")
FAITHFUL, AVERAGES, INVENTS = "faithful", "averages", "invents"


@dataclass(frozen=True)
class Comparison:
    """A decoded curve against a group of curves.

    Attributes
    ----------
    mean, deviation : ndarray, shape (n_features,)
        m and s of the group.
    residual : ndarray, shape (n_features,)
        Decoded minus m.
    beyond : ndarray, shape (n_features,)
        How far the decoded curve is outside m ± 2s; zero inside.
    rms, scatter : float
        Root mean square of the residual and of s.
    outside : float
        Fraction of samples outside m ± 2s.
    excess : float
        Root mean square of `beyond`.
    limit : float
        90 % quantile of the excess of the group's own curves, each with respect to the others.
    """

    mean: Curve
    deviation: Curve
    residual: Curve
    beyond: Curve
    rms: float
    scatter: float
    outside: float
    excess: float
    limit: float

    @property
    def ratio(self) -> float:
        """Residual over scatter; about √(1 + 1/n) for one more curve of a group of n.

        NaN for a group without any scatter, beside which nothing has a size.
        """
        return self.rms / self.scatter if self.scatter > 0 else float("nan")

    @property
    def stands_out(self) -> bool:
        """Whether the decoded curve is stranger to the group than nine in ten of its members."""
        return self.excess > self.limit


@dataclass(frozen=True)
class PointAudit:
    """One decoded curve of a traversal and what became of it.

    Attributes
    ----------
    position : float
        Coordinate along the axis.
    decoded : ndarray, shape (n_features,)
    place : Neighbourhood
        The data around the point.
    is_off_data : bool
        These are farther than those of 99 % of the data: beyond the cloud, or in a gap of it.
    simulation, neighbours : Comparison
        With fresh simulations at the mean parameters; with the neighbours' own curves.
    invented : ndarray, shape (n_features,)
        Distance to the nearer of the two bands; zero inside either.
    worst_time, worst_residual : float
        Where the curve is farthest outside the simulations' band (µs), and its residual there.
    shares : dict of float
        Part of the squared excess over the simulations' band in each of `REGIONS`; they sum to 1,
        or are all 0 without an excess.
    verdict : {"faithful", "averages", "invents"}
    """

    position: float
    decoded: Curve
    place: Neighbourhood
    is_off_data: bool
    simulation: Comparison
    neighbours: Comparison
    invented: Curve
    worst_time: float
    worst_residual: float
    shares: Mapping[str, float]
    verdict: str


def audit_point(
    position: float,
    decoded: npt.NDArray[np.floating],
    place: Neighbourhood,
    spacing: Spacing,
    fresh: npt.NDArray[np.floating],
    near: npt.NDArray[np.floating],
    time: npt.NDArray[np.floating],
    regions: Sequence[str],
) -> PointAudit:
    """Judge one decoded curve.

    It is *faithful* if it stands out of the fresh simulations no more than nine in ten of them do
    of the others. Else it *averages* if what is outside both bands is no more than what nine in ten
    neighbours have outside that of the others: no single parameter gives it, but the real curves
    around it do. Else it *invents*.

    Parameters
    ----------
    position : float
        Coordinate along the axis.
    decoded : ndarray, shape (n_features,)
    place : Neighbourhood
    spacing : Spacing
        Of the data.
    fresh : ndarray, shape (n_fields, n_features)
        Simulations at the parameters of `place`, one per ν field.
    near : ndarray, shape (n_neighbours, n_features)
        Curves of the neighbours.
    time : ndarray, shape (n_features,)
        µs.
    regions : sequence of str, length n_features
        See `time_regions`.
    """
    simulation, neighbours = compare(decoded, fresh), compare(decoded, near)
    invented = np.minimum(simulation.beyond, neighbours.beyond)
    # Inside the band everywhere, it is the sample nearest to the band's edge.
    worst = int(np.argmax(np.abs(simulation.residual) - BAND_WIDTH * simulation.deviation))
    verdict = FAITHFUL
    if simulation.stands_out:
        verdict = INVENTS if root_mean_square(invented) > neighbours.limit else AVERAGES
    return PointAudit(
        position=float(position),
        decoded=np.asarray(decoded, np.float64),
        place=place,
        is_off_data=place.mean_distance > spacing.edge,
        simulation=simulation,
        neighbours=neighbours,
        invented=invented,
        worst_time=float(time[worst]),
        worst_residual=float(simulation.residual[worst]),
        shares=shares_of(simulation.beyond, regions),
        verdict=verdict,
    )


def compare(decoded: npt.NDArray[np.floating], group: npt.NDArray[np.floating]) -> Comparison:
    """Set a curve, shape (n_features,), beside a group, shape (n_curves, n_features).

    Raises
    ------
    InputError
        If the group has fewer than four curves, or curves of another length.
    """
    group, decoded = np.asarray(group, np.float64), np.asarray(decoded, np.float64)
    if group.ndim != 2 or len(group) < FEWEST_CURVES or group.shape[1:] != decoded.shape:
        raise InputError(
            f"a group must have shape (n_curves, {len(decoded)}) with n_curves of at least "
            f"{FEWEST_CURVES}, to have a scatter, but has shape {group.shape}. Give more curves "
            "on the same time grid."
        )
    mean, deviation = group.mean(axis=0), group.std(axis=0, ddof=1)
    beyond = beyond_band(decoded, group)
    own = [
        root_mean_square(beyond_band(curve, np.delete(group, row, axis=0)))
        for row, curve in enumerate(group)
    ]
    return Comparison(
        mean=mean,
        deviation=deviation,
        residual=decoded - mean,
        beyond=beyond,
        rms=root_mean_square(decoded - mean),
        scatter=root_mean_square(deviation),
        outside=float(np.mean(beyond > 0)),
        excess=root_mean_square(beyond),
        limit=float(np.quantile(own, LIMIT_QUANTILE)),
    )


def beyond_band(curve: Curve, group: Curve) -> Curve:
    """How far a curve is outside the group's m ± 2s, sample by sample; zero inside."""
    residual = np.abs(curve - group.mean(axis=0))
    return np.maximum(residual - BAND_WIDTH * group.std(axis=0, ddof=1), 0.0)


def chance_outside(n_curves: int) -> float:
    """Fraction of samples that one more curve of a normal group has outside its band m ± 2s.

    m and s are estimated from `n_curves`, so that the difference over s √(1 + 1/n) follows
    Student's law: 0.10 for 8 curves, 0.046 for many.
    """
    return float(2 * student.sf(BAND_WIDTH / np.sqrt(1 + 1 / n_curves), n_curves - 1))


def time_regions(time: npt.NDArray[np.floating], pulses: Sequence[float], echo: float) -> list[str]:
    """Name the part of the record that each sample belongs to.

    `pulse`: up to 10 µs after one; `echo`: at most 10 µs from its centre; otherwise `early`
    before the echo and `late` after it.

    Parameters
    ----------
    time : ndarray, shape (n_features,)
        µs.
    pulses : sequence of float
        µs.
    echo : float
        µs.
    """
    names = np.where(time < echo, "early", "late")
    names[np.abs(time - echo) <= REGION_HALF_WIDTH] = "echo"
    for pulse in pulses:
        names[(time >= pulse) & (time - pulse <= REGION_HALF_WIDTH)] = "pulse"
    return names.tolist()


def shares_of(beyond: Curve, regions: Sequence[str]) -> dict[str, float]:
    """Part of the sum of squares that lies in each of `REGIONS`; zeros if there is nothing."""
    squares, names = beyond**2, np.asarray(regions)
    total = float(squares.sum())
    return {
        region: float(squares[names == region].sum()) / total if total > 0 else 0.0
        for region in REGIONS
    }


def root_mean_square(values: Curve) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(values**2)))
