"""Words for the audit of a decoder: lines for a terminal, values for a file."""

from collections.abc import Mapping, Sequence
from typing import Any

from latent_nmr.studies.audit import AuditResult, chance_outside

# What the scatter of new curves is the scatter of.
SCATTER_TEXTS = {
    "independent": "over offset maps with independent ν",
    "stratified": "over arrangements of one stratified line: of the spatial order alone, "
    "a fraction of that over independent ν",
}
REGION_TEXTS = {
    "pulse": "after a pulse",
    "echo": "in the echo",
    "early": "before the echo",
    "late": "after the echo",
}
KERNEL_SYMBOLS = {"gaussian": "ξ", "power": "p", "rkky": "γ"}


def audit_values(result: AuditResult) -> dict[str, Any]:
    """What is kept of an audit as JSON."""
    facts = result.facts
    return {
        "sentences": [
            axis_sentence(axis, summary)
            for axis, summary in zip(facts["axes"], facts["summaries"], strict=True)
        ],
        "remarks": remarks(facts["points"]),
        "n_curves": facts["n_curves"],
        "n_fitted": facts["n_fitted"],
        "data_sha256": facts["data_sha256"],
        "scatter": SCATTER_TEXTS[facts["line_draw"]],
        "data_spacing": facts["data_spacing"],
        "points": [
            {name: None if value != value else value for name, value in row.items()}
            for row in facts["points"]
        ],
    }


def axis_sentence(axis: int, summary: Mapping[str, Any]) -> str:
    """Say where along an axis the decoder invents structure, averages, or is faithful.

    `summary` holds the fields of an `AxisSummary`.
    """
    clauses = []
    if summary["invents"]:
        what = _excess_text(summary["excess"])
        clauses.append(f"invents structure at {_places(summary['invents'])} ({what})")
    elif summary["averages"] or summary["faithful"]:
        clauses.append("invents no structure where data lie")
    if summary["averages"]:
        clauses.append(f"averages over unlike curves at {_places(summary['averages'])}")
    if summary["faithful"]:
        clauses.append(f"is faithful at {_places(summary['faithful'])}")
    if summary["off_data"]:
        what = ""
        if summary["off_data_invents"]:
            excess = _excess_text(summary["off_data_excess"])
            what = f", inventing at {_places(summary['off_data_invents'])} ({excess})"
        clauses.append(f"is off the data at {_places(summary['off_data'])}{what}")
    return f"LA{axis} " + "; ".join(clauses)


def _places(positions: Sequence[float]) -> str:
    """Positions as text, such as "z = -0.5, 1"."""
    return "z = " + ", ".join(f"{position:.3g}" for position in positions)


def _excess_text(excess: Mapping[str, Any]) -> str:
    return (
        f"{excess['share']:.0%} of it {REGION_TEXTS[excess['region']]}; at most "
        f"{excess['height']:+.3f} outside both bands, z = {excess['position']:.3g}, "
        f"{excess['time']:.1f} µs"
    )


def remarks(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence for each point whose L its kernel cannot have."""
    return [
        f"{point['axis']}, z = {point['z']:.3g}: L = {point['L']:.2f} is out of the reach of "
        f"{point['kernel']}; simulated at {KERNEL_SYMBOLS[point['kernel']]} = "
        f"{point['kernel_parameter']:.3g}"
        for point in points
        if point["L_out_of_reach"]
    ]


HEADS = ["axis", "z", "verdict", "rms", "ratio", "outside", "to neighbours", "worst", "µs"]


def point_rows(values: Mapping[str, Any]) -> list[list[str]]:
    """A row of texts for each point, under `HEADS`."""
    return [
        [
            point["axis"],
            f"{point['z']:.3g}",
            point["verdict"] + (", off the data" if point["off_data"] else ""),
            f"{point['rms']:.4f}",
            f"{point['ratio']:.1f}",
            f"{point['outside']:.0%}",
            f"{point['rms_neighbours']:.4f}",
            f"{point['worst_residual']:+.3f}",
            f"{point['worst_time_us']:.1f}",
        ]
        for point in values["points"]
    ]


def meanings(
    values: Mapping[str, Any], source: str, *, n_neighbors: int, n_simulations: int
) -> dict[str, str]:
    """What columns mean and what was compared; `source` names the data."""
    return {
        "rms": "of decoded minus simulated; ratio: over the rms scatter of the simulations; "
        f"outside: samples beyond ± 2 sd, {chance_outside(n_simulations):.0%} for one more "
        "simulation",
        "scatter": values["scatter"],
        "data": f"{values['n_curves']} curves of {source}, {values['n_fitted']} of which "
        f"the model was fitted to; the nearest {n_neighbors} at each point",
    }


def audit_lines(
    values: Mapping[str, Any], source: str, *, n_neighbors: int, n_simulations: int
) -> list[str]:
    """Sentences, a line per point, and what the columns are; `source` names the data."""
    rows = [HEADS, *point_rows(values)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place in (0, 2) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    meant = meanings(values, source, n_neighbors=n_neighbors, n_simulations=n_simulations)
    return [
        *values["sentences"],
        "",
        *lines,
        "",
        *(f"{name:<10} {text}" for name, text in meant.items()),
        *(f"remark     {sentence}" for sentence in values["remarks"]),
    ]
