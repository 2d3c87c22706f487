"""The page of measured echoes: one HTML file that needs no network and no script."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.report._html import PageFigure, picture, png_of, sectioned, words
from latent_nmr.report._measurement_style import MEASUREMENT_STYLE
from latent_nmr.report.measurement import (
    KERNEL_TITLES,
    LABEL_FORMS,
    NOTHING,
    VERDICT_MEANINGS,
    estimate_text,
    facts_text,
    file_title,
    p_text,
    sample_text,
    snr_text,
    verdict_counts,
)
from latent_nmr.studies.measurement._figures import prior_ranges, record_drawers

if TYPE_CHECKING:
    from latent_nmr.studies.measurement._records import FileResult, RecordResult
    from latent_nmr.studies.measurement._result import MeasurementResult

TITLE = "Measured echoes"
# With figures, of every file; more would make a page that no browser likes.
SHOWN_RECORDS, SHOWN_IN_ALL = 3, 24
LABEL_TITLES = {"W": "W", "L": "L", "alpha_x": "α_x", "alpha_z": "α_z"}
CAPTIONS = {
    "curves": "Measured |M| on the times of the record, over the curve that the decoder makes at "
    "the point of the record and over the nearest simulated curve, both through the band that was "
    "kept of the record. Below, what is left of each in units of the noise of one sample; grey is "
    "± 2. Where the model's own error is larger than the noise, those of simulated records are as "
    "large: how unusual these are, p says.",
    "map": "Simulated curves in latent space, by W (MHz of the model) and by kernel. The cross is "
    "this record; its ellipses hold the point of the same spins without noise with a probability "
    "of 68 and 95 %.",
    "estimates": "Mean (circle), 68 % (thick) and 95 % interval (thin) over the range of the "
    "simulated curves (grey), and how the simulated curves nearby are shared among the kernels.",
}
FIGURE_TITLES = {"curves": "Curve", "map": "Place in latent space", "estimates": "Estimates"}
OTHER_MEANINGS = {
    "p": "How often a simulated measurement with this noise lies as far from the model as this "
    "one. Small values are those of OUTSIDE.",
    "SNR": "Height of the echo over the standard deviation of the noise of one channel.",
    "W, α_x, α_z": "Frequencies of the sample: those of the model, multiplied by τ_model/τ.",
    "68 %, 95 %": "Central intervals of the simulated curves around the point, weighted by how "
    "well they agree with it.",
}


def page(
    values: Mapping[str, Any],
    figures: Mapping[tuple[int, int], Sequence[PageFigure]],
    ranges: Sequence[Mapping[str, tuple[float, float]]],
) -> str:
    """The page as HTML.

    Parameters
    ----------
    values : mapping
        What :meth:`MeasurementResult.as_json` gives, and `command`.
    figures : mapping
        Figures of the records that are shown with some, by the places of file and record.
    ranges : sequence of mapping
        For each file, the range of each label among the simulated curves.
    """
    used = [(place, file) for place, file in enumerate(values["files"]) if not file["refused"]]
    refused = [file["refused"] for file in values["files"] if file["refused"]]
    sections = {}
    if sum(len(file["records"]) for _, file in used) > 1 or refused:
        sections["overview"] = ("All files", _overview(used, refused))
    for place, file in used:
        own = {row: found for (of, row), found in figures.items() if of == place}
        title = words(file_title(file["path"]))
        sections[f"file-{place + 1}"] = (title, _file(file, own, ranges[place]))
    if refused:
        sections["refused"] = ("Refused files", _refused(refused))
    sections["meanings"] = ("How to read this page", _glossary(used))
    sections["again"] = (
        "To make this again",
        f"<pre><code>{escape(_command(values))}</code></pre>",
    )
    head = f"""<header>
<h1>{TITLE}</h1>
<p class="facts">{_facts(values, used, refused)}</p>
</header>"""
    return sectioned(TITLE, head, sections, MEASUREMENT_STYLE)


def write_page(result: "MeasurementResult", values: Mapping[str, Any], path: Path) -> None:
    """Write the page of a result.

    Parameters
    ----------
    result : MeasurementResult
    values : mapping
        What `page` takes.
    path : Path
    """
    figures, captions = {}, dict(CAPTIONS)
    for place, file in enumerate(result.files):
        for row, record in enumerate(file.records[:SHOWN_RECORDS]):
            if len(figures) < SHOWN_IN_ALL:
                figures[place, row] = _figures(file, record, result, captions)
    ranges = [prior_ranges(file, result.map) for file in result.files]
    path.write_text(page(values, figures, ranges), "utf-8")


def _figures(
    file: "FileResult",
    record: "RecordResult",
    result: "MeasurementResult",
    captions: dict[str, str],
) -> list[PageFigure]:
    """Figures of a record; each caption of `captions` is taken out of it, to be read once."""
    return [
        PageFigure(FIGURE_TITLES[kind], captions.pop(kind, ""), png_of(draw()))
        for kind, draw in record_drawers(file, record, result.map).items()
    ]


def _facts(values: Mapping[str, Any], used: Sequence, refused: Sequence) -> str:
    n_records = sum(len(file["records"]) for _, file in used)
    parts = [f"model <code>{escape(str(values['model'].get('name', 'unknown')))}</code>"]
    parts.append(_counted(n_records, "record") + " of " + _counted(len(used), "file"))
    parts += [f"{_counted(len(refused), 'file')} refused"] if refused else []
    return " · ".join(parts)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _command(values: Mapping[str, Any]) -> str:
    return str(values.get("command", "latent_nmr.measure"))


def _overview(used: Sequence[tuple[int, Mapping[str, Any]]], refused: Sequence) -> str:
    """A row for each file: its verdicts, or that it was refused."""
    rows = []
    for place, file in used:
        name = f'<a href="#file-{place + 1}">{words(file_title(file["path"]))}</a>'
        rows.append((name, words(verdict_counts(file["records"]))))
    rows += [(words(file_title(one["path"])), "refused") for one in refused]
    body = "\n".join(f'<tr><th scope="row">{name}</th><td>{said}</td></tr>' for name, said in rows)
    return _framed("overview", ("file", "records by verdict"), body, "plain")


def _file(
    file: Mapping[str, Any],
    figures: Mapping[int, Sequence[PageFigure]],
    ranges: Mapping[str, tuple[float, float]],
) -> str:
    """Verdicts, figures and estimates of a file, and its log."""
    records = file["records"]
    known = facts_text(file["facts"])
    parts = [f'<p class="facts"><code>{escape(file["path"])}</code><br>{words(known)}</p>']
    is_single = len(records) == 1
    if not is_single:
        parts.append(f'<p class="claim">{words(verdict_counts(records))}</p>')
        parts += [_records(records), _which_are_shown(records, figures)]
    for row, record in enumerate(records):
        if row in figures or is_single:
            title = f'<h3 class="record">Record {record["record"]}</h3>\n'
            parts.append(title * (not is_single) + _record(record, figures.get(row, ()), ranges))
    steps = "\n".join(f"<li>{words(step['detail'])}</li>" for step in file["steps"])
    parts.append(f'<h3 class="record">Steps of reading and preparation</h3>\n<ol>\n{steps}\n</ol>')
    return "\n".join(part for part in parts if part)


def _which_are_shown(records: Sequence[Mapping[str, Any]], figures: Mapping[int, Any]) -> str:
    """Say which of many records have figures here, and where those of the others are."""
    if len(figures) == len(records):
        return ""
    shown = ", ".join(str(records[row]["record"]) for row in sorted(figures)) or "none"
    return (
        f"<p>Figures below are of the first of these {len(records)} records ({shown}); those of "
        "all are <code>ln.measure(…).figures</code>.</p>"
    )


def _record(
    record: Mapping[str, Any],
    figures: Sequence[PageFigure],
    ranges: Mapping[str, tuple[float, float]],
) -> str:
    """The verdict in large letters, its reason, figures and numbers."""
    verdict, at = record["verdict"], words(f"{record['echo_time']:.1f}")
    kind = verdict.lower().replace(" ", "-")
    text = (
        f'<p class="verdict {kind}"><strong>{verdict}</strong> {words(record["reason"])}</p>\n'
        f'<p class="facts">top of the echo at {at} µs · SNR {snr_text(record["snr"])} · '
        f"p {p_text(record['p_value'])} · noise alone would show as much with "
        f"p {p_text(record['echo_p_value'])}</p>"
    )
    numbers = _estimates(record, ranges)
    return "\n".join([text, *map(picture, figures), *([numbers] if numbers else [])])


def _estimates(record: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]]) -> str:
    """Table of labels, and the kernels in a sentence."""
    if not record["estimates"]:
        return ""
    rows = []
    for label, found in record["estimates"].items():
        digits, unit = LABEL_FORMS[label]
        nearest = record["nearest_labels"].get(label)
        cells = [
            estimate_text(record["estimates"], label),
            *(
                f"{found[low]:.{digits}f} to {found[high]:.{digits}f}"
                for low, high in (("low68", "high68"), ("low95", "high95"))
            ),
            NOTHING if nearest is None else f"{nearest:.{digits}f}",
            _range_text(ranges.get(label), digits),
        ]
        row = "".join(f"<td>{words(cell)}</td>" for cell in cells)
        title = f'{words(LABEL_TITLES[label])} <span class="way">{unit}</span>'
        rows.append(f'<tr><th scope="row">{title}</th>{row}</tr>')
    heads = ("label", "mean ± sd", "68 %", "95 %", "nearest curve", "simulated")
    shares = ", ".join(
        f"{KERNEL_TITLES.get(name, name)} {100 * share:.0f} %"
        for name, share in sorted(record["kernels"].items(), key=lambda item: -item[1])
    )
    caution = (
        '<p class="rule">The verdict is OUTSIDE: these are numbers of the simulated curves that '
        "come nearest, not of the sample.</p>\n"
        if record["verdict"] == "OUTSIDE"
        else ""
    )
    name = f"estimates-{record['record']}"
    return f"{caution}{_framed(name, heads, chr(10).join(rows))}\n<p>Kernel: {words(shares)}.</p>"


def _range_text(found: tuple[float, float] | None, digits: int) -> str:
    return NOTHING if found is None else f"{found[0]:.{digits}f} to {found[1]:.{digits}f}"


def _records(records: Sequence[Mapping[str, Any]]) -> str:
    """A row for each record."""
    heads = ("record", "verdict", "echo (µs)", "SNR", "p", "W (MHz)", "L", "kernel")
    rows = []
    for record in records:
        cells = [
            record["verdict"],
            f"{record['echo_time']:.1f}",
            snr_text(record["snr"]),
            p_text(record["p_value"]),
            *(sample_text(record, name) for name in ("W", "L", "kernel")),
        ]
        row = "".join(f"<td>{words(cell)}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row">{record["record"]}</th>{row}</tr>')
    return _framed("records", heads, "\n".join(rows))


def _framed(name: str, heads: Sequence[str], body: str, style: str = "") -> str:
    """A table in a frame that scrolls."""
    columns = "".join(f'<th scope="col">{words(head)}</th>' for head in heads)
    kind = f' class="{style}"' if style else ""
    return (
        f'<div class="scroll" role="region" aria-label="{name}" tabindex="0">\n<table{kind}>\n'
        f"<caption>{name}</caption>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        "</table>\n</div>"
    )


def _refused(refused: Sequence[Mapping[str, str]]) -> str:
    """Each with its reason and its cure."""
    entries = [
        f"<dt><code>{escape(file_title(one['path']))}</code></dt>\n"
        f"<dd><p>{words(one['reason'].rstrip('.'))}.</p>\n<p>{words(one['cure'])}</p></dd>"
        for one in refused
    ]
    return "\n".join(['<dl class="sentences">', *entries, "</dl>"])


def _glossary(used: Sequence[tuple[int, Mapping[str, Any]]]) -> str:
    """Meaning of the verdicts that are on the page, and of the numbers."""
    there = {record["verdict"] for _, file in used for record in file["records"]}
    entries = {name: text for name, text in VERDICT_MEANINGS.items() if name in there}
    lines = [
        f"<dt>{words(name)}</dt>\n<dd>{words(text)}</dd>"
        for name, text in {**entries, **OTHER_MEANINGS}.items()
    ]
    return "\n".join(['<dl class="glossary">', *lines, "</dl>"])
