"""Parts of a store that several processes fill at a time: whole chunks each."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from latent_nmr.data._store_layout import CHUNK
from latent_nmr.errors import InputError


def n_chunks(n_curves: int) -> int:
    """Chunks that hold the first `n_curves` curves."""
    return -(-n_curves // CHUNK)


def chunks_of(rows: Iterable[range], n_curves: int) -> list[range]:
    """Chunks that ranges of curves fill; the last may end with the store.

    Raises
    ------
    InputError
        If a range begins or ends inside a chunk: two processes would write one file.
    """
    found = []
    for span in filter(len, rows):
        if span.start % CHUNK or (span.stop % CHUNK and span.stop != n_curves):
            raise InputError(
                f"a part of a store must be whole chunks of {CHUNK} curves, but is curves "
                f"{span.start} to {span.stop - 1} of {n_curves}. Move its ends."
            )
        found.append(range(span.start // CHUNK, n_chunks(span.stop)))
    return found


def numbered_part(text: str, n_curves: int) -> range:
    """Curves of the part that a text such as "3/16" names: the third of sixteen.

    Parts are equal up to a chunk; of more parts than there are chunks, some are empty.

    Raises
    ------
    InputError
        If the text does not name one.
    """
    found = re.fullmatch(r"(\d+)/(\d+)", text.strip(), re.ASCII)
    part, n_parts = map(int, found.groups()) if found else (0, 0)
    if not 1 <= part <= n_parts:
        raise InputError(
            f"part must be the number of a part and how many there are, as in 3/16, the first "
            f"being 1/16 and the last 16/16, but is {text!r}. Give two such numbers."
        )
    first, last = (n_chunks(n_curves) * edge // n_parts for edge in (part - 1, part))
    return range(min(first * CHUNK, n_curves), min(last * CHUNK, n_curves))


def shared_out(rows: Sequence[range], n_parts: int, n_curves: int) -> list[list[range]]:
    """Ranges of curves as at most `n_parts` parts of whole chunks, each of about equal size."""
    chunks = [chunk for span in chunks_of(rows, n_curves) for chunk in span]
    edges = [len(chunks) * edge // n_parts for edge in range(n_parts + 1)]
    parts = [chunks[first:last] for first, last in pairwise(edges) if last > first]
    return [[_curves(span, n_curves) for span in spans(np.array(part))] for part in parts]


def unfinished_chunks(is_finished: npt.NDArray[np.bool_]) -> list[range]:
    """Ranges of curves, whole chunks each, that hold every unfinished one."""
    n_curves = len(is_finished)
    chunks = np.unique(np.flatnonzero(~is_finished) // CHUNK)
    return [_curves(span, n_curves) for span in spans(chunks)]


def spans(numbers: npt.NDArray[np.integer]) -> list[range]:
    """Ascending numbers as ranges without gaps."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    return [range(int(run[0]), int(run[-1]) + 1) for run in runs if len(run)]


def _curves(chunks: range, n_curves: int) -> range:
    return range(chunks.start * CHUNK, min(chunks.stop * CHUNK, n_curves))
