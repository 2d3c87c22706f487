"""Curves of one edition: those that were given, or simulated ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr._splits import as_groups
from latent_nmr.data._variables import MAGNITUDE
from latent_nmr.data.echoes import check_echoes, fingerprint, signal_names
from latent_nmr.data.io import open_echoes
from latent_nmr.data.labels import materials_of
from latent_nmr.data.protocols import refuse_protocols
from latent_nmr.errors import InputError
from latent_nmr.studies.challenge._editions import (
    COMPLEX,
    Edition,
    part_of,
    targets_of,
    without_constant_targets,
)
from latent_nmr.studies.stores import fill_with_progress

# With fewer, a tenth is no test part.
LEAST_CURVES = 20

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Material:
    """Curves of one edition.

    Attributes
    ----------
    edition : Edition
        With the targets that are predicted.
    part : {"complex", "magnitude"}
        What of M models see.
    left_out : dict of str
        Why a target of the edition is not predicted.
    dataset : xarray.Dataset
        The curves to fit and to test on.
    targets : ndarray, shape (n_curves, n_targets)
    evaluation : xarray.Dataset or None
        The curves to submit predictions of.
    evaluation_targets : ndarray or None
        Their targets, where they are known.
    others : dict
        Further sets, which are scored only, and their targets, by name.
    source : str
        Where the curves come from.
    identity : dict
        Digests of all data, as JSON holds them.
    groups : ndarray of int, shape (n_curves,), or None
        Materials, where there are repeats: no split tears one apart.
    """

    edition: Edition
    part: str
    left_out: dict[str, str]
    dataset: xr.Dataset
    targets: FloatArray
    evaluation: xr.Dataset | None
    evaluation_targets: FloatArray | None
    others: dict[str, tuple[xr.Dataset, FloatArray]]
    source: str
    identity: dict[str, Any]
    groups: npt.NDArray[np.int64] | None


def gather(
    edition: Edition,
    dataset: xr.Dataset,
    evaluation: xr.Dataset | None,
    also: Mapping[str, xr.Dataset],
    source: str,
    part: str | None = None,
) -> Material:
    """Check all data and take their targets.

    Raises
    ------
    InputError
        For data without the part of M asked for, or without mx and my where the curves to fit have
        them; for records that are too short, labels that are missing, and a target that does not
        vary.
    """
    for name, one in {"dataset": dataset, "evaluation": evaluation, **also}.items():
        if one is not None:
            refuse_protocols(check_echoes(one, name), name)
    part = part_of(dataset, part)
    _check_records(edition, dataset, "dataset", part)
    edition, left_out = without_constant_targets(edition, dataset)
    targets = targets_of(edition, dataset)
    if len(targets) < LEAST_CURVES:
        raise InputError(
            f"dataset must hold at least {LEAST_CURVES} curves, of which a tenth is for the test, "
            f"but holds {len(targets)}. Give more."
        )
    for name, column in zip(edition.targets, targets.T, strict=True):
        if np.ptp(column) == 0:
            raise InputError(
                f"every target must vary, but {name} is {column[0]:g} for all {len(column)} curves "
                f"of {source}. Check the parameters."
            )
    known = None
    if evaluation is not None:
        _check_records(edition, evaluation, "evaluation", part)
        if all(label in evaluation.variables for label in edition.targets.values()):
            known = targets_of(edition, evaluation)
    others = {}
    for name, other in also.items():
        _check_records(edition, other, f"also[{name!r}]", part)
        others[name] = other, targets_of(edition, other)
    identity = {
        "edition": edition.name,
        "data_sha256": fingerprint(dataset),
        "evaluation_sha256": None if evaluation is None else fingerprint(evaluation),
    }
    groups = as_groups(materials_of(dataset), len(targets), "material")
    of_set = edition, part, left_out, dataset, targets
    return Material(*of_set, evaluation, known, others, source, identity, groups)


def simulated(
    edition: Edition,
    n_curves: int,
    n_evaluation: int,
    *,
    line_draw: str,
    seed: int,
    store: Path | None,
) -> tuple[xr.Dataset, xr.Dataset | None]:
    """Simulated curves to fit and test on, and others to submit predictions of.

    With a `store` they are taken from there, and simulated where it lacks them.
    """
    from latent_nmr.data.store import simulate
    from latent_nmr.physics.simulate import Simulation

    total = n_curves + n_evaluation
    if store is None:
        whole = simulate(edition.preset, total, seed=seed, line_draw=line_draw)
    else:
        fill_with_progress(store, Simulation(edition.preset, seed=seed, line_draw=line_draw), total)
        whole = open_echoes(store).isel(curve=slice(0, total))
    evaluation = whole.isel(curve=slice(n_curves, None)) if n_evaluation else None
    return whole.isel(curve=slice(0, n_curves)), evaluation


def _check_records(edition: Edition, dataset: xr.Dataset, name: str, part: str) -> None:
    check_echoes(dataset, name)
    if part == COMPLEX and signal_names(dataset) == tuple(MAGNITUDE):
        raise InputError(
            f"{name} must hold both mx and my, because models are to see both, but holds magnitude "
            "only. Use a set that was saved with both, or the part magnitude of all sets."
        )
    if dataset.sizes["time"] < edition.window.stop:
        raise InputError(
            f"{name} must hold records of at least {edition.window.stop} samples, but has "
            f"{dataset.sizes['time']}. Simulate the preset {edition.preset}."
        )
