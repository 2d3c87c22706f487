"""Words for a study of latent axes: what the command reports, as JSON values and as lines."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from latent_nmr.latent_axes import axis_names, axis_warnings
from latent_nmr.report.axes import axis_sentence
from latent_nmr.studies.axes import AxesResult, axis_name_of, strength_table

# Column of the table: its heading for people.
SHOWN = {
    "axis": "axis",
    "label": "label",
    "abs_rho": "|ρ|",
    "abs_rho_sd": "sd",
    "abs_rho_null": "null 95 %",
    "mi": "MI (nats)",
    "mi_sd": "sd",
    "mi_null": "null 95 %",
}


def axes_values(result: AxesResult) -> dict[str, Any]:
    """Facts of the study with a sentence on every axis, and on the curves that were used."""
    facts = dict(result.facts)
    axes = [{"sentence": axis_sentence(axis_name_of(one)), **one} for one in facts.pop("axes")]
    stability = facts.pop("stability")
    curves = _curves(facts["n_curves"], facts["n_unseen"])
    values = {"axes": axes, "curves": curves, **facts}
    return values if stability is None else values | {"stability": stability}


def axes_lines(values: Mapping[str, Any]) -> list[str]:
    """Lines for a terminal, from `axes_values`."""
    axes = values["axes"]
    table = strength_table(axes)
    lines = [axis["sentence"] for axis in axes]
    if len(table):
        lines += ["", *_table_lines(table)]
    lines += ["", f"curves     {values['curves']}"]
    if axes[0]["left_out"]:
        reasons = ", ".join(f"{label} {reason}" for label, reason in axes[0]["left_out"].items())
        lines.append(f"left out   {reasons}")
    if len(table):
        counted = next(axis for axis in axes if axis["labels"])
        lines.append(
            f"null       {counted['n_permutations']} permutations for |ρ|, "
            f"{counted['n_information_permutations']} for MI; in the table of the label alone, in "
            "the sentences of the largest over all labels"
        )
    if "stability" in values:
        lines += _stability_lines(values["stability"])
    return [*lines, *_notes(values)]


def _curves(n_curves: int, counts: Sequence[int]) -> str:
    """Which curves name the axes."""
    if min(counts) == n_curves:
        return f"all {n_curves}: no model was trained on any of them"
    some = " or ".join(str(count) for count in sorted(set(counts)))
    who = "each model" if len(counts) > 1 else "the model"
    return f"the {some} of {n_curves} that {who} was not trained on"


def _table_lines(table: pd.DataFrame) -> list[str]:
    """The table with two decimals, and a dash where nothing is defined."""
    rows = [list(SHOWN.values())] + [
        [
            value if isinstance(value, str) else "-" if pd.isna(value) else f"{value:.2f}"
            for value in record
        ]
        for record in table[list(SHOWN)].itertuples(index=False)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _stability_lines(stability: Mapping[str, Any]) -> list[str]:
    """The part of each axis that all models share, before and after rotation."""
    names = axis_names(len(stability["after_rotation"]))
    before, after, null = (
        ", ".join(f"{name} {share:.2f}" for name, share in zip(names, stability[key], strict=True))
        for key in ("before_rotation", "after_rotation", "null")
    )
    overall, overall_null = f"{stability['overall']:.2f}", f"{stability['overall_null']:.2f}"
    return [
        f"stability  {after}, overall {overall}: variance shared by the seeds after rotation, "
        "on all curves",
        f"           {before} as trained; null 95 % {null}, overall {overall_null}",
    ]


def _notes(values: Mapping[str, Any]) -> list[str]:
    """Settings in which the models differ, and axes out of use, whose order means little."""
    notes = []
    if values["differing_parameters"]:
        differing = "; ".join(
            f"{name} {', '.join(found)}" for name, found in values["differing_parameters"].items()
        )
        notes.append(f"note       the models differ in more than their seed: {differing}")
    for name, variances, likelihood in zip(
        values["models"], values["axis_variances"], values["likelihoods"], strict=True
    ):
        warnings = axis_warnings(variances, likelihood)
        notes += [f"warning    {name}: {sentence}" for sentence in warnings]
    return notes
