"""Print the table of an evaluation as Markdown, as docs/evaluation.md shows it.

    python scripts/print_evaluation.py artifacts/tables/evaluation-echo.json
    python scripts/print_evaluation.py artifacts/tables/evaluation-echo.json --part NAME \
        --dimensions 2 4
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
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
    "live_axes",
)


def chosen(
    result: Mapping[str, Any], part: str, dimensions: Sequence[int] | None = None
) -> list[Row]:
    """Rows of a part, of some dimensions and of those that have none."""
    rows = [Row.from_json(entry) for entry in result["tables"][part]]
    wanted = None if dimensions is None else {*dimensions, None}
    return [row for row in rows if wanted is None or row.n_components in wanted]


def markdown(rows: Sequence[Row]) -> str:
    """One line per row, one column per score; the spread over seeds after ±."""
    heads = [SCORES[name].title for name in COLUMNS]
    lines = ["| | " + " | ".join(heads) + " |", "|" + "---|" * (len(heads) + 1)]
    for row in rows:
        texts = []
        for name in COLUMNS:
            cell = row.cell(name)
            texts.append("" if cell is None else cell.text(SCORES[name].digits))
        lines.append(f"| {row.title} | " + " | ".join(texts) + " |")
    return "\n".join(lines)


def main() -> None:
    """Read and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("evaluation", type=Path)
    parser.add_argument("--part", default="held-out")
    parser.add_argument("--dimensions", type=int, nargs="+")
    options = parser.parse_args()
    result = json.loads(options.evaluation.read_text("utf-8"))
    print(markdown(chosen(result, options.part, options.dimensions)))


if __name__ == "__main__":
    main()
