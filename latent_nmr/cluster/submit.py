"""Submit jobs for the curves that a store lacks, through submitit, and wait for them.

Whatever submitit keeps of its jobs decides nothing: what is finished stands in the store, and what
is on its way in the queue.
"""

import contextlib
import io
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latent_nmr._files import sole_writer
from latent_nmr._locks import real_path
from latent_nmr.cluster.job import FillJob, jobs_of
from latent_nmr.cluster.plans import Plan, jobs_folder, new_plan, plans_of
from latent_nmr.cluster.slurm import check_slurm, minutes_of, queued_tasks
from latent_nmr.cluster.status import store_status
from latent_nmr.data.parts import shared_out, unfinished_chunks
from latent_nmr.data.store import prepare_store, store_chunk
from latent_nmr.errors import InputError, check_count
from latent_nmr.physics.simulate import Simulation

# Time of a job that is given none.
MINUTES = 60
# Where submitit looks for what it shall do to logging.
LOG_VARIABLE = "SUBMITIT_LOG_LEVEL"
# Seconds for which a queue that does not answer is asked again.
QUEUE_PATIENCE = 600.0


@dataclass(frozen=True)
class Resources:
    """What each job asks of the cluster; None leaves it to the cluster.

    Attributes
    ----------
    partition : str or None
    time : str or None
        As minutes, H:MM:SS or D-HH:MM:SS; an hour by default. When it is up, a job is put back
        into the queue, if it finished any curve.
    cpus : int or None
        Curves simulated at a time.
    gpus : int or None
    """

    partition: str | None = None
    time: str | None = None
    cpus: int | None = None
    gpus: int | None = None

    def __post_init__(self):
        if self.cpus is not None:
            check_count("cpus", self.cpus)
        if self.gpus is not None:
            check_count("gpus", self.gpus, at_least=0)
        self.minutes  # noqa: B018 - refused at once, not when the jobs are submitted

    @property
    def minutes(self) -> int:
        """Time of each job."""
        return MINUTES if self.time is None else minutes_of(self.time)


@dataclass(frozen=True)
class Submission:
    """What was submitted: the curves of each job, and submitit's jobs; nothing, if none lacked."""

    parts: list[list[range]]
    jobs: list[Any]

    @property
    def number(self) -> str | None:
        """Number of the array of jobs in the queue."""
        return self.jobs[0].job_id.partition("_")[0] if self.jobs else None


def submit_missing(
    path: Path,
    simulation: Simulation,
    n_curves: int,
    n_jobs: int,
    resources: Resources | None = None,
    *,
    cluster: str = "slurm",
) -> Submission:
    """Submit jobs for all curves that a store lacks and that no job in the queue is to make.

    Parameters
    ----------
    path : Path
        The store, on a file system that all nodes share; made here if it does not exist.
    simulation : Simulation
    n_curves : int
    n_jobs : int
        At most as many jobs; each has whole chunks.
    resources : Resources, optional
    cluster : {"slurm", "local"}
        "local" starts processes of this machine.

    Raises
    ------
    InputError
        If submitit or Slurm is missing or refuses, or the store cannot be continued.
    """
    check_count("jobs", n_jobs)
    path = real_path(path)
    submitit = _submitit()
    if cluster == "slurm":
        check_slurm()
    prepare_store(path, simulation, n_curves)
    jobs_folder(path).mkdir(exist_ok=True)
    with sole_writer(jobs_folder(path)):
        parts = missing_parts(path, n_curves, n_jobs, ask_queue=cluster == "slurm")
        if not parts:
            return Submission([], [])
        plan = new_plan(path, parts)
        executor = submitit.AutoExecutor(plan.folder, cluster=cluster)
        executor.update_parameters(**_parameters(plan, resources or Resources(), cluster))
        jobs = jobs_of(path, simulation, n_curves, plan)
        try:
            return Submission(parts, _submitted(executor, jobs, submitit))
        except InputError:
            shutil.rmtree(plan.folder, ignore_errors=True)
            raise


def missing_parts(
    path: Path, n_curves: int, n_jobs: int, *, ask_queue: bool = True
) -> list[list[range]]:
    """Curves for each of at most `n_jobs` new jobs: what nobody makes or is to make."""
    states = store_status(path, ask_queue=ask_queue).states[:n_curves]
    chunk = store_chunk(path, n_curves)
    return shared_out(unfinished_chunks(states != "missing", chunk), n_jobs, n_curves, chunk)


def wait_for_jobs(
    submission: Submission, path: Path, cluster: str = "slurm", seconds: float = 5.0
) -> Iterator[int]:
    """Yield the number of finished curves of a store, from time to time, until its jobs ended.

    Those that somebody else submitted are waited for, too. A queue that does not answer, as it
    happens when much is asked of it, is asked again for some minutes.
    """
    is_patient_until = time.monotonic() + QUEUE_PATIENCE
    while True:
        start = time.monotonic()
        try:
            n_jobs = _jobs_in_flight(submission, path, cluster)
            is_patient_until = time.monotonic() + QUEUE_PATIENCE
        except InputError:
            if time.monotonic() > is_patient_until:
                raise
            n_jobs = 1
        # The flags of a million curves are many files: who looks often, is in the way.
        yield store_status(path, ask_queue=False).count("finished")
        if not n_jobs:
            return
        time.sleep(max(seconds, min(60.0, 20 * (time.monotonic() - start))))


def _jobs_in_flight(submission: Submission, path: Path, cluster: str) -> int:
    """Jobs of a store that have not ended."""
    if cluster != "slurm":
        return sum(not job.done() for job in submission.jobs)
    return len(queued_tasks(plan.job_name for plan in plans_of(path)))


def _parameters(plan: Plan, resources: Resources, cluster: str) -> dict[str, Any]:
    """Settings of submitit's executor."""
    asked: dict[str, Any] = {"timeout_min": resources.minutes}
    if cluster != "slurm":
        return asked
    asked |= {"name": plan.job_name, "slurm_array_parallelism": len(plan.parts)}
    # A preempted job comes back, also on clusters where that must be asked for.
    asked["slurm_additional_parameters"] = {"requeue": True}
    if resources.partition:
        asked["slurm_partition"] = resources.partition
    if resources.cpus:
        asked["cpus_per_task"] = resources.cpus
        # Since Slurm 22.05 a step does not take it over from its job.
        asked["slurm_srun_args"] = [f"-c{resources.cpus}"]
    if resources.gpus:
        asked["gpus_per_node"] = resources.gpus
    return asked


def _submitted(executor: Any, jobs: list[FillJob], submitit: Any) -> list[Any]:
    """Submit jobs; what `sbatch` says against it becomes an `InputError`."""
    utils = submitit.core.utils
    try:
        # submitit prints what it raises.
        with contextlib.redirect_stderr(io.StringIO()):
            return executor.submit_array(jobs)
    except (utils.FailedJobError, utils.FailedSubmissionError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = next((line for line in lines if "error:" in line), lines[-1] if lines else "")
        raise InputError(
            f"jobs must be such that Slurm takes them, but it says: {said}. Change what they ask "
            "for (partition, time, CPUs, GPUs); an account is named by the variable SBATCH_ACCOUNT."
        ) from error


def _submitit() -> Any:
    # Left to itself it configures logging when imported, which closes the caller's log files.
    is_own = LOG_VARIABLE in os.environ
    os.environ.setdefault(LOG_VARIABLE, "NOCONFIG")
    try:
        import submitit
    except ImportError as error:
        raise InputError(
            "jobs must be submitted through submitit, but it cannot be imported. Install it with: "
            "pip install latent-nmr[cluster]"
        ) from error
    finally:
        if not is_own:
            del os.environ[LOG_VARIABLE]
    return submitit
