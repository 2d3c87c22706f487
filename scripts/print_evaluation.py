"""Print the table of an evaluation as Markdown, as docs/evaluation.md shows it.

    python scripts/print_evaluation.py artifacts/tables/evaluation-echo.json [--part held-out]
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from latent_nmr.analysis.score_names import SCORES
from latent_nmr.analysis.score_table import Row

COLUMNS = (
    "rms",
    "r2_W",
    "r2_alpha_x",
    "r2_alpha_z",
    "r2_L",
    "r2_L_power",
    "r2_L_others",
    "f1_macro",
    "f1_kernels_macro",
    "adjusted_rand",
    "trustworthiness",
    "continuity",
    "live_axes",
)


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
    options = parser.parse_args()
    result = json.loads(options.evaluation.read_text("utf-8"))
    print(markdown([Row.from_json(entry) for entry in result["tables"][options.part]]))


if __name__ == "__main__":
    main()
