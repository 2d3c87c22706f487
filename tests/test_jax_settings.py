"""A seed means the same numbers whatever JAX's settings are in the caller's process."""

from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import zarr

import latent_nmr as ln
from latent_nmr._jax_settings import KEY_IMPLEMENTATION, own_settings, seed_key
from latent_nmr.data.store import fill_store
from latent_nmr.physics.simulate import MAX_SEED, Simulation, draw_fields, draw_parameters
from tests.sealing import seal

OFFSET = "jax_random_seed_offset"
# Settings of a process that change which numbers are drawn or computed, or what is allowed.
OTHERS = {
    "jax_threefry_partitionable": False,
    "jax_default_prng_impl": "rbg",
    "jax_enable_x64": True,
    OFFSET: 5,
    "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise",
    "jax_default_matmul_precision": "bfloat16",
    "jax_debug_key_reuse": True,
    "jax_transfer_guard": "disallow",
}
PRESETS = ("paper", "challenge2020", "challenge2021-rkky", "challenge2021-spin")


@contextmanager
def process_with(**settings):
    """Settings of the whole process, its pools' threads included, and then the former ones."""
    former = {name: getattr(jax.config, name) for name in settings}
    try:
        for name, value in settings.items():
            jax.config.update(name, value)
        yield
    finally:
        for name, value in former.items():
            jax.config.update(name, value)


@pytest.fixture(params=[*OTHERS, "all"])
def other_settings(request):
    """A process with one setting that is not JAX's default, and one with all of them."""
    chosen = OTHERS if request.param == "all" else {request.param: OTHERS[request.param]}
    with process_with(**chosen):
        yield request.param


def curves():
    """Parameters and offsets of every kind of line and law, and some curves of one of them."""
    found = {}
    for preset in PRESETS:
        simulation = Simulation(preset, seed=3, n_edge=8)
        drawn = draw_parameters(simulation, range(3))[1]
        found[f"{preset} parameters"] = [(*p.couplings, p.kernel_parameter) for p in drawn]
        found[f"{preset} offsets"] = draw_fields(simulation, range(3))
    # One step for all, so that one program is compiled.
    ds = ln.simulate(n_curves=3, seed=3, n_edge=8, with_mz=True, step=1.0)
    return found | {name: ds[name].to_numpy() for name in (*ds.data_vars, *ds.coords)}


def fitted(rows):
    """Everything that a fit, its use and its saving draw or compute."""
    small = {"hidden_layer_sizes": (6,), "max_epochs": 2, "batch_size": 8}
    vae = ln.BetaVAE(random_state=4, scale="learned", likelihood="gaussian", **small).fit(rows)
    found = {f"vae {name}": value for name, value in vae.weights_.items()}
    found |= {"map": vae.transform(rows), "score": vae.score(rows), "sigma": vae.scale_}
    found |= {"decoded": vae.inverse_transform(vae.transform(rows))}
    for way in ("threads", "vmap"):
        models = ln.fit_many(rows, seeds=[1, 2], model=vae, way=way)
        found |= {
            f"{way} {at} {name}": value
            for at, model in enumerate(models)
            for name, value in model.weights_.items()
        }
    network = ln.CurveRegressor((5,), max_epochs=2, batch_norm=True, random_state=3)
    network.fit(rows, rows[:, :2])
    return found | {"targets": network.predict(rows), "saliency": network.saliency(rows)[0]}


def different(found, expected):
    """Names of what is not the same to the last bit."""
    assert set(found) == set(expected)
    return [name for name in expected if not np.array_equal(found[name], expected[name])]


@pytest.fixture(scope="module")
def expected_curves():
    return curves()


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).random((40, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def expected_fit(rows):
    return fitted(rows)


class TestSeeds:
    """Curves and models of a seed."""

    @pytest.mark.usefixtures("other_settings")
    def test_curves_are_the_same(self, expected_curves):
        assert different(curves(), expected_curves) == []

    @pytest.mark.parametrize(
        "name",
        [*(pytest.param(n, marks=pytest.mark.slow) for n in sorted({*OTHERS} - {OFFSET})), "all"],
    )
    def test_models_are_the_same(self, name, rows, expected_fit):
        # Without the offset, which makes JAX compile all again; keys have tests of their own.
        chosen = {key: value for key, value in OTHERS.items() if name in ("all", key)}
        with process_with(**{**chosen, OFFSET: 0}):
            assert different(fitted(rows), expected_fit) == []

    @pytest.mark.usefixtures("other_settings")
    def test_a_line_drawn_from_a_key_is_the_same(self):
        for draw in ("independent", "stratified"):
            line = ln.Line(fwhm=0.05, cutoff=0.5, draw=draw)
            found = np.asarray(ln.draw_frequencies(seed_key(2), 6, line))
            with own_settings():
                assert np.array_equal(found, np.asarray(ln.draw_frequencies(seed_key(2), 6, line)))

    @pytest.mark.parametrize("implementation", ["threefry2x32", "rbg", "unsafe_rbg"])
    def test_a_key_of_the_old_kind_draws_what_the_typed_one_draws(self, implementation):
        line = ln.Line()
        with process_with(jax_default_prng_impl=implementation):
            typed, old = jax.random.key(3), jax.random.PRNGKey(3)
            assert old.dtype == np.uint32
            expected = np.asarray(ln.draw_frequencies(typed, 6, line))
            for key in (old, np.asarray(old)):
                assert np.array_equal(ln.draw_frequencies(key, 6, line), expected)
            inside = jax.jit(lambda key: ln.draw_frequencies(key, 6, line))(old)
            many = jax.vmap(lambda key: ln.draw_frequencies(key, 6, line))(old[None])
        assert np.array_equal(inside, expected)
        assert np.array_equal(many[0], expected)

    @pytest.mark.parametrize("key", [0, None, "seed", [0, 1], np.arange(3, dtype=np.uint32), 1.5])
    def test_what_is_no_key_is_refused(self, key):
        with pytest.raises(ln.InputError, match=r"key must be a JAX key.*jax\.random\.key"):
            ln.draw_frequencies(key, 6, ln.Line())

    def test_the_settings_of_the_caller_stay(self):
        with process_with(**OTHERS):
            curves()
            assert {name: getattr(jax.config, name) for name in OTHERS} == OTHERS
            with own_settings():
                assert jnp.ones(2).dtype == np.float32
            with pytest.raises(jax.errors.JaxRuntimeError, match="Disallowed"):
                jnp.ones(2)  # the caller's guard is in force again

    @pytest.mark.parametrize("seed", [0, 7, 2**31, MAX_SEED])
    def test_a_key_is_the_one_of_jax_by_default(self, seed):
        assert jax.config.jax_default_prng_impl == KEY_IMPLEMENTATION
        key = seed_key(seed)
        assert key.dtype == jax.random.key(seed).dtype
        expected = jax.random.key_data(jax.random.key(seed))
        assert np.array_equal(jax.random.key_data(key), expected)
        with process_with(**OTHERS):
            assert np.array_equal(jax.random.key_data(seed_key(seed)), expected)


class TestStores:
    """A store knows how its numbers were drawn."""

    def fill(self, path, n_curves, **settings):
        with process_with(**settings):
            list(fill_store(path, Simulation(seed=3, n_edge=8, step=1.0), n_curves))

    def test_one_continued_under_other_settings_is_one_made_at_once(self, tmp_path):
        mixed, whole = tmp_path / "mixed.zarr", tmp_path / "whole.zarr"
        self.fill(mixed, 2)
        self.fill(mixed, 4, **OTHERS)
        self.fill(whole, 4)
        found, expected = ln.open_echoes(mixed), ln.open_echoes(whole)
        assert found.identical(expected)
        assert found.attrs["random_numbers"] == "threefry2x32, partitionable"

    def test_one_drawn_in_another_way_is_not_continued(self, tmp_path):
        path = tmp_path / "a.zarr"
        self.fill(path, 2)
        group = zarr.open_group(path, mode="r+")
        group.attrs["random_numbers"] = "rbg"
        seal(path)
        with pytest.raises(ln.InputError, match=r"has random_numbers = 'rbg'.*Choose another"):
            self.fill(path, 3)

    @pytest.mark.parametrize("row", [pytest.param(0, marks=pytest.mark.slow), 4])
    @pytest.mark.parametrize("label", ["alpha_x", "alpha_z", "kernel_parameter"])
    def test_one_that_does_not_say_so_is_compared_with_its_seed(self, tmp_path, label, row):
        path = tmp_path / "a.zarr"
        self.fill(path, 5)
        group = zarr.open_group(path, mode="r+")
        del group.attrs["random_numbers"], group.attrs["attributes_crc32"], group["checksum"]
        self.fill(path, 5)  # as it is, it goes on
        group[label][row] = np.nextafter(group[label][row], 2)
        with pytest.raises(ln.InputError, match=f"{label} of curve {row}.*Choose another path"):
            self.fill(path, 6)
