"""The posteriors that come with the package: trained, calibrated, and beside a forest."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.models.posterior.receiver import RECORD, SPECTROMETER
from latent_nmr.studies.posterior._echoes import NAMES
from latent_nmr.studies.posterior.calibration import CalibrationResult, calibrate
from latent_nmr.studies.posterior.sharpness import sharpness
from latent_nmr.studies.posterior.training import train_posterior

if TYPE_CHECKING:
    import xarray as xr

# The last part of the curves is left for the calibration.
HELD_OUT = 0.1
SETTINGS: dict[str, dict[str, Any]] = {
    RECORD: {"max_epochs": 60, "patience": 15},
    # |M| about the top says less, and a smaller network finds all of it.
    SPECTROMETER: {
        "max_epochs": 50,
        "patience": 15,
        "hidden_layer_sizes": (128, 128, 128),
        "principal_components": 24,
    },
}


def publish_posterior(
    dataset: "xr.Dataset", receiver: str, folder: Path
) -> tuple[CalibrationResult, dict[str, Any]]:
    """Train on the first curves, save the model to `folder`, calibrate on the others.

    Returns
    -------
    CalibrationResult
    dict
        `seconds` of the training, `curves`, and `sharpness` beside a forest.
    """
    n_known = round((1 - HELD_OUT) * dataset.sizes["curve"])
    known = dataset.isel(curve=slice(None, n_known))
    start = time.perf_counter()
    model = train_posterior(known, receiver=receiver, random_state=0, **SETTINGS[receiver])
    seconds = time.perf_counter() - start
    model.save(folder, model.metadata_, precision="half")
    result = calibrate(folder, dataset)
    result.correction().save(folder)
    facts = {"seconds": seconds, "curves": [n_known, int(result.facts["n_curves"])]}
    facts["seconds_for_one_echo"] = _seconds_for_one(model, known)
    return result, facts | {"model": NAMES[receiver], "sharpness": sharpness(model, dataset)}


def _seconds_for_one(model: Any, dataset: "xr.Dataset") -> float:
    """Median time of 1,000 draws given one row, once all is compiled."""
    from latent_nmr.studies.posterior._data import rows_for

    row = rows_for(model.receiver, dataset.isel(curve=slice(1)))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        model.sample(row, 60.0, snr=100, phase=False)
        times.append(time.perf_counter() - start)
    return float(np.median(times))
