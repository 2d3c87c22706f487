"""What further echoes are expected to say, over their pulse angle, or over τ."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from latent_nmr.plots.style import LABEL_TEXTS, new_figure

GAIN, ERROR, CANDIDATE = "gain", "error", "candidate"
LINEAR, LINEAR_ERROR = "linear", "linear_error"
QUANTITIES = ("alpha_x", "alpha_z", "W", "L", "kernel")
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000")
# Degrees between echoes of other τ at one angle.
TAU_APART = 6
MARKERS = ("o", "s", "^", "D", "v")


def gain_figure(gains: pd.DataFrame) -> Figure:
    """Information gained over θ, and by how much each quantity narrows.

    Parameters
    ----------
    gains : DataFrame
        `candidate` (60, or 60+120, or 90:50 with τ), `gain` and `error` (nats), and a column for
        each quantity; with a linear check also `linear` and `linear_error`, drawn dashed beside
        them. Where all candidates have a τ, gains are drawn over it.
    """
    names = gains[CANDIDATE].str.split(":")
    angles, taus = names.str[0].str.split("+"), pd.to_numeric(names.str[1])
    is_over_tau = bool(taus.notna().all())
    table = gains.assign(
        place=taus if is_over_tau else angles.str[0].astype(float),
        n_echoes=angles.str.len(),
        tau=taus,
    ).sort_values("place")
    if not is_over_tau:
        table["place"] += _apart(table)
    figure = new_figure(8.6, 3.2, wspace=0.1)
    whole, parts = figure.subplots(1, 2)
    kinds = (
        (table["tau"].isna() & (table["n_echoes"] == 1), "one echo", "o-"),
        (table["tau"].isna() & (table["n_echoes"] > 1), "several, at the first θ", "s-"),
        (table["tau"].notna(), "other τ", "^-" if is_over_tau else "^"),
    )
    for (own, title, style), colour in zip(kinds, COLOURS, strict=False):
        _draw_gains(whole, table[own], title, style, colour)
        if not is_over_tau and table.loc[own, "tau"].notna().any():
            _name_taus(whole, table[own])
    is_one = table["n_echoes"] == 1
    _draw_parts(parts, table[is_one] if is_one.any() else table)
    whole.set_ylabel("expected gain (nats)")
    parts.set_ylabel("ln (deviation before / after)")
    for ax in (whole, parts):
        ax.set_xlabel("τ (µs)" if is_over_tau else "θ of the first pulse (°)")
        ax.axhline(0, color="0.7", linewidth=0.8)
    whole.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    if parts.get_legend_handles_labels()[1]:
        parts.legend(frameon=False, fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _draw_gains(ax: Axes, table: pd.DataFrame, title: str, style: str, colour: str) -> None:
    """Gains of one kind of candidates, and filled with white those of the linear check."""
    known = table.dropna(subset=[GAIN])
    look = {"capsize": 2, "color": colour}
    if len(known):
        ax.errorbar(known["place"], known[GAIN], known[ERROR], fmt=style, label=title, **look)
    if len(table) and LINEAR in table:
        dashed, said = style.replace("-", "--"), f"{title}: linear"
        numbers = table["place"], table[LINEAR], table[LINEAR_ERROR]
        ax.errorbar(*numbers, fmt=dashed, label=said, markerfacecolor="white", **look)


def _apart(table: pd.DataFrame) -> pd.Series:
    """By how much echoes of other τ at one angle are drawn beside it, degrees."""
    ranks = table.groupby("place")["tau"].rank()
    middles = ranks.groupby(table["place"]).transform("mean")
    return (TAU_APART * (ranks - middles)).fillna(0)


def _name_taus(ax: Axes, table: pd.DataFrame) -> None:
    names = (LINEAR, LINEAR_ERROR) if LINEAR in table else (GAIN, ERROR)
    for place, tau, height, error in table[["place", "tau", *names]].to_numpy():
        where = {"xytext": (0, -4), "textcoords": "offset points", "ha": "center", "va": "top"}
        text = f"{tau:g} µs"
        ax.annotate(text, (place, height - error), rotation=90, fontsize="x-small", **where)


def _draw_parts(ax: Axes, table: pd.DataFrame) -> None:
    shown = table.dropna(subset=[QUANTITIES[0]])
    shown = shown[shown["tau"].isna()] if shown["tau"].isna().any() else shown
    names = [name for name in QUANTITIES if shown[name].notna().any()]
    for name, colour, marker in zip(names, COLOURS, MARKERS, strict=False):
        text = LABEL_TEXTS.get(name, name).split(" (")[0]
        ax.plot(shown["place"], shown[name], marker=marker, color=colour, label=text, markersize=4)
