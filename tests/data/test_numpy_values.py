"""NumPy's numbers and arrays among settings and attributes; our own files through every writer."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from latent_nmr.data.challenge_files import save_challenge
from latent_nmr.data.compact import save_compact
from latent_nmr.data.echoes import assemble, check_echoes
from latent_nmr.data.io import open_echoes, save_echoes
from latent_nmr.data.spectrometer import add_noise, blank_dead_time, rotate_phase
from latent_nmr.data.store import fill_store, simulate
from latent_nmr.data.windows import features
from latent_nmr.errors import InputError
from latent_nmr.physics.simulate import Simulation
from latent_nmr.studies.latent_figures import time_marks

FIXTURES = Path(__file__).parents[1] / "fixtures" / "0.1.0"
EXACT = (".zarr", ".nc", ".csv")
SUFFIXES = (*EXACT, ".npz")
SETTINGS = [
    {"seed": np.int64(7)},
    {"seed": np.array(7), "n_edge": np.uint8(4)},
    {"step": np.float32(4)},
    {"step": np.array(4), "with_mz": np.bool_(True)},
    {"flip_angle_deg": np.float32(80.5), "scheme": np.str_("midpoint")},
]


def echoes(**attributes):
    """Three curves of 12 samples, 1 µs apart, the echo at sample 8."""
    signals = np.random.default_rng(0).uniform(0.1, 0.4, (2, 3, 12)).astype(np.float32)
    labels = {"W": np.array([0.1, 0.2, 0.3]), "kernel": np.array(["rkky", "power", "gaussian"])}
    data = dict(zip(("mx", "my"), signals, strict=True))
    return assemble(data, np.arange(12.0), labels, {"echo_index": 8} | attributes)


class TestSettings:
    """A simulation whose settings are NumPy's."""

    @pytest.mark.parametrize("given", SETTINGS, ids=str)
    def test_it_is_the_simulation_of_the_same_python_numbers(self, given):
        plain = {name: value.item() for name, value in given.items()}
        assert Simulation(**given) == Simulation(**plain)
        assert json.dumps(vars(Simulation(**given))) == json.dumps(vars(Simulation(**plain)))

    def test_its_store_is_made_extended_and_continued_with_python_numbers(self, tmp_path):
        given = {"seed": np.int64(2), "n_edge": np.int32(4), "step": np.float32(4)}
        list(fill_store(tmp_path / "a.zarr", Simulation(**given), np.int64(1)))
        plain = Simulation(seed=2, n_edge=4, step=4.0)
        assert list(fill_store(tmp_path / "a.zarr", plain, 2))[-1] == 2
        assert open_echoes(tmp_path / "a.zarr").attrs["seed"] == 2

    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_every_writer_takes_its_curves(self, tmp_path, suffix):
        given = {"seed": np.int64(2), "n_edge": np.int32(4), "step": np.float32(4)}
        dataset = simulate("paper", np.int64(1), **given)
        save_echoes(dataset, tmp_path / f"a{suffix}")
        assert open_echoes(tmp_path / f"a{suffix}").attrs == dataset.attrs
        save_compact(dataset, tmp_path / "b.npz")
        assert open_echoes(tmp_path / "b.npz").attrs == dataset.attrs


# Forms of an attribute, and whether it can be what its name says.
FORMS = {
    "echo_index": [
        (np.int16(8), True), (np.array(8), True), (np.array([8]), True), (8.0, True),
        (np.float32(8), True), (jnp.asarray(8), True), ("8", False), (8.5, False), (True, False),
        (None, False), (-1, False), ([8, 9], False), (np.nan, False), ({"a": 8}, False),
    ],
    "dt_us": [
        (np.float32(1), True), (np.array([1.0]), True), (1, True), ("1", False), (0, False),
        (None, False), ([1, 2], False), (np.inf, False), (True, False),
    ],
    "pulse_samples": [
        (np.array([0, 4]), True), ((0, 4), True), ([0.0, 4.0], True), ([0, 4, 5], False),
        (["0", "4"], False), (None, False), ([0, 4.5], False), ([-1, 4], False), ("04", False),
    ],
    "pulse_angles_rad": [
        (np.array([1.5, 3.0]), True), ((1, 3), True), ([1.5], False), ([1.5, None], False),
        ("ab", False), ([np.nan, 1.0], False), ([[1.5, 3.0]], False),
    ],
}  # fmt: skip
CASES = [(name, value, fits) for name, forms in FORMS.items() for value, fits in forms]


class TestAttributes:
    """The attributes that computations read."""

    @pytest.mark.parametrize(("name", "value", "fits"), CASES, ids=str)
    def test_all_formats_and_the_features_agree_on_what_can_be_used(
        self, tmp_path, name, value, fits
    ):
        known = {"dt_us": 1.0, "pulse_samples": [0, 4], "pulse_angles_rad": [1.5, 3.0]}
        dataset = echoes(**known | {name: value})
        if not fits:
            for use in (check_echoes, features, *map(_saver, SUFFIXES)):
                with pytest.raises(InputError, match=name):
                    use(dataset)
            return
        marks = time_marks(dataset.attrs)
        assert marks == {"86°": 0.0, "172°": 4.0, "echo": 8.0} or name == "pulse_angles_rad"
        for suffix in SUFFIXES:
            save_echoes(dataset, tmp_path / f"a{suffix}")
            back = open_echoes(tmp_path / f"a{suffix}")
            assert time_marks(back.attrs) == marks
            np.testing.assert_allclose(features(back, "full"), features(dataset, "full"), atol=1e-4)


def _saver(suffix):
    return lambda dataset: save_echoes(dataset, Path(f"never-written{suffix}"))


@pytest.fixture(scope="module")
def own_sets(tmp_path_factory):
    """Data sets from every place that the package makes or reads them from."""
    folder = tmp_path_factory.mktemp("own")
    challenge = simulate("challenge2020", 1, n_edge=4, step=4).assign_attrs(n_edge=np.array(100))
    for part in ("model", "eval"):
        save_challenge(challenge, folder / part, "2020", part)
    lattice = folder / "lattice"
    lattice.mkdir()
    for name in ("echos_r", "echos_i"):
        np.savetxt(lattice / name, np.full((1, 1260), 0.25))
    row = "0.0001 0.0001 0.00005 12.5 0 0 0 1 1 0 1 1"
    (lattice / "echo_params.txt").write_text(row)
    (lattice / "w_list.txt").write_text("0.12")
    paths = [FIXTURES / "echoes.zarr", FIXTURES / "echoes.npz", lattice]
    sets = [open_echoes(path) for path in [*paths, folder / "model", folder / "eval"]]
    noisy = add_noise(echoes(), np.array([20, 30, 40]), seed=np.int64(1))
    turned = rotate_phase(noisy, np.float32(0.5)).assign_attrs(pulse_samples=np.array([0, 4]))
    return [*sets, simulate("paper", 1, n_edge=4, step=4, with_mz=True), blank_dead_time(turned, 1)]


@pytest.mark.parametrize(
    "suffix",
    [s if s in (".npz", ".nc") else pytest.param(s, marks=pytest.mark.slow) for s in SUFFIXES],
)
def test_files_of_ours_go_through_every_other_writer(own_sets, tmp_path, suffix):
    for number, dataset in enumerate(own_sets):
        save_echoes(dataset, tmp_path / f"{number}{suffix}")
        first = open_echoes(tmp_path / f"{number}{suffix}")
        if suffix in EXACT:
            plain = dataset.attrs | ({"pulse_samples": [0, 4]} if number == 6 else {})
            xr.testing.assert_identical(first, dataset.assign_attrs(plain))
        for other in SUFFIXES:
            save_echoes(first, tmp_path / f"{number}-again{other}")
            again = open_echoes(tmp_path / f"{number}-again{other}")
            if other in EXACT or suffix == ".npz":
                xr.testing.assert_identical(again, first)
        save_compact(first, tmp_path / f"{number}-length.npz")
        assert open_echoes(tmp_path / f"{number}-length.npz").sizes == first.sizes
