"""What the formats of echo files share: two files of signals, and the sequence behind them."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.data._text import read_table
from latent_nmr.errors import InputError

# Rule for a kernel's parameter: where κ = 0 the coupling length L is not defined.
HAS_LENGTH = "such that the kernel's sum is away from zero"


def read_signals(
    paths: list[Path], n_columns: int | None = None
) -> dict[str, npt.NDArray[np.float32]]:
    """Read M_x and M_y, each of shape (n_curves, n_samples)."""
    first = read_table(paths[0], n_columns).values.astype(np.float32)
    # The second file must have as many columns as the first.
    second = read_table(paths[1], first.shape[1]).values.astype(np.float32)
    check_same_rows({paths[0]: len(first), paths[1]: len(second)})
    return {"mx": first, "my": second}


def check_same_rows(n_rows: dict[Path, int]) -> None:
    """Raise `InputError` unless all files have the same number of rows."""
    (first, expected), *others = n_rows.items()
    for path, found in others:
        if found != expected:
            raise InputError(
                f"{first} and {path} must have one row per curve each, but have {expected} and "
                f"{found} rows. Is one of them cut short? Download both again."
            )


def spin_echo_attributes(
    source: str, n_edge: int, dt: float, n_samples: int, pulse_spacing: int
) -> dict[str, Any]:
    """What the files leave unsaid: lattice, time grid, and the sequence 90°x - τ - 180°y."""
    return {
        "source": source,
        "n_edge": n_edge,
        "n_samples": n_samples,
        "dt_us": dt,
        "pulse_samples": [0, pulse_spacing],
        "pulse_angles_rad": [math.pi / 2, math.pi],
        "pulse_phases_rad": [0.0, math.pi / 2],
        "echo_index": 2 * pulse_spacing,
    }
