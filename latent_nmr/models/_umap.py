"""UMAP, which takes seconds to load, and numba, which keeps what it compiles for UMAP in files."""

import tempfile
import warnings
from typing import Any


def load_umap() -> Any:
    """The class of umap-learn.

    Warns
    -----
    UserWarning
        Where numba can write neither beside umap-learn nor in the user's cache, and refuses to
        load: it then writes into a temporary folder, and compiles again in every process.
    """
    try:
        return _umap()
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    import numba

    # Kept open by the name: it is removed when the process ends.
    folder = _folders.setdefault("numba", tempfile.TemporaryDirectory(prefix="numba-"))
    numba.config.CACHE_DIR = folder.name  # type: ignore[attr-defined]
    warnings.warn(
        "UMAP compiles its functions again in every process, as no folder for them can be "
        f"written. Set NUMBA_CACHE_DIR to one; {folder.name} is used until the process ends.",
        stacklevel=2,
    )
    return _umap()


_folders: dict[str, tempfile.TemporaryDirectory[str]] = {}


def _umap() -> Any:
    from umap import UMAP

    return UMAP
