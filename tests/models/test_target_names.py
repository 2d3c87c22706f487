"""Names of targets, and coordinates of arrays of xarray: kept, and another order is refused."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.models.persistence import ModelFileError
from latent_nmr.models.targetwise import winners_pipeline

N_ROWS, N_COLUMNS = 40, 12
X = np.random.default_rng(0).random((N_ROWS, N_COLUMNS))
Y = pd.DataFrame({"W": X[:, 0], "L": 100 * X[:, 1]})
TIME = 168 + 0.16 * np.arange(N_COLUMNS)
CURVES = xr.DataArray(X, dims=("curve", "time"), coords={"time": TIME})
CURVES["time"].attrs["units"] = "µs"
LABELS = xr.Dataset({name: ("curve", Y[name]) for name in Y})


def regressor():
    return ln.CurveRegressor(hidden_layer_sizes=(4,), max_epochs=1, random_state=0)


def reloaded(model, path):
    model.save(path)
    return type(model).load(path)


class Polars:
    """A frame and a series as polars has them: names, no index."""

    def __init__(self, columns):
        self.columns, self.frame = list(columns), columns

    def __array__(self, dtype=None, copy=None):
        return self.frame.to_numpy(dtype)


NAMED = {
    "frame": Y,
    "other library": Polars(Y),
    "array": LABELS.to_array("label").T,
    "array, curves last": LABELS.to_array("label"),
}
TURNED = {
    "frame": Y[["L", "W"]],
    "other library": Polars(Y[["L", "W"]]),
    "array": LABELS[["L", "W"]].to_array("label").T,
    "array, curves last": LABELS[["L", "W"]].to_array("label"),
}
ONE = {"series": Y["W"], "frame": Y[["W"]], "array": LABELS["W"]}


@pytest.fixture(scope="module")
def fitted():
    return regressor().fit(X, Y)


class TestTargets:
    """Targets of regressors."""

    @pytest.mark.parametrize("form", NAMED)
    def test_any_form_of_them_is_learned_by_name(self, fitted, form):
        model = regressor().fit(X, NAMED[form])
        assert list(model.target_names_) == ["W", "L"]
        assert np.array_equal(model.predict(X), fitted.predict(X))

    @pytest.mark.parametrize("form", NAMED)
    def test_another_order_is_refused_before_and_after_saving(self, fitted, form, tmp_path):
        for model in (fitted, reloaded(fitted, tmp_path / "model")):
            expected = fitted.score(X, Y.to_numpy())
            assert model.score(X, NAMED[form]) == pytest.approx(expected, rel=1e-12)
            with pytest.raises(ln.InputError, match="y must have the columns W, L, in this order"):
                model.score(X, TURNED[form])

    def test_other_names_and_other_numbers_of_them_are_refused(self, fitted):
        for other in (Y.rename(columns={"L": "ξ"}), Y.assign(p=1), Y[["W"]]):
            with pytest.raises(ln.InputError, match="y must have the columns W, L"):
                fitted.score(X, other)

    @pytest.mark.parametrize("form", ONE)
    def test_a_single_target_has_a_name(self, form):
        model = regressor().fit(X, ONE[form])
        assert list(model.target_names_) == ["W"]
        assert model.score(X, Y["W"]) == model.score(X, Y["W"].to_numpy())
        with pytest.raises(ln.InputError, match=r"y must have the columns W, .* but has L"):
            model.score(X, Y["L"])

    @pytest.mark.parametrize(
        "y",
        [Y.to_numpy(), pd.DataFrame(Y.to_numpy()), Y["W"].rename(None), Y.to_numpy().tolist(),
         xr.DataArray(Y.to_numpy())],
    )  # fmt: skip
    def test_targets_without_names_say_nothing_of_their_order(self, fitted, y):
        model = regressor().fit(X, Y).fit(X, y)  # those of an earlier fit are forgotten
        assert not hasattr(model, "target_names_")
        assert model.score(X, Y if np.ndim(y) == 2 else Y["W"]) < 1
        if np.ndim(y) == 2:
            assert fitted.score(X, y) == pytest.approx(fitted.score(X, Y), rel=1e-12)

    def test_names_that_are_not_distinct_are_refused(self):
        with pytest.raises(ln.InputError, match="y must have columns of distinct names"):
            regressor().fit(X, Y.set_axis(["W", "W"], axis=1))

    @pytest.mark.parametrize("y", [dict(Y), LABELS], ids=["dict", "Dataset"])
    def test_mappings_are_refused_with_the_cure(self, fitted, y):
        for call in (regressor().fit, fitted.score):
            with pytest.raises(ln.InputError, match=r"y must be an array or a data frame.*Give "):
                call(X, y)

    def test_the_regressor_of_one_model_per_target_knows_them_too(self):
        model = winners_pipeline(["alpha", "p"], N_COLUMNS).fit(X, Y)
        assert list(model.target_names_) == ["W", "L"]
        assert model.score(X, Y) == model.score(X, Y.to_numpy())
        with pytest.raises(ln.InputError, match="y must have the columns W, L"):
            model.score(X, Y[["L", "W"]])

    def test_the_card_has_them(self, fitted, tmp_path):
        assert reloaded(fitted, tmp_path / "model").card()["target_names"] == ["W", "L"]
        assert regressor().fit(X, Y.to_numpy()).card()["target_names"] is None

    @pytest.mark.parametrize("names", [["W"], ["W", "W"], ["W", 1], "WL", [], None])
    def test_damaged_names_are_refused(self, fitted, names, tmp_path):
        fitted.save(tmp_path / "model")
        change_card(tmp_path / "model", "target_names", names)
        with pytest.raises(ModelFileError, match="damaged"):
            ln.CurveRegressor.load(tmp_path / "model")


def change_card(folder, entry, value):
    path = folder / "model.json"
    card = json.loads(path.read_text("utf-8"))
    assert entry in card["fitted"]
    card["fitted"][entry] = value
    path.write_text(json.dumps(card), "utf-8")


def vae():
    return ln.BetaVAE(2, hidden_layer_sizes=(4,), max_epochs=1, scale=0.2, random_state=0)


MAKERS = {
    "vae": vae,
    "regressor": regressor,
    "pca": lambda: ln.PCABaseline(2),
    "kmeans": lambda: ln.KMeansBaseline(2, random_state=0),
    "polynomials": lambda: ln.SectionPolynomials((2,)),
    "features": lambda: ln.EchoFeatures(window="full"),
    "features with times": lambda: ln.EchoFeatures(TIME, window="full"),
}
# The same columns, said otherwise.
EQUAL = {
    "itself": CURVES,
    "transposed": CURVES.T,
    "single precision": CURVES.assign_coords(time=TIME.astype(np.float32)),
    "timedelta64": CURVES.assign_coords(time=pd.to_timedelta(TIME, unit="us")),
    "nanoseconds": CURVES.assign_coords(time=("time", 1e3 * TIME, {"units": "ns"})),
    "plain": xr.DataArray(X, dims=("curve", "time")),
    "no xarray": X,
}
OTHER = {
    "reversed": CURVES[:, ::-1],
    "reversed and transposed": CURVES[:, ::-1].T,
    "stretched": CURVES.assign_coords(time=2 * CURVES["time"]),
    "one sample off": CURVES.assign_coords(time=TIME + 0.16),
    "nanoseconds": CURVES.assign_coords(time=1e3 * TIME),
    "swapped": CURVES.isel(time=[1, 0, *range(2, N_COLUMNS)]),
}


def result(model, rows):
    return np.asarray(model.transform(rows) if hasattr(model, "transform") else model.predict(rows))


@pytest.fixture(scope="module")
def on_curves():
    def fit(make):
        model = make()
        return model.fit(CURVES, Y) if hasattr(model, "saliency") else model.fit(CURVES)

    return {name: fit(make) for name, make in MAKERS.items()}


class TestCoordinates:
    """Coordinates along the columns of an array of xarray."""

    @pytest.mark.parametrize("form", EQUAL)
    @pytest.mark.parametrize("name", MAKERS)
    def test_the_same_columns_are_taken(self, on_curves, name, form):
        model = on_curves[name]
        assert np.array_equal(model.coordinate_in_, TIME)
        assert np.array_equal(result(model, EQUAL[form]), result(model, X))

    @pytest.mark.parametrize("form", OTHER)
    @pytest.mark.parametrize("name", MAKERS)
    def test_others_are_refused(self, on_curves, name, form):
        with pytest.raises(ln.InputError, match="X must have the coordinate time of the fit"):
            result(on_curves[name], OTHER[form])

    @pytest.mark.parametrize("name", ["vae", "regressor"])
    def test_files_keep_them(self, on_curves, name, tmp_path):
        loaded = reloaded(on_curves[name], tmp_path / "model")
        assert np.array_equal(loaded.coordinate_in_, TIME)
        with pytest.raises(ln.InputError, match="coordinate time"):
            result(loaded, OTHER["reversed"])
        for value in (list(TIME[1:]), ["a"] * N_COLUMNS, None):
            change_card(tmp_path / "model", "coordinate", value)
            with pytest.raises(ModelFileError, match="damaged"):
                type(loaded).load(tmp_path / "model")

    def test_a_fit_without_them_forgets_them(self):
        model = ln.PCABaseline(2).fit(CURVES).fit(X)
        assert not hasattr(model, "coordinate_in_")
        assert result(model, OTHER["reversed"]).shape == (N_ROWS, 2)

    def test_models_that_are_fitted_together_know_them(self):
        for model in ln.fit_many(CURVES, seeds=[0, 1], model=vae()):
            assert np.array_equal(model.coordinate_in_, TIME)

    def test_echo_features_compare_them_with_their_times(self):
        with pytest.raises(ln.InputError, match="coordinate time of the fit, but in column 0"):
            ln.EchoFeatures(TIME, window="full").fit(OTHER["reversed"])

    @pytest.mark.parametrize("name", MAKERS)
    def test_text_along_the_columns_is_like_names_of_a_frame(self, name):
        names = [f"{time:.1f} µs" for time in TIME]
        labelled = CURVES.assign_coords(time=names)
        model = MAKERS[name]()
        model = model.fit(labelled, Y) if hasattr(model, "saliency") else model.fit(labelled)
        assert list(model.feature_names_in_) == names
        with pytest.raises(ValueError, match="feature names should match"):
            result(model, labelled[:, ::-1])

    @pytest.mark.parametrize("curves", ["a", "number"])
    def test_curves_may_be_named(self, curves):
        names = [f"curve {n}" for n in range(N_ROWS)] if curves == "a" else np.arange(N_ROWS)[::-1]
        named = CURVES.assign_coords(curve=names)
        expected = result(ln.PCABaseline(2).fit(X), X)
        assert np.array_equal(result(ln.PCABaseline(2).fit(named.T), named), expected)

    def test_a_data_set_is_refused_with_the_cure(self, on_curves):
        for model in on_curves.values():
            with pytest.raises(ln.InputError, match=r"X must be an array.*latent_nmr\.features"):
                result(model, xr.Dataset({"mx": CURVES}))


BACK = [name for name in MAKERS if hasattr(MAKERS[name](), "inverse_transform")]


@pytest.mark.parametrize("name", BACK)
def test_the_way_back_minds_names_of_axes(on_curves, name):
    model = on_curves[name]
    Z = result(model, X)
    names = model.get_feature_names_out()
    expected = model.inverse_transform(Z)
    named = xr.DataArray(Z, dims=("curve", "axis"), coords={"axis": names.astype(str)})
    for form in (named, named.T, named.drop_vars("axis")):
        assert np.array_equal(model.inverse_transform(form), expected)
    with pytest.raises(ln.InputError, match=r"must have the columns .* in this order"):
        model.inverse_transform(named[:, ::-1])
    # Numbers are in order, or say that they are not.
    numbered = named.assign_coords(axis=np.arange(len(names)) + 1.0)
    if not name.startswith("features"):
        assert np.array_equal(model.inverse_transform(numbered), expected)
    with pytest.raises(ln.InputError, match="in order, but the coordinate axis goes"):
        model.inverse_transform(numbered[:, ::-1])


def test_features_go_back_on_their_own_times_only(on_curves):
    model = on_curves["features with times"]
    Z = xr.DataArray(result(model, X), dims=("curve", "time"), coords={"time": TIME})
    assert model.inverse_transform(Z).shape == X.shape
    with pytest.raises(ln.InputError, match="features must have the coordinate time"):
        model.inverse_transform(Z.assign_coords(time=TIME + 1))
