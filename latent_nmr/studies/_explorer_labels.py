"""Labels of the curves of an explorer's page, with the colours that figures give them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latent_nmr.analysis.dependence import rank_correlations
from latent_nmr.plots.style import KERNEL_STYLES, LABEL_TEXTS, UNKNOWN_MARKER, colour_table

if TYPE_CHECKING:
    import pandas as pd

# Labels that a page can be coloured by, in its order; of other names as many as fit a menu.
FIRST, MOST_OTHERS, MOST_CLASSES = ("W", "L", "alpha_x", "alpha_z", "kernel"), 6, 12
RMS_TEXT = "reconstruction error (rms)"
ORDERED = ("W", "L", "alpha_x", "alpha_z")
# Part of the curves whose error the colours tell from the largest.
LARGEST_PERCENTILE = 99


def colourings(
    table: "pd.DataFrame", names: Sequence[str]
) -> tuple[list[dict[str, Any]], dict[str, npt.NDArray]]:
    """Facts of each label, and `label/NAME`, its values: numbers, or numbers of classes."""
    others = [name for name in names if name not in FIRST][:MOST_OTHERS]
    wanted = [*(name for name in FIRST if name in names), "rms", *others]
    facts, arrays = [], {}
    for name in wanted:
        values = table[name].to_numpy()
        is_number = values.dtype.kind in "fiu"
        found = _number(name, values) if is_number else _classes(name, values)
        if found is not None:
            facts.append(found[0])
            arrays[f"label/{name}"] = found[1]
    return facts, arrays


def correlations(table: "pd.DataFrame", axes: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Rank correlation of every axis with the labels of simulations."""
    labels = {n: table[n].to_numpy() for n in ORDERED if n in table and table[n].dtype.kind == "f"}
    known = np.all([np.isfinite(v) for v in labels.values()], axis=0) if labels else slice(0)
    labels = {name: values[known] for name, values in labels.items()}
    return rank_correlations(table[list(axes)].to_numpy()[known], labels)


def _number(name: str, values: npt.NDArray) -> tuple[dict[str, Any], npt.NDArray]:
    numbers = values.astype(np.float32)
    known = numbers[np.isfinite(numbers)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if name == "rms" and len(known):
        high = float(np.percentile(known, LARGEST_PERCENTILE))
    return {
        "name": name,
        "text": RMS_TEXT if name == "rms" else _plain(LABEL_TEXTS.get(name, name)),
        "kind": "number",
        "limits": [low, high if high > low else low + 1],
        "colours": colour_table(name),
    }, numbers


def _classes(name: str, values: npt.NDArray) -> tuple[dict[str, Any], npt.NDArray] | None:
    names = [str(value) for value in values.tolist()]
    every = sorted(set(names))
    if len(every) > MOST_CLASSES:
        return None
    own = colour_table(name, len(every))
    styles = {
        one: KERNEL_STYLES.get(one, (one or "unknown", colour, UNKNOWN_MARKER))
        for one, colour in zip(every, own, strict=True)
    }
    codes = {one: code for code, one in enumerate(every)}
    return {
        "name": name,
        "text": LABEL_TEXTS.get(name, name),
        "kind": "class",
        "classes": [
            {"name": one, "text": text, "colour": colour, "marker": marker}
            for one, (text, colour, marker) in styles.items()
        ],
    }, np.array([codes[one] for one in names], np.uint8)


def _plain(text: str) -> str:
    return text.replace("$", "").replace("\\alpha", "α")
