"""Steps of a study, each kept as soon as it is done, so that none is computed twice.

A step is known by its facts (what is fitted, on what, with which seed) and by the identity of the
study (data, settings, package versions): both are hashed into the name of its file and written
into it. So a ledger never has to be cleared: what belongs to other data is simply not found.
"""

import io
import json
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latent_nmr._files import staged_file
from latent_nmr._interrupts import stop_if_interrupted
from latent_nmr._json import json_value
from latent_nmr._regular import regular
from latent_nmr.studies._identity import digest_of, package_versions

STEPS_FOLDER = "steps"
FACTS_ENTRY = "facts"
# What a file that is damaged makes its readers raise.
DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)

Facts = Mapping[str, Any]
Arrays = dict[str, np.ndarray]


class Step(NamedTuple):
    """One fit, or several that belong together.

    Attributes
    ----------
    facts : mapping
        What identifies it within its study: plain values that JSON holds.
    compute : callable
        Gives its result, as JSON holds it.
    """

    facts: Facts
    compute: Callable[[], Any]

    @property
    def title(self) -> str:
        """Its facts in a line."""
        shown = [value for value in self.facts.values() if not isinstance(value, Mapping)]
        return " ".join(str(value) for value in shown if value not in (None, ""))


class StepFailedError(Exception):
    """What a step raised is the cause of this."""

    @property
    def error(self) -> Exception:
        """What the step raised."""
        assert isinstance(self.__cause__, Exception)
        return self.__cause__


class Ledger:
    """Results of steps, one file each.

    Parameters
    ----------
    folder : Path or None
        Made where it does not exist; None keeps results in memory only.
    identity : mapping
        What decides all steps: digests of data, settings. Versions of packages are added.
    """

    def __init__(self, folder: Path | None, identity: Mapping[str, Any]):
        self._folder = None if folder is None else Path(folder) / STEPS_FOLDER
        self._identity = digest_of(dict(identity), package_versions())
        self._memory: dict[str, Any] = {}
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def take(self, facts: Facts, compute: Callable[[], Any]) -> Any:
        """The result of a step as JSON holds it: from its file, or computed and then kept.

        What `compute` raises is passed on, and nothing is kept.
        """
        stop_if_interrupted()
        key = self._key(facts)
        known = self._read(key, _read_json)
        if known is None:
            # Through JSON, so that a first run and a continued one see the same values.
            kept = json_value({"facts": dict(facts), "value": compute()}, any_key=True)
            text = json.dumps(kept, ensure_ascii=False)
            known = json.loads(text)
            self._write(key, known, ".json", text.encode())
        return known["value"]

    def take_arrays(self, facts: Facts, compute: Callable[[], Arrays]) -> Arrays:
        """The same for named arrays."""
        stop_if_interrupted()
        key = self._key(facts)
        known = self._read(key, _read_arrays)
        if known is None:
            known = {name: np.asarray(values) for name, values in compute().items()}
            content = io.BytesIO()
            entries: dict[str, Any] = {f"array/{name}": values for name, values in known.items()}
            text = json.dumps(json_value(facts, any_key=True))
            np.savez(content, **{FACTS_ENTRY: np.array(text)}, **entries)
            self._write(key, known, ".npz", content.getvalue())
        return known

    def has(self, facts: Facts) -> bool:
        """Whether the result of a step is there."""
        key = self._key(facts)
        return any(self._read(key, read) is not None for read in (_read_json, _read_arrays))

    def take_all(
        self,
        steps: Sequence[Step],
        *,
        n_workers: int = 1,
        on_step: Callable[[Step], object] = lambda _: None,
        on_interrupt: Callable[[list[Step]], object] = lambda _: None,
        on_failure: Callable[[Step, Exception], object] | None = None,
    ) -> list[Any]:
        """Results of all steps, in their order.

        Parameters
        ----------
        steps : sequence of Step
        n_workers : int
            Threads that compute side by side; fits of scikit-learn release the interpreter.
        on_step : callable
            Called with each step whose result is there.
        on_interrupt : callable
            Called with the steps that are waited for after Ctrl-C.
        on_failure : callable, optional
            Called, in their order, with the steps that raised an exception, and with it: nothing
            is kept of them, and their results are None. Without it, the first one ends the work,
            as does a file that cannot be written, in any case.
        """
        has_failed = threading.Event()
        guard = raising_step_failed if on_failure else lambda compute: compute

        def take(step: Step) -> Any:
            if has_failed.is_set():
                return None  # nobody will ask for it
            try:
                return self.take(step.facts, guard(step.compute))
            except StepFailedError as failure:
                return failure
            except BaseException:
                has_failed.set()
                raise

        with ThreadPoolExecutor(n_workers) as pool:
            futures = {pool.submit(take, step): step for step in steps}
            try:
                for future in as_completed(futures):
                    future.result()
                    if not has_failed.is_set():
                        on_step(futures[future])
            except BaseException as error:
                # What has begun is waited for: a thread cannot be stopped, and the folder is ours
                # only as long as we wait. Nothing more is begun.
                pool.shutdown(wait=False, cancel_futures=True)
                is_interrupt = isinstance(error, KeyboardInterrupt)
                _wait_for_all(futures, on_interrupt, is_interrupt=is_interrupt)
                raise
        results = [future.result() for future in futures]
        for place, result in enumerate(results):
            if on_failure and isinstance(result, StepFailedError):
                on_failure(steps[place], result.error)
                results[place] = None
        return results

    def _key(self, facts: Facts) -> str:
        return digest_of(
            self._identity, json.dumps(json_value(facts, any_key=True), sort_keys=True)
        )

    def _read(self, key: str, read: Callable[[Path], Any]) -> Any:
        """A kept result; None where there is none, or its file is damaged."""
        if self._folder is None:
            return self._memory.get(key)
        try:
            return read(self._folder / key)
        except DAMAGED:
            return None

    def _write(self, key: str, known: Any, suffix: str, content: bytes) -> None:
        if self._folder is None:
            self._memory[key] = known
            return
        with staged_file(self._folder / f"{key}{suffix}") as staging:
            staging.write_bytes(content)


def raising_step_failed(compute: Callable[[], Any]) -> Callable[[], Any]:
    """`compute`, whose exceptions are distinguished from those of storing its result."""

    def guarded() -> Any:
        try:
            return compute()
        except Exception as error:  # whatever an estimator of another package raises
            raise StepFailedError from error

    return guarded


def _read_json(path: Path) -> Any:
    known = json.loads(regular(path.with_name(f"{path.name}.json")).read_text("utf-8"))
    known["value"]
    return known


def _read_arrays(path: Path) -> Arrays:
    with np.load(regular(path.with_name(f"{path.name}.npz")), allow_pickle=False) as file:
        names = [name for name in file.files if name != FACTS_ENTRY]
        return {name.removeprefix("array/"): file[name] for name in names}


def _wait_for_all(
    futures: Mapping[Future, Step],
    on_interrupt: Callable[[list[Step]], object],
    *,
    is_interrupt: bool,
) -> None:
    """Wait for the steps that are under way, however often Ctrl-C is pressed meanwhile."""
    while running := {future: step for future, step in futures.items() if future.running()}:
        if is_interrupt:
            on_interrupt(list(running.values()))
        try:
            wait(running)
        except KeyboardInterrupt:
            is_interrupt = True
