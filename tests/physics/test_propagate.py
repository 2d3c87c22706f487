"""Field, rotation and step of one lattice."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from latent_nmr.physics import propagate
from latent_nmr.physics.kernels import coupling_spectrum, kernel_table
from latent_nmr.physics.propagate import Lattice, Plan
from tests.physics import reference

N_EDGE = 6
KERNELS = [("gaussian", 1.3), ("power", 2.0), ("rkky", 3.0)]
ISOTROPIC = (0.2, 0.2, 0.2)
ANISOTROPIC = (0.2, 0.12, 0.07)


def random_vectors(seed, dtype="float64", scale=1.0):
    """Independent vectors on the lattice, shape (3, n_edge, n_edge)."""
    normal = np.random.default_rng(seed).standard_normal((3, N_EDGE, N_EDGE))
    return jnp.asarray(scale * normal, dtype)


def random_spins(seed, dtype="float64"):
    """Spins of length 1/2 in random directions."""
    normal = np.random.default_rng(seed).standard_normal((3, N_EDGE, N_EDGE))
    return jnp.asarray(0.5 * normal / np.linalg.norm(normal, axis=0), dtype)


def lattice(kernel, parameter, couplings, *, line_width=0.0, decay_rate=0.0, dtype="float64"):
    frequencies = line_width * np.random.default_rng(5).uniform(-1, 1, (N_EDGE, N_EDGE))
    spectrum = coupling_spectrum(kernel_table(kernel, parameter, N_EDGE))
    return Lattice(*(jnp.asarray(a, dtype) for a in (frequencies, spectrum, couplings, decay_rate)))


def plan(step=1.0, dt=0.1, scheme="midpoint", small_angles=True):
    return Plan(dt, (), max(round(step), 1), max(round(1 / step), 1), scheme, small_angles)


def lengths(spins):
    return np.linalg.norm(spins, axis=0)


class TestLocalField:
    """2π b_i, the field of the others and the site's own frequency."""

    @pytest.mark.parametrize(("kernel", "parameter"), KERNELS)
    def test_it_is_the_double_sum_over_sites(self, kernel, parameter):
        with jax.enable_x64(True):
            spins = random_spins(0)
            sites = lattice(kernel, parameter, ANISOTROPIC, line_width=0.3)
            field = np.asarray(propagate.local_field(spins, sites))
        numbers = reference.Sample(
            np.asarray(sites.frequencies), kernel, parameter, ANISOTROPIC, 0.0, 0.1, 2, ()
        )
        by_site = np.asarray(spins).reshape(3, -1).T
        expected = 2 * np.pi * reference.local_field(by_site, numbers)
        # 36 terms of size 1, each rounded.
        np.testing.assert_allclose(field.reshape(3, -1).T, expected, atol=36 * 2.0**-52)

    @pytest.mark.parametrize("n_edge", [6, 7])
    def test_one_spin_is_felt_by_all_the_others_but_not_by_itself(self, n_edge, dtype):
        spins = jnp.zeros((3, n_edge, n_edge), dtype).at[2, 2, 3].set(0.5)
        table = kernel_table("power", 1.0, n_edge)
        sites = Lattice(
            jnp.zeros((n_edge, n_edge), dtype),
            jnp.asarray(coupling_spectrum(table), dtype),
            jnp.ones(3, dtype),
            jnp.zeros((), dtype),
        )
        field = propagate.local_field(spins, sites) / np.pi * table.sum()
        expected = np.roll(table, (2, 3), axis=(0, 1))
        # The sum κ ≈ 15 is the scale of the FFT's terms.
        tolerance = 50 * jnp.finfo(dtype).eps
        np.testing.assert_allclose(field[2], expected, atol=tolerance)
        np.testing.assert_array_equal(field[:2], 0.0)


class TestRotation:
    """Rotation about a frozen field, ds/dt = s × b."""

    @pytest.mark.parametrize("small_angles", [True, False])
    def test_a_field_along_z_advances_the_phase_clockwise(self, small_angles, dtype):
        spins = jnp.zeros((3, 1, 1), dtype).at[0].set(0.5)
        field = jnp.zeros((3, 1, 1), dtype).at[2].set(2.0)
        turn = propagate.turn_about(field, 0.3, small_angles=small_angles)
        out = propagate.rotate(spins, field, turn).ravel()
        expected = [0.5 * np.cos(0.6), -0.5 * np.sin(0.6), 0.0]
        np.testing.assert_allclose(out, expected, atol=4 * jnp.finfo(dtype).eps)

    @pytest.mark.parametrize("small_angles", [True, False])
    def test_it_is_the_exponential_of_the_cross_product_matrix(self, small_angles):
        with jax.enable_x64(True):
            spins, field = random_spins(1), random_vectors(2, scale=0.3)
            turn = propagate.turn_about(field, 0.9, small_angles=small_angles)
            out = np.asarray(propagate.rotate(spins, field, turn))
        spins, field = np.asarray(spins), np.asarray(field)
        assert 0.9 * lengths(field).max() < propagate.SERIES_MAX_ANGLE
        for site in np.ndindex(N_EDGE, N_EDGE):
            generator = np.cross(np.eye(3), field[:, *site]).T
            expected = expm(0.9 * generator) @ spins[:, *site]
            np.testing.assert_allclose(out[:, *site], expected, atol=1e-14)

    @pytest.mark.parametrize("largest", [1e-6, 0.1, 1.0, propagate.SERIES_MAX_ANGLE])
    def test_the_power_series_equals_the_sines_and_cosines(self, largest, dtype):
        # Angles up to the largest allowed, in random directions, and none at all.
        angles = jnp.linspace(0.0, largest, N_EDGE**2, dtype=dtype).reshape(N_EDGE, N_EDGE)
        directions = 2 * random_spins(3, dtype)
        duration = 0.7
        field = directions * (angles / duration)[None]
        series = propagate.turn_about(field, duration, small_angles=True)
        trigonometric = propagate.turn_about(field, duration, small_angles=False)
        # Each coefficient is of size 1 and rounded a few times on either side.
        for one, other in zip(series, trigonometric, strict=True):
            np.testing.assert_allclose(one, other, atol=4 * jnp.finfo(dtype).eps)

    @pytest.mark.parametrize("duration", [1e-3, 1.0, 50.0])
    def test_the_length_of_a_spin_is_kept_for_any_duration(self, duration, dtype):
        spins, field = random_spins(4, dtype), random_vectors(5, dtype, scale=3.0)
        turn = propagate.turn_about(field, duration, small_angles=False)
        out = propagate.rotate(spins, field, turn)
        # Errors of sine and cosine, relative to their terms: a few roundings each.
        np.testing.assert_allclose(lengths(out), 0.5, atol=8 * jnp.finfo(dtype).eps)

    def test_the_opposite_field_undoes_the_turn(self, dtype):
        spins, field = random_spins(6, dtype), random_vectors(7, dtype)
        turn = propagate.turn_about(field, 0.4, small_angles=False)
        there = propagate.rotate(spins, field, turn)
        back = propagate.rotate(there, -field, turn)
        np.testing.assert_allclose(back, spins, atol=8 * jnp.finfo(dtype).eps)

    @pytest.mark.parametrize("small_angles", [True, False])
    def test_at_zero_field_nothing_turns_and_the_gradient_is_the_cross_product(
        self, small_angles, dtype
    ):
        spin, zero, duration = jnp.asarray([0.3, -0.2, 0.1], dtype), jnp.zeros(3, dtype), 0.5

        def turned(field):
            field = field[:, None, None]
            turn = propagate.turn_about(field, duration, small_angles=small_angles)
            return propagate.rotate(spin[:, None, None], field, turn)[:, 0, 0]

        np.testing.assert_array_equal(turned(zero), spin)
        # To first order s + t s × b; column d is what field component d does.
        expected = duration * np.cross(spin, np.eye(3)).T
        np.testing.assert_allclose(jax.jacobian(turned)(zero), expected, atol=jnp.finfo(dtype).eps)


class TestDephasing:
    """Loss of the transverse part."""

    def test_the_transverse_part_falls_as_the_exponential_and_the_rest_stays(self, dtype):
        spins = random_spins(8, dtype)
        out = propagate.dephase(spins, jnp.asarray(0.02, dtype), 5.0)
        kept = np.exp(-2 * np.pi * 0.02 * 5.0)
        np.testing.assert_allclose(out[:2], kept * spins[:2], rtol=8 * jnp.finfo(dtype).eps)
        np.testing.assert_array_equal(out[2], spins[2])

    def test_evolving_dephases_half_before_and_half_after_the_turn(self):
        # A quarter turn about x takes y to -z and z to y: only the half after the turn acts on
        # what was z, and only the half before it on what was y.
        with jax.enable_x64(True):
            spins = jnp.asarray([0.0, 0.3, 0.4]).reshape(3, 1, 1)
            field = jnp.asarray([math.pi / 2, 0.0, 0.0]).reshape(3, 1, 1)
            sites = Lattice(*(jnp.zeros(()) for _ in range(3)), jnp.asarray(0.05))
            out = propagate.evolve(spins, field, sites, 1.0, plan(small_angles=False)).ravel()
        half = np.exp(-np.pi * 0.05)
        np.testing.assert_allclose(out, [0.0, half * 0.4, -half * 0.3], atol=1e-15)


class TestStep:
    """One step, and the samples inside it."""

    @pytest.mark.parametrize("scheme", ["midpoint", "source"])
    @pytest.mark.parametrize("decay_rate", [0.0, 0.02])
    def test_the_samples_inside_a_step_are_the_mean_spins_on_the_way(self, scheme, decay_rate):
        with jax.enable_x64(True):
            sites = lattice("power", 2.0, ANISOTROPIC, line_width=0.3, decay_rate=decay_rate)
            spins, cut = random_spins(9), plan(3, scheme=scheme)
            end, signal = propagate.step(spins, sites, cut, 3)
            field = propagate.local_field(spins, sites)
            if scheme == "midpoint":
                halfway = propagate.evolve(spins, field, sites, 0.15, cut)
                field = propagate.local_field(halfway, sites)
            for sample in signal:
                spins = propagate.evolve(spins, field, sites, 0.1, cut)
                np.testing.assert_allclose(sample, spins.mean(axis=(1, 2)), atol=1e-15)
        np.testing.assert_allclose(end, spins, atol=1e-15)

    def test_the_two_schemes_agree_where_spins_do_not_interact(self, dtype):
        sites = lattice("power", 2.0, (0.0, 0.0, 0.0), line_width=0.3, dtype=dtype)
        spins = random_spins(10, dtype)
        ends = [
            propagate.step(spins, sites, plan(2, scheme=scheme), 2)[0]
            for scheme in ("midpoint", "source")
        ]
        np.testing.assert_array_equal(*ends)


class TestFreeEvolution:
    """Many steps, without pulses."""

    @pytest.mark.parametrize("scheme", ["midpoint", "source"])
    @pytest.mark.parametrize("step", [4, 1, 0.25])
    def test_every_spin_keeps_its_length_without_decay(self, step, scheme, dtype):
        sites = lattice("rkky", 3.0, ANISOTROPIC, line_width=0.3, dtype=dtype)
        spins = random_spins(11, dtype)
        out, _ = propagate.free_evolution(spins, sites, plan(step, scheme=scheme), 60)
        assert np.abs(out - spins).max() > 0.1
        # A relative error of at most a few roundings in each of 60 or 240 rotations.
        n_rotations = 60 * max(1, round(1 / step))
        tolerance = 4 * n_rotations * float(jnp.finfo(dtype).eps)
        np.testing.assert_allclose(lengths(out), 0.5, rtol=tolerance)

    def test_with_decay_no_spin_grows_and_all_shrink(self):
        with jax.enable_x64(True):
            sites = lattice("power", 2.0, ANISOTROPIC, line_width=0.3, decay_rate=0.01)
            out, _ = propagate.free_evolution(random_spins(12), sites, plan(), 60)
        assert lengths(out).max() < 0.5

    @pytest.mark.parametrize("n_samples", [0, 1, 4, 11])
    @pytest.mark.parametrize("step", [4, 1, 1 / 3])
    def test_every_sample_interval_gives_one_sample_whatever_the_step(self, step, n_samples):
        sites = lattice("power", 2.0, ANISOTROPIC, dtype="float32")
        spins = random_spins(13, "float32")
        end, signal = propagate.free_evolution(spins, sites, plan(step), n_samples)
        assert signal.shape == (n_samples, 3)
        if n_samples:
            # The same mean, taken once by XLA inside the loop and once outside.
            np.testing.assert_allclose(signal[-1], end.mean(axis=(1, 2)), atol=1e-6)
        else:
            np.testing.assert_array_equal(end, spins)

    @pytest.mark.parametrize("law", ["energy", "total spin"])
    @pytest.mark.parametrize(("kernel", "parameter"), KERNELS)
    def test_what_the_equations_conserve_drifts_at_second_order_only(self, kernel, parameter, law):
        # The energy -Σ ν_i s^z_i - (1/2) Σ α_d M^d_i s^d_i always; the total spin where the
        # couplings are isotropic and all sites share one frequency, zero in the rotating frame.
        isotropic = law == "total spin"
        couplings = ISOTROPIC if isotropic else ANISOTROPIC
        with jax.enable_x64(True):
            sites = lattice(kernel, parameter, couplings, line_width=0.0 if isotropic else 0.2)
            spins = random_spins(14)

            def conserved(spins):
                if isotropic:
                    return np.asarray(spins.sum(axis=(1, 2)))
                half_field = propagate.local_field(spins, sites) / (4 * np.pi)
                own = 0.5 * sites.frequencies * spins[2]
                return np.asarray(-(half_field * spins).sum() - own.sum())

            drifts = []
            for step in (1, 0.5, 0.25):
                # 120 intervals of 0.05 µs: largest turn in a step, θ = 2π · 0.3 · 0.05 = 0.1 rad.
                out, _ = propagate.free_evolution(spins, sites, plan(step, dt=0.05), 120)
                drifts.append(np.abs(conserved(out) - conserved(spins)).max())
        # A drift C h² (1 + c h + …) has a local order that differs from 2 by about θ.
        np.testing.assert_allclose(np.log2(np.divide(drifts[:-1], drifts[1:])), 2, atol=0.1)
