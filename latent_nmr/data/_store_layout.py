"""The layout of a store: its arrays, their chunks, fill values and checksums."""

from pathlib import Path
from typing import Any

import numpy as np
import zarr

from latent_nmr.data._checksums import (
    CHECKSUM_OF_ATTRIBUTES,
    COMPRESSORS,
    CURVE_CHECKSUMS,
    STARTS_AT,
    attribute_checksum,
)
from latent_nmr.data._variables import (
    ALL_SIGNALS,
    LABELS,
    PER_CURVE,
    PLACES,
    QUALITIES,
    SIGNALS,
)
from latent_nmr.data.echoes import simulation_attributes
from latent_nmr.data.protocols import PROTOCOL
from latent_nmr.physics.simulate import Simulation, draw_parameters

# Curves in one chunk of a small store; on a CPU, as many are simulated at once.
CHUNK = 16
# A large store has larger chunks, since each is a file in every array: of more curves than this
# many chunks hold they are doubled, up to a size that is rewritten in no time after each batch.
MOST_CHUNKS, LARGEST_CHUNK = 1024, 512
# What a store notes of each curve beside its signals and labels, written in this order.
FLAGS = {
    CURVE_CHECKSUMS: (np.uint32, "CRC-32 of this curve's index, signals and labels"),
    "done": (np.bool_, "this curve's data are complete"),
}


def new_chunk(n_curves: int) -> int:
    """Curves in one chunk of a new store of `n_curves`."""
    chunk = CHUNK
    while chunk < LARGEST_CHUNK and n_curves > MOST_CHUNKS * chunk:
        chunk *= 2
    return chunk


def create_store(path: Path, simulation: Simulation, n_curves: int) -> None:
    """Write an empty store: attributes, time, and arrays without data."""
    chunk = new_chunk(n_curves)
    sequences = simulation.resolve().sequences
    time, n_protocols = sequences[0].time, len(sequences)
    # Curves first, although data sets have protocols first: chunks and growth are along curves.
    shape, dims = (n_curves, n_protocols, len(time)), ("curve", PROTOCOL, "time")
    if n_protocols == 1:
        shape, dims = (n_curves, len(time)), ("curve", "time")
    attributes: dict[str, Any] = simulation_attributes(simulation)
    noted = {CHECKSUM_OF_ATTRIBUTES: attribute_checksum(attributes)}
    group = zarr.open_group(path, mode="w", attributes=attributes | noted)

    def create(name: str, dims: tuple[str, ...], about: dict[str, Any], **settings: Any) -> None:
        group.create_array(
            name, dimension_names=dims, attributes=about, compressors=COMPRESSORS, **settings
        )

    create("time", ("time",), {"units": "µs"}, data=time)
    for name, title in (ALL_SIGNALS if simulation.with_mz else SIGNALS).items():
        of_signal = {"dtype": "float32", "fill_value": np.nan, "chunks": (chunk, *shape[1:])}
        create(name, dims, {"units": "1", "long_name": title}, shape=shape, **of_signal)
    per_curve = {"shape": (n_curves,), "chunks": (chunk,)}
    own = [f"challenge_{name}" for name, _ in draw_parameters(simulation, [0])[1][0].challenge]
    quality = QUALITIES if simulation.has_tolerance else ()
    for name in (*LABELS, *own, *quality, *(PLACES if simulation.repeats > 1 else ())):
        unit, title = PER_CURVE[name]
        kind, empty = (str, "") if name == "kernel" else ("float64", np.nan)
        kind, empty = ("int64", -1) if name in PLACES else (kind, empty)
        about = {"units": unit, "long_name": title}
        create(name, ("curve",), about, dtype=kind, fill_value=empty, **per_curve)
    for name, (kind, title) in FLAGS.items():
        about = {"long_name": title}
        about |= {STARTS_AT: CHECKSUM_OF_ATTRIBUTES} if name == CURVE_CHECKSUMS else {}
        create(name, ("curve",), about, dtype=kind, fill_value=kind(0), **per_curve)
