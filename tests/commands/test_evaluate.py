"""latent-nmr evaluate, run whole."""

import csv
import json
import subprocess
import sys
import time

import numpy as np
import pytest

from latent_nmr.analysis.split import hold_out
from latent_nmr.commands.main import main
from latent_nmr.data.compact import save_compact
from latent_nmr.data.echoes import assemble
from latent_nmr.data.io import open_echoes
from latent_nmr.data.windows import features
from latent_nmr.models.baselines import PCABaseline
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies.evaluation import EvaluationResult

N_CURVES = 240


def simulate(path, n_curves, seed):
    size = ["--n-curves", str(n_curves), "--n-edge", "12", "--step", "4", "--seed", str(seed)]
    return ["simulate", *size, "--out", str(path)]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """Two data sets, and one evaluation of the first that is scored on both."""
    folder = tmp_path_factory.mktemp("evaluate")
    assert main(simulate(folder / "echoes.zarr", N_CURVES, 0)) == 0
    assert main(simulate(folder / "other.zarr", 160, 1)) == 0
    words = ["evaluate", folder / "echoes.zarr", "--methods", "vae", "pca", "kmeans"]
    words += ["--n-seeds", "2", "--n-components", "1", "2", "--also", folder / "other.zarr"]
    assert main([str(word) for word in [*words, "--out", folder / "report"]]) == 0
    return folder


@pytest.fixture(scope="module")
def result(workplace):
    return json.loads((workplace / "report" / "evaluation.json").read_text("utf-8"))


def refused(capsys, words):
    """Run a command that must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    (complaint,) = (
        row for row in capsys.readouterr().err.splitlines() if row.startswith("latent-nmr")
    )
    return complaint


def quick(data, out, *more):
    """An evaluation of seconds."""
    return ["evaluate", data, "--methods", "pca", "--no-ceiling", "--out", out, *more]


def row_of(result, method, n_components, part="held-out"):
    rows = [
        row
        for row in result["tables"][part]
        if (row["method"], row["n_components"]) == (method, n_components)
    ]
    assert len(rows) == 1
    return rows[0]


def store_of(tmp_path, name, n_curves=90, drop=(), **changes):
    """A small data set with labels of the test's choice."""
    random = np.random.default_rng(0)
    time = np.arange(500) * 0.159
    height = random.uniform(0.2, 0.5, (n_curves, 1))
    signal = height * np.exp(-((time - 50) ** 2) / random.uniform(50, 400, (n_curves, 1)))
    signal[:, 0] = 0.5
    labels = {
        "W": random.uniform(0.1, 0.3, n_curves),
        "L": random.uniform(3, 28, n_curves),
        "kernel": np.resize(np.array(["gaussian", "power", "rkky"]), n_curves),
    } | changes
    kept = {label: values for label, values in labels.items() if label not in drop}
    attributes = {"echo_index": 300, "pulse_samples": [0, 150], "dt_us": 0.159}
    attributes |= {"pulse_angles_rad": [np.pi / 2, np.pi]}
    dataset = assemble({"magnitude": signal}, time, kept, attributes)
    path = tmp_path / name
    save_compact(dataset, path)
    return path


class TestTable:
    """What is in the table is what a reader would compute."""

    def test_every_method_dimension_floor_and_ceiling_has_a_row_for_each_part(self, result):
        expected = {(m, n) for m in ("vae", "pca", "kmeans", "shuffled") for n in (1, 2)}
        for part in ("held-out", "other"):
            rows = result["tables"][part]
            assert {(r["method"], r["n_components"]) for r in rows} == {*expected, ("forest", None)}
            assert [r["role"] for r in rows if r["method"] == "forest"] == ["ceiling"]

    def test_pca_has_one_seed_and_the_others_all(self, result):
        assert row_of(result, "pca", 2)["seeds"] == [0]
        assert row_of(result, "vae", 2)["seeds"] == row_of(result, "kmeans", 1)["seeds"] == [0, 1]

    def test_the_rms_is_that_of_held_out_curves_by_a_model_that_never_saw_them(
        self, workplace, result
    ):
        dataset = open_echoes(workplace / "echoes.zarr")
        X = features(dataset, "echo")
        split = hold_out(N_CURVES, dataset["kernel"].to_numpy())
        pca = PCABaseline(n_components=2).fit(X[split.fitted])
        rms = np.sqrt(np.mean((X[split.held_out] - pca.reconstruct(X[split.held_out])) ** 2))
        assert row_of(result, "pca", 2)["scores"]["rms"][0] == pytest.approx(rms, rel=1e-4)
        other = features(open_echoes(workplace / "other.zarr"), "echo")
        rms = np.sqrt(np.mean((other - pca.reconstruct(other)) ** 2))
        assert row_of(result, "pca", 2, "other")["scores"]["rms"][0] == pytest.approx(rms, rel=1e-4)

    def test_a_kept_model_knows_its_data_and_gives_the_embedding(self, workplace):
        folder = workplace / "report"
        model = BetaVAE.load(folder / "models" / "vae-2-seed1")
        held_out = features(open_echoes(workplace / "echoes.zarr"), "echo")[
            hold_out(N_CURVES, open_echoes(workplace / "echoes.zarr")["kernel"].to_numpy()).held_out
        ]
        expected = EvaluationResult.load(folder).embedding("vae", 2, seed=1)
        np.testing.assert_allclose(model.transform(held_out), expected, atol=1e-5)
        assert model.metadata_["window"] == "echo"
        assert model.metadata_["n_curves"] == 192

    def test_the_floor_is_shuffled_on_the_training_side_only(self, result):
        # Chance is -1/15 with a spread of a few hundredths; real labels are far above.
        for n_components in (1, 2):
            floor = row_of(result, "shuffled", n_components)["scores"]["r2_alpha_x"]
            assert abs(np.mean(floor) + 1 / 15) < 0.25
        assert result["expected_floor"]["held-out"]["r2_W"] == pytest.approx(-1 / 15)
        assert row_of(result, "pca", 2)["scores"]["r2_alpha_x"][0] > 0.5

    def test_the_csv_file_holds_the_same_numbers(self, workplace, result):
        with (workplace / "report" / "scores.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found = {
            (r["part"], r["method"], r["n_components"], r["score"]): float(r["mean"]) for r in rows
        }
        scores = row_of(result, "vae", 2, "other")["scores"]
        for name, values in scores.items():
            assert found["other", "vae", "2", name] == pytest.approx(np.mean(values))

    def test_the_page_and_the_figures_are_there(self, workplace):
        page = (workplace / "report" / "report.html").read_text("utf-8")
        assert page.count("data:image/png;base64,") == 3
        stems = {path.stem for path in (workplace / "report" / "figures").iterdir()}
        assert stems == {"maps", "traversals", "dimensions"}


class TestAgain:
    """Rerun, resume, replace."""

    def test_a_finished_evaluation_is_reported_and_not_done_again(self, workplace, capsys):
        words = quick(workplace / "other.zarr", workplace / "short", "--n-seeds", "1")
        assert main([str(word) for word in words]) == 0
        before = (workplace / "short" / "evaluation.json").stat().st_mtime_ns
        capsys.readouterr()
        assert main([str(word) for word in words]) == 0
        assert "already finished" in capsys.readouterr().out
        assert (workplace / "short" / "evaluation.json").stat().st_mtime_ns == before
        assert "n_seeds = 1 and 3" in refused(capsys, [*words[:-1], "3"])

    def test_after_a_kill_it_continues_with_what_is_done(self, workplace, tmp_path):
        words = ["evaluate", workplace / "other.zarr", "--methods", "pca", "kmeans"]
        words = [str(word) for word in [*words, "--no-ceiling", "--out", tmp_path / "out"]]
        run = subprocess.Popen([sys.executable, "-m", "latent_nmr.commands.main", *words])
        steps = tmp_path / ".out.progress" / "steps"
        while run.poll() is None and len(list(steps.glob("*.npz"))) < 2:
            time.sleep(0.01)
        run.kill()
        run.wait()
        assert not (tmp_path / "out").exists()
        before = {path.name: path.stat().st_mtime_ns for path in steps.glob("*.npz")}
        assert len(before) >= 2
        assert main(words) == 0
        after = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out" / "steps").glob("*.npz")}
        assert before.items() <= after.items()
        assert not list(tmp_path.glob(".*progress"))

    def test_force_replaces_it_and_keeps_fits_of_the_same_data(self, workplace):
        out = workplace / "replaced"
        words = [str(word) for word in quick(workplace / "echoes.zarr", out)]
        assert main(words) == 0
        before = {path.name for path in (out / "steps").glob("*.npz")}
        assert len(before) == 1
        assert main([*words, "--n-seeds", "2", "--force"]) == 0
        assert {path.name for path in (out / "steps").glob("*.npz")} == before
        settings = json.loads((out / "evaluation.json").read_text("utf-8"))["settings"]
        assert settings["n_seeds"] == 2


class TestModels:
    """Models that the user brings."""

    def test_models_trained_on_the_training_part_are_taken_as_they_are(self, workplace, tmp_path):
        model = workplace / "report" / "models" / "vae-2-seed1"
        words = quick(workplace / "echoes.zarr", tmp_path / "out", "--models", model)
        assert main([str(word) for word in [*words, "--methods", "vae"]]) == 0
        found = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
        full = json.loads((workplace / "report" / "evaluation.json").read_text("utf-8"))
        theirs = row_of(full, "vae", 2)["scores"]
        for name, (value,) in row_of(found, "vae", 2)["scores"].items():
            assert value == pytest.approx(theirs[name][1], abs=1e-6)

    @pytest.mark.slow
    def test_a_model_that_saw_held_out_curves_is_refused(self, workplace, tmp_path, capsys):
        train = ["train-vae", "--data", workplace / "echoes.zarr", "--max-epochs", "1"]
        assert main([str(word) for word in [*train, "--out", tmp_path / "model"]]) == 0
        words = quick(workplace / "echoes.zarr", tmp_path / "out", "--models", tmp_path / "model")
        complaint = refused(capsys, [*words, "--methods", "vae"])
        assert "trained on 48 of the 48 curves of the held-out part" in complaint

    def test_a_model_of_another_window_is_refused(self, workplace, tmp_path, capsys):
        model = workplace / "report" / "models" / "vae-2-seed1"
        words = quick(workplace / "echoes.zarr", tmp_path / "out", "--models", model)
        words += ["--methods", "vae", "--window", "full"]
        assert "window" in refused(capsys, words)

    def test_models_are_scored_beside_other_methods(self, workplace, tmp_path):
        model = workplace / "report" / "models" / "vae-2-seed1"
        words = quick(workplace / "echoes.zarr", tmp_path / "out", "--models", model)
        assert main([str(word) for word in words]) == 0
        found = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
        assert row_of(found, "vae", 2)["seeds"] == [0]
        assert row_of(found, "pca", 2)["seeds"] == [0]


class TestPoorData:
    """Data that lack what a score needs."""

    def test_without_labels_only_label_free_scores_are_given_and_it_says_so(self, tmp_path, capsys):
        data = store_of(tmp_path, "bare.npz", n_curves=200, drop=("W", "L", "kernel"))
        assert main([str(word) for word in quick(data, tmp_path / "out")]) == 0
        assert "have no labels: only label-free scores" in capsys.readouterr().out
        found = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
        assert set(row_of(found, "pca", 2)["scores"]) == {"rms", "trustworthiness", "continuity"}
        assert len(found["tables"]["held-out"]) == 1
        assert "no labels" in (tmp_path / "out" / "report.html").read_text("utf-8")

    def test_one_kernel_only_is_said_and_not_classified(self, tmp_path, capsys):
        same = np.full(200, "power")
        data = store_of(tmp_path, "one.npz", n_curves=200, kernel=same)
        assert main([str(word) for word in quick(data, tmp_path / "out")]) == 0
        assert "of one kernel only (power)" in capsys.readouterr().out
        found = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
        scores = row_of(found, "pca", 2)["scores"]
        assert not [name for name in scores if name.startswith(("f1", "silhouette", "adjusted"))]

    def test_a_label_that_is_not_finite_is_named(self, tmp_path, capsys):
        spoilt = np.full(90, 0.2)
        spoilt[7] = np.nan
        data = store_of(tmp_path, "spoilt.npz", W=spoilt)
        complaint = refused(capsys, quick(data, tmp_path / "out"))
        assert "W of row 7" in complaint
        assert "is nan. Drop such curves" in complaint

    @pytest.mark.parametrize(
        ("n_curves", "reason"),
        [
            (15, "more curves than the 15 neighbours of the scores, but has 12"),
            (90, "more than 30 curves for neighbourhoods of 15"),
        ],
    )
    def test_too_few_curves(self, n_curves, reason, tmp_path, capsys):
        data = store_of(tmp_path, "few.npz", n_curves=n_curves)
        assert reason in refused(capsys, quick(data, tmp_path / "out"))


class TestOptions:
    """What cannot be asked for."""

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            (["--methods", "tsne"], "invalid choice 'tsne'"),
            (["--methods", "pca", "pca"], "methods must"),
            (["--n-components", "0"], "n_components must be"),
            (["--n-seeds", "0"], "n_seeds must be"),
            (["--held-out", "1.5"], "held_out must be"),
            (["--window", "ecko"], "invalid choice 'ecko'"),
            (["--split-seed", "-1"], "split_seed must be"),
        ],
    )
    def test_each_is_refused_in_one_line_and_nothing_is_left(
        self, more, reason, workplace, tmp_path, capsys
    ):
        words = ["evaluate", workplace / "other.zarr", "--out", tmp_path / "out", *more]
        assert reason in refused(capsys, words)
        assert not list(tmp_path.glob("*out*"))

    def test_further_data_must_have_other_names_and_the_same_times(
        self, workplace, tmp_path, capsys
    ):
        words = quick(workplace / "echoes.zarr", tmp_path / "out")
        other = workplace / "other.zarr"
        assert "different names, but they are other other" in refused(
            capsys, [*words, "--also", other, other]
        )
        data = store_of(tmp_path, "short.npz")
        assert "sampled like the data" in refused(capsys, [*words, "--also", data])
