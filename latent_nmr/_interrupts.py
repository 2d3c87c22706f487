"""Ctrl-C, and signals that end a process, that are not lost while compiled code is running."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

# Names of the signals that came, in order.
_received: list[str] = []


@contextlib.contextmanager
def remembered_interrupts(*numbers: signal.Signals) -> Iterator[None]:
    """Let signals, Ctrl-C by default, raise `KeyboardInterrupt` with their name, and remember them.

    The exception is raised wherever the interpreter happens to be; inside a callback of compiled
    code it is printed, ignored and lost: :func:`stop_if_interrupted` raises it again.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return

    def remember(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        name = signal.Signals(number).name
        if name in _received and number != signal.SIGINT:
            return  # a scheduler repeats itself, and must not disturb the leaving
        _received.append(name)
        raise KeyboardInterrupt(name)

    _received.clear()
    before = {number: signal.signal(number, remember) for number in numbers or (signal.SIGINT,)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _received.clear()


def stop_if_interrupted() -> None:
    """Raise the `KeyboardInterrupt` of a signal that was lost; for loops around compiled code."""
    if _received:
        raise KeyboardInterrupt(_received[0])
