"""Tables of the shipped posteriors: checks, coverage, contraction and sharpness."""

from collections.abc import Mapping, Sequence
from typing import Any

from latent_nmr.report.calibration import (
    FEATURES,
    LEVELS,
    QUANTITIES,
    WAYS,
    calibration_values,
    coverage_rows,
    knowledge_rows,
)
from latent_nmr.report.markdown import markdown
from latent_nmr.studies.posterior import CalibrationResult

FORMAT = "latent_nmr.posterior"
TITLES = {"record": "whole record", "spectrometer": "about the top"}
# Of what is kept of the records, which are many: overall, and contraction and R² by angle.
KEPT = ("contraction", "r2")


def kept_values(result: CalibrationResult, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What of a calibration is kept, with what else is known of its model."""
    values = calibration_values(result)
    values["records"] = [
        row for row in values["records"] if row["group"] == "all" or row["score"] in KEPT
    ]
    return {**values, **facts}


def kept_file(receivers: Mapping[str, Mapping[str, Any]], command: str) -> dict[str, Any]:
    """What the file of the tables holds."""
    return {"format": FORMAT, "command": command, "receivers": dict(receivers)}


def gate_table(receivers: Mapping[str, Mapping[str, Any]]) -> str:
    """Every check, a column for each posterior and way."""
    columns, checks = {}, {}
    for receiver, values in receivers.items():
        for one in values["gate"]:
            name = f"{TITLES[receiver]}, {_way(one['features'], one['model'])}"
            columns.setdefault(name, {})[one["check"]] = one
            checks[one["check"]] = one["limit"]
    heads = ["check", "limit", *columns]
    rows = [
        [check, f"{limit:g}", *(_cell(own.get(check)) for own in columns.values())]
        for check, limit in checks.items()
    ]
    return markdown(heads, rows)


def coverage_table(receivers: Mapping[str, Mapping[str, Any]]) -> str:
    """Coverage before and after the correction, in percent."""
    rows = []
    for name, own in _parts(receivers):
        rows += [[f"{name}: {title}", *cells] for title, *cells in coverage_rows(own)]
    return markdown(["intervals (raw / corrected, %)", *(f"{level} %" for level in LEVELS)], rows)


def contraction_table(receivers: Mapping[str, Mapping[str, Any]]) -> str:
    """Contraction of every number by angle."""
    rows = []
    for name, own in _parts(receivers):
        found = knowledge_rows(own, "contraction")
        rows += [[f"{name}: {group}", *cells] for group, *cells in found]
    return markdown(["contraction, by θ", *QUANTITIES.values()], rows)


def sharpness_table(receivers: Mapping[str, Mapping[str, Any]]) -> str:
    """R² of posterior means beside a forest's."""
    rows = []
    for receiver, values in receivers.items():
        for row in values["sharpness"]:
            low, high = row["band"]
            way = _way(row["features"], "raw")
            title = f"{TITLES[receiver]}, {way}, {low} to {high}°: {row['model']}"
            rows.append([title, *(f"{row[name]:.3f}" for name in QUANTITIES)])
    return markdown(["R², held out", *QUANTITIES.values()], rows)


def _parts(
    receivers: Mapping[str, Mapping[str, Any]],
) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Records of every posterior and way to trust the phase, with a title."""
    parts = []
    for receiver, values in receivers.items():
        for features in FEATURES:
            own = [row for row in values["records"] if row["features"] == features]
            if own:
                parts.append((f"{TITLES[receiver]}, {_way(features, 'raw')}", own))
    return parts


def _way(features: str, model: str) -> str:
    # A bar would end the cell of a table.
    return FEATURES[features].replace("|M|", "M") + WAYS[model]


def _cell(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return ""
    return f"{one['value']:.3g}" + ("" if one["passed"] else " (failed)")
