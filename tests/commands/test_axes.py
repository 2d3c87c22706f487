"""latent-nmr axes: options, table, reruns."""

import json

import pandas as pd
import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.io import save_echoes
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.axes import name_axes
from latent_nmr.studies.trained_model import describe_data

N_CURVES = 140
FEW = ["--n-permutations", "21", "--n-information-permutations", "19"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A data set and models of two seeds."""
    folder = tmp_path_factory.mktemp("axes")
    dataset = ln.simulate("paper", N_CURVES, n_edge=8, step=4)
    save_echoes(dataset, folder / "echoes.npz")
    dataset = ln.open_echoes(folder / "echoes.npz")
    X = ln.features(dataset, window="echo")
    for seed in (0, 1):
        model = BetaVAE(
            hidden_layer_sizes=(8,), max_epochs=1, min_epoch_steps=1, random_state=seed
        ).fit(X)
        model.save(folder / f"seed{seed}", metadata=describe_data(dataset, X, FeatureSettings()))
    return folder


@pytest.fixture
def data(workplace):
    return workplace / "echoes.npz"


@pytest.fixture
def seeds(workplace):
    return [workplace / "seed0", workplace / "seed1"]


def arguments(data, models, *more):
    return [str(word) for word in ("axes", data, "--models", *models, *FEW, *more)]


def refused(capsys, words):
    """Run a command that must end with exit code 2; return its one line of complaint."""
    assert main(words) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = (row for row in output.err.splitlines() if row.startswith("latent-nmr"))
    return complaint


def test_the_command_gives_the_numbers_of_the_function(data, seeds, tmp_path, capsys):
    out = tmp_path / "axes.csv"
    assert main(arguments(data, seeds, "--align", "--seed", "3", "--out", out, "--json")) == 0
    values = json.loads(capsys.readouterr().out)
    options = {"n_permutations": 21, "n_information_permutations": 19, "random_state": 3}
    models = [BetaVAE.load(path) for path in seeds]
    result = name_axes(models, ln.open_echoes(data), align=True, **options)
    table = pd.read_csv(out)
    pd.testing.assert_frame_equal(table, result.table, rtol=1e-15)
    for axis, wanted in zip(values["axes"], result.facts["axes"], strict=True):
        assert axis["sentence"].startswith(f"{axis['axis']} ")
        assert {**axis, "sentence": None} == {**wanted, "sentence": None}
    assert values["stability"] == result.facts["stability"]
    assert (values["aligned"], values["models"]) == (True, [str(path) for path in seeds])
    assert values["out"] == str(out)


def test_lines_are_printed_and_an_equal_rerun_prints_them_again(data, seeds, tmp_path, capsys):
    words = arguments(data, seeds, "--out", tmp_path / "axes.csv")
    assert main(words) == 0
    first = capsys.readouterr().out.splitlines()
    assert [line[:4] for line in first[:2]] == ["LA1 ", "LA2 "]
    assert first[-1] == f"written    {tmp_path / 'axes.csv'}: 10 rows"
    assert main(words) == 0
    remark, *again = capsys.readouterr().out.splitlines()
    assert "already finished" in remark
    assert again == first


def test_without_out_nothing_is_written(data, seeds, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments(data, seeds[:1])) == 0
    assert f"the 21 of {N_CURVES} that the model was not trained on" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_without_force(data, seeds, tmp_path, capsys):
    out = tmp_path / "axes.csv"
    out.write_text("mine")
    assert "use --force" in refused(capsys, arguments(data, seeds, "--out", out))
    assert out.read_text() == "mine"
    assert main(arguments(data, seeds, "--out", out, "--force")) == 0
    assert out.read_text() != "mine"


def test_a_model_given_twice_is_refused(data, seeds, capsys):
    again = seeds[0] / "." / "../seed0"
    complaint = refused(capsys, arguments(data, [seeds[0], again]))
    assert f"models must be different models, but {again} is the same as {seeds[0]}" in complaint


def test_a_missing_model_is_refused(data, tmp_path, capsys):
    assert "none does not exist" in refused(capsys, arguments(data, [tmp_path / "none"]))


def test_too_few_permutations_are_refused(data, seeds, capsys):
    complaint = refused(capsys, arguments(data, seeds, "--n-permutations", "5"))
    assert "n_permutations must be a whole number of at least 19" in complaint
