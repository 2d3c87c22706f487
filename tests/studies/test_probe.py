"""Probes: what is fitted, what is kept of it, and what happens when a fit fails."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.models.beta_vae import BetaVAE
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies.probes import steps
from latent_nmr.studies.probes.data import FeatureMaker, gather
from latent_nmr.studies.stores import REFERENCE_SET

# So few trees leave some curves in every bag.
pytestmark = pytest.mark.filterwarnings("ignore:Some inputs do not have OOB")

N_CURVES = 150
FEATURES = ("points", "polynomial", "pca")
TARGETS = ("W", "L", "alpha_x", "alpha_z")
SMALL = {"held_out": 0.3, "n_trees": 8, "n_jobs": 2}
QUICK = {"features": "points", "targets": ("W", "L"), "n_seeds": 1, **SMALL}


@pytest.fixture(scope="module", autouse=True)
def few_threads():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def echoes():
    dataset = ln.open_echoes(REFERENCE_SET)
    return dataset.isel(curve=slice(0, None, dataset.sizes["curve"] // N_CURVES))


@pytest.fixture(scope="module")
def probed(echoes):
    """All targets, with steps of every kind."""
    return ln.probe(
        echoes,
        features=FEATURES,
        classifiers=("knn", "forest"),
        n_seeds=2,
        n_forest_seeds=3,
        n_detail_seeds=1,
        **SMALL,
    )


@pytest.fixture(scope="module")
def network_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("network")


@pytest.fixture(scope="module")
def of_network(echoes, network_folder):
    """The network, small, in the place of forests."""
    return ln.probe(
        echoes,
        features="points",
        targets=("kernel", "L", "W"),
        classifiers=("knn",),
        regressors="network",
        network=ln.CurveRegressor((8,), max_epochs=2),
        n_seeds=1,
        n_detail_seeds=0,
        folder=network_folder,
        **SMALL,
    )


def values_of(result, **facts):
    """Values of the records with these facts, by score."""
    rows = result.records
    for name, value in facts.items():
        rows = rows[rows[name] == value]
    assert len(rows), facts
    return {str(score): found.tolist() for score, found in rows.groupby("score")["value"]}


class TestRecords:
    """One score per row, and every table a group-by of these."""

    def test_every_combination_is_scored_once_per_seed(self, probed):
        rows = probed.records.query("table == 'classification' and labels == 'given'")
        found = rows.groupby(["target", "features", "model"])["seed"].agg(["nunique", "count"])
        tasks = ("binary", "three-class")
        wanted = {(t, f, m) for t in tasks for f in FEATURES for m in ("knn", "forest")}
        assert set(found.index) == wanted
        assert set(found["nunique"]) == {2}
        # One value per seed of accuracy and of F1: macro, weighted and, for two classes, binary.
        n_scores = {"binary": 4, "three-class": 3}
        assert all(row["count"] == 2 * n_scores[keys[0]] for keys, row in found.iterrows())

    def test_numbers_are_predicted_within_groups_that_are_large_enough(self, probed):
        rows = probed.records.query("table == 'regression'")
        groups = set(zip(rows["target"], rows["group"], strict=True))
        # 15 held-out curves of the power law are too few to score a group by.
        assert groups == {(target, group) for target in TARGETS for group in ("all", "others")}

    def test_forests_on_features_localised_in_time_have_seeds_of_their_own(self, probed):
        rows = probed.records.query("labels == 'given'")
        n_seeds = rows.groupby(["table", "features"])["seed"].nunique()
        for features in ("points", "polynomial"):
            assert n_seeds["regression", features] == n_seeds["resampling", features] == 3
            for table in ("leak", "elimination", "screening"):
                assert n_seeds[table, features] == 1
        assert n_seeds["regression", "pca"] == 2

    def test_every_target_has_its_negative_control_on_the_first_features(self, probed):
        rows = probed.records.query("labels == 'shuffled'")
        assert set(rows["target"]) == {*TARGETS, "binary", "three-class"}
        assert set(rows["features"]) == {"points"}
        assert set(rows["seed"]) == {0}

    def test_the_negative_control_is_fitted_to_permuted_labels(self, probed):
        facts = {"target": "alpha_x", "group": "all", "features": "points"}
        assert min(values_of(probed, **facts, labels="given")["r2"]) > 0.5
        assert max(values_of(probed, **facts, labels="shuffled")["r2"]) < 0.2

    def test_confusion_counts_every_held_out_curve_of_every_seed(self, probed):
        entries = [e for e in probed.tables["classification"] if e["model"] == "knn"]
        assert entries
        assert probed.facts["n_held_out"] == 45
        assert all(np.sum(e["confusion"]) == 2 * 45 for e in entries)

    def test_accuracy_is_the_trace_of_the_confusion_matrix(self, probed):
        for entry in probed.tables["classification"]:
            accuracy = np.mean(entry["scores"]["accuracy"])
            shares = np.trace(entry["confusion"]) / np.sum(entry["confusion"])
            assert accuracy == pytest.approx(shares)

    def test_elimination_ends_with_two_columns(self, probed):
        rounds = [e for e in probed.tables["elimination"] if e["features"] == "points"]
        assert rounds[0]["n_kept"] == 400
        assert rounds[-1]["n_kept"] == len(rounds[-1]["kept"]) == 2

    def test_the_leak_says_how_many_test_rows_were_fitted(self, probed):
        for entry in probed.tables["leak"]:
            assert ("shared" in entry) == (entry["model"] == "leaky")
            assert "shared" not in entry["scores"]
        shared = values_of(probed, table="leak", score="shared")["shared"]
        assert all(0 < value < 1 for value in shared)

    def test_importances_are_medians_over_seeds(self, probed):
        (entry,) = [
            e
            for e in probed.facts["importances"]
            if (e["table"], e["target"], e["group"], e["features"])
            == ("regression", "W", "all", "points")
        ]
        values = probed.arrays[entry["array"]]
        assert values.shape == (3, 400)
        np.testing.assert_allclose(values.sum(axis=1), 1)
        (of_table,) = [
            e
            for e in probed.tables["importances"]
            if (e["target"], e["group"], e["features"]) == ("W", "all", "points")
        ]
        np.testing.assert_array_equal(of_table["median"], np.median(values, axis=0))

    def test_the_table_has_a_row_for_every_model_and_its_mean_over_seeds(self, probed):
        table = probed.table.set_index(["target", "group", "features", "model", "labels"])
        row = table.loc["W", "all", "points", "forest", "given"]
        values = values_of(
            probed, table="regression", target="W", group="all", features="points", labels="given"
        )["r2"]
        assert row["n_seeds"] == 3
        assert row["r2"] == pytest.approx(np.mean(values))
        assert row["r2_sd"] == pytest.approx(np.std(values, ddof=1))
        assert np.isnan(row["f1_macro"])
        assert table.index.is_unique

    def test_predictions_of_the_first_seed_have_the_score_that_is_said(self, probed):
        entry = next(e for e in probed.facts["predictions"] if e["target"] == "W")
        truth, found = probed.arrays["truth/W"], probed.arrays[entry["array"]]
        r2 = 1 - np.sum((truth - found) ** 2) / np.sum((truth - truth.mean()) ** 2)
        values = values_of(probed, target="W", group="all", features="points", labels="given")
        assert values["r2"][0] == pytest.approx(r2)


class TestSaved:
    """A result that was saved is the same, its figures too."""

    def test_it_comes_back_with_equal_tables_and_figures(self, probed, tmp_path):
        probed.save(tmp_path / "result")
        again = ln.ProbeResult.load(tmp_path / "result")
        assert again.tables == probed.tables
        assert again.table.equals(probed.table)
        assert list(again.figures) == list(probed.figures)
        before, after = probed.figures["parity"], again.figures["parity"]
        for ax, other in zip(before.axes, after.axes, strict=True):
            assert ax.get_title() == other.get_title()
            for line, same in zip(ax.lines, other.lines, strict=True):
                np.testing.assert_array_equal(line.get_ydata(), same.get_ydata())

    def test_figures_are_those_that_the_tables_have_data_for(self, probed, of_network):
        assert set(probed.figures) == {
            "sections", "classes", "classifiers", "confusion", "elimination", "importances_kernel",
            "importances_W", "importances_L", "importances_alpha_x", "importances_alpha_z",
            "screening", "importances_by_true_W", "importances_by_predicted_W", "regression",
            "parity",
        }  # fmt: skip
        assert set(of_network.figures) == {
            "sections", "classes", "classifiers", "confusion", "regression", "parity",
        }  # fmt: skip


class TestNetwork:
    """One network for the kernel and all numbers, in the place of forests."""

    def test_it_predicts_every_target_beside_its_negative_control(self, of_network):
        rows = of_network.records.query("table == 'regression'")
        found = set(zip(rows["target"], rows["group"], rows["labels"], strict=True))
        wanted = {(target, group, "given") for target in "WL" for group in ("all", "others")}
        assert found == wanted | {(target, "all", "shuffled") for target in "WL"}
        assert set(rows["model"]) == {"network"}
        rows = of_network.records.query("table == 'classification' and model == 'network'")
        found = set(zip(rows["target"], rows["labels"], strict=True))
        assert found == {(t, w) for t in ("binary", "three-class") for w in ("given", "shuffled")}
        names = {e["model"] for e in of_network.tables["regression"]}
        assert names == {"network", "network, shuffled"}

    def test_nothing_but_what_was_asked_for_is_fitted(self, of_network):
        for name in ("resampling", "leak", "elimination", "screening", "importances"):
            assert of_network.tables[name] == []

    def test_what_it_predicts_beside_other_targets_is_another_step(
        self, echoes, of_network, network_folder
    ):
        network = ln.CurveRegressor((8,), max_epochs=2)
        alone = ln.probe(
            echoes, features="points", targets="L", regressors="network", network=network,
            n_seeds=1, folder=network_folder, **SMALL,
        )  # fmt: skip
        facts = {"target": "L", "group": "all", "labels": "given"}
        assert values_of(alone, **facts)["r2"] != values_of(of_network, **facts)["r2"]
        assert alone.tables["classification"] == []


def make_features(material, *, kinds, transformers=None, n_components=2, seed=0):
    """Features of one split, by name."""
    transformers = transformers or {}
    ledger = Ledger(None, {})
    maker = FeatureMaker(material, kinds, transformers, n_components, ledger, lambda *_: None)
    return maker.tables(tuple(kinds), material.split(seed), seed)


class TestFeatures:
    """What models are fitted on."""

    @pytest.fixture(scope="class")
    @staticmethod
    def material(echoes):
        return gather(echoes, FeatureSettings(), held_out=0.3)

    @pytest.mark.slow
    def test_the_latent_axes_are_those_of_a_model_fitted_to_the_training_part(self, material):
        found = make_features(material, kinds={"latent": ("latent",)}, seed=1)["latent"]
        rows = material.split(1).fitted
        model = BetaVAE(n_components=2, random_state=1).fit(material.curves[rows])
        np.testing.assert_allclose(found, model.transform(material.curves), atol=1e-5)

    def test_held_out_curves_take_no_part_in_what_is_learned(self, material, echoes):
        kinds = {"pca": ("pca",)}
        before = make_features(material, kinds=kinds)["pca"]
        fitted, held_out = material.split(0)
        changed = gather(echoes, FeatureSettings(), held_out=0.3)
        changed.curves[held_out] = 0.5
        after = make_features(changed, kinds=kinds)["pca"]
        np.testing.assert_array_equal(after[fitted], before[fitted])
        assert not np.array_equal(after[held_out], before[held_out])

    def test_joined_kinds_are_side_by_side(self, material):
        kinds = {"polynomial+pca": ("polynomial", "pca"), "pca": ("pca",)}
        found = make_features(material, kinds=kinds, n_components=3)
        assert found["polynomial+pca"].shape == (N_CURVES, 79)
        np.testing.assert_array_equal(found["polynomial+pca"][:, 76:], found["pca"])

    def test_a_transformer_of_the_user_is_fitted_once_per_split_to_the_training_part(self, echoes):
        result = ln.probe(
            echoes,
            features={"points": "points", "mine": Recording(), "both": "polynomial+mine"},
            targets=("W", "L"),
            n_seeds=2,
            **SMALL,
        )
        assert Recording.fitted_rows == [105, 105]
        names = {"points", "mine", "both"}
        assert set(result.records["features"]) == names

    def test_one_that_writes_into_its_input_changes_nothing_for_the_others(self, material):
        scaled = make_pipeline(StandardScaler(copy=False), PCA(2))
        before = material.curves.copy()
        make_features(material, kinds={"mine": ("mine",)}, transformers={"mine": scaled})
        np.testing.assert_array_equal(material.curves, before)

    def test_it_scores_like_the_same_features_that_come_along(self, echoes):
        class Same(TransformerMixin, BaseEstimator):
            def fit(self, _X, _y=None):
                return self

            def transform(self, X):
                return X

        given = {"points": "points", "same": Same()}
        result = ln.probe(echoes, features=given, targets="W", n_seeds=1, **SMALL)
        found = [
            values_of(result, features=name, labels="given", group="all")["r2"] for name in given
        ]
        # Forests add the votes of their trees in any order.
        np.testing.assert_allclose(*found, rtol=1e-9)


class Recording(TransformerMixin, BaseEstimator):
    """Keeps the number of rows it was fitted to."""

    fitted_rows: ClassVar[list[int]] = []

    def fit(self, X, _y=None):
        self.fitted_rows.append(len(X))
        return self

    def transform(self, X):
        return X[:, ::100]


class FailsSometimes(ClassifierMixin, BaseEstimator):
    """Refuses every odd seed."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, _X, y):
        if self.random_state % 2:
            raise RuntimeError("does not\nconverge")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class PredictsNaN(RegressorMixin, BaseEstimator):
    def fit(self, _X, _y):
        return self

    def predict(self, X):
        return np.full(len(X), np.nan)


class ReturnsNaN(TransformerMixin, BaseEstimator):
    def fit(self, _X, _y=None):
        return self

    def transform(self, X):
        return np.full((len(X), 2), np.nan)


class TestForeign:
    """Estimators of the user are scored like those that come along; those that fail are named."""

    def test_a_classifier_and_a_regressor_are_scored(self, echoes):
        result = ln.probe(
            echoes,
            features="polynomial",
            targets=("kernel", "W"),
            tasks="binary",
            classifiers={"knn": "knn", "mine": KNeighborsClassifier(3)},
            regressors={"forest": "forest", "linear": LinearRegression()},
            n_seeds=2,
            n_detail_seeds=0,
            **SMALL,
        )
        assert result.failures == []
        assert len(values_of(result, target="binary", model="mine")["f1_macro"]) == 2
        assert len(values_of(result, target="W", model="linear", labels="given", group="all")["r2"])
        # The negative control of the regressor has its name.
        assert "linear, shuffled" in {e["model"] for e in result.tables["regression"]}
        assert {"regression", "parity", "classifiers"} <= set(result.figures)
        assert result.figures["regression"]

    def test_the_labels_of_held_out_curves_are_not_seen(self, echoes):
        seen = []

        class Watching(LinearRegression):
            def fit(self, X, y):
                seen.append(len(y))
                return super().fit(X, y)

        ln.probe(
            echoes, features="points", targets="W", regressors={"w": Watching()}, n_seeds=1, **SMALL
        )
        assert max(seen) == 105

    def test_one_that_fails_half_of_the_time_is_named_and_the_others_stay(self, echoes):
        result = ln.probe(
            echoes,
            features="polynomial",
            targets="kernel",
            tasks="binary",
            classifiers={"mine": FailsSometimes(), "knn": "knn"},
            n_seeds=2,
            n_detail_seeds=0,
            **SMALL,
        )
        (failure,) = result.failures
        assert failure["model"] == "mine"
        assert failure["seed"] == 1
        assert failure["reason"] == "RuntimeError: does not converge"
        assert len(values_of(result, model="mine")["accuracy"]) == 1
        assert len(values_of(result, model="knn")["accuracy"]) == 2

    def test_predictions_that_are_not_finite_are_named(self, echoes):
        result = ln.probe(
            echoes, features="points", targets="W", n_seeds=1,
            regressors={"nan": PredictsNaN(), "forest": "forest"}, **SMALL,
        )  # fmt: skip
        assert {f["model"] for f in result.failures} == {"nan"}
        assert "predict returned 45 values that are NaN" in result.failures[0]["reason"]
        assert set(result.records["model"]) == {"forest"}

    def test_features_that_are_not_finite_are_named_once_per_seed(self, echoes):
        result = ln.probe(
            echoes,
            features={"points": "points", "nan": ReturnsNaN(), "both": "points+nan"},
            targets="W",
            n_seeds=2,
            **SMALL,
        )
        assert [(f["model"], f["seed"]) for f in result.failures] == [("nan", 0), ("nan", 1)]
        assert "transform returned 300 values that are NaN" in result.failures[0]["reason"]
        assert set(result.records["features"]) == {"points"}

    def test_if_all_fail_that_is_an_error(self, echoes):
        with pytest.raises(ln.NumericalError, match="all failed; the first, nan on points"):
            ln.probe(
                echoes, features="points", targets="W", regressors={"nan": PredictsNaN()}, **SMALL
            )

    def test_an_interrupt_ends_the_work(self, echoes, tmp_path):
        class Ending(LinearRegression):
            def fit(self, _X, _y):
                raise KeyboardInterrupt

        words = {"features": "points", "targets": "W", "folder": tmp_path, **SMALL, "n_jobs": 1}
        with pytest.raises(KeyboardInterrupt):
            ln.probe(echoes, regressors={"forest": "forest", "ending": Ending()}, **words)
        # What was done before is kept: two groups and the negative control.
        assert len(list(tmp_path.glob("steps/*.json"))) == 3


class TestKept:
    """With a folder, no fit is computed twice."""

    def computed(self, monkeypatch, echoes, folder, **changes):
        """Facts of the steps that a probe computes."""
        found = []
        compute = steps.Repetition.compute

        def watched(self, facts):
            found.append(facts)
            return compute(self, facts)

        with monkeypatch.context() as patch:
            patch.setattr(steps.Repetition, "compute", watched)
            result = ln.probe(echoes, folder=folder, **{**QUICK, **changes})
        return result, found

    def test_an_equal_probe_computes_nothing(self, echoes, tmp_path, monkeypatch):
        first, computed = self.computed(monkeypatch, echoes, tmp_path)
        assert computed
        again, computed = self.computed(monkeypatch, echoes, tmp_path)
        assert computed == []
        assert again.tables == first.tables

    def test_more_seeds_targets_and_features_add_to_what_is_there(
        self, echoes, tmp_path, monkeypatch
    ):
        self.computed(monkeypatch, echoes, tmp_path)
        more = {"n_seeds": 2, "features": ("points", "polynomial"), "targets": ("W", "alpha_x")}
        _, computed = self.computed(monkeypatch, echoes, tmp_path, **more)
        assert computed
        known = [
            f for f in computed
            if (f["seed"], f["features"], f["target"]) == (0, "points", "W")
        ]  # fmt: skip
        assert known == []

    @pytest.mark.parametrize("changed", [{"n_trees": 9}, {"held_out": 0.31}, {"window": "echo300"}])
    def test_with_other_settings_everything_is_computed(
        self, echoes, tmp_path, monkeypatch, changed
    ):
        _, before = self.computed(monkeypatch, echoes, tmp_path)
        _, computed = self.computed(monkeypatch, echoes, tmp_path, **changed)
        assert len(computed) == len(before)

    def test_other_data_are_computed(self, echoes, tmp_path, monkeypatch):
        _, before = self.computed(monkeypatch, echoes, tmp_path)
        other = echoes.assign(W=("curve", echoes["W"].to_numpy()[::-1]))
        _, computed = self.computed(monkeypatch, other, tmp_path)
        assert len(computed) == len(before)

    def test_another_estimator_of_the_same_name_is_another_step(
        self, echoes, tmp_path, monkeypatch
    ):
        for neighbours, n_computed in ((3, 1), (3, 0), (4, 1)):
            _, computed = self.computed(
                monkeypatch, echoes, tmp_path, targets="kernel", tasks="binary", n_detail_seeds=0,
                classifiers={"mine": KNeighborsClassifier(neighbours)},
            )  # fmt: skip
            assert len([f for f in computed if f["model"] == "mine"]) == n_computed

    def test_a_failed_fit_is_tried_again(self, echoes, tmp_path, monkeypatch):
        words = {"regressors": {"nan": PredictsNaN(), "forest": "forest"}}
        self.computed(monkeypatch, echoes, tmp_path, **words)
        _, computed = self.computed(monkeypatch, echoes, tmp_path, **words)
        assert {f["model"] for f in computed} == {"nan"}

    def test_the_control_is_on_the_features_asked_for_first(self, echoes, tmp_path):
        for features in ("points", "pca"):
            words = {**QUICK, "features": features}
            result = ln.probe(echoes, folder=tmp_path, **words)
            rows = result.records.query("labels == 'shuffled'")
            assert set(rows["features"]) == {features}


class TestOtherData:
    """Without kernels, of two kernels, and too few."""

    def test_numbers_are_predicted_without_kernels(self, echoes):
        result = ln.probe(
            echoes.drop_vars("kernel"), features="polynomial", targets="W", n_seeds=1, **SMALL
        )
        assert set(result.records["group"]) == {"all"}

    def test_of_two_kernels_both_tasks_are_one(self, echoes):
        two = echoes.isel(curve=np.flatnonzero(echoes["kernel"].to_numpy() != "rkky"))
        result = ln.probe(
            two, features="polynomial", targets="kernel", tasks="three-class",
            classifiers="knn", n_seeds=1, n_detail_seeds=0, **SMALL,
        )  # fmt: skip
        assert set(result.records["target"]) == {"binary"}

    def test_too_few_curves_for_a_number(self, echoes):
        few = echoes.isel(curve=slice(60))
        with pytest.raises(ln.InputError, match="20 curves in either part to predict W, but leave"):
            ln.probe(few, targets="W", **SMALL)


class TestBadInput:
    """Parameters are named, with rule, value and cure, before anything is fitted."""

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({"features": "dots"}, "features must be one of points, polynomial, pca, latent"),
            ({"features": "pca+pca"}, "join different kinds, but has pca.pca"),
            ({"features": ("pca", "pca")}, "features must name each one once, but is pca pca"),
            ({"features": ()}, "features must name at least one, but is empty"),
            ({"features": {"pca": PCA(2)}}, "names other than points, .*, but has 'pca'"),
            ({"features": {"a+b": PCA(2)}}, "names without ., but has 'a.b'"),
            ({"features": {"mine": PCA}}, r"but mine is the class PCA. Give PCA\(\)"),
            ({"features": {"mine": 3}}, "estimators with fit and transform, but mine is 3"),
            ({"targets": "w"}, "targets must be one of kernel, W, L, alpha_x, alpha_z, but is"),
            ({"classifiers": "svm"}, "classifiers must be one of"),
            ({"classifiers": {"mine": PCA(2)}}, "estimators with fit and predict, but mine is"),
            ({"window": "all"}, "window must be one of"),
            ({"tasks": "ternary"}, "tasks must be one of binary, three-class, but is"),
            ({"regressors": "tree"}, "regressors must be one of forest, network, but is"),
            ({"n_forest_seeds": 4}, "n_forest_seeds must be a whole number of at least 5"),
            ({"n_forest_seeds": 9, "features": "pca"}, "without points or polynomial among"),
            ({"n_detail_seeds": 6}, "n_detail_seeds must be a whole number"),
            ({"n_seeds": 0}, "n_seeds must be a whole number of at least 1"),
            ({"n_trees": 0}, "n_trees must be a whole number of at least 1"),
            ({"n_jobs": 0}, "n_jobs must be a whole number of at least 1"),
            ({"held_out": 1.0}, "held_out must be > 0 and <= 0.9"),
            (
                {
                    "classifiers": {"mine": LogisticRegression()},
                    "regressors": {"mine": LinearRegression()},
                },
                "must have different names, but mine is there twice",
            ),
        ],
    )
    def test_parameters(self, echoes, given, message):
        with pytest.raises(ln.InputError, match=message):
            ln.probe(echoes, **given)

    def test_data_without_the_target(self, echoes):
        with pytest.raises(ln.InputError, match="they have no alpha_z"):
            ln.probe(echoes.drop_vars("alpha_z"), targets=("W", "alpha_z"))

    def test_a_target_that_does_not_vary(self, echoes):
        with pytest.raises(ln.InputError, match=r"must vary over the data, but W is 0\.2"):
            ln.probe(echoes.assign(W=echoes["W"] * 0 + 0.2), targets="W")

    def test_a_label_that_is_not_finite(self, echoes):
        values = echoes["W"].to_numpy().copy()
        values[3] = np.nan
        with pytest.raises(ln.InputError, match=r"W is unknown for 1 of 150\. Leave it out, or"):
            ln.probe(echoes.assign(W=("curve", values)), targets="W")

    def test_kernels_without_a_power_law(self, echoes):
        others = echoes.isel(curve=np.flatnonzero(echoes["kernel"].to_numpy() != "power"))
        with pytest.raises(ln.InputError, match="no curve is of 'power'"):
            ln.probe(others, targets="kernel")
