"""Calibration of posteriors as text: checks, coverage, and what is known of each parameter."""

from collections.abc import Mapping, Sequence
from typing import Any

from latent_nmr.report.tables import text_table
from latent_nmr.studies.posterior import CalibrationResult

FEATURES = {"phase": "phase trusted", "magnitude": "|M| alone"}
LEVELS = (50, 68, 90, 95)
QUANTITIES = {"alpha_x": "α_x", "alpha_z": "α_z", "W": "W", "L": "L"}
# The corrected ranks are of either half of the curves, by the other half.
WAYS = {"raw": "", "corrected": ", corrected"}


def calibration_values(result: CalibrationResult) -> dict[str, Any]:
    """What JSON holds of a calibration: facts, checks and records."""
    records = result.records.drop(columns="study").to_dict("records")
    return {**result.facts, "records": records}


def calibration_lines(values: Mapping[str, Any]) -> list[str]:
    """Tables for a terminal, of what `calibration_values` gives."""
    heads = f"{values['n_curves']} new curves, {values['n_draws']} draws of each posterior"
    lines = [heads, "", *gate_lines(values["gate"])]
    for features, title in FEATURES.items():
        own = [row for row in values["records"] if row["features"] == features]
        if own:
            lines += ["", *_coverage_lines(own, title), "", *_knowledge_lines(own, title)]
    failed = [one for one in values["gate"] if not one["passed"]]
    said = (
        f"{len(failed)} of {len(values['gate'])} checks failed" if failed else "all checks passed"
    )
    return [*lines, "", said]


def gate_lines(gate: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every check with its value and limit."""
    rows = [
        (
            FEATURES[one["features"]] + WAYS[one["model"]],
            one["check"],
            f"{one['value']:.3g}",
            f"{one['limit']:g}",
            "passed" if one["passed"] else "failed",
        )
        for one in gate
    ]
    return text_table(("posterior", "check", "value", "limit", ""), rows)


def coverage_rows(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row for each quantity: coverage by level, raw and corrected, in percent."""
    found = {
        (row["target"], row["model"], row["score"]): row["value"]
        for row in records
        if row["group"] == "all" and row["score"].startswith("coverage_")
    }
    rows = []
    for name, title in QUANTITIES.items():
        cells = [
            " / ".join(f"{100 * found[name, way, f'coverage_{level}']:.1f}" for way in WAYS)
            for level in LEVELS
        ]
        rows.append((title, *cells))
    return rows


def knowledge_rows(records: Sequence[Mapping[str, Any]], score: str) -> list[tuple[str, ...]]:
    """A row for each band of angles: `contraction` or `r2` of every quantity."""
    groups: dict[str, dict[str, float]] = {}
    for row in records:
        if row["score"] == score:
            groups.setdefault(row["group"], {})[row["target"]] = row["value"]
    return [
        (group, *(f"{values[name]:.2f}" for name in QUANTITIES)) for group, values in groups.items()
    ]


def _coverage_lines(records: Sequence[Mapping[str, Any]], title: str) -> list[str]:
    heads = (f"coverage, {title} (raw / corrected, %)", *(f"{level} %" for level in LEVELS))
    return text_table(heads, coverage_rows(records))


def _knowledge_lines(records: Sequence[Mapping[str, Any]], title: str) -> list[str]:
    heads = (f"contraction, {title}, by θ", *QUANTITIES.values())
    return text_table(heads, knowledge_rows(records, "contraction"))
