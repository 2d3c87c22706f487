"""The README is short, its example runs as it stands, and what it names is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    """Code blocks of the README in a language; "" for those without one."""
    # Fences come in pairs: the odd pieces between them are code, led by their language.
    code = re.split(r"^```", README.read_text("utf-8"), flags=re.M)[1::2]
    return [body for name, _, body in (piece.partition("\n") for piece in code) if name == language]


def words_without_numbers(text):
    """What a line says, whatever its numbers are."""
    return [" ".join(re.sub(r"[-+\d.]+", " ", line).split()) for line in text.splitlines()]


@pytest.mark.slow
def test_the_example_prints_what_the_readme_shows_up_to_its_numbers(tmp_path):
    # Trained weights depend on the core count, so the numbers may differ and the words may not.
    (example,) = blocks("python")
    run = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    shown = next(block for block in blocks("") if block.startswith("(150, 400)"))
    assert words_without_numbers(run.stdout) == words_without_numbers(shown)


def test_the_example_is_short():
    (example,) = blocks("python")
    assert len(example.splitlines()) <= 15


def test_the_readme_is_short():
    assert len(README.read_text("utf-8").splitlines()) < 120


def test_every_figure_of_the_readme_is_in_the_repository():
    figures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README.read_text("utf-8"))
    assert figures
    assert all((README.parent / figure).is_file() for figure in figures)


def test_every_file_that_it_links_to_is_there():
    links = re.findall(r"(?<!!)\[[^]]+\]\(([^)]+)\)", README.read_text("utf-8"))
    assert len(links) > 20
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_every_command_in_the_readme_exists():
    from latent_nmr.commands.main import COMMANDS

    named = set(re.findall(r"latent-nmr ([a-z][a-z-]*)", README.read_text("utf-8")))
    assert named
    assert named <= set(COMMANDS)


def test_every_target_of_make_in_the_readme_exists():
    makefile = (README.parent / "Makefile").read_text("utf-8")
    named = set(re.findall(r"\bmake ([a-z-]+)", README.read_text("utf-8")))
    assert {"run", "test"} <= named
    assert [name for name in named if f"\n{name}: " not in makefile] == []
