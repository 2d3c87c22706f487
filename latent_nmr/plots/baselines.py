"""PCA maps and K-means clusters of a data set: their number and their mean curves."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from latent_nmr.plots.latent import latent_map
from latent_nmr.plots.style import TIME_TEXT, mark_times, new_figure, own_axes

FloatArray = npt.NDArray[np.floating]

# Colours of Okabe and Ito that no kernel has; line styles distinguish them in greyscale.
CLUSTER_STYLES = (("#E69F00", "-"), ("#56B4E9", "--"), ("#CC79A7", "-."), ("#000000", ":"))
SUMS_COLOUR, SILHOUETTE_COLOUR = "#0072B2", "#D55E00"
# Points above a frame: letters of panels stand over the names of pulses and echo.
LETTER_PAD = 14
# Of a row of the legend, as a fraction of the panel's height.
ROW_HEIGHT = 0.07


class ClusterCurve(NamedTuple):
    """Mean curve, band and legend entry of a cluster.

    Attributes
    ----------
    mean, lower, upper : ndarray, shape (n_features,)
        Mean curve, and the edges of its band.
    text : str
        Legend entry.
    """

    mean: FloatArray
    lower: FloatArray
    upper: FloatArray
    text: str


class Scree(NamedTuple):
    """Criteria for the number of clusters K.

    Attributes
    ----------
    sums : mapping of float
        Sum of squares within clusters by K, with K = 1.
    silhouettes : mapping of float or None
        Mean silhouette by K > 1; None is not drawn.
    """

    sums: Mapping[int, float]
    silhouettes: Mapping[int, float | None]


def scree_plot(
    sums: Mapping[int, float],
    silhouettes: Mapping[int, float | None],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the SSE within K clusters, as a fraction of that of one, and mean silhouettes.

    Parameters
    ----------
    sums : mapping of float
        Sum of squares within clusters by K, with K = 1.
    silhouettes : mapping of float or None
        Mean silhouette by K > 1; None is not drawn.
    ax : Axes, optional
        Where to draw; by default a new figure.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import latent_nmr as ln
    >>> ax = ln.plots.scree_plot({1: 9.0, 2: 3.0, 3: 2.5}, {2: 0.7, 3: 0.5})
    >>> ax.get_xlabel()
    'number of clusters K'
    """
    ax = own_axes(ax)
    counts = sorted(sums)
    fractions = [sums[count] / sums[1] for count in counts]
    (left,) = ax.plot(counts, fractions, "o-", color=SUMS_COLOUR, label="SSE")
    ax.set(xlabel="number of clusters K", ylabel="SSE(K) / SSE(1)", ylim=(0, 1.05))
    ax.set_xticks(counts)
    defined = {count: score for count, score in silhouettes.items() if score is not None}
    twin = ax.twinx()
    (right,) = twin.plot(
        list(defined), list(defined.values()), "s--", color=SILHOUETTE_COLOUR, label="silhouette"
    )
    twin.set_ylabel("mean silhouette")
    twin.set_ylim(min(0, *defined.values(), 0), 1.05)
    for side, line in ((ax, left), (twin, right)):
        side.yaxis.label.set_color(line.get_color())
        side.tick_params(axis="y", colors=line.get_color())
    ax.legend(handles=[left, right], loc="upper right", edgecolor="white", framealpha=1)
    return ax


def cluster_curves(
    time: FloatArray,
    clusters: Sequence[ClusterCurve],
    *,
    signal_text: str,
    time_text: str = TIME_TEXT,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the mean curve of each cluster on its band.

    Parameters
    ----------
    time : ndarray, shape (n_features,)
        µs.
    clusters : sequence of ClusterCurve
    signal_text : str
        What the curves are.
    time_text : str
        What they run over.
    marks : mapping, optional
        Name and time of pulses and echo.
    ax : Axes, optional
    """
    ax = own_axes(ax, 5.2, 3.4)
    for number, cluster in enumerate(clusters):
        colour, dashes = CLUSTER_STYLES[number % len(CLUSTER_STYLES)]
        ax.fill_between(time, cluster.lower, cluster.upper, color=colour, alpha=0.25, linewidth=0)
        ax.plot(time, cluster.mean, dashes, color=colour, linewidth=1.6, label=cluster.text)
    limits = float(time[0]), float(time[-1])
    mark_times(ax, dict(marks or {}), limits)
    ax.set(xlabel=time_text, ylabel=signal_text, xlim=limits)
    # Room above the curves for the legend, which hides the dotted lines behind it.
    highest = max(float(cluster.upper.max()) for cluster in clusters)
    bottom = min(0.0, *(1.05 * float(cluster.lower.min()) for cluster in clusters))
    share = 0.95 - ROW_HEIGHT * len(clusters)
    ax.set_ylim(bottom, bottom + (highest - bottom) / share)
    ax.legend(loc="upper right", edgecolor="white", framealpha=1, fontsize="small")
    return ax


def baselines_figure(
    scores: FloatArray,
    explained: Sequence[float],
    labels: Mapping[str, npt.NDArray],
    scree: Scree,
    clusters: Sequence[ClusterCurve],
    time: FloatArray,
    *,
    signal_text: str,
    time_text: str = TIME_TEXT,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw maps of the first two principal components over the scree and the clusters' curves.

    The figure 6 of A. Rao et al., Phys. Rev. Research 5, 043098 (2023).

    Parameters
    ----------
    scores : ndarray, shape (n_curves, n_components)
        At least two components.
    explained : sequence of float
        Fraction of the variance that each explains.
    labels : mapping of ndarray, shape (n_curves,)
        One map for each; without any, one map without colours.
    scree : Scree
    clusters : sequence of ClusterCurve
    time : ndarray, shape (n_features,)
        µs.
    signal_text : str
        What the curves are.
    time_text : str
        What they run over.
    marks : mapping, optional
        Name and time of pulses and echo.
    """
    if len(labels) > 1:
        figure = new_figure(10.0, 7.2)
        upper, lower = figure.subfigures(2, 1, height_ratios=[3.7, 3.5], squeeze=False).flat
    else:  # one map would be far too wide for a row of its own
        figure = new_figure(12.5, 3.7)
        upper, lower = figure.subfigures(1, 2, width_ratios=[3.7, 8.8], squeeze=False).flat
    names = [
        f"PC{k + 1} ({100 * share:.1f} % of variance)" for k, share in enumerate(explained[:2])
    ]
    maps = _draw_maps(upper, scores, labels, names)
    left, right = lower.subplots(1, 2, width_ratios=[1, 1.5])
    scree_plot(*scree, ax=left)
    cluster_curves(
        time, clusters, signal_text=signal_text, time_text=time_text, marks=marks, ax=right
    )
    _set_letters([*maps, left, right])
    return figure


def clusters_figure(
    by_count: Mapping[int, Sequence[ClusterCurve]],
    time: FloatArray,
    *,
    signal_text: str,
    time_text: str = TIME_TEXT,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the clusters' curves for several numbers of clusters side by side.

    Parameters
    ----------
    by_count : mapping of sequence of ClusterCurve
        By the number of clusters.
    time : ndarray, shape (n_features,)
        µs.
    signal_text : str
        What the curves are.
    time_text : str
        What they run over.
    marks : mapping, optional
        Name and time of pulses and echo.
    """
    figure = new_figure(4.9 * len(by_count), 3.7)
    row = figure.subplots(1, len(by_count), sharey=True, squeeze=False)[0]
    frames = []
    for ax, (count, clusters) in zip(row, by_count.items(), strict=True):
        text = signal_text if ax is row[0] else ""
        cluster_curves(time, clusters, signal_text=text, time_text=time_text, marks=marks, ax=ax)
        ax.set_title(f"K = {count}", fontsize="medium", pad=LETTER_PAD)
        frames.append(ax.get_ylim())  # at once: the next panel changes what they share
    bottoms, tops = zip(*frames, strict=True)
    row[0].set_ylim(min(bottoms), max(tops))
    _set_letters(row)
    return figure


def _draw_maps(
    figure: SubFigure, scores: FloatArray, labels: Mapping[str, npt.NDArray], names: list[str]
) -> list[Axes]:
    """Draw one map per label on common axes, or one without colours."""
    row = figure.subplots(1, max(len(labels), 1), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (label, values) in zip(row, labels.items(), strict=False):
        latent_map(scores, values, label, axis_names=names, ax=ax)
        if ax is not row[0]:
            ax.set_ylabel("")
    if not labels:
        size = float(np.clip(6000 / len(scores), 1.5, 14))
        row[0].scatter(scores[:, 0], scores[:, 1], s=size, c="0.4", lw=0)
        row[0].set(xlabel=names[0], ylabel=names[1])
    for ax in row:
        for points in ax.collections:
            # Fifteen thousand marks as lines would make a file of megabytes.
            points.set_rasterized(True)
    return list(row)


def _set_letters(panels: Sequence[Axes]) -> None:
    for letter, ax in zip("abcdefgh", panels, strict=False):
        ax.set_title(f"({letter})", loc="left", fontsize="medium", pad=LETTER_PAD)
