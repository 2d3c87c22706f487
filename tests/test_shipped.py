"""What comes with the package: names, hashes, and what a name means where a folder has it too."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.shipped import (
    FOLDER,
    MANIFEST_FILE,
    named_or_path,
    shipped_names,
    shipped_path,
    write_manifest,
)


@pytest.fixture
def copy(tmp_path):
    """A copy of the manifest, the smallest model and an empty data set, in step."""
    folder = tmp_path / "_shipped"
    shutil.copytree(FOLDER / "models" / "echo", folder / "models" / "echo")
    (folder / "set.npz").write_bytes(b"numbers")
    echo = json.loads((FOLDER / MANIFEST_FILE).read_text("utf-8"))["models"]["echo"]
    data = {"title": "a set", "path": "set.npz", "version": 0, "files": {}}
    manifest = {"models": {"echo": echo}, "data": {"set": data}}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), "utf-8")
    assert write_manifest(folder) == ["set"]
    return folder


class TestManifest:
    """Every file is listed with its hash, and checked when it is asked for."""

    def test_every_shipped_file_is_listed_and_is_what_is_listed(self):
        manifest = json.loads((FOLDER / MANIFEST_FILE).read_text("utf-8"))
        listed = {FOLDER / MANIFEST_FILE}
        for kind in ("models", "data"):
            for name in shipped_names(kind):
                place, files = shipped_path(kind, name), manifest[kind][name]["files"]
                listed |= {place / file if place.is_dir() else place for file in files}
                assert manifest[kind][name]["version"] >= 1
        assert {path for path in FOLDER.rglob("*") if path.is_file()} == listed

    @pytest.mark.parametrize("file", ["weights.safetensors", "model.json"])
    def test_a_changed_file_is_refused_by_name(self, copy, file):
        shipped_path("models", "echo", copy)
        with (copy / "models" / "echo" / file).open("ab") as handle:
            handle.write(b" ")
        with pytest.raises(ln.InputError, match=rf"echo must be as it came.*{file} has the SHA"):
            shipped_path("models", "echo", copy)

    def test_a_missing_file_is_refused_by_name(self, copy):
        (copy / "set.npz").unlink()
        with pytest.raises(ln.InputError, match=r"set must be as it came.*set\.npz cannot be read"):
            shipped_path("data", "set", copy)

    def test_a_version_rises_with_each_change_and_only_then(self, copy):
        (copy / "set.npz").write_bytes(b"other numbers")
        assert write_manifest(copy) == ["set"]
        assert write_manifest(copy) == []
        manifest = json.loads((copy / MANIFEST_FILE).read_text("utf-8"))
        assert manifest["data"]["set"]["version"] == 2
        assert shipped_path("data", "set", copy) == copy / "set.npz"

    def test_an_unknown_name_is_answered_with_the_nearest(self):
        with pytest.raises(ln.InputError, match="Did you mean 'echo'"):
            ln.load_pretrained("ecco")


class TestNames:
    """A name stands for what is shipped, unless the working directory has it."""

    def test_a_folder_of_the_same_name_wins(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert named_or_path("models", "full") == FOLDER / "models" / "full"
        shutil.copytree(FOLDER / "models" / "echo", "full")
        assert named_or_path("models", "full") == Path("full")
        assert ln.BetaVAE.load("full").n_features_in_ == 400
        assert ln.load_pretrained("full").n_features_in_ == 1882

    def test_a_path_is_no_name(self, tmp_path):
        assert named_or_path("models", tmp_path / "echo") == tmp_path / "echo"
        assert named_or_path("data", "echo") == Path("echo")

    def test_a_model_that_is_neither_is_answered_with_the_names(self):
        with pytest.raises(
            ln.InputError, match=r"ecco does not exist.*challenge-gauss.*echo, full"
        ):
            ln.BetaVAE.load("ecco")

    @pytest.mark.parametrize(
        ("asked", "name", "words"),
        [
            (ln.BetaVAE, "challenge-rkky", "must be a β-VAE, but .* is a regressor of curves"),
            (CurveRegressor, "full", "must be a regressor of curves, but .* is a β-VAE"),
        ],
    )
    def test_a_model_of_the_other_kind_is_called_so_with_one_of_the_right(self, asked, name, words):
        with pytest.raises(ln.InputError, match=words) as caught:
            asked.load(name)
        (example,) = re.findall(r"Give one, such as (\S+), which", str(caught.value))
        assert isinstance(ln.load_pretrained(example), asked)
        assert "Copy it again" not in str(caught.value)

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["embed", "challenge-gauss", "reference"], "the model must be a β-VAE"),
            (["axes", "reference", "--models", "challenge-gauss"], "the model must be a β-VAE"),
            (["axes", "reference", "--models", "echo", "nosuch"], "nosuch does not exist"),
            (["evaluate", "reference", "--models", "echo", "nosuch"], "nosuch does not exist"),
        ],
    )
    def test_commands_end_with_2_where_one_model_cannot_be_used(
        self, words, reason, tmp_path, capsys
    ):
        assert main([*words, "--out", str(tmp_path / "x.csv")]) == 2
        assert reason in capsys.readouterr().err
        assert not (tmp_path / "x.csv").exists()

    def test_models_are_loaded_as_what_they_are(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        kinds = {name: type(ln.load_pretrained(name)) for name in shipped_names("models")}
        assert kinds == {
            "challenge-gauss": CurveRegressor,
            "challenge-rkky": CurveRegressor,
            "echo": ln.BetaVAE,
            "full": ln.BetaVAE,
            "measured-echo": ln.BetaVAE,
            "measured-echo-m0": ln.BetaVAE,
            "polar-60": ln.BetaVAE,
            "polar-pair": ln.BetaVAE,
            "posterior": ln.EchoPosterior,
            "posterior-echo": ln.EchoPosterior,
        }

    def test_the_reference_set_is_read_by_name(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        by_name = ln.open_echoes("reference", n_curves=20)
        assert by_name.identical(ln.load_reference(n_curves=20))
        np.testing.assert_array_equal(by_name.curve, np.arange(20))
