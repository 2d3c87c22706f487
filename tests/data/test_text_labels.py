"""Text labels of every NumPy type: the same numbers, plain text wherever they are taken out."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.model_selection import train_test_split

import latent_nmr as ln
from latent_nmr.data.echoes import assemble, fingerprint, label_fingerprint
from latent_nmr.data.io import open_blocks
from latent_nmr.data.labels import labelled_fingerprint, labels_of

N_CURVES, DT = 60, 1 / (2 * np.pi)
SUFFIXES = (".zarr", ".nc", ".csv", ".npz")
NAMES = np.array(["rkky", "power", "gaussian"] * (N_CURVES // 3))
KINDS = {
    "StringDType": NAMES.astype(np.dtypes.StringDType()),
    "objects": NAMES.astype(object),
    "bytes": NAMES.astype("S"),
    "wide text": NAMES.astype("U40"),
    "categories": pd.Categorical(NAMES),
    "pandas text": pd.array(NAMES, dtype="string"),
}


def echoes(names=NAMES):
    """Curves on the grid of the trained model `echo`, with a known and a foreign text label."""
    time = np.arange(1456) * DT
    heights = np.random.default_rng(0).uniform(0.1, 0.4, (N_CURVES, 1))
    signals = {
        "mx": 0.3 * np.exp(-time / 20) + heights * np.exp(-(((time - time[1256]) / 9) ** 2)),
        "my": np.zeros((N_CURVES, 1456)),
    }
    attributes = {
        "echo_index": 1256, "dt_us": DT, "pulse_samples": [0, 628],
        "pulse_angles_rad": [np.pi / 2, np.pi],
    }  # fmt: skip
    dataset = assemble(signals, time, {"W": heights[:, 0]}, attributes)
    return dataset.assign_coords(kernel=("curve", names), sample=("curve", names))


@pytest.mark.parametrize("kind", KINDS)
class TestInMemory:
    """Text of every kind that a user may put into a data set."""

    def test_fingerprints_are_those_of_plain_text(self, kind):
        for digest in (fingerprint, label_fingerprint, labelled_fingerprint):
            assert digest(echoes(KINDS[kind])) == digest(echoes()), digest.__name__

    def test_labels_and_tables_hold_plain_text(self, kind):
        dataset = echoes(KINDS[kind])
        found = labels_of(dataset)["kernel"]
        assert found.dtype.kind == "U"
        table = ln.embed("echo", dataset)
        for label in ("kernel", "sample"):
            assert table[label].tolist() == NAMES.tolist()

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_files_give_plain_text_back(self, tmp_path, kind, suffix):
        ln.save_echoes(echoes(KINDS[kind]), tmp_path / f"a{suffix}")
        back = ln.open_echoes(tmp_path / f"a{suffix}")
        for label in ("kernel", "sample"):
            assert back[label].dtype.kind == "U"
            assert back[label].values.tolist() == NAMES.tolist()

    def test_an_evaluation_scores_the_same(self, kind):
        X, strength = ln.features(echoes()), echoes().W.to_numpy()
        settings = {"methods": ["pca"], "n_seeds": 1, "n_neighbors": 3, "n_trees": 5}
        found = [
            ln.evaluate(X, {"W": strength, "sample": np.asarray(names)}, **settings).records
            for names in (NAMES, KINDS[kind])
        ]
        plain, other = (rows[rows["score"] != "fit_seconds"]["value"] for rows in found)
        np.testing.assert_allclose(other, plain, rtol=1e-9)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_stays_plain_through_selections_and_splits(tmp_path, suffix):
    ln.save_echoes(echoes(KINDS["StringDType"]), tmp_path / f"a{suffix}")
    back = ln.open_echoes(tmp_path / f"a{suffix}")
    longer = back.assign_coords(kernel=("curve", ["a much longer name"] * N_CURVES))
    selections = [
        back.isel(curve=[0, 3]), back.sel(curve=[1]), back.sortby("kernel"),
        back.where(back.kernel == "rkky", drop=True), xr.concat([back, back], "curve"),
        xr.concat([back, longer], "curve"), *open_blocks(tmp_path / f"a{suffix}").blocks(7),
    ]  # fmt: skip
    assert {dataset.kernel.dtype.kind for dataset in selections} == {"U"}
    table = back.drop_dims("time").to_dataframe()
    for classes in (back.kernel, back.kernel.values, back["sample"], table["kernel"]):
        fitted, _ = train_test_split(np.arange(N_CURVES), stratify=classes, random_state=0)
        assert len(fitted) == 45
