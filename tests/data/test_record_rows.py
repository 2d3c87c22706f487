"""Rows of whole complex records."""

import numpy as np
import pytest

import latent_nmr as ln
from latent_nmr.errors import InputError


@pytest.fixture(scope="module")
def ds():
    return ln.simulate("paper", n_curves=4, n_edge=6, seed=0)


def test_a_column_is_the_mean_of_neighbouring_samples_over_the_first_sample(ds):
    rows = ln.record_rows(ds, block=5)
    signal = ds.mx.to_numpy() + 1j * ds.my.to_numpy()
    expected = signal[:, :1880].reshape(4, 376, 5).mean(axis=2) / np.abs(signal[:, :1])
    np.testing.assert_allclose(rows[:, :376] + 1j * rows[:, 376:], expected, atol=1e-6)
    assert rows.dtype == np.float32


def test_the_scale_of_a_record_does_not_matter(ds):
    louder = ds.assign(mx=7 * ds.mx, my=7 * ds.my)
    np.testing.assert_allclose(ln.record_rows(louder), ln.record_rows(ds), atol=1e-6)


def test_of_several_protocols_one_must_be_selected():
    pair = ln.simulate("paper-pair", n_curves=2, n_edge=6)
    with pytest.raises(InputError, match="must have one protocol, but has 2"):
        ln.record_rows(pair)
    assert ln.record_rows(pair.isel(protocol=0)).shape == (2, 940)


def test_a_record_without_a_first_sample_is_refused(ds):
    silent = ds.assign(mx=ds.mx.where(ds.time > 0, 0), my=ds.my.where(ds.time > 0, 0))
    with pytest.raises(InputError, match="signal at its first sample"):
        ln.record_rows(silent)


@pytest.mark.parametrize("block", [0, 2000, 2.5])
def test_blocks_that_cannot_be_are_refused(ds, block):
    with pytest.raises(InputError, match="block must be"):
        ln.record_rows(ds, block=block)
