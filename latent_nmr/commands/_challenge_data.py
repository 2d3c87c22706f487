"""The data of the challenge: real files or our own curves, as inputs and targets of its models."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.commands._shell import tell
from latent_nmr.data.echoes import check_echoes, fingerprint
from latent_nmr.data.io import open_echoes
from latent_nmr.errors import InputError
from latent_nmr.models.challenge_models import RECORD, RECORD_AND_LENGTH, WINDOW
from latent_nmr.studies.stores import default_store, fill_with_progress

SPIN = "spin"


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
        Of the samples of the whole record, every so many are enough.
    n_curves, n_evaluation : int
        Of a simulated set.
    """

    name: str
    preset: str
    targets: dict[str, str]
    texts: dict[str, str]
    window: slice
    stride: int = 1
    n_curves: int = 2000
    n_evaluation: int = 500

    @property
    def has_files(self) -> bool:
        """Whether it has files of its own, and a submission."""
        return self.name != SPIN


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
        ),
    )
}


@dataclass(frozen=True)
class Material:
    """Curves of one edition.

    Attributes
    ----------
    edition : Edition
    dataset : xarray.Dataset
        Of the curves to fit and to test on.
    targets : ndarray, shape (n_curves, n_targets)
    evaluation : xarray.Dataset or None
        The curves to submit predictions of.
    evaluation_targets : ndarray or None
        What they are, where we made them.
    source : str
        Where all this comes from.
    identity : dict
        What decides results, as JSON holds it.
    """

    edition: Edition
    dataset: xr.Dataset
    targets: npt.NDArray[np.float64]
    evaluation: xr.Dataset | None
    evaluation_targets: npt.NDArray[np.float64] | None
    source: str
    identity: dict[str, Any]


def gather(
    edition: Edition,
    data: Path | None,
    *,
    n_curves: int,
    n_evaluation: int,
    line_draw: str,
    seed: int,
) -> Material:
    """Read real files from the folder `data`, or take our own curves, simulated where they lack."""
    if data is not None:
        dataset, evaluation, source = *_read_files(edition, data), str(data)
    else:
        dataset, source = _simulated(edition, n_curves + n_evaluation, line_draw, seed)
        evaluation = dataset.isel(curve=slice(n_curves, None)) if n_evaluation else None
        dataset = dataset.isel(curve=slice(0, n_curves))
    identity = {
        "edition": edition.name,
        "data_sha256": fingerprint(dataset),
        "evaluation_sha256": None if evaluation is None else fingerprint(evaluation),
    }
    known = evaluation if data is None else None
    return Material(
        edition=edition,
        dataset=dataset,
        targets=targets_of(edition, dataset),
        evaluation=evaluation,
        evaluation_targets=None if known is None else targets_of(edition, known),
        source=source,
        identity=identity,
    )


def targets_of(edition: Edition, dataset: xr.Dataset) -> npt.NDArray[np.float64]:
    """Targets of every curve, shape (n_curves, n_targets)."""
    missing = [label for label in edition.targets.values() if label not in dataset.variables]
    if missing:
        raise InputError(
            f"data of the edition {edition.name} must have the labels "
            f"{', '.join(edition.targets.values())}, but lack {', '.join(missing)}. Simulate with "
            f"--preset {edition.preset}, or choose their edition."
        )
    columns = [dataset[label].to_numpy() for label in edition.targets.values()]
    return np.stack(columns, axis=1).astype(np.float64)


def check_varying(material: Material) -> None:
    """Raise `InputError` if a target is the same for all curves: nothing could be learned of it."""
    for name, column in zip(material.edition.targets, material.targets.T, strict=True):
        if np.ptp(column) == 0:
            raise InputError(
                f"every target must vary, but {name} is {column[0]:g} for all {len(column)} curves "
                f"of {material.source}. Check the file of parameters."
            )


def read_other(edition: Edition, path: Path) -> tuple[xr.Dataset, npt.NDArray[np.float64]]:
    """Another set of the same edition, to be scored only."""
    dataset = open_echoes(path)
    if dataset.sizes["time"] < edition.window.stop:
        raise InputError(
            f"--also must hold records of at least {edition.window.stop} samples, but {path} has "
            f"{dataset.sizes['time']}. Simulate with --preset {edition.preset}."
        )
    return check_echoes(dataset, str(path), both_components=True), targets_of(edition, dataset)


def inputs_of(edition: Edition, dataset: xr.Dataset, kind: str) -> npt.NDArray[np.float32]:
    """What a model sees of each curve, shape (n_curves, n_features).

    Parameters
    ----------
    edition : Edition
    dataset : xarray.Dataset
    kind : str
        `WINDOW`: Re, then Im of M in the edition's window; `RECORD`: the same of the whole record;
        `RECORD_AND_LENGTH`: |M| after them.
    """
    samples = edition.window if kind == WINDOW else slice(None, None, edition.stride)
    parts = [
        dataset[name].transpose("curve", "time").to_numpy()[:, samples] for name in ("mx", "my")
    ]
    if kind == RECORD_AND_LENGTH:
        parts.append(np.hypot(*parts))
    elif kind not in (WINDOW, RECORD):
        raise ValueError(f"kind must be {WINDOW}, {RECORD} or {RECORD_AND_LENGTH}, not {kind!r}")
    return np.concatenate(parts, axis=1)


def _read_files(edition: Edition, folder: Path) -> tuple[xr.Dataset, xr.Dataset]:
    from latent_nmr.data.formats import open_challenge

    if not edition.has_files:
        raise InputError(
            f"--data must be left out for the edition {edition.name}, which has no files, but is "
            f"{folder}. Leave it out: the curves are simulated."
        )
    return tuple(open_challenge(folder, edition.name, part) for part in ("model", "eval"))  # type: ignore[return-value]


def _simulated(
    edition: Edition, n_curves: int, line_draw: str, seed: int
) -> tuple[xr.Dataset, str]:
    from latent_nmr.physics.simulate import Simulation

    simulation = Simulation(edition.preset, seed=seed, line_draw=line_draw)
    path = default_store(simulation)
    fill_with_progress(path, simulation, n_curves, tell)
    return open_echoes(path).isel(curve=slice(0, n_curves)), str(path)
