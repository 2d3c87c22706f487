"""Checks of the posterior of whole records by simulations alone, on curves made for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.studies.posterior.independent import independent_check
from latent_nmr.studies.posterior.predictive import predictive_check, repeats_check

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

PRESET = "challenge2021-spin"
# Of materials and offsets, of no training and no calibration.
REPEATS_SEED, CURVES_SEED = 301, 302
N_REPEATS = 5


def further_checks(model: "EchoPosterior", folder: Path, *, n_curves: int = 40) -> dict[str, Any]:
    """Five echoes by an independent route, bands of draws, and repeats.

    Parameters
    ----------
    model : EchoPosterior
        Of whole records.
    folder : Path
        Where finished parts are kept, so that an interrupted study continues.
    n_curves : int
        Of the bands, and materials with five repeats each.

    Returns
    -------
    dict
        `independent`, `predictive`, `repeats`, as JSON holds them.
    """
    from latent_nmr.data.store import simulate

    curves = simulate(PRESET, n_curves, seed=CURVES_SEED)
    several = simulate(PRESET, N_REPEATS * n_curves, seed=REPEATS_SEED, repeats=N_REPEATS)
    return {
        "repeats": repeats_check(model, several),
        "predictive": predictive_check(model, curves, folder=folder),
        "independent": independent_check(model, folder=folder),
    }
