"""Constructor arguments of `EchoPosterior`: what they must be, and what follows from them."""

from collections.abc import Mapping

import numpy as np

from latent_nmr.errors import check_choice, check_count, check_number
from latent_nmr.models.parameters import Parameters, check_fraction, check_sizes
from latent_nmr.models.posterior.network import BLOCKS, PosteriorShape
from latent_nmr.models.posterior.receiver import RECEIVERS
from latent_nmr.models.posterior.training import PosteriorSchedule


def check_posterior(parameters: Parameters) -> None:
    """Raise `InputError` for an argument of `EchoPosterior` that cannot be used."""
    check_sizes(parameters, "a sequence of layer sizes", "(256, 256)")
    check_choice("receiver", parameters["receiver"], RECEIVERS)
    for name in ("n_mixtures", "principal_components", "batch_size", "max_epochs", "patience"):
        check_count(name, parameters[name])
    check_number("learning_rate", parameters["learning_rate"], above=0)
    check_number("phase_share", parameters["phase_share"], at_least=0, at_most=1)
    for name in ("weight_decay", "carrier_error"):
        check_number(name, parameters[name], at_least=0)
    check_fraction(parameters, "0.1")


def shape_of(
    parameters: Parameters, n_features: int, principal: Mapping[str, np.ndarray], n_kernels: int
) -> PosteriorShape:
    """Sizes of a network for rows of `n_features` columns with these principal components."""
    amplitudes, phases = (len(principal.get(f"{block}.directions", ())) for block in BLOCKS)
    return PosteriorShape(
        n_features,
        parameters["receiver"],
        (amplitudes, phases),
        tuple(map(int, parameters["hidden_layer_sizes"])),
        n_kernels,
        int(parameters["n_mixtures"]),
    )


def schedule_of(parameters: Parameters, n_rows: int) -> PosteriorSchedule:
    """How to train on `n_rows` rows."""
    return PosteriorSchedule(
        float(parameters["learning_rate"]),
        float(parameters["weight_decay"]),
        min(int(parameters["batch_size"]), n_rows),
        int(parameters["max_epochs"]),
        int(parameters["patience"]),
        float(parameters["carrier_error"]),
        float(parameters["phase_share"]),
    )
