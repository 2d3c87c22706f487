"""What the command `axes` says: its table, its lines, its JSON values."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from latent_nmr.commands._shell import Report
from latent_nmr.latent_axes import axis_names
from latent_nmr.report.axes import axis_sentence

if TYPE_CHECKING:
    from latent_nmr.analysis.alignment import Alignment
    from latent_nmr.analysis.naming import AxisName

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


def strength_table(names: list["AxisName"]) -> pd.DataFrame:
    """One row per axis and label; ρ is empty for a nominal label, sd for one seed.

    Columns `…_null` are 95 % quantiles with the label shuffled, `…_null_of_largest` those of the
    largest over all labels, which decides.
    """
    columns = [
        name + part
        for name in ("abs_rho", "mi")
        for part in ("", "_sd", "_null", "_null_of_largest")
    ]
    records = [
        {
            "axis": name.axis,
            "label": label.label,
            **{
                key + part: value
                for key, strength in (("abs_rho", label.order), ("mi", label.information))
                if strength is not None
                for part, value in (
                    ("", strength.mean),
                    ("_sd", strength.deviation),
                    ("_null", strength.null),
                    ("_null_of_largest", strength.null_of_largest),
                )
            },
        }
        for name in names
        for label in name.labels
    ]
    return pd.DataFrame(records, columns=["axis", "label", *columns])


def report_of(
    names: list["AxisName"], table: pd.DataFrame, alignment: "Alignment | None", curves: str
) -> Report:
    """Lines and values of the result."""
    first = names[0]
    lines = [axis_sentence(name) for name in names]
    if len(table):
        lines += ["", *table_lines(table)]
    lines += ["", f"curves     {curves}"]
    if first.left_out:
        reasons = ", ".join(f"{label} {reason}" for label, reason in first.left_out.items())
        lines.append(f"left out   {reasons}")
    if len(table):
        counted = next(name for name in names if name.labels)
        lines.append(
            f"null       {counted.n_permutations} shuffles for |ρ|, "
            f"{counted.n_information_permutations} for MI; in the table of the label alone, in the "
            "sentences of the largest over all labels"
        )
    values: dict[str, Any] = {"axes": [asdict(name) for name in names], "curves": curves}
    if alignment is not None:
        lines += alignment_lines(alignment)
        values["stability"] = alignment_values(alignment)
    return Report(lines, values)


def table_lines(table: pd.DataFrame) -> list[str]:
    """The table for people: two decimals, a dash where nothing is defined."""
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


def alignment_lines(alignment: "Alignment") -> list[str]:
    """How much of each axis all seeds share, before and after turning."""
    names = axis_names(len(alignment.stability))
    before, after, null = (
        ", ".join(f"{name} {share:.2f}" for name, share in zip(names, shares, strict=True))
        for shares in (alignment.unaligned, alignment.stability, alignment.stability_null)
    )
    return [
        f"stability  {after}, overall {alignment.overall:.2f}: variance shared by the seeds after "
        "rotation, on all curves",
        f"           {before} as trained; null 95 % {null}, overall {alignment.overall_null:.2f}",
    ]


def alignment_values(alignment: "Alignment") -> dict[str, Any]:
    """Stability and rotations as JSON values."""
    return {
        "after_rotation": alignment.stability.tolist(),
        "before_rotation": alignment.unaligned.tolist(),
        "null": alignment.stability_null.tolist(),
        "overall": alignment.overall,
        "overall_null": alignment.overall_null,
        "rotations": alignment.rotations.tolist(),
    }
