"""latent-nmr audit, run whole; and the audit of decoders whose answer is known."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latent_nmr.commands.main import main
from latent_nmr.data.compact import save_compact
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import features
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.trained_model import describe_data

N_CURVES = 140
SMALL = ["--n-edge", "8", "--step", "4"]
FEW = ["--n-steps", "3", "--n-neighbors", "10", "--n-simulations", "4"]


def simulate(path, *more):
    return ["simulate", "--n-curves", str(N_CURVES), *SMALL, "--out", str(path), *more]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Echoes of a small lattice, a model trained on them, and its audit along the second axis."""
    folder = tmp_path_factory.mktemp("audit")
    assert main(simulate(folder / "echoes.zarr")) == 0
    dataset = open_echoes(folder / "echoes.zarr")
    X = features(dataset)
    model = BetaVAE(hidden_layer_sizes=(8,), max_epochs=5, min_epoch_steps=1, random_state=0).fit(X)
    model.save(folder / "model", metadata=describe_data(dataset, X, FeatureSettings()))
    assert main(arguments(folder, folder / "done", "--axes", "2", "--seed", "3")) == 0
    return folder


@pytest.fixture
def finished(workplace, tmp_path):
    """Copy of a finished audit."""
    return shutil.copytree(workplace / "done", tmp_path / "done")


@pytest.fixture
def data(workplace):
    return workplace / "echoes.zarr"


def arguments(workplace, out, *more, data=None):
    words = ["audit", workplace / "model", data or workplace / "echoes.zarr", "--out", out]
    return [str(word) for word in (*words, *FEW, *more)]


def refused(capsys, words):
    """Run a command that must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main(words) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = (row for row in output.err.splitlines() if row.startswith("latent-nmr"))
    return complaint


class TestOutput:
    """Folder, report, JSON."""

    def test_a_folder_with_table_manifest_and_figures(self, workplace, tmp_path, capsys):
        out = tmp_path / "audit"
        assert main(arguments(workplace, out)) == 0
        assert {path.name for path in out.iterdir() if path.suffix != ".pdf"} == {
            "LA1.png", "LA2.png", "profile.png", "audit.csv", "audit.json", "report.html",
            "run.json",
        }  # fmt: skip
        output = capsys.readouterr().out
        manifest = json.loads((out / "audit.json").read_text("utf-8"))
        assert output.splitlines()[:2] == manifest["sentences"]
        table = pd.read_csv(out / "audit.csv")
        assert list(table["z"]) == [-2.5, 0.0, 2.5] * 2
        assert list(table["axis"]) == ["LA1"] * 3 + ["LA2"] * 3
        for row, point in zip(table.to_dict("records"), manifest["points"], strict=True):
            for name, value in point.items():
                same = row[name] == value or row[name] == pytest.approx(value)
                assert same, name
        assert set(table["verdict"]) <= {"faithful", "averages", "invents"}

    def test_the_command_in_the_manifest_makes_the_same_again(self, finished, tmp_path):
        again = tmp_path / "again"
        manifest = (finished / "audit.json").read_text("utf-8")
        program, *words = json.loads(manifest)["command"].split()
        assert program == "latent-nmr"
        assert main([*words, "--out", str(again)]) == 0
        made = sorted(path.name for path in again.iterdir())
        assert made == sorted(path.name for path in finished.iterdir())
        for name in made:
            assert (finished / name).read_bytes() == (again / name).read_bytes(), name

    def test_the_numbers_are_those_of_the_model_and_the_data(self, workplace, tmp_path, capsys):
        out = tmp_path / "audit"
        capsys.readouterr()
        assert main(arguments(workplace, out, "--axes", "1", "--json")) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["n_curves"] == N_CURVES
        assert result["n_fitted"] == len(BetaVAE.load(workplace / "model").training_rows_)
        dataset = open_echoes(workplace / "echoes.zarr")
        model = BetaVAE.load(workplace / "model")
        latent = model.transform(features(dataset))
        nearest = np.argsort(np.linalg.norm(latent, axis=1))[:10]
        middle = result["points"][1]
        assert middle["W"] == pytest.approx(float(dataset["W"].to_numpy()[nearest].mean()))
        residual = model.inverse_transform(np.zeros((1, 2)))[0] - features(dataset)[nearest].mean(0)
        assert middle["rms_neighbours"] == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-4)

    @pytest.mark.slow
    def test_stratified_data_are_said_to_have_less_scatter(self, workplace, tmp_path, capsys):
        data = tmp_path / "stratified.zarr"
        assert main(simulate(data, "--line-draw", "stratified")) == 0
        save_compact(open_echoes(data), tmp_path / "set.npz")
        words = arguments(workplace, tmp_path / "out", "--axes", "1", data=tmp_path / "set.npz")
        assert main(words) == 0
        output = capsys.readouterr().out
        assert "of the spatial order alone" in output
        assert "0 of which the model was fitted to" in output


class TestDocument:
    """docs/audit.md shows what was measured."""

    ROOT = Path(__file__).parents[2]

    def test_its_sentences_are_those_of_the_committed_audit(self):
        text = " ".join((self.ROOT / "docs" / "audit.md").read_text("utf-8").split())
        folder = self.ROOT / "artifacts" / "audit" / "echo"
        result = json.loads((folder / "audit.json").read_text("utf-8"))
        for sentence in result["sentences"]:
            assert sentence in text
        assert all(f"audit/echo/{name}.png" in text for name in ("LA1", "LA2", "profile"))


class TestRefusals:
    """Bad input ends with exit code 2 and one line."""

    def test_an_existing_audit_without_force(self, workplace, finished, capsys):
        before = (finished / "audit.json").read_bytes()
        words = arguments(workplace, finished, "--axes", "1")
        assert "use --force to replace it" in refused(capsys, words)
        assert (finished / "audit.json").read_bytes() == before
        assert main([*words, "--force"]) == 0
        assert not (finished / "LA2.png").exists()
        assert (finished / "LA1.png").is_file()

    def test_force_where_there_are_other_files_too(self, workplace, finished, capsys):
        (finished / "notes.txt").write_text("mine")
        complaint = refused(capsys, arguments(workplace, finished, "--force"))
        assert "nothing but an earlier run's own files" in complaint
        assert "notes.txt" in complaint

    def test_its_own_model_even_with_force(self, workplace, capsys):
        words = arguments(workplace, workplace / "model", "--force")
        assert "must not hold an input of the run" in refused(capsys, words)
        assert BetaVAE.load(workplace / "model")

    def test_a_folder_of_something_else_even_with_force(self, workplace, tmp_path, capsys):
        BetaVAE.load(workplace / "model").save(tmp_path / "other")
        words = arguments(workplace, tmp_path / "other", "--force")
        assert "holds something else" in refused(capsys, words)
        assert BetaVAE.load(tmp_path / "other")

    @pytest.mark.parametrize("axis", ["0", "3"])
    def test_an_axis_that_the_model_lacks(self, workplace, tmp_path, capsys, axis):
        words = arguments(workplace, tmp_path / "out", "--axes", "1", axis)
        assert f"axes must be among 1..2, the model's latent axes, but hold {axis}." in refused(
            capsys, words
        )

    @pytest.mark.parametrize(
        ("flag", "value", "rule"),
        [
            ("--n-simulations", "3", "n_simulations must be a whole number of at least 4"),
            ("--n-neighbors", "3", "n_neighbors must be a whole number of at least 4"),
            ("--n-neighbors", str(N_CURVES), "more curves than n_neighbors"),
            ("--n-steps", "1", "n_steps must be a whole number of at least 2"),
            ("--span", "0", "span must be > 0"),
            ("--seed", "-1", "seed must be a whole number of at least 0"),
        ],
    )
    def test_numbers_out_of_bounds(self, workplace, tmp_path, capsys, flag, value, rule):
        assert rule in refused(capsys, arguments(workplace, tmp_path / "out", flag, value))

    def test_data_without_labels(self, workplace, data, tmp_path, capsys):
        bare = tmp_path / "bare.npz"
        save_compact(open_echoes(data).drop_vars(["L", "alpha_z"]), bare)
        complaint = refused(capsys, arguments(workplace, tmp_path / "out", data=bare))
        assert "must have the labels alpha_x, alpha_z, L, kernel" in complaint
        assert "lack alpha_z, L." in complaint

    def test_a_model_of_another_window(self, workplace, tmp_path, capsys):
        other = tmp_path / "short.npz"
        dataset = open_echoes(workplace / "echoes.zarr")
        moved = dataset.assign_coords(time=dataset["time"] * 2)
        moved.attrs["dt_us"] *= 2
        save_compact(moved, other)
        complaint = refused(capsys, arguments(workplace, tmp_path / "out", data=other))
        assert "data must be sampled like those the model was trained on" in complaint
