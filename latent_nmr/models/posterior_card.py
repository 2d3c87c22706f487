"""Entries of a posterior's card: its layers, the prior, the history."""

from dataclasses import asdict
from typing import Any

from latent_nmr.errors import check_choice, check_count
from latent_nmr.models.card_checks import (
    check_keys,
    check_layer_sizes,
    check_number_or_nan,
    check_object,
    check_total,
    check_vector,
    check_word,
)
from latent_nmr.models.card_text import finite_or_null
from latent_nmr.models.cards import CardFormat
from latent_nmr.models.posterior.fitted import FittedPosterior
from latent_nmr.models.posterior.network import PosteriorShape
from latent_nmr.models.posterior.prior import Prior
from latent_nmr.models.posterior.receiver import RECEIVERS, n_read_off
from latent_nmr.models.posterior.training import PosteriorRecord

MAX_MIXTURES, MAX_KERNELS = 256, 64
SHAPE = (
    "n_features", "receiver", "n_directions", "hidden_layer_sizes", "n_kernels", "n_mixtures",
)  # fmt: skip
PRIOR = ("kernel_ranges", "coupling_range", "strength_range")
FITTED = ("best_epoch", "device", "training_rows", "validation_rows", "history")


def to_entries(model: FittedPosterior) -> tuple[dict[str, Any], dict[str, Any]]:
    """Entries of the card and of its entry `fitted` that only a posterior has."""
    history = [finite_or_null(record._asdict()) for record in model.history]
    own = {"shape": asdict(model.shape), "prior": model.prior.as_entries()}
    return own, {"best_epoch": model.best_epoch, "history": history}


def to_model(card: dict[str, Any], common: dict[str, Any]) -> FittedPosterior:
    """Check what only a posterior's card has."""
    shape, prior = check_shape(card["shape"]), check_prior(card["prior"])
    if len(prior.kernels) != shape.n_kernels:
        raise ValueError("the prior must have as many kernels as the layers")
    fitted = card["fitted"]
    if not isinstance(fitted["history"], list) or not fitted["history"]:
        raise ValueError("history must hold a list of epochs")
    history = [_record(entry, number) for number, entry in enumerate(fitted["history"], 1)]
    best = check_count("best_epoch", fitted["best_epoch"], at_most=len(history))
    return FittedPosterior(**common, shape=shape, prior=prior, best_epoch=best, history=history)


def check_shape(entry: Any) -> PosteriorShape:
    """Return the sizes of the layers, bounded before anything of that size is made."""
    check_keys("shape", entry, SHAPE)
    receiver = check_choice("receiver", entry["receiver"], RECEIVERS)
    n_features = check_count("n_features", entry["n_features"])
    widths, given = n_read_off(n_features, receiver), entry["n_directions"]
    if not isinstance(given, list) or len(given) != len(widths):
        raise ValueError(f"n_directions must be {len(widths)} numbers")
    directions = [
        check_count("n_directions", own, at_least=0, at_most=width)
        for own, width in zip(given, widths, strict=True)
    ]
    shape = PosteriorShape(
        n_features,
        receiver,
        (directions[0], directions[1]),
        check_layer_sizes(entry["hidden_layer_sizes"]),
        check_count("n_kernels", entry["n_kernels"], at_most=MAX_KERNELS),
        check_count("n_mixtures", entry["n_mixtures"], at_most=MAX_MIXTURES),
    )
    check_total(shape.weight_shapes().values())
    return shape


def check_prior(entry: Any) -> Prior:
    """Return the prior: ranges of finite numbers that rise."""
    check_keys("prior", entry, PRIOR)
    kernels = check_object("kernel_ranges", entry["kernel_ranges"])
    ranges = {check_word("kernel", name): _range(name, ends) for name, ends in kernels.items()}
    prior = Prior(ranges, *(_range(name, entry[name]) for name in PRIOR[1:]))
    prior.log_density(0)  # type: ignore[arg-type]  # refuses ranges that allow nothing
    return prior


def _range(name: str, ends: Any) -> tuple[float, float]:
    low, high = check_vector(ends, 2).tolist()
    if not low < high:
        raise ValueError(f"{name} must be a range that rises")
    return low, high


def _record(entry: Any, number: int) -> PosteriorRecord:
    check_keys("an epoch", entry, PosteriorRecord._fields)
    check_count("epoch", entry["epoch"], at_least=number, at_most=number)
    names = PosteriorRecord._fields[1:]
    return PosteriorRecord(number, *(check_number_or_nan(name, entry[name]) for name in names))


FORMAT = CardFormat(
    "latent_nmr.echo_posterior", 1, "posterior of echoes", "posterior",
    FittedPosterior, ("shape", "prior"), FITTED, to_entries, to_model,
)  # fmt: skip
