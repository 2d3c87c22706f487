"""A data set that was changed in Python and saved goes into commands, whatever its format."""

import numpy as np
import pandas as pd
import pytest

from latent_nmr.commands.main import main
from latent_nmr.data.io import save_echoes
from latent_nmr.data.spectrometer import add_noise
from latent_nmr.data.store import simulate


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
