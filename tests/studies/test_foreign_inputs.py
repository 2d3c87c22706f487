"""What studies are given from outside: it works, or is named in one line."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.shipped import shipped_path

QUICK = {"n_seeds": 1, "ceiling": False, "n_neighbors": 5, "progress": False}


@pytest.fixture(scope="module")
def echoes():
    return ln.simulate("paper", 90, n_edge=8, step=4)


@pytest.fixture(scope="module", name="X")
def features_of(echoes):
    return ln.features(echoes)


@pytest.mark.parametrize(
    "study",
    [
        ln.features, lambda X: ln.window_time(X, "echo"), ln.probe, ln.train,
        lambda X: ln.audit("echo", X), lambda X: ln.embed("echo", X),
        lambda X: ln.name_axes("echo", X), lambda X: ln.challenge("2021-gauss", X),
    ],
    ids=["features", "window_time", "probe", "train", "audit", "embed", "name_axes", "challenge"],
)  # fmt: skip
@pytest.mark.parametrize("given", [np.zeros((3, 1882)), 3, "echoes.zarr"])
def test_what_is_no_data_set_is_named(study, given):
    with pytest.raises(ln.InputError, match=r"must be an xarray\.Dataset of echoes, but is a"):
        study(given)


class TestModels:
    """A model of the package may be called by its name, a saved one by its folder."""

    @pytest.mark.parametrize("study", [ln.embed, ln.name_axes, ln.audit])
    def test_a_record_too_short_for_the_model_is_answered_with_what_helps(self, echoes, study):
        words = "window 'echo' must lie on the record.*The model needs data with a longer record"
        with pytest.raises(ln.InputError, match=words) as caught:
            study("echo", echoes.isel(time=slice(1300)))
        assert "Use the window full" not in str(caught.value)

    def test_embed_and_name_axes_take_a_name(self, echoes):
        model = ln.load_pretrained("echo")
        assert ln.embed("echo", echoes).equals(ln.embed(model, echoes))
        folder = shipped_path("models", "echo")
        for place in (folder, str(folder)):
            assert ln.embed(place, echoes).equals(ln.embed(model, echoes))
        few = {"n_permutations": 19, "n_information_permutations": 19, "progress": False}
        by_name, named = (ln.name_axes(m, echoes, **few) for m in ("echo", model))
        assert by_name.table.equals(named.table)

    def test_an_axis_need_not_be_in_a_list(self, echoes):
        few = {"n_steps": 2, "n_neighbors": 5, "n_simulations": 4, "progress": False}
        alone, listed = (ln.audit("echo", echoes, axes=axes, **few) for axes in (1, [1]))
        assert alone.table.equals(listed.table)

    @pytest.mark.parametrize("study", [ln.audit, ln.embed, ln.name_axes])
    @pytest.mark.parametrize(
        ("model", "reason"),
        [
            ("ecko", "Did you mean 'echo'"),
            (PCA(2), "must be a BetaVAE, the folder of a saved one, or .*, but is a PCA"),
            ("challenge-gauss", "must be a β-VAE, but .*challenge-gauss is a regressor of curves"),
            ("runs/my-model", "runs/my-model does not exist, nor comes a model of that name"),
            (Path("runs"), "runs does not exist"),
            (Path(__file__).parent, r"has no model\.json"),
        ],
    )
    def test_what_is_no_model_is_named(self, study, model, reason, echoes):
        with pytest.raises(ln.InputError, match=reason):
            study(model, echoes)


class TestEvaluate:
    """One estimator, labels that cannot be scored."""

    def test_one_estimator_goes_by_its_class(self, X, echoes):
        alone = ln.evaluate(X, echoes, PCA(2), **QUICK)
        named = ln.evaluate(X, echoes, {"PCA": PCA(2)}, **QUICK)
        values = [r.records.query("score != 'fit_seconds'")["value"] for r in (alone, named)]
        assert values[0].equals(values[1])

    def test_text_where_numbers_are_meant_is_named(self, X):
        labels = {"W": np.resize(["weak", "strong"], len(X))}
        with pytest.raises(ln.InputError, match="label W must be numbers, but has the type <U6"):
            ln.evaluate(X, labels, ("pca",), **QUICK)

    def test_a_label_that_does_not_vary_is_named(self, X, echoes):
        labels = {"L": echoes["L"].to_numpy(), "W": np.full(len(X), 0.2), "run": ["a"] * len(X)}
        found = ln.evaluate(X, labels, ("pca",), **QUICK)
        for name, value in (("W", "0.2"), ("run", "a")):
            sentence = (
                f"The held-out curves have one value of {name} only ({value}): it is not scored."
            )
            assert sentence in found.facts["remarks"]
        assert "r2_L" in found.table
        assert "r2_W" not in found.table


def test_a_result_says_what_it_is(echoes):
    found = ln.clusters(echoes)
    assert repr(found) == f"<ClustersResult: {len(found.records)} records; .table, .figures>"


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"latent-nmr {ln.__version__}\n"
