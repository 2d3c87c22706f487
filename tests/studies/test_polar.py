"""Models of amplitude and local frequency: everything downstream knows what their columns are."""

import json

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.studies.evaluation import evaluate_echoes
from latent_nmr.studies.latent_figures import draw_traversals, overview_figure

N = 40
PART = ln.Polar(frequency_scale=0.1)
TINY = {"hidden_layer_sizes": (8,), "max_epochs": 2, "min_epoch_steps": 2, "random_state": 0}
FREQUENCY = "local frequency, w ν (MHz)"


@pytest.fixture(scope="module")
def echoes():
    return ln.simulate("paper", N, n_edge=8, step=4, seed=1, flip_angle_deg=60.0)


@pytest.fixture(scope="module")
def fresh():
    return ln.simulate("paper", N, n_edge=8, step=4, seed=2, flip_angle_deg=60.0)


@pytest.fixture(scope="module")
def trained(echoes):
    settings = {"n_naming_curves": 10, "n_information_permutations": 19, "n_shown": 2}
    return ln.train(echoes, part=PART, model=ln.BetaVAE(**TINY), **settings)


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    """The model as it comes back from its folder."""
    folder = tmp_path_factory.mktemp("polar") / "run"
    trained.save(folder)
    return ln.BetaVAE.load(folder)


def panels(figure):
    return [ax for ax in figure.axes if ax.lines]


def test_the_model_keeps_its_part_with_its_settings(model):
    assert FeatureSettings.of_metadata(model.metadata_)[:3] == ("echo", "initial", PART)
    assert len(model.metadata_["time_us"]) == 400
    assert model.n_features_in_ == 296
    assert "frequency_scale_MHz" in json.dumps(model.card())


def test_curves_are_embedded_by_the_features_that_it_was_fitted_to(model, echoes, trained):
    X = ln.features(echoes, part=PART)
    table = ln.embed(model, echoes)
    np.testing.assert_array_equal(table[["LA1", "LA2"]], model.transform(X))
    assert set(table["split"]) == {"training", "validation"}
    np.testing.assert_array_equal(trained.embedding["LA1"], table["LA1"])


def test_sheets_show_each_quantity_in_its_unit(trained):
    assert list(trained.figures)[-2:] == ["reconstructions", "reconstructions_frequency"]
    X = trained.arrays["shown"]
    for name, wanted, text in (
        ("reconstructions", X[:, :200], "|M(t)| / |M(0)|"),
        ("reconstructions_frequency", 0.1 * (2 * X[:, 200:] - 1), FREQUENCY),
    ):
        figure = trained.figures[name]
        assert figure.get_supylabel() == text
        for ax, curve in zip(panels(figure), wanted, strict=True):
            np.testing.assert_allclose(ax.lines[0].get_ydata(), curve, atol=1e-6)


def test_traversals_have_a_row_for_each_quantity_over_the_same_times(model):
    figure = draw_traversals(model, (1, 2), None, span=2, n_steps=3)
    (top, right, low, last) = panels(figure)
    assert (top.get_ylabel(), low.get_ylabel()) == ("|M(t)| / |M(0)|", FREQUENCY)
    assert (top.get_xlabel(), low.get_xlabel()) == ("", "t (µs)")
    assert top.get_xlim() == low.get_xlim() == last.get_xlim()
    decoded = model.inverse_transform(np.array([[-2, 0], [0, 0], [2, 0]]))
    drawn = [line.get_ydata() for line in low.lines]
    np.testing.assert_allclose(drawn, 0.1 * (2 * decoded[:, 200:] - 1), atol=1e-6)
    time = np.asarray(model.metadata_["time_us"])
    np.testing.assert_allclose(low.lines[0].get_xdata()[0], time[0] + 8 * (time[1] - time[0]))
    assert right.get_ylabel() == last.get_ylabel() == ""
    bottom, height = low.get_ylim()
    assert bottom <= np.min(drawn) <= np.max(drawn) <= height


def test_the_overview_shows_both(model, fresh):
    labels = [ax.get_ylabel() for ax in panels(overview_figure(model, fresh))]
    assert labels == ["|M(t)| / |M(0)|", "", FREQUENCY, ""]


def test_axes_are_named_and_other_parts_do_not_compare(model, echoes, fresh, trained):
    result = ln.name_axes(model, fresh, n_permutations=19, n_information_permutations=19)
    assert len(result.table) == 10
    other = ln.BetaVAE(**TINY).fit(ln.features(echoes, part="polar"))
    other.metadata_ = {**trained.model.metadata_}
    del other.metadata_["part"], other.metadata_["polar"]
    with pytest.raises(ln.InputError, match=r"share one part.*'magnitude' and model 1 Polar\(lag"):
        ln.name_axes([model, other], echoes)


def test_the_audit_simulates_the_same_features_and_draws_each_quantity(model, echoes):
    settings = {"n_steps": 2, "n_neighbors": 5, "n_simulations": 4}
    result = ln.audit(model, echoes, axes=(1,), **settings)
    assert list(result.figures) == ["LA1", "LA1_frequency", "profile"]
    simulated = result.arrays["simulated/1"]
    assert simulated.shape == (2, 296)
    assert np.abs(simulated[:, 200:] - 0.5).max() < 0.3  # half of the range is 0.1 MHz
    top = panels(result.figures["LA1_frequency"])[0]
    wanted = 0.1 * (2 * result.arrays["decoded/1"][0, 200:] - 1)
    np.testing.assert_allclose(top.lines[0].get_ydata(), wanted, atol=1e-6)
    assert top.get_ylabel() == FREQUENCY


def test_an_evaluation_scores_it_and_keeps_it_apart_from_other_parts(model, echoes):
    settings = {"ceiling": False, "n_neighbors": 5, "held_out": 0.4, "n_seeds": 1}
    result = evaluate_echoes(echoes, ("pca",), part=PART, **settings)
    assert result.arrays["coordinates/0/held-out"].shape == (16, 2)
    with pytest.raises(ln.InputError, match=r"of the part magnitude, but model 0 is of Polar"):
        evaluate_echoes(echoes, ("pca",), models=[model], **settings)


@pytest.mark.slow
def test_an_evaluation_draws_what_the_axes_do_to_both(echoes):
    settings = {"ceiling": False, "n_neighbors": 5, "held_out": 0.4, "n_seeds": 1}
    walked = evaluate_echoes(echoes, {"vae": ln.BetaVAE(**TINY)}, part=PART, **settings)
    labels = [ax.get_ylabel() for ax in panels(walked.figures["traversals"])]
    assert labels == ["|M(t)| / |M(0)|", "", FREQUENCY, ""]


def test_clusters_have_mean_curves_of_each_quantity(echoes):
    result = ln.clusters(echoes, part=PART, n_clusters=range(1, 4), described=2)
    assert list(result.figures) == ["baselines", "clusters", "clusters_frequency"]
    (ax,) = panels(result.figures["clusters_frequency"])
    assert ax.get_ylabel() == FREQUENCY
    means = 0.1 * (2 * result.arrays["mean 2"][:, 200:] - 1)
    np.testing.assert_allclose([line.get_ydata() for line in ax.lines[:2]], means, atol=1e-6)
    bottom, _ = ax.get_ylim()
    assert bottom <= 0.1 * (2 * result.arrays["lower 2"][:, 200:].min() - 1)


def test_probes_explain_each_quantity(echoes):
    settings = {"n_seeds": 1, "n_trees": 2, "held_out": 0.5, "n_jobs": 1, "targets": "W"}
    result = ln.probe(echoes, features=("points", "polynomial"), part=PART, **settings)
    names = [name for name in result.figures if name.startswith("importances_W")]
    assert names == ["importances_W", "importances_W_frequency"]
    # 19 sections of four coefficients, of either quantity.
    shapes = {array.shape for name, array in result.arrays.items() if "importance" in name}
    assert shapes == {(1, 296), (1, 2 * 19 * 4)}
    found = result.figures["importances_W_frequency"]
    drawn = found.axes[0].lines[0]
    block = ln.feature_blocks(ln.window_time(echoes, "echo"), PART)[1]
    np.testing.assert_allclose(drawn.get_xdata(), block.time)
    kept = next(a for n, a in result.arrays.items() if "importance" in n and a.shape == (1, 296))
    np.testing.assert_allclose(drawn.get_ydata(), kept[0, 200:])
