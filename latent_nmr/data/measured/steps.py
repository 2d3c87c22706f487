"""The log of what was found in a measured file and done to its records, for people and programs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import xarray as xr

from latent_nmr._json import json_value

ATTRIBUTE = "steps"


@dataclass(frozen=True)
class Step:
    """One thing that was found or done.

    Attributes
    ----------
    name : str
        What programs recognise it by, such as ``"digital_filter"``.
    detail : str
        The same in a sentence, with its numbers and their units.
    values : dict
        The numbers of that sentence by name, as JSON holds them; times in µs, frequencies in MHz.

    Examples
    --------
    >>> from latent_nmr.data.measured.steps import Step
    >>> print(Step("phase", "Turned the phase by 0.5 rad.", {"angle": 0.5}))
    Turned the phase by 0.5 rad.
    """

    name: str
    detail: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "values", json_value(self.values))

    def __str__(self) -> str:
        return self.detail


def with_steps(dataset: xr.Dataset, *steps: Step) -> xr.Dataset:
    """Return a data set whose log has some more steps at its end; the given one is unchanged."""
    log = [*dataset.attrs.get(ATTRIBUTE, ()), *(asdict(step) for step in steps)]
    return dataset.assign_attrs({ATTRIBUTE: log})


def steps_of(dataset: xr.Dataset) -> list[Step]:
    """The log of a data set, from the first step to the last."""
    return [Step(**entry) for entry in dataset.attrs.get(ATTRIBUTE, ())]
