"""One writer at a time: a lock beside what is written, with the means that the system has.

POSIX systems and Windows have locks that the system drops when their holder dies, however it
dies. Where there are neither, or the file system has none, a file that only one process can create
is the lock.
"""

import contextlib
import errno
import os
import struct
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from latent_nmr._regular import regular
from latent_nmr.errors import InputError, StoreWarning

try:
    import fcntl
except ImportError:  # Windows, and Python in a browser
    fcntl = None
try:
    import msvcrt
except ImportError:  # everything but Windows
    msvcrt = None


# The kernel's `struct flock` on 64-bit Linux: kind, whence, start, length, process.
_FLOCK = "hhqqi0q"
# What a file system says that has no locks, such as some that machines share.
NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}


class InUseError(InputError):
    """Another process is writing what was to be written."""


def real_path(path: Path) -> Path:
    """What a path leads to when all symbolic links are followed, whether it exists or not.

    Raises
    ------
    InputError
        If links lead in a circle, or the working directory was removed.
    """
    try:
        return path.resolve()
    except (RuntimeError, OSError) as error:  # Python before 3.13 calls a circle a RuntimeError
        if fault := directory_fault():
            raise InputError(fault) from error
        raise InputError(
            f"{path} must lead somewhere, but its symbolic links lead in a circle or cannot be "
            "followed. Remove the link, or choose another path."
        ) from error


def directory_fault() -> str:
    """Why relative paths lead nowhere: the working directory was removed; "" if it was not."""
    try:
        Path.cwd()
    except OSError as error:
        return (
            f"the working directory must exist, but: {error.strerror}. Change to another (cd), or "
            "give absolute paths."
        )
    return ""


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
def one_of_several_writers(path: Path) -> Iterator[None]:
    """Keep sole writers of `path` away while others may do the same, or raise.

    Raises
    ------
    InUseError
        If a sole writer holds the lock.
    InputError
        If the system has no locks that several processes can hold.
    """
    if fcntl is None:
        raise InputError(
            f"{path} can be written by several processes only where the system has POSIX locks, "
            "but this one has none. Write it with one process."
        )
    path = real_path(path)
    lock = path.parent / f".{path.name}.lock"
    with _locked(lock, path, shared=True) as handle:
        try:
            yield
        finally:
            # The last of them removes the file, once the lock is its own alone.
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(spans_file(path))
                _remove(lock)


def spans_file(path: Path) -> Path:
    """The file whose bytes stand for the pieces of `path` that its writers have locked."""
    path = real_path(path)
    return path.parent / f".{path.name}.parts"


@contextlib.contextmanager
def locked_spans(path: Path, spans: Iterable[range]) -> Iterator[None]:
    """Lock some of the pieces of `path` for this process, or raise.

    The caller holds the lock of :func:`sole_writer` or :func:`one_of_several_writers`. Locks of
    bytes belong to a process: within one, they keep nobody away.

    Raises
    ------
    InUseError
        If another process holds any of the pieces.
    """
    if fcntl is None:  # then there is only a sole writer
        yield
        return
    with regular(spans_file(path)).open("ab") as handle:
        for span in spans:
            try:
                fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, len(span), span.start)
            except (BlockingIOError, PermissionError):
                raise InUseError(
                    f"each part of {path} must have one writer at a time, but another process is "
                    "writing some of this one now. Wait for it, or choose another part."
                ) from None
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                _warn_of_no_locks(path, error)
                break
        yield


def spans_in_use(path: Path, n_pieces: int) -> list[range]:
    """Pieces of `path` that other processes have locked; none where the system does not tell."""
    if fcntl is None or sys.platform != "linux" or sys.maxsize < 2**32:
        return []
    try:
        with regular(spans_file(path)).open("rb") as handle:
            return _spans_held(handle, range(n_pieces))
    except OSError:  # nobody writes, or the file system has no such locks
        return []


def _spans_held(handle: BinaryIO, within: range) -> list[range]:
    """Locked bytes of a file, in order. The system names any one lock that is in the way."""
    if not within or fcntl is None:
        return []
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, within.start, len(within), 0)
    kind, _, start, length, _ = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, asked))
    if kind == fcntl.F_UNLCK:
        return []
    held = range(
        max(start, within.start), min(start + length, within.stop) if length else within.stop
    )
    before = _spans_held(handle, range(within.start, held.start))
    return [*before, held, *_spans_held(handle, range(held.stop, within.stop))]


@contextlib.contextmanager
def _system_lock(lock: Path, path: Path) -> Iterator[None]:
    """Lock the file `lock`, and remove it, and that of locked pieces, at the end."""
    with _locked(lock, path) as handle:
        try:
            yield
        finally:
            if fcntl:
                _remove(spans_file(path))
                _remove(lock)  # while it is still locked: see `_locked`
            elif msvcrt:  # Windows drops the lock some time after the file is closed
                handle.seek(0)
                msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)
    if not fcntl:  # Windows removes no file that is open, here or in another process
        _remove(lock)


@contextlib.contextmanager
def _locked(lock: Path, path: Path, *, shared: bool = False) -> Iterator[BinaryIO]:
    """Open and lock the file of the name `lock`, alone or with others that share it.

    Its last holder may have removed it between the two: then it is another file's lock that was
    obtained, and a new file is opened.
    """
    while True:
        # Opened to append: a lock file that is a link to something else must not empty it.
        with _opened(lock, path) as handle:
            has_locks = True
            try:
                if fcntl:
                    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                    fcntl.flock(handle, kind | fcntl.LOCK_NB)
                elif msvcrt:
                    # Windows locks bytes from the position of the file on, also beyond its end.
                    handle.seek(0)
                    msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
            except (BlockingIOError, PermissionError):
                raise _in_use(path, "Wait for it, or choose another path.") from None
            except OSError as error:
                if error.errno not in NO_LOCKS:
                    raise
                has_locks = False
            if not has_locks:
                with contextlib.nullcontext() if shared else _file_as_lock(lock, path):
                    yield handle
                return
            if not fcntl or _is_file_of(handle, lock):
                yield handle
                return


def _warn_of_no_locks(path: Path, error: OSError) -> None:
    warnings.warn(
        f"{path} should be on a file system with locks, but this one has none ({error.strerror}). "
        "See to it that no two processes write the same part.",
        StoreWarning,
        stacklevel=5,
    )


def _opened(lock: Path, path: Path) -> BinaryIO:
    """Open the lock file; an error names what it locks, which is what the user gave."""
    try:
        return regular(lock).open("a+b")
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


def _in_use(path: Path, cure: str) -> InUseError:
    return InUseError(
        f"{path} must have one writer at a time, but another process is writing it now. {cure}"
    )
