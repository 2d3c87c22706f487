"""Tables of numbers in text files: read fast, and where that fails name the line and its rule.

The fast reader accepts no table that the slow one refuses, which says what is wrong.
"""

import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import numpy.typing as npt

from latent_nmr._files import staged_file
from latent_nmr._regular import regular
from latent_nmr.errors import InputError, StoreWarning

FloatArray = npt.NDArray[np.float64]

# Enough digits to tell any two float32 numbers apart.
SIGNAL_FORMAT = "%.9g"
LARGEST_DOUBLE = float(np.finfo(np.float64).max)
LARGEST_SINGLE = float(np.finfo(np.float32).max)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)
_LONGEST_QUOTE = 40
_WRITE_SO = "Write numbers as 0.5 and -1e-3, with white space between them and no quotation marks."
MIN_ALIKE = 8  # numbers of one row that tell by their digits how all are written
_COMMENT = re.compile("[#%]")


def flaw(path: Path, line: int, what_is_wrong: str, cure: str) -> InputError:
    """Error that names file and line; `what_is_wrong` says name, rule and offending value."""
    return InputError(f"{path}, line {line}: {what_is_wrong}. {cure}")


def quote(text: str) -> str:
    """`text` in quotation marks, cut where it is long."""
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…")


def read_text(path: Path) -> str:
    """Read a UTF-8 file that is not empty, or raise `InputError`."""
    try:
        raw = regular(path).read_bytes()
    except FileNotFoundError:
        raise InputError(
            f"{path} must be a file, but there is none. Check the folder and the file's name."
        ) from None
    except OSError as error:
        raise InputError(
            f"{path} must be a readable file, but cannot be read ({error.strerror}). "
            "Check the path and its permissions."
        ) from error
    raw = raw.removesuffix(b"\x1a")  # the end of a text, to old programs of DOS
    if b"\0" in raw:
        line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
        cure = "Save text as UTF-8; unpack a compressed file; copy a damaged one again."
        raise flaw(path, line, "the file must be UTF-8 text, but holds zero bytes", cure)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise flaw(
            path,
            line,
            f"the file must be UTF-8 text, but holds the byte 0x{byte:02x}",
            "Save text as UTF-8; unpack a compressed file.",
        ) from None
    if not text.strip():
        raise InputError(f"{path} must hold at least one row, but is empty. Download it again.")
    return text


def split_lines(text: str) -> list[str]:
    """Lines of a text without their ends, be these LF, CRLF or CR."""
    if "\r" in text:  # a line end that was made one of Windows twice is one, too
        text = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return text.removesuffix("\n").split("\n")


def data_lines(lines: list[str]) -> tuple[list[int], list[str]]:
    """Numbers and texts of the lines that hold data, of a table separated by white space.

    Comments, from `#` or `%` to the end of the line, are left out, and so are blank lines above and
    below all data. A blank line between two rows stays: a row may be missing there.
    """
    if any("#" in line or "%" in line for line in lines):
        cut = [_COMMENT.split(line, maxsplit=1)[0] for line in lines]
        # A line that is a comment is no blank line.
        kept = [(n, text) for n, text in enumerate(cut, 1) if text.strip() or text == lines[n - 1]]
    else:
        kept = list(enumerate(lines, 1))
    while kept and not kept[-1][1].strip():
        kept.pop()
    start = next((i for i, (_, text) in enumerate(kept) if text.strip()), len(kept))
    return [number for number, _ in kept[start:]], [text for _, text in kept[start:]]


class Table(NamedTuple):
    """Rows of numbers of a text file.

    Attributes
    ----------
    path : Path
    values : ndarray, shape (n_rows, n_columns)
    lines : list of int, length n_rows
        The line of each row.
    """

    path: Path
    values: FloatArray
    lines: list[int]

    def check_column(
        self, name: str, values: FloatArray, is_allowed: npt.NDArray[np.bool_], rule: str
    ) -> None:
        """Raise `InputError` for the first row where `is_allowed` is False."""
        bad = np.flatnonzero(~is_allowed)
        if bad.size:
            raise flaw(
                self.path,
                self.lines[bad[0]],
                f"{name} must be {rule}, but is {values[bad[0]]:g}",
                "Correct it, or remove this row here and in the files beside it.",
            )


def read_table(path: Path, n_columns: int | None = None) -> Table:
    """Read rows of numbers, in the range of float32, that are separated by white space.

    Comments (`#` or `%`) and blank lines at the beginning and at the end are passed over.

    Parameters
    ----------
    path : Path
    n_columns : int, optional
        Numbers in each row; by default as many as in the first.
    """
    text = read_text(path)
    numbers, rows = data_lines(split_lines(text))
    if not rows:
        raise InputError(
            f"{path} must hold at least one row, but has only comments. Download it again."
        )
    n_values = n_columns or _common_width(rows)
    names = [f"value {i + 1}" for i in range(n_values)]
    if len(rows[-1].split()) == n_values:
        _refuse_cut_end(path, text, numbers[-1], rows[-1])
    return Table(path, parse_rows(rows, path, names, numbers), numbers)


def parse_rows(
    rows: list[str],
    path: Path,
    names: Sequence[str],
    lines: Sequence[int],
    *,
    delimiter: str | None = None,
) -> FloatArray:
    """Parse rows of numbers in the range of float32, shape (n_rows, len(names)).

    Parameters
    ----------
    rows : list of str
    path : Path
        File that they come from.
    names : sequence of str
        What each number is called in a message.
    lines : sequence of int
        Line of each row in the file.
    delimiter : str, optional
        Between the numbers; white space by default.
    """
    try:
        table = np.loadtxt(rows, comments=None, delimiter=delimiter, ndmin=2)
    except ValueError:
        table = np.empty((0, 0))
    # A blank line gives no row, and a NaN compares False.
    if table.shape == (len(rows), len(names)) and np.abs(table).max() <= LARGEST_SINGLE:
        return table
    return _parse_slowly(rows, path, names, lines, delimiter)


def parse_number(cell: str, path: Path, line: int, name: str, largest: float) -> float:
    """Return a cell as a finite number, or raise `InputError` naming file, line and rule."""
    if _NUMBER.fullmatch(cell):
        number = float(cell)
        if abs(number) <= largest:
            return number
    elif not _NOT_FINITE.fullmatch(cell):
        cure = _WRITE_SO if _is_written_otherwise(cell) else "Repair or remove the row."
        raise flaw(path, line, f"{name} must be a number, but is {quote(cell)}", cure)
    raise flaw(
        path,
        line,
        f"{name} must be finite and at most {largest:.3g} in size, but is {quote(cell)}",
        "Repair the row, or remove it here and in the files beside it.",
    )


@contextlib.contextmanager
def staged_texts(paths: Iterable[Path]) -> Iterator[list[TextIO]]:
    """Open files for writing that appear under their names only when all are complete."""
    paths = list(paths)
    try:
        with contextlib.ExitStack() as renames:
            stagings = [renames.enter_context(staged_file(path)) for path in paths]
            with contextlib.ExitStack() as closes:
                yield [
                    closes.enter_context(staging.open("w", encoding="utf-8", newline="\n"))
                    for staging in stagings
                ]
    except OSError as error:
        names = ", ".join(map(str, paths))
        raise InputError(
            f"{names} must be writable, but cannot be written ({error.strerror}). "
            "Choose another folder, or make room in it."
        ) from error


def write_signal_rows(
    handle: TextIO,
    rows: npt.NDArray[np.float32],
    separator: str,
    heads: Iterable[str] | None = None,
) -> None:
    """Write rows of float32 numbers with all their digits, each after its own head if any."""
    layout = separator.join([SIGNAL_FORMAT] * rows.shape[1]) + "\n"
    for head, row in zip(heads or [""] * len(rows), rows, strict=True):
        handle.write(head + layout % tuple(row.tolist()))


def _refuse_cut_end(path: Path, text: str, line: int, row: str) -> None:
    """Raise `InputError` if the last number of a file without a last line end is cut short.

    That is certain only where all others in its row have as many digits; else, a warning.
    """
    *others, last = (re.sub(r"\d", "0", cell.lstrip("+-")) for cell in row.split())
    if text[-1] in "\r\n" or len(others) < MIN_ALIKE:
        return
    if len({*others}) > 1:
        what = f"a file should end with a line end, but this one ends with {row.split()[-1]}"
        cure = "Digits may be missing: compare it with its source, or add the line end."
        warnings.warn(str(flaw(path, line, what, cure)), StoreWarning, stacklevel=2)
    elif last != others[0] and others[0].startswith(last):
        rule = f"the last number must have as many digits as the others, but is {row.split()[-1]}"
        raise flaw(path, line, rule, "The file is cut short. Download it again.")


def _common_width(rows: list[str]) -> int:
    """Numbers in a row: in the first, unless all others that are looked at agree on another."""
    places = sorted({0, 1, len(rows) // 2, len(rows) - 1} & {*range(len(rows))})
    first, *others = (len(rows[place].split()) for place in places)
    return others[0] if len(others) > 1 and len({*others}) == 1 else first


def _parse_slowly(
    rows: list[str],
    path: Path,
    names: Sequence[str],
    lines: Sequence[int],
    delimiter: str | None,
) -> FloatArray:
    """Parse as `parse_rows` does, but one number at a time, so that a flaw can be named."""
    parsed = []
    for line, text in zip(lines, rows, strict=True):
        cells = [cell.strip() for cell in text.split(delimiter)]
        if len(cells) != len(names) or not any(map(_is_number, cells)):
            _refuse_row(path, line, text, cells, names, lines, delimiter)
        pairs = zip(cells, names, strict=True)
        parsed.append([parse_number(cell, path, line, n, LARGEST_SINGLE) for cell, n in pairs])
    return np.array(parsed)


def _refuse_row(
    path: Path,
    line: int,
    text: str,
    cells: list[str],
    names: Sequence[str],
    lines: Sequence[int],
    delimiter: str | None,
) -> None:
    """Raise `InputError` for a row of another length, or the first if it is a header."""
    is_first, is_last = line == lines[0], line == lines[-1]
    found = f"holds {len(cells)}" if text.strip() else "is blank"
    cure = "Repair the row, or remove it here and in the files beside it."
    if not text.strip():
        cure = "Remove the line, or put in the row that is missing."
    elif delimiter is None and not any(map(_is_number, cells)) and _is_written_otherwise(text):
        found = f"is {quote(text)}"
        cure = _WRITE_SO
    elif re.match(r"\s*<|version https://git-lfs", text):
        found = f"is {quote(text)}"
        cure = "It is a web page, or a pointer to a large file. Download the file itself."
    elif is_first and not any(map(_is_number, cells)):
        found = f"is {quote(text)}"
        cure = "Is it a header? Remove the line, or begin it with #."
    elif is_first and len(lines) > 1 and len(cells) != len(names):
        cure = "If it is a header, remove the line, or begin it with #; else repair the row."
    elif is_last and len(cells) < len(names):
        cure = "It is the last line: is the file cut short? Download it again."
    elif len(cells) == len(names):
        return  # the cell at fault will be named
    raise flaw(path, line, f"a row must hold {len(names)} numbers, but this one {found}", cure)


def _is_written_otherwise(text: str) -> bool:
    """Whether a line is one of numbers, with other separators, decimal, minus or exponent signs."""
    plain = re.sub(r"(?<=\d)[dD](?=[+-]?\d)", "e", re.sub("[\u2212\u2013]", "-", text))
    cells = re.split(r"[,;\s\"']+", plain.strip(" \t,;\"'"))
    return all(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _NOT_FINITE.fullmatch(cell))
