"""What a spectrometer adds to finished curves: noise, phase, offset, baseline, dead time.

M⁺ = mx + i my is dimensionless, time in µs since the first pulse, frequencies in MHz, phases in
rad. Under ds/dt = 2π s × b a spin at +ν turns clockwise, M⁺ ∝ exp(-2πiνt). Every function takes
an echo data set and returns a new one in float32, with a record of what it did (its name and
its arguments, as JSON) appended to `attrs["spectrometer"]`; nothing of it enters the physics.

The functions do not commute; a receiver works in the order of this module: offset, phase, noise,
baseline, dead time. Offset and phase leave |M| alone. The other three spoil |M| at the first
sample, by which `latent_nmr.data.windows.features` normalises unless told otherwise: after dead
time it is zero and refused, with noise or a baseline it is off and values above it are cut at 1.
Use the normalisation `window_max` after these.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data.echoes import SIGNALS, check_echoes
from latent_nmr.data.windows import echo_sample, window_slice
from latent_nmr.errors import InputError, check_count, check_number

RECORDS = "spectrometer"  # the attribute that holds the list of what was done


def shift_frequency(dataset: xr.Dataset, offset: npt.ArrayLike) -> xr.Dataset:
    r"""Put the receiver off resonance by `offset`, as if every spin stood that much higher.

    .. math:: M^+(t) \to M^+(t) \, e^{-2\pi i f t}

    turns M⁺ clockwise for f > 0, as a spin at ν = +f turns. Up to the second pulse this equals
    adding f to the ν of every spin that does not interact. A refocusing pulse undoes the phase
    that ν gathered before it but not that of the receiver, so that after 180° at τ the two differ
    by the constant phase exp(-4πifτ). |M| does not change. An offset beyond half the sampling rate
    is folded back, as on an instrument without a filter.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echo data set.
    offset : float or array, shape (n_curves,)
        f in MHz, in the order of the curves if it is an array.

    Returns
    -------
    xarray.Dataset
    """
    signal = _signal(dataset)
    frequency = _per_curve("offset", offset, dataset, unit="(MHz)")
    cycles = np.multiply.outer(frequency, dataset["time"].to_numpy().astype(np.float64))
    turned = signal * np.exp(-2j * np.pi * cycles)
    return _recorded(dataset, "shift_frequency", turned, offset=frequency)


def rotate_phase(dataset: xr.Dataset, phase: npt.ArrayLike) -> xr.Dataset:
    r"""Turn the receiver's phase, the same at all times; |M| does not change.

    .. math:: M^+(t) \to M^+(t) \, e^{i\varphi}

    so that φ = +π/2 brings what was in mx to my.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echo data set.
    phase : float or array, shape (n_curves,)
        φ in rad, in the order of the curves if it is an array.

    Returns
    -------
    xarray.Dataset
    """
    signal = _signal(dataset)
    angle = _per_curve("phase", phase, dataset, unit="(rad)")
    turned = signal * np.exp(1j * angle)[..., None]
    return _recorded(dataset, "rotate_phase", turned, phase=angle)


def add_noise(
    dataset: xr.Dataset, snr: npt.ArrayLike, *, seed: int, window: str = "full"
) -> xr.Dataset:
    """Add white Gaussian noise, independent in mx and my.

    The standard deviation in each channel is the largest |M| of the curve in `window`, divided
    by `snr`. The noise of a curve depends on `seed` and on its number, the coordinate `curve`,
    and not on which other curves are there or in which order; a record cut short at its end has
    the beginning of the same noise. Noise that is added twice needs two seeds, or it is the same.

    Where the signal is weak the noise lifts the mean of |M| to about 1.25 standard deviations.
    For features of noisy curves use the normalisation `window_max`: `initial` divides by the
    first sample, which is then noisy itself, and cuts at 1 what exceeds it.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echo data set whose coordinate `curve` holds distinct whole numbers >= 0.
    snr : float or array, shape (n_curves,)
        Signal-to-noise ratio of one channel, > 0; in the order of the curves if it is an array.
    seed : int
        The one seed, >= 0.
    window : {"full", "echo", "echo300"}
        Where to look for the largest |M|. The noise is added to the whole record.

    Returns
    -------
    xarray.Dataset

    Raises
    ------
    InputError
        If the curves are not numbered, the window is not on the record, or a curve is zero there.
    """
    signal = _signal(dataset)
    ratio = _per_curve("snr", snr, dataset, above=0)
    seed = check_count("seed", seed, at_least=0)
    n_samples = dataset.sizes["time"]
    samples = window_slice(window, n_samples, echo_sample(dataset))
    curves = _curve_numbers(dataset)
    height = np.abs(signal[:, samples]).max(axis=1)
    if not height.all():
        raise InputError(
            f"every curve must have a signal to set its noise by, but curve "
            f"{curves[int(np.argmin(height))]} is zero in the window {window!r}. "
            "Drop it, choose another window, or add the noise before the dead time."
        )
    with np.errstate(over="ignore"):  # _recorded refuses what is no longer finite
        deviation = height / ratio
    for row, curve in enumerate(curves):
        # A spawn key, not a longer seed: (seed, curve) pairs never run into each other.
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(curve,)))
        # Sample by sample, so that a shorter record has the same noise.
        noise = rng.standard_normal((n_samples, 2)).view(np.complex128)[:, 0]
        signal[row] += deviation[row] * noise
    return _recorded(dataset, "add_noise", signal, snr=ratio, seed=seed, window=window)


def add_baseline(dataset: xr.Dataset, real: npt.ArrayLike, imaginary: npt.ArrayLike) -> xr.Dataset:
    """Add a constant to each channel: `real` to mx, `imaginary` to my.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echo data set.
    real, imaginary : float or array, shape (n_curves,)
        Dimensionless, on the scale where |M(0)| = 1/2; in the order of the curves if an array.

    Returns
    -------
    xarray.Dataset
    """
    signal = _signal(dataset)
    level = {
        "real": _per_curve("real", real, dataset),
        "imaginary": _per_curve("imaginary", imaginary, dataset),
    }
    shift = level["real"] + 1j * level["imaginary"]
    return _recorded(dataset, "add_baseline", signal + shift[..., None], **level)


def blank_dead_time(dataset: xr.Dataset, dead_time: float) -> xr.Dataset:
    """Set mx and my to zero from each pulse until `dead_time` after it.

    The samples at t_pulse <= t < t_pulse + `dead_time` are zero, all others are untouched;
    `attrs["pulse_samples"]` says at which samples the pulses are. Blank last: what is added
    later is not blanked.

    The first sample is at a pulse, so that it becomes zero: features of blanked curves need the
    normalisation `window_max`, since `initial` divides by |M| at the first sample.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echo data set with the attribute `pulse_samples`, sample indices of this very record:
        blank before cutting a record in time.
    dead_time : float
        µs, >= 0; zero blanks nothing.

    Returns
    -------
    xarray.Dataset

    Raises
    ------
    InputError
        If `pulse_samples` is missing, or not all of its pulses are on the record.
    """
    signal = _signal(dataset)
    dead_time = check_number("dead_time", dead_time, at_least=0, unit="µs")
    time = dataset["time"].to_numpy()
    # Samples that stand at the end of the dead time up to rounding are not blanked: three
    # roundings (both times, their difference) of at most half a spacing each.
    rounding = 2 * np.spacing(np.abs(time).max())
    for sample in _pulse_samples(dataset):
        elapsed = time - time[sample]
        blanked = (elapsed >= 0) & (elapsed + rounding * (elapsed > 0) < dead_time)
        signal[:, blanked] = 0
    return _recorded(dataset, "blank_dead_time", signal, dead_time=dead_time)


def _signal(dataset: xr.Dataset) -> npt.NDArray[np.complex128]:
    """M⁺ of a checked data set in a new array, shape (n_curves, n_samples)."""
    check_echoes(dataset, both_components=True)
    if not isinstance(dataset.attrs.get(RECORDS, []), list):
        raise InputError(
            f"the attribute {RECORDS} must be the list of what was done to the data set, but is "
            f"{dataset.attrs[RECORDS]!r}. Keep that under another name."
        )
    mx, my = (dataset[name].transpose("curve", "time").to_numpy() for name in SIGNALS)
    return mx.astype(np.float64) + 1j * my.astype(np.float64)


def _per_curve(
    name: str, value: npt.ArrayLike, dataset: xr.Dataset, **rule: Any
) -> npt.NDArray[np.float64]:
    """Return `value` as a checked array: shape () for a number, else (n_curves,)."""
    try:
        values = np.asarray(value)
        found = f"has shape {values.shape}"
    except ValueError:
        values, found = np.empty((0, 0)), "has rows of unequal length"
    if not values.ndim:
        return np.array(check_number(name, value, **rule))
    n_curves = dataset.sizes["curve"]
    if values.shape != (n_curves,):
        raise InputError(
            f"{name} must be one number or one per curve, shape ({n_curves},), but {found}. "
            f"Give one number, or {n_curves} in a row."
        )
    numbers = [check_number(f"{name}[{i}]", v, **rule) for i, v in enumerate(values.tolist())]
    return np.array(numbers)


def _curve_numbers(dataset: xr.Dataset) -> list[int]:
    """Numbers of the curves, which key their noise."""
    if "curve" not in dataset.coords or dataset["curve"].dtype.kind not in "iu":
        found = dataset["curve"].dtype if "curve" in dataset.coords else "missing"
        raise InputError(
            f"the coordinate curve must number the curves, since it keys their noise, but is "
            f"{found}. Set it with ds.assign_coords(curve=np.arange(ds.sizes['curve']))."
        )
    numbers = dataset["curve"].to_numpy().tolist()
    seen = set()
    for number in numbers:
        if number < 0 or number in seen:
            fault = "is there twice" if number in seen else "is negative"
            raise InputError(
                "the coordinate curve must hold distinct numbers >= 0, since it keys the noise of "
                f"the curves, but {number} {fault}. Number the curves anew."
            )
        seen.add(number)
    return numbers


def _pulse_samples(dataset: xr.Dataset) -> list[int]:
    """Indices of the samples at which the pulses are, all on the record."""
    n_samples = dataset.sizes["time"]
    samples = np.array(dataset.attrs.get("pulse_samples", []), dtype=object).ravel().tolist()
    if not samples:
        raise InputError(
            "the data set must say when its pulses are, but its attribute pulse_samples is "
            f"{'empty' if 'pulse_samples' in dataset.attrs else 'missing'}. "
            "Set ds.attrs['pulse_samples'] to the list of their sample indices."
        )
    for sample in samples:
        if not isinstance(sample, int | np.integer) or not 0 <= sample < n_samples:
            raise InputError(
                f"pulse_samples must be samples of the record, 0..{n_samples - 1}, but holds "
                f"{sample!r}. Correct ds.attrs['pulse_samples'], or blank before cutting in time."
            )
    return samples


def _recorded(
    dataset: xr.Dataset, name: str, signal: npt.NDArray[np.complex128], **arguments: Any
) -> xr.Dataset:
    """Return a new data set with `signal`, shape (n_curves, n_samples), and a record of `name`.

    Arguments per curve are kept whole, with the numbers of their curves, so that the record
    still says which is whose after a subset was taken, and is enough to do it again.
    """
    record = {"name": name} | {
        key: value.tolist() if isinstance(value, np.ndarray) else value
        for key, value in arguments.items()
    }
    if any(isinstance(value, list) for value in record.values()):
        record["curve"] = dataset["curve"].to_numpy().tolist()
    variables = {}
    for channel, values in zip(SIGNALS, (signal.real, signal.imag), strict=True):
        with np.errstate(over="ignore"):
            numbers = values.astype(np.float32)
        bad = np.flatnonzero(~np.isfinite(numbers).all(axis=1))
        if len(bad):
            raise InputError(
                f"the result must be finite in float32, but {name} takes {channel} of curve "
                f"{dataset['curve'].to_numpy()[bad[0]]} beyond it. Use smaller arguments."
            )
        variables[channel] = (("curve", "time"), numbers, dataset[channel].attrs)
    rest = dataset.drop_vars(list(SIGNALS)).copy(deep=True)
    done = [*rest.attrs.get(RECORDS, []), record]
    return rest.assign(variables).assign_attrs({RECORDS: done})
