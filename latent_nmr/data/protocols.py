"""Protocols of a data set: several echoes of the same materials, along the dimension `protocol`.

Signals then have the dimensions (protocol, curve, time), and coordinates along `protocol` say its
name, `flip_angle` (degrees) and `tau` (µs). The attribute `protocols` holds what differs between
them: a list of dictionaries with `name`, `flip_angle_deg`, `tau_us`, `echo_index`,
`pulse_samples` and `pulse_angles_rad`, in their order.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from latent_nmr.errors import InputError
from latent_nmr.physics.presets import Preset
from latent_nmr.physics.protocols import describe_sequences

PROTOCOL = "protocol"
PROTOCOLS = "protocols"  # the attribute
# Entries of a protocol that a data set of one has as attributes.
OF_ONE = ("echo_index", "pulse_samples", "pulse_angles_rad")


def has_protocols(dataset: xr.Dataset) -> bool:
    """Whether a data set has several protocols, or one along a dimension."""
    return PROTOCOL in getattr(dataset, "dims", ())  # what is no data set is refused elsewhere


def protocol_names(dataset: xr.Dataset) -> list[str]:
    """Names of the protocols of a data set, or their numbers; none without a dimension of them."""
    if not has_protocols(dataset):
        return []
    if PROTOCOL in dataset.coords:
        return [str(name) for name in dataset[PROTOCOL].to_numpy().tolist()]
    return [str(number) for number in range(dataset.sizes[PROTOCOL])]


def each_protocol(dataset: xr.Dataset) -> list[xr.Dataset]:
    """Data sets (curve, time) of the protocols, each with attributes of its own."""
    if not has_protocols(dataset):
        return [dataset.assign_attrs(own_attributes(dataset))]
    parts = (dataset.isel({PROTOCOL: number}) for number in range(dataset.sizes[PROTOCOL]))
    return [part.assign_attrs(own_attributes(part)) for part in parts]


def own_attributes(dataset: xr.Dataset) -> dict[str, Any]:
    """Attributes of a data set; where one protocol of several was selected, those of it."""
    attributes = {str(name): value for name, value in dataset.attrs.items()}
    entry = _entries(attributes).get(_selected(dataset))
    if entry is None:
        return attributes
    return attributes | {name: entry[name] for name in OF_ONE if name in entry}


def protocol_number(dataset: xr.Dataset) -> int:
    """Place of the protocol that was selected among all; 0 where there is one only."""
    names = list(_entries(dataset.attrs))
    return names.index(selected) if (selected := _selected(dataset)) in names else 0


def n_protocols(attributes: Mapping[Any, Any]) -> int:
    """Number of the protocols that the attributes of a simulated set tell, at least 1."""
    return max(1, len(_entries(attributes)))


def protocol_coordinates(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Coordinates along `protocol` that the attributes of a simulated set tell; none for one."""
    entries = _entries(attributes)
    if len(entries) < 2:
        return {}
    angles = [entry["flip_angle_deg"] for entry in entries.values()]
    taus = [entry["tau_us"] for entry in entries.values()]
    return {
        PROTOCOL: (PROTOCOL, np.array(list(entries), dtype="U")),
        "flip_angle": (
            PROTOCOL,
            np.array(angles, np.float64),
            {"units": "degrees", "long_name": "angle θ of the first pulse; the second is 2θ"},
        ),
        "tau": (
            PROTOCOL,
            np.array(taus, np.float64),
            {"units": "µs", "long_name": "time τ between the pulses"},
        ),
    }


def sequence_attributes(preset: Preset) -> dict[str, Any]:
    """What of the pulses is the same in all protocols, and, if there are any, what is of each."""
    sequence = preset.sequence
    shared = {
        "pulse_samples": [pulse.sample for pulse in sequence.pulses],
        "pulse_angles_rad": [pulse.angle for pulse in sequence.pulses],
        "pulse_phases_rad": [pulse.phase for pulse in sequence.pulses],
        "echo_index": sequence.echo_sample,
    }
    if not preset.protocols:
        return shared
    entries = describe_sequences(preset.sequences, preset.protocols)
    alike = {
        name: value
        for name, value in shared.items()
        if all(entry.get(name, value) == value for entry in entries)
    }
    return {**alike, PROTOCOLS: entries}


def refuse_protocols(dataset: xr.Dataset, what: str) -> None:
    """Raise `InputError` for several protocols where `what` takes one."""
    if has_protocols(dataset):
        names = protocol_names(dataset)
        raise InputError(
            f"{what} must have one protocol, with the dimensions (curve, time), but has "
            f"{len(names)}: {', '.join(names[:4])}. Select one: ds.sel(protocol={names[0]!r}); or "
            "give arrays, such as latent_nmr.features(ds), where these are taken."
        )


def _selected(dataset: xr.Dataset) -> str | None:
    if PROTOCOL not in dataset.coords or dataset[PROTOCOL].dims:
        return None
    return str(dataset[PROTOCOL].item())


def _entries(attributes: Mapping[Any, Any]) -> dict[str | None, Mapping[str, Any]]:
    """Entries of the attribute `protocols` by name; none where it is something else."""
    found = attributes.get(PROTOCOLS)
    if not isinstance(found, list | tuple):
        return {}
    return {
        str(entry["name"]): entry
        for entry in found
        if isinstance(entry, Mapping) and "name" in entry
    }
