"""Protocols of a data set: several echoes of the same materials, along the dimension `protocol`.

Signals then have the dimensions (protocol, curve, time), and coordinates along `protocol` say its
name, `flip_angle` (degrees) and `tau` (µs). The attribute `protocols` holds what differs between
them: a list of dictionaries with `name`, `flip_angle_deg`, `tau_us`, `echo_index`,
`pulse_samples` and `pulse_angles_rad`, in their order.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data._attributes import interval_of, pulse_numbers
from latent_nmr.errors import InputError, ProtocolsError
from latent_nmr.physics.presets import Preset
from latent_nmr.physics.protocols import describe_sequences

PROTOCOL = "protocol"
PROTOCOLS = "protocols"  # the attribute
# Entries of a protocol that a data set of one has as attributes.
OF_ONE = ("echo_index", "pulse_samples", "pulse_angles_rad")
# By how much 60° and 120° may miss 180° together, degrees, and the spacings each other, relative.
ANGLE_SLACK, SPACING_SLACK = 0.5, 1e-3


OF_METADATA = ("name", "flip_angle_deg", "tau_us")
KNOWN_NUMBERS = OF_METADATA[1:]


class KnownProtocol(NamedTuple):
    """What is known of one protocol of a data set.

    Attributes
    ----------
    name : str
    flip_angle_deg : float, optional
        θ, degrees.
    tau_us : float, optional
        τ, µs.
    """

    name: str
    flip_angle_deg: float | None = None
    tau_us: float | None = None

    def __str__(self) -> str:
        """Its name, with θ and τ where known."""
        found = [] if self.flip_angle_deg is None else [f"θ = {self.flip_angle_deg:g}°"]
        found += [] if self.tau_us is None else [f"τ = {self.tau_us:.4g} µs"]
        return f"{self.name} ({', '.join(found)})" if found else self.name

    def is_like(self, other: "KnownProtocol") -> bool:
        """Whether another has the same pulses; of unknown ones, the same name."""
        if None in (*self, *other):
            return self.name == other.name
        angles, taus = np.array([self[1:], other[1:]], np.float64).T
        return bool(np.ptp(angles) <= ANGLE_SLACK) and _is_same_spacing(taus)

    def has_pulses(self, attributes: Mapping[Any, Any]) -> bool:
        """Whether its pulses may be those that attributes of one protocol say, where they do."""
        angles, samples = (
            pulse_numbers(attributes, name) if name in attributes else []
            for name in ("pulse_angles_rad", "pulse_samples")
        )
        own = self._replace(tau_us=self.tau_us or 1.0)
        is_spaced = self.tau_us and len(samples) > 1 and "dt_us" in attributes
        tau = (samples[1] - samples[0]) * interval_of(attributes) if is_spaced else own.tau_us
        angle = np.degrees(angles[0]) if angles else own.flip_angle_deg
        return own.is_like(KnownProtocol(self.name, angle, tau))


def _is_same_spacing(taus: npt.NDArray[np.float64]) -> bool:
    return bool(np.ptp(taus) <= SPACING_SLACK * taus.max())


def is_pair(protocols: Sequence[KnownProtocol]) -> bool:
    """Whether two protocols differ by opposite mean fields along z alone, θ and 180° - θ.

    That is taken to be so where their pulses are not known.
    """
    if len(protocols) != 2:
        return False
    # NaN where nothing is known, which no comparison holds for.
    angles, taus = np.array([one[1:] for one in protocols], np.float64).T
    is_other = abs(angles.sum() - 180) > ANGLE_SLACK
    return not is_other and bool(np.isnan(taus).any() or _is_same_spacing(taus))


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


def known_protocols(dataset: xr.Dataset) -> tuple[KnownProtocol, ...]:
    """What is known of the protocols of a data set; none without a dimension of them."""
    columns = [
        dataset[name].to_numpy().tolist()
        if name in dataset.coords and dataset[name].dims == (PROTOCOL,)
        else [None] * dataset.sizes[PROTOCOL]
        for name in ("flip_angle", "tau")
        if has_protocols(dataset)
    ]
    rows = zip(protocol_names(dataset), *columns, strict=True) if columns else ()
    return tuple(KnownProtocol(name, *map(_known_number, values)) for name, *values in rows)


def _known_number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and np.isfinite(value)
    return float(value) if is_number else None


def protocols_of_metadata(metadata: Mapping[str, Any]) -> tuple[KnownProtocol, ...]:
    """Protocols that a model's metadata say; none where they say none.

    Raises
    ------
    InputError
        For what no data set's protocols are.
    """
    found = metadata.get(PROTOCOLS, ())
    try:
        return tuple(
            KnownProtocol(own["name"], *(_known_number(own[name]) for name in KNOWN_NUMBERS))
            for own in found
        )
    except (KeyError, TypeError):
        raise InputError(
            f"protocols of metadata must be a list that says of each {', '.join(OF_METADATA)}, but "
            f"is {found!r:.80}. Train the model again."
        ) from None


def are_alike(found: Sequence[KnownProtocol], wanted: Sequence[KnownProtocol]) -> bool:
    """Whether protocols are the same pulses in the same order."""
    return len(found) == len(wanted) and all(map(KnownProtocol.is_like, found, wanted))


def protocol_text(protocols: Sequence[KnownProtocol]) -> str:
    """Protocols in words."""
    return ", ".join(map(str, protocols)) or "a single one"


def check_protocols(
    dataset: xr.Dataset,
    wanted: Sequence[KnownProtocol],
    whose: str,
    attributes: Mapping[Any, Any] | None = None,
) -> None:
    """Raise `InputError` if a data set has other protocols than `whose`, such as a model's.

    Of a single one, `attributes` say the pulses, as far as they are known.
    """
    found = known_protocols(dataset)
    if are_alike(found, wanted):
        return
    names, is_one_of = [], False
    same = [next((own for own in found if own.is_like(one)), None) for one in wanted]
    if wanted and all(same):
        names = [own.name for own in same if own is not None]
        cure = f"Select them in this order: ds.sel(protocol={names})."
    elif not wanted:
        names = [own.name for own in found if own.has_pulses(attributes or {})]
        is_one_of = len(names) > 1
        cure = f"Select it: ds.sel(protocol={names[0]!r})." if names else ""
        if is_one_of:
            cure = f"Select the one that has its pulses: ds.sel(protocol=…), of {', '.join(names)}."
    if not names:
        cure = "Use data of the same pulses"
        cure += ", with the dimensions (protocol, curve, time)." if wanted else "."
    raise ProtocolsError(
        f"data must have the protocols of {whose}, {protocol_text(wanted)}, but have "
        f"{protocol_text(found)}.",
        cure,
        names,
        is_one_of,
    )


def select_protocols(dataset: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Some protocols of a data set by their names, in that order; one alone has no dimension.

    Raises
    ------
    InputError
        For names that the data set does not have, or one that is given twice.
    """
    known = protocol_names(dataset)
    unknown = [name for name in names if name not in known]
    if unknown or len(set(names)) < len(names):
        found = ", ".join(known) or "a single one, without a name"
        raise InputError(
            f"protocols must be some of those of the data ({found}), each once, but are "
            f"{', '.join(names)}. Choose from these."
        )
    numbers = [known.index(name) for name in names]
    return dataset.isel({PROTOCOL: numbers[0] if len(numbers) == 1 else numbers})


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
            f"{len(names)}: {', '.join(names[:4])}. Select one, such as "
            f"ds.sel(protocol={names[0]!r}); or give arrays, such as latent_nmr.features(ds), "
            "where these are taken."
        )


def selected_entries(dataset: xr.Dataset) -> list[Mapping[str, Any]]:
    """Entries of the attribute `protocols` for the protocols that a data set has, in its order."""
    entries = _entries(dataset.attrs)
    names = protocol_names(dataset) or [_selected(dataset)]
    return [entries[name] for name in names if name in entries]


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
