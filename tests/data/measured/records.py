"""Records of known truth: noise, echoes, lines, and simulated echoes on a fine grid."""

from functools import cache

import numpy as np
import xarray as xr

import latent_nmr as ln

MODEL_DT = 1 / (2 * np.pi)  # µs
# Samples per sample of the model, and of 2τ, on the fine grid.
FINE, FINE_ECHO = 8, 628 * 2 * 8


def noise_of(n_time, seed, deviation=1.0):
    """Complex white noise with the given standard deviation in each channel."""
    values = np.random.default_rng(seed).standard_normal((n_time, 2)) @ [1, 1j]
    return deviation * values


def echo_of(time, at=80.0, rise=6.0, decay=4.0, carrier=0.0, angle=0.0):
    """An echo of two exponentials of these half widths (µs), 1 high."""
    elapsed = time - at
    height = np.exp(-np.log(2) * np.abs(elapsed) / np.where(elapsed < 0, rise, decay))
    return height * np.exp(1j * (2 * np.pi * carrier * elapsed + angle))


def data_set(signal, time, **attributes):
    """Records as `open_measurement` returns them."""
    signal = np.atleast_2d(signal)
    coordinates = {"record": np.arange(len(signal)), "time": time}
    return xr.Dataset({"signal": (("record", "time"), signal)}, coordinates, attributes)


@cache
def simulated():
    """M⁺ of four curves every 20 ns, shape (4, 15072): three kernels, and a weakly coupled one.

    The line and τ of the preset `paper`, on a lattice of 16 × 16 with stratified offsets.
    """
    n_edge = 16
    rng = np.random.default_rng(0)
    spread = (np.arange(n_edge**2) + 0.5) / n_edge**2
    draws = np.stack([rng.permutation(spread) for _ in range(4)]).reshape(4, n_edge, n_edge)
    offsets = 0.025 * np.tan((2 * draws - 1) * np.arctan(20))
    kernels = [
        lambda r: np.exp(-((r / 8) ** 2)),
        lambda r: r**-2.0,
        lambda r: (2 * r / 15) ** -4 * ((2 * r / 15) * np.cos(2 * r / 15) - np.sin(2 * r / 15)),
        lambda r: np.exp(-((r / 8) ** 2)),
    ]
    tables = np.stack([ln.tabulate(kernel, n_edge) for kernel in kernels])
    couplings = np.array([[0.07, 0.07, 0.06], [0.04, 0.04, 0.05], [0.09, 0.09, 0.09], [0.03] * 3])
    sequence = ln.spin_echo(dt=MODEL_DT / FINE, pulse_spacing=628 * FINE, n_samples=1884 * FINE)
    curves = ln.simulate_lattices(
        offsets, tables, couplings, sequence, tolerance=1e-4, dtype="float64"
    )
    return np.asarray(curves)[..., 0] + 1j * np.asarray(curves)[..., 1]


def fine_time():
    """Times of :func:`simulated`, µs."""
    return MODEL_DT / FINE * np.arange(1884 * FINE)
