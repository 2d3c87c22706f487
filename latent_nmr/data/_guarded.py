"""Reading the arrays of a store: what damaged files make zarr raise becomes an `InputError`."""

import asyncio
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.core.sync import sync
from zarr.storage import LocalStore

from latent_nmr._environment import refuse_environment, settings_hint
from latent_nmr._regular import regular
from latent_nmr.data._contents import first_line
from latent_nmr.data._store_checks import RESTORE
from latent_nmr.errors import InputError


class RegularFiles(LocalStore):
    """A folder as zarr reads it, which refuses pipes and devices among its files."""

    async def get(self, key: str, *arguments: Any, **named: Any) -> Any:
        """Content of a file, or None where there is none."""
        regular(self.root / key)
        return await super().get(key, *arguments, **named)

    def get_sync(self, key: str, **named: Any) -> Any:
        """The same, as newer versions of zarr ask for it."""
        regular(self.root / key)
        return super().get_sync(key, **named)


def values_of(array: zarr.Array, rows: Any = ...) -> npt.NDArray:
    """Some rows of an array; one that asks for more room than it has entries is damaged.

    Text says how much of it there is: any number, if it is not decompressed before.
    """
    try:
        return np.asarray(array.oindex[rows] if isinstance(rows, np.ndarray) else array[rows])
    except MemoryError as error:
        largest = math.prod(map(max, zip(array.shape, array.chunks, strict=True)))
        if math.prod(getattr(error, "shape", ())) > largest:
            raise ValueError(f"{array.name} does not fit its description") from error
        raise


def guarded(path: Path | str, read: Callable):
    """Call `read`; what the damaged files of a store make zarr raise becomes an `InputError`."""
    try:
        return read()
    except (MemoryError, InputError):  # nothing is wrong with the files, or it is said already
        raise
    except Exception as error:
        _let_the_rest_finish()
        if isinstance(error, PermissionError):
            raise unreadable(path, error) from error
        refuse_environment(error)
        raise damaged(path, error) from error


def _let_the_rest_finish(seconds: float = 10.0) -> None:
    """Wait for the other chunks of a reading that failed at one of them.

    zarr goes on with them in a thread of its own; cut short by the end of the process, they print
    a traceback each.
    """

    async def finish() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=seconds)

    sync(finish())


def unreadable(path: Path | str, error: PermissionError) -> InputError:
    """Error for a store with a file that this user may not read."""
    return InputError(
        f"data must be readable, but {error.filename or path} is not "
        f"({error.strerror or error}). Change its permissions."
    )


def damaged(path: Path | str, error: Exception) -> InputError:
    """Error for a store whose files made zarr raise `error`."""
    return InputError(
        f"data must be a complete store, but {path} is damaged ({first_line(error)}). {RESTORE}"
        + settings_hint("ZARR_")
    )
