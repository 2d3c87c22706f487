"""Figures of measured records: up to three for each, drawn when they are asked for."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

from latent_nmr.latent_axes import axis_names
from latent_nmr.studies.measurement._records import (
    FREQUENCIES,
    FileResult,
    RecordResult,
    ReferenceMap,
)

MAP_LABELS = ("W", "kernel")


def drawers(files: Sequence[FileResult], reference: ReferenceMap) -> dict[str, Callable[[], Any]]:
    """What draws each figure, by its name: FILE_RECORD_curves, and _map and _estimates."""
    found: dict[str, Callable[[], Any]] = {}
    for name, file in zip(file_names(files), files, strict=True):
        for record in file.records:
            found |= {
                f"{name}_{record.record}_{kind}": draw
                for kind, draw in record_drawers(file, record, reference).items()
            }
    return found


def file_names(files: Sequence[FileResult]) -> list[str]:
    """A name for each file in names of figures, of letters that any system takes, none twice."""
    names = [
        re.sub(r"[^\w-]+", "-", PurePath(file.path).stem).strip("-") or "file" for file in files
    ]
    counts = Counter(names)
    return [
        name if counts[name] == 1 else f"{number}-{name}" for number, name in enumerate(names, 1)
    ]


def record_drawers(
    file: FileResult, record: RecordResult, reference: ReferenceMap
) -> dict[str, Callable[[], Any]]:
    """What draws the figures that a record has: curves, and with a point map and estimates."""
    found: dict[str, Callable[[], Any]] = {"curves": lambda: draw_curves(file, record)}
    if record.point is not None:
        if len(record.point) > 1:
            found["map"] = lambda: draw_map(record, reference)
        if record.estimates and record.kernels:
            found["estimates"] = lambda: draw_estimates(file, record, reference)
    return found


def prior_ranges(file: FileResult, reference: ReferenceMap) -> dict[str, tuple[float, float]]:
    """Range of each number among the simulated curves; frequencies as those of the sample, MHz."""
    ranges = {}
    for label, values in reference.labels.items():
        if values.dtype.kind == "f":
            factor = file.time_factor if label in FREQUENCIES else 1.0
            ranges[label] = (float(factor * values.min()), float(factor * values.max()))
    return ranges


def draw_curves(file: FileResult, record: RecordResult) -> Any:
    """The measured curve on the record's own times."""
    from latent_nmr.plots.measurement import measured_curves

    return measured_curves(
        record.time / file.time_factor,
        record.measured,
        record.decoded,
        record.nearest,
        record.noise,
        nearest_text=_nearest_text(record),
    )


def draw_map(record: RecordResult, reference: ReferenceMap) -> Any:
    """The record's place among simulated curves, by W and by kernel."""
    from latent_nmr.plots.measurement import place_on_map

    point, covariance = record.point, record.covariance
    assert point is not None
    assert covariance is not None
    labels = {name: reference.labels[name] for name in MAP_LABELS if name in reference.labels}
    names = axis_names(len(point))
    return place_on_map(
        reference.points, labels, point, covariance, axis_names=names, radii=record.radii
    )


def draw_estimates(file: FileResult, record: RecordResult, reference: ReferenceMap) -> Any:
    """Labels and kernels."""
    from latent_nmr.plots.measurement import Interval, estimates_figure

    intervals = {
        label: Interval(one.mean, one.low68, one.high68, one.low95, one.high95)
        for label, one in record.estimates.items()
    }
    return estimates_figure(intervals, prior_ranges(file, reference), record.kernels)


def _nearest_text(record: RecordResult) -> str:
    """What is known of the nearest simulated curve."""
    from latent_nmr.plots.style import KERNEL_STYLES

    known, parts = record.nearest_labels, []
    for name, form in (("W", "W {:.3f} MHz"), ("L", "L {:.1f}")):
        if name in known:
            parts.append(form.format(known[name]))
    kernel = str(known.get("kernel", ""))
    parts += [KERNEL_STYLES.get(kernel, (kernel,))[0]] if kernel else []
    return ", ".join(parts)
