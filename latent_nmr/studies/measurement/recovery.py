"""How well W and L of known materials are found again from files, by signal-to-noise ratio."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from latent_nmr.studies.measurement.calibration import SNR_EDGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from latent_nmr.studies.measurement._records import RecordResult

RECOVERED = ("W", "L")


def recovered(found: "RecordResult", truth: "Mapping[str, float]", snr: float) -> dict[str, Any]:
    """A row for :func:`recovery_summary`: verdict, and W and L beside the true ones.

    Parameters
    ----------
    found : RecordResult
    truth : mapping of float
        W (MHz) and L of the material.
    snr : float
        Height of the echo over the noise of one sample and channel.
    """
    row: dict[str, Any] = {"snr": snr, "verdict": found.verdict}
    for name in RECOVERED:
        row[name] = float(truth[name])
        own = found.estimates.get(name)
        row[f"{name} found"] = np.nan if own is None else own.mean
    return row


def recovery_summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Numbers for each format and each part between the SNR of SNR_EDGES.

    Parameters
    ----------
    table : DataFrame
        Rows of :func:`recovered`, with a column `format`.

    Returns
    -------
    list of dict
        `format`, `snr` (its two ends), `files`, `estimated` (files whose verdict is INSIDE), and of
        these `r2_W`, `rms_W` (MHz), `r2_L` and `rms_L`; None of fewer than two.
    """
    found = []
    for kind, own in table.groupby("format", sort=False):
        for low, high in pairwise(SNR_EDGES):
            part = own[(own["snr"] >= low) & (own["snr"] < high)]
            row = {"format": str(kind), "snr": [low, high], "files": len(part)}
            row["estimated"] = int(part["W found"].notna().sum())
            found.append(row | {k: v for name in RECOVERED for k, v in _scores(part, name).items()})
    return found


def _scores(part: pd.DataFrame, name: str) -> dict[str, float | None]:
    """R² and root mean square error of a label, of the files that have an estimate."""
    judged = part.dropna(subset=[f"{name} found"])
    if len(judged) < 2:
        return {f"r2_{name}": None, f"rms_{name}": None}
    square = float(np.mean((judged[f"{name} found"] - judged[name]) ** 2))
    variance = float(np.var(judged[name]))
    return {f"r2_{name}": 1 - square / variance, f"rms_{name}": square**0.5}
