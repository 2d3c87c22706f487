"""Estimators that keep to `fit` and `transform` or `predict` alone: every study takes them."""

import re

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

import latent_nmr as ln
from latent_nmr.models.baselines import PCABaseline
from latent_nmr.studies._ledger import Ledger
from latent_nmr.studies.evaluation._fits import Fit
from latent_nmr.studies.evaluation._methods import methods_of
from latent_nmr.studies.evaluation._parts import divide
from latent_nmr.studies.evaluation._scores import Scorer
from latent_nmr.studies.stores import REFERENCE_SET

FITS = {"ceiling": False, "n_neighbors": 5, "n_seeds": 1, "progress": False}
PROBE = {"targets": "W", "n_seeds": 1, "held_out": 0.3, "n_jobs": 1, "progress": False}


@pytest.fixture(scope="module")
def echoes():
    return ln.open_echoes(REFERENCE_SET).isel(curve=slice(0, None, 29))


@pytest.fixture(scope="module", name="X")
def features(echoes):
    return ln.features(echoes)


@pytest.fixture(scope="module")
def contest():
    return ln.simulate("challenge2021-gauss", 40, n_edge=8, scheme="source")


class Bare(TransformerMixin):
    """Mean and spread of a curve; no BaseEstimator, so neither clone nor get_params."""

    def fit(self, X, y=None):  # noqa: ARG002
        self.mean = X.mean(axis=0)
        return self

    def transform(self, X):
        return np.stack([(X - self.mean).mean(axis=1), X.std(axis=1)], axis=1)


class Silent(BaseEstimator, Bare):
    """Its `fit` returns nothing."""

    def fit(self, X, y=None):
        super().fit(X, y)


class Telling(Bare):
    """Its `fit` returns what it has to tell: a history, as networks have one."""

    def fit(self, X, y=None):
        super().fit(X, y)
        return {"loss": [0.5, 0.25]}


class Sparse(Bare):
    """Its coordinates are a sparse matrix."""

    def transform(self, X):
        return csr_array(super().transform(X))


class Overwriting(Bare):
    """It writes into what it is given."""

    def fit(self, X, y=None):
        super().fit(X, y)
        X[:] = 0
        return self

    def transform(self, X):
        found = super().transform(X)
        X[:] = 0
        return found


class Opening(Bare):
    """It needs a file that is not there."""

    def fit(self, X, y=None):  # noqa: ARG002
        return open("/no/such/file")  # noqa: PTH123


class Widening(Bare):
    """It has a column more for few curves."""

    def transform(self, X):
        return X[:, : 2 if len(X) > 50 else 3]


class Overflowing(Bare):
    """Its values are finite, their squares are not."""

    def transform(self, X):
        return np.asarray(X[:, :2], float) * 1e160


class Plain:
    """Nearest neighbours; neither clone nor get_params, and `fit` returns nothing."""

    kind = KNeighborsRegressor

    def fit(self, X, y):
        self.model = self.kind(3).fit(X.copy(), y.copy())
        X[:], y[:] = 0, y[0]

    def predict(self, X):
        found = self.model.predict(X).tolist()
        X[:] = 0
        return found


class PlainClassifier(Plain):
    """The same for classes."""

    kind = KNeighborsClassifier


class Shy(Plain):
    """A copy of it cannot be made."""

    def __deepcopy__(self, memo):
        raise TypeError("it cannot be copied")


@pytest.mark.parametrize("kind", [Bare, Silent, Telling, Sparse, Overwriting])
class TestTransformers:
    """What they return is the same, so every score is."""

    def test_they_are_evaluated(self, kind, X, echoes):
        found, usual = (ln.evaluate(X, echoes, {"a": one}, **FITS) for one in (kind(), Bare()))
        values = [r.records.query("score != 'fit_seconds'")["value"] for r in (found, usual)]
        assert len(values[0]) > 10
        assert values[0].equals(values[1])
        assert not found.failures

    def test_they_are_probed(self, kind, echoes):
        models = {"ridge": Ridge()}
        found, usual = (
            ln.probe(echoes, features={"a": one}, regressors=models, **PROBE)
            for one in (kind(), Bare())
        )
        assert len(found.records) > 3
        assert found.records["value"].equals(usual.records["value"])
        assert not found.failures


class TestRegressors:
    """So are those that predict."""

    def test_a_probe_takes_regressors_and_classifiers(self, echoes):
        settings = PROBE | {"targets": ("W", "kernel"), "n_detail_seeds": 0, "features": "pca"}
        plain, usual = (
            ln.probe(echoes, regressors={"r": one}, classifiers={"c": other}, **settings)
            for one, other in (
                (Plain(), PlainClassifier()),
                (KNeighborsRegressor(3), KNeighborsClassifier(3)),
            )
        )
        assert {"r", "c"} <= set(plain.records["model"])
        assert plain.records["value"].equals(usual.records["value"])
        assert not plain.failures

    def test_a_probe_takes_such_a_network(self, echoes):
        settings = PROBE | {"features": "pca", "regressors": "network"}
        plain, usual = (
            ln.probe(echoes, network=one, **settings) for one in (Plain(), KNeighborsRegressor(3))
        )
        assert plain.records["value"].equals(usual.records["value"])

    def test_the_challenge_takes_them_and_names_those_that_cannot_be_copied(self, contest):
        models = {"usual": KNeighborsRegressor(3), "plain": Plain(), "shy": Shy()}
        also = {"again": contest}
        found = ln.challenge("2021-gauss", contest, models=models, n_seeds=1, also=also)
        assert [(one["model"], one["seed"]) for one in found.failures] == [("shy", 0)]
        assert "TypeError: it cannot be copied" in found.failures[0]["reason"]
        own = found.records[found.records["score"] != "seconds"]
        values = {name: rows["value"].tolist() for name, rows in own.groupby("model")}
        assert values["plain"] == values["usual"]
        assert len(values["usual"]) == 16


class TestFailures:
    """Whatever is wrong with one is said of it alone."""

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            (Widening, "as many columns for all curves, but returned 2 for the training part, 3"),
            (Overflowing, "squared distances are finite in float64, but returned values up to"),
            (Opening, "FileNotFoundError: .*/no/such/file"),
        ],
    )
    def test_the_others_of_an_evaluation_are_scored(self, kind, reason, X, echoes, tmp_path):
        methods = {"bad": kind(), "PCA": PCA(2)}
        found = ln.evaluate(X, echoes, methods, folder=tmp_path, **FITS)
        assert "PCA" in found.table.index
        ((model, text),) = [(one["model"], one["reason"]) for one in found.failures]
        assert model == "bad"
        assert re.search(reason, text)

    def test_coordinates_that_a_score_cannot_be_made_of_are_named(self, X, echoes):
        ways = {"held_out": 0.2, "split_seed": 0, "split": None, "n_neighbors": 5}
        material = divide(X, echoes, None, **ways, groups=None)
        good, bad = methods_of({"good": PCA(2), "bad": PCA(3)}, None, 2, 1)
        fits = [
            Fit(one, 0, {f"part/{part}": rows[:, :width] for part, rows in material.curves.items()})
            for one, width in ((good, 2), (bad, 3))
        ]
        fits[1].arrays["part/held-out"] = fits[1].arrays["part/held-out"][:, :2]
        steps, failures = [], []
        scorer = Scorer(material, Ledger(None, {}), 5, steps.append)
        scored = scorer.complete(fits, lambda *failure: failures.append(failure))
        assert scored == fits[:1]
        assert {one["model"] for one in scorer.records(scored, "held-out")} == {"good", "shuffled"}
        ((fit, error, reason),) = failures
        assert fit is fits[1]
        assert reason.startswith("scores of the held-out part: ValueError: ")
        assert str(error) in reason

    def test_the_others_of_a_probe_are_scored(self, echoes, tmp_path):
        features = {"bad": Opening(), "mine": Bare()}
        models = {"ridge": Ridge()}
        found = ln.probe(echoes, features=features, regressors=models, folder=tmp_path, **PROBE)
        assert set(found.records["features"]) == {"mine"}
        assert ["FileNotFoundError" in one["reason"] for one in found.failures] == [True]


class TestForms:
    """One, several, with names or without: the same for every study."""

    @pytest.mark.parametrize(
        ("given", "names"),
        [
            (Bare(), ["Bare"]),
            ([Bare()], ["Bare"]),
            ((Bare(), "pca"), ["Bare", "pca"]),
            ([Bare(), Silent(), Bare()], ["Bare-1", "Silent", "Bare-2"]),
            ({"mine": Bare(), "again": "pca"}, ["mine", "again"]),
            ("pca", ["pca"]),
        ],
    )
    def test_what_is_not_named_goes_by_its_class(self, given, names, X, echoes):
        found = ln.evaluate(X, echoes, given, **FITS)
        models = dict.fromkeys(found.records.query("role == 'method'")["model"])
        assert list(models) == names
        models = {"ridge": Ridge()}
        found = ln.probe(echoes, features=given, regressors=models, **PROBE)
        assert list(dict.fromkeys(found.records["features"])) == names

    @pytest.mark.parametrize("models", [Plain(), [Plain()], (Plain(),)])
    def test_so_it_does_where_something_is_predicted(self, models, echoes, contest):
        found = ln.challenge("2021-gauss", contest, models=models, n_seeds=1)
        assert set(found.records["model"]) == {"Plain"}
        found = ln.probe(echoes, features="pca", regressors=models, **PROBE)
        assert set(found.records["model"]) == {"Plain"}

    def test_fitted_models_may_come_alone(self, X, echoes):
        found = ln.evaluate(X, echoes, {}, fitted=PCABaseline(2).fit(X), **FITS)
        assert "PCABaseline" in found.table.index

    @pytest.mark.parametrize("given", [3, [3], {"mine": 3}, PCA, None, {"mine": None}])
    def test_what_is_none_is_one_clear_error(self, given, X, echoes, contest):
        calls = {
            "methods": lambda: ln.evaluate(X, echoes, given, **FITS),
            "features": lambda: ln.probe(echoes, features=given, **PROBE),
            "regressors": lambda: ln.probe(echoes, regressors=given, **PROBE),
            "classifiers": lambda: ln.probe(echoes, classifiers=given, **PROBE),
            "models": lambda: ln.challenge("2021-gauss", contest, models=given),
        }
        for name, call in calls.items():
            with pytest.raises(ln.InputError, match=rf"^{name} must be .* with fit and "):
                call()
