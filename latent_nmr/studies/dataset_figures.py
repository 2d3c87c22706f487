"""Figures of a labelled data set: its echoes with an example of each kernel, and its labels."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from latent_nmr.data._attributes import echo_index_of, pulse_numbers
from latent_nmr.data.echoes import check_echoes, magnitude, sample_times
from latent_nmr.data.labels import label_values
from latent_nmr.data.windows import window_slice
from latent_nmr.physics.kernels import KERNELS, kernel_table
from latent_nmr.studies._result import Figures

if TYPE_CHECKING:
    import xarray as xr

# An example of each kernel: the parameter that it is near to.
SHOWN_KERNELS = {"gaussian": 8.0, "power": 1.47, "rkky": 13.0}
SHOWN_SITES = 50


def dataset_figures(dataset: "xr.Dataset") -> Figures:
    """`echoes` and `labels` of a data set with all three kernels and both receiver channels."""
    check_echoes(dataset, both_components=True)
    return Figures({"echoes": lambda: _echoes(dataset), "labels": lambda: _labels(dataset)})


def nearest_curve(dataset: "xr.Dataset", rows: npt.NDArray[np.integer], parameter: float) -> int:
    """Of some rows, the curve nearest to a kernel parameter and to W = 0.2 MHz."""
    drawn, strength = (label_values(dataset, name)[rows] for name in ("kernel_parameter", "W"))
    away = np.hypot((drawn - parameter) / np.ptp(drawn), (strength - 0.2) / np.ptp(strength))
    return int(rows[np.argmin(away)])


def _echoes(dataset: "xr.Dataset"):
    from latent_nmr.plots.dataset import Example, plot_echo_overview

    time, echo = sample_times(dataset), echo_index_of(dataset.attrs)
    examples, kernels = [], {}
    for name, parameter in SHOWN_KERNELS.items():
        rows = np.flatnonzero(label_values(dataset, "kernel") == name)
        row = nearest_curve(dataset, rows, parameter)
        signal = dataset["mx"].to_numpy()[row] + 1j * dataset["my"].to_numpy()[row]
        examples.append(Example(name, signal))
        along_row = np.abs(kernel_table(name, parameter, 2 * SHOWN_SITES)[0, 1 : SHOWN_SITES + 1])
        kernels[name] = (f"{KERNELS[name].symbol} = {parameter:g}", along_row)
    return plot_echo_overview(
        time,
        magnitude(dataset),
        examples,
        kernels,
        window_slice("echo", len(time), echo),
        {
            "τ": float(time[int(pulse_numbers(dataset.attrs, "pulse_samples")[1])]),
            "2τ": float(time[echo]),
        },
    )


def _labels(dataset: "xr.Dataset"):
    from latent_nmr.plots.dataset import plot_label_histograms

    labels = {name: label_values(dataset, name) for name in ("alpha_x", "alpha_z", "W", "L")}
    return plot_label_histograms(labels, label_values(dataset, "kernel"))
