"""Words for scores and for differences between them; the rule by which a difference counts.

A difference of two means *exceeds the spread* if it is larger than the sum of both sample
deviations over seeds: then the intervals mean ± deviation do not touch. That is stricter than
their root sum of squares, on purpose: a few seeds estimate a deviation poorly, and a table holds
many differences. Seeds share one split, so the spread is that of the fits, not of the curves
drawn.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from latent_nmr.analysis.score_names import METHOD_TITLES, score_of
from latent_nmr.report.score_table import Cell, Row

SPREAD_RULE = (
    "A difference is more than the spread if it exceeds the sum of both standard deviations over "
    "seeds; all seeds share one split, so this is the spread of the fits, not of the curves drawn."
)
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
ABOVE, BELOW, LEVEL = "above", "below", "level"


class Difference(NamedTuple):
    """One score of two rows."""

    ours: Cell
    theirs: Cell

    @property
    def has_spread(self) -> bool:
        """Whether either has several seeds."""
        return max(len(self.ours.values), len(self.theirs.values)) > 1

    @property
    def side(self) -> str:
        """`ABOVE` or `BELOW` by more than the spread, else `LEVEL`; of single seeds by any bit."""
        gain = self.ours.mean - self.theirs.mean
        if abs(gain) <= self.ours.deviation + self.theirs.deviation:
            return LEVEL
        return ABOVE if gain > 0 else BELOW

    @property
    def ratio(self) -> float | None:
        """Ours over theirs; None unless both are positive, and theirs by more than its spread."""
        if self.ours.mean <= 0 or self.theirs.mean <= self.theirs.deviation:
            return None
        return self.ours.mean / self.theirs.mean

    @property
    def words(self) -> str:
        """Side in words."""
        if not self.has_spread:
            return "equal" if self.side == LEVEL else self.side
        return "within the spread" if self.side == LEVEL else f"{self.side} by more than the spread"


def cell_of(row: Row | None, score: str) -> Cell | None:
    """Values of a score; None if there are none, or one that is not finite."""
    cell = row.cell(score) if row is not None else None
    return cell if cell is not None and all(map(math.isfinite, cell.values)) else None


def difference(row: Row | None, other: Row | None, score: str) -> Difference | None:
    """One score of two rows; None where either lacks it."""
    ours, theirs = cell_of(row, score), cell_of(other, score)
    return None if ours is None or theirs is None else Difference(ours, theirs)


def in_words(n_components: int) -> str:
    """A small number as a word."""
    return NUMBER_WORDS[n_components] if n_components < len(NUMBER_WORDS) else str(n_components)


def axes(n_components: int) -> str:
    """One axis, two axes, …"""
    return f"{in_words(n_components)} {'axis' if n_components == 1 else 'axes'}"


def owner(method: str) -> str:
    """A method inside a sentence: "the β-VAE", "PCA"."""
    names = {"vae": "the β-VAE", "kmeans": "K-means"}
    return names.get(method, METHOD_TITLES.get(method, method))


def coordinates(method: str, n_components: int) -> str:
    """Coordinates of a method: "PCA's two axes"."""
    if method == "kmeans":
        if n_components == 1:
            return "the distance to one K-means centre"
        return f"the distances to {in_words(n_components)} K-means centres"
    return f"{owner(method)}'s {axes(n_components)}"


def capital(text: str) -> str:
    """`text` as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def noun(score: str) -> str:
    """A score inside a sentence: "R² of W"."""
    return score_of(score).title.replace("R² ", "R² of ", 1)


def short(score: str) -> str:
    """A score in a list: "W" for the R² of W."""
    return score_of(score).title.removeprefix("R² ")


def text_of(cell: Cell, score: str) -> str:
    """A cell with the digits of its score; ± is left out where every seed gives the same."""
    return (cell if cell.deviation else Cell(cell.values[:1])).text(score_of(score).digits)


def listed(parts: Sequence[str]) -> str:
    """Parts with commas, and "and" before the last; empty for none."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
