"""Constructor arguments of the estimators, and what they must be."""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

from latent_nmr._json import python_scalar
from latent_nmr.errors import InputError, check_choice, check_count, check_number
from latent_nmr.models import networks
from latent_nmr.models.augmentation import AUGMENTATIONS
from latent_nmr.models.losses import LIKELIHOODS
from latent_nmr.models.regression_network import ACTIVATIONS, PUBLISHED_ACTIVATIONS, SOLVERS
from latent_nmr.models.schedule import SCHEDULES

LEARNED = "learned"

Parameters = Mapping[str, Any]

# Smooth activations, and a learning rate that falls to nought: docs/beta_vae.md has the table.
THOROUGH: Parameters = {
    "hidden_layer_sizes": (128, 64, 32),
    "activation": "gelu",
    "learning_rate": 2e-3,
    "schedule": "cosine",
    "max_epochs": 100,
    "patience": 100,
}
# Beside those: docs/beta_vae.md has the table of what each brings.
OF_REPEATS: Parameters = {
    "likelihood": "repeats",
    "beta": 1.0,
    "contrast": 50.0,
    "principal_components": 48,
}


def learns_scale(parameters: Parameters) -> bool:
    """Whether σ of the Gaussian is to be learned."""
    return isinstance(parameters["scale"], str)


def check_vae(parameters: Parameters) -> None:
    """Raise `InputError` for an argument of `BetaVAE` that cannot be used."""
    scale, likelihood = parameters["scale"], parameters["likelihood"]
    check_count("n_components", parameters["n_components"])
    if parameters["hidden_layer_sizes"] is not None:
        check_sizes(parameters, "None or a sequence of layer sizes", "(128, 32, 16)")
    if parameters["principal_components"] is not None:
        check_count("principal_components", parameters["principal_components"])
    _check_augment(parameters)
    check_choice("activation", parameters["activation"], networks.ACTIVATIONS)
    check_number("beta", parameters["beta"], at_least=0)
    check_choice("likelihood", likelihood, LIKELIHOODS)
    check_number("contrast", parameters["contrast"], at_least=0)
    if not learns_scale(parameters):
        check_number("scale", scale, above=0)
    elif (scale, likelihood) != (LEARNED, "gaussian"):
        raise InputError(
            f"scale must be > 0, or {LEARNED!r} for the Gaussian likelihood, but is "
            f"{scale!r} with likelihood {likelihood!r}. Give scale=0.02."
        )
    check_number("learning_rate", parameters["learning_rate"], above=0)
    check_choice("schedule", parameters["schedule"], SCHEDULES)
    for name in ("batch_size", "min_epoch_steps", "max_epochs", "patience"):
        check_count(name, parameters[name])
    check_count("warm_up_epochs", parameters["warm_up_epochs"], at_least=0)
    if parameters["warm_up_epochs"] >= parameters["max_epochs"]:
        raise InputError(
            f"warm_up_epochs must be less than max_epochs ({parameters['max_epochs']}), but is "
            f"{parameters['warm_up_epochs']}. Leave epochs at the full beta."
        )
    check_fraction(parameters, "0.15")


def check_regressor(parameters: Parameters) -> None:
    """Raise `InputError` for an argument of `CurveRegressor` that cannot be used."""
    check_sizes(parameters, "a sequence of layer sizes", "(200, 200)")
    for name in activations_of(parameters):
        check_choice("activation", name, ACTIVATIONS)
    check_choice("solver", parameters["solver"], SOLVERS)
    check_number("learning_rate", parameters["learning_rate"], above=0)
    check_number("plateau_factor", parameters["plateau_factor"], above=0, at_most=1)
    for name in ("batch_size", "max_epochs", "plateau_patience", "n_networks"):
        check_count(name, parameters[name])
    if parameters["patience"] is not None:
        check_count("patience", parameters["patience"])
    check_fraction(parameters, "0.1")


def check_rows_left(parameters: Parameters, n_rows: int, cure: str) -> int:
    """Number of rows to hold out; raises `InputError` if that leaves nothing to train on."""
    n_held_out = math.ceil(parameters["validation_fraction"] * n_rows)
    if n_held_out >= n_rows:
        raise InputError(
            "validation_fraction must leave rows to train on, but is "
            f"{parameters['validation_fraction']} of {n_rows} rows. Use {cure}, or give more rows."
        )
    return n_held_out


def activations_of(parameters: Parameters) -> tuple[str, ...]:
    """The activation of every hidden layer of a regressor."""
    given, n_layers = parameters["activation"], len(parameters["hidden_layer_sizes"])
    if given is None:
        return tuple(islice(cycle(PUBLISHED_ACTIVATIONS), n_layers))
    if isinstance(given, str):
        return (given,) * n_layers
    if not _is_row(given) or len(given) != n_layers:
        raise InputError(
            "activation must be None, one name, or one name per hidden layer "
            f"({n_layers}), but is {given!r}. Give one name for all, such as 'relu'."
        )
    return tuple(map(python_scalar, given))


def _check_augment(parameters: Parameters) -> None:
    if parameters["augment"] is None:
        return
    check_choice("augment", parameters["augment"], AUGMENTATIONS)
    if parameters["principal_components"] is not None:
        raise InputError(
            "principal_components must be None where rows are augmented, as noise lies outside of "
            f"them, but are {parameters['principal_components']}. Leave one of both out."
        )


def check_sizes(parameters: Parameters, rule: str, example: str) -> None:
    sizes = parameters["hidden_layer_sizes"]
    if isinstance(sizes, str) or not _is_row(sizes) or not len(sizes):
        raise InputError(
            f"hidden_layer_sizes must be {rule}, but is {sizes!r}. Give a tuple such as {example}."
        )
    for size in sizes:
        check_count("every entry of hidden_layer_sizes", size)


def _is_row(values: Any) -> bool:
    """Whether this is a sequence, or an array of one dimension."""
    return isinstance(values, Sequence) or len(getattr(values, "shape", ())) == 1


def check_fraction(parameters: Parameters, cure: str) -> None:
    fraction = check_number("validation_fraction", parameters["validation_fraction"], above=0)
    if fraction >= 1:
        raise InputError(
            f"validation_fraction must be > 0 and < 1, but is {fraction!r}. Use {cure}."
        )
