"""The part of `simulate` that other processes do: jobs of Slurm, and parts started by hand."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latent_nmr.commands._shell import SOME_REFUSED, Report, tell
from latent_nmr.errors import InputError

if TYPE_CHECKING:
    from latent_nmr.physics.simulate import Simulation

JOBS = 8


@dataclass(frozen=True)
class JobOptions:
    """Options of `simulate` that spread its work."""

    part: str | None = None
    """Fill one part of the store, such as 3/16, while other processes fill the others."""
    slurm: bool = False
    """Submit jobs to Slurm for the curves that the store lacks, and end."""
    jobs: int | None = None
    """With --slurm: number of jobs, at most; without it, 8."""
    partition: str | None = None
    """With --slurm: partition; without it, Slurm's default."""
    time: str | None = None
    """With --slurm: time of each job, as minutes, H:MM:SS or D-HH:MM:SS; without it, 60."""
    cpus: int | None = None
    """With --slurm: CPUs of each job, one curve at a time on each; without it, Slurm's default."""
    gpus: int | None = None
    """With --slurm: GPUs of each job; without it, none."""
    wait: bool = False
    """With --slurm: wait until the jobs have ended."""


def check_spread(options: JobOptions) -> None:
    """Refuse options that do not go together."""
    if options.slurm and options.part is not None:
        raise InputError(
            "--part must be left out with --slurm, whose jobs have parts of their own, but is "
            f"{options.part!r}. Leave one of the two out."
        )
    for name in ("jobs", "partition", "time", "cpus", "gpus", "wait"):
        value = getattr(options, name)
        if not options.slurm and value is not None and value is not False:
            raise InputError(
                f"--{name} must be left out without --slurm, but is {value!r}. Add --slurm."
            )


def submit(
    options: JobOptions, path: Path, simulation: "Simulation", n_curves: int, missing: int
) -> Report:
    """Submit what is missing, wait if asked to, and report."""
    from latent_nmr._progress import progress_bar
    from latent_nmr.cluster.submit import Resources, submit_missing, wait_for_jobs

    resources = Resources(options.partition, options.time, options.cpus, options.gpus)
    n_jobs = JOBS if options.jobs is None else options.jobs
    submission = submit_missing(path, simulation, n_curves, n_jobs, resources)
    n_submitted = sum(len(span) for part in submission.parts for span in part)
    number = submission.number
    n_parts = len(submission.parts)
    said = (
        f"{n_parts} job{'s' * (n_parts > 1)} submitted (number {number}) for {n_submitted} curves"
    )
    if not submission.parts:
        said = "no job submitted: " + ("jobs are at it" if missing else "nothing is missing")
    values = {"out": path, "n_curves": n_curves, "job": number, "n_jobs": n_parts}
    if not options.wait:
        follow = f"latent-nmr status {path} says how far they are"
        return Report([f"{path}: {said}; {follow}"], values | {"n_submitted": n_submitted})
    tell(f"{path}: {said}")
    with progress_bar(n_curves, "curve", initial=n_curves - missing) as bar:
        for finished in wait_for_jobs(submission, path):
            bar.update(finished - bar.n)
    lacking = n_curves - finished
    end = f", {lacking} are missing: run the same command again" if lacking > 0 else ""
    return Report(
        [f"{path}: {finished} curves finished{end}"],
        values | {"n_submitted": n_submitted, "n_finished": finished},
        exit_code=SOME_REFUSED if lacking > 0 else 0,
    )
