"""The table of an evaluation cut into blocks that fit a terminal or a page."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from latent_nmr.analysis.score_names import score_of
from latent_nmr.report.score_table import Cell, Row, columns_of

# Which groups of scores stand side by side, under which heading.
BLOCK_GROUPS = {
    "Labels from nearest neighbours": ("regression",),
    "Kernel from nearest neighbours": ("classification",),
    "Shape of the cloud": ("shape",),
    "Reconstruction and cost": ("data", "axes"),
    "Rank correlation of axes with labels": ("order",),
}
FIT_SECONDS = "fit_seconds"
# Axis 1 of two methods need not be the same axis: nothing is won by a larger coefficient.
UNRANKED_GROUPS = ("order",)
# Which rows of a dimension come after its methods.
LAST = {"ceiling": 1, "floor": 2}


class Column(NamedTuple):
    """A score as a column.

    Attributes
    ----------
    name : str
        By which `cell_in` finds its values.
    title, meaning : str
    digits : int
    larger_is_better : bool or None
    """

    name: str
    title: str
    meaning: str
    digits: int
    larger_is_better: bool | None


class Block(NamedTuple):
    """Columns that belong together, and the rows that have any of them."""

    title: str
    columns: list[Column]
    rows: list[Row]


FIT_COLUMN = Column(FIT_SECONDS, "fit (s)", "Seconds to fit, where they are known.", 1, None)


def blocks(rows: Sequence[Row]) -> list[Block]:
    """The blocks that have anything in them, rows by dimension."""
    names, ordered = columns_of(rows), in_order(rows)
    found = []
    for title, groups in BLOCK_GROUPS.items():
        columns = [_column(name) for name in names if score_of(name).group in groups]
        if "data" in groups and any(row.seconds for row in rows):
            columns.append(FIT_COLUMN)
        filled = [row for row in ordered if any(cell_in(row, column.name) for column in columns)]
        if filled:
            found.append(Block(title, columns, filled))
    return found


def part_of(block: Block, start: int, stop: int) -> Block:
    """Some columns of a block, and the rows that have any of these."""
    columns = block.columns[start:stop]
    title = block.title if start == 0 else f"{block.title}, continued"
    rows = [row for row in block.rows if any(cell_in(row, column.name) for column in columns)]
    return Block(title, columns, rows)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The forest, then by dimension the methods in their order, the bottleneck and the floor."""
    return sorted(rows, key=lambda row: (row.n_components or 0, LAST.get(row.role, 0)))


def cell_in(row: Row, name: str) -> Cell | None:
    """Values of a column, or None."""
    if name == FIT_SECONDS:
        return Cell(tuple(row.seconds)) if row.seconds else None
    return row.cell(name)


def _column(name: str) -> Column:
    score = score_of(name)
    better = None if score.group in UNRANKED_GROUPS else score.larger_is_better
    return Column(name, score.title, score.meaning, score.digits, better)
