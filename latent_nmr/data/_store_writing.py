"""Writing of simulated curves to their rows of a store, flags last."""

import errno
from pathlib import Path

import numpy as np
import zarr

from latent_nmr._environment import refuse_environment
from latent_nmr.data._checksums import CURVE_CHECKSUMS, curve_checksums, start_of_checksums
from latent_nmr.data._guarded import damaged
from latent_nmr.data._variables import ALL_SIGNALS, SIGNALS
from latent_nmr.data.echoes import label_rows
from latent_nmr.data.reading import array_of, holds
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import SimulatedCurves

# What the operating system says when a disk, a quota or a limit is full.
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def signals_of(curves: SimulatedCurves, *, with_mz: bool) -> dict[str, np.ndarray]:
    """Signals of curves by name, in the layout of a store."""
    names = ALL_SIGNALS if with_mz else SIGNALS
    return {name: curves.signal[..., axis] for axis, name in enumerate(names)}


def write_or_explain(
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
        refuse_environment(error)
        raise damaged(path, error) from error


def _write(group: zarr.Group, curves: SimulatedCurves, rows: list[int]) -> None:
    """Write curves to their rows, flags last."""
    written = signals_of(curves, with_mz=holds(group, "mz")) | label_rows(curves)
    if holds(group, CURVE_CHECKSUMS):  # a store of 0.1.0 has none
        start = start_of_checksums(group)
        written[CURVE_CHECKSUMS] = curve_checksums(np.array(rows), written, start)
    written["done"] = np.ones(len(rows), bool)
    for name, values in written.items():
        array_of(group, name).oindex[np.array(rows)] = values
