"""`simulate` by parts and by jobs, and `status`, from the command line."""

import json

import pytest
import xarray as xr

from latent_nmr.commands.main import main
from latent_nmr.data.io import open_echoes
from latent_nmr.data.store import CHUNK, simulate

EDGE, N_CURVES = 12, 2 * CHUNK + 3


def command(path, *more):
    size = ["--n-curves", str(N_CURVES), "--n-edge", str(EDGE), "--step", "4"]
    return ["simulate", *size, "--out", str(path), *more]


def refused(capsys, words):
    """Run a command that must end with 2; return its one line of complaint."""
    assert main([*map(str, words)]) == 2
    (complaint,) = capsys.readouterr().err.splitlines()
    return complaint


def test_parts_by_hand_make_the_store_and_the_status_follows(tmp_path, capsys):
    path = tmp_path / "echoes.zarr"
    assert main(command(path, "--part", "2/2")) == 0
    said = capsys.readouterr()
    assert f"{N_CURVES - CHUNK} curves of part 2/2 finished" in said.out
    assert main(["status", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{path}: {N_CURVES - CHUNK} of {N_CURVES} curves finished"
    assert lines[1].startswith(f"missing: {CHUNK} (curves 0 to {CHUNK - 1})")
    assert main(["status", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["finished"] == [[CHUNK, N_CURVES - 1]]
    assert found["missing"] == [[0, CHUNK - 1]]
    assert (found["n_missing"], found["n_running"], found["n_queued"]) == (CHUNK, 0, 0)

    assert main(command(path, "--part", "1/2", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["n_simulated"] == CHUNK
    assert main(["status", str(path)]) == 0
    assert capsys.readouterr().out == f"{path}: {N_CURVES} of {N_CURVES} curves finished\n"
    whole = simulate("paper", N_CURVES, n_edge=EDGE, step=4)
    xr.testing.assert_identical(open_echoes(path), whole)


def test_a_dry_run_of_a_part_counts_its_curves(tmp_path, capsys):
    path = tmp_path / "echoes.zarr"
    assert main(command(path, "--part", "1/2", "--dry-run")) == 0
    assert f"{CHUNK} of {CHUNK} curves to simulate" in capsys.readouterr().out
    assert not path.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--part", "3/2"], "part must be the number of a part"),
        (["--part", "1/2", "--slurm"], "--part must be left out with --slurm"),
        (["--jobs", "4"], "--jobs must be left out without --slurm, but is 4. Add --slurm."),
        (["--partition", "gpu"], "--partition must be left out without --slurm"),
        (["--time", "9"], "--time must be left out without --slurm"),
        (["--gpus", "0"], "--gpus must be left out without --slurm"),
        (["--wait"], "--wait must be left out without --slurm"),
        (["--slurm"], "sbatch is not on this machine's PATH"),
        (["--slurm", "--jobs", "0"], "jobs must be a whole number of at least 1, but is 0"),
        (["--slurm", "--cpus", "0"], "cpus must be a whole number of at least 1, but is 0"),
        (["--slurm", "--gpus", "-1"], "gpus must be a whole number of at least 0, but is -1"),
        (["--slurm", "--time", "soon"], "time must be above zero, as minutes, H:MM:SS"),
    ],
)
def test_options_that_cannot_be_used_are_refused_in_one_line(
    tmp_path, capsys, monkeypatch, more, said
):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert said in refused(capsys, command(tmp_path / "echoes.zarr", *more))
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["none.zarr", "file.zarr", "folder.zarr"])
def test_the_status_of_what_is_no_store_is_refused(tmp_path, capsys, name):
    (tmp_path / "file.zarr").write_text("hello")
    (tmp_path / "folder.zarr").mkdir()
    assert name in refused(capsys, ["status", tmp_path / name])
