"""Options of whatever measures files: how they are opened and prepared."""

from dataclasses import dataclass
from typing import Any, Literal

from latent_nmr._units import written_quantity

UNITS = {
    "tau": "µs",
    "echo_time": "µs",
    "crop": "µs",
    "dwell": "µs",
    "fwhm": "MHz",
    "carrier": "MHz",
    "bandwidth": "MHz",
}
OPENING = ("columns", "time_unit", "dwell", "points_per_record", "domain")
FIND, NONE = "find", "none"
MAY_BE_NONE = ("carrier", "bandwidth")


@dataclass(frozen=True, kw_only=True)
class MeasurementOptions:
    """Options of a command that measures files."""

    tau: str | None = None
    """Time τ between the two pulses, where the files do not say it."""
    echo_time: str = FIND
    """Time of the record at which 2τ is, or find."""
    m0: float | None = None
    """|M(0)| in the unit of the records, if measured; the model is then measured-echo-m0."""
    fwhm: str | None = None
    """Full width of the line, if known: checked against the model's."""
    carrier: str = FIND
    """Frequency of the echo on the record, find, or none."""
    bandwidth: str = FIND
    """Half width of the band that is kept, find, or none."""
    train: str | None = None
    """Split trains stored as one record: samples from echo to echo, or find."""
    crop: str | None = None
    """Use no samples further from the echo than this."""
    remove_spurs: bool = True
    """Subtract narrow lines that are steady through the record."""
    baseline: bool = True
    """Subtract the mean of the quiet part."""
    columns: tuple[str, ...] = ()
    """Columns of a table: time, real, imaginary, magnitude, or - for one to leave out."""
    time_unit: Literal["ns", "us", "µs", "ms", "s"] | None = None
    """Unit of the times in a table or an archive that does not say it."""
    dwell: str | None = None
    """Time between samples, in place of what the files say."""
    points_per_record: int | None = None
    """Samples of one echo, for trains of echoes stored one behind another."""
    domain: Literal["time", "spectrum"] | None = None
    """What the data are, in place of what the files say."""

    def settings(self) -> dict[str, Any]:
        """The same as arguments of :func:`latent_nmr.measure`.

        Raises
        ------
        InputError
            For times and frequencies that cannot be read.
        """
        own = {name: getattr(self, name) for name in MeasurementOptions.__dataclass_fields__}
        for name, unit in UNITS.items():
            if own[name] == NONE and name in MAY_BE_NONE:
                own[name] = None
            elif own[name] not in (FIND, None):
                own[name] = written_quantity(name, own[name], unit)
        if own["train"] is not None and own["train"].isdecimal():
            own["train"] = int(own["train"])
        own["columns"] = own["columns"] or None
        opening = {name: own.pop(name) for name in OPENING}
        opening = {name: value for name, value in opening.items() if value is not None}
        return own | {"pulse_separation": own.pop("tau"), "opening": opening}
