"""Words for a training: the values that its manifest holds, and lines for a terminal."""

from collections.abc import Mapping
from typing import Any

from latent_nmr.report.axes import axis_sentence
from latent_nmr.studies.axes import axis_name_of
from latent_nmr.studies.training import TrainingResult

# Facts that say how figures are drawn, not how the training went.
OF_FIGURES = ("span", "n_steps", "shown_titles", "window", "normalisation", "polar")
NOT_FINITE = "loss not finite"


def training_values(result: TrainingResult) -> dict[str, Any]:
    """What the manifest says of a training, as JSON holds it."""
    values = {}
    for name, fact in result.facts.items():
        if name == "named_axes":
            names = [axis_name_of(one) for one in fact]
            values["axis_names"] = {one.axis: axis_sentence(one) for one in names}
        elif name not in OF_FIGURES:
            values[name] = fact
    return values


def training_lines(values: Mapping[str, Any]) -> list[str]:
    """The summary for people: `training_values`, with `data` and `seconds` of each part."""
    correlations = [
        f"{axis} with " + ", ".join(f"{label} {_signed(rho)}" for label, rho in row.items())
        for axis, row in values["rank_correlation"].items()
        if row
    ]
    axes = [
        f"{name} {axis['state']} (variance {axis['variance']:.2f}, KL {axis['kl']:.2f})"
        for name, axis in values["axes"].items()
    ]
    parts = ", ".join(f"{part} {seconds:.0f} s" for part, seconds in values["seconds"].items())
    columns = f"{values['part']} features" if "part" in values else "samples"
    if "protocols" in values:
        columns += f" of {len(values['protocols'])} protocols"
    rows = {
        "data": f"{values['n_curves']} curves × {values['n_features']} {columns} of "
        f"{values['data']}",
        "epochs": f"{values['n_epochs']}, best {values['best_epoch']} ({values['stop_reason']})",
        "training": f"reconstruction {values['reconstruction']:.2f}, KL {values['kl']:.2f}"
        " nats per curve",
        "validation": f"reconstruction {values['validation_reconstruction']:.2f}, "
        f"KL {values['validation_kl']:.2f} nats per curve; rms {values['validation_rms']:.4f}",
        "axes": "; ".join(axes),
        "rank corr.": "; ".join(correlations) + " (validation part)"
        if correlations
        else "no labels",
        # Each sentence begins with its axis, as its row does.
        **{axis: text.removeprefix(f"{axis} ") for axis, text in values["axis_names"].items()},
        "device": values["device"],
        "time": parts,
    }
    lines = [f"{name:<11} {text}" for name, text in rows.items()]
    lines += [f"{'warning':<11} {sentence}" for sentence in values["warnings"]]
    if values["stop_reason"] == NOT_FINITE:
        lines.append(
            f"{'failed':<11} the loss was not finite in epoch {values['n_epochs']}; the weights of "
            f"epoch {values['best_epoch']} are kept. Lower the learning rate, or raise the scale."
        )
    return lines


def _signed(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.2f}"
