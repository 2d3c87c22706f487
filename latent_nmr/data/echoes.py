"""The labelled echo data set (an xarray.Dataset) and the checks at its door.

Variables `mx`, `my` (curve, time): mean transverse spin, dimensionless, |M(0)| = 1/2.
Coordinates: `time` in µs; per curve the labels of `LABELS`. Attributes: every setting that
made it, and `echo_index`, the sample at which the echo stands.
"""

import hashlib
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr

from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import SimulatedCurves, Simulation

FORMAT = "latent_nmr.echoes"
FORMAT_VERSION = 1

# Label: (unit, what it is). All are per curve; `kernel` is a string, the rest are numbers.
LABELS = {
    "alpha_x": ("MHz", "coupling along x"),
    "alpha_y": ("MHz", "coupling along y"),
    "alpha_z": ("MHz", "coupling along z"),
    "W": ("MHz", "coupling strength α_x + α_y + α_z"),
    "L": ("lattice constants", "coupling length Σ r K / Σ K"),
    "kernel": ("", "coupling law: gaussian, power or rkky"),
    "kernel_parameter": ("lattice constants (gaussian, rkky), 1 (power)", "ξ, γ or p"),
    "decay_rate": ("MHz", "dephasing rate R of exp(-2πRt)"),
}
SIGNALS = {"mx": "mean of s^x over the sites", "my": "mean of s^y over the sites"}


def label_rows(curves: SimulatedCurves) -> dict[str, np.ndarray]:
    """Labels of simulated curves, one array per name in `LABELS`."""
    couplings = np.array([row.couplings for row in curves.parameters], np.float64)
    return {
        "alpha_x": couplings[:, 0],
        "alpha_y": couplings[:, 1],
        "alpha_z": couplings[:, 2],
        "W": couplings.sum(axis=1),
        "L": curves.coupling_lengths,
        "kernel": np.array([row.kernel for row in curves.parameters]),
        "kernel_parameter": np.array([row.kernel_parameter for row in curves.parameters]),
        "decay_rate": np.array([row.decay_rate for row in curves.parameters]),
    }


def simulation_attributes(simulation: Simulation) -> dict[str, Any]:
    """Attributes of a simulated set: all settings, resolved, with their units in the names."""
    preset = simulation.resolve()
    settings = asdict(simulation) | {"n_edge": preset.n_edge}
    pulses = preset.sequence.pulses
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **settings,
        "fwhm_MHz": preset.line.fwhm,
        "cutoff_MHz": preset.line.cutoff,
        "dt_us": preset.sequence.dt,
        "pulse_samples": [pulse.sample for pulse in pulses],
        "pulse_angles_rad": [pulse.angle for pulse in pulses],
        "pulse_phases_rad": [pulse.phase for pulse in pulses],
        "echo_index": preset.sequence.echo_sample,
        "package_version": version("latent-nmr"),
    }


def assemble(
    signals: dict[str, np.ndarray],
    time: np.ndarray,
    labels: dict[str, np.ndarray],
    attributes: dict[str, Any],
) -> xr.Dataset:
    """Put arrays together as a data set with units.

    Parameters
    ----------
    signals : dict of ndarray, shape (n_curves, n_samples)
        `mx` and `my`, dimensionless.
    time : ndarray, shape (n_samples,)
        µs.
    labels : dict of ndarray, shape (n_curves,)
        Any of `LABELS`.
    attributes : dict
        Settings; must hold `echo_index`.
    """
    n_curves = len(signals["mx"])
    coordinates: dict[str, Any] = {
        "curve": np.arange(n_curves),
        "time": ("time", time, {"units": "µs", "long_name": "time since the first pulse"}),
    }
    for name, values in labels.items():
        unit, title = LABELS[name]
        coordinates[name] = ("curve", values, {"units": unit, "long_name": title})
    variables = {
        name: (("curve", "time"), signals[name].astype(np.float32), {"units": "1", "long_name": t})
        for name, t in SIGNALS.items()
    }
    return xr.Dataset(variables, coordinates, attributes)


def check_echoes(dataset: xr.Dataset, name: str = "the data set") -> xr.Dataset:
    """Return `dataset` if it is a usable echo data set, else raise `InputError`."""
    missing = [v for v in (*SIGNALS, "time") if v not in dataset.variables]
    if missing:
        raise InputError(
            f"{name} must hold mx, my (curve, time) and time, but lacks {', '.join(missing)}. "
            "Make one with latent-nmr simulate, or rename the variables."
        )
    if "echo_index" not in dataset.attrs:
        raise InputError(
            f"{name} must say where its echo is, but has no attribute echo_index. "
            "Set ds.attrs['echo_index'] to the sample of the echo."
        )
    if not dataset.sizes["curve"]:
        raise InputError(f"{name} must hold at least one curve, but is empty. Simulate some.")
    for signal in SIGNALS:
        bad = np.argwhere(~np.isfinite(dataset[signal].to_numpy()))
        if len(bad):
            row, sample = bad[0]
            raise InputError(
                f"{name} must be finite, but {signal} of curve {int(dataset['curve'][row])} is "
                f"{float(dataset[signal][row, sample])} at sample {sample} "
                f"({len(np.unique(bad[:, 0]))} such curves). Drop or repair these curves."
            )
    return dataset


def fingerprint(dataset: xr.Dataset) -> str:
    """SHA-256 over signals, time and labels: equal for equal numbers, wherever they are kept."""
    digest = hashlib.sha256()
    for name in (*SIGNALS, "time", *(label for label in LABELS if label in dataset.variables)):
        values = dataset[name].to_numpy()
        raw = (
            "\n".join(values.tolist()).encode() if values.dtype.kind in "OUT" else values.tobytes()
        )
        digest.update(name.encode() + b"\0" + raw)
    return digest.hexdigest()
