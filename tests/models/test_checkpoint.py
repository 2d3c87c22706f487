"""Trainings that were killed continue to the same weights, bit for bit."""

import subprocess
import sys
from dataclasses import replace

import jax
import numpy as np
import pytest

from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.models.checkpoint import Checkpoint, identity_of
from latent_nmr.models.epochs import Objective
from latent_nmr.models.training import Progress, beginning
from tests.models.problems import fit, same, small_problem

OPTIONS = {"learning_rate": 1e-2, "max_epochs": 9, "min_epoch_steps": 5}

# Fits with a checkpoint after every epoch and kills itself, without a word, after some epochs.
KILLED_FIT = """
import os, signal, sys
import numpy as np
from latent_nmr.models.checkpoint import Checkpoint, identity_of
from latent_nmr.models.training import train
from tests.models.problems import small_problem

rows, path, last_epoch = np.load(sys.argv[1]), sys.argv[2], int(sys.argv[3])
problem = small_problem(learning_rate=1e-2, max_epochs=9, min_epoch_steps=5)

class Keeper(Checkpoint):
    def keep(self, progress, *, is_last):
        super().keep(progress, is_last=is_last)
        if len(progress.history) == last_epoch:
            os.kill(os.getpid(), signal.SIGKILL)

train(problem, rows, keeper=Keeper(path, identity_of(problem, rows), seconds_between=0))
"""


@pytest.fixture(scope="module")
def whole(curves):
    """A training that nothing disturbed."""
    return fit(curves, **OPTIONS)


def keeper_of(path, curves, seconds_between=0.0, **options):
    problem = small_problem(**(OPTIONS | options))
    return Checkpoint(path, identity_of(problem, curves), seconds_between)


def without_times(history):
    return [record._replace(seconds=0.0) for record in history]


class TestKilled:
    """Processes that end between two epochs."""

    @pytest.mark.parametrize(
        "last_epochs", [pytest.param((3, 7), marks=pytest.mark.slow, id="twice"), (7,)]
    )
    def test_after_kill_9_the_weights_are_the_same_bits(self, curves, whole, tmp_path, last_epochs):
        path = tmp_path / "progress"
        np.save(tmp_path / "rows.npy", curves)
        for last_epoch in last_epochs:
            arguments = [str(tmp_path / "rows.npy"), str(path), str(last_epoch)]
            run = subprocess.run([sys.executable, "-c", KILLED_FIT, *arguments], check=False)
            assert run.returncode == -9
        seen = []
        resumed = fit(curves, keeper=keeper_of(path, curves), on_epoch=seen.append, **OPTIONS)
        assert [record.epoch for record in seen] == [8, 9]
        assert same(resumed.state, whole.state)
        assert without_times(resumed.history) == without_times(whole.history)
        assert (resumed.best_epoch, resumed.stop_reason) == (whole.best_epoch, whole.stop_reason)

    def test_the_best_weights_survive_although_later_ones_are_worse(self, curves, tmp_path):
        options = OPTIONS | {"learning_rate": 0.3, "max_epochs": 12, "patience": 12}
        whole = fit(curves, **options)
        keeper = keeper_of(tmp_path / "progress", curves, **options)
        broken = []

        def stop_after_the_best(record):
            broken.append(record)
            if record.epoch == whole.best_epoch + 2:
                raise KeyboardInterrupt

        assert whole.best_epoch + 2 < len(whole.history)
        with pytest.raises(KeyboardInterrupt):
            fit(curves, keeper=keeper, on_epoch=stop_after_the_best, **options)
        assert same(fit(curves, keeper=keeper, **options).state, whole.state)

    def test_a_finished_training_is_not_trained_again(self, curves, whole, tmp_path):
        keeper, seen = keeper_of(tmp_path / "progress", curves), []
        fit(curves, keeper=keeper, **OPTIONS)
        again = fit(curves, keeper=keeper, on_epoch=seen.append, **OPTIONS)
        assert seen == []
        assert same(again.state, whole.state)


class TestEstimator:
    """`BetaVAE.fit` with a checkpoint."""

    def test_an_interrupted_fit_goes_on_where_it_was(self, curves, tmp_path):
        def model(**options):
            return BetaVAE(
                hidden_layer_sizes=(8,), **({"max_epochs": 6, "random_state": 3} | options)
            )

        whole, path = model().fit(curves), tmp_path / "progress"
        model(max_epochs=3).fit(curves, checkpoint=path)
        # Progress of another schedule is another fit's.
        other = model().fit(curves, checkpoint=path)
        assert all((other.weights_[name] == whole.weights_[name]).all() for name in whole.weights_)
        seen = []
        again = model().fit(curves, checkpoint=path, on_epoch=seen.append)
        assert seen == []
        assert all((again.weights_[name] == whole.weights_[name]).all() for name in whole.weights_)
        np.testing.assert_array_equal(again.kl_, whole.kl_)

    def test_ctrl_c_keeps_the_last_epoch(self, curves, whole, tmp_path):
        # Far from the next write: only the interruption itself can have kept it.
        keeper, seen = keeper_of(tmp_path / "progress", curves, seconds_between=3600), []

        def interrupt(record):
            if record.epoch == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fit(curves, keeper=keeper, on_epoch=interrupt, **OPTIONS)
        resumed = fit(curves, keeper=keeper, on_epoch=seen.append, **OPTIONS)
        assert seen[0].epoch == 5
        assert same(resumed.state, whole.state)

    @pytest.mark.parametrize("name", ["", "notes.txt", "folder"])
    def test_a_place_that_is_no_checkpoints_is_refused_before_training(
        self, curves, tmp_path, name
    ):
        (tmp_path / "folder").mkdir()
        (tmp_path / "notes.txt").write_text("mine")
        model, seen = BetaVAE(hidden_layer_sizes=(8,), max_epochs=2, random_state=0), []
        with pytest.raises(InputError, match="checkpoint must be"):
            model.fit(curves, checkpoint=tmp_path / name if name else "", on_epoch=seen.append)
        assert seen == []
        assert (tmp_path / "notes.txt").read_text() == "mine"

    def test_a_disk_that_fails_does_not_end_the_training(self, curves, whole, tmp_path):
        (tmp_path / "file").write_text("")
        keeper = keeper_of(tmp_path / "file" / "progress", curves)
        with pytest.warns(RuntimeWarning, match="progress should be kept in"):
            result = fit(curves, keeper=keeper, **OPTIONS)
        assert same(result.state, whole.state)


class TestIdentity:
    """Progress is taken up by the very same training only."""

    def test_anything_that_decides_the_outcome_changes_it(self, curves):
        problem = small_problem()
        other_rows = problem.training_rows.copy()
        other_rows[0] = 199
        touched = curves.copy()
        touched[0, 0] = np.nextafter(touched[0, 0], 2)
        identities = {
            identity_of(problem, curves),
            identity_of(problem, touched),
            identity_of(problem, curves.reshape(24, 200)),
            identity_of(small_problem(key=1), curves),
            identity_of(small_problem(likelihood="bernoulli"), curves),
            identity_of(small_problem(patience=6), curves),
            identity_of(small_problem(warm_up_epochs=1, max_epochs=2), curves),
            identity_of(replace(problem, objective=Objective(2.0, 0.06)), curves),
            identity_of(replace(problem, training_rows=other_rows), curves),
        }
        assert len(identities) == 9
        assert identity_of(small_problem(), curves.copy()) in identities

    def test_progress_of_another_training_is_left_alone(self, curves, tmp_path):
        fit(curves, keeper=keeper_of(tmp_path / "progress", curves), **OPTIONS)
        start = beginning(small_problem(), jax.numpy.asarray(curves))
        found = keeper_of(tmp_path / "progress", curves, patience=6).restore(start)
        assert found is start


class TestFile:
    """The file itself."""

    def test_all_of_the_progress_comes_back(self, curves, tmp_path):
        progress = []

        class Recorder(Checkpoint):
            def keep(self, found, *, is_last):
                progress.append(found)
                super().keep(found, is_last=is_last)

        problem = small_problem(**OPTIONS)
        keeper = Recorder(tmp_path / "progress", identity_of(problem, curves), 0.0)
        fit(curves, keeper=keeper, **OPTIONS)
        start = beginning(problem, jax.numpy.asarray(curves))
        restored, last = keeper.restore(start), progress[-1]
        assert isinstance(restored, Progress)
        assert restored.history == last.history
        for name in ("state", "optimiser_state", "best_state"):
            assert same(getattr(restored, name), getattr(last, name))

    @pytest.mark.parametrize("length", [0, 7, 100, 0.5, 0.999])
    def test_a_damaged_file_is_no_progress(self, curves, tmp_path, length):
        path = tmp_path / "progress"
        keeper = keeper_of(path, curves)
        fit(curves, keeper=keeper, **OPTIONS)
        raw = path.read_bytes()
        path.write_bytes(raw[: int(length * len(raw)) if length < 1 else length])
        start = beginning(small_problem(), jax.numpy.asarray(curves))
        assert keeper.restore(start) is start

    def test_writes_are_as_far_apart_as_asked_but_the_last_is_made(self, curves, tmp_path):
        path, times = tmp_path / "progress", []

        class Watched(Checkpoint):
            def keep(self, progress, *, is_last):
                super().keep(progress, is_last=is_last)
                times.append(path.exists())

        identity = identity_of(small_problem(**OPTIONS), curves)
        fit(curves, keeper=Watched(path, identity, seconds_between=3600), **OPTIONS)
        assert times == [False] * 8 + [True]
