"""Limits of the gallery's examples, which a build of the site sees to."""

import importlib.util
import mmap
import signal
import sys
import time
from pathlib import Path

import pytest

PATH = Path(__file__).parents[1] / "docs" / "_ext" / "examples.py"
SPEC = importlib.util.spec_from_file_location("examples", PATH)
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@pytest.fixture
def run(monkeypatch):
    """Run something as an example."""
    monkeypatch.setattr(EXAMPLES, "_forget_programs", lambda: None)
    before = signal.getsignal(signal.SIGALRM)

    def example(do):
        EXAMPLES.before_and_after({}, "plot_example.py", "before")
        do()
        EXAMPLES.before_and_after({}, "plot_example.py", "after")

    yield example
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def busy_for(seconds):
    started = time.process_time()
    while time.process_time() - started < seconds:
        pass


def test_an_example_within_its_limits_passes_and_its_time_is_printed(run, capsys):
    run(lambda: busy_for(0.05))
    assert "plot_example.py: 0." in capsys.readouterr().err


def test_an_example_that_takes_too_long_is_refused(run, monkeypatch):
    monkeypatch.setattr(EXAMPLES, "SECONDS", 0.02)
    with pytest.raises(EXAMPLES.ExampleError, match="Use fewer curves"):
        run(lambda: busy_for(0.05))


def test_waiting_for_other_programs_is_not_counted(run, monkeypatch):
    monkeypatch.setattr(EXAMPLES, "SECONDS", 0.1)
    run(lambda: time.sleep(0.2))


def test_an_example_that_hangs_is_stopped(run, monkeypatch):
    monkeypatch.setattr(EXAMPLES, "LONGEST", 0.1)
    with pytest.raises(EXAMPLES.ExampleError, match="hangs"):
        run(lambda: time.sleep(5))


def test_an_example_that_takes_too_much_memory_is_refused(run, monkeypatch):
    monkeypatch.setattr(EXAMPLES, "BYTES", 20_000_000)

    def fill_memory():
        # Pages of its own: an array may lie in what earlier tests used and let go.
        with mmap.mmap(-1, 40_000_000) as pages:
            pages.write(b"x" * len(pages))

    with pytest.raises(EXAMPLES.ExampleError, match="smaller curves"):
        run(fill_memory)
