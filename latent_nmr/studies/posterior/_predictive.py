"""Curves that the simulator, not a decoder, makes of draws of a posterior."""

import numpy as np
import numpy.typing as npt

from latent_nmr.data.record_rows import BLOCK
from latent_nmr.errors import InputError
from latent_nmr.models.posterior.prior import Materials
from latent_nmr.studies.posterior._echoes import Echo

FloatArray = npt.NDArray[np.float64]

N_EDGE = 100


def predicted(echo: Echo, materials: Materials, seed: int, n_edge: int = N_EDGE) -> FloatArray:
    """|M| over |M(0)| of materials as this record would show them, shape (n, n_samples).

    Every curve has offsets and noise of its own.

    Raises
    ------
    InputError
        If the echo is no whole record of two pulses.
    """
    import jax

    from latent_nmr.physics.line import Line
    from latent_nmr.physics.sequence import spin_echo
    from latent_nmr.studies.posterior._curves import curves_of

    if "pulse_samples" not in echo.facts or len(echo.facts["pulse_samples"]) != 2:
        raise InputError(
            "predicted curves must be of whole records after two pulses, but those of "
            f"{echo.name} are not known. Give a data set of echoes."
        )
    spacing = int(np.diff(echo.facts["pulse_samples"])[0])
    sequence = spin_echo(
        float(echo.facts["dt_us"]), spacing, len(echo.time), float(np.radians(echo.flip_angle_deg))
    )
    line = Line(fwhm=float(echo.facts["fwhm_MHz"]), cutoff=float(echo.facts["cutoff_MHz"]))
    keys = jax.random.split(jax.random.key(seed), len(materials.kernel))
    transverse = curves_of(echo.model.prior_, materials, keys, line, sequence, n_edge)
    transverse = transverse / np.abs(transverse[:, :1])
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2, *transverse.shape)) * np.sqrt(BLOCK) / echo.snr
    return np.abs(transverse + noise[0] + 1j * noise[1])


def share_within(measured: FloatArray, curves: FloatArray, level: float = 0.9) -> float:
    """Part of the samples of a measured curve that lie within the band of predicted ones."""
    low, high = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return float(np.mean((measured >= low) & (measured <= high)))
