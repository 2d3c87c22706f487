"""Tables of the page of an evaluation, as HTML.

Everything that comes from outside goes through `words` or `html.escape`.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from latent_nmr.analysis.score_names import METHOD_TITLES
from latent_nmr.report._html import words
from latent_nmr.report._score_blocks import Block, Column, blocks, cell_in, part_of
from latent_nmr.report.score_table import Cell, Row

# As many as fit a sheet of paper.
MOST_COLUMNS = 6
BEST, NEAR_BEST = "◆", "◇"
SHORT_TITLES = {
    "forest": "random forest",
    "bottleneck": "supervised bottleneck",
    "shuffled": "shuffled labels",
}
MARK_WORDS = {BEST: "best of this dimension", NEAR_BEST: "within the spread of the best"}
LEGEND = (
    f"{BEST} best of its dimension, {NEAR_BEST} within the spread of the best; ↑ larger is better, "
    "↓ smaller is better."
)
WAYS = {True: ("↑", "larger is better"), False: ("↓", "smaller is better")}


def tables(rows: Sequence[Row], prefix: str) -> str:
    """All tables; ids begin with `prefix`."""
    parts = [
        part_of(block, start, start + MOST_COLUMNS)
        for block in blocks(rows)
        for start in range(0, len(block.columns), MOST_COLUMNS)
    ]
    return "\n".join(_table(part, f"{prefix}-{number}") for number, part in enumerate(parts, 1))


def dimensions_of(rows: Sequence[Row]) -> list[int]:
    """Dimensions of any row."""
    return sorted({row.n_components for row in rows if row.n_components is not None})


def axes_words(n_components: int) -> str:
    """Head of the rows of one dimension."""
    return "1 axis" if n_components == 1 else f"{n_components} axes"


def _table(block: Block, name: str) -> str:
    """A block in a frame that scrolls."""
    heads = "".join(f'\n<th scope="col">{_head(column)}</th>' for column in block.columns)
    bodies = "\n".join(
        _body(n_components, list(rows), block.columns)
        for n_components, rows in groupby(block.rows, key=lambda row: row.n_components)
    )
    title = words(block.title)
    return (
        f'<p class="title" id="{name}" aria-hidden="true">{title}</p>\n'
        f'<div class="scroll" role="region" aria-labelledby="{name}" tabindex="0">\n'
        f"<table>\n<caption>{title}</caption>\n"
        f'<thead><tr><th scope="col">method</th>{heads}\n</tr></thead>\n'
        f"{bodies}\n</table>\n</div>"
    )


def _head(column: Column) -> str:
    title = words(column.title)
    if column.larger_is_better is None:
        return title
    arrow, meaning = WAYS[column.larger_is_better]
    return f'{title}<span class="way" role="img" aria-label="{meaning}">{arrow}</span>'


def _body(n_components: int | None, rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Rows of one dimension under its head; the ceiling has none."""
    marks = {column.name: _marks(rows, column) for column in columns}
    lines = []
    if n_components is None:
        lines.append('<tbody class="all">')
    else:
        head = f'<th scope="rowgroup">{axes_words(n_components)}</th>'
        filler = f'<td colspan="{len(columns)}"></td>'
        lines.append(f'<tbody class="d{n_components}">\n<tr class="dimension">{head}{filler}</tr>')
    for place, row in enumerate(rows):
        cells = "".join(
            _cell(cell_in(row, column.name), column, marks[column.name].get(place, ""))
            for column in columns
        )
        lines.append(
            f'<tr class="{escape(row.role)}"><th scope="row">{_name(row)}</th>{cells}</tr>'
        )
    return "\n".join([*lines, "</tbody>"])


def _name(row: Row) -> str:
    """Method, and its role if it is a bound."""
    title = SHORT_TITLES.get(row.method, METHOD_TITLES.get(row.method, row.method))
    if row.role == "method":
        return words(title)
    return f'{words(title)}<span class="role">{escape(row.role)}</span>'


def _cell(cell: Cell | None, column: Column, mark: str) -> str:
    """A number with its mark before it and its spread in smaller type after it."""
    if cell is None:
        return '<td class="none">–</td>'
    mean, *spread = cell.text(column.digits).split(" ", 1)
    sign = ""
    if mark:
        sign = f'<span class="mark" role="img" aria-label="{MARK_WORDS[mark]}">{mark}</span>'
    best = ' class="best"' if mark == BEST else ""
    # The span is there without a spread too: it keeps means of one column below each other.
    small = f'<span class="spread digits-{column.digits}">{"".join(map(words, spread))}</span>'
    return f"<td{best}>{sign}{words(mean)} {small}</td>"


def _marks(rows: Sequence[Row], column: Column) -> dict[int, str]:
    """Marks of the methods of one dimension by their place; none where there is no contest."""
    cells = dict(_contestants(rows, column))
    if column.larger_is_better is None or len(cells) < 2:
        return {}
    sign = 1 if column.larger_is_better else -1
    champion = max(cells.values(), key=lambda cell: sign * cell.mean)
    marks = {}
    for place, cell in cells.items():
        if cell.mean == champion.mean:
            marks[place] = BEST
        elif abs(cell.mean - champion.mean) <= cell.deviation + champion.deviation:
            marks[place] = NEAR_BEST
    return marks


def _contestants(rows: Sequence[Row], column: Column) -> Iterator[tuple[int, Cell]]:
    for place, row in enumerate(rows):
        cell = cell_in(row, column.name)
        if row.role == "method" and cell is not None and cell.mean == cell.mean:
            yield place, cell
