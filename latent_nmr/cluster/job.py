"""What one job does: fill its part of a store, and leave when it is told to.

A job writes everything into the store, returns nothing, and asks nothing of the process that
submitted it.
"""

import contextlib
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from latent_nmr._interrupts import remembered_interrupts
from latent_nmr.cluster.plans import Plan
from latent_nmr.cluster.slurm import is_preempted, own_job, put_back

# Slurm sends the first when it ends a job, and, as submitit asks it to, one of the others some
# time before a job has used up its time or is preempted.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


@dataclass(frozen=True)
class FillJob:
    """One job of a plan; called by submitit.

    Attributes
    ----------
    path : Path
        The store, which exists.
    settings : dict
        Of `Simulation`.
    n_curves : int
        Of the whole store.
    plan : Plan
    part : int
        Which part of the plan, from 0.
    """

    path: Path
    settings: dict[str, Any]
    n_curves: int
    plan: Plan
    part: int

    def __call__(self) -> None:
        """Fill the part; what is lacking of it after an error or a signal is lacking in the store.

        A job whose time is up, or whose place another takes, is put back into the queue; the
        former only if it finished any curve, or it would come back for ever.
        """
        failure = self.plan.failure_file(self.part)
        failure.unlink(missing_ok=True)
        n_made = 0
        try:
            with remembered_interrupts(*SIGNALS):
                for n_curves in self._finished_now():
                    n_made = n_curves
        except KeyboardInterrupt as told:
            _say(f"{told}: leaves after {n_made} curves")
            job = own_job()
            is_time_up = "SIGUSR" in str(told) and n_made > 0
            if job and (is_time_up or is_preempted(job)):
                _say("put back into the queue")
                put_back(job)
        except Exception as error:
            text = " ".join(str(error).split()) or type(error).__name__
            with contextlib.suppress(OSError):
                failure.write_text(text + "\n", "utf-8")
            raise

    def _finished_now(self) -> Iterator[int]:
        """Fill the part; yields how many curves this job has made of it."""
        from latent_nmr.data.store import fill_part
        from latent_nmr.physics.simulate import Simulation

        rows = self.plan.parts[self.part]
        n_rows = sum(map(len, rows))
        counts = fill_part(self.path, Simulation(**self.settings), self.n_curves, rows)
        before = next(counts)
        _say(f"{self.path}, part {self.part}: {n_rows - before} of {n_rows} curves to simulate")
        for count in counts:
            yield count - before
        _say("finished")


def jobs_of(path: Path, simulation: Any, n_curves: int, plan: Plan) -> list[FillJob]:
    """All jobs of a plan."""
    settings = asdict(simulation)
    return [FillJob(path, settings, n_curves, plan, part) for part in range(len(plan.parts))]


def _say(text: str) -> None:
    """Write to the job's log."""
    print(text, file=sys.stdout, flush=True)
