"""latent-nmr probe: options, files, reruns, a kill."""

import csv
import json
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.studies.probes.steps import Repetition
from latent_nmr.studies.stores import REFERENCE_SET

# So few trees leave some curves in every bag.
pytestmark = pytest.mark.filterwarnings("ignore:Some inputs do not have OOB")

QUICK = ["--features", "points", "--targets", "W", "--n-trees", "8", "--held-out", "0.3"]


@pytest.fixture(scope="module", autouse=True)
def few_threads():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def echoes(tmp_path_factory):
    """A file with 150 curves."""
    path = tmp_path_factory.mktemp("echoes") / "echoes.npz"
    dataset = ln.open_echoes(REFERENCE_SET)
    ln.save_echoes(dataset.isel(curve=slice(0, None, dataset.sizes["curve"] // 150)), path)
    return path


WORDS = ["--features", "points", "polynomial", "--targets", "kernel", "W", "--classifiers", "knn"]
WORDS += ["--n-seeds", "2", "--n-detail-seeds", "1", "--held-out", "0.3", "--n-trees", "8"]


@pytest.fixture(scope="module")
def finished(echoes, tmp_path_factory):
    """Folder and JSON values of one whole run."""
    out = tmp_path_factory.mktemp("finished") / "result"
    assert main(["probe", str(echoes), *WORDS, "--out", str(out)]) == 0
    return out, json.loads((out / "probe.json").read_text("utf-8"))


def refused(capsys, words):
    """Run the command, which must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main(["probe", *map(str, words)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = output.err.splitlines()
    return complaint


class TestFiles:
    """What a whole run writes."""

    def test_every_figure_of_the_study_is_written(self, finished):
        out, _ = finished
        stems = {path.stem for path in (out / "figures").glob("*.png")}
        assert stems == {
            "sections", "classes", "classifiers", "confusion", "elimination", "importances_kernel",
            "importances_W", "screening", "importances_by_true_W", "importances_by_predicted_W",
            "regression", "parity",
        }  # fmt: skip
        assert not list(out.parent.glob(".*progress"))

    def test_scores_csv_holds_every_score_and_its_values(self, finished):
        out, values = finished
        with (out / "scores.csv").open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        wanted = sum(len(e.get("scores", ())) for t in values["tables"].values() for e in t)
        assert len(rows) == wanted
        for row in rows:
            numbers = [float(value) for value in row["values"].split()]
            assert float(row["mean"]) == pytest.approx(np.mean(numbers), rel=1e-4, abs=1e-5)
        assert {"classification", "resampling", "leak", "regression"} <= {r["table"] for r in rows}

    def test_the_result_is_read_in_a_notebook(self, finished):
        out, values = finished
        assert ln.ProbeResult.load(out).tables == values["tables"]

    def test_the_command_that_made_it_makes_it_again(self, finished, echoes):
        _, values = finished
        assert values["command"].startswith(f"latent-nmr probe {echoes} ")
        assert " --features points poly" in values["command"]
        assert " --n-seeds 2" in values["command"]
        assert values["settings"]["classifiers"] == ["knn"]


class TestAgain:
    """A rerun, another question, a killed run."""

    def test_an_equal_run_is_reported_and_other_settings_are_refused(
        self, finished, echoes, capsys
    ):
        out, values = finished
        words = [echoes, *WORDS, "--out", out]
        assert main(["probe", *map(str, words)]) == 0
        said = capsys.readouterr().out
        assert "already finished" in said
        assert "power law or not: f1 binary" in said
        named = {*said.splitlines()[-1].split(": ")[1].split(", "), "run.json"}
        assert named == {path.name for path in out.iterdir()}
        complaint = refused(capsys, [*words, "--window", "echo300"])
        assert "window = 'echo' and 'echo300' is asked for" in complaint
        assert json.loads((out / "probe.json").read_text("utf-8")) == values

    def test_a_damaged_result_is_named(self, echoes, finished, tmp_path, capsys):
        out = tmp_path / "copy"
        shutil.copytree(finished[0], out)
        (out / "probe.json").write_text("{")
        words = [echoes, *WORDS, "--out", out]
        assert "probe.json is no longer what the run wrote" in refused(capsys, words)
        manifest = json.loads((out / "run.json").read_text("utf-8"))
        del manifest["digests"]  # as early runs have it
        (out / "run.json").write_text(json.dumps(manifest), "utf-8")
        assert "probe.json is damaged" in refused(capsys, words)

    @pytest.mark.slow
    def test_after_a_kill_it_continues_where_it_was(self, echoes, tmp_path, monkeypatch, capsys):
        out = tmp_path / "result"
        words = ["probe", str(echoes), *QUICK, "--n-seeds", "12", "--out", str(out)]
        command = [sys.executable, "-m", "latent_nmr.commands.main", *words]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        steps = tmp_path / ".result.progress" / "steps"
        deadline = time.monotonic() + 120
        while len(list(steps.glob("*.json"))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        known = [json.loads(path.read_text("utf-8"))["facts"] for path in steps.glob("*.json")]
        assert not out.exists()
        assert len(known) >= 3
        computed = []
        compute = Repetition.compute

        def watched(self, facts):
            computed.append(facts)
            return compute(self, facts)

        monkeypatch.setattr(Repetition, "compute", watched)
        assert main(words) == 0
        # All and others for every seed, and the negative control, each once.
        assert len(known) + len(computed) == 2 * 12 + 1
        assert not [facts for facts in computed if facts in known]
        assert {path.name for path in tmp_path.iterdir()} == {"result"}
        # More seeds, with what is there.
        computed.clear()
        words[words.index("12")] = "13"
        assert main([*words, "--force"]) == 0
        assert {facts["seed"] for facts in computed} == {12}
        capsys.readouterr()


class TestBadInput:
    """One line each, and exit code 2."""

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--features", "dots"], "features must be one of points, polynomial, pca, latent"),
            (["--targets", "w"], "targets must be one of kernel, W, L, alpha_x, alpha_z, but is"),
            (["--classifiers", "svm"], "invalid choice"),
            (["--window", "all"], "invalid choice"),
            (["--tasks", "ternary"], "invalid choice"),
            (["--regressors", "tree"], "invalid choice"),
            (["--n-seeds", "0"], "n_seeds must be a whole number of at least 1"),
            (["--held-out", "1"], "held_out must be > 0 and <= 0.9"),
        ],
    )
    def test_options(self, echoes, tmp_path, capsys, words, message):
        assert message in refused(capsys, [echoes, "--out", tmp_path / "out", *words])
        assert {path.name for path in tmp_path.iterdir()} <= {".out.lock"}

    def test_the_names_of_0_1_0_are_understood(self, echoes, tmp_path, capsys):
        words = [echoes, "--target", "w", "--algorithms", "knn", "--out", tmp_path / "out"]
        assert "targets must be one of kernel, W" in refused(capsys, words)
        words[2] = "W"
        assert "n_seeds" in refused(capsys, [*words, "--n-seeds", "0"])

    def test_a_folder_of_something_else_is_not_touched(self, echoes, tmp_path, capsys):
        (tmp_path / "notes.txt").write_text("mine")
        complaint = refused(capsys, [echoes, "--out", tmp_path, "--force"])
        assert "holds something else" in complaint
        assert (tmp_path / "notes.txt").read_text() == "mine"
