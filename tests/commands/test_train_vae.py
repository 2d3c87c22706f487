"""train-vae across kills, reruns and failures."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import zarr

from latent_nmr.commands._shell import parse
from latent_nmr.commands.main import main
from latent_nmr.commands.train_vae import Options, untrained_model
from latent_nmr.models import training
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.training import CHECKPOINT_FILE
from tests.sealing import seal

PROGRAM = [sys.executable, "-m", "latent_nmr.commands.main"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "echoes.zarr"
    size = ["--n-curves", "60", "--n-edge", "12", "--step", "4"]
    assert main(["simulate", *size, "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "run"
    assert main(train(data, out)) == 0
    return out


@pytest.fixture
def run(finished, tmp_path):
    """A copy of a finished run that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def train(data, out, *more):
    return ["train-vae", "--data", str(data), "--out", str(out), "--max-epochs", "2", *more]


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class TestKilled:
    """kill -9 during training; the same command continues."""

    @pytest.mark.slow
    def test_the_same_command_continues_to_the_same_bits(self, data, tmp_path):
        # Enough epochs to last beyond the first write, five seconds in.
        options = ["--max-epochs", "1500", "--patience", "1500", "--min-epoch-steps", "10"]
        out, work = tmp_path / "run", tmp_path / ".run.progress"
        progress = work / CHECKPOINT_FILE
        process = subprocess.Popen([*PROGRAM, *train(data, out), *options])
        deadline = time.monotonic() + 300
        while not progress.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -9
        assert progress.exists()
        assert not out.exists()
        again = subprocess.run(
            [*PROGRAM, *train(data, out), *options], check=True, capture_output=True, text=True
        )
        assert "of an interrupted training" in again.stderr
        assert not work.exists()
        assert not (out / CHECKPOINT_FILE).exists()
        alone = tmp_path / "alone"
        subprocess.run([*PROGRAM, *train(data, alone), *options], check=True)
        weights = [(path / "weights.safetensors").read_bytes() for path in (out, alone)]
        assert weights[0] == weights[1]
        assert list(tmp_path.glob("*staging*")) == []

    @pytest.mark.slow
    def test_what_a_kill_left_half_written_is_swept(self, data, tmp_path):
        work = tmp_path / ".run.progress"
        (work / "figures").mkdir(parents=True)
        (work / "figures" / "latent_map.png").write_text("half")
        (work / f".{CHECKPOINT_FILE}.staging-abc").write_text("half")
        assert main(train(data, tmp_path / "run")) == 0
        assert not work.exists()
        assert not list((tmp_path / "run").glob(".*"))
        assert (tmp_path / "run" / "figures" / "latent_map.png").read_bytes()[1:4] == b"PNG"

    def test_an_interrupted_training_continues_to_the_same_bits_and_sweeps(
        self, data, finished, tmp_path, monkeypatch, capsys
    ):
        out, work = tmp_path / "run", tmp_path / ".run.progress"
        original, epochs = training.run_epoch, []

        def interrupted(*arguments, **options):
            epochs.append(1)
            if len(epochs) == 2:
                raise KeyboardInterrupt
            return original(*arguments, **options)

        monkeypatch.setattr(training, "run_epoch", interrupted)
        assert main(train(data, out)) == 130
        assert (work / CHECKPOINT_FILE).is_file()
        assert not out.exists()
        (work / "figures").mkdir(exist_ok=True)
        (work / "figures" / "latent_map.png").write_text("half")
        (work / f".{CHECKPOINT_FILE}.staging-abc").write_text("half")
        monkeypatch.setattr(training, "run_epoch", original)
        capsys.readouterr()
        assert main(train(data, out)) == 0
        assert "of an interrupted training" in capsys.readouterr().err
        for name in ("weights.safetensors", "figures/latent_map.png"):
            assert (out / name).read_bytes() == (finished / name).read_bytes(), name
        assert not work.exists()
        assert not list(out.glob(".*"))

    @pytest.mark.parametrize("delay", [pytest.param(0.0, marks=pytest.mark.slow), 1.0])
    def test_ctrl_c_ends_with_130_and_keeps_what_was_trained(self, data, tmp_path, delay):
        options = ["--max-epochs", "100000", "--patience", "100000"]
        process = subprocess.Popen(
            [*PROGRAM, *train(data, tmp_path / "run"), *options],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "Training on 60 curves" in line
        time.sleep(delay)  # at once is while programs are compiled
        process.send_signal(signal.SIGINT)
        try:
            complaint = process.communicate(timeout=120)[1]
        finally:
            process.kill()  # of no effect on one that has ended
        assert process.returncode == 130
        assert "interrupted; finished work is kept" in complaint
        assert "Fatal" not in complaint
        assert not (tmp_path / "run").exists()


class TestLostInterrupt:
    """Ctrl-C while the interpreter is in a callback of compiled code, which loses exceptions."""

    @pytest.mark.slow
    def test_training_ends_at_the_next_epoch(self, data, tmp_path, monkeypatch, capsys):
        original = training.run_epoch
        epochs = []

        def lose_an_interrupt(*arguments, **options):
            epochs.append(1)
            if len(epochs) == 2:
                with contextlib.suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
                    time.sleep(1)  # at the latest here, the handler has run
            return original(*arguments, **options)

        monkeypatch.setattr(training, "run_epoch", lose_an_interrupt)
        handler = signal.getsignal(signal.SIGINT)
        assert main([*train(data, tmp_path / "run"), "--max-epochs", "9"]) == 130
        assert len(epochs) == 2
        assert "interrupted; finished work is kept" in capsys.readouterr().err
        assert signal.getsignal(signal.SIGINT) is handler
        # The next command knows nothing of it.
        monkeypatch.setattr(training, "run_epoch", original)
        assert main([*train(data, tmp_path / "run"), "--max-epochs", "9"]) == 0


class TestNotFinite:
    """A loss that leaves the finite numbers."""

    @pytest.mark.slow
    def test_exit_code_3_with_the_best_weights_kept_or_none(self, data, tmp_path, capsys):
        # Steps of this size blow the posterior's variance up sooner or later.
        codes = set()
        for number, rate in enumerate(("3", "10", "30")):
            out = tmp_path / f"run{number}"
            options = ["--learning-rate", rate, "--batch-size", "51", "--min-epoch-steps", "1"]
            options += ["--max-epochs", "60", "--patience", "60"]
            code = main([*train(data, out), *options])
            output = capsys.readouterr()
            codes.add((code, out.exists()))
            if code == 3 and out.exists():
                assert "the loss was not finite in epoch" in output.out
                assert all(np.isfinite(a).all() for a in BetaVAE.load(out).weights_.values())
            elif code == 3:
                assert "the loss must stay finite" in output.err
        assert (3, True) in codes

    def test_no_finite_epoch_leaves_nothing(self, data, tmp_path, capsys):
        assert main(train(data, tmp_path / "run", "--learning-rate", "1e30")) == 3
        assert "the loss must stay finite" in capsys.readouterr().err
        assert not (tmp_path / "run").exists()


class TestFinishedRuns:
    """What a rerun finds."""

    def complaint(self, capsys, arguments):
        capsys.readouterr()
        assert main(arguments) == 2
        output = capsys.readouterr()
        assert output.out == ""
        return output.err

    @pytest.mark.slow
    def test_data_that_changed_are_noticed(self, data, tmp_path, capsys):
        copy, out = Path(shutil.copytree(data, tmp_path / "echoes.zarr")), tmp_path / "run"
        assert main(train(copy, out)) == 0
        before = contents(out)
        signal_x = zarr.open_group(copy)["mx"]
        signal_x[3, 1200] = signal_x[3, 1200] + 0.01
        seal(copy)
        words = self.complaint(capsys, train(copy, out))
        assert f"{copy} has changed since {out} was made" in words
        assert contents(out) == before
        assert main(train(copy, out, "--force")) == 0
        shutil.rmtree(copy)
        assert main(train(copy, out)) == 0
        assert "is gone" in capsys.readouterr().out

    def test_a_damaged_manifest_is_one_clear_line(self, run, data, capsys):
        for text in ("{", "[]", "{}", '{"settings": 3}'):
            (run / "run.json").write_text(text)
            assert "run.json is damaged" in self.complaint(capsys, train(data, run))

    @pytest.mark.parametrize("name", ["notes.txt", "figures/notes.txt", "figures/more/a.png"])
    def test_force_removes_nothing_that_no_run_wrote(self, run, data, capsys, name):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_text("mine")
        before = contents(run)
        words = self.complaint(capsys, train(data, run, "--force", "--beta", "3"))
        assert "a run must replace nothing but an earlier run's own files" in words
        assert contents(run) == before

    @pytest.mark.slow
    def test_an_empty_folder_and_the_one_one_stands_in_are_places(
        self, data, tmp_path, monkeypatch
    ):
        (tmp_path / "run").mkdir()
        monkeypatch.chdir(tmp_path / "run")
        assert main(train(data, Path())) == 0
        assert (tmp_path / "run" / "run.json").is_file()
        monkeypatch.chdir(tmp_path / "run")
        assert main(train(data, Path(), "--force", "--beta", "3")) == 0
        assert BetaVAE.load(tmp_path / "run").beta == 3

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (["--validation-fraction", "0.999"], "must leave rows to train on"),
            (["--seed", "4294967296"], "--seed must be a whole number of at least 0 and at most"),
        ],
    )
    def test_numbers_that_cannot_be_used(self, data, tmp_path, capsys, options, words):
        assert words in self.complaint(capsys, train(data, tmp_path / "run", *options))

    def test_settings_of_fresh_curves_need_simulate(self, data, tmp_path, capsys):
        words = self.complaint(capsys, train(data, tmp_path / "run", "--data-seed", "3"))
        assert "--data-seed, --line-draw and --fwhm must come with --simulate" in words


class TestOutput:
    """Readers of standard output who leave, and disks that are full."""

    @pytest.mark.slow
    @pytest.mark.slow  # with the libraries of a training loaded; test_streams.py has other commands
    def test_a_reader_who_has_gone_is_no_failure(self, finished, data):
        reading, writing = os.pipe()
        os.close(reading)
        run = subprocess.run(
            [*PROGRAM, *train(data, finished)], stdout=writing, stderr=subprocess.PIPE, text=True
        )
        os.close(writing)
        assert run.returncode == 0
        assert "Traceback" not in run.stderr
        assert "Exception" not in run.stderr

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
    @pytest.mark.slow
    def test_a_full_disk_is_one_clear_line(self, finished, data):
        with Path("/dev/full").open("w") as full:
            run = subprocess.run(
                [*PROGRAM, *train(data, finished)], stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert run.returncode == 2
        assert "standard output must be writable" in run.stderr
        assert "Traceback" not in run.stderr

    def test_json_of_a_finished_run_is_the_manifest_and_more(self, finished, data, capsys):
        assert main(train(data, finished, "--json")) == 0
        printed = json.loads(capsys.readouterr().out)
        manifest = json.loads((finished / "run.json").read_text("utf-8"))
        assert {name: printed[name] for name in manifest} == manifest


class TestSettings:
    """`--setting`: what is not asked for otherwise is that of a named setting."""

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ([], BetaVAE(random_state=0)),
            (["--setting", "thorough"], BetaVAE.thorough(random_state=0)),
            (["--setting", "repeats"], BetaVAE.of_repeats(random_state=0)),
            (
                ["--setting", "repeats", "--n-components", "4", "--contrast", "7", "--seed", "3"],
                BetaVAE.of_repeats(n_components=4, contrast=7.0, random_state=3),
            ),
            (["--beta", "4"], BetaVAE(beta=4.0, random_state=0)),
            (
                ["--setting", "repeats", "--contrast", "0", "--beta", "2", "--patience", "7"],
                BetaVAE.of_repeats(contrast=0.0, beta=2.0, patience=7, random_state=0),
            ),
        ],
    )
    def test_it_stands_for_the_constructor_of_that_name(self, words, expected):
        model = untrained_model(parse("train-vae", Options, words))
        assert model.get_params() == expected.get_params()

    def test_a_setting_that_learns_from_repeats_needs_them(self, data, tmp_path, capsys):
        assert main(train(data, tmp_path / "run", "--setting", "repeats")) == 2
        assert "groups must say which rows are repeats" in capsys.readouterr().err

    def test_a_run_says_the_values_that_a_setting_stands_for(self, data, tmp_path, capsys):
        out = tmp_path / "run"
        assert main(train(data, out, "--setting", "thorough")) == 0
        settings = json.loads((out / "run.json").read_text("utf-8"))["settings"]
        wanted = BetaVAE.thorough(max_epochs=2).get_params()
        for name in ("activation", "beta", "schedule", "max_epochs", "patience"):
            assert settings[name] == wanted[name], name
        assert settings["hidden_layer_sizes"] == [128, 64, 32]
        assert main(train(data, out, "--setting", "thorough")) == 0
        assert "finished" in capsys.readouterr().out
        assert main(train(data, out, "--beta", "2")) == 2

    def test_runs_from_before_there_were_settings_are_known(self, run, data, capsys):
        path = run / "run.json"
        manifest = json.loads(path.read_text("utf-8"))
        for name in ("setting", "contrast", "schedule", "activation"):
            del manifest["settings"][name]
        path.write_text(json.dumps(manifest), "utf-8")
        assert main(train(data, run, "--beta", "2")) == 0
        assert main(train(data, run, "--contrast", "1")) == 2
        assert "contrast = 0.0 and 1.0 is asked for" in capsys.readouterr().err
