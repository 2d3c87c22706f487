"""Shares of the ceilings in tables: for the terminal, for a page, as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from latent_nmr.analysis.score_names import METHOD_TITLES, SCORES, score_of
from latent_nmr.report._html import words
from latent_nmr.report.markdown import markdown

if TYPE_CHECKING:
    from latent_nmr.studies.evaluation import EvaluationResult

TITLE = "Shares of the ceilings"
MEANING = (
    "Score over that of the supervised bottleneck of the same dimension / over that of the random "
    "forest on the curves. The bottleneck weighs all labels alike: it is no strict bound of a "
    "single score. F1 at chance is not nought, so that its shares are high."
)
CEILINGS = ("bottleneck", "forest")
# Of simulated echoes these; of labels of other names all.
SHOWN = ("r2_W", "r2_alpha_x", "r2_alpha_z", "r2_L", "f1_macro", "f1_kernels_macro")
MOST_COLUMNS, GAP = 6, "  "

Shares = Sequence[Mapping[str, Any]]


def shares_as_json(result: "EvaluationResult", part: str) -> list[dict[str, Any]]:
    """Shares of every method, as JSON holds them: `scores` by score, then by ceiling."""
    table = result.shares_of(part)
    found = []
    for (model, n_components), own in table.iterrows():  # pyright: ignore[reportGeneralTypeIssues]
        scores: dict[str, dict[str, float]] = {}
        for (score, ceiling), value in own.items():  # pyright: ignore[reportGeneralTypeIssues]
            if pd.notna(value):
                scores.setdefault(str(score), {})[str(ceiling)] = float(value)
        if scores:
            entry = {"method": str(model), "n_components": int(n_components), "scores": scores}
            found.append(entry)
    return found


def share_lines(shares: Shares) -> list[str]:
    """The tables for a terminal under their heading; none without shares."""
    lines: list[str] = []
    for heads, rows in _tables(shares):
        table = [heads, *rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines.append("")
        for row in table:
            first, *others = zip(row, widths, strict=True)
            texts = [first[0].ljust(first[1]), *(text.rjust(size) for text, size in others)]
            lines.append(GAP.join(texts))
    return ["", f"{TITLE}: over bottleneck / over forest", *lines[1:]] if lines else []


def share_html(shares: Shares) -> str:
    """The tables for a page; empty without shares."""
    texts = []
    for heads, rows in _tables(shares):
        head = "".join(f'<th scope="col">{words(text)}</th>' for text in heads)
        body = "\n".join(
            f'<tr><th scope="row">{words(row[0])}</th>'
            + "".join(f"<td>{escape(text)}</td>" for text in row[1:])
            + "</tr>"
            for row in rows
        )
        texts.append(
            f'<div class="scroll" role="region" aria-label="{TITLE}" tabindex="0">\n<table>\n'
            f"<caption>{TITLE}</caption>\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{body}\n</tbody>\n</table>\n</div>"
        )
    return "\n".join([f'<p class="legend">{MEANING}</p>', *texts]) if texts else ""


def share_table(shares: Shares) -> str:
    """The tables as Markdown."""
    return "\n\n".join(markdown(heads, rows) for heads, rows in _tables(shares))


def _tables(shares: Shares) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Heads and rows of texts, in parts that fit a terminal."""
    names = dict.fromkeys(name for entry in shares for name in entry["scores"])
    wanted = [name for name in names if name in SHOWN or name not in SCORES]
    for start in range(0, len(wanted), MOST_COLUMNS):
        own = wanted[start : start + MOST_COLUMNS]
        rows = [
            [
                METHOD_TITLES.get(entry["method"], entry["method"]),
                str(entry["n_components"]),
                *(_text(entry["scores"].get(name, {})) for name in own),
            ]
            for entry in shares
        ]
        yield ["method", "axes", *(score_of(name).title for name in own)], rows


def _text(values: Mapping[str, float]) -> str:
    """Both shares with two decimals; a dash for one that is missing."""
    return " / ".join(f"{values[c]:.2f}" if c in values else "–" for c in CEILINGS)
