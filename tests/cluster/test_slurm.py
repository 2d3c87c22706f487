"""Two thousand curves by eight jobs of a real Slurm, some of which are killed or preempted."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from latent_nmr.cluster.plans import new_plan
from latent_nmr.data.echoes import fingerprint
from latent_nmr.data.io import open_echoes
from latent_nmr.data.store import fill_store
from latent_nmr.physics.simulate import Simulation

sys.path.insert(0, str(Path(__file__).parent))
from slurm_here import SlurmUnavailableError, running_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

# A short step, so that a job takes long enough to be killed at its work.
N_CURVES, N_JOBS, STEP = 2000, 8, 2
SETTINGS = {"preset": "paper", "n_edge": 20, "seed": 5, "step": STEP}
PATIENCE = 300


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    try:
        with running_slurm(tmp_path_factory.mktemp("slurm")) as environment:
            yield environment
    except SlurmUnavailableError as error:
        pytest.skip(str(error))


class Scene:
    """A store that jobs fill, and what a test does to them."""

    def __init__(self, folder, environment, n_curves=N_CURVES, n_jobs=N_JOBS):
        self.path, self.environment, self.start = folder / "echoes.zarr", environment, time.time()
        self.folder, self.n_curves, self.n_jobs = folder, n_curves, n_jobs

    def log(self, text):
        print(f"{time.time() - self.start:6.1f} s  {text}", flush=True)

    def command(self, *more):
        words = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
        words += ["--out", self.path, "--n-curves", self.n_curves, "--slurm"]
        words += ["--jobs", self.n_jobs, "--time", "30", "--cpus", "1", *more]
        return [sys.executable, "-m", "latent_nmr.commands.main", "simulate", *map(str, words)]

    def parent(self):
        return subprocess.Popen(
            self.command("--partition", "main", "--wait"),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def say(self, *words):
        """Run a command of ours to its end."""
        return subprocess.run(
            [*map(str, words)], env=self.environment, capture_output=True, text=True, check=False
        )

    def status(self):
        said = self.say(*self.command()[:3], "status", self.path, "--json")
        return json.loads(said.stdout)

    def slurm(self, *words):
        said = subprocess.run(
            [*map(str, words)],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return said.stdout

    def done(self):
        return np.asarray(zarr.open_group(self.path, mode="r")["done"][:])

    def rows(self, part):
        chunks = [-(-self.n_curves // 16) * edge // self.n_jobs for edge in (part, part + 1)]
        return range(16 * chunks[0], min(16 * chunks[1], self.n_curves))

    def pid_of(self, part):
        """Process of the job that makes a part; None if there is none."""
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes()
                settings = (entry / "environ").read_bytes().split(b"\0")
                name = (entry / "exe").resolve().name
            except OSError:
                continue
            is_job = b"submitit.core._submit" in words and str(self.path).encode() in words
            is_part = f"SLURM_ARRAY_TASK_ID={part}".encode() in settings
            if is_job and is_part and name.startswith("python"):
                return int(entry.name)
        return None

    def at_work(self):
        """Parts that a process is in the midst of."""
        done = self.done() if self.path.exists() else np.zeros(self.n_curves, bool)
        counts = {part: done[self.rows(part)].sum() for part in range(self.n_jobs)}
        begun = [part for part, n in counts.items() if 16 <= n < len(self.rows(part)) - 32]
        return [part for part in begun if self.pid_of(part)]

    def wait_for(self, found, what):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if value := found():
                return value
            time.sleep(0.1)
        raise AssertionError(f"waited in vain for {what}")

    def chunk_times(self):
        """When each file of the signals was written."""
        return {p: p.stat().st_mtime_ns for p in (self.path / "my" / "c").rglob("0")}


def test_a_store_of_killed_and_preempted_jobs_is_that_of_one_process(slurm, tmp_path):
    scene = Scene(tmp_path, slurm)
    first = scene.parent()
    killed = []
    while len(killed) < 2:
        part = scene.wait_for(lambda: set(scene.at_work()) - set(killed), "a job at work").pop()
        os.kill(scene.pid_of(part), signal.SIGKILL)
        killed.append(part)
        scene.log(f"part {part} killed with SIGKILL, {scene.done().sum()} curves finished")
    first.kill()
    first.wait()
    scene.log("the parent killed with SIGKILL")
    before = scene.chunk_times()

    scene.wait_for(lambda: set(scene.at_work()) - set(killed), "another job at work")
    kept = scene.done()
    scene.slurm("sbatch", "-p", "urgent", "-n1", "-o", "/dev/null", "--wrap", "sleep 1")
    requeued = scene.wait_for(lambda: requeued_tasks(scene), "a job that is put back")
    assert scene.done()[kept].all()
    scene.log(f"task {requeued[0]} preempted by an urgent job and put back into the queue")

    again = scene.parent()
    said = scene.wait_for(again.stdout.readline, "the parent").strip()
    scene.log(f"parent started again: {said.rpartition('/')[2]}")
    number = int(re.search(r"for (\d+) curves", said).group(1))
    most = sum(len(scene.rows(part)) - 16 for part in killed)
    assert 0 < number <= most, "only what the killed jobs left, and at most a batch of it"
    for task in requeued:  # Slurm lets it wait for two minutes otherwise
        scene.slurm("scontrol", "update", f"JobId={task}", "StartTime=now")
    printed = again.communicate(timeout=PATIENCE)[0]
    scene.log(printed.strip().splitlines()[-1].rpartition("/")[2])
    assert again.returncode == 0, printed
    for chunk, when in before.items():
        assert scene.chunk_times()[chunk] == when, f"{chunk} was made twice"

    alone = tmp_path / "alone.zarr"
    list(fill_store(alone, Simulation(**SETTINGS), N_CURVES))
    assert fingerprint(open_echoes(scene.path)) == fingerprint(open_echoes(alone))
    assert scene.done().all()
    scene.log("every curve, label and attribute is that of one process, to the bit")


def requeued_tasks(scene):
    """Tasks that were running and wait again."""
    rows = scene.slurm("squeue", "-h", "-r", "-p", "main", "-O", "JobArrayID,State,RestartCnt")
    found = [row.split() for row in rows.splitlines()]
    return [task for task, state, n in found if state == "PENDING" and int(n) > 0]


def test_what_slurm_refuses_is_said_in_one_line(slurm, tmp_path):
    scene = Scene(tmp_path, slurm, n_curves=32, n_jobs=2)
    said = scene.say(*scene.command("--partition", "nowhere"))
    assert said.returncode == 2
    assert said.stderr.count("\n") == 1, said.stderr
    line = said.stderr
    assert "sbatch: error: invalid partition specified: nowhere" in line
    assert not [*(tmp_path / "echoes.zarr.jobs").glob("*/plan.json")]


def test_a_cancelled_job_leaves_and_one_whose_time_is_up_comes_back(slurm, tmp_path):
    scene = Scene(tmp_path, slurm, n_curves=1000, n_jobs=2)
    said = scene.say(*scene.command("--json"))
    job = json.loads(said.stdout)["job"]
    scene.wait_for(lambda: len(scene.at_work()) == 2, "both jobs at work")
    found = scene.status()
    assert found["n_jobs"] == {"running": 2, "queued": 0}
    assert found["n_missing"] == 0
    kept = scene.done()
    pids = [scene.pid_of(part) for part in (0, 1)]
    scene.slurm("scancel", f"{job}_0")
    # What Slurm sends, as submitit asks it to, before the time is up.
    scene.slurm("scancel", "-s", "USR2", f"{job}_1")
    scene.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "their end")
    assert scene.wait_for(lambda: requeued_tasks(scene), "the other to come back") == [f"{job}_1"]
    found = scene.status()
    assert found["n_jobs"] == {"running": 0, "queued": 1}
    done = scene.done()
    assert done[kept].all()
    assert found["n_queued"] == len(scene.rows(1)) - done[scene.rows(1)].sum()
    assert found["n_missing"] == len(scene.rows(0)) - done[scene.rows(0)].sum()
    assert not [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")]
    (log,) = (tmp_path / "echoes.zarr.jobs").glob(f"*/{job}_0_0_log.out")
    assert "SIGTERM: leaves after" in log.read_text()
    scene.slurm("scancel", job)
    scene.wait_for(lambda: scene.status()["n_queued"] == 0, "an empty queue")


def test_a_queue_that_does_not_answer_stops_what_depends_on_it(slurm, tmp_path):
    scene = Scene(tmp_path, slurm, n_curves=32, n_jobs=2)
    list(fill_store(scene.path, Simulation(**SETTINGS), 16))
    new_plan(scene.path, [[range(16, 32)]])
    conf = Path(slurm["SLURM_CONF"]).read_text("utf-8")
    (tmp_path / "slurm.conf").write_text(re.sub(r"SlurmctldPort=\d+", "SlurmctldPort=1", conf))
    scene.environment = slurm | {"SLURM_CONF": str(tmp_path / "slurm.conf")}
    for command in (scene.command(), [*scene.command()[:3], "status", scene.path]):
        said = scene.say(*command)
        assert said.returncode == 2
        assert "squeue does not answer" in said.stderr.splitlines()[-1]
