"""Progress of a training in a file, so that it survives `kill -9` and continues to the same bits.

One safetensors file, replaced as a whole: weights, Adam's moments, best weights; in its header
the history and what is being trained (a hash of problem and data). Reading it executes nothing.
"""

import hashlib
import json
import time
import warnings
from dataclasses import replace
from os import PathLike
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from latent_nmr._files import staged_file
from latent_nmr._regular import regular
from latent_nmr.errors import InputError
from latent_nmr.models.schedule import EpochRecord
from latent_nmr.models.training import Problem, Progress

FORMAT = "latent_nmr.progress"
SECONDS_BETWEEN = 5.0


class Checkpoint:
    """Keeps the progress of one training in the file `path`.

    Parameters
    ----------
    path : Path
    identity : str
        Of problem and data, from :func:`identity_of`; progress of another is not taken up.
    seconds_between : float
        Least time between two writes; the last epoch is always written.
    """

    def __init__(self, path: Path, identity: str, seconds_between: float = SECONDS_BETWEEN):
        self.path = Path(path)
        self.identity = identity
        self.seconds_between = seconds_between
        self._written = time.monotonic()

    def restore(self, start: Progress) -> Progress:
        """Progress that the file holds, or `start` if it holds none of this training."""
        try:
            with safetensors.safe_open(regular(self.path), "numpy") as file:
                header = file.metadata() or {}
                if (header.get("format"), header.get("identity")) != (FORMAT, self.identity):
                    return start
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            history = tuple(_record(entry) for entry in json.loads(header["history"]))
            return replace(
                _filled(start, arrays), history=history, best_epoch=int(header["best_epoch"])
            )
        # A file that is missing, cut short or not ours holds no progress.
        except (OSError, ValueError, TypeError, KeyError, safetensors.SafetensorError):
            return start

    def keep(self, progress: Progress, *, is_last: bool) -> None:
        """Write the progress, if the last write is long enough ago or nothing will follow."""
        if not is_last and time.monotonic() - self._written < self.seconds_between:
            return
        header = {
            "format": FORMAT,
            "identity": self.identity,
            "best_epoch": str(progress.best_epoch),
            "history": json.dumps([record._asdict() for record in progress.history]),
        }
        leaves = jax.device_get(jax.tree.leaves(_trees(progress)))
        arrays = {str(place): np.asarray(leaf, order="C") for place, leaf in enumerate(leaves)}
        try:
            with staged_file(self.path) as staging:
                staging.write_bytes(safetensors.numpy.save(arrays, metadata=header))
        except OSError as error:  # a full disk must not end what it was to protect
            warnings.warn(
                f"progress should be kept in {self.path}, but: {error.strerror}. Training goes on; "
                "killed, it would start over. Free space.",
                RuntimeWarning,
                stacklevel=2,
            )
        self._written = time.monotonic()


def check_place(path: str | PathLike) -> Path:
    """Return `path` if progress may be kept there: nothing is there, or progress."""
    place = Path(path)
    if not place.name or place.is_dir():
        raise InputError(
            f"checkpoint must be a file, but {str(path)!r} is a folder. Name a file in it."
        )
    try:
        with safetensors.safe_open(regular(place), "numpy") as file:
            is_ours = (file.metadata() or {}).get("format") == FORMAT
    except FileNotFoundError:
        is_ours = True
    except (OSError, safetensors.SafetensorError):
        is_ours = place.stat().st_size == 0
    if not is_ours:
        raise InputError(
            f"checkpoint must be a new file or hold progress, but {place} holds something else. "
            "Choose another, or delete it."
        )
    return place


def identity_of(problem: Problem, data: npt.NDArray[np.float32]) -> str:
    """SHA-256 over everything that decides the outcome of a training but the machine."""
    key = np.asarray(jax.random.key_data(problem.key))
    plain = [
        problem.architecture,
        problem.objective._replace(scatter=None),
        problem.likelihood,
        problem.schedule,
        key.tolist(),
        data.shape,
        *([problem.augment] if problem.augment else []),
    ]
    digest = hashlib.sha256(repr(plain).encode())
    repeats = jax.tree.leaves(
        (problem.training_repeats, problem.validation_pairs, problem.objective.scatter)
    )
    for array in (problem.training_rows, problem.validation_rows, *repeats, data):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _trees(progress: Progress) -> tuple:
    return progress.state, progress.optimiser_state, progress.best_state


def _filled(start: Progress, arrays: dict[str, np.ndarray]) -> Progress:
    """Progress of the structure of `start` with other arrays; raises ValueError if they differ."""
    leaves, structure = jax.tree.flatten(_trees(start))
    found = [arrays[str(place)] for place in range(len(leaves))]
    for leaf, array in zip(leaves, found, strict=True):
        if (array.shape, array.dtype) != (leaf.shape, leaf.dtype):
            raise ValueError(f"expected {leaf.shape} {leaf.dtype}")
    trees = jax.tree.unflatten(structure, [jnp.asarray(array) for array in found])
    return Progress(*trees)


def _record(entry: dict) -> EpochRecord:
    record = EpochRecord(**entry)
    return record._replace(
        kl_per_axis=tuple(record.kl_per_axis),
        validation_kl_per_axis=tuple(record.validation_kl_per_axis),
    )
