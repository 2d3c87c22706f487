"""What `make reproduce` would run, and the models that it published."""

import argparse
import importlib.util
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from latent_nmr import feature_blocks, simulate
from latent_nmr.commands._shell import parse
from latent_nmr.commands.main import COMMANDS
from latent_nmr.data.reference import load_reference
from latent_nmr.data.windows import features, window_time
from latent_nmr.shipped import FOLDER
from latent_nmr.studies._known_curves import training_split
from latent_nmr.studies.trained_model import load_model

ROOT = Path(__file__).parents[1]
MODELS = FOLDER / "models"


def script(name):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ParsedError(Exception):
    """Raised once a script has read its command line, so that it does nothing more."""


def check_script(name, words):
    """Let a script read `words` as its command line, and stop it there."""
    module = script(name)
    read = argparse.ArgumentParser.parse_args

    def read_and_stop(parser):
        read(parser, words)
        raise ParsedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", read_and_stop)
        with pytest.raises(ParsedError):
            module.main()


STEPS = script("reproduce").steps()


@pytest.fixture(scope="module")
def dataset():
    return load_reference(300)


class TestSteps:
    """Every step is a command or a script that exists, with options that it has."""

    @pytest.mark.parametrize("step", STEPS, ids=[step.title for step in STEPS])
    def test_each_step_can_be_parsed(self, step):
        if step.words[1] == "-m":
            name, argv = step.words[3], step.words[4:]
            assert name in COMMANDS
            module = import_module(f"latent_nmr.commands.{name.replace('-', '_')}")
            parse(name, module.Options, argv)
        else:
            assert (ROOT / step.words[1]).is_file()
            check_script(Path(step.words[1]).stem, step.words[2:])

    def test_an_option_that_a_script_lacks_is_noticed(self):
        with pytest.raises(SystemExit):
            check_script("study_noise", ["set.zarr", "--levels-of-what"])
        with pytest.raises(SystemExit):
            check_script("describe_data", ["--force"])

    def test_the_time_is_said_before_anything_is_done(self):
        run = subprocess.run(
            [sys.executable, "scripts/reproduce.py", "--dry-run"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        lines = run.stdout.splitlines()
        assert len(lines) == len(STEPS) + 2
        total = sum(step.minutes for step in STEPS)
        assert lines[-1].split() == [f"{total:.1f}", "min", "in", "all"]


class TestModels:
    """Models that come with the repository work out of the box."""

    @pytest.mark.parametrize("window", ["echo", "full"])
    def test_each_embeds_and_reconstructs_curves_of_its_preset(self, window, dataset):
        model = load_model(MODELS / window)
        assert model.metadata_["window"] == window
        X = features(dataset, window)
        assert model.transform(X).shape == (300, 2)
        # Beside 0.03 of two principal components, and a spread of the curves of 0.15.
        assert np.sqrt(np.mean((X - model.reconstruct(X)) ** 2)) < 0.02

    @pytest.mark.parametrize("window", ["echo", "full"])
    def test_each_knows_how_many_curves_it_was_fitted_on(self, window):
        model = load_model(MODELS / window)
        assert model.metadata_["n_curves"] == 12000
        assert len(model.training_rows_) + len(model.validation_rows_) == 12000
        assert model.metadata_["held_out"] == {"fraction": 0.2, "split_seed": 0}
        new = np.zeros((3, model.n_features_in_), np.float32)
        assert (training_split(model, new) == "new").all()

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("name", "preset"), [("polar-60", "paper-60"), ("polar-pair", "paper-pair")]
    )
    def test_those_of_other_pulses_see_the_same_in_repeats_of_a_material(self, name, preset):
        model = load_model(MODELS / name)
        assert (model.metadata_["n_curves"], model.n_components) == (6000, 4)
        echoes = simulate(preset, 4, seed=5, repeats=2)
        X = features(echoes, "full", part="polar")
        amplitudes = feature_blocks(window_time(echoes, "full"), "polar", echoes)[0].columns
        residual = (X - model.reconstruct(X))[:, amplitudes]
        # As well as that of whole curves above does, scatter of the offsets included.
        assert np.sqrt(np.mean(residual**2)) < 0.04
        latent = model.transform(X)
        apart = np.linalg.norm(latent[::2] - latent[1::2], axis=1)
        assert apart.max() < 0.2 * np.linalg.norm(latent[0] - latent[2])

    def test_together_they_take_less_than_eleven_megabytes(self):
        names = ("echo", "full", "polar-60", "polar-pair")
        files = [path for name in names for path in (MODELS / name).iterdir()]
        assert sum(path.stat().st_size for path in files) < 11e6
