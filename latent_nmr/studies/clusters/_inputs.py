"""Inputs of the clusters: features, and labels that are known of every curve."""

import contextlib
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr._masks import refuse_masked
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.protocols import known_protocols, own_attributes
from latent_nmr.errors import InputError
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._labels import Labels, complete_labels, labels_by_name
from latent_nmr.studies.latent_figures import time_marks

# Labels that maps of a data set are coloured by; a set without them shows its own, a few at most.
MAP_LABELS, MOST_MAPS = ("W", "L", "kernel"), 4


def inputs_of(
    data: Any, labels: Any, settings: FeatureSettings
) -> tuple[npt.NDArray[np.floating], Labels, dict[str, Any], dict[str, npt.NDArray]]:
    """Features, labels that are known of every curve, and what is to be said and drawn of both."""
    import xarray as xr

    given = labels is not None and not isinstance(labels, xr.Dataset)
    if isinstance(data, xr.Dataset):
        from latent_nmr.data.labels import labelled_fingerprint

        settings = settings._replace(protocols=known_protocols(data))
        X = settings.of(data)
        facts = {
            "data_sha256": labelled_fingerprint(data),
            **settings.as_metadata(),
            "marks": time_marks(own_attributes(data)),
        }
        arrays = {"time": settings.time(data)}
        labels = data if labels is None else labels
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
    known, facts["incomplete_labels"] = complete_labels(labels_by_name(labels, len(X)))
    # Of a data set's own labels, the couplings describe clusters but have no map.
    usual = [name for name in MAP_LABELS if name in known] or list(known)[:MOST_MAPS]
    facts["map_labels"] = list(known) if given else usual
    return X, known, facts, arrays


def is_number(values: npt.NDArray | None) -> bool:
    """Whether a label is a number of each curve, not a text."""
    return values is not None and values.dtype.kind in "iuf"
