"""Echo data sets on disk: a zarr 3 group that can be appended to and survives being killed.

Data fill with NaN and a `done` flag per curve is written after its data, because a chunk
that was never written otherwise reads silently as zeros. One batch of curves is one chunk;
zarr renames finished chunks into place, so a killed writer loses at most the batch in hand.
A power cut may lose more: nothing is forced to the platter. `reading` reads what is written here.
"""

import errno
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from latent_nmr._files import sole_writer, staged_folder
from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr._progress import progress_bar
from latent_nmr.data._checksums import (
    CURVE_CHECKSUMS,
    check_attributes,
    curve_checksums,
)
from latent_nmr.data._guarded import damaged, guarded
from latent_nmr.data._recognise import SUFFIXES
from latent_nmr.data._store_layout import CHUNK, FLAGS, create_store
from latent_nmr.data.echoes import (
    ALL_SIGNALS,
    SIGNALS,
    assemble,
    label_rows,
    simulation_attributes,
)
from latent_nmr.data.reading import array_names, array_of, holds, open_group
from latent_nmr.errors import InputError, check_count
from latent_nmr.physics.devices import batch_size
from latent_nmr.physics.simulate import (
    SimulatedCurves,
    Simulation,
    draw_parameters,
    simulate_curves,
)

# Finished curves whose parameters are drawn again before a store is continued.
N_COMPARED = 8
# What the operating system says when a disk, a quota or a limit is full.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def simulate(
    preset: str = "paper",
    n_curves: int = 300,
    *,
    seed: int = 0,
    line_draw: str = "independent",
    n_edge: int | None = None,
    line_shape: str = "lorentzian",
    step: float | None = None,
    scheme: str = "averaged",
    dtype: str = "float32",
    with_mz: bool = False,
    flip_angle_deg: float | None = None,
) -> xr.Dataset:
    """Simulate a labelled echo data set in memory.

    Parameters
    ----------
    preset : str
        Published set whose distributions are used: `paper`, `challenge2021-gauss`,
        `challenge2021-rkky`, `challenge2021-spin` or `challenge2020`.
    n_curves : int
        Number of curves; a longer set extends a shorter one of the same seed.
    seed : int
        The one seed.
    line_draw, n_edge, line_shape, step, scheme, dtype, with_mz, flip_angle_deg
        As in `Simulation`.

    Returns
    -------
    xarray.Dataset
        `mx`, `my` (curve, time), dimensionless, with time in µs and labels per curve.

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
    n_curves = check_count("n_curves", n_curves)
    simulation = Simulation(
        preset=preset,
        seed=seed,
        line_draw=line_draw,
        n_edge=n_edge,
        line_shape=line_shape,
        step=step,
        scheme=scheme,
        dtype=dtype,
        with_mz=with_mz,
        flip_angle_deg=flip_angle_deg,
    )
    time = simulation.resolve().sequence.time
    parts = []
    with progress_bar(n_curves, "curve", delay=2) as bar:
        for rows in _batches(n_curves):
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
    check_count("n_curves", n_curves)
    check_store_name(path)
    with sole_writer(path):
        if not path.exists():
            with staged_folder(path) as staging:
                create_store(staging, simulation, n_curves)
        group = open_group(path, "r+")
        _check_same_settings(path, group, simulation)
        if array_of(group, "done").shape[0] < n_curves:
            # The flags last: a reader takes the number of curves from them.
            noted = [name for name in FLAGS if holds(group, name)]
            for name in (*array_names(group), *noted):
                array_of(group, name).resize((n_curves, *array_of(group, name).shape[1:]))
        done = guarded(path, lambda: np.asarray(array_of(group, "done")[:n_curves]))
        _check_same_curves(path, group, simulation, np.flatnonzero(done))
        yield int(done.sum())
        for rows in _batches(n_curves):
            missing = [row for row in rows if not done[row]]
            if missing:
                _write_or_explain(path, group, simulate_curves(simulation, missing), missing, done)
                done[missing] = True
                yield int(done.sum())
                stop_if_interrupted()


def check_store_name(path: Path) -> None:
    """Refuse a new store whose name says that it is a file of another format."""
    named = SUFFIXES.get(path.suffix.lower(), "zarr")
    if named != "zarr" and not path.exists():
        raise InputError(
            f"simulated curves must go into a zarr store, which can be continued, but {path} has "
            f"the name of another format ({named}). Simulate into {path.with_suffix('.zarr')}, and "
            f"write that to {path.name} with ln.save_echoes."
        )


def finished_curves(path: Path, simulation: Simulation, n_curves: int) -> int:
    """Of the first `n_curves`, those that the store at `path` holds; refuses other settings."""
    group = open_group(path)
    _check_same_settings(path, group, simulation)
    return guarded(path, lambda: int(np.asarray(array_of(group, "done")[:n_curves]).sum()))


def _batches(n_curves: int) -> list[range]:
    """Rows simulated together: whole chunks, enough of them to keep all devices busy."""
    size = -(-batch_size() // CHUNK) * CHUNK
    return [range(start, min(start + size, n_curves)) for start in range(0, n_curves, size)]


def _signals(curves: SimulatedCurves, *, with_mz: bool) -> dict[str, np.ndarray]:
    names = ALL_SIGNALS if with_mz else SIGNALS
    return {name: curves.signal[..., axis] for axis, name in enumerate(names)}


def _to_dataset(curves: SimulatedCurves, time: np.ndarray, simulation: Simulation) -> xr.Dataset:
    attributes = simulation_attributes(simulation)
    return assemble(
        _signals(curves, with_mz=simulation.with_mz), time, label_rows(curves), attributes
    )


def _write_or_explain(
    path: Path, group: zarr.Group, curves: SimulatedCurves, rows: list[int], done: np.ndarray
) -> None:
    """Write curves, turning a full disk into a message that says what is safe."""
    try:
        _write(group, curves, rows)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise InputError(
            f"{path} must fit on its disk, but there is no space for more than {int(done.sum())} "
            f"of {len(done)} curves ({error.strerror}). These stay readable. Free space and run "
            "the same command again."
        ) from error
    except (MemoryError, InputError):  # nothing is wrong with the files, or it is said already
        raise
    except Exception as error:
        raise damaged(path, error) from error


def _write(group: zarr.Group, curves: SimulatedCurves, rows: list[int]) -> None:
    """Write curves to their rows, flags last."""
    written = _signals(curves, with_mz=holds(group, "mz")) | label_rows(curves)
    if holds(group, CURVE_CHECKSUMS):  # a store of 0.1.0 has none
        written[CURVE_CHECKSUMS] = curve_checksums(np.array(rows), written)
    written["done"] = np.ones(len(rows), bool)
    for name, values in written.items():
        array_of(group, name).oindex[np.array(rows)] = values


def _check_same_settings(path: Path, group: zarr.Group, simulation: Simulation) -> None:
    """Refuse to continue a store that was made with other settings."""
    guarded(path, lambda: check_attributes(group, str(path)))
    wanted = simulation_attributes(simulation)
    # An older store does not say how its numbers were drawn; its curves themselves do.
    unsaid = {"package_version"} | ({"random_numbers"} - set(group.attrs))
    for name in (name for name in wanted if name not in unsaid):
        if group.attrs.get(name) != wanted[name]:
            raise InputError(
                f"a store must be continued with its own settings, but {path} has {name} = "
                f"{group.attrs.get(name)!r} and {wanted[name]!r} is asked for. "
                "Choose another path, or the store's setting."
            )


def _check_same_curves(
    path: Path, group: zarr.Group, simulation: Simulation, finished: np.ndarray
) -> None:
    """Refuse to continue a store whose seed gives other curves here than those that it holds.

    Labels have the same bits on every machine. Some are drawn again, the first and the last among
    them, since a store may have changed its ways whenever it was continued.
    """
    if not len(finished):
        return
    rows = finished[np.unique(np.linspace(0, len(finished) - 1, N_COMPARED).astype(int))]
    names = ("alpha_x", "alpha_z", "kernel_parameter")
    held = guarded(path, lambda: {n: np.asarray(array_of(group, n).oindex[rows]) for n in names})
    for place, drawn in enumerate(draw_parameters(simulation, rows.tolist())[1]):
        alpha_x, _, alpha_z = drawn.couplings
        for name, wanted in zip(names, (alpha_x, alpha_z, drawn.kernel_parameter), strict=True):
            if held[name][place] != wanted:
                raise InputError(
                    f"a store must be continued with the curves of its seed, but {name} of curve "
                    f"{rows[place]} in {path} is {held[name][place]:.6g} and seed "
                    f"{simulation.seed} gives {wanted:.6g}: it was begun under other settings of "
                    "JAX's random numbers, or changed. Choose another path."
                )
