"""No split tears a material apart: the mechanism, every call of it, and what models get to see."""

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.model_selection import StratifiedKFold, train_test_split

import latent_nmr as ln
from latent_nmr._splits import as_groups, folds, siblings, split_rows
from latent_nmr.analysis.out_of_bag import out_of_bag
from latent_nmr.analysis.split import hold_out
from latent_nmr.models.vae_fit import problem_of
from latent_nmr.studies._known_curves import note_curves, training_split
from latent_nmr.studies.challenge._editions import EDITIONS, RECORD, inputs_of
from latent_nmr.studies.noise import evaluate_noise
from latent_nmr.studies.settings import compare_settings, score_setting
from latent_nmr.studies.stores import REFERENCE_SET

PACKAGE = Path(ln.__file__).parent
GROUPS = (
    st.lists(st.integers(0, 12), min_size=40, max_size=60)
    .map(np.array)
    .filter(lambda groups: len(np.unique(groups)) >= 4)
)
CLASSES = np.array(["a", "b"])
GAUSS = EDITIONS["2021-gauss"]


def are_torn(groups, fitted, held_out) -> bool:
    return bool(np.intersect1d(np.asarray(groups)[fitted], np.asarray(groups)[held_out]).size)


class TestMechanism:
    """`split_rows` and `folds`."""

    @settings(max_examples=25)
    @given(GROUPS, st.integers(0, 99))
    def test_every_row_is_in_one_part_and_no_group_in_two(self, groups, seed):
        own = as_groups(groups, len(groups))
        both = [split_rows(np.arange(len(groups)), 0.3, seed, groups=own)]
        both += folds(np.arange(len(groups)), 3, seed, groups=own)
        for fitted, held_out in both:
            rows = np.concatenate([fitted, held_out])
            assert sorted(rows.tolist()) == list(range(len(groups)))
            assert not are_torn(groups, fitted, held_out)

    @pytest.mark.parametrize("groups", [None, np.arange(60), np.arange(60)[::-1] * 7])
    @pytest.mark.parametrize("stratify", [None, CLASSES[np.arange(60) % 2]])
    def test_rows_with_groups_of_their_own_are_split_as_scikit_learn_does(self, groups, stratify):
        rows = np.random.default_rng(0).permutation(100)[:60]
        of_all = None if stratify is None else np.full(100, "a")
        if of_all is not None:
            of_all[rows] = stratify
        of_rows = None if groups is None else np.zeros(100, int)
        if of_rows is not None:
            of_rows[rows] = groups
        found = split_rows(rows, 0.25, 3, stratify=of_all, groups=of_rows)
        wanted = train_test_split(rows, test_size=0.25, random_state=3, stratify=stratify)
        np.testing.assert_array_equal(found[0], wanted[0])
        np.testing.assert_array_equal(found[1], wanted[1])
        if stratify is not None:
            kind = StratifiedKFold(4, shuffle=True, random_state=3)
            made = folds(rows, 4, 3, stratify=of_all, groups=of_rows)
            for (inside, _), (fitted, _) in zip(kind.split(rows, stratify), made, strict=True):
                np.testing.assert_array_equal(fitted, rows[inside])

    def test_classes_keep_their_proportion_by_materials(self):
        kernels = np.repeat(["gaussian", "power", "rkky"] * 20, 3)
        materials = np.repeat(np.arange(60), 3)
        split = hold_out(180, kernels, fraction=0.2, random_state=1, groups=materials)
        assert not are_torn(materials, *split)
        _, counts = np.unique(kernels[split.held_out], return_counts=True)
        assert counts.tolist() == [12, 12, 12]

    @pytest.mark.parametrize(
        "groups", [[1, np.nan, 2, 2], [None, "a", "a", "b"], [1, 2], [[1], [2], [3], [4]]]
    )
    def test_groups_that_are_missing_or_too_few_are_refused(self, groups):
        with pytest.raises(ln.InputError, match="groups must"):
            as_groups(np.array(groups, dtype=object if None in groups else None), 4)

    def test_too_few_materials_are_named_as_such(self):
        with pytest.raises(ln.InputError, match=r"2 materials, one in each part.*power has 1"):
            hold_out(6, np.repeat(["power", "rkky", "rkky"], 2), groups=np.repeat([0, 1, 2], 2))

    def test_out_of_bag_is_by_trees_that_saw_no_sibling(self):
        from sklearn.ensemble import RandomForestRegressor

        X = np.repeat(np.random.default_rng(0).normal(size=(60, 4)), 2, axis=0)
        y = np.repeat(np.random.default_rng(1).normal(size=60), 2)  # nothing to be learned
        forest = RandomForestRegressor(100, random_state=0).fit(X, y)
        honest = out_of_bag(forest, X, np.repeat(np.arange(60), 2))
        assert np.corrcoef(y, out_of_bag(forest, X))[0, 1] > 0.8
        assert np.corrcoef(y, honest)[0, 1] < 0.5
        assert np.isnan(out_of_bag(forest, X, np.zeros(120, int))).all()


def functions_with_groups() -> dict[str, int | None]:
    """Functions of the package that take `groups`, and the place of it among their arguments."""
    found = {}
    for module, tree in modules():
        for node in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            names = [argument.arg for argument in node.args.args]
            if "groups" in (*names, *(argument.arg for argument in node.args.kwonlyargs)):
                place = names.index("groups") if "groups" in names else None
                found[f"{module}.{node.name}"] = place
    return found


def calls_without_groups() -> set[tuple[str, str]]:
    """Module, and function called from it, where one that takes `groups` is not given any."""
    places, found = functions_with_groups(), set()
    for module, tree in modules():
        names = {name.rpartition(".")[2]: name for name in places if name.startswith(f"{module}.")}
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)):
            # Studies are imported from their packages, which re-export them.
            names |= {
                alias.asname or alias.name: name
                for alias in node.names
                for name in places
                if name.startswith(f"{node.module}.") and name.endswith(f".{alias.name}")
            }
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            called = names.get(getattr(node.func, "id", ""))
            keywords = {keyword.arg for keyword in node.keywords}
            if called is None or "groups" in keywords or None in keywords:  # None: ** of a mapping
                continue
            place = places[called]
            if place is None or len(node.args) <= place:
                found.add((module, called))
    return found


@cache
def modules():
    """Name and syntax tree of every module of the package."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        found.append((module.removesuffix(".__init__"), ast.parse(path.read_text("utf-8"))))
    return found


# Studies that leave `groups` to `evaluate`, which takes them from the data set it gets as labels;
# the leak, which is one on purpose; and times of training, of which nothing is scored.
EVALUATE = "latent_nmr.studies.evaluation._study.evaluate"
EXPECTED = {
    ("latent_nmr.studies.noise", EVALUATE),
    ("latent_nmr.studies.settings", EVALUATE),
    ("latent_nmr.analysis.oversampling", "latent_nmr._splits.split_rows"),
    ("latent_nmr.studies.speed.training", "latent_nmr.models.many.fit_many"),
}


class TestEveryCall:
    """The package splits in one place, and nowhere forgets what must stay together."""

    def test_nothing_else_of_the_package_splits(self):
        for path in PACKAGE.rglob("*.py"):
            text = path.read_text("utf-8")
            assert path.name == "_splits.py" or "sklearn.model_selection" not in text, path

    def test_groups_are_passed_on_wherever_they_can_be(self):
        found = {name.rpartition(".")[2] for name in functions_with_groups()}
        assert {"hold_out", "split_rows", "training_split", "fit_many", "evaluate"} <= found
        assert calls_without_groups() == EXPECTED


class Spy(BaseEstimator):
    """Takes part in every study, and notes which rows it is fitted on and asked for."""

    fitted: ClassVar[list] = []
    asked: ClassVar[list] = []

    def fit(self, X, y=None):
        self.shape_ = () if y is None else np.shape(y)[1:]
        self.classes_ = None if y is None else np.unique(y)
        Spy.fitted.append(np.array(X))
        return self

    def _asked(self, X):
        Spy.asked.append((len(Spy.fitted) - 1, np.array(X)))


class SpyTransformer(TransformerMixin, Spy):
    def transform(self, X):
        self._asked(X)
        return np.array(X)[:, :2]


class SpyRegressor(RegressorMixin, Spy):
    def predict(self, X):
        self._asked(X)
        return np.zeros((len(X), *self.shape_))


class SpyClassifier(ClassifierMixin, Spy):
    def predict(self, X):
        self._asked(X)
        return np.full(len(X), self.classes_[0])


@pytest.fixture(scope="module")
def echoes():
    """|M| of 180 curves, every three called repeats of a material; not in the order of these."""
    found = ln.open_echoes(REFERENCE_SET).isel(curve=slice(0, None, 16)).isel(curve=slice(180))
    materials = np.random.default_rng(2).permutation(np.repeat(np.arange(60), 3))
    kernels = found["kernel"].values[materials]
    return found.assign_coords(material=("curve", materials), kernel=("curve", kernels))


@pytest.fixture(scope="module")
def contest():
    return ln.simulate("challenge2021-gauss", 60, n_edge=8, scheme="source", repeats=3)


SMALL: dict[str, Any] = {"n_seeds": 2, "progress": False}
EVALUATED = {**SMALL, "ceiling": False, "n_neighbors": 5}
TINY = ln.BetaVAE(hidden_layer_sizes=(4,), max_epochs=1, min_epoch_steps=1, random_state=0)
# Every study in which something is fitted on a part of the curves.
STUDIES: dict[str, Callable] = {
    "evaluate": lambda ds, _: ln.evaluate(ln.features(ds), ds, SpyTransformer(), **EVALUATED),
    "evaluate, labels as a frame": lambda ds, _: ln.evaluate(
        ln.features(ds), ds[["W", "material"]].to_dataframe(), SpyTransformer(), **EVALUATED
    ),
    "evaluate, groups": lambda ds, _: ln.evaluate(
        ln.features(ds), None, SpyTransformer(), groups=ds["material"].values, **EVALUATED
    ),
    "probe, features": lambda ds, _: ln.probe(
        ds, features=SpyTransformer(), targets="W", regressors="forest", n_trees=3, **SMALL
    ),
    "probe, classifiers": lambda ds, _: ln.probe(
        ds, features="points", targets="kernel", classifiers=SpyClassifier(), n_trees=3,
        n_detail_seeds=0, **SMALL,
    ),
    "probe, regressors": lambda ds, _: ln.probe(
        ds, features="points", targets=("W", "L"), regressors=SpyRegressor(), **SMALL
    ),
    "probe, network": lambda ds, _: ln.probe(
        ds, features="points", targets="W", regressors="network", network=SpyRegressor(), **SMALL
    ),
    "challenge": lambda _, ds: ln.challenge("2021-gauss", ds, models=SpyRegressor(), **SMALL),
}  # fmt: skip


class TestStudies:
    """What is fitted and what is scored, as an estimator in the study sees it."""

    @pytest.mark.parametrize("study", STUDIES)
    def test_no_study_scores_a_curve_of_a_material_that_it_fitted_on(self, study, echoes, contest):
        Spy.fitted, Spy.asked = [], []
        STUDIES[study](echoes, contest)
        dataset = contest if study == "challenge" else echoes
        assert Spy.fitted
        for fitted, asked in Spy.asked:
            known = rows_in(dataset, Spy.fitted[fitted])
            rows = np.setdiff1d(rows_in(dataset, asked), known)
            assert not are_torn(dataset["material"].values, known, rows), study
        assert any(
            len(np.setdiff1d(rows_in(dataset, asked), rows_in(dataset, Spy.fitted[fitted])))
            for fitted, asked in Spy.asked
        )

    def test_early_stopping_is_by_materials_of_its_own(self, echoes):
        X, materials = ln.features(echoes), echoes["material"].values
        problem, regressor = problem_of(TINY.get_params(), X, materials), ln.CurveRegressor()
        regressor._split(as_groups(materials, len(X)), len(X), None, 0)
        for found in (
            (problem.training_rows, problem.validation_rows),
            (regressor.training_rows_, regressor.validation_rows_),
        ):
            assert not are_torn(materials, *found)
            assert sorted(np.concatenate(found).tolist()) == list(range(len(X)))
            assert len(found[1]) < len(X) / 4

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "fit",
        [
            lambda ds: ln.train(ds, model=TINY, progress=False).model,
            lambda ds: TINY.fit(ln.features(ds), groups=ds["material"].values),
            lambda ds: ln.fit_many(
                ln.features(ds), seeds=[3], model=TINY, groups=ds["material"].values
            )[0],
            lambda ds: ln.CurveRegressor((4,), max_epochs=1, random_state=0).fit(
                ln.features(ds), ds["W"].values, groups=ds["material"].values
            ),
        ],
        ids=["train", "BetaVAE.fit", "fit_many", "CurveRegressor.fit"],
    )
    def test_no_training_tears_a_material(self, fit, echoes):
        model = fit(echoes)
        rows = model.training_rows_, model.validation_rows_
        assert not are_torn(echoes["material"].values, *rows)

    @pytest.mark.slow
    def test_models_of_an_evaluation_are_told_the_materials(self, echoes, tmp_path):
        ways = {**EVALUATED, "n_seeds": 1, "folder": tmp_path}
        ln.evaluate(ln.features(echoes), echoes, {"mine": TINY}, metadata={"time_us": []}, **ways)
        [path] = (tmp_path / "models").iterdir()
        model = ln.BetaVAE.load(path)
        held = hold_out(180, echoes["kernel"].values, groups=echoes["material"].values).fitted
        own = echoes["material"].values[held]
        assert not are_torn(own, model.training_rows_, model.validation_rows_)

    @pytest.mark.slow
    def test_settings_and_noise_score_new_materials(self, echoes):
        """They have splits of their own, which `evaluate` checks."""
        X, labels = ln.features(echoes), {"W": echoes["W"].values}
        own = echoes["material"].values
        split = hold_out(len(X), echoes["kernel"].values, groups=own)
        titles = [t for t, _ in compare_settings(X, labels, {}, split, n_seeds=1, groups=own)]
        assert titles[-1] == "shuffled labels"
        ways = {"hidden_layer_sizes": (4,), "max_epochs": 1, "min_epoch_steps": 1}
        score_setting(echoes, ways, n_components=2, n_seeds=1)
        both = echoes.assign(mx=0 * echoes["magnitude"], my=echoes["magnitude"])
        evaluate_noise(both.drop_vars("magnitude"), [20], methods="pca", n_seeds=1)

    def test_a_split_that_tears_a_material_is_refused(self, echoes):
        rows = np.arange(180)
        with pytest.raises(ln.InputError, match=r"split must keep the curves of a material"):
            ln.evaluate(
                ln.features(echoes), echoes, "pca", split=(rows[:90], rows[90:]), **EVALUATED
            )

    def test_a_repeat_of_a_curve_that_a_model_saw_is_not_new_to_it(self, echoes):
        X, materials = ln.features(echoes), echoes["material"].values
        model: Any = SimpleNamespace(
            metadata_=note_curves(X[:100]),
            training_rows_=np.arange(0, 80),
            validation_rows_=np.arange(80, 100),
        )
        alone, together = training_split(model, X), training_split(model, X, materials)
        seen = siblings(np.arange(100), as_groups(materials, 180))
        assert set(alone[100:]) == {"new"}
        assert len(seen) > 100
        assert set(together[seen]) == {"training", "validation"}
        assert set(np.delete(together, seen)) <= {"new"}
        assert set(together[:80]) == {"training"}


def rows_in(dataset, X) -> np.ndarray:
    """Rows of a data set whose features, of a study of echoes or of the challenge, are `X`."""
    own = ln.features(dataset) if "magnitude" in dataset else inputs_of(GAUSS, dataset, RECORD)
    known = {row.tobytes(): number for number, row in enumerate(own)}
    return np.unique([known[row.tobytes()] for row in np.asarray(X, np.float32)])
