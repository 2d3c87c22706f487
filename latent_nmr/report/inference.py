"""Words for the posterior of a material: lines for a terminal, which the page shares."""

from collections.abc import Mapping
from typing import Any

from latent_nmr.report.measurement import KERNEL_TITLES
from latent_nmr.report.tables import text_table

# Digits behind the point, and unit.
FORMS = {"alpha_x": (4, "MHz"), "alpha_z": (4, "MHz"), "W": (4, "MHz"), "L": (1, "sites")}
TITLES = {"alpha_x": "α_x", "alpha_z": "α_z", "W": "W", "L": "L"}
PARAMETERS = {"gaussian": "ξ", "power": "p", "rkky": "γ"}
HEADS = ("", "mean ± sd", "68 %", "95 %", "prior", "contraction", "")
NOT_IDENTIFIABLE = "not identifiable"
OUTSIDE_WARNING = (
    "OUTSIDE: the echo is like no simulated one, and these are numbers of simulated echoes that "
    "come near it, not of the sample."
)
CORRECTED = "Intervals of α_x, α_z, W and L are put right by curves whose materials are known."
CONTRADICTION = (
    "The echoes contradict each other: no material is likely to have given all of them. They are "
    "of different ones, or an angle or a phase is not what was said."
)


def inference_lines(values: Mapping[str, Any]) -> list[str]:
    """Lines of what :meth:`latent_nmr.Inference.as_json` gives."""
    lines = [*warnings_of(values), *map(echo_text, values["echoes"]), ""]
    lines += text_table(HEADS, known_rows(values))
    lines += ["", f"kernel: {kernels_text(values['kernels'])}"]
    lines.append(f"The echo says {values['information']:.1f} nats more than the prior.")
    lines += [CORRECTED] if values["is_corrected"] else []
    return lines


def warnings_of(values: Mapping[str, Any]) -> list[str]:
    """What must be said before any number."""
    said = [OUTSIDE_WARNING] if values["is_outside"] else []
    return said + ([CONTRADICTION] if values["contradict"] else [])


def echo_text(echo: Mapping[str, Any]) -> str:
    """How an echo was measured, and the verdict on it."""
    if echo["receiver"] == "record":
        phase = "phase trusted" if echo["phase_trusted"] else "|M| alone"
    else:
        phase = "|M| about the top"
    how = f"θ {echo['flip_angle_deg']:.4g}°, SNR {echo['snr']:.3g}, {phase}"
    return f"{echo['name']}: {how}; {echo['verdict']}. {echo['reason']}"


def known_rows(values: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """A row for each number, under `HEADS`."""
    return [_row(name, own) for name, own in values["known"].items()]


def kernels_text(kernels: Mapping[str, float]) -> str:
    """Kernels with their probabilities, likeliest first."""
    ordered = sorted(kernels.items(), key=lambda item: -item[1])
    return ", ".join(f"{KERNEL_TITLES.get(name, name)} {100 * p:.0f} %" for name, p in ordered)


def _row(name: str, own: Mapping[str, Any]) -> tuple[str, ...]:
    digits, unit = FORMS.get(name, (2, ""))
    found = own["estimate"]
    kernel = name.removesuffix(" parameter")
    title = TITLES.get(name, f"{PARAMETERS.get(kernel, 'parameter')} if {kernel}")
    return (
        f"{title} ({unit})" if unit else title,
        f"{found['mean']:.{digits}f} ± {found['sd']:.{digits}f}",
        f"{found['low68']:.{digits}f} to {found['high68']:.{digits}f}",
        f"{found['low95']:.{digits}f} to {found['high95']:.{digits}f}",
        f"{own['prior_low']:.{max(digits - 2, 0)}f} to {own['prior_high']:.{max(digits - 2, 0)}f}",
        f"{max(own['contraction'], 0):.2f}",
        "" if own["identified"] else NOT_IDENTIFIABLE,
    )
