"""A trained β-VAE and its data: read it, check that data fit it, note what it has seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr._json import json_value
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies._known_curves import MEANS, knows_curves, note_curves

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.data.feature_settings import FeatureSettings
    from latent_nmr.models.beta_vae import BetaVAE

# Attributes of the data that a model's figures mark, where the data have them, and what must be
# known of a model.
COPIED_ATTRIBUTES = (
    *("echo_index", "dt_us", "pulse_samples", "pulse_angles_rad"),
    *("fwhm_MHz", "receiver"),
)
REQUIRED_METADATA = ("window", "normalisation", "time_us", "data_sha256")


def load_model(path: Path) -> "BetaVAE":
    """Read a model that was trained on echoes, with the metadata that the commands need."""
    from latent_nmr.models.beta_vae import BetaVAE

    model = BetaVAE.load(path)
    check_trained(model, f"the model {path}")
    return model


def as_model(model: "BetaVAE | Path | str", name: str = "model") -> "BetaVAE":
    """A β-VAE that was trained on echoes: itself, a saved one, or one of the package by its name.

    Raises
    ------
    InputError
        If it is anything else, or does not know what it was trained on.
    """
    from latent_nmr.errors import InputError
    from latent_nmr.models.beta_vae import BetaVAE

    found = BetaVAE.load(model) if isinstance(model, str | Path) else model
    if not isinstance(found, BetaVAE):
        raise InputError(
            f"{name} must be a BetaVAE, the folder of a saved one, or the name of one of the "
            f"package, but is a {type(found).__name__}. Load one with BetaVAE.load or "
            "latent_nmr.load_pretrained."
        )
    check_trained(found, name)
    return found


def check_trained(model: "BetaVAE", name: str = "model") -> None:
    """Raise `InputError` if a model lacks the metadata on the echoes that it was trained on."""
    from sklearn.utils.validation import check_is_fitted

    from latent_nmr.errors import InputError

    check_is_fitted(model, "weights_")
    missing = [key for key in REQUIRED_METADATA if key not in model.metadata_]
    missing += [] if knows_curves(model.metadata_) else [MEANS]
    if missing:
        raise InputError(
            f"{name} must say what it was trained on, but its metadata lack {', '.join(missing)}. "
            "Train it with latent_nmr.train."
        )


def model_digest(path: Path) -> str:
    """Digest of a saved model: of its weights and of what its card says."""
    from latent_nmr.models.card_summary import summary
    from latent_nmr.models.persistence import read_card

    return digest_of(summary(read_card(path)))


def describe_data(
    dataset: "xr.Dataset", X: np.ndarray, settings: "FeatureSettings"
) -> dict[str, Any]:
    """Metadata that ties a model to the data it was trained on, `X` being their features."""
    from latent_nmr.data.echoes import fingerprint
    from latent_nmr.data.protocols import own_attributes

    attributes = own_attributes(dataset)
    return {
        **settings.as_metadata(),
        "time_us": settings.time(dataset).tolist(),
        **{n: json_value(attributes[n]) for n in COPIED_ATTRIBUTES if n in attributes},
        "n_curves": dataset.sizes["curve"],
        "data_sha256": fingerprint(dataset),
        **note_curves(X),
    }


def check_sampling(dataset: "xr.Dataset", path: Path | str, model: "BetaVAE") -> None:
    """Raise `InputError` if a data set has other protocols or times than the model's own data."""
    from latent_nmr.data.echoes import check_frame, sample_times
    from latent_nmr.data.feature_settings import FeatureSettings
    from latent_nmr.data.protocols import each_protocol
    from latent_nmr.data.windows import echo_sample, window_slice

    dataset = check_frame(dataset)
    settings = FeatureSettings.of_metadata(model.metadata_)
    settings.check(dataset, "the model", model.metadata_)
    check_pulses(dataset, model)
    # The window is the model's: the advice to use another would be no help.
    cure = "The model needs data with a longer record, or use one of another window."
    n_samples, all_times = dataset.sizes["time"], sample_times(dataset)
    wanted = np.atleast_2d(np.asarray(model.metadata_["time_us"]))
    for own, own_wanted in zip(each_protocol(dataset), wanted, strict=True):
        samples = window_slice(settings.window, n_samples, echo_sample(own), cure)
        _check_times(all_times[samples], own_wanted, path, settings.window)


def check_pulses(dataset: "xr.Dataset", model: "BetaVAE", name: str = "the model") -> None:
    """Raise `InputError` for data of other pulse angles than a model of one protocol, if known.

    Those of several protocols are a part of the model's feature settings.
    """
    from latent_nmr.data._attributes import pulse_angles_of
    from latent_nmr.data.protocols import ANGLE_SLACK, has_protocols, own_attributes
    from latent_nmr.errors import InputError

    wanted = pulse_angles_of(model.metadata_)
    found = pulse_angles_of(own_attributes(dataset))
    if wanted is None or found is None or has_protocols(dataset):
        return
    texts = [", ".join(f"{np.degrees(a):.4g}°" for a in angles) for angles in (wanted, found)]
    if len(wanted) != len(found) or not np.allclose(
        found, wanted, rtol=0, atol=np.radians(ANGLE_SLACK)
    ):
        raise InputError(
            f"data must have the pulse angles that {name} was trained on, {texts[0]}, as other "
            f"pulses make other curves of a material, but have {texts[1]}. Use data of these "
            "pulses, or train a model on such data."
        )


def _check_times(time: np.ndarray, wanted: np.ndarray, path: Path | str, window: str) -> None:
    from latent_nmr.errors import InputError

    if time.shape != wanted.shape or not np.allclose(time, wanted, rtol=0, atol=1e-3):
        raise InputError(
            f"data must be sampled like those the model was trained on ({len(wanted)} samples from "
            f"{wanted[0]:.1f} to {wanted[-1]:.1f} µs), but {path} has {len(time)} from "
            f"{time[0]:.1f} to {time[-1]:.1f} µs in the window {window!r}. Use data of its preset."
        )
