"""Data sets that earlier versions wrote are read for ever, with the same numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.data.echoes import magnitude

FOLDER = Path(__file__).parents[1] / "fixtures" / "0.1.0"
EXPECTED = json.loads((FOLDER / "echoes.json").read_text("utf-8"))
NUMBERS = ("W", "L", "alpha_x", "alpha_y", "alpha_z", "kernel_parameter", "decay_rate")


@pytest.mark.parametrize("name", ["echoes.zarr", "echoes.npz"])
def test_labels_times_and_attributes_are_those_that_were_written(name):
    dataset = ln.open_echoes(FOLDER / name)
    assert dict(dataset.sizes) == {"curve": EXPECTED["curves"], "time": EXPECTED["times"]}
    assert float(dataset.time[-1]) == EXPECTED["last_time"]
    assert dataset.attrs["echo_index"] == EXPECTED["echo_index"]
    assert dataset.attrs["preset"] == "paper"
    assert list(map(str, dataset.kernel.to_numpy())) == EXPECTED["kernel"]
    for label in NUMBERS:
        assert dataset[label].to_numpy().tolist() == EXPECTED[label], label


def test_the_curves_of_a_store_are_those_that_were_written():
    dataset = ln.open_echoes(FOLDER / "echoes.zarr")
    for signal in ("mx", "my"):
        found = dataset[signal].to_numpy()[:, EXPECTED["samples"]]
        np.testing.assert_array_equal(found, np.float32(EXPECTED[signal]))


def test_the_curves_of_a_compact_set_are_those_of_the_store():
    stored, compact = (ln.open_echoes(FOLDER / f"echoes.{end}") for end in ("zarr", "npz"))
    # Half a step of its fixed-point numbers.
    np.testing.assert_allclose(magnitude(compact), magnitude(stored), rtol=0, atol=3.9e-6)
