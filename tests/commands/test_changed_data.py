"""A data set that was changed in Python and saved goes into commands, whatever its format."""

import numpy as np
import pandas as pd
import pytest

from latent_nmr.commands.main import main
from latent_nmr.data.io import open_echoes, save_echoes
from latent_nmr.data.spectrometer import add_noise
from latent_nmr.data.store import simulate
from latent_nmr.models.pretrained import load_pretrained
from latent_nmr.studies.embedding import embed, map_labels
from latent_nmr.studies.latent_figures import draw_latent_map


@pytest.fixture(scope="module")
def changed():
    dataset = add_noise(simulate("paper", 20, n_edge=8, step=4), 50, seed=1)
    labelled = dataset.assign_coords(sample=("curve", ["A", "B"] * 10)).drop_vars("L")
    return labelled.isel(curve=slice(3, 20))


def test_embed_takes_every_format_and_finds_the_same_coordinates(changed, tmp_path):
    tables = {}
    for suffix in (".zarr", ".nc", ".csv", ".npz"):
        path, out = tmp_path / f"echoes{suffix}", tmp_path / f"of{suffix}.csv"
        save_echoes(changed, path)
        assert main(["embed", "echo", str(path), "--out", str(out)]) == 0
        tables[suffix] = pd.read_csv(out)
    reference = tables.pop(".zarr")
    assert len(reference) == 17
    assert {"LA1", "LA2", "W"} <= {*reference}
    assert "L" not in reference
    for suffix, table in tables.items():
        tolerance = 0.02 if suffix == ".npz" else 0  # 16 bits
        np.testing.assert_allclose(table["LA1"], reference["LA1"], atol=tolerance, err_msg=suffix)
        np.testing.assert_array_equal(table["curve"], reference["curve"])


@pytest.fixture(scope="module", params=["no labels", "foreign labels"])
def unlabelled(changed, request, tmp_path_factory):
    """File of echoes that nothing else, or nothing that the package knows, is known of."""
    bare = changed.drop_vars([name for name in changed.coords if name != "time"])
    if request.param == "foreign labels":
        bare = bare.assign_coords(
            temperature=("curve", np.linspace(4, 300, 17)), split=("curve", ["a"] * 9 + ["b"] * 8)
        )
    path = tmp_path_factory.mktemp("unlabelled") / "echoes.zarr"
    save_echoes(bare, path)
    return path, request.param == "foreign labels"


def test_embed_writes_the_labels_that_there_are(unlabelled, tmp_path):
    path, is_labelled = unlabelled
    out = tmp_path / "table.csv"
    assert main(["embed", "echo", str(path), "--out", str(out)]) == 0
    table = pd.read_csv(out)
    own = ["curve", "LA1", "LA2", "LA1_sd", "LA2_sd", "rms"]
    assert {*table} == {*own, *(["temperature", "label_split"] if is_labelled else []), "split"}
    np.testing.assert_array_equal(table["curve"], np.arange(17))
    if is_labelled:
        np.testing.assert_allclose(table["temperature"], np.linspace(4, 300, 17))
        assert set(table["label_split"]) == {"a", "b"}


@pytest.mark.parametrize(
    "command",
    [
        ["embed", "echo", "DATA", "--out", "table.csv"],
        ["plot-latent", "echo", "DATA", "--out", "map.png"],
        ["traverse", "echo", "--data", "DATA", "--out", "walk.png"],
        ["train-vae", "--data", "DATA", "--max-epochs", "1", "--min-epoch-steps", "1",
         "--out", "model"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_foreign_label_that_changed_is_noticed(changed, command, tmp_path, capsys):
    data = tmp_path / "echoes.nc"
    words = [str(data) if word == "DATA" else word for word in command]
    words[-1] = str(tmp_path / words[-1])
    dataset = changed.assign_coords(temperature=("curve", np.linspace(4, 300, 17)))
    save_echoes(dataset, data)
    assert main(words) == 0
    assert main(words) == 0
    assert "already finished" in capsys.readouterr().out
    save_echoes(dataset.assign_coords(temperature=2 * dataset.temperature), data, overwrite=True)
    assert main(words) == 2
    assert "has changed" in capsys.readouterr().err


def test_a_map_is_coloured_by_the_labels_that_there_are(unlabelled, tmp_path, capsys):
    path, is_labelled = unlabelled
    for color in ([], ["--color", "temperature"]):
        out = tmp_path / f"map{len(color)}.png"
        code = main(["plot-latent", "echo", str(path), "--out", str(out), *color])
        assert code == (0 if is_labelled or not color else 2)
        assert out.is_file() == (code == 0)
    assert is_labelled or "color must name labels of the data" in capsys.readouterr().err
    table = embed(load_pretrained("echo"), open_echoes(path))
    labels = [ax.get_xlabel() for ax in draw_latent_map(table, map_labels(table), 2).axes]
    assert labels == (["LA1", "LA1", "temperature"] if is_labelled else ["LA1"])


def test_a_model_is_trained_without_known_labels(unlabelled, tmp_path):
    brief = ["--max-epochs", "1", "--min-epoch-steps", "1"]
    command = ["train-vae", "--data", str(unlabelled[0]), "--out", str(tmp_path / "run"), *brief]
    assert main(command) == 0
    assert (tmp_path / "run" / "figures" / "latent_map.png").is_file()


def test_probe_names_the_labels_that_it_found(unlabelled, tmp_path, capsys):
    path, is_labelled = unlabelled
    assert main(["probe", str(path), "--out", str(tmp_path / "probe")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "at least one of the labels kernel, W, L" in line
    assert ("but has split, temperature" if is_labelled else "but has no labels") in line
