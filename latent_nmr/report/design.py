"""Designs as text: what every candidate is expected to say."""

import math
from collections.abc import Mapping
from typing import Any

from latent_nmr.report.markdown import markdown
from latent_nmr.report.tables import text_table
from latent_nmr.studies.design import DesignResult

GAINS = ("predicted", "found")
COLUMNS = {"alpha_x": "α_x", "alpha_z": "α_z", "W": "W", "L": "L"}


def design_values(result: DesignResult) -> dict[str, Any]:
    """What JSON holds of a design: facts, and a row for each candidate, the best first."""
    return {**result.facts, "best": result.best.name, "gains": result.gains.to_dict("records")}


def design_lines(values: Mapping[str, Any]) -> list[str]:
    """A table for a terminal, of what `design_values` gives."""
    rows = [(_title(row["candidate"]), *_cells(row)) for row in values["gains"]]
    heads = ("θ", "gain, nats", *COLUMNS.values(), "kernel, nats")
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
    return f"{candidate}°".replace("+", "° + ")


def _order(candidate: str) -> tuple[int, float]:
    """Single echoes first, by angle."""
    angles = candidate.split("+")
    return len(angles), float(angles[0])


def _cells(row: Mapping[str, Any]) -> list[str]:
    """Gain, what is left of every standard deviation, and the fall of the kernel's entropy."""
    left = [f"{100 * _kept(row[name]):.0f} %" for name in COLUMNS]
    return [f"{row['gain']:.2f} ± {row['error']:.2f}", *left, f"{row['kernel']:.2f}"]


def _advice(gains: list[Mapping[str, Any]]) -> str:
    """What to measure, and which candidates are as good within their errors."""
    best = gains[0]
    # Candidates have the same materials, so that this errs towards calling them equal.
    equal = [
        row["candidate"]
        for row in gains[1:]
        if best["gain"] - row["gain"] < (best["error"] ** 2 + row["error"] ** 2) ** 0.5
    ]
    said = f"next       θ = {best['candidate']}°"
    return said + (f"; within the error as good: {', '.join(equal)}" if equal else "")


def _kept(narrowing: float) -> float:
    """What is left of a standard deviation, from the logarithm of how much narrower it is."""
    return math.exp(-narrowing)
