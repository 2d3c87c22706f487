"""Slurm's commands: what is in the queue, and putting a job back into it.

`sacct` needs a database of accounts that many clusters lack, so that `squeue` is asked; a job that
is not in the queue has ended, however it ended.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable

from latent_nmr.errors import InputError

# Restarted jobs wait in the queue for as long as Slurm lets them, about two minutes.
RUNNING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "CONFIGURING", "STAGE_OUT")


def check_slurm() -> None:
    """Raise `InputError` where no job can be submitted."""
    lacking = [name for name in ("sbatch", "squeue", "srun") if not shutil.which(name)]
    if lacking:
        raise InputError(
            f"jobs must be submitted with Slurm's commands, but {lacking[0]} is not on this "
            "machine's PATH. Use a login node of the cluster, or fill parts of the store by hand "
            "(part 1/8, 2/8, … in as many processes)."
        )


def queued_tasks(names: Iterable[str]) -> dict[tuple[str, int], str]:
    """State of the jobs of these names that have not ended.

    Returns
    -------
    dict
        (name of the job, its place in the array) to "running" or "queued".

    Raises
    ------
    InputError
        If the queue does not answer.
    """
    names = list(names)
    if not names:
        return {}
    command = ["squeue", "-h", "-r", "-n", ",".join(names), "-o", "%i|%j|%T"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        complaint = "" if not said.returncode else said.stderr.strip()
        text = said.stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        complaint, text = str(error), ""
    if complaint:
        raise InputError(
            "the queue must say which jobs are at work, but squeue does not answer "
            f"({complaint.splitlines()[-1]}). Try again when it does."
        )
    return dict(filter(None, map(_task, text.splitlines())))


def _task(line: str) -> tuple[tuple[str, int], str] | None:
    """Read a line of the queue, such as "17_3|latent-nmr-0a1b2c3d|PENDING"."""
    found = re.fullmatch(r"\d+(?:_(\d+))?\|(.+)\|([A-Z_]+)", line.strip())
    if not found:
        return None
    place, name, state = found.groups()
    return (name, int(place or 0)), "running" if state in RUNNING else "queued"


def is_preempted(job: str) -> bool:
    """Whether Slurm takes this job's place for another; a cancelled job is not."""
    found = re.search(r"PreemptTime=(\S+)", _scontrol("show", "job", job))
    return bool(found) and found.group(1) not in ("None", "Unknown")


def put_back(job: str) -> None:
    """Put a job that runs back into the queue."""
    _scontrol("requeue", job)


def own_job() -> str | None:
    """Number of the job of Slurm that submitit started this process for, if it did.

    With the place in the array: the bare number of an array's last job is that of all of them.
    """
    if os.environ.get("SUBMITIT_EXECUTOR") != "slurm":
        return None
    array = [os.environ.get(f"SLURM_ARRAY_{name}_ID", "") for name in ("JOB", "TASK")]
    return "_".join(array) if all(array) else os.environ.get("SLURM_JOB_ID")


def _scontrol(*words: str) -> str:
    command = ["scontrol", *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def minutes_of(text: str) -> int:
    """Minutes of a time as Slurm takes it: "90", "1:30:00" or "1-00:00:00"; rounded up.

    Raises
    ------
    InputError
        If it is none of these, or zero.
    """
    found = re.fullmatch(
        r"(?:(\d{1,9})-)?(\d{1,9}):(\d\d):(\d\d)|(\d{1,9})", str(text).strip(), re.ASCII
    )
    days, hours, minutes, seconds, plain = map(int, found.groups("0")) if found else 5 * (0,)
    total = plain + 60 * (24 * days + hours) + minutes + (seconds > 0)
    if not total:
        raise InputError(
            f"time must be above zero, as minutes, H:MM:SS or D-HH:MM:SS, but is {text!r}. "
            "Give one, such as 90 or 1:30:00."
        )
    return total
