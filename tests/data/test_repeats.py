"""Repeats: several curves of each material, with its parameters and offsets of their own."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.data._store_layout import CHUNK
from latent_nmr.data.echoes import fingerprint
from latent_nmr.data.parts import numbered_part
from latent_nmr.data.reading import open_group
from latent_nmr.data.store import fill_part, fill_store
from latent_nmr.physics.simulate import Simulation, draw_fields, draw_parameters, places_of

N_EDGE, K = 8, 3
PLAIN = Simulation("paper", seed=5, n_edge=N_EDGE, step=4)
REPEATED = replace(PLAIN, repeats=K)
# Whole materials, more than one chunk, and a chunk that ends within a material.
N_CURVES = 6 * K
assert CHUNK < N_CURVES
assert CHUNK % K


@pytest.fixture(scope="module")
def plain():
    return ln.simulate("paper", N_CURVES // K, seed=5, n_edge=N_EDGE, step=4)


@pytest.fixture(scope="module")
def repeated():
    return ln.simulate("paper", N_CURVES, seed=5, n_edge=N_EDGE, step=4, repeats=K)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("repeats") / "a.zarr"
    assert list(fill_store(path, REPEATED, K)) == [0, K]
    *_, last = fill_store(path, REPEATED, N_CURVES)
    assert last == N_CURVES
    return path


class TestCurves:
    """What repeats share and what not."""

    def test_repeat_0_is_the_curve_of_a_set_without_repeats_to_the_bit(self, plain, repeated):
        first = repeated.isel(curve=slice(0, None, K))
        assert first["repeat"].values.tolist() == [0] * (N_CURVES // K)
        for name in plain.variables:
            if name != "curve":
                np.testing.assert_array_equal(first[name], plain[name], err_msg=str(name))

    def test_materials_follow_one_another_with_all_their_repeats(self, repeated):
        assert repeated["material"].values.tolist() == [i // K for i in range(N_CURVES)]
        assert repeated["repeat"].values.tolist() == [i % K for i in range(N_CURVES)]
        assert repeated["material"].dtype == repeated["repeat"].dtype == np.int64

    def test_repeats_share_every_parameter(self, repeated):
        for name in ("alpha_x", "alpha_z", "W", "L", "kernel", "kernel_parameter", "decay_rate"):
            rows = repeated[name].values.reshape(-1, K)
            assert (rows == rows[:, :1]).all(), name

    def test_a_pulse_angle_of_the_curves_own_is_the_materials(self):
        spin = Simulation("challenge2021-spin", n_edge=N_EDGE, repeats=2)
        angles = [row.flip_angle for row in draw_parameters(spin, range(6))[1]]
        assert angles[::2] == angles[1::2]
        assert len(set(angles)) == 3

    @pytest.mark.parametrize("draw", ["independent", "stratified"])
    def test_no_two_curves_share_their_offsets(self, draw):
        simulation = replace(REPEATED, line_draw=draw)
        maps = draw_fields(simulation, range(30)).reshape(30, -1)
        assert len(np.unique(maps, axis=0)) == 30
        # Nor do they with those of a longer set without repeats.
        others = draw_fields(replace(simulation, repeats=1), range(40)).reshape(40, -1)
        both = np.concatenate([maps, others[10:]])
        assert len(np.unique(both, axis=0)) == 60

    def test_offsets_of_repeats_are_as_independent_as_those_of_materials(self):
        maps = draw_fields(replace(REPEATED, repeats=20), range(20)).reshape(20, -1)
        correlation = np.corrcoef(np.argsort(np.argsort(maps)))[np.triu_indices(20, 1)]
        assert np.abs(correlation).max() < 5 / N_EDGE
        assert np.abs(correlation.mean()) < 5 / N_EDGE / np.sqrt(len(correlation))

    def test_a_curve_is_the_same_with_any_number_of_repeats_and_in_any_company(self):
        alone = draw_fields(REPEATED, [7])  # repeat 1 of material 2
        more = draw_fields(replace(REPEATED, repeats=5), [11, 3])
        np.testing.assert_array_equal(alone[0], more[0])

    def test_noise_is_fresh_in_every_repeat(self, repeated):
        noise = (ln.add_noise(repeated, 30, seed=1) - repeated)["mx"].values
        assert len(np.unique(noise, axis=0)) == N_CURVES

    def test_a_set_without_repeats_says_nothing_of_them(self, plain):
        assert not {"material", "repeat"} & set(plain.variables)
        assert "repeats" not in plain.attrs
        assert places_of(PLAIN, range(3)) == {}


class TestRefusals:
    """What cannot be meant."""

    def test_frozen_offsets_would_make_copies(self):
        with pytest.raises(ln.InputError, match=r"repeats must be 1 for the line_draw frozen.*2"):
            Simulation("paper", line_draw="frozen", repeats=2)

    @pytest.mark.parametrize("n_curves", [1, 10, 11])
    def test_a_number_of_curves_that_tears_the_last_material(self, n_curves, tmp_path):
        with pytest.raises(ln.InputError, match=rf"multiple of repeats = 3.* is {n_curves}\. Take"):
            ln.simulate("paper", n_curves, repeats=3, n_edge=N_EDGE)
        with pytest.raises(ln.InputError, match="multiple of repeats"):
            next(fill_store(tmp_path / "a.zarr", REPEATED, n_curves))
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("repeats", [0, -1, 1.5, True])
    def test_no_number_of_repeats(self, repeats):
        with pytest.raises(ln.InputError, match="repeats"):
            Simulation("paper", repeats=repeats)


class TestStores:
    """Extension, parts and refusals of stores with repeats."""

    def test_an_extended_store_is_the_set_made_at_once(self, store, repeated):
        xr.testing.assert_identical(ln.open_echoes(store), repeated)

    def test_parts_by_several_processes_make_the_same(self, tmp_path, repeated):
        path = tmp_path / "a.zarr"
        for part in ("2/2", "1/2"):
            list(fill_part(path, REPEATED, N_CURVES, [numbered_part(part, N_CURVES, CHUNK)]))
        xr.testing.assert_identical(ln.open_echoes(path), repeated)

    @pytest.mark.parametrize("other", [PLAIN, replace(PLAIN, repeats=2)])
    def test_another_number_of_repeats_is_refused(self, store, other):
        with pytest.raises(ln.InputError, match=r"repeats = 3 and [12] is asked for"):
            next(fill_store(store, other, N_CURVES))

    def test_a_store_without_repeats_is_as_before_and_not_continued_with_some(self, tmp_path):
        path = tmp_path / "a.zarr"
        list(fill_store(path, PLAIN, 3))
        assert not {"material", "repeat"} & set(open_group(path))
        assert "repeats" not in open_group(path).attrs
        with pytest.raises(ln.InputError, match="repeats = 1 and 3 is asked for"):
            next(fill_store(path, REPEATED, N_CURVES))

    @pytest.mark.parametrize("name", ["material", "repeat"])
    def test_a_changed_place_does_not_fit_the_checksum(self, store, tmp_path, name):
        path = tmp_path / "a.zarr"
        shutil.copytree(store, path)
        array = open_group(path, "r+")[name]
        array[4] = 5
        with pytest.raises(ln.InputError, match=r"curve 4 .* does not fit its checksum"):
            ln.open_echoes(path)
        array[4] = -1
        with pytest.raises(ln.InputError, match=f"lost {name} of curve 4"):
            ln.open_echoes(path)

    @pytest.mark.parametrize("suffix", [".zarr", ".nc", ".csv", ".npz"])
    def test_every_format_keeps_materials_and_repeats(self, suffix, repeated, tmp_path):
        part = repeated.isel(curve=slice(7))
        ln.save_echoes(part, tmp_path / f"a{suffix}")
        read = ln.open_echoes(tmp_path / f"a{suffix}")
        for name in ("material", "repeat"):
            xr.testing.assert_identical(read[name], part[name])
        assert read.attrs["repeats"] == K

    def test_the_fingerprint_covers_materials(self, repeated, store):
        from latent_nmr.data.io import open_blocks

        other = repeated.assign_coords(material=("curve", np.arange(N_CURVES)))
        assert fingerprint(repeated) != fingerprint(other)
        assert fingerprint(repeated) == open_blocks(store).fingerprint(CHUNK)
