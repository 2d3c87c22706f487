"""Why a record lies inside or outside of what a model knows, in sentences."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_nmr.data.measured.steps import steps_of
from latent_nmr.studies.measurement._distance import Distance

if TYPE_CHECKING:
    import xarray as xr

    from latent_nmr.studies.measurement._instrument import Instrument

# How much wider or narrower than simulated echoes it must be for that to be the reason.
CLEARLY = 1.5
HALF = " Only its second half is on the record: a free induction decay may look like that."
# Below this p-value a record that is inside is so by little.
BARELY = 0.1
ONE_CHANNEL = " Only one channel is stored: off resonance its |M| is not that of the echo."
# A found top within this part of τ of where 2τ may be is that echo's.
NEAR = 0.12


def odd_width(prepared: "xr.Dataset", instrument: "Instrument") -> str | None:
    """What is to be said of an echo that is clearly narrower or wider than simulated ones."""
    width = float(prepared.attrs["echo_width"]) * float(prepared.attrs["time_factor"])
    if instrument.correction is None:
        dt = abs(float(np.diff(prepared.time[:2])[0]))
        low, high = dt * instrument.widths.min(), dt * instrument.widths.max()
    else:
        low, high = instrument.correction.widths
    if width * CLEARLY < low:
        return f"The echo is {_times(low / width)} times narrower than almost any simulated"
    if width > CLEARLY * high:
        return f"The echo is {_times(width / high)} times wider than almost any simulated"
    return None


def reason(prepared: "xr.Dataset", distance: Distance, odd: str | None, *, is_inside: bool) -> str:
    """Why a record lies inside or outside, in one or two sentences."""
    chance = f"p = {distance.p_value:.2g}"
    if is_inside:
        said = f"It differs from what the model knows by no more than simulations do ({chance})."
        if distance.p_value < BARELY:
            said = (
                f"Few simulated measurements differ as much from what the model knows ({chance}): "
                "couplings and L may be further off than they say."
            )
        if prepared.attrs.get("signal_kind") == "real":
            said += ONE_CHANNEL
        return said + (HALF + _advice(prepared) if prepared.attrs["echo_kind"] == "half" else "")
    if odd is not None:
        # What is longer than τ is no echo that stands elsewhere.
        is_long = prepared.attrs["echo_width"] > 2 * prepared.attrs["pulse_separation"]
        return f"{odd} ({chance}).{'' if is_long else _advice(prepared)}"
    said = {
        "place": "No simulated echo lies near it in latent space",
        "curve": "No simulated echo has a curve like it",
        "residual": "What the model leaves of it is larger than noise and the model's own error",
        "shape": "It differs from what the model decodes over many samples, as noise does not",
    }
    return f"{said[distance.reason]} ({chance}).{_advice(prepared)}"


def knows_due(prepared: "xr.Dataset") -> bool:
    """Whether 2τ was given, about which the top was then looked for."""
    return bool(_echo_step(prepared).get("given"))


def _advice(prepared: "xr.Dataset") -> str:
    """What to give where the place of the echo was not given, and 2τ may be elsewhere."""
    values = _echo_step(prepared)
    if values.get("given"):
        return ""
    time = float(prepared.attrs["echo_time"])
    places = _places(values, float(prepared.attrs["pulse_separation"]), time)
    if not places:
        return f" If 2τ is not near {time:.4g} µs of the record, give its time."
    return f" If 2τ is not near {time:.4g} µs of the record, give its time: {'; '.join(places)}."


def _places(values: Mapping[str, Any], tau: float, time: float) -> list[str]:
    """Where else than near `time` 2τ is by the file, or if a pulse begins the record."""
    if values.get("due") is not None:
        known = {"as the file says": float(values["due"])}
    elif "start" in values:
        start, end = float(values["start"]), float(values["end"])
        known = {
            "if the first pulse begins the record": start + 2 * tau,
            "if the second does": start + tau,
        }
        known = {name: place for name, place in known.items() if place < end}
    else:
        known = {}
    return [
        f"echo_time={place:.6g} {name}"
        for name, place in known.items()
        if abs(place - time) > NEAR * tau
    ]


def _echo_step(prepared: "xr.Dataset") -> Mapping[str, Any]:
    """Numbers of the step that found the echo."""
    found = [step.values for step in steps_of(prepared) if step.name == "echo"]
    return found[-1] if found else {}


def _times(ratio: float) -> str:
    """A ratio with two digits, without an exponent."""
    return f"{float(f'{ratio:.2g}'):g}" if ratio < 1e6 else f"{ratio:.1e}"
