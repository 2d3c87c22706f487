"""Ctrl-C that is not lost while compiled code is running."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_interrupted = threading.Event()


@contextlib.contextmanager
def remembered_interrupts() -> Iterator[None]:
    """Remember Ctrl-C, for :func:`stop_if_interrupted`.

    The exception is raised wherever the interpreter happens to be; inside a callback of compiled
    code it is printed, ignored and lost.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return

    def remember(number: int, frame: FrameType | None) -> None:
        _interrupted.set()
        signal.default_int_handler(number, frame)

    _interrupted.clear()
    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _interrupted.clear()


def stop_if_interrupted() -> None:
    """Raise the `KeyboardInterrupt` of a Ctrl-C that was lost; for loops around compiled code."""
    if _interrupted.is_set():
        raise KeyboardInterrupt
