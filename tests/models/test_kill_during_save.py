"""A process that is killed while it saves leaves the old model or the new one, whole."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from latent_nmr._files import sweep_staging
from latent_nmr.models import persistence
from latent_nmr.models.beta_vae import BetaVAE

# Saves two models in turn for ever, at one path, and says when it has begun.
SAVE_IN_TURN = """
import sys
from itertools import cycle
from latent_nmr import BetaVAE, _files

target, first, second, may_swap = sys.argv[1:]
if may_swap == "no":
    _files.swap = lambda first, second: False
models = [BetaVAE.load(first), BetaVAE.load(second)]
for number, model in enumerate(cycle(models)):
    model.save(target, metadata=model.metadata_)
    if number == 1:
        print("ready", flush=True)
"""

# Saves once, as on a system that cannot swap two names, and ends between the two renames.
END_BETWEEN_THE_RENAMES = """
import os, sys
from latent_nmr import BetaVAE, _files

renames = 0

def end_at_the_second(event, arguments):
    global renames
    if event == "os.rename":
        renames += 1
        if renames == 2:
            os._exit(9)

target, other = sys.argv[1:]
_files.swap = lambda first, second: False
model = BetaVAE.load(other)
sys.addaudithook(end_at_the_second)
model.save(target)
"""


@pytest.fixture(scope="module")
def models(curves, tmp_path_factory):
    """Folders of two models with other weights, other sizes and other metadata."""
    folder = tmp_path_factory.mktemp("models")
    for name, sizes in (("A", (8,)), ("B", (6, 4))):
        model = BetaVAE(hidden_layer_sizes=sizes, max_epochs=1, random_state=0).fit(curves)
        model.save(folder / name, metadata={"name": name})
    return folder / "A", folder / "B"


def name_at(path, models):
    """A or B; the model at `path` must be that one to the bit."""
    loaded = BetaVAE.load(path)
    name = loaded.metadata_["name"]
    (original,) = (BetaVAE.load(folder) for folder in models if folder.name == name)
    assert loaded.card() == original.card()
    for weight, array in original.weights_.items():
        np.testing.assert_array_equal(loaded.weights_[weight], array)
    return name


def saving(path, models, may_swap="yes"):
    """A process that saves both models in turn at `path`, and has done so twice."""
    command = [sys.executable, "-c", SAVE_IN_TURN, path, *models, may_swap]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


def kill_while_saving(path, models, n_kills, may_swap, rng):
    """Kill a saving process so many times at random moments; return what was there after each."""
    names = []
    for _ in range(n_kills):
        with saving(path, models, may_swap) as process:
            time.sleep(rng.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        names.append(name_at(path, models))
        others = {entry.name for entry in path.parent.iterdir()} - {path.name}
        # Whatever is left is hidden, and named so that the next writer sweeps it.
        assert all(name.startswith(f".{path.name}.") for name in others)
    sweep_staging(path)
    others = {entry.name for entry in path.parent.iterdir()} - {path.name}
    assert others == {f".{path.name}.lock"}
    return names


class TestKills:
    """SIGKILL at any moment."""

    @pytest.mark.slow
    @pytest.mark.parametrize("may_swap", ["yes", "no"])
    def test_two_kills_leave_one_of_the_two_models_whole(self, models, tmp_path, may_swap):
        rng = np.random.default_rng(0)
        kill_while_saving(tmp_path / "model", models, 2, may_swap, rng)

    @pytest.mark.slow
    @pytest.mark.parametrize("may_swap", ["yes", "no"])
    def test_twenty_kills_leave_one_of_the_two_models_whole(self, models, tmp_path, may_swap):
        rng = np.random.default_rng(1)
        names = kill_while_saving(tmp_path / "model", models, 20, may_swap, rng)
        print(may_swap, "".join(names))
        assert set(names) == {"A", "B"}

    def test_an_end_between_the_two_renames_is_mended_by_the_reader(self, models, tmp_path):
        path = tmp_path / "model"
        BetaVAE.load(models[0]).save(path, metadata={"name": "A"})
        command = [sys.executable, "-c", END_BETWEEN_THE_RENAMES, str(path), str(models[1])]
        assert subprocess.run(command, check=False).returncode == 9
        assert not path.exists()
        assert name_at(path, models) == "A"

    def test_a_card_is_found_again_too(self, models, tmp_path):
        path = tmp_path / "model"
        BetaVAE.load(models[0]).save(path, metadata={"name": "A"})
        path.rename(tmp_path / ".model.staging-killed-old")
        assert persistence.read_card(path).model.metadata == {"name": "A"}


class TestReaders:
    """Who reads while another writes gets one model, not half of each."""

    @pytest.mark.parametrize("may_swap", ["yes", pytest.param("no", marks=pytest.mark.slow)])
    def test_a_reader_never_sees_the_exchange_nor_what_a_kill_left(
        self, models, tmp_path, may_swap
    ):
        path = tmp_path / "model"
        process = saving(path, models, may_swap)
        try:
            names = [name_at(path, models) for _ in range(60)]
        finally:
            process.kill()
            process.communicate()
        assert set(names) == {"A", "B"}
        assert process.returncode == -signal.SIGKILL
        assert name_at(path, models) in {"A", "B"}
        sweep_staging(path)
        # Whoever is killed while it holds the lock leaves the lock's empty file, too.
        assert {entry.name for entry in tmp_path.iterdir()} - {".model.lock"} == {"model"}

    def test_a_place_that_may_only_be_read_is_read(self, models, tmp_path):
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere")
        BetaVAE.load(models[0]).save(tmp_path / "model", metadata={"name": "A"})
        tmp_path.chmod(0o500)
        try:
            assert name_at(tmp_path / "model", models) == "A"
        finally:
            tmp_path.chmod(0o700)
