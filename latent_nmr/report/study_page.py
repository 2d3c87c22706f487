"""Pages of the studies whose results are some sentences, a table and figures."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from latent_nmr.report._html import PageFigure, picture, sectioned, words

# First columns are numbers or names of axes, not of methods.
STYLE = "table.short th:first-child { min-width: 3rem; }"


def study_page(
    title: str,
    facts: Sequence[str],
    sections: Mapping[str, str],
    figures: Sequence[PageFigure],
    values: Mapping[str, Any],
) -> str:
    """A page.

    Parameters
    ----------
    title : str
        As text.
    facts : sequence of str
        What the result is of, in a few words each, as text.
    sections : mapping of str
        Contents as HTML, by title; those without content are left out.
    figures : sequence of PageFigure
    values : mapping
        `command`, which makes the page again.
    """
    head = (
        f"<header>\n<h1>{words(title)}</h1>\n"
        f'<p class="facts">{" · ".join(map(words, facts))}</p>\n</header>'
    )
    found = {
        **sections,
        "Figures": "\n".join(map(picture, figures)),
        "To make this again": f"<pre><code>{escape(str(values['command']))}</code></pre>",
    }
    named = {f"part-{n}": own for n, own in enumerate(found.items(), 1)}
    return sectioned(title, head, named, STYLE)


def sentences(texts: Iterable[str]) -> str:
    """Lines of a terminal as HTML: a paragraph, or a list of several."""
    found = [_sentence(text) for text in texts]
    if len(found) < 2:
        return "".join(f"<p>{text}</p>" for text in found)
    items = "\n".join(f"<li>{text}</li>" for text in found)
    return f'<ul class="remarks">\n{items}\n</ul>'


def _sentence(text: str) -> str:
    """A line with the letters of the figures, a capital at its start and a full stop."""
    text = re.sub(r"\balpha_(?=[xyz]\b)", "α_", text)
    text = re.sub("^[a-z]", lambda letter: letter[0].upper(), text)
    return words(text + ("" if text.endswith(".") else "."))


def plain_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts as HTML; the first column names the rows."""
    top = "".join(f'<th scope="col">{words(head)}</th>' for head in heads)
    body = "\n".join(
        f'<tr><th scope="row">{words(first)}</th>'
        + "".join(f"<td>{words(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<p class="title">{words(title)}</p>\n'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">\n'
        f'<table class="short">\n<caption>{words(title)}</caption>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table>\n</div>"
    )


def meaning_list(texts: Mapping[str, str]) -> str:
    """What names mean, as HTML."""
    rows = "\n".join(f"<dt>{words(n)}</dt>\n<dd>{words(text)}</dd>" for n, text in texts.items())
    return f'<dl class="glossary">\n{rows}\n</dl>'
