"""Standard streams of any kind: closed, full, a pipe whose reader has gone, any encoding.

Work must not fail because its messages cannot be read. What cannot be written is dropped; that a
result was dropped is told at the end, by :func:`finish_streams`.
"""

import errno
import io
import os
import select
import sys
from typing import Any, TextIO

from latent_nmr._letters import PLAIN_LETTERS

# What a write to a pipe fails with when its reader, such as `head`, has read enough.
NO_READER = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}


class _RawStream(io.FileIO):
    """A stream of the system whose first failure is remembered, and ends the writing."""

    failure: OSError | None = None

    def write(self, data: Any) -> int:
        """Write some bytes and return how many; all of them after a failure."""
        try:
            while self.failure is None:
                written = super().write(data)
                if written is not None:
                    return written
                select.select([], [self], [])  # a pipe that does not block, and is full
        except OSError as error:
            self.failure = error
        return memoryview(data).nbytes


def prepare_streams() -> None:
    """Make standard output and error such that printing never fails; for whole processes."""
    _occupy_closed_numbers()
    sys.stdout = _prepared(sys.stdout)
    sys.stderr = _prepared(sys.stderr, line_buffering=True)


def finish_streams() -> str:
    """Write what is buffered; returns why the result could not be written, "" if it was.

    A closed output is no failure, nor is a reader who has read enough: both were meant.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    failure = raw.failure if isinstance(raw, _RawStream) else None
    if failure is None or failure.errno in NO_READER:
        return ""
    return f"standard output must be writable, but: {failure.strerror}. The work itself is done."


def _occupy_closed_numbers() -> None:
    """Open the null device for standard streams that are closed.

    The next file to be opened would get their number, and what libraries log to stream 2 would
    be written into it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def _prepared(stream: TextIO | None, *, line_buffering: bool = False) -> TextIO:
    """The stream with its encoding; letters that this lacks are written in plain ones."""
    if stream is None:  # closed when Python started
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # of a notebook, or a test
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if type(raw) is not io.FileIO:  # the console of Windows
        stream.reconfigure(errors=PLAIN_LETTERS)
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_RawStream(raw.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=PLAIN_LETTERS,
        line_buffering=line_buffering or stream.line_buffering,
        write_through=stream.write_through,
    )
