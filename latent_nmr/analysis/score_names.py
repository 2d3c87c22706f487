"""The scores by which representations are compared: names, words, and which way is better.

Names are those of JSON and CSV files; titles those of tables and pages.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

NEIGHBOURS = "nearest neighbours in the coordinates"
# Methods that come with the package, and the bounds of every table.
METHOD_TITLES = {
    "vae": "β-VAE",
    "thorough": "β-VAE, thorough",
    "vae-repeats": "β-VAE with repeats",
    "pca": "PCA",
    "repeat-pca": "PCA with repeats",
    "umap": "UMAP",
    "kmeans": "K-means distances",
    "forest": "random forest on the curves (ceiling)",
    "bottleneck": "supervised bottleneck (ceiling)",
    "shuffled": "shuffled labels (floor)",
}


class Score(NamedTuple):
    """One score.

    Attributes
    ----------
    title : str
        Head of its column.
    group : str
        What it belongs to: `data`, `regression`, `classification`, `order`, `shape`, `axes`.
    meaning : str
        One sentence.
    digits : int
        Decimals worth printing.
    larger_is_better : bool or None
        None where neither is.
    needs_labels : bool
    target : str
        Label that is predicted or compared with; empty for none.
    subset : str
        Kernels that it is restricted to, or the classes that are distinguished; empty for all.
    """

    title: str
    group: str
    meaning: str
    digits: int = 3
    larger_is_better: bool | None = True
    needs_labels: bool = True
    target: str = ""
    subset: str = ""


SCORES: dict[str, Score] = {
    "rms": Score(
        "rms",
        "data",
        "Root mean square of curve minus reconstruction, in units of |M(0)|, on the held-out part.",
        digits=4,
        larger_is_better=False,
        needs_labels=False,
    ),
    "r2_W": Score("R² W", "regression", f"R² of W from {NEIGHBOURS}.", target="W"),
    "r2_alpha_x": Score("R² α_x", "regression", f"R² of α_x from {NEIGHBOURS}.", target="alpha_x"),
    "r2_alpha_z": Score("R² α_z", "regression", f"R² of α_z from {NEIGHBOURS}.", target="alpha_z"),
    "r2_L": Score("R² L", "regression", f"R² of L from {NEIGHBOURS}, all kernels.", target="L"),
    "r2_L_power": Score(
        "R² L, power law",
        "regression",
        "R² of L fitted and scored on curves of the power law alone.",
        target="L",
        subset="power",
    ),
    "r2_L_others": Score(
        "R² L, others",
        "regression",
        "R² of L fitted and scored on curves of all other kernels.",
        target="L",
        subset="others",
    ),
    "f1_binary": Score(
        "F1 power",
        "classification",
        "F1 of the class power law, against the rest.",
        target="kernel",
        subset="power",
    ),
    "f1_macro": Score(
        "F1 macro",
        "classification",
        "Mean of the F1 of power law and of the rest, equally weighted.",
        target="kernel",
        subset="power",
    ),
    "f1_weighted": Score(
        "F1 weighted",
        "classification",
        "The same mean, weighted by the size of the classes.",
        target="kernel",
        subset="power",
    ),
    "f1_kernels_macro": Score(
        "F1 three kernels",
        "classification",
        "Mean of the F1 of the three kernels.",
        target="kernel",
    ),
    "silhouette_kernel": Score(
        "silhouette",
        "shape",
        "Mean silhouette of the kernels in the coordinates, -1 to 1.",
        target="kernel",
    ),
    "adjusted_rand": Score(
        "ARI",
        "shape",
        "Adjusted Rand index of the kernels with K-means(3) in the coordinates, fitted on the "
        "training part; 0 is chance.",
        target="kernel",
    ),
    "trustworthiness": Score(
        "trustworthiness",
        "shape",
        "1 if neighbours in the coordinates are neighbours among the curves.",
        needs_labels=False,
    ),
    "continuity": Score(
        "continuity",
        "shape",
        "1 if neighbours among the curves are neighbours in the coordinates.",
        needs_labels=False,
    ),
    "repeat_scatter": Score(
        "scatter of repeats",
        "shape",
        "Standard deviation of repeats about their material over that of all; mean of axes.",
        larger_is_better=False,
        needs_labels=False,
    ),
    "active_axes": Score(
        "active axes",
        "axes",
        "Latent axes of a VAE whose posterior means have a variance above 0.1.",
        digits=1,
        larger_is_better=None,
        needs_labels=False,
    ),
}
REGRESSION = tuple(name for name, score in SCORES.items() if score.group == "regression")
CLASSIFICATION = tuple(name for name, score in SCORES.items() if score.group == "classification")
# Scores that sum up how well W, L and kernel are predicted.
HEADLINES = ("r2_W", "r2_alpha_x", "r2_L", "f1_macro")
ORDERED_LABELS = ("W", "L")

ORDER_PREFIX = "rho"
# What kept results of earlier versions call a score, and what it is called.
FORMER_NAMES = {"live_axes": "active_axes"}


def by_current_name(values: Mapping[str, Any]) -> dict[str, Any]:
    """What a kept result holds by the names of scores, under the names that they have now."""
    return {FORMER_NAMES.get(name, name): value for name, value in values.items()}


def order_name(axis: int, label: str) -> str:
    """Name of |ρ| of an axis, counted from 1, with a label: ``rho_1_W``."""
    return f"{ORDER_PREFIX}_{axis}_{label}"


def order_scores(names: Collection[str]) -> dict[str, Score]:
    """The scores |ρ| among `names`, in their order."""
    found = {}
    for name in names:
        prefix, _, rest = name.partition("_")
        if prefix == ORDER_PREFIX:
            axis, _, label = rest.partition("_")
            found[name] = Score(
                f"|ρ| axis {axis}, {label}",
                "order",
                f"Size of Spearman's coefficient of axis {axis} with {label}.",
                larger_is_better=None,  # which axis orders what is not a matter of good or bad
                target=label,
                subset=f"axis {axis}",
            )
    return found


def label_scores(names: Collection[str]) -> dict[str, Score]:
    """The scores of labels other than those of simulated echoes among `names`."""
    found = {}
    for name in names:
        if name in SCORES:
            continue
        if name.startswith("r2_"):
            label = name.removeprefix("r2_")
            meaning = f"R² of {label} from {NEIGHBOURS}."
            found[name] = Score(f"R² {label}", "regression", meaning, target=label)
        elif name.startswith("f1_") and name.endswith("_macro"):
            label = name.removeprefix("f1_").removesuffix("_macro")
            meaning = f"Mean of the F1 of the classes of {label}."
            found[name] = Score(f"F1 {label}", "classification", meaning, target=label)
    return found


def in_order(names: Collection[str]) -> list[str]:
    """Names of scores in the order of `SCORES`, then those of other labels, |ρ| last."""
    known = [name for name in SCORES if name in names]
    return known + list(label_scores(names)) + sorted(order_scores(names))


def score_of(name: str) -> Score:
    """What is known of a score.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    return (SCORES | label_scores([name]) | order_scores([name]))[name]
