"""Masked values are refused wherever arrays enter: what lies under a mask was not measured."""

from collections import deque
from functools import cache

import jax
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr

import latent_nmr as ln

N_CURVES, N_SAMPLES = 40, 12
X = np.random.default_rng(0).random((N_CURVES, N_SAMPLES)).astype(np.float32)
Y = X[:, :2].astype(np.float64)
SEQUENCE = ln.spin_echo(dt=0.2, pulse_spacing=10, n_samples=31)
TIME = np.arange(600.0)
SIGNAL = 0.5j * (np.exp(-TIME / 50) + np.exp(-(((TIME - 350) / 40) ** 2)))[None].repeat(3, 0)


def small_vae():
    return ln.BetaVAE(2, hidden_layer_sizes=(4,), max_epochs=1, scale=0.2, random_state=0)


FITS = {
    "vae": lambda: small_vae().fit(X),
    "pca": lambda: ln.PCABaseline(2).fit(X),
    "kmeans": lambda: ln.KMeansBaseline(3).fit(X),
    "polynomials": lambda: ln.SectionPolynomials((2,)).fit(X),
    "regressor": lambda: ln.CurveRegressor(hidden_layer_sizes=(4,), max_epochs=1).fit(X, Y),
    "echo": lambda: ln.EchoFeatures(TIME, echo_time=350).fit(SIGNAL),
}
Z = X[:, :2]


@cache
def fitted(name):
    """Fitted when it is first used: every worker collects every file."""
    return FITS[name]()


def method(name, verb):
    """A method of a fitted model."""
    return lambda values: getattr(fitted(name), verb)(values)


def masked(values, share=True):
    """The values with garbage under a mask at one entry."""
    found = np.ma.masked_array(np.array(values))
    place = tuple(n // 2 for n in found.shape)
    found[place] = 7
    if share:
        found[place] = np.ma.masked
    return found


def lattices(**given):
    fields = {
        "frequencies": np.zeros((2, 4, 4)),
        "kernel_tables": np.zeros((2, 4, 4)),
        "couplings": np.full((2, 3), 0.01),
        "decay_rate": np.zeros(2),
    }
    return ln.simulate_lattices(**(fields | given), sequence=SEQUENCE)


def curve_of(frequencies):
    near = ln.curve_inputs((0.05, 0.05, 0.1), 2.0, SEQUENCE)
    return ln.curve_function(frequencies, "gaussian", SEQUENCE, near=near, step=5)


def echoes():
    dataset = ln.load_reference(3)
    return dataset.assign(mx=dataset["magnitude"], my=0 * dataset["magnitude"])


# Name in the message, plain values, what takes them.
DOORS = {
    "BetaVAE.fit": ("X", X, lambda v: small_vae().fit(v)),
    "BetaVAE.transform": ("X", X, method("vae", "transform")),
    "BetaVAE.score": ("X", X, method("vae", "score")),
    "BetaVAE.inverse_transform": ("Z", Z, method("vae", "inverse_transform")),
    "PCABaseline.fit": ("X", X, lambda v: ln.PCABaseline(2).fit(v)),
    "PCABaseline.transform": ("X", X, method("pca", "transform")),
    "PCABaseline.inverse_transform": ("Z", Z, method("pca", "inverse_transform")),
    "KMeansBaseline.fit": ("X", X, lambda v: ln.KMeansBaseline(2).fit(v)),
    "KMeansBaseline.transform": ("X", X, method("kmeans", "transform")),
    "KMeansBaseline.predict": ("X", X, method("kmeans", "predict")),
    "UMAPBaseline.fit": ("X", X, lambda v: ln.UMAPBaseline(2).fit(v)),
    "SectionPolynomials.fit": ("X", X, lambda v: ln.SectionPolynomials((2,)).fit(v)),
    "SectionPolynomials.transform": ("X", X, method("polynomials", "transform")),
    "CurveRegressor.fit X": ("X", X, lambda v: ln.CurveRegressor().fit(v, Y)),
    "CurveRegressor.fit y": ("y", Y, lambda v: ln.CurveRegressor().fit(X, v)),
    "CurveRegressor.predict": ("X", X, method("regressor", "predict")),
    "CurveRegressor.saliency": ("X", X, method("regressor", "saliency")),
    "CurveRegressor.score": ("y", Y, lambda v: fitted("regressor").score(X, v)),
    "EchoFeatures.fit": ("X", SIGNAL, lambda v: ln.EchoFeatures(TIME).fit(v)),
    "EchoFeatures.transform": ("X", SIGNAL, method("echo", "transform")),
    "EchoFeatures.time": ("time", TIME, lambda v: ln.EchoFeatures(v).fit(SIGNAL)),
    "fit_many": ("X", X, lambda v: ln.fit_many(v, seeds=[0], model=small_vae())),
    "evaluate X": ("X", X, lambda v: ln.evaluate(v, {"W": Y[:, 0]}, ("pca",), n_seeds=1)),
    "evaluate labels": (
        "label W",
        Y[:, 0],
        lambda v: ln.evaluate(X, {"W": v}, ("pca",), n_seeds=1),
    ),
    "clusters data": ("data", X, lambda v: ln.clusters(v)),
    "clusters labels": ("label W", Y[:, 0], lambda v: ln.clusters(X, {"W": v})),
    "frequencies": ("frequencies", np.zeros((2, 4, 4)), lambda v: lattices(frequencies=v)),
    "kernel_tables": ("kernel_tables", np.zeros((2, 4, 4)), lambda v: lattices(kernel_tables=v)),
    "couplings": ("couplings", np.full((2, 3), 0.01), lambda v: lattices(couplings=v)),
    "decay_rate": ("decay_rate", np.zeros(2), lambda v: lattices(decay_rate=v)),
    "relaxation": ("relaxation_rate", np.zeros(2), lambda v: lattices(relaxation_rate=v)),
    "equilibrium": ("equilibrium_mz", np.zeros(2), lambda v: lattices(equilibrium_mz=v)),
    "curve_function": ("frequencies", np.zeros((4, 4)), curve_of),
    "curve_inputs": ("couplings", np.full(3, 0.1), lambda v: ln.curve_inputs(v, 2.0, SEQUENCE)),
    "tabulate": (
        "a tabulated kernel",
        [[0.5, 1.0], [9, 0.1], [99, 0]],
        lambda v: ln.tabulate(v, 8),
    ),
    "MeasuredLine": ("counts", [1.0, 3.0], lambda v: ln.MeasuredLine((-0.1, 0.0, 0.1), v)),
    "shift_frequency": ("offset", np.zeros(3), lambda v: ln.shift_frequency(echoes(), v)),
    "rotate_phase": ("phase", np.zeros(3), lambda v: ln.rotate_phase(echoes(), v)),
    "add_noise": ("snr", np.full(3, 9.0), lambda v: ln.add_noise(echoes(), v, seed=0)),
}
EACH = pytest.mark.parametrize(("name", "values", "door"), DOORS.values(), ids=DOORS)


@EACH
def test_a_masked_value_is_refused_and_placed(name, values, door):
    given = masked(values)
    with pytest.raises(ln.InputError, match=rf"^{name} must have no masked values, but has 1") as e:
        door(given)
    assert str([n // 2 for n in given.shape]) in str(e.value)


@EACH
def test_so_is_one_in_a_list_of_rows(name, values, door):
    given = list(masked(values))
    if not isinstance(given[0], np.ma.MaskedArray):
        given = [masked(values)]  # a list of numbers has no mask to lose
    with pytest.raises(ln.InputError, match=rf"^{name} must have no masked values, but has 1"):
        door(given)


@pytest.mark.parametrize("name", ["vae", "pca", "kmeans", "polynomials", "regressor"])
def test_a_masked_array_of_which_nothing_is_masked_is_its_values(name):
    model = fitted(name)
    read = model.predict if name == "regressor" else model.transform
    values = masked(X, share=False)
    assert np.array_equal(read(values), read(values.data))


def test_a_transformer_that_returns_masked_values_is_named():
    class Masking(ln.PCABaseline):
        def transform(self, X):
            return masked(super().transform(X))

    methods = {"mine": Masking(2), "pca": ln.PCABaseline(2)}
    labels = {"W": Y[:, 0]}
    found = ln.evaluate(X, labels, methods, n_seeds=1, n_neighbors=2, ceiling=False, progress=False)
    assert [failure["model"] for failure in found.failures] == ["mine"]
    assert "masked values" in found.failures[0]["reason"]


class BecomesMasked:
    """A masked array when NumPy asks for one, as a variable of netCDF4 is."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values


class Computed:
    """A masked array when it is computed, as dask has it; NumPy's own way drops the mask."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __dask_graph__(self):
        return {}

    def compute(self):
        return self.values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


class WithMask(np.ndarray):
    """An array with a mask of its own, as astropy has it."""

    unmasked = property(np.asarray)

    @property
    def mask(self):
        return np.asarray(self) == 7


class Quantity:
    """Numbers with a unit, as pint has them; pint asks them for a graph."""

    def __init__(self, magnitude):
        self.magnitude = magnitude

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.magnitude, dtype)

    def __dask_graph__(self):
        return None

    def compute(self):
        raise AttributeError("not of dask")


def with_item(values, item):
    """Lists of lists with one item changed."""
    rows = values.tolist()
    rows[len(rows) // 2][len(rows[0]) // 2] = item
    return rows


def undecoded(values, **attributes):
    return xr.DataArray(values, dims=("curve", "column"), attrs=attributes)


OF_OTHER_LIBRARIES = {
    "netCDF4": BecomesMasked,
    "dask": Computed,
    "astropy": lambda found: found.data.view(WithMask),
    "pint": Quantity,
    "fill value": lambda found: undecoded(found.data, _FillValue=np.float32(7)),
    "missing value": lambda found: undecoded(found.data, missing_value=[-1, 7]),
}
IN_SEQUENCES = {
    "rows of astropy": lambda found: list(found.data.view(WithMask)),
    "queue of rows": deque,
    "objects": lambda found: np.array(with_item(found.data, np.ma.masked), dtype=object),
    "pandas' NA": lambda found: with_item(found.data, pd.NA),
    "pyarrow's null": lambda found: with_item(found.data, pa.scalar(None, pa.float32())),
}
DOORS_OF_OTHERS = {
    "X": method("pca", "transform"),
    "y": lambda v: ln.CurveRegressor(hidden_layer_sizes=(4,), max_epochs=1).fit(X, v),
    "data": lambda v: ln.clusters(v),
}


@pytest.mark.parametrize("name", DOORS_OF_OTHERS)
@pytest.mark.parametrize("kind", OF_OTHER_LIBRARIES | IN_SEQUENCES)
def test_so_are_masks_of_other_libraries(name, kind):
    given = (OF_OTHER_LIBRARIES | IN_SEQUENCES)[kind](masked(Y if name == "y" else X))
    with pytest.raises(ln.InputError, match=rf"^{name} must have no masked values, but has 1"):
        DOORS_OF_OTHERS[name](given)


@pytest.mark.parametrize("kind", OF_OTHER_LIBRARIES)
def test_those_of_which_nothing_is_masked_are_their_values(kind):
    given = OF_OTHER_LIBRARIES[kind](np.ma.masked_array(X))
    # Of what has no type float64 is made.
    found, expected = fitted("pca").transform(given), fitted("pca").transform(X)
    assert np.allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("attribute", ["_FillValue", "missing_value"])
def test_a_data_set_with_fill_values_left_in_it_is_refused(attribute):
    signal = X[:3].copy()
    signal[1, 5] = -999
    dataset = xr.Dataset(
        {"magnitude": (("curve", "time"), signal, {attribute: -999.0})},
        {"time": 0.2 * np.arange(N_SAMPLES)},
        {"echo_index": 12},
    )
    with pytest.raises(ln.InputError, match=r"magnitude of the data set .* first at \[1, 5\]"):
        ln.features(dataset, window="full")


@pytest.mark.slow
def test_gradients_flow_through_inputs_as_before():
    inputs = ln.curve_inputs((0.05, 0.05, 0.1), 2.0, SEQUENCE)
    slope = jax.jacfwd(curve_of(np.zeros((4, 4))))(inputs)
    assert np.isfinite(np.asarray(slope.couplings)).all()
