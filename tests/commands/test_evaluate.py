"""latent-nmr evaluate: options, files, reruns; scores are tested with the study."""

import csv
import json
import subprocess
import sys
import time

import pytest
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.studies.evaluation import EvaluationResult, evaluate_echoes
from latent_nmr.studies.trained_model import describe_data

QUICK = ("--methods", "pca", "kmeans", "--ceiling", "none", "--n-neighbors", "5", "--n-seeds", "2")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of fits this small do little but wait for each other where cores are busy."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Two data sets, and one evaluation of the first that is scored on both."""
    folder = tmp_path_factory.mktemp("evaluate")
    dataset = ln.load_reference(n_curves=120)
    ln.save_echoes(dataset.isel(curve=slice(60)), folder / "echoes.nc")
    other = dataset.isel(curve=slice(60, 120)).assign_attrs(line_draw="frozen")
    ln.save_echoes(other, folder / "other.nc")
    words = ["evaluate", folder / "echoes.nc", *QUICK, "--n-components", "1", "2", "--verdict"]
    words += ["--also", folder / "other.nc", "--out", folder / "report"]
    assert main([str(word) for word in words]) == 0
    return folder


@pytest.fixture(scope="module")
def values(place):
    return json.loads((place / "report" / "evaluation.json").read_text("utf-8"))


def run(capsys, *words):
    """Exit code, lines of the report, lines of complaint."""
    capsys.readouterr()
    code = main(["evaluate", *map(str, words)])
    output = capsys.readouterr()
    complaints = [row for row in output.err.splitlines() if row.startswith("latent-nmr")]
    return code, output.out.splitlines(), complaints


class TestFiles:
    """What is written is what the study found."""

    def test_the_json_file_holds_the_numbers_of_the_study(self, place, values):
        found = evaluate_echoes(
            ln.open_echoes(place / "echoes.nc"), ("kmeans", "pca"), n_components=(1, 2), n_seeds=2,
            also={"other": ln.open_echoes(place / "other.nc")}, ceiling=False, n_neighbors=5,
        )  # fmt: skip
        assert values["expected_floor"] == found.facts["expected_floor"]
        assert values["line_draw"] == found.facts["line_draw"] == {
            "held-out": "stratified", "other": "frozen",
        }  # fmt: skip
        for part in ("held-out", "other"):
            for row in values["tables"][part]:
                key = row["method"], row["n_components"]
                for name, numbers in row["scores"].items():
                    mean = found.table_of(part).loc[key, (name, "mean")]
                    assert sum(numbers) / len(numbers) == pytest.approx(mean, abs=1e-6)

    def test_the_csv_file_holds_the_same_numbers(self, place, values):
        with (place / "report" / "scores.csv").open(encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        keys = ("part", "method", "n_components", "score")
        found = {tuple(line[key] for key in keys): float(line["seed_0"]) for line in lines}
        for part, rows in values["tables"].items():
            for row in rows:
                for name, numbers in row["scores"].items():
                    key = part, row["method"], str(row["n_components"]), name
                    assert found[key] == numbers[0]

    def test_page_figures_and_result_are_there(self, place):
        page = (place / "report" / "report.html").read_text("utf-8")
        assert page.count("data:image/png;base64,") == 2
        stems = {path.stem for path in (place / "report" / "figures").iterdir()}
        assert stems == {"maps", "dimensions"}
        result = EvaluationResult.load(place / "report")
        assert result.embedding("pca", 2, part="other").shape == (60, 2)

    def test_the_verdict_is_given_only_where_it_is_asked_for(self, place, values, tmp_path, capsys):
        assert "The claim that a VAE finds" in values["sentences"]["held-out"][0]
        assert "The claim" in (place / "report" / "report.html").read_text("utf-8")
        code, lines, _ = run(capsys, place / "echoes.nc", *QUICK, "--out", tmp_path / "out")
        assert code == 0
        assert not [line for line in lines if "claim" in line]
        assert "The claim" not in (tmp_path / "out" / "report.html").read_text("utf-8")


class TestAgain:
    """Reruns, and what is in the way."""

    def test_a_finished_evaluation_is_reported_and_other_settings_are_refused(
        self, place, tmp_path, capsys
    ):
        words = (place / "other.nc", *QUICK, "--held-out", "0.5", "--out", tmp_path / "out")
        code, first, _ = run(capsys, *words)
        assert code == 0
        named = {*first[-1].split(": ")[1].split(", "), "run.json"}
        assert named == {path.name for path in (tmp_path / "out").iterdir()}
        assert "models" not in named  # none of these methods is a model
        before = (tmp_path / "out" / "evaluation.json").stat().st_mtime_ns
        code, again, _ = run(capsys, *words)
        assert (code, again[1:]) == (0, first)
        assert "already finished" in again[0]
        assert (tmp_path / "out" / "evaluation.json").stat().st_mtime_ns == before
        code, _, (complaint,) = run(capsys, *words, "--split-seed", "1")
        assert code == 2
        assert "split_seed = 0 and 1 is asked for" in complaint

    def test_after_a_kill_it_continues_with_what_is_done(self, place, tmp_path):
        words = [str(word) for word in (place / "echoes.nc", *QUICK, "--out", tmp_path / "out")]
        run = subprocess.Popen(
            [sys.executable, "-m", "latent_nmr.commands.main", "evaluate", *words]
        )
        steps = tmp_path / ".out.progress" / "steps"
        while run.poll() is None and len(list(steps.glob("*.npz"))) < 2:
            time.sleep(0.005)
        run.kill()
        run.wait()
        assert not (tmp_path / "out").exists()
        before = {path.name: path.stat().st_mtime_ns for path in steps.glob("*.npz")}
        assert len(before) >= 2
        assert main(["evaluate", *words]) == 0
        after = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out" / "steps").glob("*.npz")}
        assert before.items() <= after.items()
        assert not list(tmp_path.glob(".*progress"))

    def test_force_replaces_it_and_keeps_fits_of_the_same_data(self, place, tmp_path, capsys):
        words = (place / "echoes.nc", "--methods", "pca", *QUICK[3:], "--out", tmp_path / "out")
        assert run(capsys, *words)[0] == 0
        fits = {path.name for path in (tmp_path / "out" / "steps").glob("*.npz")}
        assert len(fits) == 1
        assert run(capsys, *words, "--verdict", "--force")[0] == 0
        assert {path.name for path in (tmp_path / "out" / "steps").glob("*.npz")} == fits
        values = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
        assert values["settings"]["verdict"] is True

    def test_a_folder_with_other_things_is_left_alone(self, place, tmp_path, capsys):
        (tmp_path / "notes.txt").write_text("mine")
        code, _, (complaint,) = run(
            capsys, place / "echoes.nc", *QUICK, "--out", tmp_path, "--force"
        )
        assert code == 2
        assert "holds something else" in complaint
        assert (tmp_path / "notes.txt").read_text() == "mine"


class TestOptions:
    """What cannot be asked for."""

    def test_a_model_that_has_changed_since_is_noticed(self, place, tmp_path, capsys):
        dataset = ln.open_echoes(place / "other.nc")
        X = ln.features(dataset, window="echo")
        words = [place / "echoes.nc", "--methods", "vae", "--models", tmp_path / "model"]
        words += ["--ceiling", "none", "--n-neighbors", "5", "--out", tmp_path / "out"]
        for seed, code in ((0, 0), (1, 2)):
            model = ln.BetaVAE(2, max_epochs=1, random_state=seed).fit(X)
            model.save(tmp_path / "model", describe_data(dataset, X, FeatureSettings()))
            assert run(capsys, *words)[0] == code
        assert "has changed since" in run(capsys, *words)[2][0]

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            (["--methods", "tsne"], "tsne"),
            (["--n-components", "0"], "n_components must be"),
            (["--n-seeds", "0"], "n_seeds must be"),
            (["--held-out", "1.5"], "held_out must be"),
            (["--window", "ecko"], "ecko"),
            (["--split-seed", "-1"], "split_seed must be"),
            (["--models", "a", "a"], "different"),
        ],
    )
    def test_each_is_refused_in_one_line(self, place, more, reason, tmp_path, capsys):
        code, _, complaints = run(capsys, place / "echoes.nc", *more, "--out", tmp_path / "out")
        assert code == 2
        assert len(complaints) == 1
        assert reason in complaints[0]

    def test_a_model_of_another_window_is_refused(self, place, tmp_path, capsys):
        words = (place / "echoes.nc", "--methods", "vae", "--models", "echo", "--ceiling", "none")
        words = (*words, "--n-neighbors", "5", "--out", tmp_path / "out")
        code, _, complaints = run(capsys, *words, "--window", "full")
        assert code == 2
        assert "models must be of the window full" in complaints[0]
