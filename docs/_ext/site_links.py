"""Every link inside the built site leads somewhere: to a file that is there, and to a place in it.

Sphinx checks what is written as a reference; pages of the gallery, tables, raw HTML and the theme
have links of their own. Needs no Sphinx but in `setup`.
"""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """Places of a page that can be linked to, and what it links to."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.places: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        self.links += [found[name] for name in ("href", "src") if found.get(name)]


def broken_links(folder: Path) -> Iterator[str]:
    """What is wrong with links inside a folder of HTML pages, one line for each.

    Parameters
    ----------
    folder : Path
        The built site.

    Yields
    ------
    str
        Page and link; links to other sites are not looked at.
    """
    files = [path for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts]
    pages = {path: _Page(path.read_text("utf-8")) for path in files}
    for path, page in pages.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            where = f"{path.relative_to(folder)}: {link}"
            if not target.exists():
                yield f"{where} leads to no file"
            elif parts.fragment and target in pages:
                # Names after = and & are settings of a page that moves, such as the explorer.
                place = unquote(parts.fragment)
                if "=" not in place and place not in pages[target].places:
                    yield f"{where} leads to no place of that page"


def check_links(app, exception) -> None:
    """Warn of every link that leads nowhere, which ends a build of this site."""
    from sphinx.util import logging

    if exception is None and app.builder.format == "html":
        for problem in broken_links(Path(app.outdir).resolve()):
            logging.getLogger(__name__).warning(problem)


def setup(app) -> dict:
    """Check links when a build is finished."""
    app.connect("build-finished", check_links, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
