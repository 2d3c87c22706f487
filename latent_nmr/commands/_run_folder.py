"""The output folder of a training: model, history, embedding, figures, and its summary."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from latent_nmr.analysis.dependence import rank_correlations
from latent_nmr.analysis.naming import name_axes
from latent_nmr.latent_axes import axis_names, axis_state, axis_warnings
from latent_nmr.models.persistence import write_files
from latent_nmr.plots.curves import reconstruction_sheet
from latent_nmr.plots.style import KERNEL_STYLES, SIGNAL_TEXTS, save_figure
from latent_nmr.plots.training import loss_history
from latent_nmr.studies.latent_figures import (
    EMBEDDED_LABELS,
    draw_latent_map,
    draw_traversals,
    embedding_table,
)
from latent_nmr.studies.trained_model import describe_data

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.models.beta_vae import BetaVAE

MAP_LABELS = ("kernel", "W", "L")
CORRELATED_LABELS = ("W", "L", "alpha_x", "alpha_z")
# Naming in a second or so: this many curves suffice to see |ρ| above 0.1, and as many shuffles of
# each label's information take a millisecond or three each.
NAMING_CURVES, NAMING_SHUFFLES = 500, 39
TRAVERSAL_SPAN, TRAVERSAL_STEPS = 2.5, 11
SHEET_SIZE = 12


def write_run(
    folder: Path, model: "BetaVAE", dataset: "xr.Dataset", X: np.ndarray, window: str, norm: str
) -> dict[str, Any]:
    """Write everything a run leaves into an empty folder; returns its summary as JSON values."""
    model.metadata_ = describe_data(dataset, X, window, norm)
    write_files(model, folder, model.metadata_)
    history_table(model).to_csv(folder / "history.csv", index=False)
    table = embedding_table(model, dataset, X)
    table.to_csv(folder / "embedding.csv", index=False)
    (folder / "figures").mkdir()
    for stem, figure in run_figures(model, table, dataset, X):
        save_figure(figure, folder / "figures" / stem)
    return summarise(model, table, X)


def history_table(model: "BetaVAE") -> pd.DataFrame:
    """One row per epoch: losses in nats per curve, with one KL column per axis in each part."""
    names = axis_names(model.n_components)
    rows = []
    for record in model.history_:
        row = record._asdict()
        for part in ("kl", "validation_kl"):
            per_axis = row.pop(f"{part}_per_axis")
            row |= {f"{part}_{name}": kl for name, kl in zip(names, per_axis, strict=True)}
        rows.append(row | {"seconds": row.pop("seconds")})
    return pd.DataFrame(rows)


def run_figures(model: "BetaVAE", table: pd.DataFrame, dataset: "xr.Dataset", X: np.ndarray):
    """Yield name and figure of everything a run draws."""
    labels = tuple(label for label in MAP_LABELS if label in table.columns)
    if model.n_components >= 2 and labels:
        yield "latent_map", draw_latent_map(table, labels, model.n_components)
    axes = tuple(range(1, model.n_components + 1))
    for axis in axes:
        yield (
            f"traversal_LA{axis}",
            draw_traversals(model, (axis,), table, span=TRAVERSAL_SPAN, n_steps=TRAVERSAL_STEPS),
        )
    yield "loss_history", draw_history(model)
    yield "reconstructions", draw_reconstructions(model, dataset, X)


def draw_history(model: "BetaVAE"):
    """Loss history with the likelihood named."""
    records = model.history_
    text = "Bernoulli likelihood"
    if model.likelihood == "gaussian":
        text = f"Gaussian likelihood, σ = {model.scale_:.3g}"
    return loss_history(
        [record.epoch for record in records],
        np.array([record.reconstruction for record in records]),
        np.array([record.validation_reconstruction for record in records]),
        np.array([record.validation_kl_per_axis for record in records]),
        best_epoch=model.best_epoch_,
        likelihood_text=text,
    )


def draw_reconstructions(model: "BetaVAE", dataset: "xr.Dataset", X: np.ndarray):
    """Validation curves, evenly spread over W, on top of what the model makes of them."""
    rows = model.validation_rows_
    if "W" in dataset.variables:
        rows = rows[np.argsort(dataset["W"].to_numpy()[rows])]
    rows = rows[np.linspace(0, len(rows) - 1, min(SHEET_SIZE, len(rows))).astype(int)]
    return reconstruction_sheet(
        np.asarray(model.metadata_["time_us"]),
        X[rows],
        model.reconstruct(X[rows]),
        [curve_title(dataset, row) for row in rows],
        signal_text=SIGNAL_TEXTS[model.metadata_["normalisation"]],
    )


def curve_title(dataset: "xr.Dataset", row: int) -> str:
    """What is known of a curve, in one or two short lines."""
    curve = dataset.isel(curve=row)
    title = f"curve {int(curve['curve'])}"
    if "kernel" in dataset.variables:
        kernel = str(curve["kernel"].item())
        title += ", " + KERNEL_STYLES.get(kernel, (kernel,))[0]
    if "W" in dataset.variables:
        title += f"\nW = {float(curve['W']):.2f} MHz"
    return title


def summarise(model: "BetaVAE", table: pd.DataFrame, X: np.ndarray) -> dict[str, Any]:
    """Numbers of the summary: losses, axes, validation scores, device."""
    names = axis_names(model.n_components)
    best = model.history_[model.best_epoch_ - 1]
    held_out = table.iloc[model.validation_rows_]
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
        "warnings": axis_warnings(variances, model.likelihood),
        "rank_correlation": rank_correlations(held_out[names].to_numpy(), labels),
        "axis_names": axis_sentences(held_out, names),
        "device": model.device_,
    }


def axis_sentences(held_out: pd.DataFrame, names: list[str]) -> dict[str, str]:
    """What each axis orders, in a sentence, from a part of the validation curves."""
    places = np.linspace(0, len(held_out) - 1, min(NAMING_CURVES, len(held_out))).astype(int)
    part = held_out.iloc[places]
    labels = {label: part[label].to_numpy() for label in EMBEDDED_LABELS if label in part}
    named = name_axes(part[names].to_numpy(), labels, n_information_permutations=NAMING_SHUFFLES)
    return {name.axis: name.sentence for name in named}


def summary_lines(result: dict[str, Any], out: Path) -> list[str]:
    """The summary for people."""
    correlations = [
        f"{axis} with " + ", ".join(f"{label} {_signed(rho)}" for label, rho in row.items())
        for axis, row in result["rank_correlation"].items()
        if row
    ]
    axes = [
        f"{name} {axis['state']} (variance {axis['variance']:.2f}, KL {axis['kl']:.2f})"
        for name, axis in result["axes"].items()
    ]
    parts = ", ".join(f"{part} {seconds:.0f} s" for part, seconds in result["seconds"].items())
    rows = {
        "data": f"{result['n_curves']} curves × {result['n_features']} samples of {result['data']}",
        "epochs": f"{result['n_epochs']}, best {result['best_epoch']} ({result['stop_reason']})",
        "training": f"reconstruction {result['reconstruction']:.2f}, KL {result['kl']:.2f}"
        " nats per curve",
        "validation": f"reconstruction {result['validation_reconstruction']:.2f}, "
        f"KL {result['validation_kl']:.2f} nats per curve; rms {result['validation_rms']:.4f}",
        "axes": "; ".join(axes),
        "rank corr.": "; ".join(correlations) + " (validation part)"
        if correlations
        else "no labels",
        # Each sentence begins with its axis, as its row does.
        **{
            axis: sentence.removeprefix(f"{axis} ")
            for axis, sentence in result["axis_names"].items()
        },
        "device": result["device"],
        "time": parts,
        "written": f"{out}/: weights.safetensors, model.json, run.json, history.csv, "
        "embedding.csv, figures/*.png and *.pdf",
    }
    lines = [f"{name:<11} {text}" for name, text in rows.items()]
    return lines + [f"{'warning':<11} {sentence}" for sentence in result["warnings"]]


def _signed(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.2f}"
