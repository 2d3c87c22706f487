"""Designs as text: what every candidate is expected to say."""

import math
from collections.abc import Mapping
from typing import Any

from latent_nmr.report.tables import text_table
from latent_nmr.studies.design import DesignResult

COLUMNS = {"alpha_x": "α_x", "alpha_z": "α_z", "W": "W", "L": "L"}


def design_values(result: DesignResult) -> dict[str, Any]:
    """What JSON holds of a design: facts, and a row for each candidate, the best first."""
    return {**result.facts, "best": result.best.name, "gains": result.gains.to_dict("records")}


def design_lines(values: Mapping[str, Any]) -> list[str]:
    """A table for a terminal, of what `design_values` gives."""
    rows = [
        (
            f"{row['candidate']}°".replace("+", "° + "),
            f"{row['gain']:.2f} ± {row['error']:.2f}",
            *(f"{100 * _kept(row[name]):.0f} %" for name in COLUMNS),
            f"{row['kernel']:.2f}",
        )
        for row in values["gains"]
    ]
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
