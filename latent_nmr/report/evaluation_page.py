"""The page of an evaluation: one HTML file that asks nothing of the network and needs no script."""

import struct
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from latent_nmr.analysis.score_names import METHOD_TITLES
from latent_nmr.report._page_tables import LEGEND, axes_words, dimensions_of, tables, words
from latent_nmr.report._score_blocks import blocks
from latent_nmr.report._score_words import SPREAD_RULE, listed
from latent_nmr.report._style import STYLE
from latent_nmr.report.score_table import Row

if TYPE_CHECKING:
    from latent_nmr.report.verdicts import Verdict

TITLE = "Representations of spin echoes compared"
# Nothing leaves the page, whatever a name or a remark in it says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
VERDICT_TITLES = {"claim": "The claim", "shuffled": "Shuffled labels", "kmeans": "K-means"}


class PageFigure(NamedTuple):
    """A figure of the page.

    Attributes
    ----------
    title, caption : str
    png : bytes
    """

    title: str
    caption: str
    png: bytes


def page(
    result: Mapping[str, Any],
    rows: Sequence[Row],
    verdicts: Sequence["Verdict"],
    figures: Sequence[PageFigure],
) -> str:
    """The page as HTML.

    Parameters
    ----------
    result : mapping
        `data`, `window`, `normalisation`, `n_curves`, `n_training`, `n_held_out`, `split_seed`,
        `n_neighbours`, `command`, `device`, `seconds`, `packages` (versions by name), `remarks`
        (list of str); what is missing is left out or called unknown. Of `tables` and `sentences`,
        by part of the data, all parts but the first are shown after the figures.
    rows : sequence of Row
        Scores on the held-out part.
    verdicts : sequence of Verdict
        What is said of them.
    figures : sequence of PageFigure
    """
    others = _other_parts(result)
    sections = {
        "verdicts": ("What was found", _verdicts(verdicts) + _remarks(result)),
        "scores": ("Scores", _dimension_boxes(rows) + _legend(rows) + tables(rows, "table")),
        "figures": ("Figures", "\n".join(map(_figure, figures))),
        "others": ("Other data", others),
        "meanings": ("What the scores mean", _glossary(rows)),
        "again": ("To make this again", _again(result)),
    }
    filled = {name: found for name, found in sections.items() if found[1]}
    links = "\n".join(f'<li><a href="#{n}">{title}</a></li>' for n, (title, _) in filled.items())
    body = "\n".join(
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{text}\n</section>'
        for name, (title, text) in filled.items()
    )
    data = str(result.get("data", "unknown data"))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(f"{TITLE}: {data}")}</title>
<style>{STYLE}{_dimension_rules(rows)}</style>
</head>
<body>
<main>
<header>
<h1>{TITLE}</h1>
{_facts(result)}
</header>
{_introduction(result, rows)}
<nav aria-label="Sections"><ul>
{links}
</ul></nav>
{body}
</main>
</body>
</html>
"""


def _facts(result: Mapping[str, Any]) -> str:
    data = escape(str(result.get("data", "unknown data")))
    window = escape(str(result.get("window", "unknown")))
    return (
        f'<p class="facts"><code>{data}</code> · {window} window · {_count(result, "n_curves")} '
        f"curves</p>"
    )


def _count(result: Mapping[str, Any], name: str) -> str:
    """A number of the result, with a thin space for every thousand."""
    value = result.get(name)
    return f"{value:,}".replace(",", "\u202f") if isinstance(value, int) else "an unknown number of"


def _introduction(result: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """What was compared and how."""
    methods = dict.fromkeys(row.method for row in rows if row.role == "method")
    names = listed([METHOD_TITLES.get(method, method) for method in methods])
    axes = listed([str(dimension) for dimension in dimensions_of(rows)])
    normalisation = escape(str(result.get("normalisation", "unknown")))
    seed, neighbours = (escape(str(result.get(n, "?"))) for n in ("split_seed", "n_neighbours"))
    text = "<p>"
    if methods:
        text += f"Every curve was turned into a few coordinates ({axes}) by {words(names)}. "
    text += (
        f"The curves (normalisation <code>{normalisation}</code>) were split once, with "
        f"seed&nbsp;{seed}: every method was fitted on {_count(result, 'n_training')} of them, "
        f"without labels, and all scores are of the {_count(result, 'n_held_out')} held out. "
    )
    if any(block.title.startswith("Labels") for block in blocks(rows)):
        text += (
            f"A held-out curve is given the labels of its {neighbours} nearest training curves in "
            "the raw coordinates, none of them rescaled. "
        )
    if any(row.role == "ceiling" for row in rows):
        text += "The ceiling is a random forest that learns the labels from the curves themselves. "
    if any(row.role == "floor" for row in rows):
        text += "The floor is what nearest neighbours give with the labels shuffled. "
    counts = sorted({len(row.seeds) for row in rows})
    seeds = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0]) if counts else "0"
    text += (
        f"± is the sample standard deviation over seeds ({seeds} per row; of one seed there is "
        "none). All seeds share the split: what another draw of curves would change is not in it."
    )
    return f"{text}</p>"


def _verdicts(verdicts: Sequence["Verdict"]) -> str:
    """The claim first, its judgement in large type, then every method."""
    claims = [_claim(verdict.sentences) for verdict in verdicts if verdict.method == "claim"]
    entries = [
        f"<dt>{_verdict_title(verdict)}</dt>\n<dd>{_paragraphs(verdict.sentences)}</dd>"
        for verdict in verdicts
        if verdict.method != "claim"
    ]
    if entries:
        entries = ['<dl class="sentences">', *entries, "</dl>"]
    return "\n".join([*claims, *entries])


def _claim(sentences: Sequence[str]) -> str:
    """The judgement in large type, what it rests on, and the rule behind it in small type."""
    reasons = [sentence for sentence in sentences[1:] if sentence != SPREAD_RULE]
    text = f'<p class="claim">{words(sentences[0])}</p>\n{_paragraphs(reasons)}'
    rule = f'\n<p class="rule">{words(SPREAD_RULE)}</p>' if SPREAD_RULE in sentences else ""
    return text + rule


def _paragraphs(sentences: Sequence[str]) -> str:
    return "\n".join(f"<p>{words(sentence)}</p>" for sentence in sentences)


def _verdict_title(verdict: "Verdict") -> str:
    title = METHOD_TITLES.get(verdict.method, verdict.method)
    return words(VERDICT_TITLES.get(verdict.method, title))


def _remarks(result: Mapping[str, Any]) -> str:
    remarks = [f"<li>{words(str(remark))}</li>" for remark in result.get("remarks", ())]
    return (
        "\n".join(["\n<h3>Remarks</h3>", '<ul class="remarks">', *remarks, "</ul>"])
        if remarks
        else ""
    )


def _dimension_boxes(rows: Sequence[Row]) -> str:
    """Boxes that hide the rows of a dimension, by style alone."""
    dimensions = dimensions_of(rows)
    if len(dimensions) < 2:
        return ""
    boxes = "\n".join(
        f'<label><input type="checkbox" id="show-{n}" checked> {axes_words(n)}</label>'
        for n in dimensions
    )
    return f"<fieldset>\n<legend>Rows shown:</legend>\n{boxes}\n</fieldset>\n"


def _dimension_rules(rows: Sequence[Row]) -> str:
    return "\n".join(
        f"main:has(#show-{n}:not(:checked)) tbody.d{n} {{ display: none; }}"
        for n in dimensions_of(rows)
    )


def _legend(rows: Sequence[Row]) -> str:
    return f'<p class="legend">{LEGEND}</p>\n' if rows else ""


def _figure(figure: PageFigure) -> str:
    """A figure inside the page."""
    title = words(figure.title)
    source = f"data:image/png;base64,{b64encode(figure.png).decode('ascii')}"
    return (
        f'<figure>\n<h3>{title}</h3>\n<img src="{source}" alt="{escape(figure.title)}"'
        f"{_size(figure.png)}>\n<figcaption>{words(figure.caption)}</figcaption>\n</figure>"
    )


def _size(png: bytes) -> str:
    """Width and height of the picture, so that the text does not jump while it is decoded."""
    if not png.startswith(PNG_SIGNATURE) or len(png) < 24:
        return ""
    width, height = struct.unpack(">II", png[16:24])
    return f' width="{width}" height="{height}"'


def _other_parts(result: Mapping[str, Any]) -> str:
    """Sentences and tables of further data sets."""
    parts = []
    sentences = result.get("sentences", {})
    for number, (part, entries) in enumerate(list(result.get("tables", {}).items())[1:], start=1):
        rows = [Row.from_json(entry) for entry in entries]
        said = "\n".join(f"<p>{words(text)}</p>" for text in sentences.get(part, ()))
        parts.append(f"<h3>{escape(part)}</h3>\n{said}\n{tables(rows, f'other-{number}')}")
    return "\n".join(parts)


def _glossary(rows: Sequence[Row]) -> str:
    """Meaning of every score that is in a table; of ρ once for all axes."""
    entries = {}
    for block in blocks(rows):
        for column in block.columns:
            if column.title.startswith("|ρ|"):
                entries["|ρ|"] = (
                    "Size of Spearman's coefficient of one coordinate with a label. Neither which "
                    "coordinate comes first nor its sign means anything."
                )
            else:
                entries[column.title] = column.meaning
    lines = [f"<dt>{words(title)}</dt>\n<dd>{words(text)}</dd>" for title, text in entries.items()]
    return "\n".join(['<dl class="glossary">', *lines, "</dl>"]) if lines else ""


def _again(result: Mapping[str, Any]) -> str:
    """Command, versions, machine."""
    command = str(result.get("command", "unknown"))
    if "'" not in command and '"' not in command:  # inside quotes a line must not be continued
        command = command.replace(" --", " \\\n    --")
    text = f"<pre><code>{escape(command)}</code></pre>"
    versions = [f"{name} {version}" for name, version in result.get("packages", {}).items()]
    facts = [", ".join(versions)] if versions else []
    if "device" in result:
        facts.append(f"computed on {result['device']}")
    if isinstance(result.get("seconds"), int | float):
        minutes, seconds = divmod(round(result["seconds"]), 60)
        facts.append(f"{minutes} min {seconds} s")
    return f"{text}\n<p>{escape('; '.join(facts))}.</p>" if facts else text
