"""Tables as Markdown: of any texts, and of the kept result of an evaluation."""

from collections.abc import Mapping, Sequence
from typing import Any

from latent_nmr.analysis.score_names import SCORES
from latent_nmr.report.score_table import Row

COLUMNS = (
    "rms",
    "r2_W",
    "r2_alpha_x",
    "r2_alpha_z",
    "r2_L",
    "f1_macro",
    "f1_kernels_macro",
    "trustworthiness",
    "active_axes",
)


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def chosen(
    result: Mapping[str, Any], part: str, dimensions: Sequence[int] | None = None
) -> list[Row]:
    """Rows of a part, of some dimensions and of those that have none."""
    rows = [Row.from_json(entry) for entry in result["tables"][part]]
    wanted = None if dimensions is None else {*dimensions, None}
    return [row for row in rows if wanted is None or row.n_components in wanted]


def evaluation_table(rows: Sequence[Row], columns: Sequence[str] = COLUMNS) -> str:
    """One line per row, one column per score; the spread over seeds after ±."""
    texts = []
    for row in rows:
        cells = [(name, row.cell(name)) for name in columns]
        scores = ["" if cell is None else cell.text(SCORES[name].digits) for name, cell in cells]
        texts.append([row.title, *scores])
    return markdown(["", *(SCORES[name].title for name in columns)], texts)
