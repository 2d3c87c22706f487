"""Magnetisation of explicitly given lattices: offset maps, kernels and couplings.

The public interface of the dynamics: all input is validated here, on the host, before it reaches
jitted code. Units as in `latent_nmr.physics`.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Rows
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._rounding import rounding_of
from latent_nmr.errors import ROUNDING, InputError, NumericalError, check_choice
from latent_nmr.physics import kernels, propagate
from latent_nmr.physics.devices import run_lattices
from latent_nmr.physics.relaxation import Relaxation, total_rate
from latent_nmr.physics.search import Curve
from latent_nmr.physics.sequence import Sequence
from latent_nmr.physics.steps import fixed_cut
from latent_nmr.physics.tolerance import (
    check_resolvable,
    check_tolerance,
    names_of_rows,
    run_to_tolerance,
    warn_of_errors,
    warn_of_long_steps,
)

SCHEMES = ("averaged", "midpoint", "source")
DTYPES = ("float32", "float64")


def simulate_lattices(
    frequencies: npt.ArrayLike,
    kernel_tables: npt.ArrayLike,
    couplings: npt.ArrayLike,
    sequence: Sequence | Rows[Sequence],
    *,
    decay_rate: npt.ArrayLike = 0.0,
    relaxation_rate: npt.ArrayLike = 0.0,
    equilibrium_mz: npt.ArrayLike = 0.0,
    tolerance: float = 1e-3,
    step: float | None = None,
    scheme: str = "averaged",
    dtype: str = "float32",
    return_error: bool = False,
    names: Rows[str] | None = None,
) -> Any:
    """Simulate given lattices: an offset map, kernel, couplings and decay rate for each curve.

    Solves the mean-field equation of motion [P, eqs. 2 and 3]. Rotations are exact, so spin
    length is conserved to rounding for any step; the error of the curve is of third order in the
    step (of second where spins dephase or relax). A curve does not depend on the others in the
    call.

    Parameters
    ----------
    frequencies : array_like, shape (n_curves, n_edge, n_edge)
        ν_i, MHz.
    kernel_tables : array_like, shape (n_curves, n_edge, n_edge)
        Signed K(r) from site (0, 0), even in both directions, zero at the origin, both up to the
        rounding of its precision; normalised by its sum here.
    couplings : array_like, shape (n_curves, 3)
        (α_x, α_y, α_z), MHz.
    sequence : Sequence or sequence of Sequence
        Pulses and sampling: one for all curves, or one per curve, all with as many samples.
    decay_rate : array_like, shape () or (n_curves,)
        R of the pure dephasing exp(-2πR t), MHz, not negative.
    relaxation_rate : array_like, shape () or (n_curves,)
        R₁ = 1/(2π T₁) of the longitudinal relaxation exp(-2πR₁ t), MHz, not negative. It adds R₁/2
        to R in the transverse decay, see `latent_nmr.physics.relaxation`.
    equilibrium_mz : array_like, shape () or (n_curves,)
        s^z to which spins relax, from -1/2 to 1/2. Whatever it is, spins start at s^z = 1/2: give
        1/2 if that is their equilibrium.
    tolerance : float
        Largest error of any component of M at any sample that each curve may have, by an estimate
        made with the curve itself; |M(0)| = 1/2. At least 1e-5 in float32.
    step : float, optional
        Time step in sample intervals, instead of a tolerance: a whole number, or one over a whole
        number. The error is then not estimated.
    scheme : {"averaged", "midpoint", "source"}
        See `latent_nmr.physics.propagate`; `source` is the first-order scheme of the lattice code
        behind [P], one step per sample interval unless `step` says otherwise; its error is not
        estimated, but curves for which even the default scheme would need shorter steps are warned
        of.
    dtype : {"float32", "float64"}
        Precision of the dynamics. JAX's global setting is left alone.
    return_error : bool
        Return the estimated errors too.
    names : sequence of str, optional
        What warnings and errors call the curves; otherwise "row 0" and so on.

    Returns
    -------
    signal : ndarray of `dtype`, shape (n_curves, n_samples, 3)
        Mean (s^x, s^y, s^z) at every sample, dimensionless.
    error_estimate : ndarray, shape (n_curves,)
        Only if asked for; NaN where the step was fixed.

    Raises
    ------
    InputError
        If shapes disagree, a number is not finite, or a kernel cannot be used.
    NumericalError
        If a curve is not finite.

    Warns
    -----
    StepWarning
        If the estimated error of a curve stays above the tolerance: where the motion is unstable,
        no step of a reasonable length helps.

    References
    ----------
    [P] A. Rao et al., Phys. Rev. Research 5, 043098 (2023).

    Examples
    --------
    One lattice whose spins do not interact: its echo at 2τ refocuses completely.

    >>> import jax
    >>> import latent_nmr as ln
    >>> sequence = ln.spin_echo(dt=0.2, pulse_spacing=50, n_samples=121)
    >>> nu = ln.draw_frequencies(jax.random.key(0), 10, ln.Line())
    >>> table = ln.kernel_table("gaussian", 3.0, n_edge=10)
    >>> spins = ln.simulate_lattices([nu], [table], [(0, 0, 0)], sequence)
    >>> spins.shape
    (1, 121, 3)
    >>> spins[0, 100].round(3).tolist()[1]
    0.5
    """
    frequencies, tables, couplings, decay_rate = checked_arrays(
        frequencies, kernel_tables, couplings, decay_rate
    )
    relaxation_rate, equilibrium = checked_relaxation(
        relaxation_rate, equilibrium_mz, len(frequencies)
    )
    sequences = _checked_sequences(sequence, len(frequencies))
    check_choice("scheme", scheme, SCHEMES)
    check_choice("dtype", dtype, DTYPES)
    tolerance = check_tolerance(tolerance, dtype, step)
    names = names_of_rows(names, len(frequencies))
    spectra = [kernels.coupling_spectrum(table) for table in tables]
    pulses = [np.stack([pulse.matrix() for pulse in s.pulses]) for s in sequences]
    unity = np.ones(len(tables))
    losses = [
        Relaxation(*row) if row[0] > 0 else None
        for row in zip(relaxation_rate, equilibrium, strict=True)
    ]
    rows = zip(frequencies, spectra, couplings, decay_rate, pulses, unity, losses, strict=True)
    lattices = [propagate.Lattice._make(row) for row in rows]
    rates = total_rate(decay_rate, relaxation_rate)
    rows = zip(frequencies, tables, couplings, rates, sequences, strict=True)
    curves = [Curve._make(row) for row in rows]
    if step is None and scheme != "source":
        check_resolvable(curves, names)
        settings = {"tolerance": tolerance, "scheme": scheme, "dtype": dtype}
        signal, errors = run_to_tolerance(lattices, curves, **settings)
        warn_of_errors(errors, tolerance, names)
    else:
        cut = fixed_cut(1 if step is None else step)
        if step is None:
            warn_of_long_steps(curves, cut, tolerance, names)
        signal = run_lattices(lattices, [curve.plan(cut, scheme) for curve in curves], dtype)
        errors = np.full(len(curves), np.nan)
    broken = np.flatnonzero(~np.isfinite(signal).all(axis=(1, 2)))
    if broken.size:
        raise NumericalError(
            f"a simulated curve must be finite, but {names[broken[0]]} is not. "
            "Use a shorter step or dtype float64."
        )
    return (signal, errors) if return_error else signal


def _checked_sequences(sequence: Sequence | Rows[Sequence], n_curves: int) -> list[Sequence]:
    """One sequence per curve, all with as many samples."""
    if isinstance(sequence, Sequence):
        return [sequence] * n_curves
    given: list[Any] = list(sequence) if isinstance(sequence, Iterable) else [sequence]
    for row, one in enumerate(given):
        if not isinstance(one, Sequence):
            raise InputError(
                "sequence must be a Sequence, or one per curve, but "
                f"{f'row {row} ' if len(given) > 1 else ''}is {one!r}. Make it with spin_echo."
            )
    sequences: list[Sequence] = given
    if len(sequences) != n_curves:
        raise InputError(
            f"sequence must be one for all or one per curve, but there are {len(sequences)} for "
            f"{n_curves} curves. Give one row per curve."
        )
    counts = sorted({s.n_samples for s in sequences})
    if len(counts) > 1:
        raise InputError(
            "the sequences of one call must have as many samples, so that their curves fit one "
            f"array, but have {counts}. Simulate them in separate calls."
        )
    return sequences


def checked_frequencies(frequencies: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return offset maps as float64, shape (n_curves, n_edge, n_edge), or raise."""
    frequencies = kernels.as_real("frequencies", frequencies, "MHz")
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
    return frequencies


def checked_arrays(frequencies, kernel_tables, couplings, decay_rate):
    """Convert the arrays of `simulate_lattices` to float64 and check shapes and values."""
    frequencies = checked_frequencies(frequencies)
    n_curves = len(frequencies)
    rounding = rounding_of(kernel_tables)
    tables = kernels.as_real("kernel_tables", kernel_tables)
    couplings = kernels.as_real("couplings", couplings, "MHz")
    for name, array, shape in (
        ("kernel_tables", tables, frequencies.shape),
        ("couplings", couplings, (n_curves, 3)),
    ):
        _check_shape(name, array, shape)
    for name, array in (
        ("frequencies", frequencies),
        ("kernel_tables", tables),
        ("couplings", couplings),
    ):
        _check_finite(name, array)
    decay_rate = _checked_rate("decay_rate", decay_rate, n_curves, "Spins only lose coherence.")
    _check_symmetry(tables, rounding)
    return frequencies, tables, couplings, decay_rate


def checked_relaxation(
    relaxation_rate: npt.ArrayLike, equilibrium_mz: npt.ArrayLike, n_curves: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Convert both to float64, shape (n_curves,), and check them."""
    cure = "Spins only approach equilibrium."
    rate = _checked_rate("relaxation_rate", relaxation_rate, n_curves, cure)
    equilibrium = _per_curve("equilibrium_mz", equilibrium_mz, n_curves)
    largest = equilibrium[np.argmax(np.abs(equilibrium))]
    if abs(largest) > 0.5 * (1 + ROUNDING):
        raise InputError(
            "equilibrium_mz must be from -1/2 to 1/2, because it is ⟨I^z⟩ of a spin 1/2, but is "
            f"{largest:g}. Give half of the polarisation."
        )
    return rate, np.clip(equilibrium, -0.5, 0.5)


def _checked_rate(
    name: str, rate: npt.ArrayLike, n_curves: int, cure: str
) -> npt.NDArray[np.float64]:
    """Convert a rate to float64, shape (n_curves,), or raise if one is negative."""
    rates = _per_curve(name, rate, n_curves, "MHz")
    if (rates < 0).any():
        raise InputError(f"{name} must be >= 0 MHz, but is {rates.min():g}. {cure}")
    return rates


def _per_curve(
    name: str, values: npt.ArrayLike, n_curves: int, unit: str = ""
) -> npt.NDArray[np.float64]:
    """Finite numbers, one per curve; one stands for all."""
    array = kernels.as_real(name, values, unit)
    if array.ndim == 0:
        array = np.full(n_curves, array)
    _check_shape(name, array, (n_curves,))
    _check_finite(name, array)
    return array


def _check_shape(name: str, array: npt.NDArray[np.float64], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InputError(
            f"{name} must have shape {shape} to match frequencies, but has shape "
            f"{array.shape}. Give one row per curve."
        )


def _check_finite(name: str, array: npt.NDArray[np.float64]) -> None:
    if not np.isfinite(array).all():
        raise InputError(
            f"{name} must be finite, but holds {array[~np.isfinite(array)][0]}. Replace it."
        )


def _check_symmetry(tables: npt.NDArray[np.float64], rounding: float) -> None:
    """Raise if a kernel couples a spin to itself or is not even in x and in y, up to `rounding`.

    What rounding left at the origin is cleared in place.
    """
    scale = np.abs(tables).max(axis=(1, 2))
    coupled = np.flatnonzero(np.abs(tables[:, 0, 0]) > rounding * scale)
    if coupled.size:
        row = int(coupled[0])
        raise InputError(
            "kernel_tables must be zero at the origin, because a spin feels no field of its own, "
            f"but kernel_tables[{row}, 0, 0] = {tables[row, 0, 0]:.3g}. Set it to 0."
        )
    mirrored = np.roll(tables[:, ::-1, :], 1, axis=1), np.roll(tables[:, :, ::-1], 1, axis=2)
    for image in mirrored:
        skew = np.abs(tables - image).max(axis=(1, 2))
        if (skew > rounding * scale).any():
            row = int(np.argmax(skew / np.where(scale > 0, scale, 1)))
            raise InputError(
                "kernel_tables must be even in x and in y about site (0, 0), but row "
                f"{row} differs from its mirror image by {skew[row]:.3g}. Tabulate K(r) of the "
                "minimum-image distance."
            )
    tables[:, 0, 0] = 0
