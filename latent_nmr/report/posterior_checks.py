"""Tables of the checks of a posterior that simulations alone make."""

from collections.abc import Mapping, Sequence
from typing import Any

from latent_nmr.report.calibration import QUANTITIES
from latent_nmr.report.markdown import markdown

FORMAT = "latent_nmr.posterior_checks"
COMMAND = "study_posterior.py"


def checks_file(
    independent: Sequence[Mapping[str, Any]],
    predictive: Sequence[Mapping[str, float]],
    repeats: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """What the file of the tables holds."""
    parts = {"independent": list(independent), "predictive": list(predictive), "repeats": repeats}
    return {"format": FORMAT, "command": COMMAND, **parts}


def independent_table(values: Mapping[str, Any]) -> str:
    """Width of the 68 % interval over that of simulations near the echo, and its shift."""
    cases: dict[tuple, dict[str, str]] = {}
    for row in values["independent"]:
        phase = "phase trusted" if row["phase"] else "M alone"
        case = f"{row['kernel']}, {row['flip_angle_deg']:g}°, {phase}"
        low, middle, high = row["local"]
        first, own, last = row["amortised"]
        ratio, shift = (last - first) / (high - low), (own - middle) / ((high - low) / 2)
        cell = f"{ratio:.2f} ± {ratio * row['error']:.2f}, {shift:+.1f}"
        cases.setdefault((case, row["seed"]), {})[row["quantity"]] = cell
    rows = [[case, *(own[name] for name in QUANTITIES)] for (case, _), own in cases.items()]
    return markdown(["width over width, shift in half widths", *QUANTITIES.values()], rows)


def predictive_table(values: Mapping[str, Any]) -> str:
    """How often curves lie within bands of curves of draws."""
    rows = [
        [
            f"{100 * row['claimed']:.0f} %",
            f"{100 * row['found']:.1f} ± {100 * row['error']:.1f} %",
        ]
        for row in values["predictive"]
    ]
    return markdown(["band of simulated curves of draws", "samples of the curve within it"], rows)


def repeats_table(values: Mapping[str, Any]) -> str:
    """How far apart posteriors of repeats of a material are."""
    rows = [
        [
            QUANTITIES[name],
            f"{row['ratio']:.2f}",
            f"{100 * row['beyond']:.1f} %",
            str(row["n_pairs"]),
        ]
        for name, row in values["repeats"].items()
    ]
    heads = ["repeats", "rms difference of means over what variances allow", "beyond two", "pairs"]
    return markdown(heads, rows)
