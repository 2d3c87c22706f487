"""Point, estimates and verdict of prepared records."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr._echo_top import HEADROOM
from latent_nmr.data.measured.centring import CentredRows, centred_rows, kept_band, per_sample
from latent_nmr.data.measured.echo_search import SIGNIFICANCE
from latent_nmr.data.measured.steps import steps_of
from latent_nmr.errors import InputError, check_number
from latent_nmr.models.augmentation import LEAST_SNR, MOST_SNR
from latent_nmr.studies.measurement._alike import Conditions
from latent_nmr.studies.measurement._distance import Seen
from latent_nmr.studies.measurement._instrument import N_DRAWS, Alike, Instrument, Noiseless
from latent_nmr.studies.measurement._neighbours import Neighbourhood, radii, weighted_quantiles
from latent_nmr.studies.measurement._reasons import knows_due, odd_width, reason
from latent_nmr.studies.measurement._records import LABELS, Estimate, RecordResult

if TYPE_CHECKING:
    import xarray as xr

# A simulated measurement is called OUTSIDE this often; of an echo of odd width, p may be higher.
FALSE_ALARMS, ODD_ALARMS = 0.02, 0.3
# A record with less of the window than this part has no shape to be seen.
LEAST_MEASURED = 0.2
# In a band narrower than this part of half the sampling rate, noise is constant in a window.
LEAST_BAND = 1e-3
ENDS = (0.025, 0.16, 0.84, 0.975)
PARTS = (0.68, 0.95)
FREQUENCIES = ("W", "alpha_x", "alpha_z")  # which another τ multiplies


def judge(
    prepared: "xr.Dataset", instrument: Instrument, *, m0: float | None = None, seed: int = 0
) -> list[RecordResult]:
    """What a model of measured echoes says of every prepared record.

    Parameters
    ----------
    prepared : xarray.Dataset
        Of :func:`latent_nmr.prepare_measurement`, with ``grid="full"``.
    instrument : Instrument
    m0 : float, optional
        |M(0)| in the unit of the record; what a model that knows the gain needs.
    seed : int
        Of the simulated measurements that records are compared with.

    Returns
    -------
    list of RecordResult

    Raises
    ------
    InputError
        If the model needs `m0` and there is none, or the other way round.
    """
    check_gain(instrument, m0)
    rows = centred_rows(prepared)
    gains = rows.height / HEADROOM if m0 is None else np.full(len(rows.height), m0)
    return [_judged(prepared, rows, n, gains[n], instrument, seed) for n in range(len(rows.rows))]


def check_gain(instrument: Instrument, m0: float | None) -> None:
    """Raise `InputError` unless |M(0)| is given to a model that knows it, and to no other."""
    if m0 is not None:
        check_number("m0", m0, above=0)
    if instrument.knows_gain != (m0 is not None):
        wants = "be given" if instrument.knows_gain else "not be given"
        other = "measured-echo" if instrument.knows_gain else "measured-echo-m0"
        raise InputError(
            f"m0, the magnetisation |M(0)| in the unit of the record, must {wants} to the model "
            f"{instrument.name}, which {'scales' if instrument.knows_gain else 'does not scale'} "
            f"by it, but is {m0}. Change that, or use a model such as {other!r}."
        )


def _judged(
    prepared: "xr.Dataset",
    rows: CentredRows,
    number: int,
    gain: float,
    instrument: Instrument,
    seed: int,
) -> RecordResult:
    """One record."""
    noise = float(prepared.noise[number])
    seen, measured = rows.rows[number], rows.measured[number]
    common: dict[str, Any] = {
        "record": int(prepared.record[number]),
        "echo_p_value": float(prepared.p_value[number]),
        "echo_time": float(prepared.attrs["echo_time"])
        + rows.delay[number] / float(prepared.attrs["time_factor"]),
        "snr": min(float(prepared.snr[number]), 1e9),
        "time": rows.time,
        "measured": np.where(measured, seen / gain, np.nan),
        "noise": noise / gain,
    }
    found = _no_echo(prepared, number) or _too_noisy(prepared, number, measured)
    if found is not None:
        return _without_point(*found, common)
    # As features are: cut above 1, and nought where there is nothing.
    x = np.where(measured, np.minimum(seen / gain, 1), 0).astype(np.float32)[None]
    conditions = Conditions(
        max(noise / float(rows.height[number]), 1 / MOST_SNR),
        _noise_error(prepared),
        max(kept_band(prepared), LEAST_BAND),
        measured,
        float(prepared.offset_error[number]) / float(rows.height[number]),
        per_sample(float(prepared.attrs["offset_frequency"]), prepared),
        knows_due(prepared),
    )
    alike = instrument.alike(conditions, seed)
    point = instrument.model.transform(x)
    distance = alike.null.distance(Seen(point, x, instrument.model.inverse_transform(point)))
    if instrument.correction is not None:
        corrected = instrument.correction.p_value(distance.p_value)
        distance = distance._replace(p_value=corrected)
    odd = odd_width(prepared, instrument)
    is_inside = distance.p_value >= (FALSE_ALARMS if odd is None else ODD_ALARMS)
    common["p_value"] = distance.p_value
    common["verdict"] = "INSIDE" if is_inside else "OUTSIDE"
    common["reason"] = reason(prepared, distance, odd, is_inside=is_inside)
    noiseless = instrument.noiseless(conditions)
    return _with_point(point[0], x, measured, alike, noiseless, instrument, prepared, common)


def _no_echo(prepared: "xr.Dataset", number: int) -> tuple[str, str] | None:
    chance = float(prepared.p_value[number])
    anywhere = float(prepared.attrs["echo_p_value"])
    if prepared.attrs["echo_kind"] == "none":
        reason = f"Nowhere on the record is there more than noise shows (p = {anywhere:.2g})."
        return "NO ECHO", reason
    if chance > SIGNIFICANCE:
        where = float(prepared.attrs["echo_time"])
        return "NO ECHO", (
            f"At {where:.4g} µs, where the echo of the file stands, this record shows no more than "
            f"noise does (p = {chance:.2g})."
        )
    return None


def _too_noisy(
    prepared: "xr.Dataset", number: int, measured: npt.NDArray[np.bool_]
) -> tuple[str, str] | None:
    snr = float(prepared.snr[number])
    if snr < LEAST_SNR:
        return "TOO NOISY", (
            f"The echo stands {snr:.2g} times above the noise of one sample, and a shape can be "
            f"read from {LEAST_SNR:g} times on. Average {(LEAST_SNR / max(snr, 0.1)) ** 2:.2g} "
            "times as many scans."
        )
    if measured.mean() < LEAST_MEASURED:
        return "TOO NOISY", (
            f"Only {int(measured.sum())} of the {len(measured)} samples about the echo were "
            f"measured, which reach over {len(measured) * _dwell(prepared):.4g} µs if τ is "
            f"{float(prepared.attrs['pulse_separation']):.4g} µs. Record more of it, or check τ."
        )
    return None


def _dwell(prepared: "xr.Dataset") -> float:
    """Time between the samples of a window, µs of the record."""
    return float(np.diff(prepared.record_time[:2])[0])


def _without_point(verdict: str, reason: str, common: dict[str, Any]) -> RecordResult:
    """A record of which nothing more is to be said."""
    empty = np.full(len(common["time"]), np.nan)
    nothing: dict[str, Any] = {"estimates": {}, "kernels": {}, "nearest_labels": {}}
    return RecordResult(
        **common,
        **nothing,
        verdict=verdict,
        reason=reason,
        p_value=None,
        point=None,
        covariance=None,
        decoded=empty,
        nearest=empty,
    )


def _with_point(
    point: npt.NDArray[np.floating],
    x: npt.NDArray[np.float32],
    measured: npt.NDArray[np.bool_],
    alike: Alike,
    noiseless: Noiseless,
    instrument: Instrument,
    prepared: "xr.Dataset",
    common: dict[str, Any],
) -> RecordResult:
    """A record with its place in latent space, and what that says."""
    near = alike.cloud.around(point)
    clean = near.adjusted(np.concatenate([instrument.points] * N_DRAWS).astype(np.float64))
    mean = near.weights @ clean
    labels = instrument.reference.labels
    # Of a material unlike all that were simulated, its neighbours say nothing.
    is_inside = common["verdict"] == "INSIDE"
    kernels = labels.get("kernel") if is_inside else None
    factor = float(prepared.attrs["time_factor"])
    decoded = instrument.model.inverse_transform(mean[None].astype(np.float32))
    nearest = int(np.argmin(_mean_square(noiseless.clean - x, measured)))
    return RecordResult(
        **common,
        point=mean,
        covariance=np.atleast_2d(np.cov(clean.T, aweights=near.weights)),
        radii=_radii(clean, near, common["snr"], instrument),
        estimates=_estimates(near, labels, factor) if is_inside else {},
        kernels={} if kernels is None else near.shares(np.concatenate([kernels] * N_DRAWS)),
        decoded=noiseless.seen(decoded)[0],
        nearest=noiseless.clean[nearest],
        nearest_labels=_labels_of(nearest, labels, factor),
    )


def _mean_square(
    rest: npt.NDArray[np.floating], measured: npt.NDArray[np.bool_]
) -> npt.NDArray[np.floating]:
    """Mean square of rows over the samples that there are, shape (n_rows,)."""
    there = measured & np.isfinite(rest)
    return np.sum(np.where(there, rest, 0) ** 2, axis=1) / np.maximum(there.sum(axis=1), 1)


def _labels_of(
    row: int, labels: dict[str, npt.NDArray[Any]], factor: float
) -> dict[str, float | str]:
    """Labels of a reference curve; frequencies as those of the sample, MHz."""
    return {
        name: str(values[row])
        if values.dtype.kind in "UO"
        else float(values[row]) * (factor if name in FREQUENCIES else 1.0)
        for name, values in labels.items()
    }


def _radii(
    points: npt.NDArray[np.float64], near: Neighbourhood, snr: float, instrument: Instrument
) -> npt.NDArray[np.float64]:
    """Radii of the ellipses of axes 1 and 2, 3 and 4, …, shape (n_pairs, 2)."""
    pairs = [points[:, a : a + 2] for a in range(0, points.shape[1] - 1, 2)]
    found = np.array([radii(own, near.weights, PARTS) for own in pairs]).reshape(-1, 2)
    return found if instrument.correction is None else found * instrument.correction.factors(snr)


def _estimates(
    near: Neighbourhood, labels: dict[str, npt.NDArray[Any]], factor: float
) -> dict[str, Estimate]:
    """Labels in the neighbourhood; frequencies are those of the sample, MHz."""
    found = {}
    for name in (name for name in LABELS if name in labels):
        values = np.concatenate([labels[name]] * N_DRAWS).astype(np.float64)
        own = np.clip(near.adjusted(values), values.min(), values.max())
        own *= factor if name in FREQUENCIES else 1
        mean = float(near.weights @ own)
        low95, low68, high68, high95 = weighted_quantiles(own, near.weights, ENDS).tolist()
        found[name] = Estimate(
            mean=mean,
            sd=float(np.sqrt(near.weights @ (own - mean) ** 2)),
            low68=low68,
            high68=high68,
            low95=low95,
            high95=high95,
        )
    return found


def _noise_error(prepared: "xr.Dataset") -> float:
    """Relative standard error of the noise, as the preparation states it."""
    stated = [
        float(step.values["relative_error"]) for step in steps_of(prepared) if step.name == "noise"
    ]
    return float(np.clip(stated[-1] if stated else 0.1, 0.02, 0.5))
