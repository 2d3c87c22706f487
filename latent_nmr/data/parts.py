"""Parts of a store that several processes fill at a time: whole chunks each."""

import re
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from latent_nmr.errors import InputError


def check_whole_chunks(rows: Iterable[range], n_curves: int, chunk: int) -> None:
    """Refuse ranges of curves that end inside a chunk; the last may end with the store.

    Raises
    ------
    InputError
        If a range begins or ends inside a chunk: two processes would write one file.
    """
    for span in filter(len, rows):
        if span.start % chunk or (span.stop % chunk and span.stop != n_curves):
            raise InputError(
                f"a part of a store must be whole chunks of {chunk} curves, but is curves "
                f"{span.start} to {span.stop - 1} of {n_curves}. Move its ends."
            )


def numbered_part(text: str, n_curves: int, chunk: int) -> range:
    """Curves of the part that a text such as "3/16" names: the third of sixteen.

    Parts are equal up to a chunk; of more parts than there are chunks, some are empty.

    Raises
    ------
    InputError
        If the text does not name one.
    """
    found = re.fullmatch(r"(\d{1,18})/(\d{1,18})", text.strip(), re.ASCII)
    part, n_parts = map(int, found.groups()) if found else (0, 0)
    if not 1 <= part <= n_parts:
        raise InputError(
            f"part must be the number of a part and how many there are, as in 3/16, the first "
            f"being 1/16 and the last 16/16, but is {text!r}. Give two such numbers."
        )
    n_chunks = -(-n_curves // chunk)
    return _curves(
        range(n_chunks * (part - 1) // n_parts, n_chunks * part // n_parts), n_curves, chunk
    )


def shared_out(rows: Iterable[range], n_parts: int, n_curves: int, chunk: int) -> list[list[range]]:
    """Ranges of curves as at most `n_parts` parts of whole chunks, each of about equal size."""
    numbers = [
        number for span in rows for number in range(span.start // chunk, -(-span.stop // chunk))
    ]
    edges = [len(numbers) * edge // n_parts for edge in range(n_parts + 1)]
    parts = [numbers[first:last] for first, last in pairwise(edges) if last > first]
    return [[_curves(span, n_curves, chunk) for span in spans(np.array(part))] for part in parts]


def unfinished_chunks(is_finished: npt.NDArray[np.bool_], chunk: int) -> list[range]:
    """Ranges of curves, whole chunks each, that hold every unfinished one."""
    n_curves = len(is_finished)
    numbers = np.unique(np.flatnonzero(~is_finished) // chunk)
    return [_curves(span, n_curves, chunk) for span in spans(numbers)]


def spans(numbers: npt.NDArray[np.integer]) -> list[range]:
    """Ascending numbers as ranges without gaps."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [range(int(run[0]), int(run[-1]) + 1) for run in runs if len(run)]


def _curves(chunks: range, n_curves: int, chunk: int) -> range:
    return range(min(chunks.start * chunk, n_curves), min(chunks.stop * chunk, n_curves))
