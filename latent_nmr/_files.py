"""Files and folders that appear complete or not at all: write beside, then rename.

Works on Linux, macOS and Windows; :func:`swap` says what only Linux can do.
"""

import contextlib
import ctypes
import errno
import glob
import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latent_nmr._json import json_value
from latent_nmr._letters import path_text
from latent_nmr._locks import real_path, sole_writer
from latent_nmr._regular import regular
from latent_nmr.errors import InputError

STAGING_MARK, RETIRED_MARK = ".staging-", "-old"

_umask_lock = threading.Lock()

# Seconds that a rename waits for other programs. Windows renames nothing that is open elsewhere:
# a reader, a virus scanner or an indexer holds a file for a moment.
RENAME_PATIENCE = 2.0 if os.name == "nt" else 0.0

# Numbers of the Linux kernel's interface, and its ways to say that it cannot swap here.
AT_FDCWD, RENAME_EXCHANGE = -100, 2
CANNOT_SWAP = {errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.ENOTSUP}


@contextlib.contextmanager
def staged_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` on success.

    A symbolic link stays, and what it points to, or would, is written.
    """
    path = real_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}{STAGING_MARK}", dir=path.parent)
    os.close(handle)
    staging = Path(name)
    try:
        yield staging
        staging.chmod(0o666 & ~_umask())
        rename(staging, path)
    except OSError as error:
        if error.filename is None and error.errno is not None:  # a write that failed
            error.filename = str(path)
        raise
    finally:
        staging.unlink(missing_ok=True)


@contextlib.contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it takes the place of `path`.

    Where the system can swap two names in one step, `path` is the old or the new folder at any
    moment, whatever ends the process. Elsewhere the old folder is moved aside and then the new
    one into its place; who reads `path` calls :func:`put_back_retired` for a process that was
    killed between the two. What such a process left behind is swept first.
    """
    path = real_path(path)  # a link stays, what it points to is replaced
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_staging(path)
    staging = Path(tempfile.mkdtemp(prefix=f".{path.name}{STAGING_MARK}", dir=path.parent))
    try:
        yield staging
        staging.chmod(0o777 & ~_umask())
        put_in_place(staging, path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    with regular(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_digest(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files of a folder."""
    if not path.is_dir():
        return file_digest(path)
    found = hashlib.sha256()
    for name in sorted(own for own in path.rglob("*") if own.is_file()):
        found.update(f"{name.relative_to(path).as_posix()}\0{file_digest(name)}\0".encode())
    return found.hexdigest()


def put_in_place(folder: Path, path: Path) -> None:
    """Give a finished folder the name `path`, beside it; what was there before is removed.

    As :func:`staged_folder` does: in one step where the system can swap two names.
    """
    path = real_path(path)
    retired = path.with_name(f".{path.name}{STAGING_MARK}{folder.name}{RETIRED_MARK}")
    try:
        if not path.exists():
            rename(folder, path)
        elif swap(folder, path):
            shutil.rmtree(folder)
        else:
            rename(path, retired)
            rename(folder, path)
    finally:
        if retired.exists() and not path.exists():  # interrupted between the two renames
            rename(retired, path)
        shutil.rmtree(retired, ignore_errors=True)


def rename(source: Path, target: Path, patience: float = RENAME_PATIENCE) -> None:
    """Give `source` the name `target`; a file there is replaced.

    Waits up to `patience` seconds while the system refuses because another program has it open.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            source.replace(target)
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
        else:
            return


def swap(first: Path, second: Path) -> bool:
    """Swap two existing paths in one step; False, and nothing done, where that is impossible.

    Linux has a call for it since 3.15; some file systems, containers and other systems refuse.
    """
    try:
        renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    except (OSError, TypeError):  # Windows has no library without a name
        renameat2 = None
    if renameat2 is None:
        return False
    paths = os.fsencode(first), os.fsencode(second)
    if renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], ctypes.c_uint(RENAME_EXCHANGE)) == 0:
        return True
    code = ctypes.get_errno()
    if code in CANNOT_SWAP:
        return False
    raise OSError(code, os.strerror(code), str(second))


def sweep_staging(path: Path) -> None:
    """Remove temporaries of `path` that a killed process left; put back a retired original."""
    for left in _temporaries(path):
        if left.name.endswith(RETIRED_MARK) and not path.exists():
            rename(left, path)
        elif left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def put_back_retired(path: Path, patience: float = 2.0) -> bool:
    """For readers: bring back a folder that a writer moved aside and did not live to replace.

    A writer that is still at work is waited for, `patience` seconds at most. Returns whether any
    writer had left such a folder.
    """
    was_retired = False
    # No path at all, links in a circle, a place that may only be read: the reader will say so.
    with contextlib.suppress(OSError, RuntimeError, ValueError):
        path = path.resolve()
        deadline = time.monotonic() + patience
        while not path.exists() and _retired(path) and time.monotonic() < deadline:
            was_retired = True
            try:
                with sole_writer(path):
                    # Another reader may have been first.
                    for retired in _retired(path)[:1] if not path.exists() else []:
                        rename(retired, path)
            except InputError:  # another process is writing
                time.sleep(0.01)
    return was_retired


def _temporaries(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f".{glob.escape(path.name)}{STAGING_MARK}*"))


def _retired(path: Path) -> list[Path]:
    return [left for left in _temporaries(path) if left.name.endswith(RETIRED_MARK)]


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically; paths as :func:`path_text`."""
    with staged_file(path) as staging:
        staging.write_text(
            json.dumps(plain_json(value), indent=2, ensure_ascii=False) + "\n", "utf-8"
        )


def plain_json(value: Any) -> Any:
    """`value` as JSON holds it; paths as :func:`path_text`, all keys as text."""
    return json_value(value, any_key=True, other=_path_text)


def _path_text(value: Any) -> str:
    if not isinstance(value, Path):
        raise TypeError(f"a {type(value).__name__} has no place in JSON")
    return path_text(value)


def _umask() -> int:
    # It can only be read by setting it, for the whole process: one thread at a time.
    with _umask_lock:
        current = os.umask(0)
        os.umask(current)
    return current
