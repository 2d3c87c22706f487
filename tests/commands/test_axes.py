"""latent-nmr axes, run whole."""

import json

import numpy as np
import pandas as pd
import pytest

from latent_nmr.analysis.dependence import rank_correlations
from latent_nmr.commands.axes import unseen_rows
from latent_nmr.commands.main import main
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import features
from latent_nmr.models.beta_vae import BetaVAE

N_CURVES = 160
FEW = ["--n-permutations", "39", "--n-information-permutations", "19"]


def simulate(path, n_curves, seed):
    size = ["--n-curves", str(n_curves), "--n-edge", "12", "--step", "4", "--seed", str(seed)]
    return ["simulate", *size, "--out", str(path)]


def train(data, out, *more):
    return ["train-vae", "--data", str(data), "--out", str(out), "--max-epochs", "2", *more]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Two data sets and two seeds trained on the first, made by the commands."""
    folder = tmp_path_factory.mktemp("axes")
    assert main(simulate(folder / "echoes.zarr", N_CURVES, 0)) == 0
    assert main(simulate(folder / "other.zarr", 30, 1)) == 0
    for seed in ("0", "1"):
        assert main(train(folder / "echoes.zarr", folder / f"seed{seed}", "--seed", seed)) == 0
    return folder


@pytest.fixture
def data(workplace):
    return workplace / "echoes.zarr"


@pytest.fixture
def seeds(workplace):
    return [workplace / "seed0", workplace / "seed1"]


def arguments(data, models, *more):
    return [str(word) for word in ("axes", data, "--models", *models, *FEW, *more)]


def result_of(capsys, words):
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, words):
    """Run a command that must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main(words) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = (row for row in output.err.splitlines() if row.startswith("latent-nmr"))
    return complaint


def latent_of(model, data):
    dataset = open_echoes(data)
    return model.transform(features(dataset, "echo")), dataset


class TestOutput:
    """Sentences, table, stability."""

    def test_every_axis_has_a_sentence_and_every_label_a_row(self, data, seeds, capsys):
        assert main(arguments(data, seeds)) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line[:4] for line in lines[:2]] == ["LA1 ", "LA2 "]
        rows = [line.split() for line in lines if line.split()[1:2] and line[:2] == "LA"][2:]
        names = ["W", "L", "kernel", "alpha_x", "alpha_z"]
        assert [row[:2] for row in rows] == [[axis, n] for axis in ("LA1", "LA2") for n in names]
        assert any(line.startswith("stability  LA1 ") for line in lines)
        # A kernel has no rank correlation: its mean, spread and null are dashes.
        assert rows[2][2:5] == ["-"] * 3

    def test_the_numbers_are_those_of_the_curves_no_model_saw(self, data, seeds, capsys):
        result = result_of(capsys, arguments(data, seeds))
        models = [BetaVAE.load(path) for path in seeds]
        assert result["curves"] == "the 24 of 160 that each model was not trained on"
        for number, model in enumerate(models):
            latent, dataset = latent_of(model, data)
            rows = model.validation_rows_
            w = dataset["W"].to_numpy()[rows]
            expected = rank_correlations(latent[rows], {"W": w})
            for axis in result["axes"]:
                (label,) = (entry for entry in axis["labels"] if entry["label"] == "W")
                assert label["rho"][number] == pytest.approx(expected[axis["axis"]]["W"])

    def test_of_other_data_all_curves_are_used(self, workplace, seeds, capsys):
        result = result_of(capsys, arguments(workplace / "other.zarr", seeds))
        assert result["curves"] == "all 30: no model was trained on any of them"
        assert result["axes"][0]["n_curves"] == [30, 30]

    def test_the_table_is_written_as_csv(self, data, seeds, tmp_path, capsys):
        out = tmp_path / "axes.csv"
        result = result_of(capsys, arguments(data, seeds, "--out", out))
        table = pd.read_csv(out).set_index(["axis", "label"])
        assert result["out"] == str(out)
        assert len(table) == 10
        assert table.loc[("LA1", "kernel"), "abs_rho"] != table.loc[("LA1", "kernel"), "abs_rho"]
        for axis in result["axes"]:
            for label in axis["labels"]:
                row = table.loc[(axis["axis"], label["label"])]
                assert row["mi"] == pytest.approx(np.mean(label["information"]["values"]))
                assert row["mi_null"] == pytest.approx(label["information"]["null"])
                if label["order"]:
                    assert row["abs_rho"] == pytest.approx(np.mean(np.abs(label["rho"])))
                    assert row["abs_rho_sd"] == pytest.approx(np.std(np.abs(label["rho"]), ddof=1))

    def test_one_model_has_neither_spread_nor_stability(self, data, seeds, capsys):
        assert main(arguments(data, seeds[:1])) == 0
        output = capsys.readouterr().out
        assert "±" not in output
        assert "stability" not in output
        assert "the 24 of 160 that the model was not trained on" in output

    def test_aligned_axes_are_those_of_the_first_seed_turned_onto(self, data, seeds, capsys):
        plain = result_of(capsys, arguments(data, seeds))
        aligned = result_of(capsys, arguments(data, seeds, "--align"))
        assert plain["stability"] == aligned["stability"]
        assert (plain["aligned"], aligned["aligned"]) == (False, True)
        model = BetaVAE.load(seeds[1])
        latent, dataset = latent_of(model, data)
        rows, rotation = model.validation_rows_, np.array(aligned["stability"]["rotations"][1])
        labels = {"W": dataset["W"].to_numpy()[rows]}
        expected = rank_correlations(latent[rows] @ rotation, labels)
        assert aligned["axes"][1]["labels"][0]["rho"][1] == pytest.approx(expected["LA2"]["W"])

    def test_the_same_seed_gives_the_same_result(self, data, seeds, capsys):
        one, other = (result_of(capsys, arguments(data, seeds, "--seed", "3")) for _ in range(2))
        assert one == other

    @pytest.mark.slow
    def test_models_of_other_settings_are_named(self, data, seeds, tmp_path, capsys):
        assert main(train(data, tmp_path / "beta", "--beta", "3")) == 0
        capsys.readouterr()
        assert main(arguments(data, [seeds[0], tmp_path / "beta"])) == 0
        assert "differ in more than their seed: beta 2.0, 3.0" in capsys.readouterr().out
        assert main(arguments(data, seeds)) == 0
        assert "differ in more" not in capsys.readouterr().out


class TestTraining:
    """train-vae names the axes of its validation part."""

    def test_the_summary_has_a_row_per_axis(self, data, seeds, capsys):
        result = json.loads((seeds[0] / "run.json").read_text("utf-8"))
        assert set(result["axis_names"]) == {"LA1", "LA2"}
        assert set(result["rank_correlation"]["LA1"]) == {"W", "L", "alpha_x", "alpha_z"}
        capsys.readouterr()
        assert main(train(data, seeds[0])) == 0
        rows = capsys.readouterr().out.splitlines()
        place = next(k for k, row in enumerate(rows) if row.startswith("rank corr."))
        for axis, row in zip(("LA1", "LA2"), rows[place + 1 :], strict=False):
            assert row == f"{axis:<11} " + result["axis_names"][axis].removeprefix(f"{axis} ")
            assert "±" not in row

    @pytest.mark.slow
    def test_a_few_curves_give_no_name_and_the_rest_of_their_set_does(self, data, tmp_path, capsys):
        out = tmp_path / "run"
        assert main(train(data, out, "--n-curves", "60")) == 0
        assert "is not named: it takes 20 curves, and there are 9" in capsys.readouterr().out
        # The set begins with the 60: their validation part is unseen, and what follows.
        result = result_of(capsys, arguments(data, [out]))
        assert result["curves"] == "the 109 of 160 that the model was not trained on"
        rows = unseen_rows(BetaVAE.load(out), features(open_echoes(data)))
        validation = BetaVAE.load(out).validation_rows_
        np.testing.assert_array_equal(rows, [*sorted(validation), *range(60, 160)])


class TestRefusals:
    """Bad input ends with exit code 2 and one line."""

    @pytest.mark.slow
    def test_models_of_different_windows(self, data, seeds, tmp_path, capsys):
        other = tmp_path / "echo300"
        assert main(train(data, other, "--window", "echo300")) == 0
        complaint = refused(capsys, arguments(data, [seeds[0], other]))
        assert "--models must share one window" in complaint
        assert "has 'echo300' and" in complaint
        assert complaint.endswith("Run the command for each alone.")

    @pytest.mark.slow
    def test_models_of_different_width(self, data, seeds, tmp_path, capsys):
        other = tmp_path / "three"
        assert main(train(data, other, "--n-components", "3")) == 0
        complaint = refused(capsys, arguments(data, [seeds[0], other]))
        assert "--models must share one n_components" in complaint

    def test_a_model_given_twice(self, data, seeds, capsys):
        complaint = refused(capsys, arguments(data, [seeds[0], seeds[0] / "." / "../seed0"]))
        assert "--models must be different models" in complaint

    def test_aligning_one_model(self, data, seeds, capsys):
        complaint = refused(capsys, arguments(data, seeds[:1], "--align"))
        assert "--align must have two models" in complaint

    def test_a_missing_model(self, data, tmp_path, capsys):
        assert "none does not exist" in refused(capsys, arguments(data, [tmp_path / "none"]))

    def test_too_few_shuffles(self, data, seeds, capsys):
        words = arguments(data, seeds, "--n-permutations", "5")
        assert "--n-permutations must be a whole number of at least 19" in refused(capsys, words)

    def test_an_existing_file_without_force(self, data, seeds, tmp_path, capsys):
        out = tmp_path / "axes.csv"
        out.write_text("mine")
        assert "use --force" in refused(capsys, arguments(data, seeds, "--out", out))
        assert out.read_text() == "mine"
        assert main(arguments(data, seeds, "--out", out, "--force")) == 0
        assert out.read_text() != "mine"
