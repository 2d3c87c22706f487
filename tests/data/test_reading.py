"""Echo data sets read block by block."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from latent_nmr.data.compact import save_compact
from latent_nmr.data.echoes import fingerprint, hash_variables
from latent_nmr.data.io import open_blocks, open_echoes
from latent_nmr.data.reading import StoredEchoes
from latent_nmr.data.store import fill_store
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation

N_CURVES = 21


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Store with M_z too, so that three signals are read."""
    path = tmp_path_factory.mktemp("reading") / "echoes.zarr"
    simulation = Simulation(n_edge=12, step=4, with_mz=True)
    for _ in fill_store(path, simulation, N_CURVES):
        pass
    return path


@pytest.fixture
def store(filled, tmp_path):
    """A copy that a test may spoil."""
    return Path(shutil.copytree(filled, tmp_path / "copy.zarr"))


def joined(blocks):
    return xr.concat(list(blocks), "curve", combine_attrs="override")


class TestBlocks:
    """`open_blocks`: the same curves, some at a time."""

    @pytest.mark.parametrize("rows_per_block", [1, 4, 7, N_CURVES, 1000])
    def test_the_blocks_together_are_the_whole_set(self, filled, rows_per_block):
        blocks = list(open_blocks(filled).blocks(rows_per_block))
        assert [block.sizes["curve"] for block in blocks[:-1]] == [rows_per_block] * (
            (N_CURVES - 1) // rows_per_block
        )
        xr.testing.assert_identical(joined(blocks), open_echoes(filled))

    def test_unfinished_curves_are_left_out_and_indices_kept(self, store):
        zarr.open_group(store)["done"][[2, 3, 9, 20]] = False
        blocks = list(open_blocks(store).blocks(4))
        xr.testing.assert_identical(joined(blocks), open_echoes(store))
        assert blocks[0]["curve"].to_numpy().tolist() == [0, 1, 4, 5]

    def test_a_signal_is_read_when_its_block_is_asked_for(self, store):
        blocks = open_blocks(store).blocks(16)
        next(blocks)
        shutil.rmtree(store / "mx" / "c" / "1")  # the second chunk: curves 16 and up
        with pytest.raises(InputError, match="mx of curve 16 is nan"):
            next(blocks)

    def test_a_compact_set_comes_in_blocks_too(self, filled, tmp_path):
        path = tmp_path / "few.npz"
        save_compact(open_echoes(filled), path)
        blocks = list(open_blocks(path).blocks(8))
        assert [block.sizes["curve"] for block in blocks] == [8, 8, 5]
        xr.testing.assert_identical(joined(blocks), open_echoes(path))

    @pytest.mark.parametrize("rows_per_block", [0, -1, 2.5])
    def test_a_bad_block_size_is_refused(self, filled, tmp_path, rows_per_block):
        save_compact(open_echoes(filled), tmp_path / "few.npz")
        for path in (filled, tmp_path / "few.npz"):
            with pytest.raises(InputError, match="rows_per_block must be a whole number of at"):
                next(open_blocks(path).blocks(rows_per_block))

    def test_a_nan_in_a_later_block_names_its_curve_and_the_store(self, store):
        zarr.open_group(store)["my"][18, 30] = np.nan
        blocks = open_blocks(store).blocks(10)
        next(blocks)
        with pytest.raises(InputError, match=rf"{store} must be.* my of curve 18 is nan .* 30 "):
            next(blocks)

    def test_a_lost_label_of_a_later_block_is_refused_with_the_first(self, store):
        zarr.open_group(store)["W"][18] = np.nan
        with pytest.raises(InputError, match="has lost W of curve 18"):
            next(open_blocks(store).blocks(10))

    def test_a_store_without_a_finished_curve_is_refused(self, store):
        zarr.open_group(store)["done"][:] = False
        with pytest.raises(InputError, match="at least one curve"):
            next(open_blocks(store).blocks(10))

    def test_too_little_memory_is_not_called_damage(self, filled):
        with pytest.raises(MemoryError):
            StoredEchoes(filled)._guarded(lambda: np.empty(2**50))


class TestFingerprint:
    """The digest of a set that is never whole in memory."""

    @pytest.mark.parametrize("rows_per_block", [1, 4, 1000])
    def test_it_is_that_of_the_whole_set(self, filled, rows_per_block):
        whole = fingerprint(open_echoes(filled))
        assert open_blocks(filled).fingerprint(rows_per_block) == whole

    def test_it_is_that_of_the_finished_curves(self, store):
        zarr.open_group(store)["done"][[2, 20]] = False
        assert open_blocks(store).fingerprint(4) == fingerprint(open_echoes(store))

    def test_a_compact_set_has_its_own(self, filled, tmp_path):
        path = tmp_path / "few.npz"
        save_compact(open_echoes(filled), path)
        assert open_blocks(path).fingerprint() == fingerprint(open_echoes(path))

    @pytest.mark.parametrize("name", ["mx", "my", "mz", "W", "kernel"])
    def test_it_covers_every_signal_and_label_to_the_last_curve(self, store, name):
        before = open_blocks(store).fingerprint(4)
        array = zarr.open_group(store)[name]
        array[-1] = "power" if name == "kernel" else array[-1] + 1
        assert open_blocks(store).fingerprint(4) != before

    def test_progress_counts_every_byte_of_signal_once(self, filled):
        read = []
        open_blocks(filled).fingerprint(4, on_read=read.append)
        dataset = open_echoes(filled)
        assert sum(read) == sum(dataset[name].nbytes for name in ("mx", "my", "mz"))

    def test_where_text_is_cut_changes_nothing_and_where_words_end_does(self):
        words = np.array(["ab", "c", "d"])
        whole = hash_variables([("kernel", [words])])
        assert hash_variables([("kernel", [words[:1], words[1:]])]) == whole
        assert hash_variables([("kernel", [np.array(["a", "bc", "d"])])]) != whole
