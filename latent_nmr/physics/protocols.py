"""Protocols: several spin echoes of one material, each with a pulse angle and a spacing of its own.

[P]'s sequence is θ, τ, 2θ, and a record that ends τ after the echo at 2τ. The records of all
protocols of a data set have the length of the longest.
"""

import math
import re
from collections.abc import Iterable, Mapping, Set
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any

from latent_nmr._json import python_scalar
from latent_nmr._times import duration
from latent_nmr.errors import InputError, check_number
from latent_nmr.physics.sequence import Sequence, spin_echo

EXAMPLE = 'Give pulse angles in degrees, as in [60, 120], or with τ in µs, as in "90:100 90:50".'
_TEXT = re.compile(r"([^:\s]+)(?::([^:\s]+))?")


@dataclass(frozen=True)
class Protocol:
    """One spin echo: a first pulse of θ, and 2θ after τ.

    Parameters
    ----------
    flip_angle_deg : float
        θ, degrees, above 0 and at most 180.
    tau_us : float or None
        τ: a number of µs, or a time with a unit of its own; None takes the preset's. The nearest
        sample is used.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", 2, n_edge=8, protocols=[ln.Protocol(90), ln.Protocol(90, 50)])
    >>> ds.protocol.values.tolist(), ds.tau.values.round(2).tolist()
    (['90deg-100us', '90deg-50us'], [99.95, 49.97])
    """

    flip_angle_deg: float
    tau_us: float | None = None

    def __post_init__(self):
        angle = check_number(
            "flip_angle_deg", self.flip_angle_deg, above=0, at_most=180, unit="degrees"
        )
        object.__setattr__(self, "flip_angle_deg", angle)
        if self.tau_us is not None:
            tau = check_number("tau_us", duration("tau_us", self.tau_us), above=0, unit="µs")
            object.__setattr__(self, "tau_us", tau)

    def spacing(self, dt: float, otherwise: int) -> int:
        """τ in sample intervals of `dt` µs."""
        if self.tau_us is None:
            return otherwise
        spacing = round(self.tau_us / dt)
        if spacing < 1:
            raise InputError(
                f"tau_us must be at least one sample interval, {dt:.3g} µs, but is "
                f"{self.tau_us:g} µs. Give it in µs."
            )
        return spacing


def parse_protocols(given: Any) -> tuple[Protocol, ...] | None:
    """Protocols of any form that stands for them; None for none.

    Parameters
    ----------
    given : str, or sequence of numbers, pairs, texts, mappings or Protocol
        A text such as "60 120" or "90:100 60:100": θ in degrees, and τ in µs after a colon; a pair
        is (θ, τ), and a mapping has the fields of `Protocol`, as the attributes of a data set hold
        it.

    Raises
    ------
    InputError
        For anything else, and for a protocol that is there twice.
    """
    if given is None:
        return None
    items: Any = given
    if isinstance(given, str):
        items = given.replace(",", " ").split()
    elif isinstance(given, Set):
        raise InputError(f"protocols must have an order, but are the set {given!r:.60}. {EXAMPLE}")
    elif not isinstance(given, Iterable) or isinstance(given, Mapping | bytes | bytearray):
        items = [given]
    found = tuple(protocol for item in items for protocol in _protocols_of(item))
    for protocol in found:
        if found.count(protocol) > 1:
            raise InputError(
                f"protocols must differ, but {protocol.flip_angle_deg:g}° is there "
                f"{found.count(protocol)} times with the same τ. Leave it out, or ask for repeats."
            )
    return found or None


def sequences_of(protocols: Items[Protocol], base: Sequence) -> list[Sequence]:
    """Sequences of protocols, all as long as the longest, from a preset's own one."""
    usual = base.pulses[1].sample
    spacings = [protocol.spacing(base.dt, usual) for protocol in protocols]
    # As far beyond its echo as the preset's record reaches beyond its own.
    n_samples = max(base.n_samples + 3 * (spacing - usual) for spacing in spacings)
    return [
        spin_echo(base.dt, spacing, n_samples, math.radians(protocol.flip_angle_deg))
        for protocol, spacing in zip(protocols, spacings, strict=True)
    ]


def describe_sequences(
    sequences: Items[Sequence], protocols: Items[Protocol]
) -> list[dict[str, Any]]:
    """What is to be known of each protocol of a data set, as JSON holds it.

    `name`; `flip_angle_deg`; `tau_us` as it is on the grid of samples; `echo_index`;
    `pulse_samples`; `pulse_angles_rad`. Names say τ, as it was asked for, only where there are
    several.
    """
    taus = [sequence.pulses[1].sample * sequence.dt for sequence in sequences]
    found = []
    for sequence, tau, protocol in zip(sequences, taus, protocols, strict=True):
        angle = protocol.flip_angle_deg
        spacing = f"-{protocol.tau_us or round(tau):g}us" if len(set(taus)) > 1 else ""
        found.append(
            {
                "name": f"{angle:g}deg{spacing}",
                "flip_angle_deg": angle,
                "tau_us": tau,
                "echo_index": sequence.echo_sample,
                "pulse_samples": [pulse.sample for pulse in sequence.pulses],
                "pulse_angles_rad": [pulse.angle for pulse in sequence.pulses],
            }
        )
    names = [entry["name"] for entry in found]
    for number, entry in enumerate(found):  # of spacings, or angles, that look alike
        if names.count(entry["name"]) > 1:
            entry["name"] += f"-{number + 1}"
    return found


def _protocols_of(item: Any) -> Iterable[Protocol]:
    """The protocols that one item stands for: several, if it is a text with several."""
    item = item.tolist() if getattr(item, "ndim", 0) == 1 else python_scalar(item)
    if isinstance(item, Protocol):
        return [item]
    if isinstance(item, Mapping) and "flip_angle_deg" in item:
        return [Protocol(item["flip_angle_deg"], item.get("tau_us"))]
    if isinstance(item, str):
        return [_of_text(word) for word in item.replace(",", " ").split()]
    if isinstance(item, int | float) and not isinstance(item, bool):
        return [Protocol(item)]
    pair = list(item) if isinstance(item, tuple | list) else []
    if len(pair) == 2:
        return [Protocol(*pair)]
    raise InputError(f"protocols must be pulse angles, but hold {item!r:.60}. {EXAMPLE}")


def _of_text(word: str) -> Protocol:
    found = _TEXT.fullmatch(word)
    try:
        if found is None:
            raise ValueError
        angle, tau = float(found[1]), None if found[2] is None else float(found[2])
    except ValueError:
        raise InputError(f"protocols must be pulse angles, but hold {word!r}. {EXAMPLE}") from None
    return Protocol(angle, tau)
