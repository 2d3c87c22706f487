"""The page of a posterior: one HTML file that needs no network and no script."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_nmr.report._html import PageFigure, picture, png_of, sectioned, words
from latent_nmr.report._measurement_style import MEASUREMENT_STYLE
from latent_nmr.report.design import design_lines
from latent_nmr.report.inference import (
    CORRECTED,
    HEADS,
    echo_text,
    kernels_text,
    known_rows,
    warnings_of,
)

if TYPE_CHECKING:
    from latent_nmr.studies.design import DesignResult
    from latent_nmr.studies.posterior import Inference

TITLE = "What an echo says of its material"
FIGURE_TITLES = {"marginals": "Each number", "pairs": "Pairs", "echo": "The echo"}
CAPTIONS = {
    "marginals": "Density of each number, stacked by kernel, over that of the prior (dashed), and "
    "the probabilities of the kernels.",
    "pairs": "Draws of the posterior, coloured by kernel.",
    "echo": "The measured curve, and, where curves were simulated, the band that holds 90 % of "
    "those of draws of the posterior, each with offsets and noise of its own.",
}
GAINS = (
    "What a further echo is expected to say, over the angle of its first pulse, with the standard "
    "error of the mean over materials of the posterior; and how much narrower each number becomes."
)
MEANINGS = {
    "68 %, 95 %": "Intervals that hold the true number with this probability, if the sample is of "
    "the simulated kind.",
    "contraction": "1 less the variance of the posterior over that of the prior: 1 where a number "
    "is known, 0 where the echo says nothing of it.",
    "not identifiable": "The contraction is below 0.1: the posterior is the prior.",
    "θ, SNR": "Angle of the first pulse, and the height of the echo (of M(0), for whole records) "
    "over the noise of one column and channel.",
    "UNTESTED": "Verdicts are of echoes after pulses of 90°; this is another angle.",
}


def page(values: Mapping[str, Any], figures: Sequence[PageFigure]) -> str:
    """The page as HTML.

    Parameters
    ----------
    values : mapping
        What :meth:`latent_nmr.Inference.as_json` gives, `command`, and, of a design that follows,
        `next` as :func:`latent_nmr.report.design.design_values` gives it.
    figures : sequence of PageFigure
    """
    kind = "outside" if values["is_outside"] else "inside"
    said = "\n".join(f'<p class="verdict {kind}">{words(text)}</p>' for text in warnings_of(values))
    facts = "<br>".join(words(echo_text(echo)) for echo in values["echoes"])
    sections = {
        "numbers": ("Numbers", f"{said}\n{_table(values)}\n{_kernels(values)}"),
        "figures": ("Figures", "\n".join(map(picture, figures))),
        **_next(values),
        "meanings": ("How to read this page", _glossary()),
        "again": ("To make this again", f"<pre><code>{escape(_command(values))}</code></pre>"),
    }
    head = f"""<header>
<h1>{TITLE}</h1>
<p class="facts">{facts}</p>
</header>"""
    return sectioned(TITLE, head, sections, MEASUREMENT_STYLE)


def write_page(
    found: "Inference",
    values: Mapping[str, Any],
    path: Path,
    following: "DesignResult | None" = None,
) -> None:
    """Write the page of an inference; `values` as `page` takes them, with a design's figure."""
    captions = dict(CAPTIONS)
    figures = []
    for name, figure in found.figures.items():
        kind = name.partition("_")[0]
        title = FIGURE_TITLES[kind] + name.removeprefix(kind).replace("_", " ")
        figures.append(PageFigure(title, captions.pop(kind, ""), png_of(figure)))
    if following is not None:
        own = png_of(following.figures["gains"])
        figures.append(PageFigure("The next pulse", GAINS, own))
    path.write_text(page(values, figures), "utf-8")


def _next(values: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The section of a design, if there is one."""
    if "next" not in values:
        return {}
    text = "\n".join(design_lines(values["next"]))
    return {"next": ("What to measure next", f"<pre>{words(text)}</pre>")}


def _table(values: Mapping[str, Any]) -> str:
    columns = "".join(f'<th scope="col">{words(head)}</th>' for head in HEADS)
    rows = "\n".join(
        f'<tr><th scope="row">{words(name)}</th>'
        + "".join(f"<td>{words(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in known_rows(values)
    )
    return (
        '<div class="scroll" role="region" aria-label="numbers" tabindex="0">\n<table>\n'
        f"<caption>posterior</caption>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n{rows}\n"
        "</tbody>\n</table>\n</div>"
    )


def _kernels(values: Mapping[str, Any]) -> str:
    nats = f"{values['information']:.1f}"
    corrected = f" {words(CORRECTED)}" if values["is_corrected"] else ""
    return (
        f"<p>Kernel: {words(kernels_text(values['kernels']))}. Information over the prior: {nats} "
        f"nats.{corrected}</p>"
    )


def _glossary() -> str:
    lines = [f"<dt>{words(name)}</dt>\n<dd>{words(text)}</dd>" for name, text in MEANINGS.items()]
    return "\n".join(['<dl class="glossary">', *lines, "</dl>"])


def _command(values: Mapping[str, Any]) -> str:
    return str(values.get("command", "latent_nmr.infer"))
