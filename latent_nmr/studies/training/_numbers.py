"""Numbers of a training: history, losses of the best epoch, what the axes order."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from latent_nmr.analysis.dependence import rank_correlations
from latent_nmr.analysis.naming import name_axes
from latent_nmr.latent_axes import axis_names, axis_state, axis_warnings
from latent_nmr.studies._result import record
from latent_nmr.studies.embedding import label_columns

if TYPE_CHECKING:
    from latent_nmr.models.beta_vae import BetaVAE

CORRELATED_LABELS = ("W", "L", "alpha_x", "alpha_z")
PARTS = ("kl", "validation_kl")


def history_table(model: "BetaVAE") -> pd.DataFrame:
    """One row per epoch: losses in nats per curve, with one KL column per axis in each part."""
    names = axis_names(model.n_components)
    rows = []
    for epoch in model.history_:
        row = epoch._asdict()
        for part in PARTS:
            per_axis = row.pop(f"{part}_per_axis")
            row |= {f"{part}_{name}": kl for name, kl in zip(names, per_axis, strict=True)}
        rows.append(row | {"seconds": row.pop("seconds")})
    return pd.DataFrame(rows)


def summary(
    model: "BetaVAE",
    embedding: pd.DataFrame,
    X: np.ndarray,
    *,
    n_naming_curves: int,
    n_information_permutations: int,
) -> dict[str, Any]:
    """Losses, axes, scores of the validation part and device, as JSON holds them."""
    names = axis_names(model.n_components)
    best = model.history_[model.best_epoch_ - 1]
    held_out = embedding.iloc[model.validation_rows_]
    labels = {name: held_out[name].to_numpy() for name in CORRELATED_LABELS if name in held_out}
    residual = X[model.validation_rows_] - model.reconstruct(X[model.validation_rows_])
    variances = model.axis_variances_
    return {
        "n_curves": len(X),
        "n_features": X.shape[1],
        "n_epochs": model.n_iter_,
        "best_epoch": model.best_epoch_,
        "stop_reason": model.stop_reason_,
        "reconstruction": best.reconstruction,
        "kl": best.kl,
        "validation_reconstruction": best.validation_reconstruction,
        "validation_kl": best.validation_kl,
        "validation_rms": float(np.sqrt(np.mean(residual**2))),
        "axes": {
            name: {"state": axis_state(v), "variance": float(v), "kl": float(kl)}
            for name, v, kl in zip(names, variances, model.kl_, strict=True)
        },
        "warnings": axis_warnings(variances, model.parameters_["likelihood"]),
        "rank_correlation": rank_correlations(held_out[names].to_numpy(), labels),
        "named_axes": _named(held_out, names, n_naming_curves, n_information_permutations),
        "device": model.device_,
    }


def _named(
    held_out: pd.DataFrame, names: list[str], n_curves: int, n_information_permutations: int
) -> list[dict[str, Any]]:
    """What each axis orders, from a part of the validation curves."""
    places = np.linspace(0, len(held_out) - 1, min(n_curves, len(held_out))).astype(int)
    part = held_out.iloc[places]
    labels = {label: part[label].to_numpy() for label in label_columns(part)}
    named = name_axes(
        part[names].to_numpy(), labels, n_information_permutations=n_information_permutations
    )
    return json.loads(json.dumps([asdict(name) for name in named]))  # as a loaded result has them


def records_of(history: pd.DataFrame, seed: Any) -> Iterator[dict[str, Any]]:
    """Every loss of every epoch, and the KL of every axis, as a record."""
    for row in history.to_dict("records"):
        for name, value in row.items():
            if name == "epoch":
                continue
            score, axis = str(name), ""
            for part in PARTS:
                if score.startswith(f"{part}_LA"):
                    score, axis = part, score.removeprefix(f"{part}_")
            group = "validation" if score.startswith("validation_") else "training"
            yield record(
                "training",
                group=group,
                features=axis,
                model="BetaVAE",
                seed=seed,
                score=score.removeprefix("validation_"),
                epoch=row["epoch"],
                value=float(value),
            )
