"""Rows, materials and pulse angles of data sets, as posteriors are trained and asked on them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError
from latent_nmr.models.posterior.receiver import RECORD, SNR_RANGES, SPECTROMETER

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

ANGLE = "challenge_theta"
# Attributes of simulated curves on which a curve of a given number depends.
ORIGIN = ("preset", "seed", "line_draw", "n_edge")
SIMULATED, TIME, ANGLES = "simulated", "time_us", "flip_angle_deg"


class Questions(NamedTuple):
    """Rows as they were measured, and how.

    Attributes
    ----------
    rows : ndarray of float32, shape (n_rows, n_features)
    flip_angle_deg : ndarray, shape (n_rows,)
    snr : ndarray, shape (n_rows,)
    """

    rows: npt.NDArray[np.float32]
    flip_angle_deg: npt.NDArray[np.float64]
    snr: npt.NDArray[np.float64]


def rows_for(receiver: str, dataset: "xr.Dataset") -> npt.NDArray[np.float32]:
    """Rows without noise, as a posterior with this receiver takes them."""
    if receiver == SPECTROMETER:
        from latent_nmr.studies.measurement._reference import signed_rows

        return signed_rows(dataset)
    from latent_nmr.data.record_rows import record_rows

    return record_rows(dataset)


def flip_angles(dataset: "xr.Dataset") -> npt.NDArray[np.float64]:
    """θ of the first pulse of every curve, degrees.

    Raises
    ------
    InputError
        If the data do not say it.
    """
    from latent_nmr.data._attributes import pulse_angles_of
    from latent_nmr.data.protocols import own_attributes

    if ANGLE in dataset.variables:
        return dataset[ANGLE].to_numpy().astype(np.float64)
    angles = pulse_angles_of(own_attributes(dataset))
    if not angles:
        raise InputError(
            f"the data set must say the angle of its first pulse, but has neither {ANGLE} nor "
            "pulse_angles_rad. Set ds.attrs['pulse_angles_rad']."
        )
    return np.full(dataset.sizes["curve"], float(np.degrees(angles[0])))


def ask(
    receiver: str,
    dataset: "xr.Dataset",
    *,
    snr: float | None,
    seed: int,
    carrier_error: float = 0.0,
) -> Questions:
    """Rows behind a receiver: noise, and what else the model draws in training, drawn once.

    Parameters
    ----------
    receiver : str
    dataset : xarray.Dataset
    snr : float, optional
        As of `EchoPosterior.sample`; by default drawn for every curve over the whole range.
    seed : int
    carrier_error : float
        As of `EchoPosterior`.
    """
    import jax

    from latent_nmr._jax_settings import own_settings, seed_key
    from latent_nmr.models.posterior.receiver import Conditions, disturbed

    rows = rows_for(receiver, dataset)
    n_rows = len(rows)
    low, high = SNR_RANGES[receiver]
    place = np.random.default_rng(seed).uniform(size=n_rows)
    ratios = low * (high / low) ** place if snr is None else np.full(n_rows, float(snr))
    angles = flip_angles(dataset)
    with own_settings():
        measured = np.radians(angles), np.zeros(n_rows), ratios
        given = Conditions(*(jax.numpy.asarray(own, jax.numpy.float32) for own in measured))
        seen = disturbed(seed_key(seed), jax.numpy.asarray(rows), given, receiver, carrier_error)
    return Questions(np.asarray(seen), angles, ratios)


def note_simulated(dataset: "xr.Dataset") -> dict[str, Any]:
    """Metadata by which a posterior knows the curves and the times that it was trained on.

    A simulated curve depends on the seed and its own number alone.
    """
    origin = {name: dataset.attrs.get(name) for name in ORIGIN}
    numbers = np.asarray(dataset["curve"].to_numpy(), np.int64)
    time = dataset["time"].to_numpy()
    ends = [int(numbers.min()), int(numbers.max()) + 1]
    return {
        SIMULATED: {**origin, "first_curve": ends[0], "end_curve": ends[1]},
        TIME: [float(time[0]), float(time[-1]), len(time)],
    }


def new_curves(metadata: Mapping[str, Any], dataset: "xr.Dataset") -> "xr.Dataset":
    """Curves of a data set that are no training curves.

    Raises
    ------
    InputError
        If there are none.
    """
    known = metadata.get(SIMULATED)
    if not isinstance(known, Mapping) or any(
        known.get(name) != dataset.attrs.get(name) for name in ORIGIN
    ):
        return dataset
    numbers = dataset["curve"].to_numpy()
    is_new = (numbers < known["first_curve"]) | (numbers >= known["end_curve"])
    if not is_new.any():
        raise InputError(
            "the data must hold curves that the model was not trained on, but all "
            f"{len(numbers)} lie among its curves {known['first_curve']} to "
            f"{known['end_curve'] - 1}. Simulate more curves, or with another seed."
        )
    return dataset.isel(curve=np.flatnonzero(is_new))


def check_times(model: "EchoPosterior", dataset: "xr.Dataset") -> None:
    """Raise `InputError` for curves on another time grid than that of the model, if known."""
    if TIME not in model.metadata_:
        return
    first, last, n_samples = model.metadata_[TIME]
    time = dataset["time"].to_numpy()
    if len(time) != n_samples or not np.allclose([time[0], time[-1]], [first, last], atol=1e-3):
        raise InputError(
            f"data must be sampled like those of the model ({n_samples} samples from {first:.1f} "
            f"to {last:.1f} µs), but have {len(time)} from {time[0]:.1f} to {time[-1]:.1f} µs. "
            "Use data of its preset."
        )


def phases_of(receiver: str) -> tuple[bool, ...]:
    """Whether a phase may be trusted: in both ways for whole records, never for |M|."""
    return (True, False) if receiver == RECORD else (False,)
