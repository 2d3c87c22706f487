"""What the card of a model holds, as one JSON object for readers and programs."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from latent_nmr.latent_axes import axis_names, axis_state
from latent_nmr.models.card_text import finite_or_null, plain
from latent_nmr.models.cards import Card
from latent_nmr.models.fitted import FittedModel, FittedRegressor, FittedVAE
from latent_nmr.models.persistence import format_of, read_card
from latent_nmr.models.posterior.fitted import FittedPosterior


def read_summary(path: Path | str) -> dict[str, Any]:
    """Summary of the card in a model folder; the weights are not read."""
    return summary(read_card(path))


def summary(card: Card) -> dict[str, Any]:
    """What a reader of the card wants to know, as JSON can hold it."""
    model, form = card.model, format_of(card.model)
    return {
        "format": form.name,
        "format_version": form.version,
        "parameters": plain(model.parameters),
        **_own(model),
        "device": model.device,
        "packages": model.packages,
        "metadata": plain(model.metadata),
        "weights_sha256": card.weights_sha256,
    }


def _own(model: FittedModel) -> dict[str, Any]:
    if isinstance(model, FittedVAE):
        return _of_vae(model)
    return _of_posterior(model) if isinstance(model, FittedPosterior) else _of_regressor(model)


def _of_posterior(model: FittedPosterior) -> dict[str, Any]:
    best = model.history[model.best_epoch - 1]
    return {
        "shape": asdict(model.shape),
        "prior": model.prior.as_entries(),
        "n_weights": _n_weights(model),
        "training": {
            "n_epochs": len(model.history),
            "best_epoch": model.best_epoch,
            "n_training_rows": len(model.training_rows),
            "n_validation_rows": len(model.validation_rows),
            "seconds": finite_or_null(sum(record.seconds for record in model.history)),
            "best": finite_or_null(best._asdict()),
        },
    }


def _of_vae(model: FittedVAE) -> dict[str, Any]:
    best = model.history[model.best_epoch - 1]
    names = axis_names(model.architecture.n_components)
    axes = zip(names, model.kl, model.axis_variances, strict=True)
    return {
        "n_features": model.architecture.n_features,
        "hidden_layer_sizes": list(model.architecture.hidden_layer_sizes),
        "n_components": model.architecture.n_components,
        "n_weights": _n_weights(model),
        "training": {
            "n_epochs": len(model.history),
            "best_epoch": model.best_epoch,
            "stop_reason": model.stop_reason,
            "n_training_rows": len(model.training_rows),
            "n_validation_rows": len(model.validation_rows),
            "seconds": finite_or_null(sum(record.seconds for record in model.history)),
            "best": finite_or_null(best._asdict()),
        },
        "scale": model.scale,
        "axes": {
            name: {"kl": float(kl), "variance": float(variance), "state": axis_state(variance)}
            for name, kl, variance in axes
        },
    }


def _of_regressor(model: FittedModel) -> dict[str, Any]:
    assert isinstance(model, FittedRegressor)
    shape, pairs = model.shape, zip(model.best_epochs, model.history, strict=True)
    return {
        "shape": {
            "n_features": shape.n_features,
            "hidden_layer_sizes": list(shape.hidden_layer_sizes),
            "activations": list(shape.activations),
            "n_targets": shape.n_targets,
            "batch_norm": shape.batch_norm,
        },
        "target_names": model.target_names and list(model.target_names),
        "n_networks": len(model.best_epochs),
        "n_weights": _n_weights(model),
        "training": {
            "n_training_rows": len(model.training_rows),
            "n_validation_rows": len(model.validation_rows),
            "best_epochs": model.best_epochs,
            "validation_errors": [
                finite_or_null(records[best - 1].validation_error) for best, records in pairs
            ],
        },
    }


def _n_weights(model: FittedModel) -> int:
    return sum(map(math.prod, model.weight_shapes().values()))
