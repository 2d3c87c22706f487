"""Echo data sets in memory and on disk."""

import inspect
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from latent_nmr.data._same_store import check_same_settings
from latent_nmr.data._variables import LABELS
from latent_nmr.data.echoes import fingerprint, simulation_attributes
from latent_nmr.data.io import open_echoes, save_echoes
from latent_nmr.data.labels import foreign_labels
from latent_nmr.data.store import CHUNK, fill_store, simulate
from latent_nmr.errors import InputError
from latent_nmr.physics.guess import RULE
from latent_nmr.physics.simulate import Simulation
from latent_nmr.studies._labels import labels_by_name
from tests.sealing import seal

EDGE = 12
SIMULATION = Simulation(n_edge=EDGE, seed=3, step=4)
N_CURVES = 2 * CHUNK + 3


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "echoes.zarr"
    counts = list(fill_store(path, SIMULATION, N_CURVES))
    return path, counts


@pytest.fixture
def store(filled, tmp_path):
    """A copy of the filled store that a test may spoil."""
    return Path(shutil.copytree(filled[0], tmp_path / "copy.zarr"))


def assert_same(a: xr.Dataset, b: xr.Dataset):
    """Equal to the bit: signals, times, labels and attributes."""
    xr.testing.assert_identical(a, b)
    assert fingerprint(a) == fingerprint(b)


class TestSimulate:
    """`ln.simulate`: the data set in memory."""

    def test_a_longer_set_extends_a_shorter_one(self):
        settings = {"n_edge": EDGE, "seed": 3, "step": 4}
        short = simulate("paper", 5, **settings)
        longer = simulate("paper", CHUNK + 2, **settings)
        assert_same(longer.isel(curve=slice(5)), short)

    def test_it_is_what_a_store_holds(self, filled):
        in_memory = simulate("paper", N_CURVES, n_edge=EDGE, seed=3, step=4)
        assert_same(open_echoes(filled[0]), in_memory)

    def test_labels_units_and_settings_come_with_the_curves(self):
        dataset = simulate("paper", 3, n_edge=EDGE, seed=3)
        assert dict(dataset.sizes) == {"curve": 3, "time": 1882}
        assert set(LABELS) <= set(dataset.coords)
        assert dataset["time"].attrs["units"] == "µs"
        assert dataset["W"].attrs["units"] == "MHz"
        assert dataset.attrs["echo_index"] == 1256
        assert (dataset.attrs["seed"], dataset.attrs["n_edge"]) == (3, EDGE)
        assert dataset["kernel"].to_numpy().tolist() == ["gaussian", "power", "rkky"]

    def test_w_is_the_sum_of_the_couplings(self):
        dataset = simulate("paper", 6, n_edge=EDGE)
        total = dataset["alpha_x"] + dataset["alpha_y"] + dataset["alpha_z"]
        np.testing.assert_allclose(dataset["W"], total, rtol=1e-15)

    def test_every_curve_starts_at_one_half_along_y(self):
        dataset = simulate("paper", 6, n_edge=EDGE)
        np.testing.assert_allclose(dataset["my"][:, 0], 0.5, rtol=1e-6)
        np.testing.assert_allclose(dataset["mx"][:, 0], 0, atol=1e-7)

    def test_seeds_differ(self):
        one, two = (simulate("paper", 2, n_edge=EDGE, seed=seed) for seed in (1, 2))
        assert fingerprint(one) != fingerprint(two)

    def test_mz_is_kept_on_request_and_the_rest_stays_as_it_is(self, tmp_path):
        without = simulate("paper", 3, n_edge=EDGE, seed=3)
        assert "mz" not in without
        with_mz = simulate("paper", 3, n_edge=EDGE, seed=3, with_mz=True)
        np.testing.assert_array_equal(with_mz["my"], without["my"])
        # A 90° pulse leaves nothing along z, and interactions bring a little of it back.
        largest = np.abs(with_mz["mz"].to_numpy()).max(axis=1)
        assert (np.abs(with_mz["mz"].to_numpy()[:, 0]) < 1e-7).all()
        assert ((largest > 1e-5) & (largest < 0.5)).all()
        path = tmp_path / "with_mz.zarr"
        list(fill_store(path, Simulation(n_edge=EDGE, seed=3, with_mz=True), 3))
        assert_same(open_echoes(path), with_mz)

    @pytest.mark.parametrize(
        ("preset", "own", "kernels"),
        [
            ("challenge2021-gauss", ("alpha", "xi", "d"), {"gaussian"}),
            ("challenge2021-rkky", ("alpha", "xi", "d"), {"rkky"}),
            ("challenge2020", ("alpha", "xi", "p", "d"), {"power"}),
        ],
    )
    def test_a_challenge_set_keeps_the_challenges_own_parameters(
        self, preset, own, kernels, tmp_path
    ):
        dataset = simulate(preset, 4, n_edge=EDGE)
        names = {str(name) for name in dataset.coords if str(name).startswith("challenge_")}
        assert names == {f"challenge_{name}" for name in own}
        assert set(dataset["kernel"].to_numpy()) == kernels
        assert (dataset["alpha_x"] >= 0).all()
        assert (dataset["alpha_z"] == 0).all()
        np.testing.assert_allclose(dataset["W"], 2 * dataset["alpha_x"], rtol=1e-15)
        path = tmp_path / "challenge.zarr"
        list(fill_store(path, Simulation(preset=preset, n_edge=EDGE), 4))
        assert_same(open_echoes(path), dataset)

    def test_every_setting_of_a_simulation_is_a_named_keyword_with_its_default(self):
        keywords = inspect.signature(simulate).parameters
        settings = inspect.signature(Simulation).parameters
        assert {*keywords} == {*settings, "n_curves"}
        assert {name: keywords[name].default for name in settings} == {
            name: setting.default for name, setting in settings.items()
        }
        with pytest.raises(TypeError, match="edge"):
            simulate("paper", 2, edge=12)

    def test_no_curves_is_refused(self):
        with pytest.raises(InputError, match=r"n_curves.*at least 1, but is 0"):
            simulate("paper", 0)


class TestFillStore:
    """Making a store, batch by batch."""

    def test_counts_grow_by_whole_batches_to_the_number_asked_for(self, filled):
        assert filled[1] == [0, CHUNK, 2 * CHUNK, N_CURVES]

    def test_a_full_store_is_left_alone(self, filled):
        files = {p: p.stat().st_mtime_ns for p in filled[0].rglob("*") if p.is_file()}
        assert list(fill_store(filled[0], SIMULATION, N_CURVES)) == [N_CURVES]
        assert list(fill_store(filled[0], SIMULATION, 5)) == [5]
        assert {p: p.stat().st_mtime_ns for p in filled[0].rglob("*") if p.is_file()} == files

    def test_an_abandoned_store_is_continued_to_the_same_bits(self, filled, tmp_path):
        path = tmp_path / "abandoned.zarr"
        counts = fill_store(path, SIMULATION, N_CURVES)
        assert [next(counts), next(counts)] == [0, CHUNK]
        counts.close()
        assert open_echoes(path).sizes["curve"] == CHUNK
        assert next(fill_store(path, SIMULATION, N_CURVES)) == CHUNK
        assert list(fill_store(path, SIMULATION, N_CURVES))[-1] == N_CURVES
        assert_same(open_echoes(path), open_echoes(filled[0]))

    def test_a_store_grows_to_the_same_bits_as_one_made_at_once(self, filled, tmp_path):
        path = tmp_path / "grown.zarr"
        assert list(fill_store(path, SIMULATION, 5))[-1] == 5
        assert list(fill_store(path, SIMULATION, N_CURVES))[-1] == N_CURVES
        assert_same(open_echoes(path), open_echoes(filled[0]))

    @pytest.mark.parametrize(
        ("setting", "value"),
        [("seed", 4), ("step", 2.0), ("n_edge", 10), ("scheme", "source"), ("with_mz", True)],
    )
    def test_other_settings_are_refused_by_name(self, filled, setting, value):
        known = {"n_edge": EDGE, "seed": 3, "step": 4}
        other = Simulation(**(known | {setting: value}))
        with pytest.raises(InputError, match=rf"{setting} = .*{value!r} is asked for"):
            list(fill_store(filled[0], other, N_CURVES))

    @pytest.mark.parametrize(
        ("begun", "asked", "words"),
        [
            ({}, {"step": 4}, "has step = None and 4 is"),
            ({"step": 4}, {}, "has step = 4 and None is"),
            ({}, {"scheme": "source"}, "has scheme = 'averaged' and 'source' is"),
            ({}, {"tolerance": 1e-4}, "has tolerance = 0.001 and 0.0001 is"),
        ],
    )
    def test_what_the_user_changed_is_named_and_not_what_follows(self, begun, asked, words):
        group = zarr.group(attributes=simulation_attributes(Simulation(**begun)))
        check_same_settings(Path("a.zarr"), group, Simulation(**begun))
        with pytest.raises(InputError, match=re.escape(words)):
            check_same_settings(Path("a.zarr"), group, Simulation(**asked))

    def test_of_another_rule_for_steps_the_constants_that_differ_are_named(self):
        attributes = simulation_attributes(Simulation()) | {"package_version": "0.9"}
        attributes["step_rule"] |= {"safety": 7.0, "margin": 0.5, "former": 2}
        group = zarr.group(attributes=attributes)
        words = "has other constants .*safety = 7.0 there.*margin = 0.5 there and .*former = 2 "
        with pytest.raises(
            InputError, match=words + "there and None here.*version .* 0.9, or"
        ) as e:
            check_same_settings(Path("a.zarr"), group, Simulation())
        assert len(str(e.value)) < 400

    def test_a_second_writer_is_refused(self, tmp_path):
        path = tmp_path / "shared.zarr"
        first = fill_store(path, SIMULATION, 2)
        next(first)
        with pytest.raises(InputError, match=r"shared\.zarr must have one writer"):
            next(fill_store(path, SIMULATION, 2))
        other_name = tmp_path / "link.zarr"
        other_name.symlink_to(path)
        with pytest.raises(InputError, match=r"shared\.zarr must have one writer"):
            next(fill_store(other_name, SIMULATION, 2))
        first.close()
        assert next(fill_store(path, SIMULATION, 2)) == 0


class TestFullDisk:
    """What a writer says when its disk is full, and what it leaves."""

    # The largest file the process may write stands for the disk: chunks of signals are larger.
    CODE = (
        "import resource, sys; from pathlib import Path\n"
        "from latent_nmr.data.store import fill_store\n"
        "from latent_nmr.physics.simulate import Simulation\n"
        f"simulation = Simulation(n_edge={EDGE}, seed=3, step=4)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "try: list(fill_store(Path(sys.argv[1]), simulation, int(sys.argv[2])))\n"
        "except ValueError as error: print(error)"
    )

    def test_finished_curves_stay_readable_and_the_message_counts_them(self, filled, store):
        more = N_CURVES + 3 * CHUNK
        done = subprocess.run(
            [sys.executable, "-c", self.CODE, str(store), str(more)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"no space for more than {N_CURVES} of {more} curves" in done.stdout
        assert "Free space and run the same command again" in done.stdout
        assert_same(open_echoes(store), open_echoes(filled[0]))
        assert list(fill_store(store, SIMULATION, more))[-1] == more
        in_memory = simulate("paper", more, n_edge=EDGE, seed=3, step=4)
        assert_same(open_echoes(store), in_memory)


class TestLoadEchoes:
    """Reading a store: finished curves or a clear refusal, never zeros."""

    def test_the_first_curves_can_be_read_alone(self, filled):
        assert_same(open_echoes(filled[0], 4), open_echoes(filled[0]).isel(curve=slice(4)))

    def test_curves_that_are_not_done_are_dropped(self, store):
        done = zarr.open_group(store)["done"]
        done[3:7] = False
        assert open_echoes(store)["curve"].to_numpy().tolist() == [0, 1, 2, *range(7, N_CURVES)]

    def test_a_lost_chunk_reads_as_nan_and_is_refused_by_name(self, store):
        shutil.rmtree(store / "my" / "c" / "1")
        with pytest.raises(InputError, match=rf"my of curve {CHUNK} is nan"):
            open_echoes(store)

    @pytest.mark.parametrize("label", ["alpha_x", "kernel"])
    def test_a_lost_chunk_of_labels_is_refused_by_name(self, store, label):
        (store / label / "c" / "1").unlink()
        with pytest.raises(InputError, match=rf"has lost {label} of curve {CHUNK}, which is mark"):
            open_echoes(store)

    def test_a_damaged_chunk_is_refused(self, store):
        chunk = store / "mx" / "c" / "0" / "0"
        chunk.write_bytes(chunk.read_bytes()[:100])
        with pytest.raises(InputError, match=r"copy\.zarr is damaged"):
            open_echoes(store)

    def test_a_missing_array_is_named(self, store):
        shutil.rmtree(store / "kernel")
        with pytest.raises(InputError, match=r"must hold the array kernel"):
            open_echoes(store)

    def test_more_curves_than_there_are_is_refused(self, filled):
        with pytest.raises(InputError, match=rf"n_curves .* but is 99 and .* has {N_CURVES}"):
            open_echoes(filled[0], 99)

    def test_a_missing_path_names_the_command_that_makes_it(self, tmp_path):
        with pytest.raises(InputError, match=r"nothing at .*none\.zarr.*latent-nmr simulate"):
            open_echoes(tmp_path / "none.zarr")

    def test_a_file_or_a_folder_that_is_no_store_is_refused(self, tmp_path):
        (tmp_path / "file.zarr").write_text("hello")
        (tmp_path / "folder.zarr").mkdir()
        for name in ("file.zarr", "folder.zarr"):
            with pytest.raises(InputError, match=rf"{name} cannot be read"):
                open_echoes(tmp_path / name)

    def test_a_store_of_another_format_is_refused(self, tmp_path):
        zarr.open_group(tmp_path / "other.zarr", mode="w", attributes={"format": "nmr.tools"})
        with pytest.raises(InputError, match=r"says 'nmr\.tools', version None"):
            open_echoes(tmp_path / "other.zarr")

    def test_a_store_opens_in_plain_xarray(self, filled):
        dataset = xr.open_zarr(filled[0], consolidated=False)
        assert dataset["mx"].dims == ("curve", "time")
        assert dataset["kernel"].to_numpy()[:3].tolist() == ["gaussian", "power", "rkky"]


class TestKilledWriter:
    """kill -9 loses at most the batch in hand, and the same call completes the store."""

    CODE = (
        "import sys; from pathlib import Path\n"
        "from latent_nmr.data.store import fill_store\n"
        "from latent_nmr.physics.simulate import Simulation\n"
        f"simulation = Simulation(n_edge={EDGE}, seed=3, step=4)\n"
        "for n in fill_store(Path(sys.argv[1]), simulation, int(sys.argv[2])): print(n, flush=True)"
    )

    def start(self, path, n_curves):
        return subprocess.Popen(
            [sys.executable, "-c", self.CODE, str(path), str(n_curves)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def test_what_was_announced_is_kept_and_the_store_is_completed(self, tmp_path):
        path, n_curves = tmp_path / "killed.zarr", 40 * CHUNK
        process = self.start(path, n_curves)
        announced = [int(process.stdout.readline()) for _ in range(2)]
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        kept = open_echoes(path).sizes["curve"]
        assert announced[-1] <= kept < n_curves
        n_kept = kept + CHUNK
        assert list(fill_store(path, SIMULATION, n_kept))[-1] == n_kept
        assert_same(open_echoes(path), simulate("paper", n_kept, n_edge=EDGE, seed=3, step=4))

    @pytest.mark.slow
    def test_twenty_kills_at_any_moment_leave_no_trace(self, tmp_path):
        path, n_curves = tmp_path / "killed.zarr", 400 * CHUNK
        rng, finished, kills = np.random.default_rng(1), 0, 0
        while kills < 20:
            process = self.start(path, n_curves)
            # From the start of the interpreter, over creation and compilation, into the batches.
            time.sleep(float(rng.uniform(0.5, 9)))
            kills += process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            announced = [int(line) for line in process.stdout]
            process.stdout.close()
            if announced:
                assert announced[0] >= finished, "a finished batch was lost"
                finished = announced[-1]
            if path.exists():
                if finished:
                    assert open_echoes(path).sizes["curve"] >= finished
                assert len(list(path.parent.iterdir())) <= 3, "only the store and its locks stay"
        assert 0 < finished < n_curves, "the kills must come while there is work"
        n_kept = finished + 2 * CHUNK
        list(fill_store(path, SIMULATION, n_kept))
        reference = simulate("paper", n_kept, n_edge=EDGE, seed=3, step=4)
        assert_same(open_echoes(path, n_kept), reference)

    @pytest.mark.slow
    def test_a_store_killed_again_and_again_ends_up_whole(self, tmp_path):
        path, n_curves = tmp_path / "killed.zarr", 40 * CHUNK
        rng, finished = np.random.default_rng(0), 0
        for _ in range(3):
            process = self.start(path, n_curves)
            announced = int(process.stdout.readline())
            assert announced >= finished, "a finished batch was lost"
            for _ in range(int(rng.integers(2, 6))):
                finished = int(process.stdout.readline())
            time.sleep(float(rng.uniform(0, 0.05)))
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            assert open_echoes(path).sizes["curve"] >= finished
        list(fill_store(path, SIMULATION, n_curves))
        reference = simulate("paper", n_curves, n_edge=EDGE, seed=3, step=4)
        assert_same(open_echoes(path), reference)


class TestErrorEstimate:
    """What is known of the error of each curve."""

    @pytest.fixture(scope="class")
    def dataset(self):
        return simulate("challenge2021-gauss", 4, n_edge=EDGE, seed=3)

    @pytest.mark.parametrize("suffix", [".zarr", ".nc", ".csv", ".npz"])
    def test_it_comes_with_the_curves_through_every_format(self, dataset, tmp_path, suffix):
        assert ((dataset.error_estimate > 0) & (dataset.error_estimate <= 1e-3)).all()
        save_echoes(dataset, tmp_path / f"echoes{suffix}")
        kept = open_echoes(tmp_path / f"echoes{suffix}")
        xr.testing.assert_identical(kept.error_estimate, dataset.error_estimate)
        assert kept.attrs["tolerance"] == 1e-3
        assert kept.attrs["step_rule"] == asdict(RULE)

    def test_a_store_holds_it_and_notices_a_change(self, dataset, tmp_path):
        path = tmp_path / "echoes.zarr"
        list(fill_store(path, Simulation("challenge2021-gauss", n_edge=EDGE, seed=3), 4))
        assert_same(open_echoes(path), dataset)
        zarr.open_group(path, mode="r+")["error_estimate"][1] = 1e-9
        with pytest.raises(InputError, match="curve 1"):
            open_echoes(path)

    def test_other_constants_are_not_continued(self, tmp_path):
        path = tmp_path / "echoes.zarr"
        simulation = Simulation("challenge2021-gauss", n_edge=EDGE, seed=3)
        list(fill_store(path, simulation, 2))
        group = zarr.open_group(path, mode="r+")
        group.attrs["step_rule"] = asdict(replace(RULE, safety=1.0))
        seal(path)
        with pytest.raises(InputError, match=r"has other constants \(safety = 1\.0 there"):
            list(fill_store(path, simulation, 3))

    def test_a_fixed_step_has_none(self, filled):
        dataset = open_echoes(filled[0])
        assert "error_estimate" not in dataset.variables
        assert dataset.attrs["tolerance"] is dataset.attrs["step_rule"] is None

    def test_no_study_takes_it_for_a_label(self, dataset):
        assert "error_estimate" not in foreign_labels(dataset)
        assert "error_estimate" not in labels_by_name(dataset, 4)
