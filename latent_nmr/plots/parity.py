"""Parity plots: predicted over true values of continuous targets."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_nmr.plots.probes import CLASS_STYLES
from latent_nmr.plots.style import new_figure

FloatArray = npt.NDArray[np.floating]

# More points than this hide each other; R² is computed from all of them.
MOST_POINTS = 1000


def parity_figure(
    truths: Mapping[str, FloatArray],
    predictions: Mapping[str, Mapping[str, FloatArray]],
    kernels: npt.NDArray[np.str_] | None,
    label_texts: Mapping[str, str],
) -> Figure:
    """Draw predicted over true values: a row per kind of features, a column per target.

    Parameters
    ----------
    truths : mapping of ndarray, shape (n_curves,)
        By target.
    predictions : mapping of mapping of ndarray, shape (n_curves,)
        By kind of features, then target.
    kernels : ndarray of str, optional
        Colours the points.
    label_texts : mapping of str
        Target with its unit.

    Returns
    -------
    Figure

    Examples
    --------
    >>> import numpy as np
    >>> import latent_nmr as ln
    >>> W = np.linspace(0.1, 0.3, 50)
    >>> predicted = W + np.random.default_rng(0).normal(0, 0.01, 50)
    >>> figure = ln.plots.parity_figure({"W": W}, {"points": {"W": predicted}}, None,
    ...                                 {"W": "W (MHz)"})
    >>> figure.axes[0].get_xlabel()
    'true W (MHz)'
    """
    figure = new_figure(2.7 * len(truths) + 0.4, 2.8 * len(predictions) + 0.4)
    axes = figure.subplots(len(predictions), len(truths), squeeze=False)
    for row, (features, by_target) in zip(axes, predictions.items(), strict=True):
        for ax, (target, truth) in zip(row, truths.items(), strict=True):
            draw_parity(ax, truth, by_target[target], kernels)
            ax.set_xlabel(f"true {label_texts[target]}")
            words = f"{features}\n" if target == next(iter(truths)) else ""
            ax.set_ylabel(f"{words}predicted {label_texts[target]}")
    if kernels is not None:
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(
            handles, names, loc="outside upper center", ncols=3, frameon=False, markerscale=4
        )
    return figure


def draw_parity(
    ax: Axes, truth: FloatArray, predicted: FloatArray, kernels: npt.NDArray[np.str_] | None
) -> None:
    """Draw predicted over true values with the line of equality; R², if any, as the title."""
    shown = slice(None, None, -(-len(truth) // MOST_POINTS))
    if kernels is None:
        ax.plot(truth[shown], predicted[shown], ".", markersize=2, alpha=0.4, color="0.3")
    else:
        for name in dict.fromkeys(kernels.tolist()):
            title, colour = CLASS_STYLES.get(name, (name, "0.3"))
            rows = np.flatnonzero(kernels[shown] == name) * (shown.step or 1)
            ax.plot(truth[rows], predicted[rows], ".", markersize=2, alpha=0.35, color=colour,
                    label=title)  # fmt: skip
    ends = [float(truth.min()), float(truth.max())]
    ax.plot(ends, ends, color="black", linewidth=0.8)
    span = ends[1] - ends[0]
    # Of one true value, the predictions decide what is shown.
    margin = 0.05 * span if span else max(float(np.abs(predicted - ends[0]).max()), 1e-12)
    limits = (ends[0] - margin, ends[1] + margin)
    ax.set(xlim=limits, ylim=limits, box_aspect=1)
    if not span:
        ax.set_title("one true value: no R²", fontsize="small")
        return
    score = 1 - np.sum((truth - predicted) ** 2) / np.sum((truth - truth.mean()) ** 2)
    ax.set_title(f"R² = {score:.3f}", fontsize="small")
