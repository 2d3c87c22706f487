"""Figures of an audit, from its rows and arrays."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latent_nmr.plots.audit import AuditPanel, audit_profiles, audit_sheet
from latent_nmr.plots.style import KERNEL_STYLES, SIGNAL_TEXTS, Figure
from latent_nmr.studies.latent_figures import quantities_of, quantity_suffixes

Facts = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]


def sheet_names(facts: Facts, arrays: Arrays) -> dict[str, tuple[int, int]]:
    """Axis and number of the quantity of every sheet: one for each quantity of the features."""
    suffixes = quantity_suffixes(facts, arrays["time"])
    return {
        f"LA{axis}{suffix}": (axis, number)
        for axis in facts["axes"]
        for number, suffix in enumerate(suffixes)
    }


def draw_sheet(facts: Facts, arrays: Arrays, axis: int, number: int, n_drawn: int) -> Figure:
    """Curves of some points along an axis, evenly spread, over the bands they are judged by.

    `number` counts the quantities of the features, of which one is drawn.
    """
    quantity = quantities_of(facts, arrays["time"])[number]
    assert quantity.time is not None  # of echoes
    unit = quantity.high - quantity.low

    def drawn(name: str, place: int) -> np.ndarray:
        curve = arrays[f"{name}/{axis}"][place]
        is_deviation = name.endswith("_sd")
        return unit * curve[quantity.columns] if is_deviation else quantity.values(curve)

    rows = _rows(facts, axis)
    places = np.linspace(0, len(rows) - 1, min(n_drawn, len(rows))).round().astype(int)
    names = ("decoded", "simulated", "simulated_sd", "neighbors", "neighbors_sd")
    panels = [
        AuditPanel(
            _title(rows[place], facts["n_neighbors"]),
            *(drawn(name, place) for name in names),
        )
        for place in places
    ]
    return audit_sheet(
        quantity.time,
        panels,
        signal_text=quantity.text,
        simulated_text=f"simulated at their mean parameters, {facts['n_simulations']} offset maps",
        neighbours_text=f"{facts['n_neighbors']} nearest curves",
        marks=facts["marks"] if quantity.marks is None else quantity.marks,
    )


def draw_profiles(facts: Facts) -> Figure:
    """Sizes of residuals and scatters along each axis, with the verdicts."""
    sizes = {
        "simulation": "rms",
        "simulation_scatter": "scatter",
        "neighbours": "rms_neighbours",
        "neighbours_scatter": "scatter_neighbours",
    }
    profiles = []
    for axis in facts["axes"]:
        rows = _rows(facts, axis)
        profiles.append(
            {
                "positions": np.array([row["z"] for row in rows]),
                "sizes": {
                    name: np.array([row[column] for row in rows]) for name, column in sizes.items()
                },
                "verdicts": [row["verdict"] for row in rows],
                "is_off_data": [row["off_data"] for row in rows],
                "axis_name": f"LA{axis}",
            }
        )
    text = SIGNAL_TEXTS[facts["normalisation"]] if "part" not in facts else "features"
    return audit_profiles(profiles, signal_text=text)


def _rows(facts: Facts, axis: int) -> Sequence[Mapping[str, Any]]:
    return [row for row in facts["points"] if row["axis"] == f"LA{axis}"]


def _title(row: Mapping[str, Any], n_neighbors: int) -> str:
    """Place, verdict and parameters of a point, in two short lines."""
    kernel = KERNEL_STYLES.get(row["kernel"], (row["kernel"],))[0]
    where = " off the data," if row["off_data"] else ""
    return (
        f"{row['axis']} = {row['z']:.3g}:{where} {row['verdict']}\n"
        f"{kernel} ({row['n_of_kernel']} of {n_neighbors}), W {row['W']:.2f} MHz, L {row['L']:.1f}"
    )
