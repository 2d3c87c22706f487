"""What is found of one measured record and of one file, checked.

Times in µs, frequencies in MHz. `n_window` is the number of samples of the model's window.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError, check_choice, check_count, check_number

VERDICTS: tuple[str, ...] = ("NO ECHO", "TOO NOISY", "OUTSIDE", "INSIDE")
# What records of these verdicts cannot have: a place in latent space.
WITHOUT_POINT = VERDICTS[:2]
LABELS = ("W", "L", "alpha_x", "alpha_z")
FREQUENCIES = ("W", "alpha_x", "alpha_y", "alpha_z")
REFUSAL = ("path", "reason", "cure")
# Shares and symmetric matrices, through arithmetic in single precision.
SLACK = 1e-4


@dataclass(frozen=True)
class Estimate:
    """One label of a sample: its mean, standard deviation and central intervals.

    Frequencies are those of the sample, in MHz: already divided back by its time factor.

    Attributes
    ----------
    mean, sd : float
    low68, high68, low95, high95 : float
        Ends of the intervals that hold it with a probability of 68 and of 95 %.
    """

    mean: float
    sd: float
    low68: float
    high68: float
    low95: float
    high95: float

    def __post_init__(self):
        for name in ("mean", "low68", "high68", "low95", "high95"):
            check_number(name, getattr(self, name))
        check_number("sd", self.sd, at_least=0)
        ends = self.low95, self.low68, self.high68, self.high95
        if any(low > high for low, high in pairwise(ends)):
            raise InputError(
                "low95, low68, high68 and high95 must rise, since one interval lies in the other, "
                f"but are {', '.join(f'{end:g}' for end in ends)}. Take quantiles of one draw."
            )


@dataclass(frozen=True, eq=False)
class RecordResult:
    """What is found of one record.

    Attributes
    ----------
    record : int
        Its number in the file.
    verdict : {"NO ECHO", "TOO NOISY", "OUTSIDE", "INSIDE"}
    reason : str
        The verdict's reason, in a sentence.
    p_value : float or None
        That a simulated measurement lies as far from the model; None where it was not tested.
    echo_p_value : float
        That noise alone shows as much.
    echo_time : float
        Time of the record at the top of the echo, µs.
    snr : float
        Height of the echo over the noise of one sample.
    point : ndarray, shape (n_components,), or None
    covariance : ndarray, shape (n_components, n_components), or None
    estimates : dict of Estimate
        By label: `W`, `L`, `alpha_x`, `alpha_z`.
    kernels : dict of float
        Share of each kernel, of 1 together.
    time : ndarray, shape (n_window,)
        Times of the model, µs, from the top of the echo.
    measured : ndarray, shape (n_window,)
        \\|M\\| as the model sees it; NaN where nothing was measured.
    decoded, nearest : ndarray, shape (n_window,)
        The decoded curve at `point`, and the nearest simulated one, through the band of the
        record and in its scale; NaN where there is none.
    nearest_labels : dict of float or str
        Labels of the nearest simulated curve; frequencies as those of the sample, MHz.
    noise : float
        Standard deviation of the noise of one sample, in the same scale.
    radii : ndarray, shape (n_pairs, 2), or None
        Of axes 1 and 2, 3 and 4, …: in units of their covariance, radii of the ellipses that hold
        the noise-free point with a probability of 68 and of 95 %.
    """

    record: int
    verdict: str
    reason: str
    p_value: float | None
    echo_p_value: float
    echo_time: float
    snr: float
    point: npt.NDArray[np.floating] | None
    covariance: npt.NDArray[np.floating] | None
    estimates: Mapping[str, Estimate]
    kernels: Mapping[str, float]
    time: npt.NDArray[np.floating]
    measured: npt.NDArray[np.floating]
    decoded: npt.NDArray[np.floating]
    nearest: npt.NDArray[np.floating]
    nearest_labels: Mapping[str, float | str]
    noise: float
    radii: npt.NDArray[np.floating] | None = None

    def __post_init__(self):
        check_choice("verdict", self.verdict, VERDICTS)
        check_count("record", self.record, at_least=0)
        if self.p_value is not None:
            check_number("p_value", self.p_value, at_least=0, at_most=1)
        check_number("echo_p_value", self.echo_p_value, at_least=0, at_most=1)
        check_number("echo_time", self.echo_time, unit="µs")
        check_number("snr", self.snr, at_least=0)
        check_number("noise", self.noise, at_least=0)
        self._take_curves()
        self._take_point()
        for label in self.estimates:
            check_choice("a label of estimates", label, LABELS)
        shares = list(self.kernels.values())
        if shares and not (min(shares) >= -SLACK and abs(sum(shares) - 1) <= SLACK):
            raise InputError(
                f"kernels must hold shares of 1 together, but holds {dict(self.kernels)}. Divide "
                "them by their sum."
            )

    def _take_curves(self) -> None:
        """Curves as arrays of one length."""
        shapes = {}
        for name in ("time", "measured", "decoded", "nearest"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            object.__setattr__(self, name, values)
            shapes[name] = values.shape
        if len(set(shapes.values())) > 1 or self.time.ndim != 1 or not np.isfinite(self.time).all():
            raise InputError(
                "time, measured, decoded and nearest must have one value for each sample of the "
                f"window, and times must be finite, but have the shapes {shapes}. Give NaN where "
                "there is no sample."
            )

    def _take_point(self) -> None:
        """Point and covariance that belong together, where the verdict lets there be any."""
        has_point = self.point is not None
        if has_point != (self.covariance is not None) or (
            not has_point and (self.estimates or self.kernels)
        ):
            raise InputError(
                "point and covariance must both be given, or neither and with them no estimates "
                f"and kernels, but point is {self.point!r:.40} and covariance "
                f"{self.covariance!r:.40}. Give both."
            )
        if has_point == (self.verdict in WITHOUT_POINT) and self.verdict != "OUTSIDE":
            rule = "be None" if has_point else "be given"
            raise InputError(
                f"point must {rule} where the verdict is {self.verdict}, but is "
                f"{self.point!r:.40}. Change one of them."
            )
        if has_point:
            point = np.asarray(self.point, dtype=np.float64)
            covariance = np.asarray(self.covariance, dtype=np.float64)
            _check_covariance(point, covariance)
            if self.radii is not None:
                object.__setattr__(self, "radii", np.asarray(self.radii, dtype=np.float64))
            object.__setattr__(self, "point", point)
            object.__setattr__(self, "covariance", covariance)


@dataclass(frozen=True, eq=False)
class FileResult:
    """What is found of one file.

    Attributes
    ----------
    path : str
    facts : dict
        What is known of it: format, nucleus, carrier_frequency (MHz), scans_done, scans_asked,
        pulse_separation (µs), time_factor, …; as JSON holds them.
    steps : list of dict
        Log of what was found and done: name, detail, values.
    records : list of RecordResult
    refused : dict or None
        `path`, `reason` and `cure` of a file that could not be used.
    """

    path: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Mapping[str, Any]] = ()
    records: Sequence[RecordResult] = ()
    refused: Mapping[str, str] | None = None

    def __post_init__(self):
        if self.refused is not None and not self.refused.keys() >= set(REFUSAL):
            raise InputError(
                f"refused must have {', '.join(REFUSAL)}, but has {', '.join(self.refused)}. Give "
                "all of them."
            )
        if (self.refused is None) != bool(self.records):
            raise InputError(
                "records must be given of every file that is not refused, and of no other, but "
                f"{self.path} has {len(self.records)}. Give records or the refusal."
            )

    @property
    def time_factor(self) -> float:
        """What times of the record were multiplied by: τ of the model over that of the record."""
        return float(self.facts.get("time_factor", 1.0))


class ReferenceMap(NamedTuple):
    """Simulated curves in latent space, among which records are placed.

    Attributes
    ----------
    points : ndarray, shape (n_curves, n_components)
    labels : dict of ndarray, shape (n_curves,)
        `W`, `L`, `alpha_x`, `alpha_z` and `kernel`; frequencies in MHz of the model.
    """

    points: npt.NDArray[np.floating]
    labels: Mapping[str, npt.NDArray[Any]]


def _check_covariance(point: npt.NDArray, covariance: npt.NDArray) -> None:
    """Refuse what is no point, or no covariance of one."""
    n_components = len(point) if point.ndim == 1 else 0
    if not n_components or covariance.shape != (n_components, n_components):
        raise InputError(
            "point must have shape (n_components,) and covariance (n_components, n_components), "
            f"but have {point.shape} and {covariance.shape}. Give those of one record."
        )
    largest = float(np.abs(covariance).max())
    is_finite = math.isfinite(largest) and bool(np.isfinite(point).all())
    if not is_finite or np.abs(covariance - covariance.T).max() > SLACK * largest:
        raise InputError(
            "point and covariance must be finite, and covariance symmetric, but are "
            f"{point.tolist()} and {covariance.tolist()}. Give (C + C.T) / 2."
        )
    lowest = float(np.linalg.eigvalsh(covariance)[0])
    if lowest < -SLACK * largest:
        raise InputError(
            "covariance must have no negative eigenvalue, since variances are none, but has "
            f"{lowest:.3g}. Give the covariance of draws."
        )
