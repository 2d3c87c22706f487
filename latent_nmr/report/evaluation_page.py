"""The page of an evaluation: one HTML file that asks nothing of the network and needs no script."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.analysis.score_names import METHOD_TITLES
from latent_nmr.report._html import PageFigure, picture, png_of, sectioned, words
from latent_nmr.report._page_tables import LEGEND, axes_words, dimensions_of, tables
from latent_nmr.report._score_blocks import blocks
from latent_nmr.report._score_words import SPREAD_RULE, listed
from latent_nmr.report.evaluation import rows_of, verdict, window_text, write_csv
from latent_nmr.report.failures import failure_lines
from latent_nmr.report.score_table import Row
from latent_nmr.report.shares import TITLE as TITLE_OF_SHARES
from latent_nmr.report.shares import Shares, share_html
from latent_nmr.studies.evaluation._figures import captions

if TYPE_CHECKING:
    from latent_nmr.report.verdicts import Verdict
    from latent_nmr.studies.evaluation import EvaluationResult

TITLE = "Comparison of representations of spin echoes"
VERDICT_TITLES = {"claim": "The claim", "shuffled": "Shuffled labels", "kmeans": "K-means"}


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
        `n_neighbors`, `command`, `device`, `seconds`, `packages` (versions by name), `remarks`
        (list of str); what is missing is left out or called unknown. Of `tables`, `sentences` and
        `shares`, by part of the data, all parts but the first are shown after the figures.
    rows : sequence of Row
        Scores on the held-out part.
    verdicts : sequence of Verdict
        What is said of them.
    figures : sequence of PageFigure
    """
    others = _other_parts(result)
    sections = {
        "verdicts": ("Verdict", _verdicts(verdicts)),
        "remarks": ("Remarks", _remarks(result)),
        "scores": ("Scores", _dimension_boxes(rows) + _legend(rows) + tables(rows, "table")),
        "shares": (TITLE_OF_SHARES, share_html(_shares(result))),
        "figures": ("Figures", "\n".join(map(picture, figures))),
        "others": ("Other data", others),
        "meanings": ("What the scores mean", _glossary(rows)),
        "again": ("To make this again", _again(result)),
    }
    data = str(result.get("data", "unknown data"))
    head = f"""<header>
<h1>{TITLE}</h1>
{_facts(result)}
</header>
{_introduction(result, rows)}"""
    return sectioned(f"{TITLE}: {data}", head, sections, _dimension_rules(rows))


def _facts(result: Mapping[str, Any]) -> str:
    data = escape(str(result.get("data", "unknown data")))
    window = escape(window_text(result))
    return (
        f'<p class="facts"><code>{data}</code> · {window} · {_count(result, "n_curves")} curves</p>'
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
    # `n_neighbours` is what earlier versions wrote.
    k = result.get("n_neighbors", result.get("n_neighbours", "?"))
    seed, neighbours = escape(str(result.get("split_seed", "?"))), escape(str(k))
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
    ceilings = [row.n_components for row in rows if row.role == "ceiling"]
    if None in ceilings:
        text += "The ceiling is a random forest that learns the labels from the curves themselves. "
    if set(ceilings) - {None}:
        text += (
            "The bottleneck, a ceiling of its dimension, is a network that learnt all labels "
            "through a layer of so few units, which are scored as coordinates. "
        )
    if any(row.role == "floor" for row in rows):
        text += "The floor is what nearest neighbours give after the labels were permuted. "
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
    """What the reader must know of the data, and the fits that failed."""
    texts = [*map(str, result.get("remarks", ())), *failure_lines(result.get("failures", ()))]
    lines = [f"<li>{words(text)}</li>" for text in texts]
    return "\n".join(['<ul class="remarks">', *lines, "</ul>"]) if lines else ""


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


def _other_parts(result: Mapping[str, Any]) -> str:
    """Sentences and tables of further data sets."""
    parts = []
    sentences = result.get("sentences", {})
    for number, (part, entries) in enumerate(list(result.get("tables", {}).items())[1:], start=1):
        rows = [Row.from_json(entry) for entry in entries]
        said = "\n".join(f"<p>{words(text)}</p>" for text in sentences.get(part, ()))
        text = f"{tables(rows, f'other-{number}')}\n{share_html(_shares(result, part))}".rstrip()
        parts.append(f"<h3>{escape(part)}</h3>\n{said}\n{text}")
    return "\n".join(parts)


def _shares(result: Mapping[str, Any], part: str | None = None) -> Shares:
    """Shares of the ceilings of a part, by default of the first."""
    found = result.get("shares", {})
    return found.get(next(iter(found), "") if part is None else part, ())


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


def write_page_and_tables(
    result: "EvaluationResult", values: Mapping[str, Any], folder: Path
) -> None:
    """Write report.html and scores.csv of an evaluation into a folder.

    Parameters
    ----------
    result : EvaluationResult
    values : mapping
        What `page` takes; where its `sentences` are empty, there are none in the page.
    folder : Path
    """
    tables_of_parts = {part: rows_of(result, part) for part in result.parts}
    first = result.parts[0]
    said = verdict(result, first) if values["sentences"][first] else []
    known = captions(result.facts)
    figures = [PageFigure(*known[name], png_of(figure)) for name, figure in result.figures.items()]
    text = page(values, tables_of_parts[first], said, figures)
    (folder / "report.html").write_text(text, "utf-8")
    write_csv(tables_of_parts, folder / "scores.csv")
