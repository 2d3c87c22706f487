"""Steps that are kept: each is computed once, side by side, and what was done is never lost."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from latent_nmr.studies import _ledger
from latent_nmr.studies._ledger import Ledger, Step

IDENTITY = {"data": "abc", "window": "echo"}


def step(name, compute):
    return Step({"name": name}, compute)


@pytest.fixture
def seen():
    """Names of steps in the order in which they were reported."""
    return []


@pytest.fixture
def on_step(seen):
    return lambda step: seen.append(step.facts["name"])


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path, IDENTITY)


def kept_values(folder):
    """Values of all steps in a folder, by their facts' name."""
    entries = [json.loads(path.read_text("utf-8")) for path in folder.glob("steps/*.json")]
    return {entry["facts"]["name"]: entry["value"] for entry in entries}


class TestOneStep:
    """A step is computed once and known by its facts and the identity of the study."""

    def test_it_is_computed_once(self, ledger):
        assert ledger.take({"seed": 0}, lambda: [1, 2]) == [1, 2]
        assert ledger.take({"seed": 0}, lambda: pytest.fail("computed again")) == [1, 2]

    def test_another_process_finds_it(self, ledger, tmp_path):
        ledger.take({"seed": 0}, lambda: 1)
        assert Ledger(tmp_path, IDENTITY).take({"seed": 0}, lambda: 2) == 1

    @pytest.mark.parametrize("other", [{"seed": 1}, {"seed": "0"}, {"seed": 0, "fold": 1}])
    def test_other_facts_are_another_step(self, ledger, other):
        ledger.take({"seed": 0}, lambda: 1)
        assert ledger.take(other, lambda: 2) == 2

    def test_the_order_of_facts_does_not_matter(self, ledger):
        ledger.take({"a": 1, "b": 2}, lambda: 1)
        assert ledger.take({"b": 2, "a": 1}, lambda: 2) == 1

    @pytest.mark.parametrize("other", [{"data": "abd", "window": "echo"}, {"data": "abc"}])
    def test_steps_of_other_data_are_never_taken(self, ledger, tmp_path, other):
        ledger.take({"seed": 0}, lambda: 1)
        assert Ledger(tmp_path, other).take({"seed": 0}, lambda: 2) == 2
        assert Ledger(tmp_path, IDENTITY).take({"seed": 0}, lambda: 3) == 1

    def test_other_versions_of_packages_compute_again(self, ledger, tmp_path, monkeypatch):
        ledger.take({"seed": 0}, lambda: 1)
        monkeypatch.setattr(_ledger, "package_versions", lambda: {"jax": "99"})
        assert Ledger(tmp_path, IDENTITY).take({"seed": 0}, lambda: 2) == 2

    def test_a_first_run_sees_what_a_continued_one_reads(self, ledger):
        first = ledger.take({"seed": 0}, lambda: {1: (0.1, 2)})
        assert first == ledger.take({"seed": 0}, lambda: None) == {"1": [0.1, 2]}

    def test_a_failed_step_is_not_kept(self, ledger):
        with pytest.raises(ZeroDivisionError):
            ledger.take({"seed": 0}, lambda: 1 / 0)
        assert not ledger.has({"seed": 0})
        assert ledger.take({"seed": 0}, lambda: 1) == 1
        assert ledger.has({"seed": 0})

    @pytest.mark.parametrize("rest", [b"", b'{"facts": {', b"{}", b"\xff\xfe"])
    def test_a_damaged_file_is_computed_again(self, ledger, tmp_path, rest):
        ledger.take({"seed": 0}, lambda: 1)
        (path,) = tmp_path.glob("steps/*.json")
        path.write_bytes(rest)
        assert ledger.take({"seed": 0}, lambda: 2) == 2

    def test_arrays_come_back_bit_for_bit(self, ledger, tmp_path):
        arrays = {"held-out": np.float32([[0.1, np.nan]]), "of/kind": np.array(["a", "bc"])}
        ledger.take_arrays({"seed": 0}, lambda: arrays)
        found = Ledger(tmp_path, IDENTITY).take_arrays({"seed": 0}, lambda: pytest.fail("again"))
        assert found.keys() == arrays.keys()
        for name, values in arrays.items():
            assert found[name].dtype == values.dtype
            np.testing.assert_array_equal(found[name], values)

    def test_without_a_folder_steps_are_remembered(self):
        ledger = Ledger(None, IDENTITY)
        ledger.take({"seed": 0}, lambda: 1)
        assert ledger.take({"seed": 0}, lambda: 2) == 1


class TestManySteps:
    """Steps side by side, in order, and what happens when one fails."""

    def test_results_are_in_the_order_of_the_steps_whichever_is_done_first(
        self, ledger, seen, on_step
    ):
        second_is_done = threading.Event()

        def first():
            assert second_is_done.wait(20)
            return "first"

        def second():
            second_is_done.set()
            return "second"

        # With one thread, the first would wait in vain: they are under way at the same time.
        steps = [step("a", first), step("b", second)]
        assert ledger.take_all(steps, n_workers=2, on_step=on_step) == ["first", "second"]
        assert sorted(seen) == ["a", "b"]

    def test_a_step_that_is_there_is_read_and_reported(self, ledger, seen, on_step):
        ledger.take_all([step("a", lambda: [1, 2])], on_step=on_step)
        again = [step("a", lambda: pytest.fail("computed again")), step("b", lambda: 3)]
        assert ledger.take_all(again, on_step=on_step) == [[1, 2], 3]
        assert sorted(seen) == ["a", "a", "b"]  # those that are done are reported in any order

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
    def test_after_a_failure_nothing_more_is_begun_and_what_had_begun_is_kept(
        self, ledger, seen, on_step, tmp_path, error
    ):
        begun, failed, started, waited_for = threading.Event(), threading.Event(), [], []

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

        steps = [step("long", long), step("failing", failing)]
        steps += [step(f"later{number}", later) for number in range(5)]
        with pytest.raises(error):
            ledger.take_all(steps, n_workers=2, on_step=on_step, on_interrupt=waited_for.extend)
        assert kept_values(tmp_path) == {"long": "long"}
        assert started == []
        assert "failing" not in seen
        expected = ["long"] if error is KeyboardInterrupt else []
        assert [step.facts["name"] for step in waited_for] == expected

    def test_further_interrupts_do_not_leave_threads_behind(self, ledger, tmp_path, monkeypatch):
        """Else they would write into a folder whose lock another process may hold by then."""
        begun, may_end, interrupts = threading.Event(), threading.Event(), []
        wait = _ledger.wait

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

        monkeypatch.setattr(_ledger, "ThreadPoolExecutor", Impatient)
        monkeypatch.setattr(_ledger, "wait", wait_interrupted_twice)
        with pytest.raises(KeyboardInterrupt):
            ledger.take_all([step("long", long), step("failing", failing)], n_workers=2)
        was_kept = kept_values(tmp_path) == {"long": "long"}
        may_end.set()
        assert was_kept

    def test_failures_are_reported_in_order_and_the_other_steps_stay(self, ledger, tmp_path):
        failed = []
        steps = [step("a", lambda: 1 / 0), step("b", lambda: 1), step("c", lambda: [][0])]
        found = ledger.take_all(
            steps, n_workers=2, on_failure=lambda step, error: failed.append((step, error))
        )
        assert found == [None, 1, None]
        assert [s.facts["name"] for s, _ in failed] == ["a", "c"]
        assert [type(error) for _, error in failed] == [ZeroDivisionError, IndexError]
        assert kept_values(tmp_path) == {"b": 1}
        assert ledger.take_all([step("a", lambda: 2)]) == [2]  # tried again

    def test_an_interrupt_is_no_failure_of_a_step(self, ledger):
        def compute():
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            ledger.take_all([step("a", compute)], on_failure=lambda *_: None)

    def test_a_result_that_cannot_be_written_is_no_failure_of_a_step(self, ledger, tmp_path):
        (tmp_path / "steps").rmdir()
        (tmp_path / "steps").write_text("a file in the place of the folder")
        with pytest.raises(OSError, match="steps"):
            ledger.take_all([step("a", lambda: 1)], on_failure=lambda *_: None)
