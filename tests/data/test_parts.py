"""Parts of one store, filled by several processes at a time."""

import contextlib
import json
import subprocess
import sys
import threading

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr._locks import InUseError, sole_writer, spans_in_use
from latent_nmr.data._store_layout import LARGEST_CHUNK, MOST_CHUNKS, new_chunk
from latent_nmr.data.io import open_echoes
from latent_nmr.data.parts import check_whole_chunks, numbered_part, shared_out, unfinished_chunks
from latent_nmr.data.store import (
    CHUNK,
    fill_part,
    fill_store,
    finished_flags,
    prepare_store,
    simulate,
    store_chunk,
    store_length,
)
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation

EDGE = 12
SIMULATION = Simulation(n_edge=EDGE, seed=3, step=4)
N_CURVES = 4 * CHUNK + 3

CHUNKS = st.sampled_from([CHUNK, 3, 128])

# A process that begins with a part and keeps it until it is told to go on.
HOLDER = (
    "import sys; from pathlib import Path\n"
    "from latent_nmr.data.parts import numbered_part\n"
    "from latent_nmr.data.store import fill_part\n"
    "from latent_nmr.physics.simulate import Simulation\n"
    f"simulation = Simulation(n_edge={EDGE}, seed=3, step=4)\n"
    f"rows = [numbered_part(sys.argv[2], {N_CURVES}, {CHUNK})]\n"
    f"counts = fill_part(Path(sys.argv[1]), simulation, {N_CURVES}, rows)\n"
    "print(next(counts), flush=True)\n"
    "sys.stdin.readline()\n"
    "print([*counts][-1])"
)


class TestRows:
    """Which curves belong to a part."""

    @given(n_curves=st.integers(1, 1000), n_parts=st.integers(1, 40), chunk=CHUNKS)
    def test_parts_are_whole_chunks_that_meet_and_hold_every_curve_once(
        self, n_curves, n_parts, chunk
    ):
        parts = [numbered_part(f"{k}/{n_parts}", n_curves, chunk) for k in range(1, n_parts + 1)]
        assert [curve for part in parts for curve in part] == [*range(n_curves)]
        check_whole_chunks(parts, n_curves, chunk)
        sizes = [-(-len(part) // chunk) for part in parts]
        assert max(sizes) - min(sizes) <= 1

    @pytest.mark.parametrize(
        "text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", "1.5/3", "", "٣/٤", "1/" + "9" * 5000]
    )
    def test_what_names_no_part_is_refused(self, text):
        with pytest.raises(InputError, match=r"part must be .* 3/16.*Give two such numbers"):
            numbered_part(text, 100, CHUNK)

    @given(
        flags=st.lists(st.booleans(), min_size=1, max_size=200),
        n_parts=st.integers(1, 9),
        chunk=CHUNKS,
    )
    def test_jobs_share_out_every_chunk_with_an_unfinished_curve(self, flags, n_parts, chunk):
        is_finished = np.array(flags)
        parts = shared_out(unfinished_chunks(is_finished, chunk), n_parts, len(flags), chunk)
        assert len(parts) <= n_parts
        for part in parts:
            check_whole_chunks(part, len(flags), chunk)
        rows = [row for part in parts for span in part for row in span]
        assert len(set(rows)) == len(rows)
        assert set(np.flatnonzero(~is_finished)) <= set(rows)
        wanted = {row // chunk for row in np.flatnonzero(~is_finished)}
        assert {row // chunk for row in rows} == wanted

    @pytest.mark.parametrize("rows", [range(8, 32), range(24), range(CHUNK, 40)])
    def test_a_part_that_ends_inside_a_chunk_is_refused(self, rows, tmp_path):
        with pytest.raises(InputError, match=r"whole chunks of 16 curves, but is curves \d+ to"):
            list(fill_part(tmp_path / "echoes.zarr", SIMULATION, N_CURVES, [rows]))


class TestFilling:
    """What parts make of a store."""

    def test_parts_in_any_order_make_the_store_of_one_process(self, tmp_path):
        path = tmp_path / "echoes.zarr"
        for part in ("3/3", "1/3", "2/3"):
            rows = numbered_part(part, N_CURVES, CHUNK)
            counts = list(fill_part(path, SIMULATION, N_CURVES, [rows]))
            assert (counts[0], counts[-1]) == (0, len(rows))
        assert [entry.name for entry in tmp_path.iterdir()] == ["echoes.zarr"], "a lock stays"
        in_memory = simulate("paper", N_CURVES, n_edge=EDGE, seed=3, step=4)
        xr.testing.assert_identical(open_echoes(path), in_memory)

    def test_a_part_is_continued_and_leaves_the_others_alone(self, tmp_path):
        path, rows = tmp_path / "echoes.zarr", numbered_part("2/2", N_CURVES, CHUNK)
        counts = fill_part(path, SIMULATION, N_CURVES, [rows])
        assert [next(counts), next(counts)] == [0, CHUNK]
        counts.close()
        assert next(fill_part(path, SIMULATION, N_CURVES, [rows])) == CHUNK
        assert open_echoes(path)["curve"].to_numpy().tolist() == [*rows[:CHUNK]]

    def test_an_empty_part_leaves_an_empty_store(self, tmp_path):
        rows = numbered_part("1/9", N_CURVES, CHUNK)
        assert not rows
        path = tmp_path / "echoes.zarr"
        assert list(fill_part(path, SIMULATION, N_CURVES, [rows])) == [0]
        assert spans_in_use(path, N_CURVES) == []

    def test_other_settings_are_refused(self, tmp_path):
        path = tmp_path / "echoes.zarr"
        list(fill_part(path, SIMULATION, N_CURVES, [range(CHUNK)]))
        with pytest.raises(InputError, match=r"seed = 3 and 4 is asked for"):
            list(fill_part(path, Simulation(n_edge=EDGE, seed=4, step=4), N_CURVES, [range(CHUNK)]))


class TestLargeStores:
    """Stores of so many curves that chunks of 16 would be too many files."""

    @given(n_curves=st.integers(1, 10**7))
    def test_chunks_grow_with_the_store_and_have_an_end(self, n_curves):
        chunk = new_chunk(n_curves)
        assert chunk % CHUNK == 0
        assert chunk == LARGEST_CHUNK or n_curves <= MOST_CHUNKS * chunk
        assert chunk == CHUNK or n_curves > MOST_CHUNKS * chunk / 2

    def test_a_batch_is_kept_although_its_chunk_is_larger(self, tmp_path):
        path, n_curves = tmp_path / "echoes.zarr", 2 * MOST_CHUNKS * CHUNK
        rows = numbered_part("2/1024", n_curves, store_chunk(path, n_curves))
        counts = fill_part(path, SIMULATION, n_curves, [rows])
        assert [next(counts), next(counts)] == [0, CHUNK]
        counts.close()
        assert len(rows) == store_chunk(path, n_curves) == 2 * CHUNK
        assert np.flatnonzero(finished_flags(path)).tolist() == [*rows[:CHUNK]]
        counts = list(fill_part(path, SIMULATION, n_curves, [rows]))
        assert counts == [CHUNK, 2 * CHUNK]
        assert all(len([*(path / name).glob("c/*")]) == 1 for name in ("done", "mx", "W"))
        expected = simulate("paper", 2 * len(rows), n_edge=EDGE, seed=3, step=4)
        xr.testing.assert_identical(open_echoes(path), expected.isel(curve=[*rows]))

    def test_a_small_store_keeps_its_chunks_when_it_grows(self, tmp_path):
        path, n_curves = tmp_path / "echoes.zarr", 2 * MOST_CHUNKS * CHUNK
        prepare_store(path, SIMULATION, 3)
        prepare_store(path, SIMULATION, n_curves)
        assert (store_chunk(path, n_curves), new_chunk(n_curves)) == (CHUNK, 2 * CHUNK)
        counts = fill_part(path, SIMULATION, n_curves, [range(CHUNK, 2 * CHUNK)])
        assert [*counts] == [0, CHUNK]

    @pytest.mark.parametrize(("shape", "chunk"), [([], []), ([3, 2], [3, 2]), ([3], [0])])
    def test_flags_that_tell_no_chunks_are_damage(self, tmp_path, shape, chunk):
        path = tmp_path / "echoes.zarr"
        prepare_store(path, SIMULATION, 3)
        about = json.loads((path / "done/zarr.json").read_text())
        about |= {"shape": shape, "dimension_names": ["curve", "other"][: len(shape)]}
        about["chunk_grid"]["configuration"]["chunk_shape"] = chunk
        (path / "done/zarr.json").write_text(json.dumps(about))
        for look in (store_length, lambda store: store_chunk(store, 3), finished_flags):
            with pytest.raises(InputError, match=r"complete store, but done in .*echoes.zarr has"):
                look(path)


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """A store whose part 2/3, chunks 1 and 2, a process holds; the process."""
    path = tmp_path_factory.mktemp("held") / "echoes.zarr"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), "2/3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "0\n"
    yield path, process
    said, _ = process.communicate("go on\n")
    assert said.split() == [str(2 * CHUNK)]
    assert [entry.name for entry in path.parent.iterdir()] == ["echoes.zarr"], "a lock stays"


class TestLocks:
    """Several processes at one store."""

    def test_its_curves_are_seen_to_be_in_use(self, held):
        assert spans_in_use(held[0], N_CURVES) == [range(CHUNK, 3 * CHUNK)]
        assert spans_in_use(held[0], 2 * CHUNK) == [range(CHUNK, 2 * CHUNK)]

    @pytest.mark.parametrize("part", ["2/3", "1/2", "2/2", "1/1"])
    def test_no_other_process_gets_any_of_its_chunks(self, held, part):
        rows = numbered_part(part, N_CURVES, CHUNK)
        with pytest.raises(InUseError, match=r"each part of .* one writer at a time.*another part"):
            next(fill_part(held[0], SIMULATION, N_CURVES, [rows]))

    @pytest.mark.parametrize("part", ["1/3", "3/3"])
    def test_other_parts_are_filled_at_the_same_time(self, held, part):
        rows = numbered_part(part, N_CURVES, CHUNK)
        assert list(fill_part(held[0], SIMULATION, N_CURVES, [rows]))[-1] == len(rows)

    def test_a_part_waits_for_who_has_just_made_the_store(self, tmp_path):
        path = tmp_path / "echoes.zarr"
        prepare_store(path, SIMULATION, N_CURVES)
        # The file's lock keeps other openings of the file away, also those of this process.
        with contextlib.ExitStack() as maker:
            maker.enter_context(sole_writer(path))
            threading.Timer(0.5, maker.close).start()
            assert next(fill_part(path, SIMULATION, N_CURVES, [range(CHUNK)])) == 0

    def test_nobody_gets_the_whole_store(self, held):
        for n_curves in (N_CURVES, N_CURVES + CHUNK):
            with pytest.raises(InUseError, match="must have one writer at a time"):
                next(fill_store(held[0], SIMULATION, n_curves))
        assert spans_in_use(held[0], N_CURVES) == [range(CHUNK, 3 * CHUNK)]
