"""The estimator's constructor arguments, and what they must be."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from latent_nmr.errors import InputError, check_choice, check_count, check_number
from latent_nmr.models.losses import LIKELIHOODS

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

LEARNED = "learned"


def learns_scale(model: "BetaVAE") -> bool:
    """Whether σ of the Gaussian is to be learned."""
    return isinstance(model.scale, str)


def check_parameters(model: "BetaVAE") -> None:
    """Raise `InputError` for a constructor argument that cannot be used."""
    check_count("n_components", model.n_components)
    if model.hidden_layer_sizes is not None:
        if not isinstance(model.hidden_layer_sizes, Sequence) or not model.hidden_layer_sizes:
            raise InputError(
                "hidden_layer_sizes must be None or a sequence of layer sizes, but is "
                f"{model.hidden_layer_sizes!r}. Give a tuple such as (128, 32, 16)."
            )
        for size in model.hidden_layer_sizes:
            check_count("every entry of hidden_layer_sizes", size)
    check_number("beta", model.beta, at_least=0)
    check_choice("likelihood", model.likelihood, LIKELIHOODS)
    if not learns_scale(model):
        check_number("scale", model.scale, above=0)
    elif (model.scale, model.likelihood) != (LEARNED, "gaussian"):
        raise InputError(
            f"scale must be > 0, or {LEARNED!r} for the Gaussian likelihood, but is "
            f"{model.scale!r} with likelihood {model.likelihood!r}. Give scale=0.02."
        )
    check_number("learning_rate", model.learning_rate, above=0)
    check_count("batch_size", model.batch_size)
    check_count("min_epoch_steps", model.min_epoch_steps)
    check_count("max_epochs", model.max_epochs)
    check_count("patience", model.patience)
    check_count("warm_up_epochs", model.warm_up_epochs, at_least=0)
    if model.warm_up_epochs >= model.max_epochs:
        raise InputError(
            f"warm_up_epochs must be less than max_epochs ({model.max_epochs}), but is "
            f"{model.warm_up_epochs}. Leave epochs at the full beta."
        )
    fraction = check_number("validation_fraction", model.validation_fraction, above=0)
    if fraction >= 1:
        raise InputError(f"validation_fraction must be > 0 and < 1, but is {fraction!r}. Use 0.15.")


def check_validation_rows(model: "BetaVAE", n_rows: int) -> None:
    """Raise `InputError` if the validation part would leave nothing to train on."""
    n_held_out = math.ceil(model.validation_fraction * n_rows)
    if n_held_out >= n_rows:
        raise InputError(
            f"validation_fraction must leave rows to train on, but is {model.validation_fraction} "
            f"of {n_rows} rows. Use 0.15, or give more rows."
        )
