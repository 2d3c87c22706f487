"""Wording: standard terms in the text of the package, and no command-line flags in its messages."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "latent_nmr"
PLAIN_ROOMS = ("analysis", "cluster", "data", "models", "physics", "plots", "report", "studies")
LIBRARY_ROOMS = ("analysis", "cluster", "data", "models", "physics", "plots", "studies")

# Each with the term to use instead.
PHRASES = {
    r"told (apart|by|better)|\btells (of|more of|α)|tell of": "distinguished, predicted, carry",
    r"at the door": "input validation",
    r"dealt? (\w+ ){0,4}out": "permuted",
    r"whole or not at all": "atomically",
    r"by heart": "overfit",
    r"(?<!\w)so many": "the given number of",
    r"\bsister\b": "variant",
    r"\bstrangers?\b": "unknown",
    r"measuring rod": "baseline",
    r"\bslips?\b": "discrepancy",
    r"\bmend (it|them)": "name the remedy",
    r"\banew\b": "again, new",
    r"turned onto|turning .{0,30}onto": "aligned",
    r"on the average": "on average",
    r"name themselves": "interpretation",
    r"\blive ax[ei]s": "active axis",
    r"ν fields?\b": "offset map",
    r"\bthe walk\b": "traversal",
    r"places in time": "time-localised",
    r"\bwhich who\b": "name the person",
    r"sample deviation": "standard deviation",
}
FLAG = re.compile(r"(?<![-\w])--[a-z][a-z-]*")


def modules(rooms):
    """Paths of all modules in some rooms, and of those beside the rooms."""
    return [path for room in rooms for path in sorted((PACKAGE / room).rglob("*.py"))]


def places(pattern, text):
    """Line and text of everything that matches."""
    lines = enumerate(text.splitlines(), start=1)
    return [f"{n}: {line.strip()}" for n, line in lines if re.search(pattern, line, re.I)]


def flags_in(source):
    """Command-line flags in the strings of a module, except in docstrings' own lines of code."""
    tree = ast.parse(source)
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [flag for text in texts for flag in FLAG.findall(text)]


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_module_of_the_plain_rooms_uses_the_phrase(phrase):
    found = {
        str(path.relative_to(PACKAGE)): hits
        for path in [*modules(PLAIN_ROOMS), PACKAGE / "errors.py", PACKAGE / "latent_axes.py"]
        if (hits := places(phrase, path.read_text("utf-8")))
    }
    assert not found, f"instead use: {PHRASES[phrase]}"


def test_the_library_names_parameters_and_not_flags():
    paths = modules(LIBRARY_ROOMS)
    assert len(paths) > 60
    found = {str(p.relative_to(PACKAGE)): flags_in(p.read_text("utf-8")) for p in paths}
    assert not {path: flags for path, flags in found.items() if flags}


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ('raise InputError(f"{n} is wrong. Use --n-components 2 or more.")', ["--n-components"]),
        ('hint = "--force"', ["--force"]),
        ('style = "--"', []),
        ('range = "1--2"; dash = "a -- b"', []),
        ("x = 1  # --force", []),
    ],
)
def test_flags_are_found_in_strings_alone(source, flags):
    assert flags_in(source) == flags
