"""How far a store is: from its flags, the locks of those who write it, and the queue."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latent_nmr._locks import spans_in_use
from latent_nmr._regular import regular
from latent_nmr.cluster.plans import Plan, plans_of
from latent_nmr.cluster.slurm import queued_tasks
from latent_nmr.data.parts import spans
from latent_nmr.data.store import finished_flags, store_length
from latent_nmr.errors import InputError

# Runs of curves that a sentence names; `StoreStatus.curves` has all.
MOST_NAMED = 5
# What a curve may be, and why it is.
STATES = {
    "finished": "",
    "running": "processes write the parts that they belong to",
    "queued": "jobs that are to make them wait",
    "missing": "the command that simulates the store makes them",
}


@dataclass(frozen=True)
class StoreStatus:
    """Which curves of a store are where.

    Attributes
    ----------
    states : ndarray of str, shape (n_curves,)
        "finished"; "running": a process writes the part they belong to; "queued": a job that is to
        make them waits; or "missing".
    n_running, n_queued : int
        Jobs of the queue.
    failures : list of str
        What the last job said that ended without finishing its part, for each such part.
    """

    states: npt.NDArray[np.str_]
    n_running: int
    n_queued: int
    failures: list[str]

    def curves(self, state: str) -> list[range]:
        """Curves in a state, in order."""
        return spans(np.flatnonzero(self.states == state))

    def count(self, state: str) -> int:
        """Number of curves in a state."""
        return int((self.states == state).sum())

    def sentences(self) -> list[str]:
        """How far the store is, in words; the first sentence counts what is finished."""
        found = [f"{self.count('finished')} of {len(self.states)} curves finished"]
        n_jobs = {"running": self.n_running, "queued": self.n_queued}
        for state in (state for state in STATES if state != "finished" and self.count(state)):
            n = n_jobs.get(state)
            by = f" by {n} job{'s' * (n > 1)}" if n else ""
            places = _places(self.curves(state))
            found.append(f"{state}: {self.count(state)}{by} (curves {places}): {STATES[state]}")
        return found + [f"the last jobs say: {text}" for text in sorted(set(self.failures))]


def store_status(path: Path, *, ask_queue: bool = True) -> StoreStatus:
    """Look a store up.

    Parameters
    ----------
    path : Path
    ask_queue : bool
        Whether jobs count as running as long as the queue holds them; without it, or without
        Slurm on this machine, as long as they write.

    Raises
    ------
    InputError
        If there is no simulated store, or the queue does not answer.
    """
    plans = plans_of(path)
    names = [plan.job_name for plan in plans]
    # The queue first: what ends meanwhile is then seen as finished, not as missing.
    tasks = queued_tasks(names) if ask_queue and shutil.which("squeue") else {}
    locked = spans_in_use(path, store_length(path))
    done = finished_flags(path)
    states = np.full(len(done), "missing", "<U8")
    by_name = {plan.job_name: plan for plan in plans}
    for (name, part), state in sorted(tasks.items(), key=lambda task: task[1]):
        for span in _part(by_name[name], part):
            states[span.start : span.stop] = state
    for span in locked:
        states[span.start : span.stop] = "running"
    states[done] = "finished"
    found = list(tasks.values())
    failures = [] if not plans else _failures(plans[-1])
    return StoreStatus(states, found.count("running"), found.count("queued"), failures)


def _part(plan: Plan, part: int) -> list[range]:
    return plan.parts[part] if part < len(plan.parts) else []


def _failures(plan: Plan) -> list[str]:
    found = []
    for part in range(len(plan.parts)):
        # It decides nothing: what is there and is no text is passed over.
        with contextlib.suppress(OSError, InputError):
            text = regular(plan.failure_file(part)).read_text("utf-8", errors="replace")
            found.append(" ".join(text.split()))
    return found


def _places(runs: list[range]) -> str:
    """Runs of curves as text: "3, 16 to 31, …"."""
    named = [f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs[:MOST_NAMED]]
    return ", ".join([*named, "…"] if len(runs) > MOST_NAMED else named)
