"""Echo data sets on disk: a zarr 3 group that can be appended to and survives being killed.

Data fill with NaN and a `done` flag per curve is written after its data, because a chunk
that was never written otherwise reads silently as zeros. zarr renames chunks into place, also
those that a batch of curves only adds to, so a killed writer loses at most the batch in hand.
A power cut may lose more: nothing is forced to the platter. `reading` reads what is written here.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr

from latent_nmr._files import staged_folder
from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr._locks import InUseError, locked_spans, one_of_several_writers, sole_writer
from latent_nmr._progress import progress_bar
from latent_nmr.data._formats import check_store_name
from latent_nmr.data._guarded import guarded
from latent_nmr.data._same_store import check_same_curves, check_same_settings
from latent_nmr.data._store_layout import CHUNK, FLAGS, create_store, new_chunk
from latent_nmr.data._store_writing import signals_of, write_or_explain
from latent_nmr.data.echoes import assemble, label_rows, simulation_attributes
from latent_nmr.data.parts import check_whole_chunks
from latent_nmr.data.reading import array_names, array_of, check_arrays, holds, open_group
from latent_nmr.physics.devices import batch_size
from latent_nmr.physics.simulate import SimulatedCurves, Simulation, simulate_curves

# Seconds that a process waits for another to create or lengthen a store that both write, and for
# one that has just done it, or removes the file of its lock, to let go of the lock.
PATIENCE, BRIEF_PATIENCE = 30.0, 3.0


def simulate(
    preset: str = "paper",
    n_curves: int = 300,
    *,
    seed: int = 0,
    line_draw: str = "independent",
    n_edge: int | None = None,
    line_shape: str = "lorentzian",
    fwhm: float | None = None,
    tolerance: float = 1e-3,
    step: float | None = None,
    scheme: str = "averaged",
    dtype: str = "float32",
    with_mz: bool = False,
    flip_angle_deg: float | None = None,
    relaxation_rate: float = 0.0,
    equilibrium_mz: float = 0.0,
    repeats: int = 1,
    protocols: Any = None,
    offsets: str = "same",
) -> xr.Dataset:
    """Simulate a labelled echo data set in memory.

    Parameters
    ----------
    preset : str
        Published set whose distributions are used: `paper`, `challenge2021-gauss`,
        `challenge2021-rkky`, `challenge2021-spin` or `challenge2020`; or that of the paper with
        other pulses: `paper-60`, and `paper-pair` with 60° and 120°.
    n_curves : int
        Number of curves, of all materials and repeats together; a longer set extends a shorter one
        of the same seed.
    seed : int
        The one seed.
    line_draw, n_edge, line_shape, fwhm, tolerance, step, scheme, dtype, with_mz
        As in `Simulation`.
    flip_angle_deg, relaxation_rate, equilibrium_mz
        As in `Simulation`.
    repeats : int
        K curves of each material, one after another: the same parameters, fresh offsets ν. The
        coordinates `material` and `repeat` say which is which; `n_curves` must be a multiple of K.
    protocols : sequence of float, of pairs, or of Protocol, or str, optional
        Several echoes of each material: pulse angles in degrees, such as [60, 120], pairs with τ in
        µs, such as [(90, 100), (90, 50)], or "90:100 90:50". Signals then have the dimensions
        (protocol, curve, time), and coordinates along `protocol` its name, `flip_angle` and `tau`.
    offsets : {"same", "fresh"}
        Whether protocols share the offsets ν of a curve.

    Returns
    -------
    xarray.Dataset
        `mx`, `my` (curve, time), dimensionless, with time in µs and labels per curve; for several
        protocols (protocol, curve, time).

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=3, seed=7, n_edge=8)
    >>> dict(ds.sizes)
    {'curve': 3, 'time': 1882}
    >>> ds.kernel.values.tolist()
    ['gaussian', 'power', 'rkky']
    >>> round(float(abs(ds.my[0, 0])), 3)
    0.5
    """
    simulation = Simulation(
        preset=preset,
        seed=seed,
        line_draw=line_draw,
        n_edge=n_edge,
        line_shape=line_shape,
        fwhm=fwhm,
        tolerance=tolerance,
        step=step,
        scheme=scheme,
        dtype=dtype,
        with_mz=with_mz,
        flip_angle_deg=flip_angle_deg,
        relaxation_rate=relaxation_rate,
        equilibrium_mz=equilibrium_mz,
        repeats=repeats,
        protocols=protocols,
        offsets=offsets,
    )
    n_curves = simulation.check_curves(n_curves)
    time = simulation.resolve().sequence.time
    parts = []
    with progress_bar(n_curves, "curve", delay=2) as bar:
        for rows in _batches(range(n_curves)):
            parts.append(_to_dataset(simulate_curves(simulation, rows), time, simulation))
            bar.update(len(rows))
            stop_if_interrupted()
    dataset = xr.concat(parts, "curve", combine_attrs="override")
    return dataset.assign_coords(curve=np.arange(n_curves))


def fill_store(path: Path, simulation: Simulation, n_curves: int) -> Iterator[int]:
    """Simulate what a store still lacks; yields the number of finished curves as it grows.

    A new store is created, an interrupted one continued, a shorter one extended.

    Parameters
    ----------
    path : Path
        Folder of the store, usually ending in `.zarr`.
    simulation : Simulation
    n_curves : int
        Curves the store shall hold; one that holds more is left as it is.

    Raises
    ------
    InputError
        If `path` holds something else, or a store made with other settings, or is being
        written by another process; if a new one would have the suffix of another format.
    """
    simulation.check_curves(n_curves)
    check_store_name(path)
    with sole_writer(path), locked_spans(path, [range(n_curves)]):
        _make_or_lengthen(path, simulation, n_curves)
        yield from _fill(path, simulation, [range(n_curves)], n_curves)


def fill_part(
    path: Path, simulation: Simulation, n_curves: int, rows: Sequence[range]
) -> Iterator[int]:
    """Simulate some of the curves that a store lacks, while other processes simulate others.

    The first process creates or lengthens the store; the others wait for it.

    Parameters
    ----------
    path : Path
    simulation : Simulation
    n_curves : int
        Curves the whole store shall hold; every process gives the same number.
    rows : sequence of range
        The part: each range begins with a chunk, and ends with one or with the store.

    Yields
    ------
    int
        Finished curves of the part.

    Raises
    ------
    InputError
        As :func:`fill_store` does, and if another process writes some of the part.
    """
    simulation.check_curves(n_curves)
    prepare_store(path, simulation, n_curves)
    check_whole_chunks(rows, n_curves, store_chunk(path, n_curves))
    with contextlib.ExitStack() as locks:
        _soon(lambda: locks.enter_context(one_of_several_writers(path)))
        locks.enter_context(locked_spans(path, filter(len, rows)))
        yield from _fill(path, simulation, rows, n_curves)


def prepare_store(path: Path, simulation: Simulation, n_curves: int) -> None:
    """Create a store or lengthen it to `n_curves`, unless another process does it meanwhile.

    Raises
    ------
    InputError
        As :func:`fill_store` does.
    """
    check_store_name(path)
    deadline = monotonic() + PATIENCE
    while not path.exists() or store_length(path) < n_curves:
        try:
            with sole_writer(path):
                _make_or_lengthen(path, simulation, n_curves)
        except InUseError:
            if monotonic() > deadline:
                raise
            sleep(0.1)
    check_same_settings(path, open_group(path), simulation)


def _soon(take_lock: Callable[[], Any]) -> None:
    """Take a lock that another process may hold for a moment."""
    deadline = monotonic() + BRIEF_PATIENCE
    while True:
        try:
            take_lock()
            return
        except InUseError:
            if monotonic() > deadline:
                raise
            sleep(0.02)


def finished_flags(path: Path, rows: Sequence[range] | None = None) -> npt.NDArray[np.bool_]:
    """Whether each of some curves of a store, or of all, is finished; refuses other files."""
    done = _flags_of(path)
    wanted = [range(done.shape[0])] if rows is None else rows
    return guarded(path, lambda: _flags(done, wanted))


def _flags(done: zarr.Array, rows: Sequence[range]) -> npt.NDArray[np.bool_]:
    parts = [np.asarray(done[span.start : span.stop], bool) for span in rows]
    return np.concatenate(parts) if parts else np.empty(0, bool)


def store_length(path: Path) -> int:
    """Curves that a store has room for."""
    return _flags_of(path).shape[0]


def store_chunk(path: Path, n_curves: int) -> int:
    """Curves in a chunk of a store; of a new one of `n_curves`, if there is none."""
    return _flags_of(path).chunks[0] if path.exists() else new_chunk(n_curves)


def _flags_of(path: Path) -> zarr.Array:
    """The flags of a store, which say how many curves it and its chunks hold."""
    group = open_group(path)
    check_arrays(path, group)
    return array_of(group, "done")


def _make_or_lengthen(path: Path, simulation: Simulation, n_curves: int) -> None:
    """Create a store, or give it room for `n_curves`; the caller holds its lock."""
    if not path.exists():
        with staged_folder(path) as staging:
            create_store(staging, simulation, n_curves)
    group = open_group(path, "r+")
    check_same_settings(path, group, simulation)
    check_arrays(path, group)  # before they are lengthened, which would hide what is missing
    if array_of(group, "done").shape[0] < n_curves:
        # The flags last: a reader takes the number of curves from them.
        noted = [name for name in FLAGS if holds(group, name)]
        for name in (*array_names(group), *noted):
            array_of(group, name).resize((n_curves, *array_of(group, name).shape[1:]))


def _fill(
    path: Path, simulation: Simulation, rows: Sequence[range], n_curves: int
) -> Iterator[int]:
    """Simulate what a store lacks of some rows, a batch at a time; yields how many are finished."""
    group = open_group(path, "r+")
    check_same_settings(path, group, simulation)
    check_arrays(path, group)
    wanted = np.concatenate([np.arange(span.start, span.stop) for span in rows])
    done = np.zeros(n_curves, bool)
    done[wanted] = guarded(path, lambda: _flags(array_of(group, "done"), rows))
    check_same_curves(path, group, simulation, np.flatnonzero(done))
    yield int(done.sum())
    for batch in (batch for span in rows for batch in _batches(span)):
        missing = [row for row in batch if not done[row]]
        if missing:
            write_or_explain(path, group, simulate_curves(simulation, missing), missing, done)
            done[missing] = True
            yield int(done.sum())
            stop_if_interrupted()


def finished_curves(path: Path, simulation: Simulation, rows: range) -> int:
    """Of the given curves, those that the store at `path` holds; refuses other settings."""
    group = open_group(path)
    check_same_settings(path, group, simulation)
    check_arrays(path, group)
    return guarded(path, lambda: int(_flags(array_of(group, "done"), [rows]).sum()))


def _batches(rows: range) -> list[range]:
    """Rows simulated together: enough of them to keep all devices busy."""
    size = -(-batch_size() // CHUNK) * CHUNK
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _to_dataset(curves: SimulatedCurves, time: np.ndarray, simulation: Simulation) -> xr.Dataset:
    attributes = simulation_attributes(simulation)
    return assemble(
        signals_of(curves, with_mz=simulation.with_mz), time, label_rows(curves), attributes
    )
