"""`open_echoes` and `save_echoes`: every format in, four formats out, nothing lost on the way."""

import json
import math
import shutil
import struct

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from latent_nmr.data.challenge_files import save_challenge
from latent_nmr.data.compact import save_compact
from latent_nmr.data.echoes import fingerprint, magnitude
from latent_nmr.data.io import open_blocks, open_echoes, save_echoes
from latent_nmr.data.spectrometer import add_noise
from latent_nmr.data.store import fill_store, simulate
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation

SIMULATION = Simulation(n_edge=8, seed=3, step=4)
N_CURVES = 9
EXACT = (".zarr", ".nc", ".csv")
SUFFIXES = (*EXACT, ".npz")
OTHER_NAN = struct.unpack("d", struct.pack("Q", 0x7FF8000000000001))[0]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("io") / "echoes.zarr"
    list(fill_store(path, SIMULATION, N_CURVES))
    return path


@pytest.fixture(scope="module")
def simulated(store):
    thinned = open_echoes(store).isel(time=slice(0, 1882, 40))
    return thinned.assign_attrs(echo_index=31, dt_us=40 * thinned.attrs["dt_us"])


@pytest.fixture(scope="module")
def changed(simulated):
    """A set changed in Python: noise, a selection, labels of one's own, some missing, settings."""
    dataset = add_noise(simulated, 20, seed=1).isel(curve=[7, 2, 5, 0]).drop_vars(["L", "alpha_z"])
    dataset = dataset.assign_coords(
        W=("curve", [0.1, np.nan, 1 / 3, 0.2], {"units": "MHz", "checked": [True, None]}),
        kernel=("curve", np.array(["", "a, b", 'say "µ"', "rkky"], object)),
        run=("curve", np.array([2**40, -1, 0, 7])),
        short=("curve", np.array([1, 2, 3, 4], np.int16)),
        usable=("curve", np.array([True, False, True, True])),
        temperature=("curve", np.array([4.2, -np.inf, 300.0, 1e-3], np.float32)),
    )
    dataset.attrs |= {
        "list": [1, [2.5, None]],
        "tuple": (1, "a"),
        "flag": True,
        "nothing": None,
        "empty": "",
        "big": 2**80,
        "x": 0.1 + 0.2,
        "array": np.arange(3),
        "scalar": np.float64(0.5),
        "a name": {"b": [1.5, "é\n"]},
        "units": "none",
    }
    return dataset


def expected(dataset):
    """What comes back of `changed`: the same, tuples and arrays being lists."""
    attributes = dataset.attrs | {"tuple": [1, "a"], "array": [0, 1, 2], "scalar": 0.5}
    return dataset.assign_attrs(attributes)


def types_of(dataset):
    return {  # text of any length is one type
        n: v.dtype.kind if v.dtype.kind in "OU" else v.dtype for n, v in dataset.variables.items()
    }


def assert_same(found, wanted):
    xr.testing.assert_identical(found, wanted)
    assert json.dumps(found.attrs, sort_keys=True) == json.dumps(wanted.attrs, sort_keys=True)
    plain = {name: "U" if kind == "O" else kind for name, kind in types_of(wanted).items()}
    assert types_of(found) == plain


class TestExactRoundTrips:
    """zarr, NetCDF and CSV."""

    @pytest.mark.parametrize("suffix", EXACT)
    def test_a_simulated_set_comes_back_bit_for_bit(self, simulated, tmp_path, suffix):
        path = tmp_path / f"echoes{suffix}"
        save_echoes(simulated, path)
        assert_same(open_echoes(path), simulated)
        assert fingerprint(open_echoes(path)) == fingerprint(simulated)

    @pytest.mark.parametrize("suffix", EXACT)
    def test_a_set_changed_in_python_comes_back_bit_for_bit(self, changed, tmp_path, suffix):
        path = tmp_path / f"echoes{suffix}"
        save_echoes(changed, path)
        assert_same(open_echoes(path), expected(changed))

    @pytest.mark.parametrize("suffix", EXACT)
    def test_saving_leaves_the_data_set_as_it_was(self, changed, tmp_path, suffix):
        before = changed.copy(deep=True)
        save_echoes(changed, tmp_path / f"echoes{suffix}")
        xr.testing.assert_identical(changed, before)
        assert types_of(changed) == types_of(before)
        assert isinstance(changed.attrs["tuple"], tuple)

    @pytest.mark.parametrize("suffix", EXACT)
    def test_double_precision_stays_double(self, simulated, tmp_path, suffix):
        double = simulated.assign(mx=simulated["mx"] + 1e-12 * simulated["my"].astype(float))
        assert double["mx"].dtype == np.float64
        save_echoes(double, tmp_path / f"echoes{suffix}")
        assert_same(open_echoes(tmp_path / f"echoes{suffix}"), double)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_curves_of_which_only_the_length_is_known(self, simulated, tmp_path, suffix):
        save_compact(simulated, tmp_path / "first.npz")
        only_length = open_echoes(tmp_path / "first.npz")
        assert set(only_length.data_vars) == {"magnitude"}
        save_echoes(only_length, tmp_path / f"echoes{suffix}")
        assert_same(open_echoes(tmp_path / f"echoes{suffix}"), only_length)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_no_labels_and_no_curve_numbers_stay_none(self, simulated, tmp_path, suffix):
        bare = simulated.drop_vars([name for name in simulated.coords if name != "time"])
        save_echoes(bare, tmp_path / f"echoes{suffix}")
        found = open_echoes(tmp_path / f"echoes{suffix}")
        assert set(found.coords) == {"time"}
        xr.testing.assert_identical(found["time"], bare["time"])

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_named_curves(self, simulated, tmp_path, suffix):
        named = simulated.assign_coords(curve=[f"sample {i}" for i in range(N_CURVES)])
        save_echoes(named, tmp_path / f"echoes{suffix}")
        found = open_echoes(tmp_path / f"echoes{suffix}")
        assert found["curve"].to_numpy().tolist() == named["curve"].to_numpy().tolist()

    @pytest.mark.parametrize("suffix", [".zarr", ".nc", ".npz"])
    def test_variables_of_other_shapes(self, simulated, tmp_path, suffix):
        more = simulated.assign_coords(field=8.45, gate=("time", np.arange(48) % 2 == 0)).assign(
            spectrum=(("curve", "bin"), np.arange(18.0).reshape(9, 2)),
            fit=(("time", "curve"), np.full((48, 9), 0.25)),
        )
        save_echoes(more, tmp_path / f"echoes{suffix}")
        found = open_echoes(tmp_path / f"echoes{suffix}").drop_vars(["mx", "my"])
        assert_same(found, more.drop_vars(["mx", "my"]).assign(fit=more["fit"].transpose()))

    @given(
        text=st.lists(
            st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
            min_size=2,
            max_size=2,
        ),
        whole=st.lists(st.integers(-(2**53), 2**53), min_size=2, max_size=2),
        real=st.lists(st.floats(), min_size=2, max_size=2),
        attribute=st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False)
            | st.text(st.characters(exclude_categories=["Cs"])),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=6,
        ),
    )
    # A chunk of NaN alone is not written, and reads as the NaN that fills it.
    @example([""] * 2, [0] * 2, [math.nan, OTHER_NAN], None)
    @example([""] * 2, [0] * 2, [OTHER_NAN, -OTHER_NAN], None)
    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    def test_any_label_and_any_attribute(self, tmp_path, text, whole, real, attribute):
        dataset = xr.Dataset(
            {name: (("curve", "time"), np.full((2, 2), 0.25, np.float32)) for name in ("mx", "my")},
            {
                "time": [0.0, 1.0],
                "text": ("curve", np.array(text, np.str_)),
                "whole": ("curve", np.array(whole)),
                "real": ("curve", np.array(real)),
            },
            {"echo_index": 1, "own": attribute},
        )
        for suffix in SUFFIXES:
            path = tmp_path / f"echoes{suffix}"
            save_echoes(dataset, path, overwrite=True)
            assert_same(open_echoes(path).drop_vars(["mx", "my"]), dataset.drop_vars(["mx", "my"]))


class TestCompact:
    """The format that rounds, once."""

    def test_a_changed_set_comes_back_within_half_a_step_and_then_stays(self, changed, tmp_path):
        save_echoes(changed, tmp_path / "once.npz")
        once = open_echoes(tmp_path / "once.npz")
        signals = ["mx", "my"]
        assert_same(once.drop_vars(signals), expected(changed).drop_vars(signals))
        for name in signals:
            largest = float(np.abs(changed[name]).max())
            difference = np.abs(once[name] - changed[name]).to_numpy().max()
            assert 0 < difference <= largest / 32767 + 1e-7
        save_echoes(once, tmp_path / "twice.npz")
        assert_same(open_echoes(tmp_path / "twice.npz"), once)

    @pytest.mark.parametrize("scale", [1e-6, 0.5, 1.2, 1.0000001, 3e5])
    @pytest.mark.parametrize("signals", ["complex", "magnitude"])
    def test_any_height_is_kept_with_16_bits(self, simulated, tmp_path, scale, signals):
        loud = simulated.assign({n: np.float32(scale) * simulated[n] for n in ("mx", "my")})
        save_echoes(loud, tmp_path / "once.npz", signals=signals)
        once = open_echoes(tmp_path / "once.npz")
        np.testing.assert_allclose(magnitude(once), magnitude(loud), atol=2 * scale / 32767)
        save_echoes(once, tmp_path / "twice.npz")
        assert_same(open_echoes(tmp_path / "twice.npz"), once)

    def test_the_length_alone_takes_less_room(self, simulated, tmp_path):
        save_echoes(simulated, tmp_path / "both.npz")
        save_echoes(simulated, tmp_path / "length.npz", signals="magnitude")
        assert set(open_echoes(tmp_path / "length.npz").data_vars) == {"magnitude"}
        both, length = ((tmp_path / f"{n}.npz").stat().st_size for n in ("both", "length"))
        assert length < both

    def test_both_components_of_a_length_are_refused(self, simulated, tmp_path):
        save_echoes(simulated, tmp_path / "length.npz", signals="magnitude")
        with pytest.raises(InputError, match="must hold both mx and my"):
            save_echoes(open_echoes(tmp_path / "length.npz"), tmp_path / "b.npz", signals="complex")


class TestRecognition:
    """What a path holds is found by content and suffix."""

    def test_a_challenge_folder(self, tmp_path):
        dataset = challenge_set()
        save_challenge(dataset, tmp_path, "2021-rkky")
        assert open_echoes(tmp_path).attrs["source"] == "challenge 2021-rkky model"
        assert open_echoes(tmp_path, 1).sizes["curve"] == 1
        save_challenge(dataset, tmp_path / "eval", "2021-rkky", "eval")
        assert "W" not in open_echoes(tmp_path / "eval").coords

    def test_two_editions_in_one_folder_are_asked_about(self, tmp_path):
        save_challenge(challenge_set(), tmp_path, "2021-rkky")
        save_challenge(challenge_set().drop_vars("kernel"), tmp_path, "2021-gauss")
        with pytest.raises(InputError, match=r"one edition, .*gauss and 2021-rkky.*open_challenge"):
            open_echoes(tmp_path)

    def test_the_content_decides_where_the_suffix_says_nothing(self, simulated, tmp_path):
        for suffix in SUFFIXES:
            save_echoes(simulated, tmp_path / f"echoes{suffix}")
            (tmp_path / f"echoes{suffix}").rename(tmp_path / "moved")
            assert open_echoes(tmp_path / "moved").sizes == simulated.sizes
            target = tmp_path / "moved"
            shutil.rmtree(target) if target.is_dir() else target.unlink()

    @pytest.mark.parametrize(
        ("name", "content", "rule"),
        [
            ("a.txt", b"hello", "is none of these"),
            ("a.h5", b"\x89HDF\r\n\x1a\n....", "version 4"),
            ("a.csv", b"x,y\n1,2\n", "line 1: the first line must be"),
            ("a.nc", b"hello", "cannot be read as one"),
            ("a.npz", b"hello", "cannot be read as one"),
        ],
    )
    def test_other_files_are_refused_and_the_formats_listed(self, tmp_path, name, content, rule):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=rule):
            open_echoes(tmp_path / name)

    def test_a_folder_of_other_things_and_no_path_at_all(self, tmp_path):
        with pytest.raises(InputError, match=r"a zarr store, a compact set .* is none of these"):
            open_echoes(tmp_path)
        with pytest.raises(InputError, match="there is nothing at"):
            open_echoes(tmp_path / "none.nc")

    def test_a_file_of_plain_xarray_is_read(self, simulated, tmp_path):
        named = simulated[["mx", "my"]].assign_attrs(echo_index=31)
        named.attrs = {"echo_index": 31}
        named.to_netcdf(tmp_path / "a.nc", engine="scipy")
        found = open_echoes(tmp_path / "a.nc")
        np.testing.assert_array_equal(found["mx"], named["mx"])
        assert found["kernel"].dtype.kind == "U"

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_the_first_curves_and_too_many(self, simulated, tmp_path, suffix):
        path = tmp_path / f"echoes{suffix}"
        save_echoes(simulated, path)
        xr.testing.assert_identical(open_echoes(path, 2), open_echoes(path).isel(curve=slice(2)))
        with pytest.raises(InputError, match=f"is 99 and .* has {N_CURVES}"):
            open_echoes(path, 99)

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_blocks_of_any_format(self, simulated, tmp_path, suffix):
        path = tmp_path / f"echoes{suffix}"
        save_echoes(simulated, path)
        blocks = list(open_blocks(path).blocks(4))
        assert [block.sizes["curve"] for block in blocks] == [4, 4, 1]
        assert open_blocks(path).fingerprint() == fingerprint(open_echoes(path))


class TestSafety:
    """What is there stays there."""

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_an_existing_path_is_kept_unless_overwriting_is_asked_for(
        self, simulated, tmp_path, suffix
    ):
        path = tmp_path / f"echoes{suffix}"
        save_echoes(simulated, path)
        other = simulated.isel(curve=[0])
        with pytest.raises(InputError, match="pass overwrite=True"):
            save_echoes(other, path)
        assert open_echoes(path).sizes["curve"] == N_CURVES
        save_echoes(other, path, overwrite=True)
        assert open_echoes(path).sizes["curve"] == 1

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_a_refused_set_leaves_the_old_one_and_nothing_else(self, simulated, tmp_path, suffix):
        path = tmp_path / f"echoes{suffix}"
        save_echoes(simulated, path)
        before = sorted(p.name for p in tmp_path.iterdir())
        broken = simulated.assign_attrs(made_by=object())
        with pytest.raises(
            InputError, match=r"made_by cannot be written.*del ds.attrs\['made_by'\]"
        ):
            save_echoes(broken, path, overwrite=True)
        assert open_echoes(path).sizes["curve"] == N_CURVES
        assert sorted(p.name for p in tmp_path.iterdir()) == before

    def test_a_folder_that_is_no_store_is_never_replaced(self, simulated, tmp_path):
        (tmp_path / "mine.zarr").mkdir()
        (tmp_path / "mine.zarr" / "thesis.tex").write_text("work of years")
        with pytest.raises(InputError, match="a folder of another kind"):
            save_echoes(simulated, tmp_path / "mine.zarr", overwrite=True)
        (tmp_path / "folder.csv").mkdir()
        with pytest.raises(InputError, match="a folder of another kind"):
            save_echoes(simulated, tmp_path / "folder.csv", overwrite=True)
        assert (tmp_path / "mine.zarr" / "thesis.tex").read_text() == "work of years"

    def test_a_saved_store_is_not_continued_by_simulation(self, store, tmp_path):
        path = tmp_path / "saved.zarr"
        save_echoes(open_echoes(store), path)
        with pytest.raises(
            InputError, match=r"saved\.zarr was written by save_echoes.*another path"
        ):
            list(fill_store(path, SIMULATION, N_CURVES + 1))
        assert open_echoes(path).sizes["curve"] == N_CURVES

    def test_a_saved_store_opens_in_plain_xarray(self, simulated, tmp_path):
        save_echoes(simulated, tmp_path / "saved.zarr")
        found = xr.open_zarr(tmp_path / "saved.zarr", consolidated=False)
        assert found["mx"].dims == ("curve", "time")
        np.testing.assert_array_equal(found["W"], simulated["W"])

    @pytest.mark.parametrize(
        ("suffix", "change", "rule"),
        [
            (".csv", lambda ds: ds.assign(field=("coil", [8.45, 8.5])), "no place for field"),
            (".csv", lambda ds: ds.assign_coords(note=("curve", ["a\nb"] * 9)), "line breaks"),
            (".csv", lambda ds: ds.assign_coords(mx_0=ds["W"]), "no place for mx_0"),
            (".nc", lambda ds: ds.assign_coords(big=("curve", [2**60] * 9)), "no place for big"),
            (".nc", lambda ds: ds.assign_coords(z=("curve", [1j] * 9)), "no complex128"),
            (".zarr", lambda ds: ds.assign_coords(o=("curve", [None] * 9)), "o holds NoneType"),
            (".zarr", lambda ds: ds.assign_coords({"a/b": ds["W"]}), "'a/b'.*Rename"),
            (".npz", lambda ds: ds.assign_coords(when=("curve", np.zeros(9, "M8[ns]"))), "when"),
            (".npz", lambda ds: ds.isel(curve=0), r"dimensions \(curve, time\), but mx"),
            (".nc", lambda ds: ds.astype(np.float16), "float32 or float64"),
        ],
    )  # fmt: skip
    def test_what_a_format_has_no_place_for_is_refused_by_name(
        self, simulated, tmp_path, suffix, change, rule
    ):
        with pytest.raises(InputError, match=rule):
            save_echoes(change(simulated), tmp_path / f"echoes{suffix}")
        assert not (tmp_path / f"echoes{suffix}").exists()

    def test_an_unknown_suffix_and_signals_where_they_mean_nothing(self, simulated, tmp_path):
        with pytest.raises(InputError, match=r"must end in one of \.zarr, \.npz, \.nc, \.csv"):
            save_echoes(simulated, tmp_path / "echoes.h5")
        with pytest.raises(InputError, match="signals must be left out"):
            save_echoes(simulated, tmp_path / "echoes.nc", signals="magnitude")


class TestTextLabels:
    """Text as scikit-learn and others take it."""

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_curves_can_be_split_by_kernel(self, simulated, tmp_path, suffix):
        save_echoes(simulated, tmp_path / f"echoes{suffix}")
        for dataset in (open_echoes(tmp_path / f"echoes{suffix}"), simulated):
            assert dataset["kernel"].dtype.kind == "U"
            rows = np.arange(N_CURVES)
            train, test = train_test_split(rows, test_size=3, stratify=dataset.kernel)
            assert sorted(dataset.kernel.to_numpy()[test]) == ["gaussian", "power", "rkky"]
            assert len(train) == 6

    def test_a_simulated_set_and_its_store_have_one_type(self, store):
        assert open_echoes(store)["kernel"].dtype == simulate("paper", 3, n_edge=8)["kernel"].dtype


def test_arrays_of_a_store_that_do_not_fit_together_are_named(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / "copy.zarr")
    about = json.loads((copy / "time" / "zarr.json").read_text())
    about["shape"][0] = 1000
    (copy / "time" / "zarr.json").write_text(json.dumps(about))
    with pytest.raises(
        InputError, match=r"mx in .*copy\.zarr has the shape .* for 9 curves of 1000"
    ):
        open_echoes(copy)


def challenge_set():
    """Two curves that the files of 2021 can hold."""
    time = np.arange(471) / np.pi
    signal = (("curve", "time"), np.full((2, 471), 0.25, np.float32))
    own = {f"challenge_{n}": ("curve", [6.5, 7.0]) for n in ("alpha", "xi", "d")}
    coordinates = {"time": time, "kernel": ("curve", ["rkky"] * 2), **own}
    return xr.Dataset({"mx": signal, "my": signal}, coordinates, {"echo_index": 314})


@pytest.mark.parametrize("suffix", [".nc", ".csv", ".zarr"])
def test_a_coordinate_whose_name_has_a_space_stays_a_coordinate(simulated, tmp_path, suffix):
    names = np.array([f"sample {n}" for n in range(simulated.sizes["curve"])])
    given = simulated.assign_coords({"sample name": ("curve", names)})
    save_echoes(given, tmp_path / f"set{suffix}")
    assert "sample name" in open_echoes(tmp_path / f"set{suffix}").coords
