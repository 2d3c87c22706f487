"""What a store must fulfil before its curves are used, and what is said of the rest."""

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr

from latent_nmr.data._checksums import CURVE_CHECKSUMS, curve_checksums, dataset_checksums
from latent_nmr.data._variables import ALL_SIGNALS, PLACES
from latent_nmr.data.echoes import magnitude
from latent_nmr.errors import InputError, StoreWarning

# |M| of a mean spin is at most 1/2; simulated ones are off by the error of M, 1e-3 at most.
LARGEST_SPIN = 0.5 + 1e-3
RESTORE = "Restore it from a copy, or simulate it again under another name."
# Types of what is neither a signal, in float32, nor a label, in float64 or text.
_TYPES = {"done": np.bool_, CURVE_CHECKSUMS: np.uint32, **dict.fromkeys(PLACES, np.int64)}
# Levels between the warning and the call of the user, `open_echoes` or a command.
_DEPTH = 5


def check_lengths(path: Path, arrays: Mapping[str, zarr.Array], n_protocols: int = 1) -> int:
    """Refuse a store in which an array is too short for its flags, or of another kind.

    Nothing of them is read for it. Arrays are lengthened before the flags, so that longer ones are
    no damage; returns the longest.
    """
    n_curves, n_samples = (math.prod(arrays[name].shape[:1]) for name in ("done", "time"))
    for name, array in arrays.items():
        is_signal = name in ALL_SIGNALS
        of_label = "float32" if is_signal else "float64"
        if name != "kernel" and array.dtype != _TYPES.get(name, of_label):
            raise InputError(
                f"data must be a complete store, but {name} in {path} is {array.dtype}, as no "
                f"simulation writes it. {RESTORE}"
            )
        if 0 in array.chunks:
            raise InputError(
                f"data must be a complete store, but {name} in {path} has chunks of no curves. "
                f"{RESTORE}"
            )
        is_long_enough = name == "time" or array.shape[:1] >= (n_curves,)
        of_signal = (n_samples,) if n_protocols == 1 else (n_protocols, n_samples)
        if array.shape[1:] != (of_signal if is_signal else ()) or not is_long_enough:
            several = "" if n_protocols == 1 else f" in {n_protocols} protocols"
            raise InputError(
                f"data must be a complete store, but {name} in {path} has the shape {array.shape} "
                f"for {n_curves} curves of {n_samples} samples{several}. {RESTORE}"
            )
    return max(array.shape[0] for name, array in arrays.items() if name != "time")


def check_simulated_times(
    path: Path, times: npt.NDArray[np.floating], attributes: Mapping[str, Any]
) -> None:
    """Refuse times that are not those of the sequence that a store says it was simulated with."""
    n_samples, interval = attributes.get("n_samples"), attributes.get("dt_us")
    if n_samples is None or interval is None:  # of another sequence than the presets have
        return
    expected = interval * np.arange(n_samples)
    if times.shape != expected.shape or not np.allclose(times, expected, rtol=1e-9, atol=1e-9):
        raise InputError(
            f"time of a store must be {n_samples} samples {interval:g} µs apart, as it was "
            f"simulated, but time of {path} is not: it was lost or changed. {RESTORE}"
        )


def check_spins(path: Path, dataset: xr.Dataset) -> None:
    """Refuse curves longer than a spin can be."""
    largest = magnitude(dataset).max(axis=-1)
    largest = largest.max(axis=0) if largest.ndim > 1 else largest  # of all protocols
    # NaN is no value too large; it is named by the check for finite values.
    beyond = np.flatnonzero(largest > LARGEST_SPIN)
    if len(beyond):
        curve = dataset["curve"][beyond[0]].item()
        raise InputError(
            f"|M| of a simulated curve must be at most 1/2, but that of curve {curve} in {path} "
            f"reaches {largest[beyond[0]]:.3g} ({len(beyond)} such curves): they were changed. "
            f"{RESTORE}"
        )


def check_curves(
    path: Path,
    indices: npt.NDArray[np.integer],
    arrays: Mapping[str, npt.NDArray],
    noted: npt.NDArray[np.uint32],
    start: int,
) -> None:
    """Refuse curves that do not fit the checksums noted with them."""
    spoilt = indices[curve_checksums(indices, arrays, start) != noted]
    if len(spoilt):
        raise InputError(
            f"curves of a store must be as they were written, but curve {spoilt[0]} of {path} "
            f"does not fit its checksum ({len(spoilt)} such curves): a chunk was lost, changed, or "
            f"copied over another, or files of two stores were mixed. {RESTORE}"
        )


def check_unchanged(path: Path, noted: Any, dataset: xr.Dataset, keep_edited: str) -> None:
    """Refuse a saved data set that is not as it was written; warn of one that cannot tell.

    `noted` are the checksums in the file, if it has any; `keep_edited` says how one that was
    edited on purpose is used nevertheless.
    """
    if noted is None:
        warn_without_checksums(path)
        return
    found = dataset_checksums(dataset)
    known = noted if isinstance(noted, Mapping) else {}
    changed = [name for name in (*known, *found) if known.get(name) != found.get(name)]
    if changed:
        raise InputError(
            f"a saved data set must be as it was written, but in {path} {changed[0]} changed: it "
            "was damaged, or edited. Restore it from a copy; one that was edited on purpose "
            f"{keep_edited}."
        )


def warn_without_checksums(path: Path) -> None:
    """Say that damage to a data set cannot be noticed."""
    warnings.warn(
        f"a data set should have checksums, but {path} has none, as latent_nmr 0.1.0 wrote it "
        "or because they were removed: damage may go unnoticed. "
        "ln.save_echoes(ln.open_echoes(old), new) writes one that has them.",
        StoreWarning,
        stacklevel=_DEPTH,
    )


def warn_of_left_out(path: Path, is_left_out: npt.NDArray[np.bool_], n_curves: int) -> None:
    """Name the curves of a store that are not used because they are not marked as finished.

    Those beyond the flags, up to `n_curves`, are begun and have none.
    """
    rows = np.flatnonzero(is_left_out)
    spans = [(p[0], p[-1]) for p in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(p)]
    n_flags, n_left_out = len(is_left_out), len(rows)
    if n_curves > n_flags:
        n_left_out += n_curves - n_flags
        joins = bool(spans) and spans[-1][1] == n_flags - 1
        spans[len(spans) - joins :] = [(spans[-1][0] if joins else n_flags, n_curves - 1)]
    if n_left_out:
        warnings.warn(
            f"all curves of a store should be finished, but {n_left_out} of {n_curves} in "
            f"{path} are not and are left out (curves {_named(spans)}). The command that simulated "
            "it completes it.",
            StoreWarning,
            stacklevel=_DEPTH,
        )


def _named(spans: Sequence[tuple[int, int]], most: int = 3) -> str:
    """Spans of rows as text: "3, 16 to 31, …"."""
    named = [str(first) if first == last else f"{first} to {last}" for first, last in spans[:most]]
    return ", ".join([*named, "…"] if len(spans) > most else named)
