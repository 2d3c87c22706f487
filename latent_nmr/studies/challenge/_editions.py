"""Editions of the challenge: their targets, and what models see of a curve.

Of curves of which only |M| is known, models see |M| where they would see Re and Im of M.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.analysis.labels import is_missing, plain_label
from latent_nmr.data._variables import MAGNITUDE, SIGNALS
from latent_nmr.data.echoes import magnitude, signal_names
from latent_nmr.data.labels import label_values
from latent_nmr.errors import InputError, check_choice
from latent_nmr.models.challenge_models import RECORD, RECORD_AND_LENGTH, WINDOW

SPIN = "spin"
INPUT_KINDS = (WINDOW, RECORD, RECORD_AND_LENGTH)
COMPLEX, MAGNITUDE_PART = "complex", "magnitude"
PARTS = (COMPLEX, MAGNITUDE_PART)
# What models see in place of these where |M| is all there is.
OF_MAGNITUDE = {
    WINDOW: "magnitude window",
    RECORD: "magnitude record",
    RECORD_AND_LENGTH: "magnitude record",
}
IN_WINDOW = (WINDOW, OF_MAGNITUDE[WINDOW])


@dataclass(frozen=True)
class Edition:
    """One edition of the challenge.

    Attributes
    ----------
    name, preset : str
    targets : dict of str
        Name of each target, and the label that holds it.
    texts : dict of str
        Words and unit of each target.
    window : slice
        Samples that the published networks see.
    stride : int
        Step in which samples of the whole record are taken.
    n_curves, n_evaluation : int
        Numbers of curves of a simulated set.
    optional : tuple of str
        Targets that may be the same for all curves of a set, which then says nothing of them.
    """

    name: str
    preset: str
    targets: dict[str, str]
    texts: dict[str, str]
    window: slice
    stride: int = 1
    n_curves: int = 2000
    n_evaluation: int = 500
    optional: tuple[str, ...] = ()


_OWN_TEXTS = {
    "alpha": "α",
    "xi": "ξ (lattice constants)",
    "p": "p",
    "d": "d",
    "alpha_x": r"$\alpha_x$ (MHz)",
    "alpha_z": r"$\alpha_z$ (MHz)",
    "theta": "θ (degrees)",
}


def _edition(name: str, preset: str, labels: Sequence[str], **others: Any) -> Edition:
    targets = {label.removeprefix("challenge_"): label for label in labels}
    window = others.pop("window", slice(210, 410))
    return Edition(name, preset, targets, {t: _OWN_TEXTS[t] for t in targets}, window, **others)


EDITIONS = {
    edition.name: edition
    for edition in (
        _edition(
            "2020",
            "challenge2020",
            ["challenge_alpha", "challenge_xi", "challenge_p", "challenge_d"],
        ),
        *(
            _edition(
                f"2021-{kernel}",
                f"challenge2021-{kernel}",
                ["challenge_alpha", "challenge_xi", "challenge_d"],
            )
            for kernel in ("gauss", "rkky")
        ),
        _edition(
            SPIN,
            "challenge2021-spin",
            ["alpha_x", "alpha_z", "challenge_theta"],
            window=slice(1056, 1456),
            stride=4,
            n_curves=3000,
            n_evaluation=0,
            # All other sets of the paper's kernels have one pulse angle.
            optional=("theta",),
        ),
    )
}


def part_of(dataset: xr.Dataset, part: str | None = None) -> str:
    """What of M is used: the part asked for, else all that the data set has."""
    if part is not None:
        return part
    return MAGNITUDE_PART if signal_names(dataset) == tuple(MAGNITUDE) else COMPLEX


def signals_of(dataset: xr.Dataset, part: str) -> dict[str, npt.NDArray[np.float32]]:
    """`mx` and `my`, or `magnitude`, each of shape (n_curves, n_samples)."""
    if part == MAGNITUDE_PART:
        return {"magnitude": magnitude(dataset)}
    return {name: dataset[name].transpose("curve", "time").to_numpy() for name in SIGNALS}


def without_constant_targets(
    edition: Edition, dataset: xr.Dataset
) -> tuple[Edition, dict[str, str]]:
    """The edition with the targets that can be predicted, and why others are left out.

    Only targets that are optional can be: data that lack another are not of the edition.
    """
    left_out = {}
    for name in edition.optional:
        label = edition.targets[name]
        if label not in dataset.variables:
            left_out[name] = f"the data have no {label}"
            continue
        values = label_values(dataset, label)
        if values.dtype.kind in "fiu" and np.ptp(values) == 0:
            left_out[name] = f"{label} is {values[0]:g} for all curves"
    kept = {name: label for name, label in edition.targets.items() if name not in left_out}
    return replace(edition, targets=kept), left_out


def targets_of(edition: Edition, dataset: xr.Dataset) -> npt.NDArray[np.float64]:
    """Targets of every curve, shape (n_curves, n_targets)."""
    missing = [label for label in edition.targets.values() if label not in dataset.variables]
    if missing:
        raise InputError(
            f"data of the edition {edition.name} must have the labels "
            f"{', '.join(edition.targets.values())}, but lack {', '.join(missing)}. Simulate the "
            f"preset {edition.preset}, or choose the edition of these data."
        )
    columns = {label: label_values(dataset, label) for label in edition.targets.values()}
    for label, values in columns.items():
        n_unknown = int(is_missing(plain_label(label, values)).sum())
        if n_unknown:
            raise InputError(
                f"targets must be known of every curve, but {label} is unknown for {n_unknown} of "
                f"{len(values)}. Drop such curves."
            )
    return np.stack(list(columns.values()), axis=1).astype(np.float64)


def inputs_of(edition: Edition, dataset: xr.Dataset, kind: str) -> npt.NDArray[np.float32]:
    """What a model sees of each curve, shape (n_curves, n_features).

    Parameters
    ----------
    edition : Edition
    dataset : xarray.Dataset
    kind : str
        `WINDOW`: Re, then Im of M in the edition's window; `RECORD`: the same of the whole record;
        `RECORD_AND_LENGTH`: |M| after them; of `OF_MAGNITUDE`: |M| alone.
    """
    check_choice("kind", kind, (*INPUT_KINDS, *OF_MAGNITUDE.values()))
    part = COMPLEX if kind in INPUT_KINDS else MAGNITUDE_PART
    parts = [signal[:, samples_of(edition, kind)] for signal in signals_of(dataset, part).values()]
    if kind == RECORD_AND_LENGTH:
        parts.append(np.hypot(*parts))
    return np.concatenate(parts, axis=1)


def samples_of(edition: Edition, kind: str) -> slice:
    """Samples that a model sees."""
    return edition.window if kind in IN_WINDOW else slice(None, None, edition.stride)
