"""Names of columns: kept by files and models, and another order is refused."""

import json
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.models.persistence import ModelFileError

N_COLUMNS = 12
NAMES = [f"{10 * n} µs" for n in range(N_COLUMNS)]
FRAME = pd.DataFrame(np.random.default_rng(0).random((40, N_COLUMNS)), columns=NAMES)
TURNED = FRAME[NAMES[::-1]]
Y = FRAME.iloc[:, :2].to_numpy()


def vae():
    return ln.BetaVAE(2, hidden_layer_sizes=(4,), max_epochs=1, scale=0.2, random_state=0)


def regressor():
    return ln.CurveRegressor(hidden_layer_sizes=(4,), max_epochs=1, random_state=0)


FITS = {"vae": lambda X: vae().fit(X), "regressor": lambda X: regressor().fit(X, Y)}
BOTH = pytest.mark.parametrize("name", FITS)


@cache
def fitted(name, named=True):
    """Fitted when it is first used: every worker collects every file."""
    return FITS[name](FRAME if named else FRAME.to_numpy())


def read(model, X):
    return model.predict(X) if isinstance(model, ln.CurveRegressor) else model.transform(X)


def saved(model, path):
    model.save(path, {"note": "kept"})
    return type(model).load(path)


def same(a, b):
    """Equality of anything that an estimator may hold."""
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f") and a.dtype == b.dtype
    if isinstance(a, dict):
        return set(a) == set(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b) or (a != a and b != b)


@BOTH
def test_another_order_is_refused_after_loading_as_before(name, tmp_path):
    model = fitted(name)
    loaded = saved(model, tmp_path / "model")
    assert list(loaded.feature_names_in_) == NAMES
    for either in (model, loaded):
        assert same(read(either, FRAME), read(model, FRAME))
        with pytest.raises(ValueError, match="feature names should match"):
            read(either, TURNED)


@BOTH
@pytest.mark.parametrize("named", [True, False], ids=["names", "no names"])
def test_every_fitted_attribute_and_parameter_is_saved(name, named, tmp_path):
    # Only what the caller stores with a model differs; a generator as random_state is not kept,
    # because its state has moved on in the fit.
    model, loaded = fitted(name, named), saved(fitted(name, named), tmp_path / "model")
    ours, theirs = dict(vars(model)), dict(vars(loaded))
    assert ours.pop("metadata_") == {}
    assert theirs.pop("metadata_") == {"note": "kept"}
    assert set(ours) == set(theirs)
    different = [attribute for attribute in ours if not same(ours[attribute], theirs[attribute])]
    assert different == []
    assert same(vars(saved(loaded, tmp_path / "again")), vars(loaded))


@BOTH
def test_records_are_rows_with_names(name):
    model, records = fitted(name), FRAME.to_records(index=False)
    assert same(read(model, records), read(model, FRAME))
    with pytest.raises(ValueError, match="feature names should match"):
        read(model, TURNED.to_records(index=False))
    with pytest.raises(ln.InputError, match=r"^X must be .* but is a dict\. Give pandas"):
        read(model, FRAME.to_dict("records"))


def test_how_results_are_handed_out_is_not_saved(tmp_path):
    model = vae().fit(FRAME).set_output(transform="pandas")
    loaded = saved(model, tmp_path / "model")
    assert isinstance(model.transform(FRAME), pd.DataFrame)
    assert isinstance(loaded.transform(FRAME), np.ndarray)


@BOTH
def test_a_model_of_plain_arrays_has_no_names_and_its_file_is_as_before(name, tmp_path):
    loaded = saved(fitted(name, named=False), tmp_path / "model")
    assert not hasattr(loaded, "feature_names_in_")
    assert (
        "feature_names" not in json.loads((tmp_path / "model" / "model.json").read_text())["fitted"]
    )


@pytest.mark.parametrize(
    "names", [NAMES[1:], [*NAMES[1:], 3], [*NAMES[1:], NAMES[1]], "t", [], None, {"a": 1}]
)
def test_damaged_names_are_refused(names, tmp_path):
    fitted("vae").save(tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    card = json.loads(path.read_text("utf-8"))
    card["fitted"]["feature_names"] = names
    path.write_text(json.dumps(card), "utf-8")
    with pytest.raises(ModelFileError, match="damaged"):
        ln.BetaVAE.load(tmp_path / "model")


@pytest.mark.parametrize("way", ["threads", "vmap"])
def test_models_that_are_fitted_together_know_the_names(way):
    (model,) = ln.fit_many(FRAME, seeds=[0], model=vae(), way=way)
    assert list(model.feature_names_in_) == NAMES


def test_fitting_again_without_names_forgets_them():
    model = vae().fit(FRAME)
    assert not hasattr(model.fit(FRAME.to_numpy()), "feature_names_in_")


TIME = np.arange(600.0)
SIGNAL = 0.5j * (np.exp(-TIME / 50) + np.exp(-(((TIME - 350) / 40) ** 2)))[None].repeat(3, 0)
RECORD = pd.DataFrame(SIGNAL, columns=[f"{t:g} µs" for t in TIME])


class TestEchoFeatures:
    """Columns of a record are its samples: their names are minded as scikit-learn minds them."""

    def test_another_order_is_refused_and_the_same_is_not(self):
        features = ln.EchoFeatures(TIME, echo_time=350).fit(RECORD)
        assert list(features.feature_names_in_) == list(RECORD)
        expected = ln.EchoFeatures(TIME, echo_time=350).fit_transform(SIGNAL)
        assert np.array_equal(features.transform(RECORD), expected)
        with pytest.raises(ValueError, match="feature names should match"):
            features.transform(RECORD[RECORD.columns[::-1]])

    def test_fitting_again_without_names_forgets_them(self):
        features = ln.EchoFeatures(TIME).fit(RECORD).fit(SIGNAL)
        assert not hasattr(features, "feature_names_in_")
        assert features.n_features_in_ == len(TIME)

    @pytest.mark.parametrize("columns", [TIME, pd.to_timedelta(TIME, unit="us")])
    def test_other_times_are_refused_whatever_it_was_fitted_to(self, columns):
        frame = pd.DataFrame(SIGNAL, columns=columns)
        array = xr.DataArray(SIGNAL, dims=("curve", "time"), coords={"time": columns})
        for rows in (SIGNAL, frame):
            features = ln.EchoFeatures(TIME, echo_time=350).fit(rows)
            expected = features.transform(SIGNAL)
            for given in (frame, array):
                assert np.array_equal(features.transform(given), expected)
            for given in (frame.iloc[:, ::-1], array[:, ::-1], array.assign_coords(time=2 * TIME)):
                with pytest.raises(ln.InputError, match=r"must have .* of the fit"):
                    features.transform(given)
        with pytest.raises(ln.InputError, match="X must have the column labels of the fit"):
            ln.EchoFeatures(TIME).fit(frame.iloc[:, ::-1])


LABELS = {
    "numbers": np.arange(N_COLUMNS) * 0.16,
    "time differences": pd.to_timedelta(np.arange(N_COLUMNS), unit="us"),
    "whole numbers from elsewhere": range(100, 100 + N_COLUMNS),
    "whole numbers from 0": range(N_COLUMNS),
    "two levels": pd.MultiIndex.from_product([["a", "b"], range(N_COLUMNS // 2)]),
    "dates": pd.date_range("2026-01-01", periods=N_COLUMNS),
}


@pytest.mark.parametrize("kind", LABELS)
@BOTH
def test_columns_that_are_not_named_by_text_have_an_order_too(name, kind, tmp_path):
    frame = pd.DataFrame(FRAME.to_numpy(), columns=LABELS[kind])
    model = FITS[name](frame)
    for either in (model, saved(model, tmp_path / "model")):
        assert same(read(either, frame), read(fitted(name, named=False), FRAME.to_numpy()))
        with pytest.raises(ValueError, match=r"of the fit, but in column|names should match"):
            read(either, frame.iloc[:, ::-1])


def test_numbers_that_pandas_gives_to_columns_say_nothing_of_their_place():
    values = FRAME.to_numpy()
    usual = ln.PCABaseline(2).fit(pd.DataFrame(values))
    elsewhere = pd.DataFrame(values, columns=range(50, 50 + N_COLUMNS))
    assert same(usual.transform(elsewhere), usual.transform(values))
    cut = ln.PCABaseline(2).fit(elsewhere)
    assert same(cut.transform(pd.DataFrame(values)), usual.transform(values))


class Lazy:
    """A frame that is computed when asked, as dask (`compute`) and polars (`collect`) have it."""

    def __init__(self, frame, verb):
        self.frame, self.verb = frame, verb
        # What tells that it has columns without computing them.
        setattr(self, {"compute": "columns", "collect": "collect_schema"}[verb], frame.columns)
        setattr(self, verb, lambda: frame)

    def __array__(self, dtype=None, copy=None):
        return self.frame.to_numpy(dtype)


REPEATED = FRAME.rename(columns={NAMES[3]: NAMES[1], NAMES[7]: NAMES[1]})


@pytest.mark.parametrize(
    "given",
    [REPEATED, Lazy(REPEATED, "compute"), pa.table(FRAME).rename_columns(list(REPEATED))],
    ids=["pandas", "lazy", "pyarrow"],
)
def test_names_that_several_columns_have_are_refused(given):
    for door in (vae().fit, fitted("vae").transform, ln.PCABaseline(2).fit):
        with pytest.raises(ln.InputError, match="X must have columns of distinct names, but 3 are"):
            door(given)


BACK = {
    "BetaVAE": lambda: fitted("vae"),
    "PCABaseline": lambda: ln.PCABaseline(2).fit(FRAME),
    "RepeatPCA": lambda: ln.RepeatPCA(2).fit(FRAME, groups=np.arange(len(FRAME)) // 2),
    "KMeansBaseline": lambda: ln.KMeansBaseline(2).fit(FRAME),
    "SectionPolynomials": lambda: ln.SectionPolynomials((2,)).fit(FRAME),
    "EchoFeatures": lambda: ln.EchoFeatures(TIME).fit(RECORD),
    "both channels": lambda: ln.EchoFeatures(TIME, part="both").fit(RECORD),
}


def test_every_estimator_with_a_way_back_is_here():
    every = [getattr(ln, name) for name in ln.__all__]
    named = {x.__name__ for x in every if isinstance(x, type) and hasattr(x, "inverse_transform")}
    assert named == {*BACK} - {"both channels"}


@pytest.mark.parametrize("name", BACK)
def test_the_way_back_minds_names_too(name):
    model = BACK[name]()
    Z = model.transform(RECORD if isinstance(model, ln.EchoFeatures) else FRAME)
    named = pd.DataFrame(np.asarray(Z), columns=model.get_feature_names_out())
    expected = model.inverse_transform(np.asarray(Z))
    assert np.array_equal(model.inverse_transform(named), expected)
    unnamed = pd.DataFrame(np.asarray(Z))  # columns 0, 1, …: nothing is said of their order
    assert np.array_equal(model.inverse_transform(unnamed), expected)
    with pytest.raises(ln.InputError, match=r"must have the columns .* in this order, but has"):
        model.inverse_transform(named[named.columns[::-1]])
    with pytest.raises(ln.InputError, match="must have the columns"):
        model.inverse_transform(named.rename(columns={named.columns[0]: "other"}))


LAZY_TAKERS = {
    "vae": vae,
    "pca": lambda: ln.PCABaseline(2),
    "kmeans": lambda: ln.KMeansBaseline(2, random_state=0),
    "polynomial": lambda: ln.SectionPolynomials((2,)),
    "features": lambda: ln.EchoFeatures(np.arange(N_COLUMNS) * 0.16, "full", echo_time=0.64),
}


@pytest.mark.parametrize("verb", ["compute", "collect"])
@pytest.mark.parametrize("name", LAZY_TAKERS)
def test_a_lazy_frame_has_names_too(name, verb):
    model = LAZY_TAKERS[name]().fit(Lazy(FRAME, verb))
    assert list(model.feature_names_in_) == NAMES
    assert same(np.asarray(model.transform(Lazy(FRAME, verb))), np.asarray(model.transform(FRAME)))
    with pytest.raises(ValueError, match="feature names should match"):
        model.transform(Lazy(TURNED, verb))


def test_lazy_targets_and_labels_are_computed():
    lazy = Lazy(FRAME, "compute")
    assert same(regressor().fit(lazy, Y).predict(lazy), read(fitted("regressor"), FRAME))
    settings = {"ceiling": False, "n_neighbors": 3, "progress": False}
    labels = pd.DataFrame({"W": FRAME[NAMES[0]], "kind": ["a", "b"] * 20})
    tables = [
        ln.evaluate(FRAME.to_numpy(), given, ["pca"], **settings).table
        for given in (labels, Lazy(labels, "compute"), Lazy(labels, "collect"))
    ]
    timeless = [table.drop(columns=[c for c in table if "fit_seconds" in c]) for table in tables]
    pd.testing.assert_frame_equal(timeless[1], timeless[0])
    pd.testing.assert_frame_equal(timeless[2], timeless[0])


@pytest.mark.parametrize(
    ("make", "changes"),
    [
        (
            lambda: ln.EchoFeatures(np.arange(N_COLUMNS) * 0.16, "full", echo_time=0.64),
            [
                {"part": "both"},
                {"part": "complex"},
                {"normalisation": "window_max"},
                {"time": None},
            ],
        ),
        (
            lambda: ln.SectionPolynomials((2,)),
            [{"degree": 1}, {"sample_interval": 1.0}, {"sections": (3,)}],
        ),
    ],
    ids=["features", "polynomials"],
)
def test_parameters_changed_after_the_fit_change_the_next_one_only(make, changes):
    values = FRAME.to_numpy()
    for change in changes:
        model = make().fit(values)
        before, names = model.transform(values), model.get_feature_names_out()
        drawn = model.inverse_transform(before)
        model.set_params(**change)
        assert same(model.transform(values), before), change
        assert list(model.get_feature_names_out()) == list(names), change
        assert same(model.inverse_transform(before), drawn), change


@pytest.mark.parametrize("name", LAZY_TAKERS)
def test_an_array_with_named_dimensions_has_curves_as_rows(name):
    named = xr.DataArray(FRAME.to_numpy(), dims=("curve", "time"))
    model = LAZY_TAKERS[name]().fit(named.T)
    assert model.n_features_in_ == N_COLUMNS
    plain = np.asarray(LAZY_TAKERS[name]().fit_transform(FRAME.to_numpy()))
    assert same(np.asarray(model.transform(named.T)), plain)
    assert same(np.asarray(model.transform(named)), plain)
