"""Pieces of the pages of reports: one HTML file, without scripts or requests to a network."""

import io
import re
import struct
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

from latent_nmr._png import shrink_png
from latent_nmr.report._style import STYLE

NO_BREAK = "\u00a0"
# Nothing leaves a page, whatever a name or a remark in it says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# As fine as a screen, in a third of the bytes of a figure for print.
PAGE_DPI = 120
PAGE_BYTES = 130_000


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


def document(title: str, content: str, style: str = "") -> str:
    """A page.

    Parameters
    ----------
    title : str
        As text.
    content : str
        All of it, as HTML.
    style : str
        Rules beside those that all pages share.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{escape(title)}</title>
<style>{STYLE}{style}</style>
</head>
<body>
<main>
{content}
</main>
</body>
</html>
"""


def sectioned(
    title: str, head: str, sections: Mapping[str, tuple[str, str]], style: str = ""
) -> str:
    """A page of sections, with a table of contents.

    Parameters
    ----------
    title : str
        As text.
    head : str
        What stands above the contents, as HTML.
    sections : mapping of (title, content)
        By the name that an address has after #, title and content as HTML; those without content
        are left out.
    style : str
        Rules beside those that all pages share.
    """
    filled = {name: found for name, found in sections.items() if found[1]}
    links = "\n".join(f'<li><a href="#{n}">{title}</a></li>' for n, (title, _) in filled.items())
    body = "\n".join(
        f'<section aria-labelledby="{name}">\n<h2 id="{name}">{title}</h2>\n{text}\n</section>'
        for name, (title, text) in filled.items()
    )
    contents = f'<nav aria-label="Sections"><ul>\n{links}\n</ul></nav>'
    return document(title, f"{head}\n{contents}\n{body}", style)


def words(text: str) -> str:
    """Text as HTML: escaped, α_x with its index below, minus signs, no break before ± or %.

    Only for text between tags: it may add tags itself.
    """
    text = re.sub(r"(?<![\w.-])-(?=\d)", "−", escape(text))
    text = re.sub(r" (?=%)|(?<=\d) ± |± ", lambda gap: gap[0].replace(" ", NO_BREAK), text)
    text = re.sub("β-VAE|K-means", r'<span class="whole">\g<0></span>', text)
    return re.sub(r"α_([xyz])", r"α<sub>\1</sub>", text)


def picture(figure: PageFigure) -> str:
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


def png_of(figure: Any) -> bytes:
    """A figure as it is shown on a page."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=PAGE_DPI)
    return shrink_png(content.getvalue(), PAGE_BYTES)
