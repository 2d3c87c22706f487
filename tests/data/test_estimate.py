"""What a simulation will cost."""

from pathlib import Path

import numpy as np
import pytest

from latent_nmr.data.estimate import check_space, estimate_cost, store_size
from latent_nmr.data.store import fill_store
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation, planned_evaluations

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
