"""The data of an evaluation: curves and labels in parts, and what identifies them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.analysis.scores import REGRESSED, Parts, check_neighbourhoods, check_neighbours
from latent_nmr.analysis.split import Split, hold_out
from latent_nmr.data.echoes import fingerprint
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import features, window_time
from latent_nmr.errors import InputError

FITTED, HELD_OUT = "training", "held-out"


@dataclass(frozen=True)
class Material:
    """Curves and labels of every part.

    Attributes
    ----------
    curves : dict of ndarray, shape (n_curves of the part, n_features)
        `training`, `held-out`, then each further data set by its name.
    labels : dict of dict
        By part; empty dictionaries for data without labels.
    split : Split
    dataset : xarray.Dataset
        The first data set, whole.
    identity : dict
        What decides the fits, as JSON holds it.
    """

    curves: dict[str, npt.NDArray[np.float32]]
    labels: dict[str, dict[str, npt.NDArray[np.generic]]]
    split: Split
    dataset: xr.Dataset
    identity: dict[str, Any]

    @property
    def scored_parts(self) -> list[str]:
        """Names of the parts that are scored."""
        return [part for part in self.curves if part != FITTED]

    def pair(self, part: str) -> Parts | None:
        """Labels to fit on and of `part`; None without any."""
        if not self.labels[FITTED] or not self.labels[part]:
            return None
        return Parts(self.labels[FITTED], self.labels[part])


def gather(
    data: Path,
    also: Sequence[Path],
    *,
    window: str,
    normalisation: str,
    fraction: float,
    split_seed: int,
) -> Material:
    """Read the data, split the first set, and check that the others fit it.

    Raises
    ------
    InputError
        For data that cannot be read, split or compared.
    """
    dataset = open_echoes(data)
    X = features(dataset, window, normalisation)
    labels = labels_of(dataset, data)
    split = hold_out(len(X), labels.get("kernel"), fraction=fraction, seed=split_seed)
    check_neighbours(len(split.fitted))
    curves = {FITTED: X[split.fitted], HELD_OUT: X[split.held_out]}
    known = {
        part: {name: values[rows] for name, values in labels.items()}
        for part, rows in ((FITTED, split.fitted), (HELD_OUT, split.held_out))
    }
    time = window_time(dataset, window)
    for path in also:
        other = open_echoes(path)
        name = part_name(path, curves)
        check_same_times(window_time(other, window), time, path)
        curves[name] = features(other, window, normalisation)
        known[name] = labels_of(other, path)
    for part in curves:
        if part != FITTED:
            check_neighbourhoods(len(curves[part]), part)
    identity = {
        "data_sha256": fingerprint(dataset),
        "window": window,
        "normalisation": normalisation,
        "fraction": fraction,
        "split_seed": split_seed,
        "also": [str(path) for path in also],
    }
    return Material(curves, known, split, dataset, identity)


def labels_of(dataset: xr.Dataset, path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """Labels that scores use, where the data have them: numbers in float64, names as strings."""
    found: dict[str, npt.NDArray[np.generic]] = {}
    for name in (*REGRESSED, "kernel"):
        if name not in dataset.variables:
            continue
        values = dataset[name].to_numpy()
        if name == "kernel":
            # Whatever kind of string the file gave: scikit-learn knows this one.
            found[name] = np.array([str(value) for value in values.tolist()], dtype="U")
            continue
        found[name] = values.astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(found[name]))
        if len(bad):
            curve = int(dataset["curve"].to_numpy()[bad[0]])
            raise InputError(
                f"labels must be finite, but {name} of curve {curve} of {path} is "
                f"{found[name][bad[0]]}. Drop such curves, or the variable {name}."
            )
    return found


def part_name(path: Path, taken: Sequence[str] | dict) -> str:
    """Name of a further data set: its file's, without the ending."""
    if path.stem in taken:
        raise InputError(
            f"--also must name data sets of different names, but {path.stem} is there twice. "
            "Rename one."
        )
    return path.stem


def check_same_times(
    found: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64], path: Path
) -> None:
    """Raise `InputError` if a further data set is sampled at other times."""
    if found.shape != wanted.shape or not np.allclose(found, wanted, rtol=0, atol=1e-3):
        raise InputError(
            f"--also must be sampled like the data ({len(wanted)} samples, {wanted[0]:.1f} to "
            f"{wanted[-1]:.1f} µs), but {path} has {len(found)}, {found[0]:.1f} to "
            f"{found[-1]:.1f} µs. Use data of the same preset."
        )
