"""NetCDF files, read back by xarray alone."""

import json

import numpy as np
import pytest
import xarray as xr

from latent_nmr.data._netcdf import write_netcdf
from latent_nmr.data._variables import LABELS
from latent_nmr.data.store import simulate
from latent_nmr.errors import InputError


@pytest.fixture(scope="module")
def echoes():
    return simulate("paper", 4, n_edge=12, seed=5, step=4, with_mz=True)


def test_every_number_label_unit_and_attribute_is_there(echoes, tmp_path):
    write_netcdf(echoes, tmp_path / "echoes.nc")
    with xr.open_dataset(tmp_path / "echoes.nc", engine="scipy") as back:
        for name in ("mx", "my", "mz", "time", "curve", *LABELS):
            np.testing.assert_array_equal(
                back[name].to_numpy().astype(echoes[name].dtype), echoes[name].to_numpy()
            )
            assert back[name].attrs == echoes[name].attrs
        plain = {name: value for name, value in echoes.attrs.items() if isinstance(value, str)}
        assert plain.items() <= back.attrs.items()
        assert json.loads(back.attrs["pulse_samples"]) == echoes.attrs["pulse_samples"]
        assert json.loads(back.attrs["with_mz"]) is True
        assert back.attrs["dt_us"] == echoes.attrs["dt_us"]


def test_the_data_set_is_left_as_it_was(echoes, tmp_path):
    before = echoes.copy(deep=True)
    write_netcdf(echoes, tmp_path / "echoes.nc")
    xr.testing.assert_identical(echoes, before)


def test_an_old_file_survives_a_data_set_that_is_refused(echoes, tmp_path):
    path = tmp_path / "echoes.nc"
    write_netcdf(echoes, path)
    content = path.read_bytes()
    with pytest.raises(InputError, match="must be finite"):
        write_netcdf(echoes.where(echoes["curve"] > 0), path)
    assert path.read_bytes() == content
