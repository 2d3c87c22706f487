"""Cells of text tables: a mean, and its spread over seeds."""

from collections.abc import Sequence
from statistics import fmean, stdev

# From here on, decimals mean nothing.
LARGE = 1000


def cell(values: Sequence[float], digits: int = 3) -> str:
    """Mean, and after ± the sample standard deviation if there are several seeds."""
    form = f".{digits}f" if abs(fmean(values)) < LARGE else ".1e"
    spread = f" ± {stdev(values):{form}}" if len(values) > 1 else ""
    return f"{fmean(values):{form}}{spread}"
