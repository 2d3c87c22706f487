"""What is no file, such as a pipe, is refused before it is opened, wherever something is read."""

import contextlib
import os
import re
import socket
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from latent_nmr._locks import sole_writer, spans_file
from latent_nmr.commands.main import main
from latent_nmr.data.echoes import assemble
from latent_nmr.data.io import open_echoes, save_echoes
from latent_nmr.data.store import fill_store, finished_flags
from latent_nmr.data.submission import check_submission
from latent_nmr.errors import InputError
from latent_nmr.models.checkpoint import check_place
from latent_nmr.physics.simulate import Simulation
from latent_nmr.studies.clusters import ClustersResult

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
TINY = Simulation(n_edge=8)


PIPES: list[Path] = []


@pytest.fixture(autouse=True)
def nobody_waits_for_ever():
    """Open every pipe after a while, so that who waits for it goes on and the test can fail."""
    is_over = threading.Event()

    def relieve():
        while not is_over.wait(3):
            for path in PIPES:
                with contextlib.suppress(OSError):
                    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))

    thread = threading.Thread(target=relieve)
    thread.start()
    yield
    is_over.set()
    thread.join()
    PIPES.clear()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated") / "echoes.zarr"
    list(fill_store(path, TINY, 2))
    return path


def pipe(path):
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    PIPES.append(path)
    return path


def refusal(path, kind="a pipe"):
    rule = f"{re.escape(str(path))} must be a file or a folder, but is {kind}"
    return pytest.raises(InputError, match=f"{rule}.*to a file first")


@pytest.mark.parametrize("name", ["a", "a.npz", "a.nc", "a.csv", "a.zarr"])
def test_a_data_set_is_no_pipe(tmp_path, name):
    with refusal(pipe(tmp_path / name)):
        open_echoes(tmp_path / name)


@pytest.mark.parametrize("arguments", [["embed", "echo"], ["audit", "echo"], ["evaluate"]])
def test_a_command_names_it(tmp_path, capsys, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    path = pipe(tmp_path / "ff")
    assert main([*arguments, str(path)]) == 2
    said = capsys.readouterr().err.splitlines()[-1]  # evaluate has told where it keeps its fits
    assert f"{path} must be a file or a folder, but is a pipe" in said


def test_a_link_to_a_pipe_is_one(tmp_path):
    (tmp_path / "link.csv").symlink_to(pipe(tmp_path / "ff"))
    with refusal(tmp_path / "link.csv"):
        open_echoes(tmp_path / "link.csv")


def test_process_substitution_gives_one():
    """What a shell puts in the place of `<(…)`."""
    reading, writing = os.pipe()
    os.close(writing)
    try:
        with refusal(Path(f"/dev/fd/{reading}")):
            open_echoes(f"/dev/fd/{reading}")
    finally:
        os.close(reading)


def test_neither_is_a_socket_or_a_device():
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        path = Path(folder) / "s"
        listening.bind(str(path))
        with refusal(path, "a socket"):
            open_echoes(path)
    with refusal("/dev/zero", "a device"):
        open_echoes("/dev/zero")


@pytest.mark.parametrize(
    ("names", "replaced"),
    [
        (("gauss_echos_model_r.txt", "gauss_echos_model_i.txt"), "gauss_echos_model_i.txt"),
        (("echos_r", "echos_i"), "echos_r"),
        (("echos_r", "echos_i"), "echos_i"),
    ],
)
def test_a_folder_of_texts_holds_none(tmp_path, names, replaced):
    for name in names:
        np.savetxt(tmp_path / name, np.full((1, 471), 0.25))
    with refusal(pipe(tmp_path / replaced)):
        open_echoes(tmp_path)


def test_a_submission_is_none(tmp_path):
    with refusal(pipe(tmp_path / "s.txt")):
        check_submission(tmp_path / "s.txt", "2020")


@pytest.mark.parametrize(
    "name", ["zarr.json", "mx/zarr.json", "W/zarr.json", "mx/c/0/0", "done/c/0"]
)
@pytest.mark.parametrize("saved", [False, True])
def test_a_store_holds_none(tmp_path, simulated, name, saved):
    path = tmp_path / "echoes.zarr"
    dataset = open_echoes(simulated)
    if not saved:
        list(fill_store(path, TINY, 1))
    elif name == "done/c/0":
        pytest.skip("such stores have no flags")
    else:
        save_echoes(dataset, path)
    pipe(path / name)
    with refusal(path / name):
        open_echoes(path)
    if not saved and name in ("zarr.json", "done/c/0"):
        with refusal(path / name):
            finished_flags(path)
        with refusal(path / name):
            list(fill_store(path, TINY, 2))


def test_neither_is_what_is_kept_beside_outputs(tmp_path):
    with refusal(pipe(tmp_path / "progress")):
        check_place(tmp_path / "progress")
    with refusal(pipe(tmp_path / "result" / "result.json")):
        ClustersResult.load(tmp_path / "result")
    with refusal(pipe(tmp_path / ".a.zarr.lock")), sole_writer(tmp_path / "a.zarr"):
        pass
    with refusal(pipe(spans_file(tmp_path / "b.zarr"))):
        next(fill_store(tmp_path / "b.zarr", TINY, 1))


def test_texts_and_tables_are_read_as_before(tmp_path):
    signals = dict.fromkeys(("mx", "my"), np.full((1, 5), 0.25, np.float32))
    labels = {"W": np.full(1, 0.1), "kernel": np.array(["power"])}
    dataset = assemble(signals, np.arange(5.0), labels, {"echo_index": 2})
    for name in ("a.csv", "a.nc", "a.npz", "a.zarr"):
        save_echoes(dataset, tmp_path / name)
        (tmp_path / f"link-{name}").symlink_to(tmp_path / name)
        assert open_echoes(tmp_path / f"link-{name}").identical(open_echoes(tmp_path / name))
