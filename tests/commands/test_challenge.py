"""latent-nmr challenge and check-submission: options, files, reruns."""

import json

import numpy as np
import pytest
from sklearn.linear_model import BayesianRidge

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.data.store import fill_store
from latent_nmr.data.submission import check_submission

N_EVALUATION = 7


@pytest.fixture(scope="module")
def curves():
    dataset = ln.simulate("challenge2021-gauss", 60, seed=3, n_edge=8, scheme="source")
    dataset.attrs["n_edge"] = 100  # of the lattices that the files are about
    return dataset


@pytest.fixture(scope="module")
def files(curves, tmp_path_factory):
    """The challenge's own files."""
    folder = tmp_path_factory.mktemp("files")
    ln.save_challenge(curves, folder, "2021-gauss")
    ln.save_challenge(curves.isel(curve=slice(N_EVALUATION)), folder, "2021-gauss", "eval")
    return folder


def words_for(data, out, *more):
    words = ("challenge", "2021-gauss", "--data", data, "--n-seeds", 1, "--out", out, *more)
    return [str(word) for word in words]


def run(capsys, words, code=0):
    """Run the command; return its JSON."""
    capsys.readouterr()
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    """Run a command, which must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main([*map(str, words)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    return output.err.splitlines()[-1]


@pytest.fixture(scope="module")
def winners(files, tmp_path_factory):
    """What the winners' pipeline reaches on the challenge's own files, as JSON has it."""
    out = tmp_path_factory.mktemp("winners") / "result"
    assert main(words_for(files, out, "--models", "winners")) == 0
    return json.loads((out / "challenge.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def submitted(curves):
    """The study's result on the same curves, of which the first are to be submitted."""
    asked = curves.isel(curve=slice(N_EVALUATION))
    return ln.challenge("2021-gauss", curves, evaluation=asked, models="winners", n_seeds=1)


class TestRealFiles:
    """From the files of the challenge to scores, a submission, networks and figures."""

    def test_everything_that_the_challenge_asks_for_is_written(self, files, tmp_path, capsys):
        out, other = tmp_path / "result", tmp_path / "other.zarr"
        simulation = ln.Simulation("challenge2021-gauss", n_edge=8, seed=5, scheme="source")
        assert list(fill_store(other, simulation, 20))
        more = ("--models", "winners", "baseline", "--max-epochs", 2, "--also", other)
        values = run(capsys, words_for(files, out, *more))
        assert [row["model"] for row in values["rows"]] == ["winners", "baseline"]
        assert (values["n_curves"], values["n_evaluation"]) == (60, N_EVALUATION)
        for row in values["rows"]:
            assert row["scores"].keys() == row["others"]["other"].keys()
            assert "evaluation" not in row
        stems = ("curves", "parity", "saliency_baseline")
        assert {path.stem for path in (out / "figures").iterdir()} == {*stems}
        path = out / "gauss_mat_info_eval.txt"
        assert len(check_submission(path, "2021-gauss", N_EVALUATION)) == N_EVALUATION
        assert values["submission"] == {
            "file": path.name, "model": "baseline", "n_rows": N_EVALUATION,
        }  # fmt: skip
        assert len(ln.CurveRegressor.load(out / "models" / "baseline").history_[0]) == 2
        written = json.loads((out / "challenge.json").read_text("utf-8"))
        assert {name: values[name] for name in written} == written
        assert written["format"] == "latent_nmr.challenge"
        assert written["command"].startswith(f"latent-nmr challenge 2021-gauss --data {files} ")
        assert list(tmp_path.glob(".*progress")) == []

    def test_the_scores_are_those_of_the_study(self, files, winners):
        result = ln.challenge(
            "2021-gauss", ln.open_challenge(files, "2021-gauss"), models=("winners",), n_seeds=1
        )
        (row,) = winners["rows"]
        for name, found in row["scores"].items():
            assert found == [result.table[name].iloc[0]]

    def test_an_equal_run_is_reported_and_another_refused(self, files, tmp_path, capsys):
        out = tmp_path / "result"
        words = words_for(files, out, "--models", "winners")
        assert main(words) == 0
        first = capsys.readouterr().out
        assert "winners' pipeline of 2020" in first
        assert "mean ± standard deviation over 1 seed\n" in first
        assert not (out / "models").exists()  # there are no networks
        named = {*first.splitlines()[-1].split(": ")[1].split(", "), "run.json"}
        assert named == {path.relative_to(out).parts[0] for path in out.rglob("*.*")}
        assert main(words) == 0
        assert capsys.readouterr().out == (
            f"{out} is already finished (use --force to recompute).\n" + first
        )
        assert "n_seeds = 1 and 2 is asked for" in refused(capsys, *words, "--n-seeds", 2)
        steps = {path: path.stat().st_mtime_ns for path in (out / "steps").iterdir()}
        assert main([*words, "--force"]) == 0
        assert {path: path.stat().st_mtime_ns for path in steps} == steps

    def test_an_interrupted_run_continues(self, files, tmp_path, monkeypatch):
        out = tmp_path / "result"
        words = words_for(files, out, "--models", "baseline", "winners", "--max-epochs", 1)
        fit = BayesianRidge.fit

        def interrupted(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(BayesianRidge, "fit", interrupted)
        assert main(words) == 130
        assert not out.exists()
        kept = tmp_path / ".result.progress" / "steps"
        (step,) = kept.glob("*.json")
        monkeypatch.setattr(BayesianRidge, "fit", fit)
        changed = step.stat().st_mtime_ns
        assert main(words) == 0
        assert (out / "steps" / step.name).stat().st_mtime_ns == changed
        assert (out / "models" / "baseline" / "weights.safetensors").is_file()

    @pytest.mark.slow
    def test_a_model_that_fails_is_named_and_tried_again(
        self, files, tmp_path, capsys, monkeypatch
    ):
        words = words_for(
            files, tmp_path / "result", "--models", "baseline", "winners", "--max-epochs", 1
        )
        fit = BayesianRidge.fit

        def failing(*_):
            raise FloatingPointError("no luck")

        monkeypatch.setattr(BayesianRidge, "fit", failing)
        values = run(capsys, words, code=4)
        assert values["failures"] == [
            {"model": "winners", "seed": 0, "reason": "FloatingPointError: no luck"}
        ]
        assert [row["model"] for row in values["rows"]] == ["baseline"]
        monkeypatch.setattr(BayesianRidge, "fit", fit)
        again = run(capsys, words)
        assert again["failures"] == []
        assert [row["model"] for row in again["rows"]] == ["baseline", "winners"]
        assert again["rows"][0] == values["rows"][0]

    def test_numbers_of_curves_are_those_of_the_files(self, files, tmp_path, capsys):
        complaint = refused(capsys, *words_for(files, tmp_path / "result", "--n-curves", 60))
        assert "n_curves must be left out where the data are given" in complaint

    def test_files_that_are_missing_cut_or_constant(self, curves, tmp_path, capsys):
        words = words_for(tmp_path, tmp_path / "result", "--models", "deep")
        assert "a folder of the challenge's files" in refused(capsys, *words)
        (tmp_path / "submit_echos_r.txt").write_text("of another edition")
        assert "gauss_echos_model_r.txt must be a file" in refused(capsys, *words)
        spin = ["spin" if word == "2021-gauss" else word for word in words]
        assert "must not be the challenge's files for the edition spin" in refused(capsys, *spin)
        ln.save_challenge(curves, tmp_path, "2021-gauss")
        assert "gauss_echos_eval_r.txt must be a file" in refused(capsys, *words)
        ln.save_challenge(curves.isel(curve=slice(0, 7)), tmp_path, "2021-gauss", "eval")
        path = tmp_path / "gauss_mat_info_model.txt"
        rows = path.read_text().splitlines()
        path.write_text("\n".join(rows[:-1]) + "\n")
        assert "one row per curve each, but have 60 and 59" in refused(capsys, *words)
        path.write_text("\n".join(" ".join([*row.split()[:2], "6.5"]) for row in rows) + "\n")
        assert "every target must vary, but d is 6.5 for all 60 curves" in refused(capsys, *words)


class TestAnyData:
    """Data of the edition in any format, as every command takes them."""

    @pytest.mark.parametrize(
        "suffix", [".nc", *(pytest.param(s, marks=pytest.mark.slow) for s in (".csv", ".zarr"))]
    )
    def test_the_scores_are_those_of_the_challenges_files(
        self, curves, winners, tmp_path, capsys, suffix
    ):
        ln.save_echoes(curves, tmp_path / f"own{suffix}")
        words = words_for(tmp_path / f"own{suffix}", tmp_path / "own", "--models", "winners")
        own = run(capsys, words)
        assert (own["n_curves"], own["n_evaluation"]) == (60, 0)
        assert "submission" not in own
        assert [row["scores"] for row in own["rows"]] == [row["scores"] for row in winners["rows"]]
        assert main(words) == 0
        assert "already finished" in capsys.readouterr().out

    @pytest.mark.parametrize("name", ["eval.npz", "files"])
    def test_curves_to_submit_come_in_any_format(
        self, curves, files, submitted, tmp_path, capsys, name
    ):
        ln.save_echoes(curves, tmp_path / "own.nc")
        asked, place = curves.isel(curve=slice(N_EVALUATION)), files
        if name != "files":
            place = tmp_path / name
            ln.save_echoes(asked, place)
        out = tmp_path / "out"
        more = ("--models", "winners", "--evaluation", place)
        values = run(capsys, words_for(tmp_path / "own.nc", out, *more))
        wanted = submitted.table.loc["evaluation part", "winners"]["mse_mean"]
        (row,) = values["rows"]
        if name == "files":  # which hold both parts: the one without labels is to be submitted
            assert "evaluation" not in row
        else:
            assert row["evaluation"]["mse_mean"] == [pytest.approx(wanted, rel=0.01)]
        sent = check_submission(out / "gauss_mat_info_eval.txt", "2021-gauss", N_EVALUATION)
        np.testing.assert_allclose(sent[:, 2], submitted.arrays["submission"][:, 2], rtol=1e-2)

    def test_other_curves_to_submit_are_noticed(self, curves, files, tmp_path, capsys):
        place = tmp_path / "eval.nc"
        ln.save_echoes(curves.isel(curve=slice(5)), place)
        more = ("--models", "winners", "--evaluation", place)
        words = words_for(files, tmp_path / "out", *more)
        values = run(capsys, words)
        assert values["n_evaluation"] == 5  # not those of the folder
        assert f"--evaluation {place}" in values["command"]
        ln.save_echoes(curves.isel(curve=slice(5, 11)), place, overwrite=True)
        assert f"{place} has changed" in refused(capsys, *words)

    def test_curves_to_submit_need_others_to_fit(self, tmp_path, capsys, curves):
        ln.save_echoes(curves, tmp_path / "own.nc")
        words = ("challenge", "2021-gauss", "--evaluation", tmp_path / "own.nc")
        complaint = refused(capsys, *words, "--out", tmp_path / "out")
        assert "evaluation must be left out where curves are simulated" in complaint

    def test_the_edition_spin_takes_a_set_of_its_preset(self, tmp_path, capsys):
        echoes = ln.simulate("challenge2021-spin", 30, n_edge=8, scheme="source", step=2)
        ln.save_echoes(echoes.drop_attrs().assign_attrs(echo_index=314), tmp_path / "own.nc")
        words = words_for(tmp_path / "own.nc", tmp_path / "out", "--models", "winners")
        words[1] = "spin"
        assert run(capsys, words)["n_curves"] == 30

    def test_data_of_another_kind_are_named(self, curves, tmp_path, capsys):
        ln.save_echoes(curves.drop_vars("challenge_xi"), tmp_path / "own.nc")
        words = words_for(tmp_path / "own.nc", tmp_path / "out")
        assert "edition 2021-gauss must have the labels" in refused(capsys, *words)
        assert "nothing at" in refused(capsys, *words_for(tmp_path / "none.nc", tmp_path / "out"))
        words = words_for("reference", tmp_path / "out")
        assert "records of at least" not in (complaint := refused(capsys, *words))
        assert "edition 2021-gauss must have the labels" in complaint

    def test_a_set_that_holds_the_magnitude_only(self, curves, tmp_path, capsys):
        ln.save_echoes(curves, tmp_path / "own.npz", signals="magnitude")
        words = words_for(tmp_path / "own.npz", tmp_path / "out", "--models", "winners")
        values = run(capsys, words)
        assert (values["part"], values["left_out"]) == ("magnitude", {})
        assert main(words) == 0
        assert "|M| only" in capsys.readouterr().out
        assert "must hold both mx and my" in refused(
            capsys, *words[:-1], "winners", "--part", "complex", "--out", tmp_path / "other"
        )


@pytest.mark.slow  # at the size of the published set
class TestSimulated:
    """Without files, curves come from the store of their settings."""

    def test_curves_are_simulated_where_they_lack_and_taken_where_not(
        self, tmp_path, monkeypatch, capsys
    ):
        monkeypatch.chdir(tmp_path)
        words = ["challenge", "2020", "--models", "winners", "--n-seeds", "1"]
        words += ["--n-curves", "50", "--n-evaluation", "10"]
        assert main(words) == 0
        output = capsys.readouterr().out
        assert "no model can learn it" in output
        assert "score_2020" in output
        out = tmp_path / "artifacts" / "runs" / "challenge-2020-independent"
        assert check_submission(out / "submitted_mat_info.txt", "2020").shape == (10, 4)
        values = json.loads((out / "challenge.json").read_text("utf-8"))
        store = "artifacts/data/challenge2020-independent-seed0.zarr"
        assert values["source"] == store
        whole = ln.open_echoes(store)
        assert whole.sizes["curve"] == 60
        alone = ln.challenge(
            "2020",
            whole.isel(curve=slice(50)),
            evaluation=whole.isel(curve=slice(50, 60)),
            models=("winners",),
            n_seeds=1,
        )
        np.testing.assert_array_equal(
            values["rows"][0]["evaluation"]["score_2020"],
            [alone.table.loc[("evaluation part", "winners"), "score_2020"]],
        )


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["2019"], "2019"),
            (["2020", "--models", "worst"], "worst"),
            (["2020", "--models", "deep", "deep"], "models must name each one once"),
            (["2020", "--n-curves", "10"], "n_curves must be a whole number of at least 50"),
            (["2020", "--line-draw", "cold"], "cold"),
            (["2020", "--n-seeds", "0"], "n_seeds must be"),
            (["2020", "--max-epochs", "0"], "max_epochs must be"),
            (["2020", "--also", "a/x.nc", "b/x.nc"], "--also must give sets of different names"),
        ],
    )
    def test_options(self, tmp_path, capsys, words, message):
        complaint = refused(capsys, "challenge", *words, "--out", tmp_path / "result")
        assert message in complaint
        assert not (tmp_path / "result").exists()


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
        assert main(words) == 0
        assert "already finished" in capsys.readouterr().out
        assert "n_rows = None and 2 is asked for" in refused(capsys, *words, "--n-rows", "2")

    def test_a_bad_one_ends_with_two(self, tmp_path, capsys):
        path = tmp_path / "file.txt"
        path.write_text("-1.2\t0.3\t0.1\n1.2\t-0.3\t0.4\n")
        assert "are they standardised" in refused(capsys, "check-submission", "2021-gauss", path)
        assert "spin" in refused(capsys, "check-submission", "spin", path)
