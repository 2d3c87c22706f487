"""What a spectrometer adds to finished curves: noise, phase, offset, baseline, dead time.

M⁺ = mx + i my is dimensionless, time in µs since the first pulse, frequencies in MHz, phases in
rad. Under ds/dt = 2π s × b a spin at +ν turns clockwise, M⁺ ∝ exp(-2πiνt). Every function takes
an echo data set and returns a new one in float32, with a record of what it did (its name and
its arguments, as JSON) appended to `attrs["spectrometer"]`; nothing of it enters the physics.
Several protocols are treated alike: one number per curve holds for all, as the carrier does, and an
array (n_protocols, n_curves) gives each its own.

The functions do not commute; a receiver works in the order of this module: offset, phase, noise,
baseline, dead time. Offset and phase leave |M| alone. The other three spoil |M| at the first
sample, by which `latent_nmr.data.windows.features` normalises by default: after dead
time it is zero and refused, with noise or a baseline it is off and values above it are cut at 1.
Use the normalisation `window_max` after these.
"""

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._times import plain_duration, refuse_shorter, typical_interval
from latent_nmr.data._receiver import (
    checked_pulse_samples,
    complex_signal,
    curve_numbers,
    per_curve,
    recorded,
)
from latent_nmr.data.echoes import sample_times
from latent_nmr.data.protocols import each_protocol, protocol_number
from latent_nmr.data.windows import echo_sample, window_slice
from latent_nmr.errors import InputError, check_count, check_number

# µs; no receiver of NMR recovers sooner, so that shorter ones were meant in ms or s.
SHORTEST_DEAD_TIME = 0.1


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

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=2, n_edge=8)
    >>> shifted = ln.shift_frequency(ds, offset=0.01)
    >>> shifted.attrs["spectrometer"]
    [{'name': 'shift_frequency', 'offset': 0.01}]
    """
    signal = complex_signal(dataset)
    frequency = per_curve("offset", offset, dataset, unit="(MHz)")
    cycles = np.multiply.outer(frequency, sample_times(dataset).astype(np.float64))
    turned = signal * np.exp(-2j * np.pi * cycles)
    return recorded(dataset, "shift_frequency", turned, offset=frequency)


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

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=1, n_edge=8)
    >>> turned = ln.rotate_phase(ds, phase=np.pi)
    >>> np.allclose(turned.mx, -ds.mx, atol=1e-6)
    True
    """
    signal = complex_signal(dataset)
    angle = per_curve("phase", phase, dataset, unit="(rad)")
    turned = signal * np.exp(1j * angle)[..., None]
    return recorded(dataset, "rotate_phase", turned, phase=angle)


def add_noise(
    dataset: xr.Dataset, snr: npt.ArrayLike, *, seed: int, window: str = "full"
) -> xr.Dataset:
    """Add white Gaussian noise, independent in mx and my.

    The standard deviation in each channel is the largest |M| of the curve in `window`, divided
    by `snr`. The noise of a curve depends on `seed`, on its number, the coordinate `curve`, and on
    the protocol where there are several, and not on which other curves are there or in which
    order; a record cut short at its end has the beginning of the same noise. Noise that is added
    twice needs two seeds, or it is the same.

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

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=2, n_edge=8)
    >>> noise = ln.add_noise(ds, snr=20, seed=1).mx - ds.mx
    >>> noise.std().values.round(3)  # 1/2 over 20
    np.float32(0.025)
    """
    signal = complex_signal(dataset)
    ratio = per_curve("snr", snr, dataset, above=0)
    seed = check_count("seed", seed, at_least=0)
    n_samples, curves = dataset.sizes["time"], curve_numbers(dataset)
    of_protocols = signal.reshape(-1, len(curves), n_samples)
    ratios = np.broadcast_to(ratio, of_protocols.shape[:2])
    for own, echoes, its_ratio in zip(each_protocol(dataset), of_protocols, ratios, strict=True):
        samples = window_slice(window, n_samples, echo_sample(own))
        height = np.abs(echoes[:, samples]).max(axis=1)
        if not height.all():
            raise InputError(
                f"every curve must have a signal to set its noise by, but curve "
                f"{curves[int(np.argmin(height))]} is zero in the window {window!r}. "
                "Drop it, choose another window, or add the noise before the dead time."
            )
        with np.errstate(over="ignore"):  # recorded refuses what is no longer finite
            deviation = height / its_ratio
        number = protocol_number(own)
        for row, curve in enumerate(curves):
            # A spawn key, not a longer seed: (seed, curve) pairs never run into each other.
            key = (curve, number) if number else (curve,)
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
            # Sample by sample, so that a shorter record has the same noise.
            noise = rng.standard_normal((n_samples, 2)).view(np.complex128)[:, 0]
            echoes[row] += deviation[row] * noise
    return recorded(dataset, "add_noise", signal, snr=ratio, seed=seed, window=window)


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

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=2, n_edge=8)
    >>> lifted = ln.add_baseline(ds, real=0.01, imaginary=0)
    >>> f"{float((lifted.mx - ds.mx).mean()):.3f}"
    '0.010'
    """
    signal = complex_signal(dataset)
    level = {
        "real": per_curve("real", real, dataset),
        "imaginary": per_curve("imaginary", imaginary, dataset),
    }
    shift = level["real"] + 1j * level["imaginary"]
    return recorded(dataset, "add_baseline", signal + shift[..., None], **level)


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
        >= 0; zero blanks nothing. A number of µs, of at least a tenth of a sample or 0.1 µs, since
        shorter ones were meant in ms or s; or a time with a unit of its own, such as timedelta64.

    Returns
    -------
    xarray.Dataset

    Raises
    ------
    InputError
        If `pulse_samples` is missing, not all of its pulses are on the record, or nothing is left.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=1, n_edge=8)
    >>> blanked = ln.blank_dead_time(ds, dead_time=1.0)
    >>> (blanked.my[0, :8] != 0).values.tolist()
    [False, False, False, False, False, False, False, True]
    """
    signal = complex_signal(dataset)
    given, is_plain = plain_duration("dead_time", dead_time)
    dead_time = check_number("dead_time", given, at_least=0, unit="µs")
    time = sample_times(dataset)
    if is_plain and dead_time > 0 and len(time) > 1:
        shortest = min(SHORTEST_DEAD_TIME, typical_interval(time) / 10)
        refuse_shorter("dead_time", dead_time, shortest, unless="0 or ")
    # Samples that stand at the end of the dead time up to rounding are not blanked: three
    # roundings (both times, their difference) of at most half a spacing each.
    rounding = 2 * np.spacing(np.abs(time).max())
    of_protocols = signal.reshape(-1, *signal.shape[-2:])
    for own, echoes in zip(each_protocol(dataset), of_protocols, strict=True):
        blanked = np.zeros(len(time), bool)
        for sample in checked_pulse_samples(own):
            elapsed = time - time[sample]
            blanked |= (elapsed >= 0) & (elapsed + rounding * (elapsed > 0) < dead_time)
        if blanked.all():
            raise InputError(
                f"dead_time must leave some of the record, which lasts {time[-1] - time[0]:g} µs, "
                f"but is {dead_time:g} µs. Give it in µs."
            )
        echoes[:, blanked] = 0
    return recorded(dataset, "blank_dead_time", signal, dead_time=dead_time)
