"""Jobs as submitit starts them on this machine: the path that Slurm's jobs take, without Slurm."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from latent_nmr.cluster.plans import jobs_folder, new_plan, plans_of
from latent_nmr.cluster.status import MOST_NAMED, StoreStatus, store_status
from latent_nmr.cluster.submit import missing_parts, submit_missing, wait_for_jobs
from latent_nmr.data.io import open_echoes
from latent_nmr.data.store import CHUNK, fill_part, finished_flags, prepare_store, simulate
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation

EDGE = 12
SIMULATION = Simulation(n_edge=EDGE, seed=3, step=4)
N_CURVES = 5 * CHUNK + 3

# A job of the first plan of a store, as submitit calls it; it says when it has finished curves.
JOB = (
    "import sys; from pathlib import Path\n"
    "from latent_nmr.cluster.job import jobs_of\n"
    "from latent_nmr.cluster.plans import plans_of\n"
    "from latent_nmr.physics.simulate import Simulation\n"
    "path, n_curves = Path(sys.argv[1]), int(sys.argv[2])\n"
    f"simulation = Simulation(n_edge={EDGE}, seed=3, step=4)\n"
    "(job,) = jobs_of(path, simulation, n_curves, plans_of(path)[0])\n"
    "job()\n"
    "print('left')"
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A store that one process began and two jobs completed, and the submission."""
    path = tmp_path_factory.mktemp("local") / "echoes.zarr"
    list(fill_part(path, SIMULATION, N_CURVES, [range(CHUNK, 2 * CHUNK)]))
    submission = submit_missing(path, SIMULATION, N_CURVES, 2, cluster="local")
    counts = list(wait_for_jobs(submission, path, "local", seconds=0.2))
    return path, submission, counts


def test_jobs_complete_the_store_to_the_bits_of_one_process(filled):
    path, submission, counts = filled
    assert counts[-1] == N_CURVES
    assert counts == sorted(counts)
    in_memory = simulate("paper", N_CURVES, n_edge=EDGE, seed=3, step=4)
    xr.testing.assert_identical(open_echoes(path), in_memory)
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, jobs_folder(path).name}
    assert submission.number.isdigit()


def test_they_share_what_was_missing_and_nothing_else(filled):
    path, submission, _ = filled
    first, second = submission.parts
    assert first == [range(CHUNK), range(2 * CHUNK, 3 * CHUNK)]
    assert second == [range(3 * CHUNK, N_CURVES)]
    assert [plan.parts for plan in plans_of(path)] == [submission.parts]


def test_a_finished_store_gets_no_jobs(filled):
    again = submit_missing(filled[0], SIMULATION, N_CURVES, 2, cluster="local")
    assert (again.parts, again.jobs, again.number) == ([], [], None)
    assert len(plans_of(filled[0])) == 1


def test_the_status_counts_finished_and_missing_curves(filled, tmp_path):
    found = store_status(filled[0], ask_queue=False)
    assert found.curves("finished") == [range(N_CURVES)]
    path = tmp_path / "part.zarr"
    list(fill_part(path, SIMULATION, N_CURVES, [range(CHUNK, 2 * CHUNK)]))
    found = store_status(path, ask_queue=False)
    assert found.curves("finished") == [range(CHUNK, 2 * CHUNK)]
    assert found.curves("missing") == [range(CHUNK), range(2 * CHUNK, N_CURVES)]
    assert found.count("missing") == N_CURVES - CHUNK
    assert found.count("running") == found.count("queued") == 0


def test_sentences_name_some_runs_of_curves_and_the_numbers_all():
    found = StoreStatus(np.array(["missing", "finished"] * 500), 0, 0, [])
    assert "500 (curves 0, 2, 4, 6, 8, …)" in found.sentences()[1]
    assert len(found.curves("missing")) == 500
    few = StoreStatus(np.array((["missing"] * 3 + ["finished"]) * MOST_NAMED), 0, 0, [])
    assert few.sentences()[1].count(" to ") == MOST_NAMED
    assert "…" not in few.sentences()[1]


def test_what_jobs_left_that_is_no_text_stops_no_status(tmp_path):
    path = tmp_path / "echoes.zarr"
    prepare_store(path, SIMULATION, 3)
    plan = new_plan(path, [[range(3)]] * 4)
    plan.failure_file(0).write_bytes(b"\xff\x00 broken")
    plan.failure_file(1).mkdir()
    plan.failure_file(2).write_text("one\n two\n")
    os.mkfifo(plan.failure_file(3))
    found = store_status(path, ask_queue=False)
    assert [found.count("missing"), len(found.failures)] == [3, 2]
    assert found.failures[0].endswith("broken")
    assert found.failures[1] == "one two"


@pytest.mark.slow
def test_a_job_that_fails_says_why_in_the_status(tmp_path):
    path = tmp_path / "echoes.zarr"
    list(fill_part(path, SIMULATION, CHUNK, [range(CHUNK)]))
    submission = submit_missing(path, SIMULATION, 2 * CHUNK, 1, cluster="local")
    about = (path / "my" / "zarr.json").read_text()
    (path / "my" / "zarr.json").write_text("{")
    submission.jobs[0].wait()
    (path / "my" / "zarr.json").write_text(about)
    found = store_status(path, ask_queue=False)
    assert len(found.failures) == 1
    assert "echoes.zarr is damaged" in found.failures[0]


@pytest.mark.slow
def test_curves_that_a_process_writes_are_not_given_to_jobs(tmp_path):
    path, n_curves = tmp_path / "echoes.zarr", 200 * CHUNK
    process = begin_job(path, n_curves, [range(100 * CHUNK)])
    try:
        found = store_status(path, ask_queue=False)
        assert found.curves("running")[-1].stop == 100 * CHUNK
        assert found.curves("missing") == [range(100 * CHUNK, n_curves)]
        new = missing_parts(path, n_curves, 2, ask_queue=False)
        assert new == [[range(100 * CHUNK, 150 * CHUNK)], [range(150 * CHUNK, n_curves)]]
        # Told to leave, it leaves soon, and what it has finished stays.
        before = finished_flags(path)
        process.send_signal(signal.SIGTERM)
        said, complaint = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, complaint) == (0, "")
    assert "SIGTERM: leaves after" in said
    assert said.endswith("left\n")
    done = finished_flags(path)
    assert done[before].all()
    assert CHUNK <= done.sum() < 100 * CHUNK
    assert not {e.name for e in tmp_path.iterdir()} - {path.name, jobs_folder(path).name}
    n_kept = int(np.argmin(done))
    expected = simulate("paper", n_kept, n_edge=EDGE, seed=3, step=4)
    xr.testing.assert_identical(open_echoes(path, n_kept), expected)


def begin_job(path, n_curves, rows):
    """Start a job for some rows in a process, and wait until it has finished a batch."""
    prepare_store(path, SIMULATION, n_curves)
    new_plan(path, [rows])
    process = subprocess.Popen(
        [sys.executable, "-c", JOB, str(path), str(n_curves)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    while not finished_flags(path, [range(CHUNK)]).any():
        assert process.poll() is None, process.communicate()
    return process


def test_without_slurm_its_commands_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "echoes.zarr"
    with pytest.raises(InputError, match=r"sbatch is not on this machine's PATH. Use a login node"):
        submit_missing(path, SIMULATION, N_CURVES, 2)
    assert not path.exists()


def test_without_submitit_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(InputError, match=r"pip install latent-nmr\[cluster\]"):
        submit_missing(tmp_path / "echoes.zarr", SIMULATION, N_CURVES, 2, cluster="local")


@pytest.mark.parametrize("n_jobs", [0, -1, 1.5])
def test_a_number_of_jobs_that_is_none_is_refused(tmp_path, n_jobs):
    with pytest.raises(InputError, match=r"jobs must be a whole number of at least 1"):
        submit_missing(tmp_path / "echoes.zarr", SIMULATION, N_CURVES, n_jobs, cluster="local")


@pytest.mark.slow
def test_log_files_of_the_caller_stay_open(tmp_path):
    # In a process of its own: submitit may have been imported here before.
    code = f"""
import logging, os
handler = logging.FileHandler({str(tmp_path / "own.log")!r})
logging.getLogger().addHandler(handler)
from latent_nmr.cluster.submit import _submitit
_submitit()
handler.stream.write("still open")
assert "SUBMITIT_LOG_LEVEL" not in os.environ
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert (tmp_path / "own.log").read_text() == "still open"
