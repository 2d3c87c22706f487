"""Protocols: several echoes of each material, beside one another."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import latent_nmr as ln
from latent_nmr.data.echoes import fingerprint
from latent_nmr.data.io import open_blocks
from latent_nmr.data.reading import open_group
from latent_nmr.data.store import fill_store
from latent_nmr.physics.protocols import Protocol, parse_protocols
from latent_nmr.physics.simulate import Simulation, draw_fields, planned_evaluations

SETTINGS = {"seed": 4, "n_edge": 8, "step": 4}
PAIR = Simulation("paper-pair", **SETTINGS)


@pytest.fixture(scope="module")
def pair():
    return ln.simulate("paper-pair", 3, **SETTINGS)


@pytest.fixture(scope="module")
def alone():
    """The echoes of the pair, each simulated as a data set of its own."""
    return {
        f"{angle}deg": ln.simulate("paper", 3, **SETTINGS, flip_angle_deg=angle)
        for angle in (60, 120)
    }


@pytest.fixture(scope="module")
def spaced():
    """Two spacings, two repeats, offsets of their own."""
    ways = {"protocols": "90:100 60:50", "offsets": "fresh", "repeats": 2}
    return ln.simulate("paper", 4, **SETTINGS, **ways)


class TestSimulation:
    """What protocols share, and how they are asked for."""

    def test_each_is_the_data_set_of_its_own_pulses_to_the_bit(self, pair, alone):
        assert pair["mx"].dims == ("protocol", "curve", "time")
        for name, one in alone.items():
            for signal in ("mx", "my"):
                np.testing.assert_array_equal(pair[signal].sel(protocol=name), one[signal])
            for label in ("alpha_x", "alpha_z", "L", "kernel"):
                np.testing.assert_array_equal(pair[label], one[label])

    def test_coordinates_say_what_they_are(self, pair, spaced):
        assert pair["protocol"].values.tolist() == ["60deg", "120deg"]
        assert pair["flip_angle"].values.tolist() == [60, 120]
        assert spaced["protocol"].values.tolist() == ["90deg-100us", "60deg-50us"]
        np.testing.assert_allclose(spaced["tau"], [100, 50], atol=0.1)
        assert [entry["echo_index"] for entry in spaced.attrs["protocols"]] == [1256, 628]
        assert "echo_index" not in spaced.attrs

    def test_a_preset_with_60_degrees_is_one_data_set_of_dimensions_curve_and_time(self, alone):
        found = ln.simulate("paper-60", 3, **SETTINGS)
        xr.testing.assert_equal(found, alone["60deg"])

    def test_one_protocol_has_no_dimension(self):
        found = ln.simulate("paper", 1, **SETTINGS, protocols=[(60, 50)])
        assert found["mx"].dims == ("curve", "time")
        assert found.attrs["echo_index"] == 628

    @pytest.mark.parametrize(
        "given",
        ["90:100 60", "90:100,60", ["90:100", 60], [(90, 100), 60.0], (Protocol(90, 100), "60"),
         [{"flip_angle_deg": 90, "tau_us": 100}, np.float64(60)],
         [(90, np.timedelta64(100, "us")), 60], [np.array([90, 100]), 60]],
    )  # fmt: skip
    def test_forms_of_the_same(self, given):
        assert parse_protocols(given) == (Protocol(90, 100), Protocol(60))

    @pytest.mark.parametrize("given", [None, "", (), []])
    def test_none_is_the_presets_own(self, given):
        assert Simulation("paper", protocols=given) == Simulation("paper")

    @pytest.mark.parametrize(
        "given", ["a", "90:100:3", "90:", [None], [True], [(1, 2, 3)], [-5], [200], [(90, 0)],
                  "90 90", [(90, 1e-3), 60], b"60", bytearray(b"60"), {60, 120},
                  {60: 1}.keys(), np.ones((2, 3))],
    )  # fmt: skip
    def test_what_stands_for_no_protocol_is_refused(self, given):
        with pytest.raises(ln.InputError, match=r"protocols|flip_angle_deg|tau_us"):
            Simulation("paper", protocols=given)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"preset": "paper-pair", "flip_angle_deg": 60}, "flip_angle_deg must be left out"),
            ({"protocols": [60, 120], "flip_angle_deg": 60}, "flip_angle_deg must be left out"),
            ({"preset": "challenge2021-spin", "protocols": [60]}, "protocols must be left out"),
            ({"offsets": "fresh"}, "offsets must be 'same' for one protocol"),
            ({"offsets": "other"}, "offsets"),
            ({"preset": "paper-pair", "offsets": "fresh", "line_draw": "frozen"}, "frozen"),
        ],
    )
    def test_settings_that_contradict_each_other(self, settings, words):
        with pytest.raises(ln.InputError, match=words):
            Simulation(**settings)

    def test_offsets_are_shared_or_fresh_in_every_protocol_and_repeat(self):
        same, fresh = (
            [draw_fields(replace(PAIR, offsets=offsets, repeats=2), range(6), p) for p in (0, 1)]
            for offsets in ("same", "fresh")
        )
        np.testing.assert_array_equal(*same)
        np.testing.assert_array_equal(fresh[0], same[0])
        maps = np.concatenate(fresh).reshape(12, -1)
        assert len(np.unique(maps, axis=0)) == 12

    def test_the_cost_is_that_of_all_protocols(self):
        own = [Simulation("paper", **SETTINGS, flip_angle_deg=a) for a in (60, 120)]
        costs = [planned_evaluations(one, range(3)) for one in own]
        assert planned_evaluations(PAIR, range(3)) == np.sum(costs, axis=0).tolist()


class TestFiles:
    """Stores and formats."""

    @pytest.mark.parametrize("suffix", [".zarr", ".nc", ".csv", ".npz"])
    def test_every_format_keeps_protocols(self, suffix, spaced, tmp_path):
        for name, dataset in {"all": spaced, "one": spaced.isel(protocol=1)}.items():
            path = tmp_path / f"{name}{suffix}"
            ln.save_echoes(dataset, path)
            read = ln.open_echoes(path)
            if suffix == ".npz":
                assert read["mx"].dims == dataset["mx"].dims
                np.testing.assert_allclose(read["mx"], dataset["mx"], atol=2e-5)
                read = read.assign({n: dataset[n] for n in ("mx", "my")})
            xr.testing.assert_identical(read, dataset)

    def test_a_compact_set_may_hold_the_lengths_alone(self, pair, tmp_path):
        ln.save_echoes(pair, tmp_path / "a.npz", signals="magnitude")
        read = ln.open_echoes(tmp_path / "a.npz")
        np.testing.assert_allclose(read["magnitude"], np.hypot(pair["mx"], pair["my"]), atol=1e-5)

    def test_an_extended_store_is_the_set_made_at_once(self, tmp_path, pair):
        path = tmp_path / "a.zarr"
        list(fill_store(path, PAIR, 1))
        list(fill_store(path, PAIR, 3))
        xr.testing.assert_identical(ln.open_echoes(path), pair)
        assert open_blocks(path).fingerprint(2) == fingerprint(pair)

    @pytest.mark.parametrize(
        "other",
        [
            Simulation("paper-pair", **SETTINGS, offsets="fresh"),
            Simulation("paper-pair", **SETTINGS, protocols=[120, 60]),
            Simulation("paper-pair", **SETTINGS, repeats=3),
        ],
    )
    def test_a_store_is_continued_with_its_own_protocols_only(self, tmp_path, other):
        path = tmp_path / "a.zarr"
        next(fill_store(path, PAIR, 3))
        with pytest.raises(ln.InputError, match=r"offsets|protocols|repeats"):
            next(fill_store(path, other, 3))

    def test_damage_in_any_protocol_is_noticed(self, tmp_path):
        path = tmp_path / "a.zarr"
        list(fill_store(path, PAIR, 2))
        copy = tmp_path / "b.zarr"
        shutil.copytree(path, copy)
        open_group(copy, "r+")["mx"][1, 1, 5] = 0.1
        with pytest.raises(ln.InputError, match=r"curve 1 of .* does not fit its checksum"):
            ln.open_echoes(copy)

    def test_what_has_no_place_for_them_refuses_them(self, pair, tmp_path):
        with pytest.raises(ln.InputError, match=r"one protocol.*ds.sel\(protocol='60deg'\)"):
            ln.save_challenge(pair, tmp_path / "folder", kind="2021-gauss")


class TestFeatures:
    """Features are joined."""

    @pytest.mark.parametrize("part", ["magnitude", "both", "real", "imaginary"])
    @pytest.mark.parametrize("window", ["echo", "full"])
    def test_they_are_those_of_each_protocol_side_by_side(self, pair, alone, window, part):
        wanted = [ln.features(one, window, part=part) for one in alone.values()]
        found = ln.features(pair, window, part=part)
        np.testing.assert_array_equal(found, np.concatenate(wanted, axis=1))
        blocks = ln.feature_blocks(ln.window_time(pair, window), part, ["a", "b"])
        assert blocks[-1].columns.stop == found.shape[1]
        assert {block.protocol for block in blocks} == {"a", "b"}

    def test_each_has_the_window_of_its_own_echo(self, spaced):
        times = ln.window_time(spaced, "echo")
        np.testing.assert_allclose(times[:, 200], [199.9, 99.95], atol=0.1)
        one = spaced.sel(protocol="60deg-50us")
        np.testing.assert_array_equal(ln.window_time(one, "echo"), times[1])
        np.testing.assert_array_equal(ln.features(one), ln.features(spaced)[:, 400:])

    def test_echo_features_take_them_as_arrays_of_any_order(self, pair):
        M = pair["mx"] + 1j * pair["my"]
        wanted = ln.features(pair, part="both")
        made = ln.EchoFeatures(pair["time"].values, part="both", echo_time=199.9).fit(M)
        assert made.protocols_ == ["60deg", "120deg"]
        for X in (M, M.transpose("time", "curve", "protocol"), M.values.swapaxes(0, 1)):
            np.testing.assert_allclose(made.transform(X), wanted, atol=1e-6)
        assert made.get_feature_names_out()[-1].startswith("Im M(231")
        assert made.get_feature_names_out()[-1].endswith("µs), 120deg")
        back = made.inverse_transform(wanted)
        inside = M.transpose("curve", "protocol", "time").values[..., 1056:1456]
        np.testing.assert_allclose(back, inside / abs(M[:, :, 0]).values.T[..., None] * made.
                                   scale_[:, None], atol=1e-5)  # fmt: skip

    def test_echo_features_refuse_another_number_of_protocols(self, pair):
        M = (pair["mx"] + 1j * pair["my"]).values.swapaxes(0, 1)
        made = ln.EchoFeatures(echo_time=[1256, 1256]).fit(M)
        for X in (M[:, :1], M[:, 0]):
            with pytest.raises(ln.InputError, match="as many samples as in fit"):
                made.transform(X)
        with pytest.raises(ln.InputError, match="echo_time must be one time, or one for each"):
            ln.EchoFeatures(echo_time=[1256]).fit(M)

    def test_echo_features_refuse_other_protocols_than_those_of_the_fit(self, pair):
        M = pair["mx"] + 1j * pair["my"]
        made = ln.EchoFeatures(echo_time=[1256, 1256]).fit(M)
        other = M.assign_coords(protocol=["60deg", "90deg"], flip_angle=("protocol", [60.0, 90.0]))
        for X in (M.isel(protocol=[1, 0]), other):
            with pytest.raises(ln.InputError, match=r"X must have the protocols of the fit, 60deg"):
                made.transform(X)
        bare = ln.EchoFeatures(echo_time=[1256, 1256]).fit(M.drop_vars(["protocol"]))
        np.testing.assert_array_equal(bare.transform(M), made.transform(M))

    def test_noise_is_of_its_own_in_every_protocol_also_if_one_is_taken_first(self, pair, alone):
        noisy = ln.add_noise(pair, 20, seed=1)
        first = ln.add_noise(alone["60deg"], 20, seed=1)
        np.testing.assert_array_equal(noisy["mx"][0], first["mx"])
        second = ln.add_noise(pair.sel(protocol="120deg"), 20, seed=1)
        np.testing.assert_array_equal(noisy["mx"][1], second["mx"])
        own = (noisy - pair)["mx"].values
        assert abs(np.corrcoef(own[0].ravel(), own[1].ravel())[0, 1]) < 0.1

    @pytest.mark.parametrize(
        "change",
        [
            lambda ds: ln.shift_frequency(ds, [0.01, 0.02, -0.01]),
            lambda ds: ln.rotate_phase(ds, 1.0),
            lambda ds: ln.add_baseline(ds, 0.1, 0),
            lambda ds: ln.blank_dead_time(ds, 2.0),
        ],
    )
    def test_what_a_spectrometer_adds_is_added_to_all(self, pair, alone, change):
        found = change(pair)
        assert found["mx"].dims == pair["mx"].dims
        for name, one in alone.items():
            np.testing.assert_array_equal(found["my"].sel(protocol=name), change(one)["my"])

    def test_phases_may_be_of_each_protocol_and_curve(self, pair, alone):
        phases = np.arange(6.0).reshape(2, 3)
        turned = ln.rotate_phase(pair, phases)
        own = ln.rotate_phase(alone["120deg"], phases[1])
        np.testing.assert_array_equal(turned["mx"][1], own["mx"])

    def test_a_set_made_of_measured_echoes_needs_no_attribute(self, alone):
        joined = xr.concat(alone.values(), "protocol", combine_attrs="override", join="outer")
        np.testing.assert_array_equal(
            ln.features(joined), np.hstack([ln.features(one) for one in alone.values()])
        )


class TestStudies:
    """Studies and models of one protocol refuse several in one line."""

    @pytest.mark.parametrize(
        "study",
        [
            lambda ds: ln.audit("echo", ds),
            lambda ds: ln.embed("echo", ds),
            lambda ds: ln.name_axes("echo", ds),
            lambda ds: ln.challenge("2021-gauss", ds),
        ],
    )
    def test_they_are_refused_with_the_cure(self, study, pair):
        # None of the pair is at 90°, as the model is; the challenge takes any.
        cure = r"(a single one.*Use data of the same pulses|Select one, such as ds\.sel\()"
        with pytest.raises(ln.InputError, match=cure):
            study(pair)
