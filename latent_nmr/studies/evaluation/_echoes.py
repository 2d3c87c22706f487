"""An evaluation of echo data sets: features, labels and metadata taken from them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.data._attributes import line_draw_of
from latent_nmr.data.echoes import check_frame
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.protocols import PROTOCOLS, are_alike, own_attributes, protocol_text
from latent_nmr.data.unknown_receiver import RECEIVER
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.evaluation._parts import HELD_OUT
from latent_nmr.studies.evaluation._result import EvaluationResult
from latent_nmr.studies.evaluation._study import evaluate
from latent_nmr.studies.trained_model import check_pulses, check_trained, describe_data

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.data.polar import Polar


def evaluate_echoes(
    dataset: "xr.Dataset",
    methods: Any = ("pca", "umap", "kmeans", "vae"),
    *,
    window: str = "echo",
    normalisation: str = "initial",
    part: "str | Polar" = "magnitude",
    also: "Mapping[str, xr.Dataset] | None" = None,
    models: Sequence[BetaVAE] = (),
    **settings: Any,
) -> EvaluationResult:
    """:func:`evaluate` on a data set, its β-VAEs saved with what they need to be used on others.

    Parameters
    ----------
    dataset : xarray.Dataset
    methods
        As for :func:`evaluate`.
    window, normalisation, part
        As for :func:`latent_nmr.features`.
    also : mapping of xarray.Dataset, optional
        Further sets by name, sampled at the same times.
    models : sequence of BetaVAE
        Trained β-VAEs, scored as `vae`; the method `vae` itself is then left out.
    **settings
        Further arguments of :func:`evaluate`.

    Raises
    ------
    InputError
        As :func:`evaluate`; also for a set or a model of another window.
    """
    chosen = FeatureSettings.for_data(check_frame(dataset), window, normalisation, part)
    X, time = chosen.of(dataset), chosen.time(dataset)
    others = {}
    for name, other in (also or {}).items():
        whose = f"dataset, as {name} is scored beside it"
        chosen.check(check_frame(other), whose, own_attributes(dataset))
        check_same_times(chosen.time(other), time, name)
        others[name] = chosen.of(other), other
    for number, model in enumerate(models):
        _check_model(model, number, chosen, time)
        check_pulses(dataset, model, f"model {number}")
    if models and not isinstance(methods, Mapping):
        methods = [method for method in methods if method != "vae"]

    def describe(rows: np.ndarray) -> dict[str, Any]:
        return describe_data(dataset.isel(curve=rows), X[rows], chosen)

    fitted = {"vae": list(models)} if models else None
    result = evaluate(
        X, dataset, methods, also=others, fitted=fitted, metadata=describe, **settings
    )
    parts = {HELD_OUT: dataset, **(also or {})}
    received = {p: own.attrs[RECEIVER] for p, own in parts.items() if RECEIVER in own.attrs}
    result.facts |= {RECEIVER: received} if received else {}
    result.facts["line_draw"] = {part: line_draw_of(own.attrs) for part, own in parts.items()}
    return result


def check_same_times(found: np.ndarray, wanted: np.ndarray, name: str) -> None:
    """Raise `InputError` if a further data set is sampled at other times."""
    if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=0, atol=1e-3):
        raise InputError(
            f"also must give sets sampled like the data ({_sampling(wanted)}), but {name} has "
            f"{_sampling(found)}. Use data of the same preset."
        )


def _check_model(model: BetaVAE, number: int, chosen: FeatureSettings, time: np.ndarray) -> None:
    """Raise `InputError` if a model was trained on other features."""
    check_trained(model, f"model {number}")
    own_settings = FeatureSettings.of_metadata(model.metadata_)
    for name, wanted, have in zip(chosen._fields, chosen, own_settings, strict=True):
        if name != PROTOCOLS and have != wanted:
            raise InputError(
                f"models must be of the {name} {wanted}, but model {number} is of {have}. "
                f"Evaluate with {name} {have}."
            )
    if not are_alike(own_settings.protocols, chosen.protocols):
        raise InputError(
            f"models must be of the protocols {protocol_text(chosen.protocols)}, but model "
            f"{number} is of {protocol_text(own_settings.protocols)}. Evaluate it on data of these."
        )
    own = np.asarray(model.metadata_["time_us"])
    if own.shape != time.shape or not np.allclose(own, time, rtol=0, atol=1e-3):
        raise InputError(
            f"data must be sampled like those that models were trained on, but model {number} "
            f"has {_sampling(own)}, and the data have {_sampling(time)}. Use data of its preset."
        )


def _sampling(time: np.ndarray) -> str:
    """Times of a window, or of those of several protocols, in words."""
    ends = " and ".join(f"{own[0]:.1f} to {own[-1]:.1f} µs" for own in np.atleast_2d(time))
    return f"{time.shape[-1]} samples, {ends}"
