"""Evaluations: methods of any origin, labels of any kind, the table, failures, continuing."""

import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.random_projection import GaussianRandomProjection
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.models.baselines import PCABaseline
from latent_nmr.report.evaluation import evaluation_lines, evaluation_values
from latent_nmr.report.shares import share_html, share_table
from latent_nmr.studies._known_curves import note_curves
from latent_nmr.studies.evaluation import EvaluationResult, _figures, evaluate_echoes

N_CURVES, N_FEATURES = 120, 40
QUICK = {"ceiling": False, "n_neighbors": 5, "progress": False}
KERNELS = np.array(["gaussian", "power", "rkky"])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads of fits this small do little but wait for each other where cores are busy."""
    with threadpool_limits(1):
        yield


def draw(seed, n_curves=N_CURVES):
    """Decaying curves and the labels that made them."""
    random = np.random.default_rng(seed)
    labels = {
        "W": random.uniform(0.1, 0.3, n_curves),
        "L": random.uniform(3, 28, n_curves),
        "kernel": np.resize(KERNELS, n_curves),
    }
    time = np.linspace(0, 9, N_FEATURES)
    X = np.exp(-labels["W"][:, None] * time) * (0.9 + 0.1 * np.cos(labels["L"][:, None] * time / 9))
    return (X + 0.001 * random.normal(size=X.shape)).clip(0, 1).astype(np.float32), labels


X, LABELS = draw(0)
OTHER, OTHER_LABELS = draw(1, 60)


def short_vae(n_components=2):
    return ln.BetaVAE(n_components, max_epochs=2, min_epoch_steps=2, hidden_layer_sizes=(8,))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def result(place):
    """Named methods and a short β-VAE at two dimensions, two seeds, a further set, a ceiling."""
    methods = {"pca": "pca", "kmeans": "kmeans", "vae": short_vae(2), "vae1": short_vae(1)}
    return ln.evaluate(
        X, LABELS, methods, n_components=(1, 2), n_seeds=2, also={"other": (OTHER, OTHER_LABELS)},
        n_trees=5, n_neighbors=5, progress=False, folder=place, metadata={"sample": "A"},
        ceiling="forest",
    )  # fmt: skip


def score(result, model, name, part="held-out", stat="mean"):
    (value,) = result.table_of(part).loc[model][name, stat].to_numpy()
    return value


class Halving(TransformerMixin, BaseEstimator):
    """A foreign transformer: the mean of two halves of a curve; fails as it is asked to."""

    def __init__(self, failure="", random_state=None):
        self.failure = failure
        self.random_state = random_state

    def fit(self, X, y=None):  # noqa: ARG002
        if self.failure == "odd seeds" and self.random_state % 2:
            raise RuntimeError("the seed\nis odd")
        if self.failure in ("memory", "interrupt", "numerical"):
            raise {
                "memory": MemoryError(),
                "interrupt": KeyboardInterrupt(),
                "numerical": ln.NumericalError("it left the finite numbers"),
            }[self.failure]
        self.is_fitted_ = True
        return self

    def transform(self, X):
        halves = np.stack([half.mean(axis=1) for half in np.array_split(X, 2, axis=1)], axis=1)
        if self.failure == "NaN":
            halves[3] = np.nan
        if self.failure == "rows":
            return halves[1:]
        if self.failure == "one-dimensional":
            return halves[:, 0]
        if self.failure == "text":
            return halves.astype(str)
        return halves


class Duck:
    """Not scikit-learn's kind of estimator: no get_params, and fit returns nothing."""

    random_state = None

    def fit(self, X):
        random = np.random.default_rng(self.random_state)
        self.directions = random.normal(size=(X.shape[1], 3))

    def transform(self, X):
        return pd.DataFrame(X @ self.directions)


class TestTable:
    """What is in the table is what a reader would compute."""

    def test_every_method_dimension_floor_and_ceiling_has_a_row_for_each_part(self, result):
        expected = [
            ("pca", 1), ("kmeans", 1), ("vae1", 1), ("shuffled", 1),
            ("pca", 2), ("kmeans", 2), ("vae", 2), ("shuffled", 2),
        ]  # fmt: skip
        for part in result.parts:
            assert [row for row in result.table_of(part).index if row[0] != "forest"] == expected
            assert result.table_of(part).index[-1][0] == "forest"
            assert pd.isna(result.table_of(part).index[-1][1])
        assert result.parts == ["held-out", "other"]

    def test_records_name_target_role_part_and_dimension_and_say_it_nowhere_else(self, result):
        own = result.records[result.records["score"] == "r2_L_power"]
        assert (set(own["target"]), set(own["group"])) == ({"L"}, {"power"})
        assert set(own["features"]) == {"coordinates", "curves"}
        assert set(result.records["role"]) == {"method", "floor", "ceiling"}
        of_axis = result.records[result.records["score"] == "rho_2_W"]
        assert (set(of_axis["target"]), set(of_axis["group"])) == ({"W"}, {"axis 2"})

    def test_what_is_deterministic_has_one_seed_and_the_others_all(self, result):
        seeds = result.records.groupby("model")["seed"].unique().map(list)
        assert seeds["pca"] == seeds["forest"] == [0]
        assert seeds["kmeans"] == seeds["vae"] == [0, 1]
        assert seeds["shuffled"] == [0, 1, 2, 3, 4]

    def test_mean_and_sd_are_those_of_the_seeds(self, result):
        records = result.records
        own = records[(records["model"] == "vae") & (records["part"] == "held-out")]
        values = own[own["score"] == "r2_W"]["value"].to_numpy()
        assert len(values) == 2
        assert result.table.loc[("vae", 2), ("r2_W", "mean")] == pytest.approx(values.mean())
        assert result.table.loc[("vae", 2), ("r2_W", "sd")] == pytest.approx(values.std(ddof=1))
        assert np.isnan(result.table.loc[("pca", 2), ("r2_W", "sd")])

    @pytest.mark.parametrize("part", ["held-out", "other"])
    def test_scores_are_those_of_a_model_that_saw_the_training_part_alone(self, result, part):
        fitted, held_out = (result.arrays[f"rows/{p}"] for p in ("training", "held-out"))
        assert sorted([*fitted, *held_out]) == list(range(N_CURVES))
        rows, labels = (X[held_out], LABELS["W"][held_out])
        if part == "other":
            rows, labels = OTHER, OTHER_LABELS["W"]
        pca = PCABaseline(2).fit(X[fitted])
        table = result.table_of(part).loc[("pca", 2)]
        rms = np.sqrt(np.mean((rows - pca.reconstruct(rows)) ** 2))
        assert table["rms", "mean"] == pytest.approx(rms, rel=1e-5)
        neighbours = KNeighborsRegressor(5).fit(pca.transform(X[fitted]), LABELS["W"][fitted])
        found = r2_score(labels, neighbours.predict(pca.transform(rows)))
        assert table["r2_W", "mean"] == pytest.approx(found, abs=1e-6)
        np.testing.assert_allclose(
            result.embedding("pca", 2, part=part), pca.transform(rows), atol=1e-5
        )

    def test_the_floor_is_at_chance_and_methods_are_above(self, result):
        floor = result.table.loc[("shuffled", 2)]
        assert result.facts["expected_floor"]["held-out"]["r2_W"] == pytest.approx(-1 / 5)
        assert abs(floor["r2_W", "mean"] + 1 / 5) < 0.6
        assert result.table.loc[("pca", 2), ("r2_W", "mean")] > 0.9

    def test_the_summary_says_the_same_in_words(self, result):
        mean, sd = (result.table.loc[("kmeans", 2), ("r2_W", s)] for s in ("mean", "sd"))
        assert result.summary.loc[("kmeans", 2), "R² W"] == f"{mean:.3f} ± {sd:.3f}"
        assert result.summary.loc[("forest", ""), "rms"] == ""
        assert not [title for title in result.summary if "ρ" in title]
        html = result._repr_html_()
        assert html.count("<table") == 2
        assert f"{mean:.3f} ± {sd:.3f}" in html

    def test_an_unknown_part_or_fit_is_refused(self, result):
        with pytest.raises(ln.InputError, match="part must be one of held-out, other"):
            result.table_of("elsewhere")
        with pytest.raises(ln.InputError, match=r"none of pca, 7, seed 0\. There are pca, 1; "):
            result.embedding("pca", 7)


class TestForeignTransformers:
    """Estimators of any origin are scored, or named in one line."""

    def evaluated(self, methods, **more):
        return ln.evaluate(X, LABELS, methods, **(QUICK | {"n_seeds": 2} | more))

    def test_a_transformer_a_pipeline_and_a_duck_are_scored_at_the_dimension_of_their_output(self):
        methods = {
            "mine": Halving(),
            "pipe": make_pipeline(StandardScaler(), GaussianRandomProjection(3)),
            "PCA": PCA(4),
            "duck": Duck(),
            "frame": FunctionTransformer(lambda rows: rows[:, :2]).set_output(transform="pandas"),
        }
        found = self.evaluated(methods)
        assert found.failures == []
        rows = [row for row in found.table.index if row[0] != "shuffled"]
        assert sorted(rows) == sorted(
            [("mine", 2), ("frame", 2), ("pipe", 3), ("duck", 3), ("PCA", 4)]
        )
        assert score(found, "mine", "r2_W") > 0.9
        seeds = found.records.groupby("model")["seed"].nunique()
        assert (seeds["pipe"], seeds["duck"], seeds["frame"]) == (2, 2, 1)
        assert score(found, "pipe", "r2_L", stat="sd") > 0  # the seed reached the inner step
        assert score(found, "duck", "r2_L", stat="sd") > 0

    def test_the_users_estimators_are_not_touched(self):
        mine = Halving()
        self.evaluated({"mine": mine})
        assert vars(mine) == {"failure": "", "random_state": None}

    def test_rms_is_given_where_there_is_an_inverse(self):
        table = self.evaluated({"PCA": PCA(2), "KMeans": KMeans(2, n_init=1)}).table["rms", "mean"]
        assert np.isfinite(table.loc[("PCA", 2)])
        assert np.isnan(table.loc[("KMeans", 2)])

    def test_an_inverse_that_fails_costs_the_rms_alone(self):
        class OneWay(Halving):
            def inverse_transform(self, Z):
                return Z

        found = self.evaluated({"mine": OneWay()}, n_seeds=1)
        assert "rms" not in found.table
        assert score(found, "mine", "r2_W") > 0.9
        (remark,) = found.facts["remarks"]
        assert "mine, seed 0, is without rms: inverse_transform: ValueError: it must" in remark

    def test_one_that_fails_for_half_of_its_seeds_keeps_the_others(self):
        found = self.evaluated({"mine": Halving("odd seeds"), "PCA": PCA(2)}, n_seeds=4)
        own = found.records[found.records["model"] == "mine"]
        assert sorted(set(own["seed"])) == [0, 2]
        reason = "RuntimeError: the seed is odd"
        assert found.failures == [{"model": "mine", "seed": s, "reason": reason} for s in (1, 3)]
        assert score(found, "PCA", "r2_W") > 0.9
        assert reason in found._repr_html_()

    @pytest.mark.parametrize(
        ("failure", "reason"),
        [
            ("NaN", "2 values that are NaN or infinite"),
            ("rows", "with n_curves = 96, but returned (95, 2)"),
            ("one-dimensional", "but returned (96,)"),
            ("text", "must return numbers, but returned dtype <U"),
        ],
    )
    def test_what_it_must_not_return_is_named_and_the_others_are_scored(self, failure, reason):
        found = self.evaluated({"mine": Halving(failure), "PCA": PCA(2)}, n_seeds=1)
        (line,) = found.failures
        assert (line["model"], line["seed"]) == ("mine", 0)
        assert reason in line["reason"]
        assert "\n" not in line["reason"]
        alone = self.evaluated({"PCA": PCA(2)}, n_seeds=1).table.loc[[("PCA", 2)]]
        columns = [column for column in alone if column[0] != "fit_seconds"]
        pd.testing.assert_frame_equal(found.table.loc[[("PCA", 2)], columns], alone[columns])

    def test_one_that_cannot_place_new_curves_is_named(self):
        found = self.evaluated({"tsne": TSNE(), "PCA": PCA(2)})
        (line,) = found.failures
        assert line["model"] == "tsne"
        assert "has fit_transform but no transform" in line["reason"]

    def test_if_all_fail_it_is_an_error_with_their_reasons(self):
        with pytest.raises(ln.InputError, match=r"mine: .*95, 2.*; tsne: has fit_transform but"):
            self.evaluated({"mine": Halving("rows"), "tsne": TSNE()})
        with pytest.raises(ln.NumericalError, match="left the finite numbers"):
            self.evaluated({"mine": Halving("numerical")})

    def test_an_interrupt_is_no_fault_of_a_method(self):
        with pytest.raises(KeyboardInterrupt):
            self.evaluated({"mine": Halving("interrupt")})

    def test_one_that_wants_more_memory_than_there_is_leaves_the_others(self):
        found = self.evaluated({"mine": Halving("memory"), "PCA": PCA(2)}, n_seeds=1)
        assert found.failures == [{"model": "mine", "seed": 0, "reason": "MemoryError"}]
        assert np.isfinite(score(found, "PCA", "rms"))

    @pytest.mark.parametrize("folder", [False, True])
    def test_one_that_writes_into_its_input_changes_nothing_for_the_others(self, folder, tmp_path):
        class Destroying(BaseEstimator, TransformerMixin):
            def fit(self, X, y=None):  # noqa: ARG002
                X[:] = 0.5
                return self

            def transform(self, X):
                Z = X[:, :2].copy()
                X[:] = 0
                return Z

            def inverse_transform(self, Z):
                Z[:] = 7
                return np.zeros((len(Z), X.shape[1]))

        place = {"folder": tmp_path / "kept"} if folder else {}
        alone = self.evaluated({"PCA": PCA(2)})
        scaled = make_pipeline(StandardScaler(copy=False), PCA(2))
        methods = {"a": Destroying(), "b": scaled, "PCA": PCA(2)}
        beside = self.evaluated(methods, **place)
        values = [
            found.records.query("model == 'PCA' and score != 'fit_seconds'")["value"].to_numpy()
            for found in (beside, alone)
        ]
        assert np.array_equal(*values)
        held_out = beside.arrays["rows/held-out"]
        assert np.array_equal(beside.embedding("a"), X[held_out, :2])

    def test_a_vae_that_fails_leaves_those_beside_it(self):
        broken = ln.BetaVAE(2, learning_rate=-1.0)
        found = self.evaluated({"broken": broken, "vae": short_vae()}, n_seeds=1)
        assert [failure["model"] for failure in found.failures] == ["broken"]
        assert "learning_rate" in found.failures[0]["reason"]
        assert np.isfinite(score(found, "vae", "rms"))

    @pytest.mark.parametrize(
        ("methods", "reason"),
        [
            (("tsne",), "methods must be one of vae, pca"),
            ({"mine": PCA}, r"'mine' is the class PCA. Give PCA\(\)"),
            ({"mine": 3}, "'mine' is 3. Give one such as PCA"),
            ({"forest": PCA(2)}, "must not use the names of the bounds"),
            (("pca", "pca"), "name each one once, but is pca pca"),
            ({}, "methods must name at least one, but is empty"),
        ],
    )
    def test_what_is_no_method_is_refused_before_anything_is_fitted(self, methods, reason):
        with pytest.raises(ln.InputError, match=reason):
            self.evaluated(methods)

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            ({"n_seeds": 0}, "n_seeds must be"),
            ({"n_components": ()}, "n_components must name each of one or more dimensions once"),
            ({"n_components": (2, 2)}, "once, but is 2 2"),
            ({"n_components": 0}, "n_components must be a whole number of at least 1"),
            ({"held_out": 1.5}, "held_out must be > 0 and <= 0.9"),
            ({"split_seed": -1}, "split_seed must be"),
            ({"ceiling": "tree"}, "ceiling must be one of forest, bottleneck"),
            ({"n_neighbors": 0}, "n_neighbors must be"),
            ({"n_neighbors": 96}, "the 96 neighbours of the scores, but has 96. Use more curves"),
            ({"n_neighbors": 12}, "more than 24 curves for neighbourhoods of 12"),
        ],
    )
    def test_settings_are_checked_by_name(self, settings, reason):
        with pytest.raises(ln.InputError, match=reason):
            self.evaluated(("pca",), **settings)


class TestFitted:
    """Models that are fitted already."""

    def test_they_are_scored_as_they_are_each_as_a_seed(self):
        first, second = (PCA(2).fit(X[rows]) for rows in (slice(0, 60), slice(60, 120)))
        found = ln.evaluate(X, LABELS, {}, fitted={"mine": [first, second]}, **QUICK)
        held_out = X[found.arrays["rows/held-out"]]
        np.testing.assert_array_equal(found.embedding("mine", seed=1), second.transform(held_out))
        assert "fit_seconds" not in found.table

    def test_one_that_is_not_fitted_is_named(self):
        found = ln.evaluate(X, LABELS, ("pca",), fitted={"mine": PCA(2)}, **QUICK)
        assert "NotFittedError" in found.failures[0]["reason"]

    def test_a_name_that_methods_has_is_refused(self):
        with pytest.raises(ln.InputError, match="'pca' is in both"):
            ln.evaluate(X, LABELS, ("pca",), fitted={"pca": PCA(2).fit(X)}, **QUICK)

    def trained(self, rows, place):
        """A saved and loaded β-VAE that knows the curves it was trained on."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            vae = short_vae().set_params(random_state=0).fit(X[rows])
        vae.save(place, note_curves(X[rows]))
        return ln.BetaVAE.load(place)

    def test_a_vae_that_saw_a_scored_curve_is_refused(self, tmp_path):
        vae = self.trained(np.arange(N_CURVES), tmp_path / "vae")
        reason = r"mine \(model 0\) was trained on 24 of the 24 curves of the held-out part"
        with pytest.raises(ln.InputError, match=reason):
            ln.evaluate(X, LABELS, {}, fitted={"mine": vae}, **QUICK)

    def test_a_vae_that_saw_the_training_part_alone_is_scored(self, tmp_path):
        rows = ln.evaluate(X, LABELS, ("pca",), **QUICK).arrays["rows/training"]
        vae = self.trained(rows, tmp_path / "vae")
        found = ln.evaluate(X, LABELS, {}, fitted={"mine": vae}, **QUICK)
        held_out = X[found.arrays["rows/held-out"]]
        np.testing.assert_array_equal(found.embedding("mine"), vae.transform(held_out))
        assert np.isfinite(score(found, "mine", "active_axes"))


class TestLabels:
    """Labels of any form and any name."""

    def test_mapping_frame_and_data_set_give_the_same(self):
        curves = {name: ("curve", values) for name, values in LABELS.items()}
        # Of simulated echoes, what follows from the others is not scored.
        dataset = xr.Dataset(curves | {"alpha_y": ("curve", LABELS["W"]), "x": ("time", [1.0])})
        tables = [
            ln.evaluate(X, labels, ("pca",), **QUICK).table.drop(columns="fit_seconds", level=0)
            for labels in (LABELS, pd.DataFrame(LABELS), dataset)
        ]
        for table in tables[1:]:
            pd.testing.assert_frame_equal(table, tables[0])

    def test_labels_of_any_name_are_scored_by_their_kind(self):
        labels = {
            "temperature": LABELS["W"] * 100,
            "phase": np.where(LABELS["W"] > 0.2, "ordered", "liquid"),
            "is_cold": LABELS["W"] > 0.2,
            "number": np.arange(N_CURVES) % 3,
            "batch": pd.Series(np.resize(["a", "b"], N_CURVES), dtype="category"),
        }
        found = ln.evaluate(X, labels, ("pca",), **(QUICK | {"ceiling": "forest", "n_trees": 5}))
        table = found.table["r2_temperature", "mean"]
        assert table.loc[("pca", 2)] > 0.9
        assert found.table.loc["forest"]["r2_temperature", "mean"].item() > 0.9
        for name in ("f1_phase_macro", "f1_is_cold_macro"):
            assert found.table.loc[("pca", 2), (name, "mean")] > 0.9
            chance = found.facts["expected_floor"]["held-out"][name]
            assert abs(found.table.loc[("shuffled", 2), (name, "mean")] - chance) < 0.3
        assert found.table.loc[("pca", 2), ("rho_1_temperature", "mean")] > 0.9
        assert found.table.loc[("pca", 2), ("r2_number", "mean")] < 0.5
        assert "f1_batch_macro" in found.table
        assert found.summary.loc[("pca", 2), "R² temperature"].startswith("0.9")
        assert list(found.figures) == ["maps"]

    def test_without_labels_only_label_free_scores_are_given_and_it_says_so(self):
        found = ln.evaluate(X, None, ("pca",), **(QUICK | {"ceiling": True}))
        scores = {"rms", "trustworthiness", "continuity", "fit_seconds"}
        assert set(found.records["score"]) == scores
        assert "have no labels: only label-free scores" in found.facts["remarks"][0]
        assert list(found.figures) == []

    def test_one_kernel_only_is_not_classified_and_it_says_so(self):
        labels = LABELS | {"kernel": np.full(N_CURVES, "power")}
        found = ln.evaluate(X, labels, ("pca",), **QUICK)
        names = ("f1", "silhouette", "adjusted")
        assert not [name for name in found.records["score"] if name.startswith(names)]
        assert "of one kernel only (power)" in found.facts["remarks"][0]

    @pytest.mark.parametrize(
        ("labels", "reason"),
        [
            ({"W": LABELS["W"][1:]}, r"one value per curve of X \(120\), but W has shape \(119,\)"),
            ({"W": LABELS["W"] + 1j}, "but W has the type complex128"),
            (LABELS["W"], "must be a mapping of arrays, a DataFrame or an xarray.Dataset"),
        ],
    )
    def test_labels_that_cannot_be_used_are_named(self, labels, reason):
        with pytest.raises(ln.InputError, match=reason):
            ln.evaluate(X, labels, ("pca",), **QUICK)


class TestBottlenecks:
    """Rows of supervised bottlenecks beside the methods of their dimension, and shares of them."""

    @pytest.fixture(scope="class")
    @staticmethod
    def bounded():
        labels = {"W": LABELS["W"]}
        ways = QUICK | {"ceiling": "bottleneck", "n_seeds": 1}
        return ln.evaluate(X, labels, {"pca": "pca", "wide": PCA(33)}, n_components=1, **ways)

    def test_they_are_rows_of_the_ceilings_role_for_every_dimension_that_is_not_wide(self, bounded):
        rows = [("pca", 1), ("bottleneck", 1), ("shuffled", 1), ("wide", 33), ("shuffled", 33)]
        assert bounded.table.index.tolist() == rows
        own = bounded.records[bounded.records["model"] == "bottleneck"]
        assert (set(own["role"]), set(own["features"])) == ({"ceiling"}, {"coordinates"})
        assert bounded.table.loc[("bottleneck", 1), ("r2_W", "mean")] > 0.95
        assert bounded.embedding("bottleneck", 1).shape == (24, 1)

    def test_shares_are_scores_over_those_of_the_bottleneck_of_the_same_dimension(self, bounded):
        mean = bounded.table["r2_W", "mean"]
        assert bounded.shares.index.tolist() == [("pca", 1), ("wide", 33)]
        found = bounded.shares["r2_W", "bottleneck"]
        assert found[("pca", 1)] == pytest.approx(mean[("pca", 1)] / mean[("bottleneck", 1)])
        assert np.isnan(found[("wide", 33)])
        assert "forest" not in bounded.shares.columns.get_level_values("ceiling")

    def test_shares_of_a_forest_are_those_of_every_dimension(self, result):
        mean, found = result.table["r2_W", "mean"], result.shares["r2_W", "forest"]
        (bound,) = mean.loc["forest"]
        for row in (("pca", 1), ("vae", 2)):
            assert found[row] == pytest.approx(mean[row] / bound)
        assert {row[0] for row in found.index} == {"pca", "kmeans", "vae", "vae1"}

    def test_they_are_a_line_of_the_figure_of_dimensions_and_no_map(self, bounded):
        lines = _figures.lines_of(bounded.records, "r2_W")
        assert [line.method for line in lines] == ["pca", "bottleneck", "wide"]
        assert [fit["model"] for fit in _figures.mapped_fits(bounded.facts)] == ["wide"]

    def test_the_report_shows_the_shares(self, bounded):
        values = evaluation_values(bounded) | {"data": "x"}
        share = bounded.shares["r2_W", "bottleneck"][("pca", 1)]
        (line,) = [
            text for text in evaluation_lines(values) if text.startswith("PCA") and "/" in text
        ]
        assert line.split() == ["PCA", "1", f"{share:.2f}", "/", "–"]
        assert f"{share:.2f} / –" in share_html(values["shares"]["held-out"])
        assert f"| PCA | 1 | {share:.2f} / – |" in share_table(values["shares"]["held-out"])

    @pytest.mark.slow
    def test_no_bottleneck_is_taken_up_for_other_labels(self, tmp_path):
        ways = QUICK | {"ceiling": "bottleneck", "n_seeds": 1, "folder": tmp_path}
        first, other, again = (
            ln.evaluate(X, {"label": LABELS[name]}, ("pca",), n_components=1, **ways)
            for name in ("W", "L", "W")
        )
        Z = [found.embedding("bottleneck", 1) for found in (first, other, again)]
        assert np.array_equal(Z[0], Z[2])
        assert not np.array_equal(Z[0], Z[1])


class TestCurves:
    """Features, splits and further sets."""

    @pytest.mark.parametrize(
        ("rows", "reason"),
        [
            (X[0], r"has shape \(40,\)"),
            (X.astype(str), "and type <U"),
            (np.where(np.arange(N_FEATURES) == 3, np.inf, X), "row 0 has inf in column 3"),
            (xr.Dataset(), r"is a data set. Give latent_nmr.features\(dataset\)"),
        ],
    )
    def test_features_that_cannot_be_used_are_named(self, rows, reason):
        with pytest.raises(ln.InputError, match=reason):
            ln.evaluate(rows, None, ("pca",), **QUICK)

    def test_a_split_of_the_users_is_kept_to(self):
        split = np.arange(90), np.arange(119, 95, -1)
        found = ln.evaluate(X, LABELS, ("pca",), split=split, **QUICK)
        assert found.facts["n_training"] == 90
        np.testing.assert_array_equal(found.arrays["rows/held-out"], np.arange(96, 120))
        for bad in ((np.arange(90), np.arange(80, 120)), (np.arange(90), np.arange(91, 130))):
            with pytest.raises(ln.InputError, match="split must be two arrays of row numbers"):
                ln.evaluate(X, LABELS, ("pca",), split=bad, **QUICK)

    def test_a_further_set_without_labels_is_scored_as_far_as_that_goes(self):
        found = ln.evaluate(X, LABELS, ("pca",), also={"other": OTHER}, **QUICK)
        assert "r2_W" not in found.table_of("other")
        assert np.isfinite(found.table_of("other").loc[("pca", 2), ("rms", "mean")])

    @pytest.mark.parametrize(
        ("also", "reason"),
        [
            ({"held-out": OTHER}, "one is called 'held-out'"),
            ({"o": OTHER[:, 1:]}, r"also\['o'\] must have as many features as X \(40\)"),
            ({"o": OTHER[:9]}, "the o part must have more than 10 curves"),
        ],
    )
    def test_a_further_set_that_cannot_be_compared_is_refused(self, also, reason):
        with pytest.raises(ln.InputError, match=reason):
            ln.evaluate(X, LABELS, ("pca",), also=also, **QUICK)


class TestAgain:
    """Results and steps on disk."""

    def test_a_loaded_result_has_the_same_tables_and_figures(self, result, tmp_path):
        result.save(tmp_path / "result")
        again = EvaluationResult.load(tmp_path / "result")
        for part in result.parts:
            pd.testing.assert_frame_equal(again.table_of(part), result.table_of(part))
        assert list(again.figures) == list(result.figures) == ["maps", "traversals", "dimensions"]
        assert len(again.figures["maps"].axes) >= 9  # three methods by three labels
        assert again.figures["traversals"].axes[0].get_xlabel() == "feature"
        lines = again.figures["dimensions"].axes[0].get_legend_handles_labels()[1]
        methods = ("PCA", "K-means distances")
        assert [line for line in lines if line in methods] == list(methods)

    def test_models_are_saved_with_their_metadata(self, result, place):
        names = {path.name for path in (place / "models").iterdir() if path.is_dir()}
        assert names == {"vae-2-seed0", "vae-2-seed1", "vae1-1-seed0", "vae1-1-seed1"}
        vae = ln.BetaVAE.load(place / "models" / "vae-2-seed1")
        held_out = X[result.arrays["rows/held-out"]]
        expected = result.embedding("vae", 2, seed=1)
        np.testing.assert_allclose(vae.transform(held_out), expected, atol=1e-6)
        assert vae.metadata_["sample"] == "A"
        assert vae.metadata_["held_out"] == {"fraction": 0.2, "split_seed": 0}

    def test_what_was_done_is_not_done_again_and_what_failed_is(self, tmp_path):
        log = tmp_path / "log.txt"
        first = ln.evaluate(
            X, LABELS, {"m": Logged(str(log), 1)}, n_seeds=3, folder=tmp_path, **QUICK
        )
        assert [failure["seed"] for failure in first.failures] == [1]
        assert log.read_text().split() == ["0", "1", "2"]
        (tmp_path / "repaired").touch()
        again = ln.evaluate(
            X, LABELS, {"m": Logged(str(log), 1)}, n_seeds=3, folder=tmp_path, **QUICK
        )
        assert again.failures == []
        assert log.read_text().split() == ["0", "1", "2", "1"]
        assert again.facts["seconds"] > first.facts["seconds"]

    def test_steps_of_other_curves_labels_or_parameters_are_not_taken_up(self, tmp_path):
        log = tmp_path / "log.txt"

        def run(rows=X, labels=LABELS, bad_seed=9, **more):
            settings = QUICK | {"n_seeds": 1, "folder": tmp_path} | more
            method = Logged(str(log), bad_seed)
            found = ln.evaluate(rows, labels, {"m": method}, **settings)
            return len(log.read_text().split()), score(found, "m", "r2_W")

        assert run()[0] == 1
        n_fits, value = run(labels=LABELS | {"W": LABELS["L"]})
        assert n_fits == 1  # no method sees the labels
        assert value < 0.9 < run()[1]
        assert run(rows=X[::-1])[0] == 2
        assert run(bad_seed=8)[0] == 3
        assert run(split_seed=1)[0] == 4

    def test_a_saved_model_that_is_gone_is_trained_again(self, tmp_path):
        methods = {"vae": short_vae()}
        settings = QUICK | {"n_seeds": 1, "folder": tmp_path}
        first = ln.evaluate(X, LABELS, methods, **settings)
        model = tmp_path / "models" / "vae-2-seed0"
        shutil.rmtree(model)
        again = ln.evaluate(X, LABELS, methods, **settings)
        np.testing.assert_array_equal(again.embedding("vae"), first.embedding("vae"))
        held_out = X[first.arrays["rows/held-out"]]
        expected = first.embedding("vae")
        np.testing.assert_allclose(ln.BetaVAE.load(model).transform(held_out), expected, atol=1e-6)


class Logged(Halving):
    """Notes every fit in a file; fails with one seed until there is a file `repaired`."""

    def __init__(self, log="", bad_seed=1, random_state=None):
        self.log = log
        self.bad_seed = bad_seed
        self.random_state = random_state
        self.failure = ""

    def fit(self, X, y=None):
        from pathlib import Path

        with Path(self.log).open("a") as file:
            file.write(f"{self.random_state} ")
        if self.random_state == self.bad_seed and not Path(self.log).with_name("repaired").exists():
            raise RuntimeError("not yet")
        return super().fit(X, y)


class TestEchoes:
    """An evaluation of data sets."""

    @pytest.fixture(scope="class")
    def dataset(self):
        return ln.load_reference(n_curves=60)

    def test_it_is_that_of_their_features_and_labels(self, dataset):
        settings = QUICK | {"methods": ("pca",)}
        found = evaluate_echoes(dataset, also={"other": dataset}, **settings)
        X = ln.features(dataset, "echo")
        expected = ln.evaluate(X, dataset, also={"other": (X, dataset)}, **settings)
        columns = [column for column in found.table if column[0] != "fit_seconds"]
        for part in ("held-out", "other"):
            tables = [r.table_of(part)[columns] for r in (found, expected)]
            pd.testing.assert_frame_equal(*tables)
        assert set(found.facts["labels"]) == {"W", "alpha_x", "alpha_z", "L", "kernel"}
        np.testing.assert_allclose(found.arrays["time"], ln.window_time(dataset, "echo"))

    def test_models_of_another_window_or_sampling_are_refused(self, dataset):
        model = ln.load_pretrained("echo")
        with pytest.raises(ln.InputError, match="models must be of the window full, but model 0"):
            evaluate_echoes(dataset, ("vae",), window="full", models=[model], **QUICK)
        shifted = dataset.assign_coords(time=dataset["time"] * 2)
        shifted.attrs["dt_us"] *= 2
        with pytest.raises(ln.InputError, match="sampled like those that models were trained on"):
            evaluate_echoes(shifted, ("vae",), models=[model], **QUICK)
        with pytest.raises(ln.InputError, match="also must give sets sampled like the data"):
            evaluate_echoes(dataset, ("pca",), also={"other": shifted}, **QUICK)
