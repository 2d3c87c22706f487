"""What further echoes are expected to say, over their pulse angle."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_nmr.plots.style import LABEL_TEXTS, new_figure

GAIN, ERROR, CANDIDATE = "gain", "error", "candidate"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
MARKERS = ("o", "s", "^", "D", "v")


def gain_figure(gains: pd.DataFrame) -> Figure:
    """Information gained over θ, and by how much each quantity narrows.

    Parameters
    ----------
    gains : DataFrame
        `candidate` (60 or 60+120), `gain` and `error` (nats), and a column for each quantity.
    """
    angles = gains[CANDIDATE].str.split("+")
    table = gains.assign(angle=angles.str[0].astype(float), n_echoes=angles.str.len())
    figure = new_figure(8.6, 3.2, wspace=0.1)
    whole, parts = figure.subplots(1, 2)
    for n_echoes, own in table.sort_values("angle").groupby("n_echoes"):
        is_one = n_echoes == 1
        whole.errorbar(
            own["angle"],
            own[GAIN],
            own[ERROR],
            fmt="o-" if is_one else "s--",
            capsize=2,
            color=COLOURS[0] if is_one else COLOURS[1],
            label="one echo" if is_one else "several, at their first angle",
        )
        if is_one or (table["n_echoes"] > 1).all():
            _draw_parts(parts, own)
    whole.set_ylabel("expected gain (nats)")
    parts.set_ylabel("ln (deviation before / after)")
    for ax in (whole, parts):
        ax.set_xlabel("θ of the first pulse (°)")
        ax.axhline(0, color="0.7", linewidth=0.8)
    whole.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    parts.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _draw_parts(ax: Axes, table: pd.DataFrame) -> None:
    known = {CANDIDATE, GAIN, ERROR, "angle", "n_echoes"}
    names = [name for name in table if name not in known]
    for name, colour, marker in zip(names, COLOURS, MARKERS, strict=False):
        text = LABEL_TEXTS.get(str(name), str(name)).split(" (")[0]
        ax.plot(table["angle"], table[name], marker=marker, color=colour, label=text, markersize=4)
