"""Models whose axes are named: checks that these can be compared."""

from collections.abc import Sequence
from pathlib import Path

from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.protocols import PROTOCOLS, are_alike, protocol_text
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies._identity import digest_of
from latent_nmr.studies.trained_model import as_model

# Differ between seeds on purpose, or change nothing that is learned.
FREE_PARAMETERS = ("random_state", "verbose")


def checked_models(
    given: Sequence[BetaVAE | Path | str], names: Sequence[str], *, align: bool
) -> list[BetaVAE]:
    """The models; raises if there is none, or their axes cannot be compared."""
    if not given:
        raise InputError("models must hold at least one model, but is empty. Give one.")
    if len(names) != len(given):
        raise InputError(
            f"names must hold one name per model ({len(given)}), but holds {len(names)}. Give a "
            "name for each, or leave names out."
        )
    models = [as_model(model, name) for model, name in zip(given, names, strict=True)]
    digests = [digest_of(model.weights_) for model in models]
    for number, name in enumerate(names):
        if digests[number] in digests[:number]:
            raise InputError(
                f"models must be different models, but {name} is the same as "
                f"{names[digests.index(digests[number])]}. Leave one out."
            )
    if align and len(models) == 1:
        raise InputError(
            f"align must have two models to align with each other, but models is {names[0]} alone. "
            "Give another, or leave align out."
        )
    for model, name in zip(models[1:], names[1:], strict=True):
        _check_comparable(models[0], names[0], model, name)
    return models


def _check_comparable(first: BetaVAE, first_name: str, model: BetaVAE, name: str) -> None:
    # The features, too, must be equal, or the axes are not those of one experiment.
    settings = [FeatureSettings.of_metadata(one.metadata_) for one in (first, model)]
    pairs = {
        **dict(zip(settings[0]._fields, zip(*settings, strict=True), strict=True)),
        "n_components": (first.n_components, model.n_components),
    }
    for key, (wanted, found) in pairs.items():
        if key == PROTOCOLS:
            if are_alike(found, wanted):
                continue
            found, wanted = protocol_text(found), protocol_text(wanted)
        if found != wanted:
            raise InputError(
                f"models must share one {key}, for their axes to be compared, but {name} has "
                f"{found!r} and {first_name} {wanted!r}. Name the axes of each alone."
            )
    if model.metadata_["time_us"] != first.metadata_["time_us"]:
        raise InputError(
            f"models must share one time grid, for their axes to be compared, but {name} has "
            f"{len(model.metadata_['time_us'])} samples at other times than {first_name}. "
            "Name the axes of each alone."
        )


def differing_parameters(models: Sequence[BetaVAE]) -> dict[str, list[str]]:
    """Parameters, but the seed, in which the models differ: their values are then a spread too."""
    parameters = [model.parameters_ for model in models]
    return {
        name: [str(one[name]) for one in parameters]
        for name in parameters[0]
        if name not in FREE_PARAMETERS
        and any(one[name] != parameters[0][name] for one in parameters)
    }
