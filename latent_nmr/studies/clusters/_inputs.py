"""Inputs of the clusters: features, and labels that are known of every curve."""

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from latent_nmr._masks import refuse_masked
from latent_nmr.data._texts import as_plain_text
from latent_nmr.errors import InputError
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies.latent_figures import time_marks

# Labels of a data set that are used: those of its maps, then those that may separate clusters.
MAP_LABELS = ("W", "L", "kernel")
DATASET_LABELS = (*MAP_LABELS, "alpha_x", "alpha_z")

Labels = dict[str, npt.NDArray]


def inputs_of(
    data: Any, labels: Mapping[str, Any] | None, window: str, normalisation: str
) -> tuple[npt.NDArray[np.floating], Labels, dict[str, Any], dict[str, npt.NDArray]]:
    """Features, labels that are known of every curve, and what is to be said and drawn of both."""
    import xarray as xr

    given = labels is not None
    if isinstance(data, xr.Dataset):
        from latent_nmr.data.echoes import fingerprint
        from latent_nmr.data.labels import known_labels
        from latent_nmr.data.windows import features, window_time

        X = features(data, window, normalisation)
        facts = {
            "data_sha256": fingerprint(data),
            "window": window,
            "normalisation": normalisation,
            "marks": time_marks(data.attrs),
        }
        arrays = {"time": window_time(data, window)}
        if labels is None:
            labels = known_labels(data, DATASET_LABELS)
    else:
        refuse_masked("data", data)
        X: npt.NDArray[Any] = np.array(None)
        with contextlib.suppress(TypeError, ValueError):  # unequal rows, or no array at all
            X = np.asarray(data)
        if X.ndim != 2 or X.dtype.kind not in "fiu" or not np.isfinite(X).all():
            raise InputError(
                "data must be a data set of echoes, or finite numbers of shape (n_curves, "
                f"n_features), but have shape {X.shape} and type {X.dtype}. Give one row per curve."
            )
        X = X if X.dtype.kind == "f" else X.astype(np.float64)
        facts = {"data_sha256": digest_of(X), "window": None, "normalisation": None, "marks": {}}
        arrays = {"time": np.arange(X.shape[1], dtype=np.float64)}
    known, facts["incomplete_labels"] = _known_labels({} if labels is None else labels, len(X))
    # Of a data set's own labels, the couplings describe clusters but have no map.
    facts["map_labels"] = [name for name in known if given or name in MAP_LABELS]
    return X, known, facts, arrays


def _known_labels(labels: Mapping[str, Any], n_curves: int) -> tuple[Labels, dict[str, int]]:
    """Labels as plain arrays, and for each that some curves lack, the number of these curves."""
    known, incomplete = {}, {}
    for name, given in labels.items():
        refuse_masked(f"label {name}", given)
        values = np.asarray(given)
        if values.shape != (n_curves,):
            raise InputError(
                f"labels must hold one value per curve ({n_curves}), but {name} has shape "
                f"{values.shape}. Give the labels of these curves, in their order."
            )
        lacking = ~np.isfinite(values) if is_number(values) else pd.isna(values) | (values == "")
        if lacking.any():
            incomplete[str(name)] = int(lacking.sum())
            continue
        if not is_number(values):
            values = np.array([str(value) for value in as_plain_text(values).tolist()])
        known[str(name)] = values
    return known, incomplete


def is_number(values: npt.NDArray | None) -> bool:
    """Whether a label is a number of each curve, not a text."""
    return values is not None and values.dtype.kind in "biuf"
