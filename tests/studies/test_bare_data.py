"""Data with no more than docs/files.md asks for: signals, times and the sample of the echo."""

import copy
import json

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.commands.main import main
from latent_nmr.studies.latent_figures import draw_traversals, time_marks

DT = 1 / (2 * np.pi)
ALL = {"echo_index": 1256, "dt_us": DT, "pulse_samples": [0, 628], "pulse_angles_rad": [1.2, 2.4]}
SMALL = ("--window", "echo300", "--max-epochs", "2", "--min-epoch-steps", "2")


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A NetCDF 3 file as another program writes it, of 30 curves."""
    rng = np.random.default_rng(0)
    time = np.arange(1456) * DT
    heights = rng.uniform(0.1, 0.4, (30, 1))
    shape = 0.5 * np.exp(-time / 20) + heights * np.exp(-(((time - 1256 * DT) / 9) ** 2))
    signals = {"mx": 0.6 * shape, "my": 0.8 * shape}
    path = tmp_path_factory.mktemp("bare") / "own.nc"
    xr.Dataset(
        {name: (("curve", "time"), values) for name, values in signals.items()},
        coords={"time": time},
        attrs={"echo_index": 1256},
    ).to_netcdf(path, engine="scipy")
    return path


@pytest.fixture(scope="module")
def trained(bare):
    """The folder of a model that was trained on the file."""
    out = bare.parent / "run"
    assert main(["train-vae", "--data", str(bare), *SMALL, "--out", str(out)]) == 0
    return out


def run(*words):
    return main([str(word) for word in words])


class TestCommands:
    """Those that fit a β-VAE, or draw one, take the file."""

    def test_training_writes_model_and_figures(self, trained):
        assert {path.stem for path in (trained / "figures").iterdir()} == {
            "latent_map", "traversal_LA1", "traversal_LA2", "loss_history", "reconstructions",
        }  # fmt: skip
        metadata = ln.BetaVAE.load(trained).metadata_
        assert metadata["echo_index"] == 1256
        assert not {"dt_us", "pulse_samples", "pulse_angles_rad"} & set(metadata)

    def test_the_model_knows_its_curves_and_others(self, bare, trained):
        echoes = ln.open_echoes(bare)
        model = ln.BetaVAE.load(trained)
        assert set(ln.embed(model, echoes)["split"]) == {"training", "validation"}
        other = ln.simulate("paper", 3, n_edge=8, step=4)
        assert set(ln.embed(model, other.isel(time=slice(1456)))["split"]) == {"new"}

    def test_traverse_and_evaluate_take_data_and_model(self, bare, trained, tmp_path):
        quick = ("--window", "echo300", "--n-seeds", "1", "--ceiling", "none", "--n-neighbors", "2")
        outputs = {
            "traverse": (trained, "--data", bare, "--out", tmp_path / "walk.png"),
            "evaluate": (bare, "--methods", "pca", "vae", *quick, "--out", tmp_path / "result"),
        }
        for command, words in outputs.items():
            assert run(command, *words) == 0, command
            assert words[-1].exists(), command
        scored = json.loads((tmp_path / "result" / "evaluation.json").read_text("utf-8"))
        assert scored["failures"] == []
        assert list((tmp_path / "result" / "models").iterdir())

    @pytest.mark.parametrize("suffix", [".zarr", ".nc", ".csv", ".npz"])
    def test_it_is_saved_in_every_format(self, bare, tmp_path, suffix):
        echoes = ln.open_echoes(bare)
        ln.save_echoes(echoes, tmp_path / f"copy{suffix}")
        found = ln.open_echoes(tmp_path / f"copy{suffix}")
        assert found.attrs["echo_index"] == 1256
        np.testing.assert_allclose(found.mx, echoes.mx, atol=2e-5)

    def test_figures_mark_neither_pulses_nor_echo(self, trained):
        figure = draw_traversals(ln.BetaVAE.load(trained), (1,), None, span=2, n_steps=2)
        assert [text.get_text() for text in figure.axes[0].texts] == []
        figure = draw_traversals(ln.load_pretrained("echo"), (1,), None, span=2, n_steps=2)
        assert [text.get_text() for text in figure.axes[0].texts] == ["echo"]


class TestMarks:
    """Pulses and echo are marked as far as they are known."""

    @pytest.mark.parametrize(
        ("missing", "names"),
        [
            ((), ["69°", "138°", "echo"]),
            (("pulse_samples",), ["echo"]),
            (("pulse_angles_rad",), ["echo"]),
            (("pulse_samples", "pulse_angles_rad"), ["echo"]),
            (("dt_us",), []),
            (("echo_index",), []),
            (tuple(ALL), []),
        ],
    )
    def test_what_the_attributes_say_is_marked(self, missing, names):
        marks = time_marks({name: value for name, value in ALL.items() if name not in missing})
        assert list(marks) == names
        if names:
            assert marks["echo"] == pytest.approx(1256 * DT)

    def test_an_audit_takes_the_times_of_pulses_from_its_simulations(self):
        echoes = ln.simulate("paper", 40, n_edge=8, step=4, seed=1)
        model = ln.BetaVAE(hidden_layer_sizes=(8,), max_epochs=1, min_epoch_steps=1, random_state=0)
        model = ln.train(echoes, model=model).model
        without = copy.copy(model)
        without.metadata_ = {k: v for k, v in model.metadata_.items() if k not in ALL}
        few = {"axes": 1, "n_steps": 2, "n_neighbors": 5, "n_simulations": 4, "progress": False}
        whole, bare = (ln.audit(one, echoes, **few) for one in (model, without))
        assert bare.table.equals(whole.table)
        assert bare.facts["marks"] == whole.facts["marks"]
        assert list(bare.facts["marks"]) == ["90°", "180°", "echo"]
