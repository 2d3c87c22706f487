"""latent-nmr probe, run whole."""

import csv
import json
import shutil

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from latent_nmr.analysis import classification, forest_regression
from latent_nmr.commands import _probe_folder, _probe_network, _progress
from latent_nmr.commands._probe_data import FeatureTables, gather
from latent_nmr.commands._probe_plan import SHUFFLED
from latent_nmr.commands.main import main
from latent_nmr.data.compact import save_compact
from latent_nmr.data.io import open_echoes
from latent_nmr.models.beta_vae import BetaVAE

# So few trees leave some curves out of no bag.
pytestmark = pytest.mark.filterwarnings("ignore:Some inputs do not have OOB")

N_CURVES = 150
FEATURES = ["points", "polynomial", "pca"]
ARGUMENTS = ["--algorithms", "knn", "forest", "--n-seeds", "2", "--held-out", "0.3"]
ARGUMENTS += ["--n-forest-seeds", "3", "--n-detail-seeds", "1"]


@pytest.fixture(scope="module", autouse=True)
def small_forests():
    """Trees enough to run everything; what forests can do is tested where they are."""
    patch = pytest.MonkeyPatch()
    for module in (classification, forest_regression):
        patch.setattr(module, "TREES", 8)
    with threadpool_limits(1):
        yield
    patch.undo()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("probe") / "echoes.zarr"
    size = ["--n-curves", str(N_CURVES), "--n-edge", "12", "--step", "4"]
    assert main(["simulate", *size, "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def finished(store, tmp_path_factory):
    """Folder and JSON values of one run."""
    out = tmp_path_factory.mktemp("finished") / "result"
    words = ["probe", str(store), "--features", *FEATURES, *ARGUMENTS, "--out", str(out)]
    assert main(words) == 0
    return out, json.loads((out / "probe.json").read_text("utf-8"))


def refused(capsys, words):
    """Run the command, which must end with exit code 2; return its one line of complaint."""
    capsys.readouterr()
    assert main(["probe", *map(str, words)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    (complaint,) = output.err.splitlines()
    return complaint


@pytest.fixture
def undrawn(monkeypatch):
    """Leave the figures out, which take longer than all else."""
    monkeypatch.setattr(_probe_folder, "draw_figures", lambda folder, *_: folder.mkdir())


class TestResult:
    """Files and numbers."""

    def test_every_figure_of_the_study_is_written(self, finished):
        out, _ = finished
        stems = {path.stem for path in (out / "figures").glob("*.png")}
        assert stems >= {
            "sections", "classes", "classifiers", "confusion", "elimination", "importances_kernel",
            "importances_W", "importances_L", "importances_alpha_x", "regression", "parity",
        }  # fmt: skip
        assert stems == {path.stem for path in (out / "figures").glob("*.pdf")}
        assert not list(out.parent.glob(".*progress"))

    def test_every_combination_is_scored_once_per_seed(self, finished):
        _, values = finished
        found = values["tables"]["classification"]
        honest = [(e["target"], e["features"], e["model"]) for e in found if e["model"] != SHUFFLED]
        wanted = {
            (task, features, model)
            for task in ("binary", "three-class")
            for features in FEATURES
            for model in ("knn", "forest")
        }
        assert len(honest) == len(set(honest))
        assert set(honest) == wanted
        assert all(
            len(scores) == (1 if e["model"] == SHUFFLED else 2)
            for e in found
            for scores in e["scores"].values()
        )
        regressed = {(e["target"], e["group"]) for e in values["tables"]["regression"]}
        targets = ("W", "L", "alpha_x", "alpha_z")
        # 15 held-out curves of the power law are too few to score a group by.
        assert regressed == {(target, group) for target in targets for group in ("all", "others")}

    def test_forests_on_places_in_time_have_seeds_of_their_own_and_so_have_details(self, finished):
        tables = finished[1]["tables"]

        def n_values(table, **facts):
            found = [e for e in tables[table] if facts.items() <= e.items()]
            assert found
            return {len(values) for e in found for values in e["scores"].values()}

        for features in ("points", "polynomial"):
            assert n_values("regression", features=features, model="forest") == {3}
            assert n_values("resampling", features=features) == {3}
            for table in ("leak", "elimination", "screening"):
                assert n_values(table, features=features) == {1}
        assert n_values("regression", features="pca", model="forest") == {2}

    def test_confusion_counts_every_held_out_curve_of_every_seed(self, finished):
        _, values = finished
        entries = [e for e in values["tables"]["classification"] if e["model"] == "knn"]
        assert entries
        assert all(np.sum(e["confusion"]) == 2 * values["n_held_out"] for e in entries)
        assert values["n_held_out"] == 45

    def test_elimination_ends_with_two_columns(self, finished):
        _, values = finished
        rounds = [e["n_kept"] for e in values["tables"]["elimination"] if e["features"] == "points"]
        assert rounds[0] == 400
        assert rounds[-1] == 2

    def test_every_target_has_its_negative_control(self, finished):
        tables = finished[1]["tables"]
        shuffled = [e["target"] for e in tables["regression"] if e["model"] == SHUFFLED]
        assert shuffled == ["W", "L", "alpha_x", "alpha_z"]
        assert any(e["model"] == SHUFFLED for e in tables["classification"])

    def test_the_table_holds_every_score_and_its_values(self, finished):
        out, values = finished
        with (out / "scores.csv").open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        wanted = sum(len(e.get("scores", ())) for t in values["tables"].values() for e in t)
        assert len(rows) == wanted
        for row in rows:
            numbers = [float(value) for value in row["values"].split()]
            assert float(row["mean"]) == pytest.approx(np.mean(numbers), rel=1e-4, abs=1e-5)
        assert {"classification", "resampling", "leak", "regression"} <= {r["table"] for r in rows}

    def test_the_command_that_made_it_is_kept(self, finished, store):
        _, values = finished
        assert values["command"].startswith(
            f"latent-nmr probe {store} --features points polynomial"
        )
        assert "--n-seeds 2" in values["command"]


class TestNetwork:
    """One network for the kernel and all numbers, beside forests or in their place."""

    @pytest.fixture(scope="class")
    @staticmethod
    def probed(store, tmp_path_factory):
        out = tmp_path_factory.mktemp("network") / "result"
        words = ["--features", "points", "--target", "kernel", "L", "W", "--algorithms", "knn"]
        words += ["--regressors", "network", "--n-seeds", "1", "--n-detail-seeds", "0"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_probe_network, "WIDTHS", (8,))
            patch.setattr(_probe_network, "MAX_EPOCHS", 2)
            arguments = [str(store), *words, "--held-out", "0.3", "--out", str(out)]
            assert main(["probe", *arguments]) == 0
        return out, json.loads((out / "probe.json").read_text("utf-8"))

    def test_it_tells_every_target_beside_its_negative_control(self, probed):
        tables = probed[1]["tables"]
        told = [(e["target"], e["group"], e["model"]) for e in tables["regression"]]
        groups = [(target, "all") for target in "WL"] + [(target, "others") for target in "WL"]
        wanted = [(*group, "network") for group in groups]
        wanted += [(target, "all", "network, shuffled") for target in "WL"]
        assert sorted(told) == sorted(wanted)
        kernels = [(e["target"], e["model"]) for e in tables["classification"]]
        for model in ("network", "network, shuffled"):
            assert {("binary", model), ("three-class", model)} <= set(kernels)

    def test_nothing_but_what_was_asked_for_is_fitted(self, probed):
        tables = probed[1]["tables"]
        assert not [e for e in tables["regression"] if e["model"] == "forest"]
        for name in ("resampling", "leak", "elimination", "screening", "importances"):
            assert tables[name] == []

    def test_other_targets_are_another_network(self, probed, store, tmp_path, monkeypatch, capsys):
        """What was told beside a kernel and W is no answer to a question for L alone."""
        monkeypatch.setattr(_probe_folder, "draw_figures", lambda folder, *_: folder.mkdir())
        monkeypatch.setattr(_probe_network, "WIDTHS", (8,))
        monkeypatch.setattr(_probe_network, "MAX_EPOCHS", 2)
        out = tmp_path / "copy"
        shutil.copytree(probed[0], out)
        words = [str(store), "--features", "points", "--regressors", "network", "--n-seeds", "1"]
        words += ["--held-out", "0.3", "--force", "--out", str(out)]
        assert main(["probe", *words, "--target", "L"]) == 0
        tables = json.loads((out / "probe.json").read_text("utf-8"))["tables"]
        assert {e["target"] for e in tables["regression"]} == {"L"}
        assert tables["classification"] == []
        before = [e["scores"] for e in probed[1]["tables"]["regression"] if e["target"] == "L"]
        assert [e["scores"] for e in tables["regression"]] != before
        capsys.readouterr()

    def test_it_is_drawn_and_written(self, probed):
        out, _ = probed
        stems = {path.stem for path in (out / "figures").glob("*.png")}
        assert stems == {"sections", "classes", "classifiers", "confusion", "regression", "parity"}
        with (out / "scores.csv").open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        assert {"network", "network, shuffled"} <= {row["model"] for row in rows}


class TestFeatures:
    """What models see."""

    def test_learned_features_learn_from_the_training_part_alone(self, store, tmp_path):
        material = gather(
            store, window="echo", normalisation="initial", held_out=0.3, n_components=2
        )
        rows = material.split(1).fitted
        found = FeatureTables(material, tmp_path / "a").table("latent", 1)
        model = BetaVAE(n_components=2, random_state=1).fit(material.curves[rows])
        np.testing.assert_allclose(found, model.transform(material.curves), atol=1e-5)
        # Other held-out curves change nothing of what the training part is seen as.
        other = material.curves.copy()
        other[material.split(1).held_out] = 0.5
        changed = gather(
            store, window="echo", normalisation="initial", held_out=0.3, n_components=2
        )
        object.__setattr__(changed, "curves", other)
        again = FeatureTables(changed, tmp_path / "b").table("pca", 1)
        before = FeatureTables(material, tmp_path / "c").table("pca", 1)
        np.testing.assert_array_equal(again[rows], before[rows])

    def test_joined_kinds_stand_side_by_side(self, store, tmp_path):
        material = gather(
            store, window="echo", normalisation="initial", held_out=0.3, n_components=3
        )
        tables = FeatureTables(material, tmp_path)
        joined = tables.table("polynomial+pca", 0)
        assert joined.shape == (N_CURVES, 79)
        np.testing.assert_array_equal(joined[:, 76:], tables.table("pca", 0))


class TestAgain:
    """A rerun, another question, a killed run."""

    def test_an_equal_run_is_reported_and_other_settings_are_refused(self, finished, store, capsys):
        out, values = finished
        words = [store, "--features", *FEATURES, *ARGUMENTS, "--out", out]
        assert main(["probe", *map(str, words)]) == 0
        assert "already finished" in capsys.readouterr().out
        complaint = refused(capsys, [*words, "--window", "echo300"])
        assert "window = 'echo' and 'echo300' is asked for" in complaint
        assert json.loads((out / "probe.json").read_text("utf-8")) == values

    @pytest.mark.usefixtures("undrawn")
    def test_steps_that_are_done_are_not_done_again(
        self, finished, store, tmp_path, monkeypatch, capsys
    ):
        out = tmp_path / "copy"
        shutil.copytree(finished[0], out)
        computed = []
        take = _progress.Ledger.take

        def watched(self, name, compute):
            return take(self, name, lambda: computed.append(name) or compute())

        monkeypatch.setattr(_progress.Ledger, "take", watched)
        words = [store, "--features", "points", "--target", "W", "--algorithms", "knn"]
        words += ["--n-seeds", "4", "--held-out", "0.3", "--out", out, "--force"]
        assert main(["probe", *map(str, words)]) == 0
        # Steps are done side by side, in any order.
        assert sorted(computed) == ["regress-W-all-points-3", "regress-W-others-points-3"]
        capsys.readouterr()

    @pytest.mark.usefixtures("undrawn")
    def test_an_interrupted_run_goes_on_where_it_was(self, store, tmp_path, monkeypatch, capsys):
        words = ["probe", store, "--features", "points", "--target", "W", "L", "--n-seeds", "1"]
        words = [*map(str, words), "--held-out", "0.3", "--out", str(tmp_path / "result")]
        take = _progress.Ledger.take

        def interrupted(self, name, compute):
            if name.startswith("regress-L"):
                raise KeyboardInterrupt
            return take(self, name, compute)

        with monkeypatch.context() as patch:
            patch.setattr(_progress.Ledger, "take", interrupted)
            assert main(words) == 130
        assert not (tmp_path / "result").exists()
        computed = []
        monkeypatch.setattr(
            _progress.Ledger,
            "take",
            lambda self, name, compute: take(
                self, name, lambda: computed.append(name) or compute()
            ),
        )
        assert main(words) == 0
        assert "regress-L-all-points-0" in computed
        assert "regress-W-all-points-0" not in computed
        assert {path.name for path in tmp_path.iterdir()} == {"result", ".result.lock"}
        capsys.readouterr()

    @pytest.mark.usefixtures("undrawn")
    def test_the_floor_is_that_of_the_features_asked_for_first(self, store, tmp_path, capsys):
        out = tmp_path / "result"
        words = ["probe", str(store), "--target", "W", "--n-seeds", "1", "--held-out", "0.3"]
        words += ["--out", str(out)]
        floors = []
        for features in ("points", "pca"):
            assert main([*words, "--features", features, "--force"]) == 0
            tables = json.loads((out / "probe.json").read_text("utf-8"))["tables"]
            (floor,) = [e for e in tables["regression"] if e["model"] == SHUFFLED]
            assert floor["features"] == features
            floors.append(floor["scores"]["r2"])
        assert floors[0] != floors[1]
        capsys.readouterr()


class TestOtherData:
    """Without kernels, of two kernels, and too few."""

    @pytest.mark.usefixtures("undrawn")
    def test_numbers_are_told_without_kernels(self, store, tmp_path, capsys):
        save_compact(open_echoes(store).drop_vars("kernel"), tmp_path / "set.npz")
        words = [tmp_path / "set.npz", "--target", "W", "--features", "polynomial", "--n-seeds", 1]
        words += ["--held-out", 0.3, "--out", tmp_path / "result"]
        assert main(["probe", *map(str, words)]) == 0
        tables = json.loads((tmp_path / "result" / "probe.json").read_text("utf-8"))["tables"]
        groups = {e["group"] for e in tables["regression"]}
        assert groups == {"all"}
        capsys.readouterr()

    @pytest.mark.usefixtures("undrawn")
    def test_one_question_is_asked_of_two_kernels(self, store, tmp_path, capsys):
        dataset = open_echoes(store)
        dataset = dataset.isel(curve=np.flatnonzero(dataset["kernel"].to_numpy() != "rkky"))
        save_compact(dataset, tmp_path / "set.npz")
        words = [tmp_path / "set.npz", "--target", "kernel", "--tasks", "three-class", "--n-seeds"]
        words += [1, "--features", "polynomial", "--algorithms", "knn", "--n-detail-seeds", 0]
        words += ["--held-out", 0.3, "--out", tmp_path / "result"]
        assert main(["probe", *map(str, words)]) == 0
        tables = json.loads((tmp_path / "result" / "probe.json").read_text("utf-8"))["tables"]
        assert {e["target"] for e in tables["classification"]} == {"binary"}
        capsys.readouterr()

    def test_too_few_curves_for_a_number(self, store, tmp_path, capsys):
        save_compact(open_echoes(store, 60), tmp_path / "set.npz")
        complaint = refused(capsys, [tmp_path / "set.npz", "--target", "W", "--held-out", 0.3])
        assert "at least 20 curves in either part to tell W by, but leave 18 of 60" in complaint


class TestBadInput:
    """One line each, and exit code 2."""

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--features", "dots"], "--features must be one of points, polynomial, pca, latent"),
            (["--features", "pca+pca"], "join different kinds, but is pca+pca"),
            (["--features", "pca", "pca"], "each of one or more once, but is pca pca"),
            (["--target", "w"], "--target must be one of kernel, W, L, alpha_x, alpha_z, but is"),
            (["--algorithms", "svm"], "--algorithms must be one of"),
            (["--window", "all"], "--window must be one of"),
            (["--tasks", "ternary"], "--tasks must be one of binary, three-class, but is"),
            (["--regressors", "tree"], "--regressors must be one of forest, network, but is"),
            (["--n-forest-seeds", "4"], "--n-forest-seeds must be a whole number of at least 5"),
            (["--n-forest-seeds", "9", "--features", "pca"], "without points or polynomial among"),
            (["--n-detail-seeds", "6"], "--n-detail-seeds must be a whole number"),
            (["--n-seeds", "0"], "--n-seeds must be a whole number of at least 1"),
            (["--held-out", "1"], "--held-out must be > 0 and <= 0.9"),
        ],
    )
    def test_options(self, store, capsys, words, message):
        assert message in refused(capsys, [store, *words])

    def test_data_without_the_target(self, store, tmp_path, capsys):
        dataset = open_echoes(store).drop_vars("alpha_z")
        save_compact(dataset, tmp_path / "set.npz")
        words = [tmp_path / "set.npz", "--target", "W", "alpha_z"]
        assert "they have no alpha_z" in refused(capsys, words)

    def test_a_target_that_does_not_vary(self, store, tmp_path, capsys):
        dataset = open_echoes(store)
        dataset["W"] = dataset["W"] * 0 + 0.2
        save_compact(dataset, tmp_path / "set.npz")
        complaint = refused(capsys, [tmp_path / "set.npz", "--target", "W"])
        assert "--target must vary over the data, but W is 0.2" in complaint

    def test_kernels_without_a_power_law(self, store, tmp_path, capsys):
        dataset = open_echoes(store)
        dataset = dataset.isel(curve=np.flatnonzero(dataset["kernel"].to_numpy() != "power"))
        save_compact(dataset, tmp_path / "set.npz")
        complaint = refused(capsys, [tmp_path / "set.npz", "--target", "kernel"])
        assert "no curve is of 'power'" in complaint

    def test_a_folder_of_something_else_is_not_touched(self, store, tmp_path, capsys):
        (tmp_path / "notes.txt").write_text("mine")
        complaint = refused(capsys, [store, "--out", tmp_path, "--force"])
        assert "holds other things" in complaint
        assert (tmp_path / "notes.txt").read_text() == "mine"
