"""Files that are either whole or not there: write beside, then rename."""

import contextlib
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latent_nmr.errors import InputError

STAGING_MARK = ".staging-"


@contextlib.contextmanager
def staged_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it to `path` on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}{STAGING_MARK}", dir=path.parent)
    os.close(handle)
    staging = Path(name)
    try:
        yield staging
        staging.chmod(0o666 & ~_umask())
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)


@contextlib.contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; on success it takes the place of `path`.

    An old folder at `path` is moved aside before and removed after, so that at any moment the
    old or the new one is whole. What an earlier, killed process left behind is swept first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep_staging(path)
    staging = Path(tempfile.mkdtemp(prefix=f".{path.name}{STAGING_MARK}", dir=path.parent))
    retired = staging.with_name(staging.name + "-old")
    try:
        yield staging
        staging.chmod(0o777 & ~_umask())
        if path.exists():
            path.rename(retired)
        staging.rename(path)
    finally:
        if retired.exists() and not path.exists():  # interrupted between the two renames
            retired.rename(path)
        shutil.rmtree(staging, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)


def sweep_staging(path: Path) -> None:
    """Remove temporaries of `path` that a killed process left; put back a retired original."""
    for left in path.parent.glob(f".{glob.escape(path.name)}{STAGING_MARK}*"):
        if left.name.endswith("-old") and not path.exists():
            left.rename(path)
        elif left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


@contextlib.contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold an operating-system lock on `path`, or raise if another process writes it.

    The kernel drops the lock when its holder dies, however it dies.
    """
    # Of what a symbolic link points to, so that two names of one folder share one lock.
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"{path} must have one writer at a time, but another process is writing it now. "
                "Wait for it, or choose another path."
            ) from None
        yield


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    with staged_file(path) as staging:
        staging.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
