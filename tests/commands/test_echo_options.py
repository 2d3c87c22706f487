"""Options of all commands that read echoes: some of the protocols, and a receiver."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from threadpoolctl import threadpool_limits

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.data.feature_settings import FeatureSettings
from latent_nmr.studies.evaluation import EvaluationResult, evaluate_echoes
from latent_nmr.studies.trained_model import describe_data

N, N_TIME, ECHO, DT = 40, 700, 400, 0.16
WAYS = {"ceiling": False, "n_neighbors": 5, "held_out": 0.4, "n_seeds": 1}
QUICK = ["--methods", "pca", "--ceiling", "none", "--n-neighbors", "5", "--held-out", "0.4"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Echoes after 90°, 60° and 120°, of different heights and frequencies."""
    draw, time = np.random.default_rng(0), DT * np.arange(N_TIME)
    W = draw.uniform(0.2, 1, N)
    envelope = np.exp(-time / 9) + W[:, None] * np.exp(-(((time - DT * ECHO) / 15) ** 2))
    turns = [
        envelope * size * np.exp(0.1j * turn * W[:, None] * time)
        for size, turn in ((0.3, 0), (0.25, 1), (0.2, -1))
    ]
    dims, M = ("protocol", "curve", "time"), np.stack(turns)
    M += 0.002 * draw.normal(size=M.shape)
    names = ["90deg", "60deg", "120deg"]
    along = {"flip_angle": ("protocol", [90.0, 60.0, 120.0]), "tau": ("protocol", [32.0] * 3)}
    dataset = xr.Dataset(
        {"mx": (dims, M.real.astype("f4")), "my": (dims, M.imag.astype("f4"))},
        {"time": time, "curve": np.arange(N), "protocol": names, **along, "W": ("curve", W)},
        {"echo_index": ECHO, "dt_us": DT},
    )
    path = tmp_path_factory.mktemp("protocols") / "three.nc"
    ln.save_echoes(dataset, path)
    return path


def run(command, *words):
    return main([command, *map(str, words)])


def of_pca(result):
    return result.table.loc[[("pca", 2)]].drop(columns="fit_seconds", level=0)


@pytest.mark.parametrize("names", [["60deg"], ["120deg", "60deg"]])
def test_an_evaluation_of_some_protocols_is_that_of_their_data_set(store, names, tmp_path):
    part = ["--part", "polar"]
    words = [store, *QUICK, *part, "--protocol", *names, "--out", tmp_path / "out"]
    assert run("evaluate", *words) == 0
    chosen = ln.open_echoes(store).sel(protocol=names[0] if len(names) == 1 else names)
    expected = evaluate_echoes(chosen, ("pca",), part="polar", **WAYS)
    found = EvaluationResult.load(tmp_path / "out")
    assert found.facts["n_features"] == expected.facts["n_features"]
    pd.testing.assert_frame_equal(of_pca(found), of_pca(expected))
    values = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
    assert values["settings"]["protocol"] == names
    assert "--protocol " + " ".join(names) in values["command"]


@pytest.mark.parametrize(
    ("command", "more"),
    [("evaluate", []), ("probe", []), ("baselines", []), ("axes", ["--models", "echo"])],
)
def test_protocols_that_the_data_lack_are_refused_in_one_line(store, command, more, capsys):
    assert run(command, store, *more, "--protocol", "45deg") == 2
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert "must be some of those of the data (90deg, 60deg, 120deg), each once, but" in complaint
    assert run(command, "reference", *more, "--protocol", "60deg") == 2
    assert "(a single one, without a name)" in capsys.readouterr().err.splitlines()[-1]


def test_a_receiver_is_drawn_before_features_are_taken_and_said(store, tmp_path):
    words = [store, *QUICK, "--part", "polar", "--protocol", "60deg", "--out", tmp_path / "out"]
    assert run("evaluate", *words, "--carrier-spread", "10", "--snr", "30", "--also", store) == 0
    chosen = ln.open_echoes(store).sel(protocol="60deg")
    first, other = (
        ln.unknown_receiver(chosen, carrier_spread=0.01, snr=30, window="echo", seed=seed)
        for seed in (0, 1)
    )
    expected = evaluate_echoes(first, ("pca",), part="polar", also={"three": other}, **WAYS)
    found = EvaluationResult.load(tmp_path / "out")
    pd.testing.assert_frame_equal(of_pca(found), of_pca(expected))
    assert found.facts["receiver"] == expected.facts["receiver"]
    values = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
    assert values["receiver"]["held-out"] == first.attrs["receiver"]
    assert values["receiver"]["three"]["seed"] == 1
    settings = FeatureSettings.for_data(first, "echo", "initial", "polar")
    described = describe_data(first, settings.of(first), settings)
    assert described["receiver"] == first.attrs["receiver"]


@pytest.mark.slow
def test_a_model_of_some_protocols_knows_them_and_its_receiver_and_embeds_the_same(store, tmp_path):
    model, table = tmp_path / "vae", tmp_path / "table.csv"
    words = ["--data", store, "--protocol", "60deg", "120deg", "--part", "polar", "--out", model]
    words += ["--carrier-spread", "2", "--max-epochs", "2", "--min-epoch-steps", "2"]
    assert run("train-vae", *words) == 0
    card = ln.BetaVAE.load(model).metadata_
    assert [own["name"] for own in card["protocols"]] == ["60deg", "120deg"]
    assert card["receiver"]["carrier_spread_mhz"] == 0.002
    assert run("embed", model, store, "--out", table, "--protocol", "60deg", "120deg") == 0
    assert len(pd.read_csv(table)) == N
    for command, more in (("plot-latent", [store]), ("axes", None), ("traverse", None)):
        words = {
            "plot-latent": [model, *(more or [])],
            "axes": [store, "--models", model],
            "traverse": [model, "--data", store],
        }[command]
        out = tmp_path / f"{command}{'.csv' if command == 'axes' else '.png'}"
        assert run(command, *words, "--protocol", "60deg", "120deg", "--out", out) == 0, command
