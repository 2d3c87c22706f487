"""SHA-256 of named arrays, however they are cut into blocks."""

import hashlib
from collections.abc import Iterable

import numpy as np


def hash_variables(variables: Iterable[tuple[str, Iterable[np.ndarray]]]) -> str:
    """SHA-256 over named arrays, each given in blocks of rows; how it is cut changes nothing."""
    digest = hashlib.sha256()
    for name, blocks in variables:
        digest.update(name.encode() + b"\0")
        separator = b""
        for block in blocks:
            if block.dtype.kind in "OUT":
                digest.update(separator + "\n".join(map(str, block.ravel().tolist())).encode())
                separator = b"\n"
            else:
                digest.update(np.ascontiguousarray(block).ravel().view(np.uint8).data)
    return digest.hexdigest()
