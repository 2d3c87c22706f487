"""A store that lost a chunk, holds another's, or has a turned bit is never read as good."""

import asyncio
import contextlib
import functools
import json
import operator
import random
import shutil
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.core.sync import sync

import latent_nmr as ln
from latent_nmr.data._checksums import (
    CHECKSUM_OF_ATTRIBUTES,
    attribute_checksum,
    curve_checksums,
    start_of_checksums,
)
from latent_nmr.data.io import open_blocks
from latent_nmr.data.store import CHUNK, fill_part, fill_store, finished_curves, finished_flags
from latent_nmr.physics.simulate import Simulation
from tests.sealing import seal

SIMULATION = Simulation(n_edge=8, seed=1, step=4, with_mz=True)
N_CURVES = 2 * CHUNK + 3
OLD = Path(__file__).parents[1] / "fixtures" / "0.1.0" / "echoes.zarr"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A simulated and a saved store, by name."""
    folder = tmp_path_factory.mktemp("good")
    list(fill_store(folder / "simulated.zarr", SIMULATION, N_CURVES))
    ln.save_echoes(ln.open_echoes(folder / "simulated.zarr"), folder / "saved.zarr")
    return folder


@pytest.fixture(scope="module")
def with_protocols(good):
    """Beside them, a simulated store of two protocols and two repeats."""
    simulation = Simulation("paper-pair", n_edge=8, seed=1, step=4, repeats=2, offsets="fresh")
    list(fill_store(good / "protocols.zarr", simulation, 2 * CHUNK + 4))


SIMULATED = pytest.mark.parametrize(
    "name", ["simulated", pytest.param("protocols", marks=pytest.mark.slow)]
)


@pytest.fixture(params=["simulated", "saved", pytest.param("protocols", marks=pytest.mark.slow)])
def rotting(request, good, tmp_path):
    """A copy of each store, to be spoilt, and what it should hold."""
    if request.param == "protocols":
        request.getfixturevalue("with_protocols")
    source = good / f"{request.param}.zarr"
    return Path(shutil.copytree(source, tmp_path / "copy.zarr")), ln.open_echoes(source)


def verdict(path, expected):
    """What comes of reading: "refused" in one line, "warned", "same" or "silent"."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = ln.open_echoes(path)
        except ln.InputError as error:
            text = str(error)
            return "refused" if "copy.zarr" in text and "\n" not in text else text
    if found.identical(expected):
        return "same"
    return "warned" if any(w.category is ln.StoreWarning for w in caught) else "silent"


def files_of(path):
    return sorted(file for file in path.rglob("*") if file.is_file())


def chunks_of(path):
    return [file for file in files_of(path) if file.name != "zarr.json"]


class TestEveryFile:
    """All files of a store, one after another."""

    def test_a_lost_file_is_refused_and_lost_flags_are_told(self, rotting):
        path, expected = rotting
        for file in files_of(path):
            content = file.read_bytes()
            file.unlink()
            is_flag = file.relative_to(path).parts[:2] == ("done", "c")
            assert verdict(path, expected) == ("warned" if is_flag else "refused"), file
            file.write_bytes(content)
        assert verdict(path, expected) == "same"

    @SIMULATED
    def test_a_chunk_copied_over_another_is_refused(self, name, request, good, tmp_path):
        if name == "protocols":
            request.getfixturevalue("with_protocols")
        path = Path(shutil.copytree(good / f"{name}.zarr", tmp_path / "copy.zarr"))
        expected = ln.open_echoes(path)
        n_tried = 0
        for file in chunks_of(path):
            content = file.read_bytes()
            array = file.relative_to(path).parts[0]
            # One other of each array will do: whose chunk it is stands in the checksum.
            others = [other for other in chunks_of(path / array) if other.read_bytes() != content]
            for other in others[-1:]:
                shutil.copy(other, file)
                # Flags of the last, short chunk leave curves out, and those of a full one say
                # the same of its three curves; no rate is other than 0; repeats take turns.
                same_or_told = {"done": {"same", "warned"}, "decay_rate": {"same"}}
                same_or_told["repeat"] = {"same"}
                harmless = same_or_told.get(array, set())
                assert verdict(path, expected) in {"refused"} | harmless, (file, other)
                n_tried += 1
            file.write_bytes(content)
        assert n_tried >= 6 * 3

    def test_a_file_cut_short_is_refused(self, rotting):
        path, expected = rotting
        for file in files_of(path):
            content = file.read_bytes()
            file.write_bytes(content[: len(content) // 2])
            assert verdict(path, expected) == "refused", file
            file.write_bytes(content)

    def test_a_turned_bit_changes_nothing_or_is_refused(self, rotting):
        path, expected = rotting
        random_number, found = random.Random(0), []
        for file in files_of(path):
            content = file.read_bytes()
            for _ in range(4 if file.name == "zarr.json" and file.parent == path else 1):
                spoilt = bytearray(content)
                spoilt[random_number.randrange(len(spoilt))] ^= 1 << random_number.randrange(8)
                file.write_bytes(spoilt)
                found.append(verdict(path, expected))
                assert found[-1] != "silent", file
            file.write_bytes(content)
        assert found.count("refused") > len(found) / 2

    def test_signals_that_were_exchanged_are_refused(self, rotting):
        # Both fit their own chunks; only the curves' or variables' checksums notice.
        path, expected = rotting
        (path / "mx").rename(path / "held")
        (path / "my").rename(path / "mx")
        (path / "held").rename(path / "my")
        assert verdict(path, expected) == "refused"


class TestDescriptions:
    """What `zarr.json` says of an array, which has no checksum in a simulated store."""

    @pytest.mark.parametrize("length", [0, 10**9, 10**13, 2**70, -3])
    def test_a_length_that_no_memory_holds_is_refused_or_harmless_at_once(self, rotting, length):
        path, expected = rotting
        for file in path.rglob("*/zarr.json"):
            text = file.read_text("utf-8")
            for axis in range(len(json.loads(text)["shape"])):
                about = json.loads(text)
                about["shape"][axis] = length
                file.write_text(json.dumps(about), "utf-8")
                start = time.monotonic()
                # Longer arrays are those of curves that were begun.
                assert verdict(path, expected) in ("refused", "warned", "same"), (file, axis)
                assert time.monotonic() - start < 5
            file.write_text(text, "utf-8")

    def test_a_lost_entry_is_refused_or_changes_nothing(self, rotting):
        path, expected = rotting
        for name in ("kernel", "mx"):
            file = path / name / "zarr.json"
            text = file.read_text("utf-8")
            for keys in entries_of(json.loads(text)):
                about = json.loads(text)
                place = functools.reduce(operator.getitem, keys[:-1], about)
                del place[keys[-1]]
                file.write_text(json.dumps(about), "utf-8")
                assert verdict(path, expected) in ("refused", "same"), (file, keys)
            file.write_text(text, "utf-8")

    def test_text_that_is_not_decompressed_is_damage_and_no_lack_of_memory(self, rotting):
        path, _ = rotting
        file = path / "kernel" / "zarr.json"
        about = json.loads(file.read_text("utf-8"))
        names = [codec["name"] for codec in about["codecs"]]
        assert names == ["vlen-utf8", "zstd", "crc32c"]
        del about["codecs"][1]
        file.write_text(json.dumps(about), "utf-8")
        with pytest.raises(ln.InputError, match=r"copy\.zarr is damaged \(.*kernel does not fit"):
            ln.open_echoes(path)


def entries_of(value, path=()):
    """Places of all entries of a JSON value, at every depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in items:
        yield (*path, key)
        if isinstance(entry, dict | list):
            yield from entries_of(entry, (*path, key))


@pytest.fixture(scope="module")
def other(good):
    """The good store's curves as those of another seed."""
    path = Path(shutil.copytree(good / "simulated.zarr", good / "other.zarr"))
    zarr.open_group(path).attrs["seed"] = 2
    seal(path)
    return path


class TestTwoStores:
    """Files of a store of another seed, each whole: of an interrupted copy over it, say."""

    def test_a_chunk_of_every_array_is_refused(self, good, other, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "copy.zarr"))
        for file in chunks_of(other):
            where = file.relative_to(other)
            if where.parts[2] == "1":
                shutil.copy(file, path / where)
        with pytest.raises(ln.InputError, match=f"curve {CHUNK} .*two stores were mixed"):
            ln.open_echoes(path)

    def test_their_description_is_refused(self, good, other, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "copy.zarr"))
        shutil.copy(other / "zarr.json", path / "zarr.json")
        with pytest.raises(ln.InputError, match=r"curve 0 .*two stores were mixed"):
            ln.open_echoes(path)

    def test_a_store_begun_before_this_was_noted_is_read(self, good, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "copy.zarr"))
        del zarr.open_group(path)["checksum"].attrs["starts_at"]
        seal(path)
        assert start_of_checksums(zarr.open_group(path)) == 0
        assert ln.open_echoes(path).identical(ln.open_echoes(good / "simulated.zarr"))


class TestWords:
    """What is said, and to whom."""

    def test_left_out_curves_are_named(self, good, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "a.zarr"))
        zarr.open_group(path)["done"][[2, 3, 4, 20]] = False
        expected = rf"4 of {N_CURVES} in .*a\.zarr are not and are left out \(curves 2 to 4, 20\)"
        with pytest.warns(ln.StoreWarning, match=expected):
            assert ln.open_echoes(path).sizes["curve"] == N_CURVES - 4
        with pytest.warns(ln.StoreWarning, match="left out"):
            open_blocks(path)

    def test_curves_after_those_asked_for_are_not_missed(self, good, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "a.zarr"))
        zarr.open_group(path)["done"][20:] = False
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert ln.open_echoes(path, 20).sizes["curve"] == 20
        zarr.open_group(path)["done"][5] = False
        with pytest.warns(ln.StoreWarning, match=r"1 of 20 .*\(curves 5\)"):
            assert ln.open_echoes(path, 19)["curve"].to_numpy().tolist() == [
                *range(5), *range(6, 20),
            ]  # fmt: skip

    def test_a_copied_chunk_names_its_first_curve(self, good, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "a.zarr"))
        shutil.copy(path / "mx" / "c" / "0" / "0", path / "mx" / "c" / "1" / "0")
        match = rf"curve {CHUNK} of .*a\.zarr does not fit its checksum \({CHUNK} such curves\)"
        with pytest.raises(ln.InputError, match=match):
            ln.open_echoes(path)

    def test_changed_attributes_are_named(self, good, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "a.zarr"))
        zarr.open_group(path).attrs["echo_index"] = 700
        with pytest.raises(ln.InputError, match="attributes of a store must be as they were"):
            ln.open_echoes(path)
        with pytest.raises(ln.InputError, match="attributes of a store must be as they were"):
            list(fill_store(path, SIMULATION, N_CURVES))

    def test_flags_cut_short_in_their_header_are_told(self, good, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "a.zarr"))
        zarr.open_group(path)["done"].resize((CHUNK,))
        match = rf"{N_CURVES - CHUNK} of {N_CURVES} .*\(curves {CHUNK} to {N_CURVES - 1}\)"
        with pytest.warns(ln.StoreWarning, match=match):
            assert ln.open_echoes(path).sizes["curve"] == CHUNK

    def test_a_lost_checksum_of_the_attributes_is_no_old_store(self, good, tmp_path):
        path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "a.zarr"))
        del zarr.open_group(path).attrs[CHECKSUM_OF_ATTRIBUTES]
        with pytest.raises(ln.InputError, match="attributes of a store must be as they were"):
            ln.open_echoes(path)

    def test_an_edited_saved_store_can_be_saved_anew(self, good, tmp_path):
        import xarray as xr

        path = Path(shutil.copytree(good / "saved.zarr", tmp_path / "a.zarr"))
        zarr.open_group(path)["W"][0] = 0.25
        with pytest.raises(ln.InputError, match=r"a\.zarr W changed.*xarray\.open_zarr"):
            ln.open_echoes(path)
        edited = xr.open_zarr(path, consolidated=False).load()
        del edited.attrs["latent_nmr_saved"]
        ln.save_echoes(edited, tmp_path / "b.zarr")
        assert float(ln.open_echoes(tmp_path / "b.zarr")["W"][0]) == 0.25


class TestOldStores:
    """A store of 0.1.0 has no checksums."""

    @pytest.fixture
    def old(self, tmp_path):
        return Path(shutil.copytree(OLD, tmp_path / "copy.zarr"))

    def test_it_is_read_with_a_warning_and_given_checksums_by_saving(self, old, tmp_path):
        with pytest.warns(ln.StoreWarning, match=r"none, as latent_nmr 0\.1\.0 wrote it.*save_ech"):
            found = ln.open_echoes(old)
        new = tmp_path / "new.zarr"
        ln.save_echoes(found, new)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert ln.open_echoes(new).equals(found)

    @pytest.mark.filterwarnings("ignore::latent_nmr.errors.StoreWarning")
    def test_a_spin_beyond_one_half_is_refused(self, old):
        zarr.open_group(old)["mx"][1, 7] = 3e38
        with pytest.raises(ln.InputError, match=r"at most 1/2, but that of curve 1 .* 3e\+38"):
            ln.open_echoes(old)

    @pytest.mark.filterwarnings("ignore::latent_nmr.errors.StoreWarning")
    @pytest.mark.parametrize("change", [lambda t: 0 * t, lambda t: t[::-1], lambda t: t * 1.001])
    def test_times_that_are_not_the_sequences_are_refused(self, old, change):
        time = zarr.open_group(old)["time"]
        time[:] = change(time[:])
        with pytest.raises(ln.InputError, match=r"time of .* samples 0\.159155 µs apart"):
            ln.open_echoes(old)


class TestChecksums:
    """CRC-32 of curves."""

    def test_all_that_belongs_to_a_curve_changes_it(self, good):
        ds = ln.open_echoes(good / "simulated.zarr")
        names = [
            *ds.data_vars,
            *(n for n in ds.coords if ds[n].dims == ("curve",) and n != "curve"),
        ]
        arrays = {name: ds[name].to_numpy().copy() for name in names}
        indices = np.arange(N_CURVES)
        before = curve_checksums(indices, arrays)
        assert len(set(before.tolist())) == N_CURVES
        assert len(names) == 3 + 8
        for name, values in arrays.items():
            kept = values[3].copy()
            is_text = values.dtype.kind == "U"
            values[3] = "other" if is_text else np.nextafter(values[3], np.float32(9))
            changed = curve_checksums(indices, arrays) != before
            assert np.flatnonzero(changed).tolist() == [3], name
            values[3] = kept
        assert (curve_checksums(indices + 1, arrays) != before).all()

    def test_the_noted_ones_are_they(self, good):
        group = zarr.open_group(good / "simulated.zarr", mode="r")
        ds = ln.open_echoes(good / "simulated.zarr")
        arrays = {str(name): ds[name].to_numpy() for name in ds.variables}
        expected = curve_checksums(np.arange(N_CURVES), arrays, start_of_checksums(group))
        assert np.array_equal(group["checksum"][:], expected)
        assert start_of_checksums(group) == attribute_checksum(dict(group.attrs))
        assert CHECKSUM_OF_ATTRIBUTES in group.attrs
        assert CHECKSUM_OF_ATTRIBUTES not in ds.attrs


def test_nothing_of_a_failed_reading_goes_on_behind_the_refusal(good, tmp_path):
    """Of many chunks, one is bad: the others' tasks would print a traceback each at exit."""
    path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "a.zarr"))
    group, n_chunks = zarr.open_group(path), 200
    for name, array in group.arrays():
        if name != "time":
            array.resize((n_chunks * CHUNK, *array.shape[1:]))
            first = path / name / "c" / "0"
            for number in range(1, n_chunks):
                copy = shutil.copytree if first.is_dir() else shutil.copy
                shutil.rmtree(path / name / "c" / str(number), ignore_errors=True)
                with contextlib.suppress(FileNotFoundError):
                    (path / name / "c" / str(number)).unlink()
                copy(first, path / name / "c" / str(number))
    (path / "mx" / "c" / "0" / "0").write_bytes(b"no chunk")
    with pytest.raises(ln.InputError, match="is damaged"):
        ln.open_echoes(path)

    async def tasks():
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert sync(tasks()) == set()


@pytest.mark.parametrize("name", ["mx", "W", "time", "checksum"])
def test_a_store_with_a_shorter_array_is_not_continued(good, tmp_path, name):
    path = Path(shutil.copytree(good / "simulated.zarr", tmp_path / "copy.zarr"))
    array = zarr.open_group(path)[name]
    array.resize((array.shape[0] - 1, *array.shape[1:]))
    calls = (
        lambda: list(fill_store(path, SIMULATION, N_CURVES + CHUNK)),
        lambda: list(fill_part(path, SIMULATION, N_CURVES, [range(CHUNK)])),
        lambda: finished_curves(path, SIMULATION, range(2)),
        lambda: finished_flags(path),
    )
    for call in calls:
        with pytest.raises(ln.InputError, match=r"copy\.zarr has the shape"):
            call()
