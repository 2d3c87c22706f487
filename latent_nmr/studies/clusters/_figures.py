"""Figures of the clusters, from the facts and arrays of a result."""

from collections.abc import Mapping
from typing import Any

import numpy as np

Facts = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]


def overview(facts: Facts, arrays: Arrays) -> Any:
    """Maps of the first two components, the choice of K, and the mean curves of the least K.

    Of features that are several quantities, the curves are those of the first.
    """
    from latent_nmr.plots.baselines import Scree, baselines_figure

    sums, silhouettes = ({int(k): v for k, v in facts[of].items()} for of in ("sse", "silhouette"))
    quantity = _quantities(facts, arrays)[0]
    return baselines_figure(
        arrays["scores"],
        facts["pca"]["explained_variance_ratio"],
        {name: arrays[f"label {name}"] for name in facts["map_labels"]},
        Scree(sums, silhouettes),
        _lines(facts, arrays, next(iter(facts["clusters"])), quantity),
        quantity.time,
        **_common(facts, quantity),
    )


def suffixes(facts: Facts, arrays: Arrays) -> list[str]:
    """Ends of the names of the figures that show one quantity each."""
    from latent_nmr.studies.latent_figures import quantity_suffixes

    is_echo = facts["normalisation"] is not None
    return quantity_suffixes(facts, arrays["time"]) if is_echo else [""]


def described(facts: Facts, arrays: Arrays, number: int) -> Any:
    """Mean curves for every number of clusters that is described, of one quantity."""
    from latent_nmr.plots.baselines import clusters_figure

    quantity = _quantities(facts, arrays)[number]
    lines = {int(count): _lines(facts, arrays, count, quantity) for count in facts["clusters"]}
    return clusters_figure(lines, quantity.time, **_common(facts, quantity))


def _quantities(facts: Facts, arrays: Arrays) -> list[Any]:
    from latent_nmr.plots.curves import Quantity
    from latent_nmr.studies.latent_figures import quantities_of

    if facts["normalisation"] is None:
        return [Quantity("value", arrays["time"])]
    return quantities_of(facts, arrays["time"])


def _common(facts: Facts, quantity: Any) -> dict[str, Any]:
    from latent_nmr.plots.style import TIME_TEXT

    return {
        "signal_text": quantity.text,
        "time_text": TIME_TEXT if facts["normalisation"] is not None else "feature",
        "marks": facts["marks"] if quantity.marks is None else quantity.marks,
    }


def _lines(facts: Facts, arrays: Arrays, count: str, quantity: Any) -> list[Any]:
    """Clusters of one K as they are drawn."""
    from latent_nmr.plots.baselines import ClusterCurve

    bands = (quantity.values(arrays[f"{name} {count}"]) for name in ("mean", "lower", "upper"))
    lines = []
    members = facts["clusters"][count]["members"]
    for number, (member, mean, lower, upper) in enumerate(zip(members, *bands, strict=True), 1):
        text = f"cluster {number}: "
        if "W_MHz" in member:
            low, high = member["W_MHz"]["lowest"], member["W_MHz"]["highest"]
            text += f"W {low:.2f} to {high:.2f} MHz, "
        lines.append(ClusterCurve(mean, lower, upper, text + f"{member['n_curves']} curves"))
    return lines
