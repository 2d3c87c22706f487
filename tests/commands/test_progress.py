"""Steps that are kept: each is computed once, side by side, and what was done is never lost."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from latent_nmr.commands import _progress
from latent_nmr.commands._progress import Ledger


@pytest.fixture
def told():
    """Names of steps in the order in which they were told."""
    return []


@pytest.fixture
def ledger(tmp_path, told):
    return Ledger(tmp_path / "steps", told.append)


def test_results_stand_in_the_order_of_the_steps_whichever_is_done_first(ledger, told):
    second_is_done = threading.Event()

    def first():
        assert second_is_done.wait(20)
        return "first"

    def second():
        second_is_done.set()
        return "second"

    # With one thread, the first would wait in vain: they are under way at the same time.
    assert ledger.take_all([("a", first), ("b", second)], n_workers=2) == ["first", "second"]
    assert sorted(told) == ["a", "b"]


def test_a_step_that_is_there_is_read_and_told(ledger, told):
    ledger.take_all([("a", lambda: [1, 2])])
    found = ledger.take_all([("a", lambda: pytest.fail("computed again")), ("b", lambda: 3)])
    assert found == [[1, 2], 3]
    # Those that are done are told in any order.
    assert sorted(told) == ["a", "a", "b"]


def test_a_first_run_sees_what_a_continued_one_reads(ledger):
    (first,) = ledger.take_all([("a", lambda: {1: (0.1, 2)})])
    (again,) = ledger.take_all([("a", lambda: None)])
    assert first == again == {"1": [0.1, 2]}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_after_a_failure_nothing_more_is_begun_and_what_had_begun_is_kept(
    ledger, told, tmp_path, capsys, error
):
    begun, failed, started = threading.Event(), threading.Event(), []

    def long():
        begun.set()
        assert failed.wait(20)
        return "long"

    def failing():
        assert begun.wait(20)
        # Only now is the failure seen; the long step goes on for a while.
        threading.Timer(0.2, failed.set).start()
        raise error

    def later():
        started.append(1)
        assert failed.wait(20)

    later_steps = [(f"later{n}", later) for n in range(5)]
    with pytest.raises(error):
        ledger.take_all([("long", long), ("failing", failing), *later_steps], n_workers=2)
    assert json.loads((tmp_path / "steps" / "long.json").read_text("utf-8")) == "long"
    assert not (tmp_path / "steps" / "failing.json").exists()
    assert started == []
    assert "failing" not in told
    said = capsys.readouterr().err
    assert (
        said.startswith("interrupted: waiting for long")
        if error is KeyboardInterrupt
        else said == ""
    )


def test_further_interrupts_do_not_leave_threads_behind(ledger, tmp_path, monkeypatch):
    """Else they would write into a folder whose lock another process may hold by then."""
    begun, may_end, interrupts = threading.Event(), threading.Event(), []
    wait = _progress.wait

    class Impatient(ThreadPoolExecutor):
        """As if Ctrl-C were pressed while its end is waited for."""

        def __exit__(self, *facts):
            self.shutdown(wait=False)

    def long():
        begun.set()
        assert may_end.wait(20)
        return "long"

    def failing():
        assert begun.wait(20)
        raise KeyboardInterrupt

    def wait_interrupted_twice(futures):
        if len(interrupts) < 2:
            interrupts.append(1)
            raise KeyboardInterrupt
        may_end.set()
        return wait(futures)

    monkeypatch.setattr(_progress, "ThreadPoolExecutor", Impatient)
    monkeypatch.setattr(_progress, "wait", wait_interrupted_twice)
    with pytest.raises(KeyboardInterrupt):
        ledger.take_all([("long", long), ("failing", failing)], n_workers=2)
    was_kept = (tmp_path / "steps" / "long.json").is_file()
    may_end.set()
    assert was_kept
