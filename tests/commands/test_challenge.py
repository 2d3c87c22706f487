"""latent-nmr challenge and check-submission, run whole."""

import json
from typing import Any

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.commands import _challenge_data, _challenge_folder
from latent_nmr.commands._challenge_data import EDITIONS, inputs_of
from latent_nmr.commands.main import main
from latent_nmr.data.io import open_echoes
from latent_nmr.data.store import fill_store
from latent_nmr.data.submission import check_submission
from latent_nmr.models import challenge_models
from latent_nmr.models.curve_regressor import CurveRegressor
from latent_nmr.physics.simulate import Simulation

# Short records of small lattices: what matters here is the way through the command.
# Of the scheme whose program is the shortest.
FAST: dict[str, Any] = {"scheme": "source"}
N_CURVES, N_EVALUATION = 60, 20


@pytest.fixture(scope="module", autouse=True)
def short_trainings():
    """Epochs enough to run everything; what networks can do is tested where they are."""
    patch = pytest.MonkeyPatch()
    short = challenge_models.DeepNetwork(("relu", "tanh"), 3)
    patch.setattr(challenge_models, "DEEP", {})
    patch.setattr(challenge_models, "DEFAULT_DEEP", short)
    patch.setattr(challenge_models, "BASELINE_EPOCHS", 3)
    patch.setattr(challenge_models, "BEST_EPOCHS", 3)
    patch.setattr(challenge_models, "N_NETWORKS", 2)
    patch.setattr(challenge_models, "WIDTH", 8)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Where `challenge` finds its curves: small ones, in place of simulating."""
    folder = tmp_path_factory.mktemp("data")
    for edition in EDITIONS.values():
        simulation = Simulation(edition.preset, n_edge=8, **FAST)
        for _ in fill_store(folder / f"{edition.preset}.zarr", simulation, 80):
            pass
    return folder


@pytest.fixture(scope="module")
def curves():
    """As the files of the challenge hold them."""
    return ln.simulate("challenge2021-gauss", 60, seed=3, **FAST)


@pytest.fixture
def at_hand(stores, monkeypatch):
    """Let the command take these stores."""
    monkeypatch.setattr(
        _challenge_data, "default_store", lambda simulation: stores / f"{simulation.preset}.zarr"
    )
    monkeypatch.setattr(_challenge_data, "fill_with_progress", lambda *_: 0)


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the figures out."""
    monkeypatch.setattr(_challenge_folder, "draw_figures", lambda folder, *_: folder.mkdir())


def run(capsys, *words):
    """Run the command, which must succeed; return its JSON."""
    capsys.readouterr()
    assert main(["challenge", *map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    """Run a command, which must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main([*map(str, words)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = output.err.splitlines()
    return complaint


SIZE = ("--n-curves", N_CURVES, "--n-evaluation", N_EVALUATION)


class TestEditions:
    """From curves to scores, submissions, models and figures."""

    @pytest.mark.usefixtures("at_hand")
    def test_the_gaussian_set_leaves_all_that_the_challenge_asks_for(self, tmp_path, capsys):
        out = tmp_path / "result"
        values = run(capsys, "2021-gauss", *SIZE, "--n-seeds", 2, "--out", out)
        assert [row["model"] for row in values["rows"]] == [
            "baseline", "deep", "winners", "best", "peeking",
        ]  # fmt: skip
        for row in values["rows"]:
            assert len(row["scores"]["mse_mean"]) == len(row["seconds"]) == 2
            assert ("evaluation" in row) == (row["model"] != "peeking")
        assert {path.name for path in (out / "figures").iterdir()} == {
            stem + suffix
            for stem in ("curves", "parity", "saliency_deep", "saliency_best")
            for suffix in (".png", ".pdf")
        }
        table = check_submission(out / "gauss_mat_info_eval.txt", "2021-gauss", N_EVALUATION)
        assert table.shape == (N_EVALUATION, 3)
        assert {path.name for path in (out / "models").iterdir()} == {"baseline", "deep", "best"}
        assert not list(tmp_path.glob(".*progress"))

    @pytest.mark.usefixtures("at_hand", "undrawn")
    def test_the_submission_is_what_the_saved_model_says_in_physical_units(
        self, stores, tmp_path, capsys
    ):
        out = tmp_path / "result"
        run(capsys, "2021-rkky", *SIZE, "--n-seeds", 1, "--out", out)
        model = CurveRegressor.load(out / "models" / "best")
        dataset = open_echoes(stores / "challenge2021-rkky.zarr").isel(curve=slice(60, 80))
        edition = EDITIONS["2021-rkky"]
        wanted = model.predict(inputs_of(edition, dataset, model.metadata_["inputs"]))
        lowest = np.array([0.0, 1e-3, 0.0])
        np.testing.assert_allclose(
            check_submission(out / "RKKY_mat_info_eval.txt", "2021-rkky"),
            np.maximum(wanted, lowest),
            rtol=1e-5,
        )
        assert model.metadata_["edition"] == "2021-rkky"

    @pytest.mark.usefixtures("at_hand", "undrawn")
    def test_2020_has_its_own_score_and_the_remark_on_xi(self, tmp_path, capsys):
        out = tmp_path / "result"
        words = ["challenge", "2020", *SIZE, "--n-seeds", 1, "--models", "winners", "--out", out]
        assert main([*map(str, words)]) == 0
        text = capsys.readouterr().out
        assert "score_2020" in text
        assert "no model can learn it" in text
        assert check_submission(out / "submitted_mat_info.txt", "2020").shape == (N_EVALUATION, 4)

    @pytest.mark.slow
    @pytest.mark.usefixtures("at_hand")
    def test_spin_asks_for_the_angle_and_scores_alpha_z_over_it(self, tmp_path, capsys):
        out = tmp_path / "result"
        size = ("--n-curves", 80, "--n-seeds", 2, "--models", "deep", "winners")
        values = run(capsys, "spin", *size, "--out", out)
        assert values["targets"] == ["alpha_x", "alpha_z", "theta"]
        assert values["by_angle"]["edges_deg"] == [30, 50, 70, 90, 110, 130, 150]
        assert set(values["by_angle"]["r2"]) == {"alpha_x", "alpha_z"}
        assert set(values["by_angle"]["r2"]["alpha_z"]) == {"deep", "winners"}
        assert "submission" not in values
        assert (out / "figures" / "angle.png").is_file()

    @pytest.mark.usefixtures("at_hand", "undrawn")
    def test_further_sets_are_scored_by_the_same_fits(self, stores, tmp_path, capsys):
        other = tmp_path / "other.zarr"
        simulation = Simulation("challenge2021-gauss", n_edge=8, seed=5, **FAST)
        assert list(fill_store(other, simulation, 20))
        words = ("2021-gauss", *SIZE, "--n-seeds", 1, "--models", "deep", "--also", other)
        values = run(capsys, *words, "--out", tmp_path / "result")
        model = CurveRegressor.load(tmp_path / "result" / "models" / "deep")
        edition = EDITIONS["2021-gauss"]
        dataset = open_echoes(other)
        truth = _challenge_data.targets_of(edition, dataset)
        own = open_echoes(stores / "challenge2021-gauss.zarr").isel(curve=slice(0, 60))
        split = _challenge_folder.split_rows(60, 0)
        scales = _challenge_data.targets_of(edition, own)[split[0]].std(axis=0)
        error = (model.predict(inputs_of(edition, dataset, "window")) - truth) / scales
        assert values["rows"][0]["others"]["other"]["mse_mean"][0] == pytest.approx(
            np.mean(error**2), rel=1e-4
        )

    @pytest.mark.usefixtures("undrawn")
    def test_real_files_are_read_and_answered(self, curves, tmp_path, capsys):
        ln.save_challenge(curves, tmp_path, "2021-gauss")
        ln.save_challenge(curves.isel(curve=slice(0, 7)), tmp_path, "2021-gauss", "eval")
        words = ("2021-gauss", "--data", tmp_path, "--n-seeds", 1, "--models", "winners")
        values = run(capsys, *words, "--out", tmp_path / "result")
        assert values["n_curves"] == 60
        assert values["n_evaluation"] == 7
        assert "evaluation" not in values["rows"][0]
        path = tmp_path / "result" / "gauss_mat_info_eval.txt"
        assert len(check_submission(path, "2021-gauss", 7)) == 7


class TestInputs:
    def test_networks_see_re_then_im_of_the_window(self, stores):
        dataset = open_echoes(stores / "challenge2021-gauss.zarr")
        edition = EDITIONS["2021-gauss"]
        found = inputs_of(edition, dataset, "window")
        assert found.shape == (80, 400)
        np.testing.assert_array_equal(found[:, :200], dataset["mx"].to_numpy()[:, 210:410])
        np.testing.assert_array_equal(found[:, 200:], dataset["my"].to_numpy()[:, 210:410])
        whole = inputs_of(edition, dataset, "record+length")
        assert whole.shape == (80, 3 * 471)
        length = np.hypot(dataset["mx"].to_numpy(), dataset["my"].to_numpy())
        np.testing.assert_array_equal(whole[:, -471:], length)

    def test_no_row_is_fitted_and_tested(self):
        fitted, tested = _challenge_folder.split_rows(200, 1)
        assert len(tested) == 20
        assert sorted([*fitted, *tested]) == list(range(200))


class TestAgain:
    @pytest.mark.usefixtures("at_hand", "undrawn")
    def test_an_interrupted_run_goes_on_and_a_finished_one_is_reported(
        self, tmp_path, monkeypatch, capsys
    ):
        out = tmp_path / "result"
        words = ["challenge", "2021-gauss", *SIZE, "--n-seeds", 1, "--models", "deep", "winners"]
        words = [*map(str, words), "--out", str(out)]
        fitted = []
        compute = _challenge_folder.Contest.compute

        def interrupted(self, name, seed):
            if name == "winners" and len(fitted) == 1:
                raise KeyboardInterrupt
            fitted.append(name)
            return compute(self, name, seed)

        monkeypatch.setattr(_challenge_folder.Contest, "compute", interrupted)
        assert main(words) == 130
        assert not out.exists()
        fitted.append("between")
        assert main(words) == 0
        assert fitted == ["deep", "between", "winners", "peeking"]
        capsys.readouterr()
        assert main(words) == 0
        assert "already finished" in capsys.readouterr().out
        assert "n_seeds = 1 and 2 is asked for" in refused(capsys, *words, "--n-seeds", 2)


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["2019"], "the edition must be one of 2020, 2021-gauss, 2021-rkky, spin"),
            (["2020", "--models", "worst"], "--models must be one of baseline, deep"),
            (["2020", "--models", "deep", "deep"], "each of one or more once"),
            (["2020", "--n-curves", "10"], "--n-curves must be a whole number of at least 50"),
            (["2020", "--line-draw", "cold"], "--line-draw must be one of independent"),
            (["2020", "--n-seeds", "0"], "--n-seeds must be"),
            (
                ["2020", "--data", "x", "--n-curves", "60"],
                "--n-curves must be left out with --data",
            ),
            (["spin", "--data", "x"], "--data must be left out for the edition spin"),
        ],
    )
    def test_options(self, tmp_path, capsys, words, message):
        complaint = refused(capsys, "challenge", *words, "--out", tmp_path / "result")
        assert message in complaint

    def test_files_that_are_missing_cut_or_constant(self, curves, tmp_path, capsys):
        words = ("challenge", "2021-gauss", "--data", tmp_path, "--models", "deep", "--out")
        words = (*words, tmp_path / "result")
        assert "gauss_echos_model_r.txt must be a file" in refused(capsys, *words)
        ln.save_challenge(curves, tmp_path, "2021-gauss")
        assert "gauss_echos_eval_r.txt must be a file" in refused(capsys, *words)
        ln.save_challenge(curves.isel(curve=slice(0, 7)), tmp_path, "2021-gauss", "eval")
        path = tmp_path / "gauss_mat_info_model.txt"
        rows = path.read_text().splitlines()
        path.write_text("\n".join(rows[:-1]) + "\n")
        assert "one row per curve each, but have 60 and 59" in refused(capsys, *words)
        path.write_text("\n".join(" ".join([*row.split()[:2], "6.5"]) for row in rows) + "\n")
        assert "every target must vary, but d is 6.5 for all 60 curves" in refused(capsys, *words)

    def test_a_further_set_of_another_edition(self, stores, tmp_path, capsys):
        other = stores / "challenge2020.zarr"
        words = ("challenge", "spin", "--also", other, "--n-curves", 60, "--out", tmp_path / "x")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                _challenge_data,
                "default_store",
                lambda simulation: stores / f"{simulation.preset}.zarr",
            )
            patch.setattr(_challenge_data, "fill_with_progress", lambda *_: 0)
            assert "--also must hold records of at least 1456 samples" in refused(capsys, *words)


class TestCheckSubmission:
    def test_a_good_file_is_described(self, tmp_path, capsys):
        path = tmp_path / "file.txt"
        path.write_text("12.5\t6.9\t6.1\n8.2\t6.7\t6.5\n")
        assert main(["check-submission", "2021-gauss", str(path), "--n-rows", "2"]) == 0
        assert "2 rows that can be submitted; alpha 8.2 to 12.5" in capsys.readouterr().out
        out = tmp_path / "checked.json"
        words = ["check-submission", "2021-gauss", str(path), "--out", str(out)]
        assert main(words) == 0
        assert json.loads(out.read_text("utf-8"))["ranges"]["xi"] == [6.7, 6.9]
        assert f"{out} exists" in refused(capsys, *words)

    def test_a_bad_one_ends_with_two(self, tmp_path, capsys):
        path = tmp_path / "file.txt"
        path.write_text("-1.2\t0.3\t0.1\n1.2\t-0.3\t0.4\n")
        assert "are they standardised" in refused(capsys, "check-submission", "2021-gauss", path)
        complaint = refused(capsys, "check-submission", "spin", path)
        assert "the edition must be one of 2020, 2021-gauss, 2021-rkky" in complaint
