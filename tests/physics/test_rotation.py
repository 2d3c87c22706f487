"""Rotation in frozen fields: series, means on the way, many intervals at once."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent_nmr.physics import rotation

N_EDGE = 5
EPS = {"float32": 2.0**-23, "float64": 2.0**-52}
# Angles per interval on either side of the bound between series and closed form.
ANGLES = [1e-3, 1.0, 0.999 * rotation.SERIES_MAX_ANGLE, 1.001 * rotation.SERIES_MAX_ANGLE, 40.0]


def random_vectors(seed, lengths):
    """Vectors in random directions, shape (3, n_edge, n_edge); lengths are broadcast."""
    normal = np.random.default_rng(seed).standard_normal((3, N_EDGE, N_EDGE))
    return lengths * normal / np.linalg.norm(normal, axis=0)


def fields_up_to(angle):
    """Fields of all lengths from none to `angle`, rad per interval."""
    lengths = np.linspace(0.0, angle, N_EDGE**2).reshape(N_EDGE, N_EDGE)
    return random_vectors(2, lengths)


def as_vector(array, dtype):
    x, y, z = (jnp.asarray(component, dtype) for component in array)
    return x, y, z


def swept(spins, field, n, max_angle, dtype):
    """`sweep` on NumPy arrays: spins (3, …) and signal (n, 3)."""
    end, signal = rotation.sweep(
        as_vector(spins, dtype), as_vector(field, dtype), jnp.ones((), dtype), n, max_angle
    )
    return np.stack(end), np.asarray(signal)


def turned(spins, field, duration):
    """Each spin rotated in its field by the exponential of the cross-product matrix."""
    # ds/dt = s × b: column d of the generator is what s_d gives to ds/dt. It is antisymmetric, so
    # that i times it is Hermitian, with real eigenvalues and orthogonal eigenvectors.
    generators = np.cross(np.eye(3), field.reshape(3, -1).T[:, None]).transpose(0, 2, 1)
    rates, modes = np.linalg.eigh(1j * generators)
    parts = np.einsum("nij,ni->nj", modes.conj(), spins.reshape(3, -1).T)
    out = np.einsum("nij,nj->in", modes, np.exp(-1j * rates * duration) * parts)
    return out.real.reshape(spins.shape)


class TestSweep:
    """n intervals of ds/dt = s × b with b frozen."""

    @pytest.mark.parametrize("angle", ANGLES)
    def test_every_interval_is_the_exponential_of_the_cross_product_matrix(self, angle):
        spins, field, n = random_vectors(1, 0.5), fields_up_to(angle), 5
        with jax.enable_x64(True):
            end, signal = swept(spins, field, n, angle, "float64")
        # sin and cos of angles up to nθ know their argument to ε nθ, and the n-fold addition
        # theorems amplify the rounding of the first interval at most n² times.
        tolerance = n**2 * (1 + angle) * 4 * EPS["float64"]
        np.testing.assert_allclose(end, turned(spins, field, n), atol=tolerance)
        for k, seen in enumerate(signal, start=1):
            expected = turned(spins, field, k).mean(axis=(1, 2))
            np.testing.assert_allclose(seen, expected, atol=tolerance)

    def test_a_field_along_z_advances_the_phase_clockwise(self, dtype):
        one = np.ones((1, 1))
        spins, field = np.stack([0.5 * one, 0 * one, 0 * one]), np.stack([0 * one, 0 * one, one])
        end, signal = swept(spins, 0.6 * field, 2, 1.0, dtype)
        angles = 0.6 * np.arange(1, 3)
        expected = 0.5 * np.stack([np.cos(angles), -np.sin(angles), 0 * angles], axis=1)
        np.testing.assert_allclose(signal, expected, atol=8 * EPS[dtype])
        np.testing.assert_allclose(end.ravel(), expected[-1], atol=8 * EPS[dtype])

    @pytest.mark.parametrize("n", [1, 8])
    @pytest.mark.parametrize("angle", ANGLES)
    def test_the_length_of_a_spin_is_kept_for_any_field(self, angle, n, dtype):
        end, _ = swept(random_vectors(3, 0.5), fields_up_to(angle), n, angle, dtype)
        # Errors of S and V enter with b, V with b² too; the recurrence amplifies them at most n².
        tolerance = n**2 * (1 + angle) * 4 * EPS[dtype]
        np.testing.assert_allclose(np.linalg.norm(end, axis=0), 0.5, atol=tolerance)

    def test_the_opposite_field_undoes_the_turn(self, dtype):
        spins, field = random_vectors(4, 0.5), fields_up_to(1.0)
        there, _ = swept(spins, field, 3, 1.0, dtype)
        back, _ = swept(there, -field, 3, 1.0, dtype)
        np.testing.assert_allclose(back, spins, atol=2 * 9 * 4 * EPS[dtype])

    @pytest.mark.parametrize("max_angle", [1.0, 10.0])
    def test_at_zero_field_nothing_turns_and_the_gradient_is_the_cross_product(
        self, max_angle, dtype
    ):
        spin, zero, n = jnp.asarray([0.3, -0.2, 0.1], dtype), jnp.zeros(3, dtype), 4
        unity = jnp.ones((), dtype)

        def end(field):
            spins = tuple(spin[:, None, None])
            out, _ = rotation.sweep(spins, tuple(field[:, None, None]), unity, n, max_angle)
            return jnp.stack(out)[:, 0, 0]

        np.testing.assert_array_equal(jax.jit(end)(zero), spin)
        # To first order s + n s × b; column d is what field component d does.
        expected = n * np.cross(spin, np.eye(3)).T
        np.testing.assert_allclose(jax.jit(jax.jacobian(end))(zero), expected, atol=4 * EPS[dtype])


class TestSineLike:
    """(1, 2, 3 in turn) sin θ/θ, (1 − cos θ)/θ² and (θ − sin θ)/θ³ as functions of θ²."""

    @pytest.mark.parametrize("order", [1, 2, 3])
    def test_series_and_closed_form_are_one_function_across_the_bound_between_them(
        self, order, dtype
    ):
        bound = rotation.SERIES_MAX_ANGLE
        x = jnp.linspace(0.0, bound**2, 200, dtype=dtype)
        series = rotation.sine_like(x, order, bound)
        closed = rotation.sine_like(x, order, 1.001 * bound)
        # The terms of the alternating series are positive where x is negative: their sum at the
        # largest x, sinh θ/θ and so on, is the scale of what is rounded.
        largest = sum(bound ** (2 * k) / math.factorial(2 * k + order) for k in range(40))
        np.testing.assert_allclose(series, closed, atol=4 * largest * EPS[dtype])

    @pytest.mark.parametrize("order", [1, 2, 3])
    @pytest.mark.parametrize("max_angle", [2.0, 100.0])
    def test_values_are_those_of_sines_and_cosines(self, order, max_angle):
        angle = np.linspace(0.5, max_angle, 50)
        expected = {
            1: np.sin(angle) / angle,
            2: (1 - np.cos(angle)) / angle**2,
            3: (angle - np.sin(angle)) / angle**3,
        }[order]
        with jax.enable_x64(True):
            found = rotation.sine_like(jnp.asarray(angle**2), order, max_angle)
        # At θ = 0.5 the cancelling difference of the expectation loses a factor of 6/θ³ = 48.
        np.testing.assert_allclose(found, expected, atol=100 * EPS["float64"])

    @pytest.mark.parametrize("order", [1, 2, 3])
    @pytest.mark.parametrize("max_angle", [0.01, 20.0])
    def test_at_zero_it_is_finite_with_a_finite_gradient(self, order, max_angle, dtype):
        zero = jnp.zeros((), dtype)
        function = jax.value_and_grad(lambda x: rotation.sine_like(x, order, max_angle))
        value, slope = jax.jit(function)(zero)
        assert float(value) == pytest.approx(1 / math.factorial(order), rel=EPS[dtype])
        assert float(slope) == pytest.approx(-1 / math.factorial(order + 2), rel=4 * EPS[dtype])


class TestNumberOfTerms:
    """How many terms the series gets."""

    @given(
        max_angle=st.floats(1e-6, rotation.SERIES_MAX_ANGLE),
        order=st.integers(1, 3),
        resolution=st.sampled_from([2.0**-24, 2.0**-53]),
    )
    def test_the_first_term_left_out_is_below_the_resolution(self, max_angle, order, resolution):
        n = rotation.n_terms(max_angle, order, resolution)

        def term(k):
            return max_angle ** (2 * k) / math.factorial(2 * k + order)

        # One rounding per factor of the running product that decides.
        assert term(n) <= resolution * term(0) * (1 + 1e-12)
        # And no term is spent in vain, beyond the two that are always taken.
        assert n == 2 or term(n - 1) > resolution * term(0) * (1 - 1e-12)


class TestMeanOnTheWay:
    """(1/n) ∫₀ⁿ s(τ) dτ of a spin that turns in a frozen field."""

    @pytest.mark.parametrize("n", [1, 4])
    @pytest.mark.parametrize("angle", [1e-3, 1.0, 1.9, 2.1, 12.0])
    def test_it_is_the_integral_of_the_rotation(self, angle, n):
        spins, field = random_vectors(5, 0.5), fields_up_to(angle)
        with jax.enable_x64(True):
            vectors = as_vector(spins, "float64"), as_vector(field, "float64")
            mean = np.stack(rotation.mean_on_the_way(*vectors, n, angle))
        # 60 nodes integrate sines of up to 48 rad exactly: the error of Gauss' rule falls as
        # (e · 48/2 / 240)^120.
        nodes, weights = np.polynomial.legendre.leggauss(60)
        expected = sum(
            w / 2 * turned(spins, field, n * (1 + x) / 2)
            for x, w in zip(nodes, weights, strict=True)
        )
        # The scale of a rounded series, as above, is at most sinh 8/8 = 186; S and V are
        # multiplied by nθ and (nθ)² at most.
        tolerance = 200 * (1 + n * angle) * EPS["float64"] * max(1.0, n * angle)
        np.testing.assert_allclose(mean, expected, atol=tolerance)

    def test_it_is_the_spin_itself_where_there_is_no_field(self, dtype):
        spins = as_vector(random_vectors(6, 0.5), dtype)
        zero = as_vector(np.zeros((3, N_EDGE, N_EDGE)), dtype)
        mean = rotation.mean_on_the_way(spins, zero, 3, 0.5)
        np.testing.assert_array_equal(np.stack(mean), np.stack(spins))


class TestVectors:
    """Vectors as tuples of components."""

    def test_the_cross_product_and_the_length_are_those_of_numpy(self):
        a, b = random_vectors(7, 1.3), random_vectors(8, 0.7)
        with jax.enable_x64(True):
            found = np.stack(rotation.cross(as_vector(a, "float64"), as_vector(b, "float64")))
            square = rotation.squared_length(as_vector(a, "float64"))
        np.testing.assert_allclose(found, np.cross(a, b, axis=0), atol=4 * EPS["float64"])
        np.testing.assert_allclose(square, 1.3**2, rtol=4 * EPS["float64"])
