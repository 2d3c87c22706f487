"""What the card of a model tells: as a summary in JSON, and in words."""

import json
import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

from latent_nmr.latent_axes import axis_names, axis_state
from latent_nmr.models.card_checks import weight_shapes
from latent_nmr.models.model_card import FORMAT, FORMAT_VERSION, ModelCard, finite_or_null, plain

# Entries of the metadata that the description names.
MAX_LISTED = 40


def summary(card: ModelCard) -> dict[str, Any]:
    """What a reader of the card wants to know, as JSON can hold it."""
    best = card.history[card.best_epoch - 1]
    axes = zip(
        axis_names(card.architecture.n_components), card.kl, card.axis_variances, strict=True
    )
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "parameters": card.parameters,
        "n_features": card.architecture.n_features,
        "hidden_layer_sizes": list(card.architecture.hidden_layer_sizes),
        "n_components": card.architecture.n_components,
        "n_weights": sum(map(math.prod, weight_shapes(card.architecture).values())),
        "training": {
            "n_epochs": len(card.history),
            "best_epoch": card.best_epoch,
            "stop_reason": card.stop_reason,
            "n_training_rows": len(card.training_rows),
            "n_validation_rows": len(card.validation_rows),
            "seconds": finite_or_null(sum(record.seconds for record in card.history)),
            "best": finite_or_null(best._asdict()),
        },
        "scale": card.scale,
        "axes": {
            name: {"kl": float(kl), "variance": float(variance), "state": axis_state(variance)}
            for name, kl, variance in axes
        },
        "device": card.device,
        "packages": card.packages,
        "metadata": plain(card.metadata),
        "weights_sha256": card.weights_sha256,
    }


def summary_lines(card: ModelCard) -> list[str]:
    """The summary for people, every character of it printable."""
    facts = summary(card)
    training, hidden = facts["training"], "-".join(map(str, facts["hidden_layer_sizes"]))
    best = card.history[card.best_epoch - 1]
    axes = [
        f"{name} {axis['state']} (variance {axis['variance']:.2f}, KL {axis['kl']:.2f})"
        for name, axis in facts["axes"].items()
    ]
    rows = {
        "model": f"β-VAE, {facts['n_features']} columns, hidden layers {hidden}, "
        f"{facts['n_components']} latent axes, {facts['n_weights']} weights",
        "parameters": listed(facts["parameters"]),
        "data": f"{training['n_training_rows']} training and "
        f"{training['n_validation_rows']} validation rows",
        "epochs": f"{training['n_epochs']}, best {training['best_epoch']} "
        f"({training['stop_reason']})",
        "training": f"reconstruction {best.reconstruction:.2f}, KL {best.kl:.2f} nats per curve",
        "validation": f"reconstruction {best.validation_reconstruction:.2f}, "
        f"KL {best.validation_kl:.2f} nats per curve",
        "scale": f"σ {card.scale:.3g}",
        "axes": "; ".join(axes),
        "metadata": listed(facts["metadata"]) or "none",
        "device": facts["device"],
        "packages": listed(facts["packages"]),
        "weights": f"sha256 {facts['weights_sha256']}",
    }
    return [f"{name:<11} {printable(text)}" for name, text in rows.items()]


def listed(values: Mapping[str, Any]) -> str:
    """The first names and values on one line; long lists only by their size."""
    texts = []
    for name, value in islice(values.items(), MAX_LISTED):
        text = json.dumps(value, ensure_ascii=False)
        if len(text) > 60 and isinstance(value, list):
            text = f"[{len(value)} entries]"
        texts.append(f"{name[:60]} {text[:60]}")
    if len(values) > MAX_LISTED:
        texts.append(f"{len(values) - MAX_LISTED} more")
    return ", ".join(texts)


def printable(text: str) -> str:
    """Write out control characters: a file of others must not steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
