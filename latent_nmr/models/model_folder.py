"""Reading the two files of one model folder while others may replace it or have spoilt it."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from latent_nmr._files import put_back_retired
from latent_nmr.errors import InputError, nearest
from latent_nmr.shipped import named_or_path, shipped_names

WEIGHTS_FILE, CARD_FILE = "weights.safetensors", "model.json"

# Number of times that a reader retries when a writer has replaced the folder meanwhile.
MAX_RESTARTS = 100

# Not blocking: opening a named pipe would wait for its writer for ever. Windows has neither this
# nor folders held open; it would change line ends in what is not said to be binary.
READ_ONLY = os.O_RDONLY
for _flag in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    READ_ONLY |= getattr(os, _flag, 0)

Result = TypeVar("Result")


class ModelFileError(InputError):
    """A model folder that cannot be used: what, where, why."""

    def __init__(
        self,
        path: Path,
        reason: str,
        *,
        rule: str = f"a model folder must hold a whole {WEIGHTS_FILE} and {CARD_FILE}",
        cure: str = "Copy it again, or train the model again.",
    ):
        super().__init__(f"{rule}, but {path} {reason}. {cure}")


class OpenFolder(NamedTuple):
    """A folder held open: its files stay those of one folder, whatever its name comes to mean.

    Where the system cannot hold a folder open, `handle` is None and its files are found by name;
    the hash of the weights in the card then shows whether both are of one model.
    """

    path: Path
    handle: int | None
    identity: os.stat_result

    def is_still_there(self) -> bool:
        """Whether the path leads to this folder."""
        try:
            return os.path.samestat(self.identity, self.path.stat())
        except OSError:
            return False

    def open_file(self, name: str) -> int:
        """Open one of its files for reading."""
        if self.handle is None:
            return os.open(self.path / name, READ_ONLY)
        return os.open(name, READ_ONLY, dir_fd=self.handle)


def read_folder(read: Callable[[OpenFolder], Result], path: Path) -> Result:
    """Call `read` on a folder that no writer replaces between its two files.

    `path` may be the name of a shipped model.
    """
    if not put_back_retired(path):
        path = named_or_path("models", path)
    for attempt in range(MAX_RESTARTS):
        put_back_retired(path)
        is_last = attempt == MAX_RESTARTS - 1
        try:
            with open_folder(path) as folder:
                try:
                    return read(folder)
                except ModelFileError:
                    if is_last or folder.is_still_there():
                        raise
        except FileNotFoundError:
            # A writer may stand between its two renames: it leaves traces, or a new folder.
            if is_last or not (put_back_retired(path) or path.exists()):
                names = shipped_names("models")
                reason = (
                    "does not exist, nor comes a model of that name with the package "
                    f"({', '.join(names)})"
                )
                cure = "Check the path, or train a model with latent-nmr train-vae."
                cure = nearest(path, names, cure)
                raise ModelFileError(path, reason, cure=cure) from None
    raise AssertionError("the last attempt returns or raises")


@contextlib.contextmanager
def open_folder(path: Path) -> Iterator[OpenFolder]:
    """Hold a folder open; raises `FileNotFoundError` if there is nothing at `path`."""
    can_hold = hasattr(os, "O_DIRECTORY") and os.open in os.supports_dir_fd
    try:
        handle = os.open(path, READ_ONLY | os.O_DIRECTORY) if can_hold else None
        identity = path.stat() if handle is None else os.fstat(handle)
    except FileNotFoundError:
        raise
    except NotADirectoryError:
        raise ModelFileError(path, f"has no {CARD_FILE}") from None
    except PermissionError as error:
        cure = "Ask its owner for the right to read it."
        raise ModelFileError(path, f"cannot be read ({error.strerror})", cure=cure) from None
    except (OSError, ValueError):  # links in a circle, names that no system knows
        raise ModelFileError(path, "does not exist") from None
    if not stat.S_ISDIR(identity.st_mode):
        raise ModelFileError(path, f"has no {CARD_FILE}")
    try:
        yield OpenFolder(path, handle, identity)
    finally:
        if handle is not None:
            os.close(handle)


def read_file(folder: OpenFolder, name: str, max_bytes: int) -> bytes:
    """Read one of the two files, if it is a file of no more than `max_bytes`."""
    try:
        handle = folder.open_file(name)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelFileError(folder.path, f"has no {name}") from None
    except OSError as error:
        reason = f"has a {name} that cannot be read ({error.strerror})"
        raise ModelFileError(folder.path, reason) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ModelFileError(folder.path, f"has a {name} that is not a regular file")
        if status.st_size > max_bytes:
            raise ModelFileError(
                folder.path, f"has a {name} of {status.st_size} bytes, more than {max_bytes}"
            )
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(max_bytes)
    except OSError as error:
        reason = f"has a {name} that cannot be read ({error.strerror})"
        raise ModelFileError(folder.path, reason) from error
    finally:
        os.close(handle)
