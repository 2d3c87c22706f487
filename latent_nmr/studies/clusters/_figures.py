"""Figures of the clusters, from the facts and arrays of a result."""

from collections.abc import Mapping
from typing import Any

import numpy as np

Facts = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]


def overview(facts: Facts, arrays: Arrays) -> Any:
    """Maps of the first two components, the choice of K, and the mean curves of the least K."""
    from latent_nmr.plots.baselines import Scree, baselines_figure

    sums, silhouettes = ({int(k): v for k, v in facts[of].items()} for of in ("sse", "silhouette"))
    return baselines_figure(
        arrays["scores"],
        facts["pca"]["explained_variance_ratio"],
        {name: arrays[f"label {name}"] for name in facts["map_labels"]},
        Scree(sums, silhouettes),
        _lines(facts, arrays, next(iter(facts["clusters"]))),
        arrays["time"],
        **_common(facts),
    )


def described(facts: Facts, arrays: Arrays) -> Any:
    """Mean curves for every number of clusters that is described."""
    from latent_nmr.plots.baselines import clusters_figure

    lines = {int(count): _lines(facts, arrays, count) for count in facts["clusters"]}
    return clusters_figure(lines, arrays["time"], **_common(facts))


def _common(facts: Facts) -> dict[str, Any]:
    from latent_nmr.plots.style import SIGNAL_TEXTS, TIME_TEXT

    is_echo = facts["normalisation"] is not None
    return {
        "signal_text": SIGNAL_TEXTS[facts["normalisation"]] if is_echo else "value",
        "time_text": TIME_TEXT if is_echo else "feature",
        "marks": facts["marks"],
    }


def _lines(facts: Facts, arrays: Arrays, count: str) -> list[Any]:
    """Clusters of one K as they are drawn."""
    from latent_nmr.plots.baselines import ClusterCurve

    bands = (arrays[f"{name} {count}"] for name in ("mean", "lower", "upper"))
    lines = []
    members = facts["clusters"][count]["members"]
    for number, (member, mean, lower, upper) in enumerate(zip(members, *bands, strict=True), 1):
        text = f"cluster {number}: "
        if "W_MHz" in member:
            low, high = member["W_MHz"]["lowest"], member["W_MHz"]["highest"]
            text += f"W {low:.2f} to {high:.2f} MHz, "
        lines.append(ClusterCurve(mean, lower, upper, text + f"{member['n_curves']} curves"))
    return lines
