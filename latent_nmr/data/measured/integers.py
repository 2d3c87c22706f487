"""Whole numbers in binary files: the order of their bytes, and that they are no others."""

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import EchoFileError

MIN_NUMBERS = 64
# Of a signal many samples are near zero, of the bits of floating numbers none.
LEAST = 0.25
_HEADER = "The header is damaged: copy the file again."


def check_integers(path: object, numbers: npt.NDArray, *, can_swap: bool) -> None:
    """Refuse numbers of 4 bytes whose bytes stand in the other order, or are floating ones."""
    full = numbers[numbers != 0]
    if full.size < MIN_NUMBERS or numbers.dtype.itemsize != 4:
        return
    size = np.abs(full.astype(np.float64))
    if np.percentile(size, 1) > LEAST * size.max():
        reason = f"whole numbers must come near zero, but are {size.min():g} to {size.max():g} in "
        raise EchoFileError(path, f"{reason}size, as floating ones are that are misread", _HEADER)
    if not can_swap:
        return
    octets = full.astype("<i4").view(np.uint8).reshape(-1, 4)
    # The highest byte of small numbers only extends the sign.
    is_sign = np.isin(octets, (0, 255)).mean(axis=0)
    if is_sign[3] < 0.5 and is_sign[0] > 0.9:
        reason = "bytes must stand in the order that the header says, but stand in the other"
        raise EchoFileError(path, reason, _HEADER)
