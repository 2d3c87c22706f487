"""Files that end: what is neither a file nor a folder is refused before it is opened."""

import stat
from pathlib import Path

from latent_nmr.errors import InputError

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def regular(path: Path) -> Path:
    """Return `path`, unless a pipe, a socket or a device is there.

    Opening a pipe waits for its writer, reading a device may never end.

    Raises
    ------
    InputError
        If it is one of them. A path at which there is nothing, or nothing that can be looked at,
        is returned: its reader says so.
    """
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except (OSError, ValueError):
        return path
    if kind in _KINDS:
        raise InputError(
            f"{path} must be a file or a folder, but is {_KINDS[kind]}, which may keep its reader "
            "waiting for ever. Write what comes from it to a file first, and give that."
        )
    return path
