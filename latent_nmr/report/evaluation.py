"""What the command `evaluate` says: its table for the terminal and its CSV file."""

import csv
import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr._files import staged_file
from latent_nmr.analysis.score_names import METHOD_TITLES
from latent_nmr.report._score_blocks import (
    FIT_SECONDS,
    Block,
    blocks,
    cell_in,
    part_of,
)
from latent_nmr.report.score_table import Row

if TYPE_CHECKING:
    pass

MAX_WIDTH = 100
GAP = "  "
# Narrower than on a page.
SHORT_TITLES = {"forest": "forest (ceiling)", "shuffled": "shuffled (floor)"}
FACTS = ("role", "method", "n_components", "score", "mean", "sd", "n_seeds")


def table_lines(rows: Sequence[Row]) -> list[str]:
    """The table for people, at most `MAX_WIDTH` wide, in blocks under headings."""
    lines: list[str] = []
    for block in blocks(rows):
        for part in _fitting(block):
            lines += ["", part.title, *_block_lines(part)]
    return lines[1:]


def write_csv(rows: Sequence[Row] | Mapping[str, Sequence[Row]], path: Path) -> None:
    """Write one line per row and score, with one column per seed; whole or not at all.

    Columns are role, method, n_components (empty for the ceiling), score, mean, sd (empty for one
    seed), n_seeds, then ``seed_0``, ``seed_1``, … of all seeds that any row has. Of rows by part
    of the data, the first column is part.
    """
    parts = rows if isinstance(rows, Mapping) else {"": rows}
    first = ("part",) if isinstance(rows, Mapping) else ()
    seeds = sorted({seed for found in parts.values() for row in found for seed in row.seeds})
    heads = [*first, *FACTS, *(f"seed_{seed}" for seed in seeds)]
    with staged_file(path) as staging, staging.open("w", encoding="utf-8", newline="") as handle:
        table = csv.DictWriter(handle, heads, lineterminator="\n")
        table.writeheader()
        for part, found in parts.items():
            for row in found:
                for line in _csv_lines(row):
                    table.writerow({**dict.fromkeys(first, part), **line})


def width(text: str) -> int:
    """Columns of a terminal that `text` takes: none for a combining mark, two for a wide sign."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def _csv_lines(row: Row) -> Iterator[dict[str, Any]]:
    """One line per score of a row."""
    for score in (*row.scores, FIT_SECONDS):
        cell = cell_in(row, score)
        if cell is not None:
            values = zip(row.seeds, cell.values, strict=True)
            yield {
                "role": row.role,
                "method": row.method,
                "n_components": row.n_components,
                "score": score,
                "mean": cell.mean,
                "sd": cell.deviation if len(cell.values) > 1 else None,
                "n_seeds": len(cell.values),
                **{f"seed_{seed}": value for seed, value in values},
            }


def _fitting(block: Block) -> list[Block]:
    """A block in as few parts as fit the width, of as equal length as they can be."""
    n_columns, parts = len(block.columns), [block]
    for n_parts in range(1, n_columns + 1):
        size = math.ceil(n_columns / n_parts)
        parts = [part_of(block, start, start + size) for start in range(0, n_columns, size)]
        if all(width(_block_lines(part)[0]) <= MAX_WIDTH for part in parts):
            break
    return parts


def _block_lines(block: Block) -> list[str]:
    """Heads and cells, aligned."""
    table = [["method", "axes", *(column.title for column in block.columns)]]
    for row in block.rows:
        n_components = "" if row.n_components is None else str(row.n_components)
        cells = ((cell_in(row, column.name), column.digits) for column in block.columns)
        texts = ["-" if cell is None else cell.text(digits) for cell, digits in cells]
        table.append([_short_title(row), n_components, *texts])
    widths = [max(map(width, entries)) for entries in zip(*table, strict=True)]
    return [
        GAP.join(
            _padded(entry, size, at_left=place == 0)
            for place, (entry, size) in enumerate(zip(entries, widths, strict=True))
        )
        for entries in table
    ]


def _short_title(row: Row) -> str:
    return SHORT_TITLES.get(row.method, METHOD_TITLES.get(row.method, row.method))


def _padded(text: str, size: int, *, at_left: bool) -> str:
    blank = " " * (size - width(text))
    return text + blank if at_left else blank + text
