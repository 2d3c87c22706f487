"""Explicit spins to curves: ν fields, kernels and couplings in, magnetisation out.

The public boundary of the dynamics: everything is checked here, on the host, before the
jitted code below it. Units as in `latent_nmr.physics`.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError, NumericalError, check_choice
from latent_nmr.physics import kernels, propagate
from latent_nmr.physics.sequence import Sequence

SCHEMES = ("midpoint", "source")
DTYPES = ("float32", "float64")


def simulate_fields(
    frequencies: npt.ArrayLike,
    kernel_tables: npt.ArrayLike,
    couplings: npt.ArrayLike,
    sequence: Sequence,
    *,
    decay_rate: npt.ArrayLike = 0.0,
    step: float = 2.0,
    scheme: str = "midpoint",
    dtype: str = "float32",
) -> npt.NDArray[np.floating]:
    """Simulate given spins: explicit ν fields with per-curve kernels, couplings and decay.

    Solves the mean-field equation of motion [P, eqs. 2 and 3] with a midpoint rotation.
    Rotations are exact, so spin length is conserved to rounding for any step; the error of the
    curve is of second order in the step.

    Parameters
    ----------
    frequencies : array_like, shape (n_curves, n_edge, n_edge)
        ν_i, MHz.
    kernel_tables : array_like, shape (n_curves, n_edge, n_edge)
        Signed K(r) from site (0, 0), even in both directions, zero at the origin; normalised
        by its sum here.
    couplings : array_like, shape (n_curves, 3)
        (α_x, α_y, α_z), MHz.
    sequence : Sequence
        Pulses and sampling.
    decay_rate : array_like, shape () or (n_curves,)
        R of the pure dephasing exp(-2πR t), MHz, not negative.
    step : float
        Time step in sample intervals: a whole number, or one over a whole number.
    scheme : {"midpoint", "source"}
        `source` is the first-order scheme of the lattice code behind [P].
    dtype : {"float32", "float64"}
        Precision of the dynamics. JAX's global setting is left alone.

    Returns
    -------
    ndarray of `dtype`, shape (n_curves, n_samples, 3)
        Mean (s^x, s^y, s^z) at every sample, dimensionless.

    Raises
    ------
    InputError
        If shapes disagree, a number is not finite, or a kernel cannot be used.
    NumericalError
        If a curve is not finite.

    References
    ----------
    [P] A. Rao et al., Phys. Rev. Research 5, 043098 (2023).
    """
    frequencies, tables, couplings, decay_rate = _checked_arrays(
        frequencies, kernel_tables, couplings, decay_rate
    )
    spectra = np.stack([kernels.coupling_spectrum(table) for table in tables])
    samples_per_step, steps_per_sample = split_step(step)
    longest = sequence.dt * max(1.0, samples_per_step / 2) / steps_per_sample
    plan = propagate.Plan(
        dt=sequence.dt,
        segments=sequence.segments,
        samples_per_step=samples_per_step,
        steps_per_sample=steps_per_sample,
        scheme=check_choice("scheme", scheme, SCHEMES),
        small_angles=_largest_field(frequencies, tables, couplings) * longest
        < propagate.SERIES_MAX_ANGLE,
    )
    pulses = np.stack([pulse.matrix() for pulse in sequence.pulses])
    dtype = check_choice("dtype", dtype, DTYPES)
    arrays = [np.asarray(a, dtype) for a in (frequencies, spectra, couplings, decay_rate)]

    def run(rows: slice) -> npt.NDArray[np.floating]:
        # The setting is local to the thread and to this block.
        with jax.enable_x64(dtype == "float64"):
            lattices = propagate.Lattice(*(jnp.asarray(a[rows]) for a in arrays))
            return np.asarray(_record_batch(lattices, jnp.asarray(pulses, dtype), plan))

    signal = np.concatenate(_run_in_threads(run, len(frequencies)))
    broken = np.flatnonzero(~np.isfinite(signal).all(axis=(1, 2)))
    if broken.size:
        raise NumericalError(
            f"a simulated curve must be finite, but row {broken[0]} is not. "
            "Use a shorter step or dtype float64."
        )
    return signal


@partial(jax.jit, static_argnames="plan")
def _record_batch(lattices: propagate.Lattice, pulses: jax.Array, plan: propagate.Plan):
    return jax.vmap(lambda lattice: propagate.record(lattice, pulses, plan))(lattices)


def _run_in_threads(run, n_rows: int) -> list[npt.NDArray[np.floating]]:
    """Apply `run` to equal slices of the rows, one per core: XLA leaves the second core idle.

    On an accelerator the whole batch is one call.
    """
    n_workers = 1
    if jax.default_backend() == "cpu":
        n_workers = min(len(os.sched_getaffinity(0)), n_rows)
    size = math.ceil(n_rows / n_workers)
    slices = [slice(start, start + size) for start in range(0, n_rows, size)]
    with ThreadPoolExecutor(n_workers) as pool:
        return list(pool.map(run, slices))


def split_step(step: float) -> tuple[int, int]:
    """Return (sample intervals per step, steps per sample interval); one of them is 1."""
    is_number = isinstance(step, Real) and not isinstance(step, bool)
    if is_number and step > 0 and math.isfinite(step):
        whole = max(float(step), 1 / float(step))
        if abs(whole - round(whole)) < 1e-9 * whole:
            return (round(whole), 1) if step >= 1 else (1, round(whole))
    raise InputError(
        "step must be a whole number of sample intervals or one over a whole number, so that "
        f"samples and steps meet, but is {step!r}. Use 4, 2, 1, 0.5, …"
    )


def _largest_field(frequencies, tables, couplings) -> float:
    """Bound of the angular local field over all curves and times, rad/µs."""
    # |M_i| ≤ (1/2) Σ|K| / |κ|: above 1/2 for kernels that change sign.
    per_curve = np.abs(tables).sum(axis=(1, 2)) / np.abs(tables.sum(axis=(1, 2)))
    in_field = 0.5 * per_curve * np.abs(couplings).max(axis=1)
    return 2 * math.pi * float(np.max(np.abs(frequencies).max(axis=(1, 2)) + in_field))


def _checked_arrays(frequencies, kernel_tables, couplings, decay_rate):
    """Convert the arrays of `simulate_fields` to float64 and check shapes and values."""
    frequencies = _as_numbers("frequencies", frequencies)
    if frequencies.ndim != 3 or frequencies.shape[1] != frequencies.shape[2]:
        raise InputError(
            "frequencies must have shape (n_curves, n_edge, n_edge), "
            f"but has shape {frequencies.shape}. Reshape to one square lattice per curve."
        )
    if not frequencies.size:
        raise InputError(
            f"frequencies must hold at least one curve, but has shape {frequencies.shape}. "
            "Give one square lattice per curve."
        )
    n_curves = len(frequencies)
    tables = _as_numbers("kernel_tables", kernel_tables)
    couplings = _as_numbers("couplings", couplings)
    decay_rate = _as_numbers("decay_rate", decay_rate)
    if decay_rate.ndim == 0:
        decay_rate = np.full(n_curves, decay_rate)
    for name, array, shape in (
        ("kernel_tables", tables, frequencies.shape),
        ("couplings", couplings, (n_curves, 3)),
        ("decay_rate", decay_rate, (n_curves,)),
    ):
        if array.shape != shape:
            raise InputError(
                f"{name} must have shape {shape} to match frequencies, but has shape "
                f"{array.shape}. Give one row per curve."
            )
    named = {
        "frequencies": frequencies,
        "kernel_tables": tables,
        "couplings": couplings,
        "decay_rate": decay_rate,
    }
    for name, array in named.items():
        if not np.isfinite(array).all():
            raise InputError(
                f"{name} must be finite, but holds {array[~np.isfinite(array)][0]}. Replace it."
            )
    if (decay_rate < 0).any():
        raise InputError(
            f"decay_rate must be >= 0 MHz, but is {decay_rate.min():g}. Spins only lose coherence."
        )
    _check_symmetry(tables)
    return frequencies, tables, couplings, decay_rate


def _as_numbers(name: str, value: Any) -> npt.NDArray[np.float64]:
    """Convert to float64, refusing what is not an array of real numbers."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "fiu":
            return array.astype(np.float64)
        found = f"dtype {array.dtype}"
    except ValueError as error:
        found = f"no array ({error})"
    raise InputError(f"{name} must be an array of real numbers, but is {found}. Convert it first.")


def _check_symmetry(tables: npt.NDArray[np.float64]) -> None:
    """Refuse a kernel that couples a spin to itself or is not even in x and in y."""
    if (tables[:, 0, 0] != 0).any():
        row = int(np.flatnonzero(tables[:, 0, 0])[0])
        raise InputError(
            "kernel_tables must be zero at the origin, because a spin feels no field of its own, "
            f"but kernel_tables[{row}, 0, 0] = {tables[row, 0, 0]:.3g}. Set it to 0."
        )
    mirrored = np.roll(tables[:, ::-1, :], 1, axis=1), np.roll(tables[:, :, ::-1], 1, axis=2)
    scale = np.abs(tables).max(axis=(1, 2))
    for image in mirrored:
        skew = np.abs(tables - image).max(axis=(1, 2))
        if (skew > 1e-9 * scale).any():
            row = int(np.argmax(skew / scale))
            raise InputError(
                "kernel_tables must be even in x and in y about site (0, 0), but row "
                f"{row} differs from its mirror image by {skew[row]:.3g}. Tabulate K(r) of the "
                "minimum-image distance."
            )
