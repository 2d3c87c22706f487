"""Embeddings with a row for each material instead of each curve."""

import json

import numpy as np
import pandas as pd
import pytest

import latent_nmr as ln
from latent_nmr.commands.main import main

SMALL = {"hidden_layer_sizes": (8,), "max_epochs": 2, "min_epoch_steps": 2, "random_state": 0}


@pytest.fixture(scope="module")
def echoes():
    """Two curves of each of ten materials, in no order; a label that differs within materials."""
    made = ln.simulate("paper", 20, n_edge=8, step=4, seed=1, repeats=2)
    made = made.isel(curve=np.random.default_rng(0).permutation(20))
    return made.assign_coords(day=("curve", np.arange(20)), batch=("curve", made.material.data % 3))


@pytest.fixture(scope="module")
def model(echoes):
    return ln.train(echoes, model=ln.BetaVAE(contrast=1.0, **SMALL)).model


class TestByMaterial:
    """Repeats gathered to one point."""

    def test_a_row_is_the_product_of_its_curves_posteriors(self, model, echoes):
        table = ln.embed(model, echoes, by="material")
        X = ln.features(echoes)
        combined = model.transform_repeats(X, echoes.material.to_numpy())
        assert table["material"].tolist() == combined.groups.tolist() == list(range(10))
        assert set(table["n_repeats"]) == {2}
        np.testing.assert_array_equal(table[["LA1", "LA2"]], combined.mean.astype(np.float32))
        np.testing.assert_array_equal(table[["LA1_sd", "LA2_sd"]], combined.std.astype(np.float32))

    def test_labels_are_those_that_all_curves_of_a_material_share(self, model, echoes):
        table = ln.embed(model, echoes, by="material").set_index("material")
        rows = ln.embed(model, echoes).set_index("material")
        assert {"curve", "repeat", "day"}.isdisjoint(table.columns)
        for name in ("W", "L", "kernel", "batch"):
            assert (table[name].loc[rows.index] == rows[name]).all()
        for material, own in rows.groupby("material"):
            mean_square = np.mean(own["rms"].astype(float) ** 2)
            assert table["rms"][material] ** 2 == pytest.approx(mean_square, rel=1e-5)

    def test_an_unknown_label_does_not_count_as_another(self, model, echoes):
        gone = echoes.assign_coords(W=echoes.W.where(echoes.material != 3))
        table = ln.embed(model, gone, by="material").set_index("material")
        assert np.isnan(table["W"][3])
        assert table["W"].drop(3).notna().all()

    def test_the_command_writes_the_same_table(self, model, echoes, tmp_path, capsys):
        model.save(tmp_path / "model", model.metadata_)
        ln.save_echoes(echoes, tmp_path / "echoes.nc")
        arguments = ["embed", tmp_path / "model", tmp_path / "echoes.nc", "--by", "material"]
        main([*map(str, arguments), "--out", str(tmp_path / "out.csv")])
        assert "10 materials ×" in capsys.readouterr().out
        table = ln.embed(model, echoes, by="material")
        pd.testing.assert_frame_equal(
            pd.read_csv(tmp_path / "out.csv").astype(table.dtypes), table, rtol=1e-6
        )
        manifest = json.loads((tmp_path / "out.csv.run.json").read_text("utf-8"))
        assert (manifest["n_curves"], manifest["n_rows"]) == (20, 10)

    def test_data_without_materials_are_refused(self, model, echoes):
        bare = echoes.drop_vars(["material", "repeat"])
        with pytest.raises(ln.InputError, match=r"data must have the coordinate material"):
            ln.embed(model, bare, by="material")
        with pytest.raises(ln.InputError, match=r"by must be one of curve, material"):
            ln.embed(model, echoes, by="sample")
