"""Folders that a study works in, and the seconds that it has taken over all its runs."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from latent_nmr._files import write_json

SECONDS_FILE = "seconds.json"


@contextlib.contextmanager
def time_kept(folder: Path | None) -> Iterator[dict[str, float]]:
    """Add the seconds spent inside to those of earlier runs in `folder`.

    Yields a mapping whose `seconds` are the sum when the block has ended, however it ends short
    of a kill.
    """
    start, total = time.perf_counter(), {"seconds": 0.0}
    path = None if folder is None else Path(folder) / SECONDS_FILE
    before = 0.0
    if path is not None and path.is_file():
        with contextlib.suppress(ValueError):
            before = float(json.loads(path.read_text("utf-8")))
    try:
        yield total
    finally:
        total["seconds"] = before + time.perf_counter() - start
        if path is not None:
            write_json(path, total["seconds"])


class Stopwatch:
    """Wall time of each part of a job, in seconds."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, part: str) -> None:
        """Book the time since the last call on `part`."""
        now = time.perf_counter()
        self.seconds[part] = round(now - self._last, 2)
        self._last = now
