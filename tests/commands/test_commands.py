"""The commands, run whole, as a user runs them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latent_nmr.commands.main import COMMANDS, main
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.latent_figures import draw_latent_map
from tests.sealing import seal

ROOT = Path(__file__).parents[2]
EDGE, N_CURVES = 12, 60
QUICK = ["--max-epochs", "2"]
# Commands whose help is compared in the quick run; the others are in the slow one.
QUICK_NAMES = ("simulate", "train-vae", "evaluate")
FIGURES = {"latent_map", "traversal_LA1", "traversal_LA2", "loss_history", "reconstructions"}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Folder with a data set and a finished run on it, made by the commands."""
    folder = tmp_path_factory.mktemp("workplace")
    data, run = folder / "echoes.zarr", folder / "run"
    assert main(simulate(data)) == 0
    assert main(["train-vae", "--data", str(data), "--out", str(run), *QUICK]) == 0
    return folder


@pytest.fixture
def data(workplace):
    return workplace / "echoes.zarr"


@pytest.fixture
def finished(workplace):
    return workplace / "run"


def simulate(path, n_curves=N_CURVES, *more):
    size = ["--n-curves", str(n_curves), "--n-edge", str(EDGE), "--step", "4"]
    return ["simulate", *size, "--out", str(path), *more]


def train(data, out, *more):
    return ["train-vae", "--data", str(data), "--out", str(out), *QUICK, *more]


def contents(folder):
    """Every file below a folder with its bytes."""
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(capsys, arguments):
    """Run a command that must end with exit code 2; return its one line of complaint."""
    assert main(list(map(str, arguments))) == 2
    output = capsys.readouterr()
    complaints = [line for line in output.err.splitlines() if line.startswith("latent-nmr")]
    assert len(complaints) == 1
    assert "Traceback" not in output.err
    assert output.out == ""
    return complaints[0]


class TestRunFolder:
    """What train-vae leaves behind."""

    def test_it_holds_everything_promised(self, finished):
        names = {path.name for path in finished.iterdir()}
        promised = {"weights.safetensors", "model.json", "history.csv", "embedding.csv", "run.json"}
        assert names == promised | {"figures", "map.html"}
        figures = {path.name for path in (finished / "figures").iterdir()}
        assert figures == {f"{stem}.png" for stem in FIGURES}

    def test_the_page_of_the_run_is_named_last(self, finished, data, capsys):
        assert main(train(data, finished)) == 0
        (*_, last) = capsys.readouterr().out.splitlines()
        assert last.split()[:3] == ["explore", "open", str(finished / "map.html")]
        page = (finished / "map.html").read_text("utf-8")
        assert "<title>Latent space of the model run</title>" in page

    def test_the_embedding_has_the_promised_columns_and_the_models_own_numbers(
        self, finished, data
    ):
        table = pd.read_csv(finished / "embedding.csv")
        latent = ["LA1", "LA2", "LA1_sd", "LA2_sd", "rms"]
        labels = ["W", "L", "kernel", "alpha_x", "alpha_z"]
        assert list(table.columns) == ["curve", *latent, *labels, "split"]
        dataset, model = open_echoes(data), BetaVAE.load(finished)
        X = features(dataset, "echo")
        np.testing.assert_array_equal(table[["LA1", "LA2"]].astype("f4"), model.transform(X))
        np.testing.assert_array_equal(
            table[["LA1_sd", "LA2_sd"]].astype("f4"), model.transform_std(X)
        )
        for label in labels:
            np.testing.assert_array_equal(table[label], dataset[label].to_numpy())
        assert (table["split"].to_numpy()[model.validation_rows_] == "validation").all()
        assert (table["split"].to_numpy()[model.training_rows_] == "training").all()

    def test_the_history_has_one_line_per_epoch_with_the_parts(self, finished):
        history = pd.read_csv(finished / "history.csv")
        assert history["epoch"].tolist() == [1, 2]
        for part in ("kl", "validation_kl"):
            per_axis = history[[f"{part}_LA1", f"{part}_LA2"]].sum(axis=1)
            np.testing.assert_allclose(per_axis, history[part], rtol=1e-6)
        assert {kind.kind for kind in history.dtypes} <= set("if")

    def test_the_summary_agrees_with_the_files(self, finished):
        result = json.loads((finished / "run.json").read_text("utf-8"))
        history = pd.read_csv(finished / "history.csv").set_index("epoch")
        best = history.loc[result["best_epoch"]]
        assert best["validation_reconstruction"] == history["validation_reconstruction"].min()
        assert result["validation_reconstruction"] == best["validation_reconstruction"]
        table = pd.read_csv(finished / "embedding.csv").query("split == 'validation'")
        for axis in ("LA1", "LA2"):
            for label in ("W", "L"):
                rho = table[axis].rank().corr(table[label].rank())
                assert result["rank_correlation"][axis][label] == pytest.approx(rho, abs=1e-6)

    def test_the_summary_has_a_row_per_axis_with_what_it_orders(self, finished, data, capsys):
        result = json.loads((finished / "run.json").read_text("utf-8"))
        assert set(result["rank_correlation"]["LA1"]) == {"W", "L", "alpha_x", "alpha_z"}
        assert main(train(data, finished)) == 0
        rows = capsys.readouterr().out.splitlines()
        place = next(k for k, row in enumerate(rows) if row.startswith("rank corr."))
        for axis, row in zip(("LA1", "LA2"), rows[place + 1 :], strict=False):
            assert row == f"{axis:<11} " + result["axis_names"][axis].removeprefix(f"{axis} ")
            assert "is not named: it takes 20 curves, and there are 9" in row

    @pytest.mark.slow
    def test_the_recorded_command_makes_the_run_again(self, finished, tmp_path):
        words = json.loads((finished / "run.json").read_text("utf-8"))["command"].split()
        assert main([*words[1:], "--out", str(tmp_path / "again")]) == 0
        again, before = contents(tmp_path / "again"), contents(finished)
        timed = {Path("run.json"), Path("history.csv"), Path("model.json")}
        same = {name for name, raw in before.items() if again[name] == raw}
        assert set(before) - same <= timed

    def test_an_equal_rerun_reports_and_changes_nothing(self, finished, data, capsys):
        before = contents(finished)
        assert main(train(data, finished)) == 0
        assert "already finished" in capsys.readouterr().out
        assert contents(finished) == before

    def test_json_prints_one_object_and_nothing_else(self, finished, data, capsys):
        assert main(train(data, finished, "--json")) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["n_curves"] == N_CURVES
        assert set(result["axes"]) == {"LA1", "LA2"}

    def test_other_settings_need_force(self, finished, data, tmp_path, capsys):
        copy = Path(shutil.copytree(finished, tmp_path / "run"))
        before = contents(copy)
        complaint = refused(capsys, train(data, copy, "--beta", "3"))
        assert "beta = 2.0 and 3.0 is asked for" in complaint
        assert contents(copy) == before
        assert main(train(data, copy, "--beta", "3", "--force")) == 0
        assert BetaVAE.load(copy).beta == 3

    def test_force_does_not_replace_a_folder_that_is_no_run(self, data, tmp_path, capsys):
        (tmp_path / "thesis.tex").write_text("hello")
        complaint = refused(capsys, train(data, tmp_path, "--force"))
        assert "holds something else" in complaint
        assert (tmp_path / "thesis.tex").read_text() == "hello"

    @pytest.mark.slow
    def test_an_axis_that_is_not_live_is_told_in_words(self, data, tmp_path, capsys):
        # A likelihood this wide leaves nothing to gain from any axis.
        arguments = ["--scale", "100", "--max-epochs", "20", "--patience", "20"]
        assert main(train(data, tmp_path / "run", *arguments)) == 0
        output = capsys.readouterr().out
        assert "LA2 is collapsed" in output
        assert "Lower scale or beta" in output

    @pytest.mark.slow
    @pytest.mark.parametrize("n_components", [1, 3])
    def test_any_number_of_axes_is_drawn(self, data, tmp_path, n_components):
        out = tmp_path / "run"
        assert main(train(data, out, "--n-components", str(n_components))) == 0
        figures = {path.stem for path in (out / "figures").iterdir()}
        assert {f"traversal_LA{axis}" for axis in range(1, n_components + 1)} <= figures
        assert ("latent_map" in figures) == (n_components > 1)
        assert (out / "map.html").is_file() == (n_components > 1)

    @pytest.mark.slow
    def test_the_full_window_and_the_bernoulli_likelihood_run(self, data, tmp_path):
        out = tmp_path / "run"
        arguments = ["--window", "full", "--likelihood", "bernoulli", "--max-epochs", "1"]
        assert main(train(data, out, *arguments)) == 0
        assert BetaVAE.load(out).architecture_.hidden_layer_sizes == (512, 128, 16)


class TestDefaultData:
    """Without --data: the reference set of the repository, or fresh curves, kept."""

    @pytest.mark.slow
    def test_the_reference_set_is_the_default(self, tmp_path, monkeypatch):
        monkeypatch.chdir(ROOT)
        out = tmp_path / "run"
        arguments = ["--n-curves", "40", "--out", str(out)]
        assert main(["train-vae", *arguments, *QUICK]) == 0
        result = json.loads((out / "run.json").read_text("utf-8"))
        assert result["data"] == "reference"
        embedding = (out / "embedding.csv").read_text("utf-8").splitlines()
        assert len(embedding) == 41

    def test_data_and_simulate_exclude_each_other(self, data, tmp_path, capsys):
        arguments = [*train(data, tmp_path / "run"), "--simulate", "5"]
        assert "--data and --simulate must not both" in refused(capsys, arguments)

    def test_more_curves_than_are_simulated_are_refused_before_any_is(
        self, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.chdir(tmp_path)
        arguments = ["train-vae", "--simulate", "4", "--n-curves", "9", *QUICK]
        assert "--n-curves must be at most --simulate" in refused(capsys, arguments)
        assert not (tmp_path / "artifacts").exists()

    @pytest.mark.slow
    def test_fresh_curves_are_made_once_and_reused(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        assert main(["train-vae", "--simulate", "6", *QUICK]) == 0
        store = tmp_path / "artifacts" / "data" / "paper-independent-seed0.zarr"
        assert open_echoes(store).attrs["n_edge"] == 100
        made = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
        assert main(["train-vae", "--simulate", "5", "--seed", "1", *QUICK]) == 0
        assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == made
        runs = {path.name for path in (tmp_path / "artifacts" / "runs").glob("vae*")}
        assert runs == {"vae-echo-seed0", "vae-echo-seed1"}


class TestSimulate:
    """latent-nmr simulate."""

    def test_a_rerun_makes_nothing_and_more_curves_extend(self, tmp_path, capsys):
        path = tmp_path / "echoes.zarr"
        for n_curves, n_made in ((3, 3), (3, 0), (5, 2)):
            assert main(simulate(path, n_curves, "--json")) == 0
            result = json.loads(capsys.readouterr().out)
            assert (result["n_curves"], result["n_simulated"]) == (n_curves, n_made)

    @pytest.mark.parametrize("name", ["a.nc", "a.csv", "a.NPZ"])
    @pytest.mark.parametrize("more", [(), ("--dry-run",)])
    def test_a_store_has_the_name_of_no_other_format(self, tmp_path, capsys, name, more):
        complaint = refused(capsys, simulate(tmp_path / name, 4, *more))
        assert f"{name} has the name of another format" in complaint
        assert "a.zarr" in complaint
        assert list(tmp_path.iterdir()) == []

    def test_an_early_store_of_such_a_name_is_continued(self, data, tmp_path, capsys):
        n_curves = open_echoes(data).sizes["curve"]
        shutil.copytree(data, tmp_path / "a.nc")
        assert main(simulate(tmp_path / "a.nc", n_curves)) == 0
        assert f"{n_curves} curves finished, 0 of them now" in capsys.readouterr().out

    def test_a_dry_run_says_the_cost_and_makes_nothing(self, tmp_path, capsys):
        path = tmp_path / "deep" / "echoes.zarr"
        assert main(simulate(path, 30, "--dry-run")) == 0
        said = capsys.readouterr().out
        assert "30 of 30 curves to simulate: about " in said
        # Steps of 4 on segments of 628 and 1253 samples: 157 + 313 steps, one more for the sample
        # that is left over, and two more at the start of each segment.
        assert "475 field evaluations per curve" in said
        assert not path.parent.exists()
        assert main(simulate(path, 3)) == 0
        capsys.readouterr()
        assert main(simulate(path, 30, "--dry-run", "--json")) == 0
        result = json.loads(capsys.readouterr().out)
        assert (result["n_curves"], result["n_to_simulate"]) == (30, 27)
        assert result["seconds"] > 0
        assert open_echoes(path).sizes["curve"] == 3

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--preset", "papre"], "invalid choice 'papre' for argument '--preset'"),
            (["--n-curves", "0"], "--n-curves must be a whole number of at least 1, but is 0"),
            (
                ["--seed", "-1"],
                "seed must be a whole number of at least 0 and at most 4294967295, but is -1",
            ),
            (["--line-draw", "iid"], "invalid choice 'iid' for argument '--line-draw'"),
            (["--step", "1.5"], "step must be a whole number of sample intervals"),
            (["--dtype", "float16"], "invalid choice 'float16' for argument '--dtype'"),
            (["--n-curves", "many"], "--n-curves: invalid literal for int() with base 10: 'many'."),
            (["--n-curve", "3"], "--n-curve, 3. Did you mean --n-curves?"),
        ],
    )
    def test_bad_options_are_refused_in_one_line(self, tmp_path, capsys, arguments, words):
        path = tmp_path / "echoes.zarr"
        assert words in refused(capsys, [*simulate(path), *arguments])
        assert not path.exists()


class TestTrainVaeRefusals:
    """Bad input: one clear line, exit code 2, nothing written."""

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--window", "ehco"], "--window"),
            (["--beta", "-1"], "beta must be >= 0, but is -1.0"),
            (["--scale", "0"], "scale must be > 0, but is 0.0"),
            (["--likelihood", "poisson"], "--likelihood"),
            (["--normalisation", "max"], "--normalisation"),
            (["--n-components", "0"], "n_components must be a whole number of at least 1"),
            (["--validation-fraction", "1"], "validation_fraction must be > 0 and < 1"),
            (
                ["--seed", "-3"],
                "--seed must be a whole number of at least 0 and at most 4294967295",
            ),
            (["--n-curves", "1000"], "n_curves must be at most the number of finished curves"),
            (["--patience", "x"], "--patience"),
        ],
    )
    def test_bad_options_are_refused_in_one_line(self, data, tmp_path, capsys, arguments, words):
        assert words in refused(capsys, [*train(data, tmp_path / "run"), *arguments])
        assert list(tmp_path.glob("[!.]*")) == []

    def test_a_missing_store_names_the_command_that_makes_it(self, tmp_path, capsys):
        complaint = refused(capsys, train(tmp_path / "none.zarr", tmp_path / "run"))
        assert "nothing at" in complaint
        assert "latent-nmr simulate" in complaint

    def test_a_window_that_the_data_do_not_cover_is_refused(self, data, tmp_path, capsys):
        import zarr

        short = Path(shutil.copytree(data, tmp_path / "short.zarr"))
        group = zarr.open_group(short)
        for name in ("mx", "my"):
            group[name].resize((N_CURVES, 1400))
        group["time"].resize((1400,))
        group.attrs["n_samples"] = 1400
        seal(short)
        complaint = refused(capsys, train(short, tmp_path / "run"))
        assert "needs samples 1056..1455 and the data have 0..1399" in complaint

    def test_a_nan_in_a_curve_is_refused(self, data, tmp_path, capsys):
        import zarr

        broken = Path(shutil.copytree(data, tmp_path / "broken.zarr"))
        zarr.open_group(broken)["mx"][7, 1300] = np.nan
        complaint = refused(capsys, train(broken, tmp_path / "run"))
        assert "mx of curve 7 is nan at sample 1300" in complaint


class TestModelCommands:
    """embed, plot-latent and traverse on a finished run."""

    def test_embed_writes_what_the_run_wrote(self, finished, data, tmp_path):
        out = tmp_path / "emb.csv"
        assert main(["embed", str(finished), str(data), "--out", str(out)]) == 0
        assert out.read_bytes() == (finished / "embedding.csv").read_bytes()

    def test_other_data_are_embedded_as_new(self, finished, tmp_path):
        other, out = tmp_path / "other.zarr", tmp_path / "emb.csv"
        assert main(simulate(other, 4, "--seed", "9")) == 0
        assert main(["embed", str(finished), str(other), "--out", str(out)]) == 0
        assert set(pd.read_csv(out)["split"]) == {"new"}

    def test_plot_latent_and_traverse_write_png_and_pdf(self, finished, data, tmp_path, capsys):
        mapped, walked = tmp_path / "map", tmp_path / "walk.pdf"
        color = ["--color", "W", "alpha_x"]
        arguments = ["plot-latent", str(finished), str(data), *color, "--out", str(mapped)]
        assert main(arguments) == 0
        assert main(["traverse", str(finished), "--axis", "2", "--out", str(walked)]) == 0
        capsys.readouterr()
        assert main(arguments) == 0
        assert "map.png is already finished" in capsys.readouterr().out
        assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
        assert walked.read_bytes().startswith(b"%PDF")
        assert not mapped.with_suffix(".pdf").exists()

    def test_nothing_is_overwritten_without_force(self, finished, data, tmp_path, capsys):
        (tmp_path / "emb.csv").write_text("mine")
        (tmp_path / "map.png").write_text("mine")
        for command, out in (("embed", "emb.csv"), ("plot-latent", "map")):
            complaint = refused(capsys, [command, finished, data, "--out", tmp_path / out])
            assert "exists. Choose another, or use --force" in complaint
        assert (tmp_path / "emb.csv").read_text() == (tmp_path / "map.png").read_text() == "mine"
        assert (
            main(["embed", str(finished), str(data), "--out", str(tmp_path / "emb.csv"), "--force"])
            == 0
        )

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--axis", "3"], "axis must be one of 1..2"),
            (["--span", "0"], "span must be > 0"),
            (["--n-steps", "1"], "n_steps must be a whole number of at least 2"),
        ],
    )
    def test_bad_walks_are_refused(self, finished, tmp_path, capsys, arguments, words):
        out = ["--out", tmp_path / "walk"]
        assert words in refused(capsys, ["traverse", finished, *out, *arguments])

    def test_an_unknown_label_is_refused(self, finished, data, tmp_path, capsys):
        arguments = ["plot-latent", finished, data, "--color", "w", "--out", tmp_path / "map"]
        assert "color must be one of W, L, kernel, alpha_x, alpha_z, but is 'w'" in refused(
            capsys, arguments
        )
        with pytest.raises(InputError, match="color must be one of W, L, kernel"):
            draw_latent_map(pd.read_csv(finished / "embedding.csv"), ["w"], 2)

    def test_a_corrupted_model_is_refused(self, finished, data, tmp_path, capsys):
        copy = Path(shutil.copytree(finished, tmp_path / "run"))
        raw = bytearray((copy / "weights.safetensors").read_bytes())
        raw[-1] ^= 1
        (copy / "weights.safetensors").write_bytes(raw)
        complaint = refused(capsys, ["embed", copy, data, "--out", tmp_path / "emb.csv"])
        assert "differs from its checksum" in complaint
        assert not (tmp_path / "emb.csv").exists()

    def test_a_missing_model_is_refused(self, data, tmp_path, capsys):
        arguments = ["embed", tmp_path / "none", data, "--out", tmp_path / "emb.csv"]
        assert "none does not exist" in refused(capsys, arguments)

    def test_data_sampled_otherwise_are_refused(self, finished, data, tmp_path, capsys):
        import zarr

        other = Path(shutil.copytree(data, tmp_path / "other.zarr"))
        group = zarr.open_group(other)
        group["time"][:] = 2 * group["time"][:]
        group.attrs["dt_us"] *= 2
        seal(other)
        complaint = refused(capsys, ["embed", finished, other, "--out", tmp_path / "emb.csv"])
        assert "data must be sampled like those the model was trained on" in complaint


class TestProgram:
    """The program itself: names, scripts, signals."""

    def test_an_unknown_command_gets_a_suggestion(self, capsys):
        assert "Did you mean 'train-vae'?" in refused(capsys, ["train-vea"])

    def test_help_lists_every_command(self, capsys):
        assert main(["--help"]) == 0
        text = capsys.readouterr().out
        assert all(name in text for name in COMMANDS)

    @pytest.mark.parametrize(
        "name",
        [
            name if name in QUICK_NAMES else pytest.param(name, marks=pytest.mark.slow)
            for name in COMMANDS
        ],
    )
    def test_every_command_is_also_a_script_with_the_same_flags(self, name):
        script = ROOT / "scripts" / f"{name.replace('-', '_')}.py"
        runs = [
            subprocess.run([sys.executable, *words, "--help"], capture_output=True, check=True)
            for words in ([str(script)], ["-m", "latent_nmr.commands.main", name])
        ]
        assert runs[0].stdout == runs[1].stdout
        assert b"--out" in runs[0].stdout

    def test_ctrl_c_ends_with_130_and_keeps_what_is_finished(self, tmp_path):
        path = tmp_path / "echoes.zarr"
        process = subprocess.Popen(
            [sys.executable, "-m", "latent_nmr.commands.main", *simulate(path, 100_000)],
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        deadline = time.monotonic() + 120
        while not (path / "done" / "c" / "1").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        complaint = process.communicate(timeout=60)[1]
        assert process.returncode == 130
        assert "interrupted; finished work is kept, the same command continues" in complaint
        assert "Traceback" not in complaint
        assert open_echoes(path).sizes["curve"] >= 16
