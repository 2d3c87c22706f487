"""The check of links that a build of the site ends with."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "docs" / "_ext" / "site_links.py"
SPEC = importlib.util.spec_from_file_location("site_links", PATH)
LINKS = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(LINKS)


@pytest.fixture
def site(tmp_path):
    """A page, another one in a folder, and a picture."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "other.html").write_text("<h2 id='place'>Place</h2>", "utf-8")
    (tmp_path / "a picture.png").write_bytes(b"")

    def page(*links):
        text = "".join(f"<a href='{link}'>x</a>" for link in links)
        (tmp_path / "index.html").write_text(f"<h1 id='top'>Top</h1>{text}", "utf-8")
        return list(LINKS.broken_links(tmp_path))

    return page


def test_links_that_lead_somewhere_are_not_named(site):
    here = ("#top", "index.html#top", "sub/other.html#place", "sub/", "a%20picture.png", "?plain")
    elsewhere = ("https://example.org/missing", "mailto:a@example.org", "data:image/png;base64,AA")
    assert site(*here, *elsewhere) == []


def test_a_link_to_a_file_that_is_missing_is_named(site):
    assert site("sub/missing.html") == ["index.html: sub/missing.html leads to no file"]


def test_a_link_to_a_place_that_is_missing_is_named(site):
    (found,) = site("sub/other.html#plaice", "sub/other.html#place")
    assert found == "index.html: sub/other.html#plaice leads to no place of that page"


def test_the_state_of_a_page_that_moves_is_no_place(site):
    assert site("sub/other.html#z=0.5,-0.6&colour=kernel") == []
    assert len(site("sub/missing.html#z=0.5")) == 1


def test_pictures_are_looked_for_too(site, tmp_path):
    (tmp_path / "sub" / "other.html").write_text("<img src='../gone.png'>", "utf-8")
    assert site() == ["sub/other.html: ../gone.png leads to no file"]
