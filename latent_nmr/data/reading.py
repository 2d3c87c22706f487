"""Echo data sets from disk: whole, or block by block where they do not fit in memory.

A store's flags, times and labels are read at once, about 100 bytes per curve; its signals, which
are a hundred times that, as they are asked for. A compact set is small by design and is held.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr

from latent_nmr._environment import refuse_environment, settings_hint
from latent_nmr._regular import regular
from latent_nmr.data._checksums import (
    CHECKSUM_OF_ATTRIBUTES,
    CURVE_CHECKSUMS,
    check_attributes,
    start_of_checksums,
)
from latent_nmr.data._contents import check_read
from latent_nmr.data._guarded import RegularFiles, guarded, unreadable, values_of
from latent_nmr.data._hashing import hash_variables
from latent_nmr.data._store_checks import (
    check_curves,
    check_lengths,
    check_simulated_times,
    check_spins,
    warn_of_left_out,
    warn_without_checksums,
)
from latent_nmr.data._texts import plain_text
from latent_nmr.data._variables import ALL_SIGNALS, LABELS, MATERIAL, PER_CURVE, PLACES, SIGNALS
from latent_nmr.data.echoes import FORMAT, FORMAT_VERSION, assemble, fingerprinted_names
from latent_nmr.data.labels import labelled_fingerprint, materials_of
from latent_nmr.data.protocols import n_protocols
from latent_nmr.errors import InputError, check_count

# The attribute of a store that `save_echoes` wrote, which `simulate` does not continue.
SAVED_MARK = "latent_nmr_saved"

# Curves read at a time: 15 MB of signals at 1882 samples. Models encode rows in pieces of 512, so
# that a multiple of it gives each curve the neighbours, and the bits, that it has in the whole set.
BLOCK = 1024


class StoredEchoes:
    """Finished curves of a store, read when they are asked for.

    Parameters
    ----------
    path : Path
        Folder of a zarr store.
    n_curves : int, optional
        Number of curves to read, from the first.

    Attributes
    ----------
    n_curves : int
        Finished curves that are used; what finishes later is not seen.
    """

    def __init__(self, path: Path, n_curves: int | None = None):
        self._path = path
        self._group = open_group(path)
        self._attributes = self._guarded(lambda: check_attributes(self._group, str(path)))
        n_begun = check_arrays(path, self._group)
        done = self._values("done")
        finished = np.flatnonzero(done)
        self._wanted = finished if n_curves is None else finished[:n_curves]
        self._time = self._values("time")
        self._guarded(lambda: check_simulated_times(path, self._time, self._attributes))
        self.n_curves = len(self._wanted)
        if n_curves is not None and self.n_curves < check_count("n_curves", n_curves):
            raise InputError(
                f"n_curves must be at most the number of finished curves, but is {n_curves} and "
                f"{path} has {self.n_curves}. Extend it with latent-nmr simulate."
            )
        # Asked for a number of curves, only those before the last of them can be missed.
        n_looked_at = n_begun if n_curves is None else int(self._wanted[-1]) + 1
        if self.n_curves:  # a store without a finished curve is refused when it is read
            warn_of_left_out(path, ~done[:n_looked_at], n_looked_at)
        self._has_checksums = CHECKSUM_OF_ATTRIBUTES in self._group.attrs
        if not self._has_checksums:
            warn_without_checksums(path)

    def rows(self, start: int, stop: int) -> xr.Dataset:
        """Curves `start` to `stop` of the finished ones, checked."""
        signals = {
            name: self._read(name, start, stop)
            for name in array_names(self._group)
            if name in ALL_SIGNALS
        }
        labels = {name: values[start:stop] for name, values in self._labels.items()}
        indices = self._wanted[start:stop]
        # Guarded, for arrays whose lengths do not fit together.
        dataset = self._guarded(
            lambda: assemble(signals, self._time, labels, self._attributes).assign_coords(
                curve=indices
            )
        )
        dataset = check_read(dataset, str(self._path))
        check_spins(self._path, dataset)
        if self._has_checksums:
            noted = self._read(CURVE_CHECKSUMS, start, stop)
            start_crc = self._guarded(lambda: start_of_checksums(self._group))
            check_curves(self._path, indices, signals | labels, noted, start_crc)
        return dataset

    def blocks(self, rows_per_block: int = BLOCK) -> Iterator[xr.Dataset]:
        """All curves in order, `rows_per_block` at a time."""
        check_count("rows_per_block", rows_per_block)
        # An empty store has one block, of no curves, which is refused.
        for start in range(0, max(self.n_curves, 1), rows_per_block):
            yield self.rows(start, min(start + rows_per_block, self.n_curves))

    def fingerprint(
        self, rows_per_block: int = BLOCK, on_read: Callable[[int], object] | None = None
    ) -> str:
        """`latent_nmr.data.echoes.fingerprint` of all curves; reads each signal once.

        `on_read` is called with the number of bytes of signal, each time some were read.
        """

        def blocks_of(name: str) -> Iterator[np.ndarray]:
            if name == "time":
                yield self._time
            elif name in self._labels:
                yield self._labels[name]
            else:
                for start in range(0, self.n_curves, rows_per_block):
                    block = self._read(name, start, min(start + rows_per_block, self.n_curves))
                    yield block
                    if on_read is not None:
                        on_read(block.nbytes)

        names = fingerprinted_names([*array_names(self._group), "time"])
        return hash_variables((name, blocks_of(name)) for name in names)

    def materials(self) -> npt.NDArray | None:
        """Material of every curve, where the store says so."""
        return self._labels.get(MATERIAL)

    @cached_property
    def _labels(self) -> dict[str, np.ndarray]:
        """Labels of all wanted curves; refuses a store that has lost one."""
        names = [name for name in array_names(self._group) if name in PER_CURVE]
        labels = {name: self._read(name, 0, self.n_curves) for name in names}
        for name, values in labels.items():
            lost = values == "" if name == "kernel" else ~np.isfinite(values)
            lost = values < 0 if name in PLACES else lost
            if np.any(lost):
                curve = int(self._wanted[np.flatnonzero(lost)[0]])
                raise InputError(
                    f"data must be a complete store, but {self._path} has lost {name} of curve "
                    f"{curve}, which is marked as finished. Simulate it again under another name."
                )
        return labels

    def _values(self, name: str) -> npt.NDArray:
        """All values of an array."""
        return self._guarded(lambda: values_of(array_of(self._group, name)))

    def _read(self, name: str, start: int, stop: int) -> npt.NDArray:
        """Values of an array for the wanted curves `start` to `stop`."""
        curves = self._wanted[start:stop]

        def read():
            array = array_of(self._group, name)
            if not len(curves):
                return values_of(array, slice(0))
            first, last = int(curves[0]), int(curves[-1])
            # A range is read faster than a list of rows.
            if last - first + 1 == len(curves):
                return values_of(array, slice(first, last + 1))
            return values_of(array, curves)

        values = self._guarded(read)
        return plain_text(values) if values.dtype.kind in "OT" else values

    def _guarded(self, read: Callable):
        return guarded(self._path, read)


class HeldEchoes:
    """A data set in memory, with the methods of `StoredEchoes`."""

    def __init__(self, dataset: xr.Dataset):
        self._dataset = dataset
        self.n_curves = dataset.sizes["curve"]

    def rows(self, start: int, stop: int) -> xr.Dataset:
        """Curves `start` to `stop`."""
        return self._dataset.isel(curve=slice(start, stop))

    def blocks(self, rows_per_block: int = BLOCK) -> Iterator[xr.Dataset]:
        """All curves in order, `rows_per_block` at a time."""
        check_count("rows_per_block", rows_per_block)
        for start in range(0, self.n_curves, rows_per_block):
            yield self._dataset.isel(curve=slice(start, start + rows_per_block))

    def fingerprint(self, rows_per_block: int = BLOCK, on_read: Callable | None = None) -> str:  # noqa: ARG002
        """`latent_nmr.data.labels.labelled_fingerprint` of all curves."""
        return labelled_fingerprint(self._dataset)

    def materials(self) -> npt.NDArray | None:
        """Material of every curve, where the data set says so."""
        return materials_of(self._dataset)


def open_group(path: Path, mode: Literal["r", "r+"] = "r") -> zarr.Group:
    """Open a store that `simulate` wrote, or raise `InputError` saying what is wrong with it."""
    group = open_any_group(path, mode)
    if SAVED_MARK in group.attrs:
        raise InputError(
            f"a store must have been made by simulation to be continued, but {path} was written by "
            "save_echoes: its curves may have been changed. Choose another path."
        )
    found = group.attrs.get("format"), group.attrs.get("format_version")
    if found != (FORMAT, FORMAT_VERSION):
        raise InputError(
            f"data must have the format {FORMAT!r}, version {FORMAT_VERSION}, but {path} says "
            f"{found[0]!r}, version {found[1]!r}. Give a store that latent-nmr simulate made, or "
            "write one with ln.save_echoes."
        )
    return group


def open_any_group(path: Path, mode: Literal["r", "r+"] = "r") -> zarr.Group:
    """Open a zarr group whose attributes can be read, or raise `InputError`."""
    if not regular(path).exists():
        raise InputError(
            f"data must be an existing zarr store, but there is nothing at {path}. "
            "Make it with latent-nmr simulate."
        )
    try:
        group = zarr.open_group(RegularFiles(path), mode=mode)
        dict(group.attrs)
    except InputError:
        raise
    except PermissionError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # zarr raises many kinds for files that are not its own
        refuse_environment(error)
        raise InputError(
            f"data must be a zarr store written by latent_nmr, but {path} cannot be read as one "
            f"({type(error).__name__}). Give the folder that latent-nmr simulate made."
            + settings_hint("ZARR_")
        ) from error
    return group


def array_names(group: zarr.Group) -> list[str]:
    """Signals and labels that a store holds; those that every store must hold are always named."""
    optional = [name for name in (*ALL_SIGNALS, *PER_CURVE) if holds(group, name)]
    return list(dict.fromkeys([*SIGNALS, *LABELS, *optional]))


def check_arrays(path: Path, group: zarr.Group) -> int:
    """Refuse a store whose arrays do not fit together; returns the curves that it was begun for."""
    # Flags first: they are lengthened last, and this may happen now.
    noted = ["done", *(name for name in [CURVE_CHECKSUMS] if holds(group, name))]
    names = [*noted, "time", *array_names(group)]
    arrays = {name: array_of(group, name) for name in names}
    return check_lengths(path, arrays, n_protocols(group.attrs))


def holds(group: zarr.Group, name: str) -> bool:
    """Whether a store has a member `name`."""
    return _member(group, name) is not None


def array_of(group: zarr.Group, name: str) -> zarr.Array:
    """Return the array `name` of a store, or raise."""
    member = _member(group, name)
    if not isinstance(member, zarr.Array):
        raise InputError(
            f"a store must hold the array {name}, but {_place(group)} does not. "
            "Simulate it again under another name."
        )
    return member


def _member(group: zarr.Group, name: str) -> zarr.Array | zarr.Group | None:
    """Return a member of a store, or None; one whose description cannot be read is damage."""
    return guarded(_place(group), lambda: group.get(name))


def _place(group: zarr.Group) -> str:
    """Path of a store, as users give it."""
    return str(group.store_path).removeprefix("file://")
