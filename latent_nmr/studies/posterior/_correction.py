"""Intervals put right by curves whose materials are known: a local conformal correction.

A model's folder may hold the ranks of the true materials of some hundred curves in its posteriors,
and where these curves lie. Ends of an interval are then no quantiles of draws at its nominal
levels, but at those below which as large a part of the ranks of the nearest known curves lies.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from latent_nmr._files import staged_file
from latent_nmr._regular import regular
from latent_nmr.analysis.posterior_scores import corrected_levels
from latent_nmr.errors import InputError
from latent_nmr.studies.posterior._quantities import QUANTITIES

FloatArray = npt.NDArray[np.float64]

CORRECTION_FILE = "calibration.npz"
FORMAT, VERSION = "latent_nmr.posterior_correction", 1
MOST_ROWS = 1500
# Steps of a rank in a file.
STEPS = 255
# cos θ, log SNR and mean of W, then the logarithm of every quantity's standard deviation.
N_COMMON = 3
WAYS = {True: "phase", False: "magnitude"}


@dataclass(frozen=True, eq=False)
class Correction:
    """Known curves, by whether the phase is trusted.

    Attributes
    ----------
    ranks : dict of ndarray, shape (n_rows, 4)
        Of `QUANTITIES`.
    columns : dict of ndarray, shape (n_rows, 7)
        See `place_columns`.
    """

    ranks: dict[bool, FloatArray]
    columns: dict[bool, FloatArray]

    def levels(
        self, quantity: str, columns: FloatArray, ends: Sequence[float], *, phase: bool
    ) -> FloatArray:
        """Levels of draws that stand for nominal ones, shape (n_ends,), at one place, (7,)."""
        if phase not in self.ranks:
            return np.asarray(ends, np.float64)
        number = QUANTITIES.index(quantity)
        known = places_of(self.columns[phase], number)
        own = places_of(columns[None], number, self.columns[phase])
        return corrected_levels(own[0], self.ranks[phase][:, number], known, ends)

    def save(self, folder: Path) -> None:
        """Write the file into a model's folder."""
        header = json.dumps({"format": FORMAT, "version": VERSION})
        arrays: dict[str, Any] = {"header": np.asarray(header)}
        for phase, ranks in self.ranks.items():
            rows = np.linspace(0, len(ranks) - 1, min(len(ranks), MOST_ROWS)).astype(int)
            kept = np.round(ranks[rows] * STEPS).astype(np.uint8)
            arrays[f"{WAYS[phase]}_ranks"] = kept
            arrays[f"{WAYS[phase]}_columns"] = self.columns[phase][rows].astype(np.float16)
        with staged_file(folder / CORRECTION_FILE) as staging, staging.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read the file of a model's folder, executing nothing; None if there is none.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        path = folder / CORRECTION_FILE
        if not path.exists():
            return None
        try:
            with np.load(regular(path), allow_pickle=False) as file:
                header = json.loads(str(file["header"]))
                if (header["format"], header["version"]) != (FORMAT, VERSION):
                    raise ValueError(f"it says {header}")
                arrays = {name: file[name].astype(np.float64) for name in file.files[1:]}
            there = {p: name for p, name in WAYS.items() if f"{name}_ranks" in arrays}
            ranks, columns = (
                {p: arrays[f"{name}_{kind}"] for p, name in there.items()}
                for kind in ("ranks", "columns")
            )
            found = cls(ranks, columns)
            found._check()
        except Exception as error:  # a damaged archive has many ways
            raise InputError(
                f"the calibration of a model must be as it was saved, but {path} cannot be read "
                f"({type(error).__name__}: {error}). Copy the whole folder again, or delete it."
            ) from error
        # In the middle of their steps, so that none is 0 or 1.
        return cls({p: (own + 0.5) / (STEPS + 1) for p, own in found.ranks.items()}, found.columns)

    def _check(self) -> None:
        for phase, ranks in self.ranks.items():
            columns, n_own = self.columns[phase], len(QUANTITIES)
            if ranks.ndim != 2 or ranks.shape[1:] != (n_own,):
                raise ValueError("ranks are of other quantities")
            if columns.shape != (len(ranks), N_COMMON + n_own) or not len(ranks):
                raise ValueError("its entries are of different lengths")
            if not np.isfinite(columns).all():
                raise ValueError("its entries are not finite")


def place_columns(
    flip_angle_deg: npt.ArrayLike, snr: npt.ArrayLike, W: npt.ArrayLike, spreads: npt.ArrayLike
) -> FloatArray:
    """Where posteriors lie, shape (n_rows, 7), from means of W and deviations, (n_rows, 4)."""
    common = np.cos(np.radians(flip_angle_deg)), np.log(snr), W
    columns = np.stack(np.broadcast_arrays(*common), axis=-1)
    return np.concatenate([columns, np.log(np.asarray(spreads) + 1e-12)], axis=-1)


def places_of(columns: FloatArray, number: int, known: FloatArray | None = None) -> FloatArray:
    """Coordinates in which neighbours are alike for one quantity, over the spread of `known`."""
    chosen = [*range(N_COMMON), N_COMMON + number]
    spread = (columns if known is None else known)[:, chosen].std(axis=0)
    return columns[:, chosen] / np.where(spread > 0, spread, 1)
