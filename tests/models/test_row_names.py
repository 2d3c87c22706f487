"""Names of rows: what has one value per row is refused in another order of the same names."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.linear_model import Ridge

import latent_nmr as ln
from latent_nmr.models.many import fit_many
from latent_nmr.models.targetwise import TargetwiseRegressor
from latent_nmr.studies.evaluation._parts import FITTED, divide

NAMES = [f"run {number}" for number in range(40)]
X = pd.DataFrame(np.random.default_rng(0).random((40, 12)), NAMES)
Y = pd.Series(np.random.default_rng(1).random(40), NAMES)
GROUPS = pd.Series(np.repeat(np.arange(20), 2), NAMES)
SMALL = {"hidden_layer_sizes": (4,), "max_epochs": 1}


def regressor():
    return ln.CurveRegressor(**SMALL)


def parts(X, labels=None, groups=None, also=None):
    ways = {"held_out": 0.4, "split_seed": 0, "split": None, "n_neighbors": 5}
    return divide(X, labels, also, groups=groups, **ways)


DOORS = {
    "y of a regressor": (Y, lambda X, y: regressor().fit(X, y)),
    "groups of a regressor": (GROUPS, lambda X, groups: regressor().fit(X, Y, groups=groups)),
    "y of a score": (Y, lambda X, y: regressor().fit(X.to_numpy(), Y.to_numpy()).score(X, y)),
    "y of several regressors": (Y, lambda X, y: TargetwiseRegressor([Ridge()]).fit(X, y)),
    "y of their score": (
        Y,
        lambda X, y: TargetwiseRegressor([Ridge()]).fit(X.to_numpy(), Y.to_numpy()).score(X, y),
    ),
    "groups of a VAE": (GROUPS, lambda X, groups: ln.BetaVAE(2, **SMALL).fit(X, groups=groups)),
    "groups of several": (
        GROUPS,
        lambda X, groups: fit_many(
            X, seeds=[0], model=ln.BetaVAE(2, **SMALL), way="threads", groups=groups
        ),
    ),
    "groups of RepeatPCA": (GROUPS, lambda X, groups: ln.RepeatPCA(2).fit(X, groups=groups)),
    "groups of an evaluation": (GROUPS, lambda X, groups: parts(X, groups=groups)),
    "labels in a mapping": (Y, lambda X, y: parts(X, {"W": y})),
    "labels in a frame": (Y, lambda X, y: parts(X, y.to_frame("W"))),
    "labels in a data set": (Y, lambda X, y: parts(X, as_xarray(y).to_dataset(name="W"))),
    "labels of a further set": (Y, lambda X, y: parts(X.to_numpy(), also={"b": (X, {"W": y})})),
}


def as_xarray(values):
    return xr.DataArray(values.to_numpy(), dims="curve", coords={"curve": values.index})


@pytest.mark.parametrize("door", DOORS)
def test_another_order_is_refused(door):
    values, enter = DOORS[door]
    with pytest.raises(ln.InputError, match=r"in the order of the rows, .* row run 39, not run 0"):
        enter(X, values[::-1])


def widths(X, values):
    """What the curves that are fitted on are labelled with."""
    return parts(X, {"W": values}).labels[FITTED]["W"]


@pytest.mark.parametrize("kind", [lambda values: values, as_xarray], ids=["pandas", "xarray"])
def test_arrays_of_xarray_name_their_rows_too(kind):
    curves = xr.DataArray(X.to_numpy(), dims=("curve", "time"), coords={"curve": NAMES})
    assert np.array_equal(widths(curves, kind(Y)), widths(X, Y))
    with pytest.raises(ln.InputError, match=r"labels\['W'\] .* of curve run 39, not run 0"):
        parts(curves, {"W": kind(Y[::-1])})


@pytest.mark.parametrize(
    "values",
    [
        Y.to_numpy()[::-1],
        [*Y][::-1],
        Y[::-1].set_axis(range(40)),
        Y[::-1].rename("other {}".format),
    ],
    ids=["an array", "a list", "numbers", "other names"],
)
def test_what_names_no_rows_of_these_is_taken_by_position(values):
    assert np.array_equal(widths(X, values), widths(X.to_numpy(), Y.to_numpy()[::-1]))
