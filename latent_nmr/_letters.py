"""Text that any output takes: letters and signs in ASCII, as β → beta, × → x, and names of files.

Importing registers the way of spelling with Python's encoders: ``errors=PLAIN_LETTERS``.
"""

import codecs
import os
import unicodedata
from pathlib import Path

PLAIN_LETTERS = "latent_nmr.plain_letters"

# Signs whose name or decomposition does not say how they are typed.
_SIGNS_BY_PLAIN = {
    "^+": "†",
    "u": "µμ",  # as in µs; two characters of one look, the micro sign and the Greek letter
    "x": "×",
    "-": "−–—‐‑─",
    "|": "│",
    "+": "╭╮╰╯",
    "#": "█",
    "*": "·•◆",
    "o": "◇",
    "^": "↑",
    "v": "↓",
    "[": "⌈",
    "]": "⌉",
    "int": "∫",
    "d": "∂",
    "/": "÷⁄",
    "+-": "±",
    '"': "“”„″«»",
    "'": "‘’′",
    "<": "⟨",
    ">": "⟩",
    "->": "→",
    "<-": "←",
    "<->": "↔",
    "<=": "≤",
    ">=": "≥",
    "!=": "≠",
    "~": "≈∼∝",
    "...": "…",
    "inf": "∞",
    "sqrt": "√",
    "sum": "∑",
    " deg": "°",
    "section ": "§",
    "yes": "✓",
    "no": "✗",
    "ss": "ß",
    "ae": "æ",
    "oe": "œ",
    "i": "ı",
}
SIGNS = {sign: typed for typed, signs in _SIGNS_BY_PLAIN.items() for sign in signs}


def plain(text: str) -> str:
    """`text` in ASCII; `?` for what has no plain form."""
    return "".join(_plain_letter(text, place) for place in range(len(text)))


def path_text(path: Path | str) -> str:
    """`path` as text for files and reports, the same in every locale.

    Where the locale is not UTF-8, or a name is not, Python holds bytes of a name in half
    characters, which no file of text takes.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _plain_letter(text: str, place: int) -> str:
    """One letter of a text in ASCII."""
    letter = text[place]
    if letter.isascii():
        return letter
    if letter in SIGNS:
        return SIGNS[letter]
    if unicodedata.combining(letter):
        return ""
    way, *parts = unicodedata.decomposition(letter).split() or [""]
    if not way:
        return _named_letter(letter)
    if not way.startswith("<"):  # a letter and its accent
        way, parts = "", [way, *parts]
    base = plain("".join(chr(int(part, 16)) for part in parts))
    mark = {"<super>": "^", "<sub>": "_"}.get(way, "")
    # One mark for a whole exponent: 10⁻¹² → 10^-12.
    continues = place and unicodedata.decomposition(text[place - 1]).startswith(way)
    return base if continues else mark + base


def _named_letter(letter: str) -> str:
    """A Greek letter by its name, a Latin one with a stroke without it."""
    script, *name = unicodedata.name(letter, "unknown").split()
    if script not in ("GREEK", "LATIN") or "LETTER" not in name:
        return "?"
    of_letter = [word for word in name[name.index("LETTER") + 1 :] if word != "FINAL"]
    return of_letter[0].capitalize() if "CAPITAL" in name else of_letter[0].lower()


def _encode(error: UnicodeError) -> tuple[str | bytes, int]:
    """Replace a letter that an encoder cannot write; bytes of a file's name stay as they are."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    if "\udc80" <= letter <= "\udcff":  # a byte of a name that is no text in this locale
        wide = error.encoding.lower().startswith(("utf-16", "utf-32"))
        return "?" if wide else bytes([ord(letter) - 0xDC00]), error.start + 1
    return _plain_letter(error.object, error.start), error.start + 1


codecs.register_error(PLAIN_LETTERS, _encode)
