"""Models of several protocols: studies know them, figures show each, other data are refused."""

import json

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.data.protocols import KnownProtocol
from latent_nmr.studies.evaluation import evaluate_echoes
from latent_nmr.studies.latent_figures import draw_traversals

N, N_TIME, ECHO, DT = 40, 700, 400, 0.16
TINY = {"hidden_layer_sizes": (8,), "max_epochs": 2, "min_epoch_steps": 2, "random_state": 0}
WAYS = {"ceiling": False, "n_neighbors": 5, "held_out": 0.4, "n_seeds": 1}
TEXTS = [
    "60deg: |M(t)| / |M(0)|",
    "120deg: |M(t)| / |M(0)|",
    r"half the difference, $w (\nu_1 - \nu_2)/2$ (MHz)",
]


def echoes(*protocols):
    """Echoes of different heights, widths and frequencies, of opposite sign past 90°."""
    draw, time = np.random.default_rng(0), DT * np.arange(N_TIME)
    labels = {name: ("curve", draw.uniform(0.2, 1, N)) for name in ("W", "L", "alpha_x")}
    height, width, turn = (values[:, np.newaxis] for _, values in labels.values())
    signal = []
    for _, angle, _ in protocols:
        A = np.exp(-time / 9) + height * np.exp(-(((time - DT * ECHO) / (20 * width)) ** 2))
        signal.append(A * np.exp(0.1j * (turn if angle < 90 else -turn) * time))
    names, angles, taus = zip(*protocols, strict=True)
    dims, M = ("protocol", "curve", "time"), np.stack(signal)
    along = {"flip_angle": ("protocol", list(angles)), "tau": ("protocol", list(taus))}
    return xr.Dataset(
        {"mx": (dims, M.real), "my": (dims, M.imag)},
        {"time": time, "curve": np.arange(N), "protocol": list(names), **along, **labels},
        {"echo_index": ECHO, "dt_us": DT},
    )


PAIR = (KnownProtocol("60deg", 60.0, 32.0), KnownProtocol("120deg", 120.0, 32.0))


@pytest.fixture(scope="module")
def pair():
    return echoes(*PAIR)


@pytest.fixture(scope="module")
def trained(pair):
    settings = {"n_naming_curves": 10, "n_information_permutations": 19, "n_shown": 2}
    return ln.train(pair, part="polar", model=ln.BetaVAE(**TINY), **settings)


@pytest.fixture(scope="module")
def model(trained, tmp_path_factory):
    """The model as it comes back from its folder."""
    folder = tmp_path_factory.mktemp("protocols") / "run"
    trained.save(folder)
    return ln.BetaVAE.load(folder)


def panels(figure):
    return [ax for ax in figure.axes if ax.lines]


def test_a_saved_model_knows_its_protocols_and_their_times(model, pair):
    assert FeatureSettings.of_metadata(model.metadata_).protocols == PAIR
    np.testing.assert_array_equal(model.metadata_["time_us"], ln.window_time(pair, "echo"))
    assert "flip_angle_deg" in json.dumps(model.card())


def test_its_data_are_embedded_by_the_features_that_it_was_fitted_to(model, pair, trained):
    table = ln.embed(model, pair)
    latent = model.transform(ln.features(pair, part="polar"))
    np.testing.assert_array_equal(table[["LA1", "LA2"]], latent)
    np.testing.assert_array_equal(trained.embedding["LA1"], table["LA1"])
    assert set(table["split"]) == {"training", "validation"}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (echoes(*PAIR[::-1]), r"order: ds\.sel\(protocol=\['60deg', '120deg'\]\)"),
        (echoes(*PAIR).isel(protocol=[0]), r"60deg \(θ = 60°.*120deg.*but have 60deg.*same pulses"),
        (echoes(*PAIR).sel(protocol="60deg"), r"but have a single one.*Use data of the same"),
        (echoes(PAIR[0], KnownProtocol("120deg", 90.0, 32.0)), r"but have.*θ = 90°"),
        (echoes(PAIR[0], KnownProtocol("120deg", 120.0, 16.0)), r"but have.*τ = 16 µs"),
    ],
)
def test_data_of_other_protocols_are_refused(model, other, words):
    with pytest.raises(ln.InputError, match="data must have the protocols of the model.*" + words):
        ln.embed(model, other)


def test_names_do_not_matter_where_the_pulses_are_known(model, pair):
    renamed = pair.assign_coords(protocol=["a", "b"])
    np.testing.assert_array_equal(ln.embed(model, renamed)["LA1"], ln.embed(model, pair)["LA1"])


def test_a_model_of_one_protocol_takes_no_two(pair, trained):
    single = ln.BetaVAE(**TINY)
    single.__dict__.update(trained.model.__dict__)
    single.metadata_ = {k: v for k, v in trained.model.metadata_.items() if k != "protocols"}
    with pytest.raises(ln.InputError, match=r"a single one.*Select (it: ds.sel|the one)"):
        ln.embed(single, pair)


def test_there_is_a_sheet_and_a_row_of_traversals_for_each_protocol_and_quantity(trained, model):
    sheets = ["reconstructions", "reconstructions_120deg", "reconstructions_difference"]
    assert list(trained.figures)[-3:] == sheets
    assert [trained.figures[name].get_supylabel() for name in sheets] == TEXTS
    drawn = panels(draw_traversals(model, (1,), None, span=2, n_steps=3))
    assert [ax.get_ylabel() for ax in drawn] == TEXTS
    decoded = model.inverse_transform(np.array([[-2, 0], [0, 0], [2, 0]]))
    found = [[line.get_ydata() for line in ax.lines[:3]] for ax in drawn]
    for part, columns in zip(found[:2], (slice(0, 200), slice(200, 400)), strict=True):
        np.testing.assert_allclose(part, decoded[:, columns], atol=1e-6)
    np.testing.assert_allclose(found[2], 0.025 * (2 * decoded[:, 400:] - 1), atol=1e-6)
    marks = [[text.get_text() for text in ax.texts] for ax in drawn]
    assert marks == [["120°", "echo"], ["240°", "echo"], []]


def test_an_evaluation_takes_the_model_on_its_own_protocols_only(model, pair):
    result = evaluate_echoes(pair, ("pca",), part="polar", **WAYS)
    assert result.arrays["coordinates/0/held-out"].shape == (16, 2)
    three = xr.concat([pair, pair.isel(protocol=[0]).assign_coords(protocol=["c"])], "protocol")
    with pytest.raises(
        ln.InputError, match=r"models must be of the protocols.*model 0 is of 60deg"
    ):
        evaluate_echoes(three, ("pca",), models=[model], part="polar", **WAYS)
    with pytest.raises(
        ln.InputError, match=r"dataset, as mine is scored beside it.*but have 60deg"
    ):
        evaluate_echoes(pair, ("pca",), part="polar", also={"mine": three}, **WAYS)


def test_clusters_and_probes_show_each_protocol(pair):
    result = ln.clusters(pair, n_clusters=range(1, 4), described=2)
    assert list(result.figures) == ["baselines", "clusters", "clusters_120deg"]
    (ax,) = panels(result.figures["clusters_120deg"])
    assert ax.get_ylabel() == TEXTS[1]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), result.arrays["mean 2"][0, 400:], atol=1e-6)
    ways = {"n_seeds": 1, "n_trees": 2, "held_out": 0.5, "n_jobs": 1, "targets": "W"}
    probed = ln.probe(pair, features="points", part="polar", **ways)
    names = [name for name in probed.figures if name.startswith("importances_W")]
    assert names == [f"importances_W{suffix}" for suffix in ("", "_120deg", "_difference")]


@pytest.mark.slow
def test_traversals_of_an_evaluation_have_a_row_each(pair):
    result = evaluate_echoes(pair, {"vae": ln.BetaVAE(**TINY)}, part="polar", **WAYS)
    labels = [ax.get_ylabel() for ax in panels(result.figures["traversals"])]
    assert labels == [text for own in TEXTS for text in (own, "")]


class TestOnePulseAngle:
    """A model of curves after one first pulse, and data after another."""

    @pytest.fixture(scope="class")
    @classmethod
    def sixty(cls):
        return ln.simulate("paper", 6, n_edge=8, step=4, flip_angle_deg=60)

    @pytest.mark.parametrize(
        "use",
        [
            ln.embed,
            lambda model, data: ln.audit(model, data, n_steps=2, n_neighbors=4, n_simulations=4),
            lambda model, data: ln.name_axes([model], data),
            lambda model, data: evaluate_echoes(data, (), models=[model], ceiling=False),
        ],
        ids=["embed", "audit", "name_axes", "evaluate"],
    )
    def test_data_of_another_angle_are_refused(self, sixty, use):
        words = r"pulse angles that .* was trained on, 90°, 180°, .* but have 60°, 120°"
        with pytest.raises(ln.InputError, match=words):
            use(ln.load_pretrained("echo"), sixty)

    def test_data_that_say_no_angles_are_taken(self, sixty):
        bare = sixty.drop_attrs(deep=False).assign_attrs(echo_index=1256)
        assert len(ln.embed("echo", bare)) == 6

    def test_a_pulse_within_half_a_degree_is_the_same(self, sixty):
        near = [np.radians(90.4), np.radians(179.6)]
        assert len(ln.embed("echo", sixty.assign_attrs(pulse_angles_rad=near))) == 6
        one = sixty.drop_attrs(deep=False).assign_attrs(echo_index=1256, pulse_angles_rad=near[:1])
        with pytest.raises(ln.InputError, match=r"90°, 180°, .* but have 90\.4°"):
            ln.embed("echo", one)
