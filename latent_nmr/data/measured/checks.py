"""What no record of a receiver looks like: holes, zeros, single samples beyond all others."""

from typing import Any

import numpy as np
import numpy.typing as npt

from latent_nmr.data.measured.reading import LONGEST_DWELL, SHORTEST_DWELL, ComplexArray
from latent_nmr.data.measured.steps import Step
from latent_nmr.errors import EchoFileError

MIN_POINTS = 8
LARGEST, SMALLEST = 1e30, 1e-30
# No single sample of a record stands so far above the next in height, nor do a few of them.
JUMP = 1e4
FEW = 8
# Samples that are zero one behind another, of records that are rounded to whole numbers.
BLANKED = 3
LISTED = 20
_AGAIN = "The file is damaged, or of another kind than it says. Copy or export it again."


def check_values(path: object, signal: ComplexArray) -> None:
    """Refuse records, shape (n_records, n_points), that no receiver gave."""
    if signal.ndim != 2 or signal.shape[0] < 1 or signal.shape[1] < MIN_POINTS:
        raise EchoFileError(
            path,
            f"there must be records of at least {MIN_POINTS} points, but the shape is "
            f"{signal.shape}",
            "Give a file with echoes.",
        )
    bad = np.argwhere(~np.isfinite(signal))
    if len(bad):
        record, sample = bad[0].tolist()
        raise EchoFileError(
            path,
            f"signals must be finite, but sample {sample} of record {record} is "
            f"{signal[record, sample]:g}",
            _AGAIN,
        )
    size = np.abs(signal)
    largest = size.max()
    if largest == 0:
        raise EchoFileError(
            path,
            f"there must be a signal, but all {signal.size} samples are zero",
            "It is a template, or nothing was acquired. Give the file of a finished run.",
        )
    if not SMALLEST < largest < LARGEST:
        raise EchoFileError(
            path,
            f"the largest |M| must be between {SMALLEST:g} and {LARGEST:g}, but is {largest:g}",
            _AGAIN,
        )
    _refuse_jumps(path, size)


def _refuse_jumps(path: object, size: npt.NDArray[np.float64]) -> None:
    """Refuse a few samples that stand far above all others, as those with a changed exponent do."""
    flat = size.ravel()
    n_looked_at = min(FEW + 1, flat.size)
    order = np.argpartition(flat, flat.size - n_looked_at)[-n_looked_at:]
    order = order[np.argsort(flat[order])[::-1]]
    heights = flat[order]
    jumps = np.flatnonzero(heights[:-1] > JUMP * heights[1:])
    if jumps.size:
        record, sample = divmod(int(order[0]), size.shape[1])
        raise EchoFileError(
            path,
            f"no samples may stand {JUMP:g} times above all others, but sample {sample} of record "
            f"{record} is {heights[0]:.3g} and all but {int(jumps[0]) + 1} are at most "
            f"{heights[jumps[0] + 1]:.3g}",
            _AGAIN,
        )


def check_dwell(path: object, dwell: float | None) -> float:
    """Return the time between samples in µs, or refuse one that is missing or absurd."""
    if dwell is None or not np.isfinite(dwell) or not SHORTEST_DWELL <= dwell <= LONGEST_DWELL:
        stated = "the file does not say it" if dwell is None else f"the file says {dwell:g} µs"
        raise EchoFileError(
            path,
            f"the time between samples must be between {SHORTEST_DWELL:g} and {LONGEST_DWELL:g} "
            f"µs, but {stated}",
            "State it: dwell=…, in µs.",
        )
    return float(dwell)


def without_empty(signal: ComplexArray) -> tuple[ComplexArray, list[int], tuple[Step, ...]]:
    """Records with a signal, their numbers, and a step where others were left out."""
    is_full = np.abs(signal).max(axis=1) > 0
    numbers = np.flatnonzero(is_full).tolist()
    if is_full.all():
        return signal, numbers, ()
    empty = np.flatnonzero(~is_full).tolist()
    detail = f"Left out {len(empty)} of {len(signal)} records, in which all samples are zero."
    values = {"records": empty[:LISTED], "count": len(empty)}
    return signal[is_full], numbers, (Step("empty_records", detail, values),)


def blanked(signal: ComplexArray, first_time: float, dwell: float) -> tuple[Step, ...]:
    """A step that lists where records are zero, of which noise must not be estimated."""
    ranges: dict[tuple[int, int], list[int]] = {}
    for record, row in enumerate(signal):
        for start, stop in zero_runs(row == 0):
            ranges.setdefault((start, stop), []).append(record)
    if not ranges:
        return ()
    found: list[dict[str, Any]] = [
        {
            "first": start,
            "last": stop - 1,
            "from": first_time + dwell * start,
            "to": first_time + dwell * (stop - 1),
            "records": "all" if len(records) == len(signal) else records[:LISTED],
        }
        for (start, stop), records in sorted(ranges.items())
    ]
    n_points, n_records = signal.shape[1], len({r for own in ranges.values() for r in own})
    first = found[0]
    more = f" and {len(found) - 1} more ranges" if len(found) > 1 else ""
    detail = (
        f"{n_records} of {len(signal)} records are exactly zero from {first['from']:g} to "
        f"{first['to']:g} µs (samples {first['first']} to {first['last']} of {n_points}){more}: "
        "noise must not be estimated there."
    )
    values = {"ranges": found[:LISTED], "count": len(found)}
    return (Step("blanked", detail, values),)


def zero_runs(is_zero: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges (start, stop) of at least `BLANKED` samples that are zero, one behind another."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_zero.astype(np.int8), [0]])))
    pairs = edges.reshape(-1, 2).tolist()
    return [(start, stop) for start, stop in pairs if stop - start >= BLANKED]
