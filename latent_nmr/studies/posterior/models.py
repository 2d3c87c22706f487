"""Trained posteriors by their folder, or by their name in the package."""

from pathlib import Path
from typing import TYPE_CHECKING

from latent_nmr.errors import InputError
from latent_nmr.shipped import named_or_path

if TYPE_CHECKING:
    from latent_nmr.models.posterior.echo_posterior import EchoPosterior


def as_posterior(model: "EchoPosterior | Path | str") -> "EchoPosterior":
    """A fitted posterior: itself, a saved one, or one of the package by its name.

    Raises
    ------
    InputError
        If it is anything else.
    """
    from sklearn.utils.validation import check_is_fitted

    from latent_nmr.models.posterior.echo_posterior import EchoPosterior

    if isinstance(model, str | Path):
        return EchoPosterior.load(named_or_path("models", model))
    if not isinstance(model, EchoPosterior):
        raise InputError(
            "model must be an EchoPosterior, the folder of a saved one, or the name of one of the "
            f"package, but is a {type(model).__name__}. Load one with EchoPosterior.load."
        )
    check_is_fitted(model, "weights_")
    return model
