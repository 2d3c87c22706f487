"""The card of a saved model in lines for people."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

# Entries of the metadata that the description names.
MAX_LISTED = 40


def card_lines(facts: Mapping[str, Any]) -> list[str]:
    """Lines about a model, every character of them printable.

    Parameters
    ----------
    facts : mapping
        Of a β-VAE, a regressor or a posterior, as `card` of the estimators gives them.
    """
    kinds = {"axes": _of_vae, "prior": _of_posterior}
    described = next((own for key, own in kinds.items() if key in facts), _of_regressor)
    rows = described(facts) | {
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
        if len(text) > 60 and isinstance(value, list | tuple):
            text = f"[{len(value)} entries]"
        texts.append(f"{name[:60]} {text[:60]}")
    if len(values) > MAX_LISTED:
        texts.append(f"{len(values) - MAX_LISTED} more")
    return ", ".join(texts)


def printable(text: str) -> str:
    """Write out control characters: a file of others must not steer the terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _of_vae(facts: Mapping[str, Any]) -> dict[str, str]:
    training, hidden = facts["training"], "-".join(map(str, facts["hidden_layer_sizes"]))
    best = training["best"]
    axes = [
        f"{name} {axis['state']} (variance {axis['variance']:.2f}, KL {axis['kl']:.2f})"
        for name, axis in facts["axes"].items()
    ]
    return {
        "model": f"β-VAE, {facts['n_features']} columns, hidden layers {hidden}, "
        f"{facts['n_components']} latent axes, {facts['n_weights']} weights",
        "parameters": listed(facts["parameters"]),
        "data": _rows(training),
        "epochs": f"{training['n_epochs']}, best {training['best_epoch']} "
        f"({training['stop_reason']})",
        "training": f"reconstruction {_number(best['reconstruction'], 2)}, "
        f"KL {_number(best['kl'], 2)} nats per curve",
        "validation": f"reconstruction {_number(best['validation_reconstruction'], 2)}, "
        f"KL {_number(best['validation_kl'], 2)} nats per curve",
        "scale": f"σ {facts['scale']:.3g}",
        "axes": "; ".join(axes),
    }


def _of_posterior(facts: Mapping[str, Any]) -> dict[str, str]:
    training, shape, prior = facts["training"], facts["shape"], facts["prior"]
    hidden = "-".join(map(str, shape["hidden_layer_sizes"]))
    ranges = {"couplings": prior["coupling_range"], "W": prior["strength_range"]}
    ranges |= prior["kernel_ranges"]
    limits = [f"{name} {low:g} to {high:g}" for name, (low, high) in ranges.items()]
    return {
        "model": f"posterior of echoes, {shape['receiver']} of {shape['n_features']} columns, "
        f"hidden layers {hidden}, {shape['n_mixtures']} Gaussians for each of "
        f"{shape['n_kernels']} kernels, {facts['n_weights']} weights",
        "prior": f"{', '.join(limits)} (couplings and W in MHz)",
        "parameters": listed(facts["parameters"]),
        "data": _rows(training),
        "epochs": f"{training['n_epochs']}, best {training['best_epoch']}",
        "losses": listed(training["best"]),
    }


def _of_regressor(facts: Mapping[str, Any]) -> dict[str, str]:
    shape, training = facts["shape"], facts["training"]
    hidden = "-".join(map(str, shape["hidden_layer_sizes"]))
    errors = zip(training["validation_errors"], training["best_epochs"], strict=True)
    names = f" ({', '.join(facts['target_names'])})" if facts["target_names"] else ""
    return {
        "model": f"{facts['n_networks']} network(s) for {shape['n_targets']} target(s){names}, "
        f"{shape['n_features']} columns, hidden layers {hidden}, {facts['n_weights']} weights",
        "parameters": listed(facts["parameters"]),
        "data": _rows(training),
        "validation": "mean squared error of standardised targets "
        + ", ".join(f"{_number(error, 4)} (epoch {best})" for error, best in errors),
    }


def _rows(training: Mapping[str, Any]) -> str:
    return (
        f"{training['n_training_rows']} training and {training['n_validation_rows']} "
        "validation rows"
    )


def _number(value: float | None, digits: int) -> str:
    """A number, or "nan" for what JSON holds as null."""
    return "nan" if value is None else f"{value:.{digits}f}"
