"""Echo data sets on disk: a zarr 3 group that can be appended to and survives being killed.

Data fill with NaN and a `done` flag per curve is written after its data, because a chunk
that was never written otherwise reads silently as zeros. One batch of curves is one chunk;
zarr renames finished chunks into place, so a killed writer loses at most the batch in hand.
A power cut may lose more: nothing is forced to the platter.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
import zarr
from tqdm.auto import tqdm

from latent_nmr._files import sole_writer, staged_folder
from latent_nmr.data.echoes import (
    FORMAT,
    FORMAT_VERSION,
    LABELS,
    SIGNALS,
    assemble,
    check_echoes,
    label_rows,
    simulation_attributes,
)
from latent_nmr.errors import InputError, check_count
from latent_nmr.physics.simulate import SimulatedCurves, Simulation, simulate_curves

BATCH_SIZE = 16


def simulate(
    preset: str = "paper", n_curves: int = 300, *, seed: int = 0, **settings: Any
) -> xr.Dataset:
    """Simulate a labelled echo data set in memory.

    Parameters
    ----------
    preset : str
        Published set whose distributions are used: `paper`.
    n_curves : int
        Number of curves; a longer set extends a shorter one of the same seed.
    seed : int
        The one seed.
    **settings
        Further fields of `latent_nmr.physics.simulate.Simulation`: `line_draw`, `n_edge`,
        `step`, `scheme`, `dtype`.

    Returns
    -------
    xarray.Dataset
        `mx`, `my` (curve, time), dimensionless, with time in µs and labels per curve.
    """
    n_curves = check_count("n_curves", n_curves)
    simulation = make_simulation(preset=preset, seed=seed, **settings)
    time = simulation.resolve().sequence.time
    parts = []
    with tqdm(total=n_curves, unit="curve", delay=2, disable=None) as bar:
        for rows in _batches(n_curves, BATCH_SIZE):
            parts.append(_to_dataset(simulate_curves(simulation, rows), time, simulation))
            bar.update(min(len(rows), n_curves - bar.n))
    dataset = xr.concat(parts, "curve", combine_attrs="override").isel(curve=slice(n_curves))
    return dataset.assign_coords(curve=np.arange(n_curves))


def make_simulation(**settings: Any) -> Simulation:
    """Build a `Simulation`, turning an unknown setting into an `InputError` that names it."""
    known = Simulation.__dataclass_fields__
    for name in settings:
        if name not in known:
            raise InputError(
                f"settings must be among {', '.join(known)}, but {name!r} is given. Remove it."
            )
    return Simulation(**settings)


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
        written by another process.
    """
    check_count("n_curves", n_curves)
    with sole_writer(path):
        if not path.exists():
            with staged_folder(path) as staging:
                _create(staging, simulation, n_curves)
        group = open_group(path, "r+")
        _check_same_settings(path, group, simulation)
        if _array(group, "done").shape[0] < n_curves:
            # The flags last: a reader takes the number of curves from them.
            for name in (*SIGNALS, *LABELS, "done"):
                _array(group, name).resize((n_curves, *_array(group, name).shape[1:]))
        done = np.asarray(_array(group, "done")[:n_curves])
        yield int(done.sum())
        for rows in _batches(n_curves, _array(group, "done").chunks[0]):
            inside = [row for row in rows if row < n_curves]
            if not done[inside].all():
                _write(group, simulate_curves(simulation, rows), inside)
                done[inside] = True
                yield int(done.sum())


def open_group(path: Path, mode: Literal["r", "r+"] = "r") -> zarr.Group:
    """Open a store of ours, or raise `InputError` saying what is wrong with it."""
    if not path.exists():
        raise InputError(
            f"data must be an existing zarr store, but there is nothing at {path}. "
            f"Make it with: latent-nmr simulate --out {path}"
        )
    try:
        group = zarr.open_group(path, mode=mode)
        found = group.attrs.get("format"), group.attrs.get("format_version")
    except Exception as error:  # zarr raises many kinds for files that are not its own
        raise InputError(
            f"data must be a zarr store written by latent-nmr, but {path} cannot be read as one "
            f"({type(error).__name__}). Give the folder that latent-nmr simulate made."
        ) from error
    if found != (FORMAT, FORMAT_VERSION):
        raise InputError(
            f"data must have the format {FORMAT!r}, version {FORMAT_VERSION}, but {path} says "
            f"{found[0]!r}, version {found[1]!r}. Give a store that latent-nmr simulate made."
        )
    return group


def load_echoes(path: Path | str, n_curves: int | None = None) -> xr.Dataset:
    """Read the finished curves of a store.

    Parameters
    ----------
    path : path-like
    n_curves : int, optional
        Use only the first so many.

    Returns
    -------
    xarray.Dataset
        In memory, checked; `curve` holds each curve's index in the store.

    Raises
    ------
    InputError
        If there is no store of ours, it has too few finished curves, or a value is not finite.
    """
    path = Path(path)
    group = open_group(path)
    try:
        finished = np.flatnonzero(_array(group, "done")[:])
        wanted = finished if n_curves is None else finished[:n_curves]
        stop = int(wanted[-1]) + 1 if len(wanted) else 0
        read = {
            name: np.asarray(_array(group, name)[:stop])[wanted] for name in (*SIGNALS, *LABELS)
        }
        time = np.asarray(_array(group, "time")[:])
    except Exception as error:
        raise InputError(
            f"data must be a whole store, but {path} is damaged ({type(error).__name__}: {error}). "
            "Simulate it anew under another name."
        ) from error
    if n_curves is not None and len(wanted) < check_count("n_curves", n_curves):
        raise InputError(
            f"n_curves must be at most the number of finished curves, but is {n_curves} and {path} "
            f"has {len(wanted)}. Extend it with: latent-nmr simulate --out {path}"
        )
    labels = {name: read[name] for name in LABELS}
    dataset = assemble({name: read[name] for name in SIGNALS}, time, labels, dict(group.attrs))
    return check_echoes(dataset.assign_coords(curve=wanted), str(path))


def _batches(n_curves: int, batch_size: int) -> list[range]:
    """Rows of each batch. The last one is as long as the others, so that it computes alike."""
    return [range(start, start + batch_size) for start in range(0, n_curves, batch_size)]


def _to_dataset(curves: SimulatedCurves, time: np.ndarray, simulation: Simulation) -> xr.Dataset:
    signals = {"mx": curves.signal[..., 0], "my": curves.signal[..., 1]}
    return assemble(signals, time, label_rows(curves), simulation_attributes(simulation))


def _create(path: Path, simulation: Simulation, n_curves: int) -> None:
    """Write an empty store: attributes, time, and arrays without data."""
    time = simulation.resolve().sequence.time
    group = zarr.open_group(path, mode="w", attributes=simulation_attributes(simulation))
    group.create_array("time", data=time, dimension_names=("time",), attributes={"units": "µs"})
    for name, title in SIGNALS.items():
        group.create_array(
            name,
            shape=(n_curves, len(time)),
            chunks=(BATCH_SIZE, len(time)),
            dtype="float32",
            fill_value=np.nan,
            dimension_names=("curve", "time"),
            attributes={"units": "1", "long_name": title},
        )
    for name, (unit, title) in LABELS.items():
        is_text = name == "kernel"
        group.create_array(
            name,
            shape=(n_curves,),
            chunks=(BATCH_SIZE,),
            dtype=str if is_text else "float64",
            fill_value="" if is_text else np.nan,
            dimension_names=("curve",),
            attributes={"units": unit, "long_name": title},
        )
    group.create_array(
        "done",
        shape=(n_curves,),
        chunks=(BATCH_SIZE,),
        dtype=bool,
        fill_value=False,
        dimension_names=("curve",),
        attributes={"long_name": "this curve's data are complete"},
    )


def _write(group: zarr.Group, curves: SimulatedCurves, rows: list[int]) -> None:
    """Write a batch of curves (those of its `rows` that the store holds), flags last."""
    kept, place = slice(0, len(rows)), slice(rows[0], rows[-1] + 1)
    _array(group, "mx")[place] = curves.signal[kept, :, 0].astype(np.float32)
    _array(group, "my")[place] = curves.signal[kept, :, 1].astype(np.float32)
    for name, values in label_rows(curves).items():
        _array(group, name)[place] = values[kept]
    _array(group, "done")[place] = np.ones(len(rows), bool)


def _array(group: zarr.Group, name: str) -> zarr.Array:
    member = group.get(name)
    if not isinstance(member, zarr.Array):
        raise InputError(
            f"a store must hold the array {name}, but {group.store_path} does not. "
            "Simulate it anew under another name."
        )
    return member


def _check_same_settings(path: Path, group: zarr.Group, simulation: Simulation) -> None:
    """Refuse to continue a store that was made with other settings."""
    wanted = simulation_attributes(simulation)
    for name in asdict(simulation):
        if group.attrs.get(name) != wanted[name]:
            raise InputError(
                f"a store must be continued with its own settings, but {path} has {name} = "
                f"{group.attrs.get(name)!r} and {wanted[name]!r} is asked for. "
                "Choose another path, or the store's setting."
            )
