"""One writer at a time: a lock beside what is written, with the means that the system has.

POSIX systems and Windows have locks that the system drops when their holder dies, however it
dies. Where there are neither, a file that only one process can create is the lock.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from latent_nmr.errors import InputError

try:
    import fcntl
except ImportError:  # Windows, and Python in a browser
    fcntl = None
try:
    import msvcrt
except ImportError:  # everything but Windows
    msvcrt = None


@contextlib.contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the lock on `path`, or raise if another process writes it.

    Raises
    ------
    InputError
        If another process holds the lock.
    """
    # Of what a symbolic link points to, so that two names of one folder share one lock.
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.parent / f".{path.name}.lock"
    with _system_lock(lock, path) if fcntl or msvcrt else _file_as_lock(lock, path):
        yield


@contextlib.contextmanager
def _system_lock(lock: Path, path: Path) -> Iterator[None]:
    """Lock the file `lock`; it stays, and means nothing when no process holds it."""
    # Opened to append: a lock file that is a link to something else must not empty it.
    with lock.open("ab") as handle:
        try:
            if fcntl:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            else:
                # Windows locks bytes from the position of the file on, also beyond its end.
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except (BlockingIOError, PermissionError):
            raise _in_use(path, "Wait for it, or choose another path.") from None
        try:
            yield
        finally:
            if not fcntl:  # else Windows drops the lock some time after the file is closed
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)


@contextlib.contextmanager
def _file_as_lock(lock: Path, path: Path) -> Iterator[None]:
    """Create a file beside `lock`, which must not exist, and remove it at the end."""
    taken = lock.with_suffix(".writing")
    try:
        handle = os.open(taken, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        cure = f"Wait for it, choose another path, or remove {taken} if its process was killed."
        raise _in_use(path, cure) from None
    os.close(handle)
    try:
        yield
    finally:
        taken.unlink(missing_ok=True)


def _in_use(path: Path, cure: str) -> InputError:
    return InputError(
        f"{path} must have one writer at a time, but another process is writing it now. {cure}"
    )
