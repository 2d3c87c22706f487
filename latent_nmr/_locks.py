"""One writer at a time: a lock beside what is written, with the means that the system has.

POSIX systems and Windows have locks that the system drops when their holder dies, however it
dies. Where there are neither, a file that only one process can create is the lock.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from latent_nmr.errors import InputError

try:
    import fcntl
except ImportError:  # Windows, and Python in a browser
    fcntl = None
try:
    import msvcrt
except ImportError:  # everything but Windows
    msvcrt = None


def real_path(path: Path) -> Path:
    """What a path leads to when all symbolic links are followed, whether it exists or not.

    Raises
    ------
    InputError
        If links lead in a circle.
    """
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:  # Python before 3.13 calls a circle a RuntimeError
        raise InputError(
            f"{path} must lead somewhere, but its symbolic links lead in a circle or cannot be "
            "followed. Remove the link, or choose another path."
        ) from error


@contextlib.contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the lock on `path`, or raise if another process writes it.

    Raises
    ------
    InputError
        If another process holds the lock.
    """
    # Of what a symbolic link points to, so that two names of one folder share one lock.
    path = real_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.parent / f".{path.name}.lock"
    with _system_lock(lock, path) if fcntl or msvcrt else _file_as_lock(lock, path):
        yield


@contextlib.contextmanager
def _system_lock(lock: Path, path: Path) -> Iterator[None]:
    """Lock the file `lock`, and remove it at the end."""
    with _locked(lock, path) as handle:
        try:
            yield
        finally:
            if fcntl:
                _remove(lock)  # while it is still locked: see `_locked`
            elif msvcrt:  # Windows drops the lock some time after the file is closed
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)
    if not fcntl:  # Windows removes no file that is open, here or in another process
        _remove(lock)


@contextlib.contextmanager
def _locked(lock: Path, path: Path) -> Iterator[BinaryIO]:
    """Open and lock the file of the name `lock`.

    Its last holder may have removed it between the two: then it is another file's lock that was
    obtained, and a new file is opened.
    """
    while True:
        # Opened to append: a lock file that is a link to something else must not empty it.
        with _opened(lock, path) as handle:
            try:
                if fcntl:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                elif msvcrt:
                    # Windows locks bytes from the position of the file on, also beyond its end.
                    handle.seek(0)
                    msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            except (BlockingIOError, PermissionError):
                raise _in_use(path, "Wait for it, or choose another path.") from None
            if not fcntl or _is_file_of(handle, lock):
                yield handle
                return


def _opened(lock: Path, path: Path) -> BinaryIO:
    """Open the lock file; an error names what it locks, which is what the user gave."""
    try:
        return lock.open("ab")
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None


def _is_file_of(handle: BinaryIO, lock: Path) -> bool:
    """Whether the open file still has the name `lock`."""
    try:
        return os.path.samestat(os.fstat(handle.fileno()), lock.stat())
    except FileNotFoundError:
        return False


def _remove(lock: Path) -> None:
    """Remove a lock file; a link that the user put there stays."""
    with contextlib.suppress(OSError):
        if not lock.is_symlink():
            lock.unlink()


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
