"""What the columns of features are: which quantity, at which time, in which unit.

Features are one block of columns beside the other, such as real parts, then imaginary parts. In
each the numbers 0 and 1 stand for values of a quantity, and columns for times.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr

from latent_nmr.data.polar import Polar, as_metadata, grid_of
from latent_nmr.data.protocols import KnownProtocol, is_pair, known_protocols
from latent_nmr.errors import InputError, check_choice

POLAR = "polar"
# Names of the columns of every part that has one per sample.
COLUMN_NAMES = {
    "magnitude": ("|M|",),
    "both": ("Re M", "Im M"),
    "real": ("Re M",),
    "imaginary": ("Im M",),
}
PARTS = (*COLUMN_NAMES, POLAR)
FREQUENCY, HALF_DIFFERENCE = "w ν", "w (ν₁ - ν₂)/2"
# What is normalised, and therefore called after its normalisation.
SIGNAL_NAMES = ("|M|", "Re M", "Im M")


class Block(NamedTuple):
    """Columns that are one quantity at several times.

    Attributes
    ----------
    name : str
        `|M|`, `Re M`, `Im M`, or `w ν`, the weighted local frequency.
    time : ndarray, shape (n_columns,)
        µs.
    low, high : float
        Values that the features 0 and 1 stand for.
    columns : slice
        Where they stand among all.
    protocol : str
        Which of several protocols it is of; empty for one only.
    """

    name: str
    time: npt.NDArray[np.float64]
    low: float
    high: float
    columns: slice
    protocol: str = ""

    def values(self, X: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Values of the quantity, of features `X` of shape (..., n_features); frequencies in MHz.

        Signals over what each curve was divided by.
        """
        own = X[..., self.columns]
        return own if (self.low, self.high) == (0, 1) else self.low + (self.high - self.low) * own


def checked_part(part: str | Polar) -> str | Polar:
    """Return a part of M by its name, `polar` with its settings, or raise `InputError`."""
    if isinstance(part, Polar):
        return part
    return Polar() if check_choice("part", part, PARTS) == POLAR else part


def part_name(part: str | Polar) -> str:
    """Name of a part, which `polar` has with any settings."""
    return POLAR if isinstance(part, Polar) else part


def feature_blocks(
    time: npt.NDArray[np.floating],
    part: str | Polar = "magnitude",
    protocols: "xr.Dataset | Sequence[str | KnownProtocol]" = (),
) -> list[Block]:
    """Blocks of columns of the features of a window.

    Parameters
    ----------
    time : ndarray, shape (n_window,), or (n_protocols, n_window)
        Times of its samples, µs; of several protocols as :func:`latent_nmr.window_time` gives them.
    part : str or Polar
        As for :func:`latent_nmr.features`.
    protocols : xarray.Dataset or sequence of str
        The data set that has them, or their names; without them, numbers from 1. With names alone,
        two are taken for pulses of θ and 180° - θ, whose frequencies `polar` compares.

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ds = ln.simulate("paper", n_curves=3, n_edge=8, flip_angle_deg=60)
    >>> X = ln.features(ds, part="polar")
    >>> amplitude, frequency = ln.feature_blocks(ln.window_time(ds, "echo"), "polar")
    >>> frequency.name, frequency.values(X).shape, frequency.time[:2].round(2).tolist()
    ('w ν', (3, 96), [169.34, 169.98])
    """
    part, time = checked_part(part), np.asarray(time, np.float64)
    if time.ndim > 1:
        names = [str(number + 1) for number in range(len(time))]
        given = known_protocols(protocols) if isinstance(protocols, xr.Dataset) else protocols
        known = [own if isinstance(own, KnownProtocol) else KnownProtocol(own) for own in given]
        return _of_protocols(time, part, known or [KnownProtocol(name) for name in names])
    if isinstance(part, Polar):
        grid, scale = grid_of(time, part), part.frequency_scale
        found = [("|M|", time[grid.amplitudes], 0, 1), (FREQUENCY, grid.middles, -scale, scale)]
    else:
        low = 0 if part == "magnitude" else -1
        found = [(name, time, low, 1) for name in COLUMN_NAMES[part]]
    edges = np.cumsum([0, *(len(own) for _, own, _, _ in found)])
    return [Block(*own, slice(*edges[n : n + 2].tolist())) for n, own in enumerate(found)]


def _of_protocols(
    times: npt.NDArray[np.float64], part: str | Polar, protocols: Sequence[KnownProtocol]
) -> list[Block]:
    """Blocks of one protocol after the other; of a polar pair the frequencies are one block."""
    found: list[Block] = []
    is_compared = isinstance(part, Polar) and is_pair(protocols)
    for time, protocol in zip(times, protocols, strict=True):
        first = found[-1].columns.stop if found else 0
        own = feature_blocks(time, part)
        for block in own[:1] if is_compared else own:
            columns = slice(first + block.columns.start, first + block.columns.stop)
            found.append(block._replace(columns=columns, protocol=protocol.name))
    if is_compared:
        frequency, first = feature_blocks(times[0], part)[1], found[-1].columns.stop
        columns = slice(first, first + len(frequency.time))
        found.append(frequency._replace(name=HALF_DIFFERENCE, columns=columns))
    return found


def column_times(blocks: Sequence[Block]) -> npt.NDArray[np.float64]:
    """Time of every column, µs."""
    return np.concatenate([block.time for block in blocks])


def column_names(blocks: Sequence[Block], unit: str | None) -> list[str]:
    """Names of the columns, such as "|M|(168.1 µs)"; without a unit, times are samples' numbers."""
    return [
        f"{block.name}({time}){f', {block.protocol}' if block.protocol else ''}"
        for block in blocks
        for time in _time_texts(block.time, unit)
    ]


def _time_texts(times: npt.NDArray[np.float64], unit: str | None) -> list[str]:
    if unit is None:
        return [f"sample {sample:.0f}" for sample in times]
    # The fewest decimals, at least one, that tell them apart.
    texts = []
    for decimals in range(1, 17):
        texts = [f"{time:.{decimals}f} {unit}" for time in times]
        if len(set(texts)) == len(texts):
            break
    return texts


def part_metadata(part: str | Polar) -> dict[str, Any]:
    """Entries of a model's metadata that say its part; none for |M|, as in earlier versions."""
    if isinstance(part, Polar):
        return {"part": POLAR, POLAR: as_metadata(part)}
    return {} if part == "magnitude" else {"part": part}


def part_of_metadata(metadata: Mapping[str, Any]) -> str | Polar:
    """Part that a model's metadata say, |M| where they say none.

    Raises
    ------
    InputError
        For what :func:`part_metadata` did not write.
    """
    part = checked_part(metadata.get("part", "magnitude"))
    if not isinstance(part, Polar):
        return part
    found = metadata.get(POLAR)
    names = list(as_metadata(part))
    if not isinstance(found, Mapping) or sorted(found) != sorted(names):
        raise InputError(
            f"metadata of features of amplitude and frequency must hold {', '.join(names)} in "
            f"{POLAR!r}, but hold {found!r}. Train the model again."
        )
    return Polar(*(found[name] for name in names))
