"""Designs as text: what every candidate is expected to say."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from latent_nmr.report.markdown import markdown
from latent_nmr.report.tables import text_table
from latent_nmr.studies.design import DesignResult

if TYPE_CHECKING:
    import pandas as pd

GAINS = ("predicted", "found")
GAIN, NONE = ("gain", "error"), "–"
COLUMNS = {"alpha_x": "α_x", "alpha_z": "α_z", "W": "W", "L": "L"}


def design_values(result: DesignResult) -> dict[str, Any]:
    """What JSON holds of a design: facts, and a row for each candidate, the best first."""
    values = {**result.facts, "best": result.best.name, "gains": _rows(result.gains)}
    return values | ({"linear": _rows(result.linear)} if len(result.linear) else {})


def _rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Rows without numbers that are none, which JSON does not hold."""
    rows = table.to_dict("records")
    return [{str(k): None if v != v else v for k, v in row.items()} for row in rows]


def design_lines(values: Mapping[str, Any]) -> list[str]:
    """A table for a terminal, of what `design_values` gives."""
    has_linear = "linear" in values
    rows = [
        (_title(row["candidate"]), *_cells(row), *([_linear(row)] if has_linear else []))
        for row in values["gains"]
    ]
    heads = ("θ", "gain, nats", *COLUMNS.values(), "kernel, nats")
    heads += ("linear, nats",) if has_linear else ()
    phase = "phase trusted" if values["phase"] else "|M| alone"
    n_known = values["n_known"]
    source = (
        "the prior"
        if not n_known
        else f"the posterior of {n_known} {'echo' if n_known == 1 else 'echoes'}"
    )
    first = f"{values['n_materials']} materials of {source}"
    said = f"{first}, SNR {values['snr']:.3g} at 90°, {phase}"
    if values["flip_error"]:
        said += f", pulses {100 * values['flip_error']:+g} % off"
    note = "Columns of α_x to L: what is left of the standard deviation."
    lines = [said, "", *text_table(heads, rows), "", note]
    if has_linear:
        n_materials, scattered = values["n_linear"], max(values["scattered"].values())
        lines.append(
            f"Column linear: linear check of {n_materials} materials, kernel known; of up to "
            f"{scattered} of them derivatives mostly scatter with the offsets."
        )
    if not values["phase"]:
        lines.append("Where phase and carrier can be trusted, echoes beside 90° say more.")
    return [*lines, _advice(values["gains"])]


def gain_table(found: Mapping[str, Any]) -> str:
    """Gains under every condition of a study of designs, as Markdown."""
    heads = ["echo", "gain, nats", *(f"{title} left" for title in COLUMNS.values()), "kernel, nats"]
    rows = [
        [f"{_plain(name)}: {_title(row['candidate'])}", *_cells(row)]
        for name, own in found.items()
        if "gains" in own
        for row in sorted(own["gains"], key=lambda row: _order(row["candidate"]))
    ]
    return markdown(heads, rows)


def linear_table(found: Mapping[str, Any], linear: Mapping[str, Any]) -> str:
    """Gains by the posterior beside those by the linear check, as Markdown."""
    heads = ["echo", "posterior, nats", "linear check, nats", "its median", "scattered"]
    heads += [f"{title} left" for title in COLUMNS.values()]
    rows = []
    for name in [name for name in linear if "linear" in linear[name]]:
        own = linear[name]
        known = {row["candidate"]: row for row in found.get(name, {}).get("gains", ())}
        for row in sorted(own["linear"], key=lambda row: _order(row["candidate"])):
            candidate = row["candidate"]
            said = _cells(known[candidate])[0] if candidate in known else NONE
            count = f"{own['scattered'][candidate]} of {own['n_linear']}"
            gains = [said, f"{row['gain']:.2f} ± {row['error']:.2f}", f"{row['median']:.2f}", count]
            left = [f"{100 * _kept(row[label]):.0f} %" for label in COLUMNS]
            rows.append([f"{_plain(name)}: {_title(candidate)}", *gains, *left])
    return markdown(heads, rows)


def proof_table(found: Mapping[str, Any]) -> str:
    """Predicted and found gains of second echoes, as Markdown."""
    heads = ["second echo after one at 90°", "predicted, nats", "found, nats", "α_z", "W"]
    rows = []
    for name, own in found.items():
        if "choices" not in own:
            continue
        angles = {f"θ = {angle}°": means for angle, means in own["angles"].items()}
        for what, means in {**own["choices"], **angles}.items():
            gains = [f"{mean:.2f} ± {error:.2f}" for mean, error in (means[kind] for kind in GAINS)]
            left = [f"{100 * _kept(means[label][0]):.0f} %" for label in ("alpha_z", "W")]
            rows.append([f"{_plain(name.removeprefix('proof, '))}: {what}", *gains, *left])
    return markdown(heads, rows)


def _plain(name: str) -> str:
    """A condition without bars, which separate cells."""
    return name.replace("|", "")


def _title(candidate: str) -> str:
    angles, _, tau = candidate.partition(":")
    return f"{angles}°".replace("+", "° + ") + (f", τ {tau} µs" if tau else "")


def _order(candidate: str) -> tuple[int, float, float]:
    """Single echoes first, by angle, those of another τ after them."""
    name, _, tau = candidate.partition(":")
    angles = name.split("+")
    return len(angles) + 10 * bool(tau), float(angles[0]), float(tau or 0)


def _cells(row: Mapping[str, Any]) -> list[str]:
    """Gain, what is left of every standard deviation, and the fall of the kernel's entropy."""
    if row["gain"] is None:
        return [NONE] * (len(COLUMNS) + 2)
    left = [f"{100 * _kept(row[name]):.0f} %" for name in COLUMNS]
    return [f"{row['gain']:.2f} ± {row['error']:.2f}", *left, f"{row['kernel']:.2f}"]


def _linear(row: Mapping[str, Any]) -> str:
    return f"{row['linear']:.2f} ± {row['linear_error']:.2f}"


def _advice(gains: list[Mapping[str, Any]]) -> str:
    """What to measure, and which candidates are as good within their errors."""
    best = gains[0]
    # Those of another τ are comparable with others by the linear check alone.
    is_linear = any(row["gain"] is None for row in gains)
    gain, error = ("linear", "linear_error") if is_linear else GAIN
    # Candidates have the same materials, so that this errs towards calling them equal.
    equal = [
        row["candidate"]
        for row in gains[1:]
        if best[gain] - row[gain] < (best[error] ** 2 + row[error] ** 2) ** 0.5
    ]
    name, _, tau = best["candidate"].partition(":")
    said = f"next       θ = {name}°" + (f", τ = {tau} µs" if tau else "")
    said += " by the linear check" if is_linear else ""
    return said + (f"; within the error as good: {', '.join(equal)}" if equal else "")


def _kept(narrowing: float) -> float:
    """What is left of a standard deviation, from the logarithm of how much narrower it is."""
    return math.exp(-narrowing)
