"""Rows of |M| about the top of an echo, from records that were prepared for a model."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._echo_top import centred, find_top
from latent_nmr.data.measured.steps import steps_of
from latent_nmr.data.scaling import TOP
from latent_nmr.data.windows import window_slice
from latent_nmr.physics.presets import get_preset


class CentredRows(NamedTuple):
    """Records about their tops.

    Attributes
    ----------
    rows : ndarray, shape (n_records, n_window)
        |M| in the unit of the record; nought where nothing was measured.
    measured : ndarray of bool, shape (n_records, n_window)
    height : ndarray, shape (n_records,)
        Smoothed |M| at the top.
    delay : ndarray, shape (n_records,)
        Time of the top after 2τ of the preparation, µs of the model.
    time : ndarray, shape (n_window,)
        From the top, µs of the model.
    """

    rows: npt.NDArray[np.float64]
    measured: npt.NDArray[np.bool_]
    height: npt.NDArray[np.float64]
    delay: npt.NDArray[np.float64]
    time: npt.NDArray[np.float64]


def centred_rows(prepared: xr.Dataset, preset: str = "paper") -> CentredRows:
    """Rows of the window `top` from records prepared with ``grid="full"``.

    Parameters
    ----------
    prepared : xarray.Dataset
        Of :func:`latent_nmr.prepare_measurement`, on the whole time grid of `preset`.
    preset : str
    """
    sequence = get_preset(preset).sequence
    part = window_slice(TOP, sequence.n_samples, sequence.echo_sample)
    n_window, middle = part.stop - part.start, sequence.echo_sample - part.start
    marks = prepared.measured.to_numpy()
    signal = prepared.signal.transpose("record", "time").to_numpy()
    magnitude = np.where(marks, np.abs(signal), 0.0)
    top = find_top(magnitude[:, part], marks[part])
    rows, _ = centred(magnitude, top.sample + part.start, n_window)
    seen = np.broadcast_to(marks.astype(float), magnitude.shape)
    measured = centred(seen, top.sample + part.start, n_window)[0] > 0
    return CentredRows(
        rows,
        measured,
        np.asarray(top.height),
        (top.sample - middle) * sequence.dt,
        (np.arange(n_window) - n_window // 2) * sequence.dt,
    )


def kept_band(prepared: xr.Dataset, preset: str = "paper") -> float:
    """Half width of the band that a preparation kept, over half the sampling rate of `preset`.

    At most that of the record itself.
    """
    bands = [1 / (2 * float(prepared.attrs["dwell"]))]
    bands += [
        float(step.values["bandwidth"]) for step in steps_of(prepared) if step.name == "bandwidth"
    ]
    return 2 * per_sample(min(bands), prepared, preset)


def per_sample(frequency: float, prepared: xr.Dataset, preset: str = "paper") -> float:
    """Turns per sample of `preset` at a frequency of the record, MHz."""
    return frequency / float(prepared.attrs["time_factor"]) * get_preset(preset).sequence.dt
