"""Text of data sets as plain fixed-width Unicode (`<U`), which every library takes.

Files and libraries hold text as NumPy's StringDType, as Python objects or as bytes; scikit-learn
and others refuse some of them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError


def plain_text(values: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Return text of any NumPy type as fixed-width Unicode."""
    if values.dtype.kind == "S":
        try:
            return np.char.decode(values, "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"text must be UTF-8, but holds {error.object!r:.60}. Decode it with the encoding "
                "that it has: np.char.decode(values, 'latin-1')."
            ) from error
    return np.array(values.tolist(), dtype=np.str_).reshape(values.shape)


def as_plain_text(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return `values`, as fixed-width Unicode if all of them are text."""
    if values.dtype.kind in "ST":
        return plain_text(values)
    if values.dtype.kind != "O" or not all(isinstance(v, str) for v in values.ravel().tolist()):
        return values
    return plain_text(values)
