"""What a simulation will cost."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latent_nmr.data.estimate import check_space, estimate_cost, store_size
from latent_nmr.data.store import fill_store
from latent_nmr.errors import InputError
from latent_nmr.physics import devices
from latent_nmr.physics.simulate import Simulation, planned_evaluations, simulate_curves

SIMULATION = Simulation(n_edge=12, seed=3, step=4)


def test_disk_grows_with_the_number_of_curves_and_some_time_is_expected():
    few, many = (estimate_cost(SIMULATION, n) for n in (100, 10_000))
    assert many.n_bytes == pytest.approx(100 * few.n_bytes, rel=1e-3)
    assert few.evaluations == many.evaluations
    assert few.seconds > 0


def test_the_evaluations_are_the_mean_of_those_planned():
    simulation = Simulation(n_edge=12, seed=3)
    planned = planned_evaluations(simulation, range(10))
    assert len(set(planned)) > 1, "curves must differ for the mean to matter"
    assert estimate_cost(simulation, 10).evaluations == pytest.approx(np.mean(planned))


@pytest.mark.slow
def test_the_time_is_that_of_a_run_to_a_factor_of_a_few():
    simulation, rows = Simulation(n_edge=40, seed=3, step=4), range(12)
    simulate_curves(simulation, rows)  # compiles
    # Processor time, which other work on the machine does not lengthen.
    expected, start = estimate_cost(simulation, len(rows)).seconds, time.process_time()
    simulate_curves(simulation, rows)
    taken = (time.process_time() - start) / devices.count_workers()
    assert 1 / 4 < expected / taken < 4


def test_time_grows_with_curves_and_with_the_work_for_each():
    simulation = Simulation(n_edge=32, seed=3, step=8)
    seconds = estimate_cost(simulation, 500).seconds
    assert estimate_cost(simulation, 5000).seconds == pytest.approx(10 * seconds, rel=0.8)
    for costly in ({"step": 0.5}, {"n_edge": 128}, {"tolerance": 1e-5, "step": None}):
        assert estimate_cost(replace(simulation, **costly), 500).seconds > 1.5 * seconds


@pytest.mark.parametrize("more", [{}, {"scheme": "source"}, {"scheme": "midpoint", "step": 1}])
def test_nothing_is_simulated_nor_compiled_for_that(more):
    programs = (devices._record_one, devices._record_many)
    before = [program._cache_size() for program in programs]
    estimate_cost(Simulation(n_edge=14, **more), 1000)
    assert [program._cache_size() for program in programs] == before


def test_a_store_takes_no_more_than_was_said_and_not_much_less(tmp_path):
    path, n_curves = tmp_path / "echoes.zarr", 64
    list(fill_store(path, SIMULATION, n_curves))
    taken = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    assert 0.5 < taken / store_size(SIMULATION, n_curves) < 1


def test_mz_takes_its_share():
    with_mz = Simulation(n_edge=12, with_mz=True)
    assert store_size(with_mz, 100) == pytest.approx(1.5 * store_size(SIMULATION, 100), rel=0.01)


def test_what_does_not_fit_is_refused_before_it_starts(tmp_path):
    check_space(tmp_path / "small.zarr", 1000)
    with pytest.raises(InputError, match=r"may take 1e\+03 PB|may take 1e\+06 TB and .* are free"):
        check_space(tmp_path / "deep" / "huge.zarr", 10**18)
    assert not Path(tmp_path / "deep").exists()
