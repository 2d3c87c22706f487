"""A receiver of which not all is known: carrier, phase and noise, drawn for every curve."""

import numpy as np
import xarray as xr

from latent_nmr.data._receiver import curve_numbers
from latent_nmr.data.spectrometer import add_noise, rotate_phase, shift_frequency
from latent_nmr.errors import check_count, check_number

RECEIVER = "receiver"  # the attribute that says how the draws were made
# Keys of noise are (curve,) and (curve, protocol): these have a third number.
CARRIER_ROLE = (0, 1)


def unknown_receiver(
    dataset: xr.Dataset,
    *,
    carrier_spread: float = 0.0,
    snr: float | None = None,
    window: str = "full",
    seed: int = 0,
) -> xr.Dataset:
    r"""Put every curve through a receiver whose carrier and phase nobody has noted.

    .. math:: M^+(t) \to M^+(t) \, e^{-2\pi i f t + i\varphi} + \text{noise}

    with f normal around nought and φ uniform, drawn for each curve, and the same in all of
    its protocols. Repeats of a material are curves, and have receivers of their own. The draws
    of a curve depend on `seed` and on its number alone.

    Parameters
    ----------
    dataset : xarray.Dataset
        Echo data set whose coordinate `curve` holds distinct whole numbers >= 0.
    carrier_spread : float
        Standard deviation of f, MHz. Above nought, the phase is unknown too; at nought neither is
        changed.
    snr, window
        As for :func:`latent_nmr.add_noise`; None adds no noise.
    seed : int
        >= 0.

    Returns
    -------
    xarray.Dataset
        Its attribute `receiver` has these settings, which results and models keep.

    Raises
    ------
    InputError
        As :func:`latent_nmr.add_noise` does.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=2, n_edge=8)
    >>> measured = ln.unknown_receiver(ds, carrier_spread=0.01, snr=30)
    >>> [record["name"] for record in measured.attrs["spectrometer"]]
    ['shift_frequency', 'rotate_phase', 'add_noise']
    """
    spread = check_number("carrier_spread", carrier_spread, at_least=0, unit="MHz")
    check_count("seed", seed, at_least=0)
    if spread:
        draws = [
            np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(curve, *CARRIER_ROLE)))
            for curve in curve_numbers(dataset)
        ]
        offsets = [spread * draw.standard_normal() for draw in draws]
        phases = [draw.uniform(-np.pi, np.pi) for draw in draws]
        dataset = rotate_phase(shift_frequency(dataset, offsets), phases)
    if snr is not None:
        dataset = add_noise(dataset, snr, seed=seed, window=window)
    settings = {"carrier_spread_mhz": spread, "snr": snr, "window": window, "seed": seed}
    return dataset.assign_attrs({RECEIVER: settings} if spread or snr is not None else {})
