"""JSON files of open NQR spectrometers: times `tdx` (µs) and samples `tdy`, pulses beside them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from latent_nmr.data.measured.reading import Options, Reading, even_grid, unit_factor
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError

PROGRAM = ".quack"
_EXPORT = "Export the measurement again."


def read_nqr(path: Path, options: Options) -> Reading:
    """Read a measurement; its pulse programme is used if its name ends the measurement's."""
    content = json.loads(path.read_text("utf-8"))
    signal = _samples(path, content)
    times = np.asarray(content["tdx"], float)
    if times.shape != signal.shape[1:]:
        raise EchoFileError(
            path,
            f"tdx and tdy must have as many samples, but have {times.size} and {signal.shape[1]}",
            _EXPORT,
        )
    factor = 1.0 if options.time_unit is None else unit_factor(path, options.time_unit)
    # A stated interval is the way out where these times are unusable.
    first, dwell = (0.0, None) if options.dwell else even_grid(path, times * factor)
    between = _frequency(content, "IF_frequency")
    facts: dict[str, Any] = {
        "carrier_frequency": _frequency(content, "target_frequency"),
        "intermediate_frequency": between or None,
    }
    steps = []
    if between:
        detail = f"The record stands at an intermediate frequency of {between:g} MHz."
        steps.append(Step("intermediate_frequency", detail, {"frequency": between}))
    pulses = _pulses(path)
    if pulses is not None:
        step, tau, echo = pulses
        steps.append(step)
        facts |= {"pulse_separation": tau, "echo_time": echo}
    return Reading("NQR JSON", signal, dwell, first, facts=facts, steps=tuple(steps))


def _samples(path: Path, content: dict[str, Any]) -> np.ndarray:
    """`tdy` as complex records: pairs of real and imaginary parts, of one record or several."""
    samples = np.asarray(content["tdy"], float)
    if samples.ndim not in (2, 3) or samples.shape[-1] != 2:
        raise EchoFileError(
            path,
            f"tdy must hold pairs of real and imaginary parts, but has shape {samples.shape}",
            _EXPORT,
        )
    samples = samples[None] if samples.ndim == 2 else samples
    return samples[..., 0] + 1j * samples[..., 1]


def _frequency(content: dict[str, Any], name: str) -> float | None:
    """A frequency in MHz of one in Hz; None where there is none."""
    value = content.get(name)
    if not isinstance(value, int | float) or not np.isfinite(value) or value < 0:
        return None
    return 1e-6 * float(value)


def _pulses(path: Path) -> tuple[Step, float, float] | None:
    """τ between the middles of two pulses, and when the echo is due on the record (µs)."""
    programs = [
        other
        for other in path.parent.glob(f"*{PROGRAM}")
        if path.stem == other.stem or path.stem.endswith(f"_{other.stem}")
    ]
    if len(programs) != 1:
        return None
    try:
        events = json.loads(programs[0].read_text("utf-8"))["events"]
        # Each begins where the one before it ends.
        lengths = [1e6 * float(event["duration"]) for event in events]
        starts = np.cumsum([0.0, *lengths])
        middles = [
            starts[i] + length / 2
            for i, (event, length) in enumerate(zip(events, lengths, strict=True))
            if _is_on(event, "TX")
        ]
        opens = [starts[i] for i, event in enumerate(events) if _is_on(event, "RX")]
    except Exception:  # a programme that cannot be read says nothing
        return None
    if len(middles) != 2 or len(opens) != 1:
        return None
    tau = float(middles[1] - middles[0])
    echo = float(middles[1] + tau - opens[0])
    detail = (
        f"The pulse programme {programs[0].name} has τ = {tau:g} µs between the middles of its "
        f"two pulses: the echo is due {echo:g} µs after the first sample."
    )
    return Step("pulse_programme", detail, {"pulse_separation": tau, "echo_time": echo}), tau, echo


def _is_on(event: dict[str, Any], name: str) -> bool:
    """Whether a channel transmits or receives during an event."""
    for parameter in event["parameters"]:
        if parameter["name"] == name:
            values = [v["value"] for v in parameter["value"] if v["type"] in ("Numeric", "Boolean")]
            return bool(values[0])
    return False
