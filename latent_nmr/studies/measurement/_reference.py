"""Simulated echoes without noise, which a measured one is compared with."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from latent_nmr._echo_top import find_top, over_height
from latent_nmr._files import staged_file
from latent_nmr._regular import regular
from latent_nmr.data.scaling import TOP
from latent_nmr.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

REFERENCE_FILE = "reference.npz"
FORMAT, VERSION = "latent_nmr.measurement_reference", 1
MOST_ROWS = 5000
LABELS = ("W", "L", "alpha_x", "alpha_z", "kernel")
STEPS = 255  # levels of a row from nought to its largest value, in a file


@dataclass(frozen=True, eq=False)
class Reference:
    """Rows of the window `top`, and what they are of.

    Attributes
    ----------
    rows : ndarray of float32, shape (n_rows, n_window)
        |M| over |M(0)|; negative where M points against its top, if its phase is known.
    labels : dict of ndarray, shape (n_rows,)
        Of `W`, `L`, `alpha_x`, `alpha_z` (MHz of the model) and `kernel` those that are known.
    is_new : ndarray of bool, shape (n_rows,)
        Of materials that the model was not trained on.
    delays : ndarray of int16, shape (n_rows,)
        Samples from 2τ to the top; nought in files that do not have them.
    """

    rows: npt.NDArray[np.float32]
    labels: dict[str, npt.NDArray[Any]]
    is_new: npt.NDArray[np.bool_]
    delays: npt.NDArray[np.int16]

    @classmethod
    def of(cls, dataset: "xr.Dataset", is_new: npt.NDArray[np.bool_]) -> Self:
        """From a data set; `is_new` has a value for each of its curves.

        Of more than MOST_ROWS curves, those that are new come first, up to half of that number.
        """
        from latent_nmr.data.labels import known_labels
        from latent_nmr.data.windows import features

        new = np.flatnonzero(is_new)[: MOST_ROWS // 2]
        rows = np.sort(np.concatenate([new, np.flatnonzero(~is_new)[: MOST_ROWS - len(new)]]))
        dataset = dataset.isel(curve=rows)
        labels = {k: np.asarray(v) for k, v in known_labels(dataset, LABELS).items()}
        # The window `echo` has 2τ in its middle.
        about = features(dataset, "echo", "initial")
        delays = (find_top(about).sample - about.shape[1] // 2).astype(np.int16)
        return cls(signed_rows(dataset), labels, np.asarray(is_new, bool)[rows], delays)

    @classmethod
    def of_training(cls, dataset: "xr.Dataset", rows: npt.NDArray[np.integer]) -> Self:
        """From the data set that a model was fitted to, on these rows."""
        is_new = np.ones(dataset.sizes["curve"], bool)
        is_new[rows] = False
        return cls.of(dataset, is_new)

    def features(self, *, knows_gain: bool) -> npt.NDArray[np.float32]:
        """Rows as a model of measured echoes sees them without noise."""
        rows = np.abs(self.rows)
        if knows_gain:
            return rows
        return over_height(rows, find_top(rows).height).astype(np.float32)

    def save(self, path: Path) -> None:
        """Write a file: rows as bytes, whose differences from sample to sample pack well."""
        scales = np.abs(self.rows).max(axis=1)
        levels = np.round(np.abs(self.rows) / scales[:, None] * STEPS).astype(np.uint8)
        differences = np.diff(levels, axis=1, prepend=np.uint8(0))
        header = json.dumps({"format": FORMAT, "version": VERSION})
        arrays: dict[str, Any] = {
            "header": np.asarray(header),
            "differences": differences,
            "negative": np.packbits(self.rows < 0, axis=1),
            "scales": scales,
            "is_new": self.is_new,
            "delays": self.delays,
        }
        arrays |= {f"label_{name}": _small(values) for name, values in self.labels.items()}
        with staged_file(path) as staging, staging.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that :meth:`save` wrote; nothing in it is executed."""
        try:
            with np.load(regular(path), allow_pickle=False) as file:
                header = json.loads(str(file["header"]))
                if (header["format"], header["version"]) != (FORMAT, VERSION):
                    raise ValueError(f"it says {header}")
                levels = np.cumsum(file["differences"], axis=1, dtype=np.uint8)
                rows = levels.astype(np.float32) * (file["scales"][:, None] / np.float32(STEPS))
                negative = np.unpackbits(file["negative"], axis=1, count=rows.shape[1])
                rows = np.where(negative, -rows, rows)
                labels = {
                    name.removeprefix("label_"): file[name]
                    for name in file.files
                    if name.startswith("label_")
                }
                none = np.zeros(len(rows), np.int16)
                delays = file["delays"] if "delays" in file.files else none
                found = cls(rows, labels, file["is_new"], delays)
                entries = (found.is_new, found.delays, *labels.values())
                if any(len(own) != len(rows) for own in entries):
                    raise ValueError("its entries are of different lengths")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"the reference echoes of a model must be as it was trained with, but {path} "
                f"cannot be read ({error}). Train the model again, or copy its whole folder."
            ) from error
        return found


def signed_rows(dataset: "xr.Dataset") -> npt.NDArray[np.float32]:
    """|M| over |M(0)| in the window `top`; negative where M points against its top, if known."""
    from latent_nmr.data.windows import features

    own = features(dataset, "top", "initial")
    if {"mx", "my"} <= set(dataset):
        own *= _signs(features(dataset, "top", "initial", "both"))
    return own


def measured_features(augment: str, window: str) -> dict[str, str]:
    """Window and normalisation of a model of measured echoes; `window` is one about the echo."""
    if window not in (TOP, "echo"):
        raise InputError(
            f"window must be {TOP!r} or 'echo' where curves are augmented, since measured records "
            f"lack the beginning, but is {window!r}. Leave it out."
        )
    known = augment == "spectrometer-m0"
    return {"window": TOP, "normalisation": "initial" if known else "height"}


def check_measurable(augment: str, window: str, normalisation: str) -> None:
    """Raise `InputError` for features that a model of measured echoes cannot be trained on."""
    wanted = measured_features(augment, TOP)["normalisation"]
    if (window, normalisation) != (TOP, wanted):
        raise InputError(
            f"window and normalisation must be {TOP!r} and {wanted!r} where augment is "
            f"{augment!r}, as measured echoes have them, but are {window!r} and "
            f"{normalisation!r}. Give those."
        )


def _signs(both: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Whether M points along its top or against it, from features of both its parts."""
    real, imaginary = np.split(2 * both - 1, 2, axis=1)
    M = real + 1j * imaginary
    middle = M.shape[1] // 2
    return np.where((M * M[:, middle : middle + 1].conj()).real < 0, np.float32(-1), np.float32(1))


def _small(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.astype(np.float32) if values.dtype.kind == "f" else values
