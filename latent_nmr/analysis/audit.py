"""Audit of a decoder: decoded curves compared with new simulations and with neighbouring data.

A decoded curve d(t) is compared with two groups of curves: new simulations at the mean parameters
of its latent neighbourhood, which differ only in their offset maps ν, and the curves of the
neighbours themselves, which also differ in their parameters. Each group has a mean m(t), a standard
deviation s(t) and a band m ± 2s. The *excess* is the part of d outside a band; its root mean
square over the window is compared with the 90 % quantile of the same quantity for the curves of the
group, each with respect to the others. Signals in the unit of the features, time in µs.
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
# A quantile and not the maximum, which grows with the size of the group and which a single outlier
# would raise until every decoded curve passed.
LIMIT_QUANTILE = 0.9
# Around a pulse or an echo, µs: a line of 0.05 MHz has dephased to a fifth by then.
REGION_HALF_WIDTH = 10.0
REGIONS = ("pulse", "echo", "early", "late")
FAITHFUL, AVERAGES, INVENTS = "faithful", "averages", "invents"


@dataclass(frozen=True)
class Comparison:
    """Comparison of a decoded curve with a group of curves.

    Attributes
    ----------
    mean, deviation : ndarray, shape (n_features,)
        Mean m and standard deviation s of the group.
    residual : ndarray, shape (n_features,)
        Decoded minus m.
    beyond : ndarray, shape (n_features,)
        Distance of the decoded curve from the band m ± 2s; zero inside.
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

        NaN for a group without scatter.
        """
        return self.rms / self.scatter if self.scatter > 0 else float("nan")

    @property
    def stands_out(self) -> bool:
        """Whether the decoded curve has a larger excess than 90 % of the group's own curves."""
        return self.excess > self.limit


@dataclass(frozen=True)
class PointAudit:
    """Verdict on one decoded curve of a traversal.

    Attributes
    ----------
    position : float
        Coordinate along the axis.
    decoded : ndarray, shape (n_features,)
        The curve.
    place : Neighbourhood
        The data around the point.
    is_off_data : bool
        Whether these are farther away than the neighbours of 99 % of the data: the point lies
        outside the data or in a gap between them.
    simulation, neighbours : Comparison
        With new simulations at the mean parameters; with the neighbours' own curves.
    invented : ndarray, shape (n_features,)
        Distance to the nearer of the two bands; zero inside either.
    worst_time, worst_residual : float
        Time (µs) at which the curve is farthest outside the simulations' band, and its residual
        there.
    shares : dict of float
        Fraction of the squared excess over the simulations' band in each of `REGIONS`; they sum
        to 1, or are all 0 without an excess.
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
    """Classify one decoded curve.

    It is *faithful* if its excess over the new simulations is no larger than that of 90 % of them.
    Otherwise it *averages* if its excess over both bands is no larger than that of 90 % of the
    neighbours: no single set of parameters gives this curve, but an average over the data around it
    does. Otherwise it *invents*.

    Parameters
    ----------
    position : float
        Coordinate along the axis.
    decoded : ndarray, shape (n_features,)
        The curve.
    place : Neighbourhood
        The data around the point.
    spacing : Spacing
        Distances between neighbours within the data.
    fresh : ndarray, shape (n_fields, n_features)
        Simulations at the parameters of `place`, one per offset map.
    near : ndarray, shape (n_neighbors, n_features)
        Curves of the neighbours.
    time : ndarray, shape (n_features,)
        µs.
    regions : sequence of str, length n_features
        See `time_regions`.

    Returns
    -------
    PointAudit
    """
    simulation, neighbours = compare(decoded, fresh), compare(decoded, near)
    invented = np.minimum(simulation.beyond, neighbours.beyond)
    # If no sample is outside the band, this is the one nearest to its edge.
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
    """Compare a decoded curve with a group of curves.

    Parameters
    ----------
    decoded : ndarray, shape (n_features,)
        The curve.
    group : ndarray, shape (n_curves, n_features)
        At least four curves on the same time grid.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If the group has fewer than four curves, or curves of another length.
    """
    group, decoded = np.asarray(group, np.float64), np.asarray(decoded, np.float64)
    if group.ndim != 2 or len(group) < FEWEST_CURVES or group.shape[1:] != decoded.shape:
        raise InputError(
            f"a group must have shape (n_curves, {len(decoded)}) with n_curves of at least "
            f"{FEWEST_CURVES}, to estimate a scatter, but has shape {group.shape}. Give more "
            "curves on the same time grid."
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
    """Distance of a curve from the group's band m ± 2s at each sample; zero inside."""
    residual = np.abs(curve - group.mean(axis=0))
    return np.maximum(residual - BAND_WIDTH * group.std(axis=0, ddof=1), 0.0)


def chance_outside(n_curves: int) -> float:
    """Fraction of samples outside m ± 2s expected for one more curve of a normal group.

    m and s are estimated from `n_curves` curves, so the difference over s √(1 + 1/n) follows
    Student's t distribution: 0.10 for 8 curves, 0.046 for many.
    """
    return float(2 * student.sf(BAND_WIDTH / np.sqrt(1 + 1 / n_curves), n_curves - 1))


def time_regions(time: npt.NDArray[np.floating], pulses: Sequence[float], echo: float) -> list[str]:
    """Assign each sample to a part of the record.

    `pulse`: up to 10 µs after a pulse; `echo`: within 10 µs of its centre; otherwise `early`
    before the echo and `late` after it.

    Parameters
    ----------
    time : ndarray, shape (n_features,)
        Times of the samples, µs.
    pulses : sequence of float
        Times of the pulses, µs.
    echo : float
        Time of the echo, µs.

    Returns
    -------
    list of str, length n_features
    """
    names = np.where(time < echo, "early", "late")
    names[np.abs(time - echo) <= REGION_HALF_WIDTH] = "echo"
    for pulse in pulses:
        names[(time >= pulse) & (time - pulse <= REGION_HALF_WIDTH)] = "pulse"
    return names.tolist()


def shares_of(beyond: Curve, regions: Sequence[str]) -> dict[str, float]:
    """Fraction of the sum of squares in each of `REGIONS`; all zero if the sum is zero."""
    squares, names = beyond**2, np.asarray(regions)
    total = float(squares.sum())
    return {
        region: float(squares[names == region].sum()) / total if total > 0 else 0.0
        for region in REGIONS
    }


def root_mean_square(values: Curve) -> float:
    """Root mean square of an array."""
    return float(np.sqrt(np.mean(values**2)))
