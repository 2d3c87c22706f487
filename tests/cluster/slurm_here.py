"""A real Slurm of one machine in a temporary folder, from Debian's packages, none installed.

Two partitions: jobs of `urgent` take the place of jobs of `main`, which are requeued. No database
of accounts, as on many small clusters: `sacct` says nothing, and the queue must be enough.
"""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

PACKAGES = (
    "slurmctld",
    "slurmd",
    "slurm-client",
    "slurm-wlm-basic-plugins",
    # Libraries of these that a small system may lack.
    "libhwloc15",
    "libjson-c5",
    "liblua5.1-0",
    "libmunge2",
    "libnuma1",
    "libyaml-0-2",
    "libreadline8",
    "liblz4-1",
    "libdbus-1-3",
    "libpam0g",
)
# A job that is preempted may go on for this time, s.
GRACE = 20

CONFIGURATION = """
ClusterName=here
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
PluginDir={plugins}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
KillWait=5
ReturnToService=2
NodeName={host} NodeHostname={host} NodeAddr=127.0.0.1 CPUs={n_cpus} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES PriorityTier=1 GraceTime={grace} State=UP
PartitionName=urgent Nodes={host} PriorityTier=10 PreemptMode=off State=UP
"""


class SlurmUnavailableError(Exception):
    """Slurm cannot be set up here; says why."""


@contextlib.contextmanager
def running_slurm(folder: Path, n_cpus: int = 2) -> Iterator[dict[str, str]]:
    """Set Slurm up in a folder and run it; yields the environment its commands need.

    Raises
    ------
    SlurmUnavailableError
        If the packages cannot be had or the daemons do not start, with the reason.
    """
    root = _unpack(folder)
    plugins = next(root.glob("usr/lib/*/slurm-wlm"))
    settings = {
        "host": socket.gethostname().partition(".")[0],
        "ports": _free_ports(2),
        "user": getpass.getuser(),
        "plugins": plugins,
        "folder": folder,
        "n_cpus": n_cpus,
        "grace": GRACE,
    }
    for name in ("state", "spool"):
        (folder / name).mkdir()
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(**settings))
    libraries = [plugins, plugins.parent, root / "lib" / plugins.parent.name]
    environment = os.environ | {
        "PATH": f"{root / 'usr/bin'}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
        "SLURM_CONF": str(configuration),
    }
    stepd = root / "usr/sbin/slurmstepd-wlm"
    daemons = [
        ["slurmctld-wlm", "-D", "-f", configuration],
        ["slurmd-wlm", "-D", "-N", settings["host"], "-f", configuration, "-d", stepd],
    ]
    with contextlib.ExitStack() as stack:
        processes = []
        for name, *arguments in daemons:
            output = stack.enter_context((folder / f"{name}.out").open("w"))
            command = [root / "usr/sbin" / name, *arguments]
            process = subprocess.Popen(
                [*map(str, command)], env=environment, stdout=output, stderr=output
            )
            stack.callback(_end, process)
            processes.append(process)
        _wait_until_idle(environment, processes, folder)
        stack.callback(_cancel_all, environment)
        yield environment


def _unpack(folder: Path) -> Path:
    """Download Debian's packages and unpack them under `folder`."""
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise SlurmUnavailableError(f"the system has no {tool}")
    packages = folder / "packages"
    packages.mkdir(parents=True)
    command = ["apt-get", "download", *PACKAGES]
    found = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False)
    if found.returncode:  # perhaps for want of lists of packages
        subprocess.run(["apt-get", "update"], capture_output=True, check=False)
        found = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False)
    if found.returncode:
        last = (found.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SlurmUnavailableError(f"Debian's packages cannot be downloaded: {last}")
    for package in packages.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder / "root"], check=True)
    return folder / "root"


def _free_ports(n: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_until_idle(environment: dict[str, str], processes: list, folder: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        command = ["sinfo", "-h", "-p", "main", "-o", "%T"]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if said.stdout.strip() == "idle":
            return
        if any(process.poll() is not None for process in processes):
            break
        time.sleep(0.2)
    logs = "\n".join(path.read_text()[-1500:] for path in sorted(folder.glob("*.out")))
    logs += "\n".join(path.read_text()[-1500:] for path in sorted(folder.glob("*.log")))
    raise SlurmUnavailableError(f"slurmctld or slurmd does not start: {logs}")


def _cancel_all(environment: dict[str, str]) -> None:
    subprocess.run(["scancel", "-u", getpass.getuser()], env=environment, check=False)


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
