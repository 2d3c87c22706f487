"""Rotation in frozen fields: series and doublings, means on the way, many intervals at once."""

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
# Angles per interval; in five of them the largest is left to sines and cosines.
ANGLES = [1e-3, 1.0, 7.9, 8.1, 40.0]


def random_vectors(seed, lengths):
    """Vectors in random directions, shape (3, n_edge, n_edge); lengths are broadcast."""
    normal = np.random.default_rng(seed).standard_normal((3, N_EDGE, N_EDGE))
    return lengths * normal / np.linalg.norm(normal, axis=0)


def fields_up_to(angle):
    """Fields of all lengths from none to `angle`, rad per interval."""
    lengths = np.linspace(0.0, angle, N_EDGE**2).reshape(N_EDGE, N_EDGE)
    return random_vectors(2, lengths)


def swept(spins, field, n, max_angle, dtype):
    """Spins after n intervals, and their means over the sites after 1 … n − 1."""
    spins, field = jnp.asarray(spins, dtype), jnp.asarray(field, dtype)
    unity = jnp.ones((), dtype)
    settings = field, unity, n, rotation.n_doublings(n * max_angle)

    def note(noted, k, mean):
        return noted.at[k - 1].set(mean)

    end, middle = rotation.through_middle(spins, *settings, lambda end: end)
    middle = middle._replace(mean=middle.mean + rotation.site_mean(end))
    inside = rotation.n_doublings(max_angle, rotation.INSIDE)
    signal = rotation.signal_on_the_way(
        middle, unity, n, inside, note, jnp.full((n + 1, 3), jnp.nan, dtype)
    )
    np.testing.assert_allclose(end, rotation.turned(spins, *settings), atol=n * 8 * EPS[str(dtype)])
    return np.asarray(end), np.asarray(signal[: n - 1])


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

    @pytest.mark.parametrize(("angle", "n"), [*zip(ANGLES, (5, 6, 7, 8, 3), strict=True)])
    def test_every_interval_is_the_exponential_of_the_cross_product_matrix(self, angle, n):
        spins, field = random_vectors(1, 0.5), fields_up_to(angle)
        with jax.enable_x64(True):
            end, signal = swept(spins, field, n, angle, "float64")
        # sin and cos of angles up to nθ know their argument to ε nθ, and the n-fold addition
        # theorems amplify the rounding of the first interval at most n² times.
        tolerance = n**2 * (1 + angle) * 4 * EPS["float64"]
        np.testing.assert_allclose(end, turned(spins, field, n), atol=tolerance)
        assert len(signal) == n - 1
        for k, seen in enumerate(signal, start=1):
            expected = turned(spins, field, k).mean(axis=(1, 2))
            np.testing.assert_allclose(seen, expected, atol=tolerance)

    def test_a_field_along_z_advances_the_phase_clockwise(self, dtype):
        one = np.ones((1, 1))
        spins, field = np.stack([0.5 * one, 0 * one, 0 * one]), np.stack([0 * one, 0 * one, one])
        end, signal = swept(spins, 0.6 * field, 2, 1.0, dtype)
        angles = 0.6 * np.arange(1, 3)
        expected = 0.5 * np.stack([np.cos(angles), -np.sin(angles), 0 * angles], axis=1)
        np.testing.assert_allclose(signal, expected[:1], atol=8 * EPS[dtype])
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
        settings = jnp.ones((), dtype), n, rotation.n_doublings(n * max_angle)

        def end(field):
            end = rotation.turned(spin[:, None, None], field[:, None, None], *settings)
            return jnp.stack(end)[:, 0, 0]

        np.testing.assert_array_equal(jax.jit(end)(zero), spin)
        # To first order s + n s × b; column d is what field component d does.
        expected = n * np.cross(spin, np.eye(3)).T
        np.testing.assert_allclose(jax.jit(jax.jacobian(end))(zero), expected, atol=4 * EPS[dtype])


class TestSineLike:
    """sin θ/θ, (1 − cos θ)/θ² and (θ − sin θ)/θ³ as functions of θ²."""

    @pytest.mark.parametrize("max_angle", [0.5, 2.0, 8.0, 8.1, 100.0])
    def test_values_are_those_of_sines_and_cosines(self, max_angle, dtype):
        # In long double, as the differences cancel: at θ = 0.5 they lose a factor of 6/θ³ = 48.
        x = np.linspace(0.25, max_angle**2, 200).astype(dtype)
        angle = np.sqrt(x.astype(np.longdouble))
        expected = (
            np.sin(angle) / angle,
            (1 - np.cos(angle)) / angle**2,
            (angle - np.sin(angle)) / angle**3,
        )
        found = rotation.sine_like(jnp.asarray(x), rotation.n_doublings(max_angle))
        for own, right in zip(found, expected, strict=True):
            # Each doubling doubles the errors, relative to the size that falls as 1/θ and faster.
            np.testing.assert_allclose(own, right.astype(float), atol=8 * EPS[dtype])

    @pytest.mark.parametrize("doublings", [3, 5, 6])
    def test_at_zero_they_are_finite_with_finite_gradients(self, doublings, dtype):
        zero = jnp.zeros((), dtype)
        values = rotation.sine_like(zero, doublings)
        slopes = jax.jacfwd(lambda x: jnp.stack(rotation.sine_like(x, doublings)))(zero)
        for order, value, slope in zip((1, 2, 3), values, slopes, strict=True):
            assert float(value) == 1 / math.factorial(order) or order == 3
            assert float(value) == pytest.approx(1 / math.factorial(order), rel=EPS[dtype])
            slope_right = -1 / math.factorial(order + 2)
            assert float(slope) == pytest.approx(slope_right, rel=8 * EPS[dtype])

    @given(angle=st.floats(1e-3, 1e5))
    def test_the_doublings_suffice_and_are_the_fewest_there_are(self, angle):
        n = rotation.n_doublings(angle)
        reach = {m: rotation.SERIES_MAX_ANGLE * 2**m for m in rotation.DOUBLINGS}
        assert n == rotation.BEYOND or reach[n] >= angle
        assert all(reach[m] < angle for m in rotation.DOUBLINGS if m < n)
        inside = rotation.n_doublings(angle, rotation.INSIDE)
        assert inside == (n if angle > rotation.SERIES_MAX_ANGLE else 0)


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
            doublings = rotation.n_doublings(n * angle)
            mean = rotation.mean_on_the_way(jnp.asarray(spins), jnp.asarray(field), n, doublings)
        # 60 nodes integrate sines of up to 48 rad exactly: the error of Gauss' rule falls as
        # (e · 48/2 / 240)^120.
        nodes, weights = np.polynomial.legendre.leggauss(60)
        expected = sum(
            w / 2 * turned(spins, field, n * (1 + x) / 2)
            for x, w in zip(nodes, weights, strict=True)
        )
        np.testing.assert_allclose(mean, expected, atol=(1 + n * angle) * 8 * EPS["float64"])

    @pytest.mark.parametrize(("angle", "n"), [(0.0, 3), (1.0, 0)])
    def test_it_is_the_spin_itself_where_there_is_no_field_or_no_time(self, angle, n, dtype):
        spins = jnp.asarray(random_vectors(6, 0.5), dtype)
        field = jnp.asarray(fields_up_to(angle), dtype)
        mean = rotation.mean_on_the_way(spins, field, n, 2)
        np.testing.assert_array_equal(mean, spins)


class TestVectors:
    """Vectors along the first axis."""

    def test_the_cross_product_and_the_length_are_those_of_numpy(self):
        a, b = random_vectors(7, 1.3), random_vectors(8, 0.7)
        with jax.enable_x64(True):
            found = rotation.cross(jnp.asarray(a), jnp.asarray(b))
            square = rotation.squared_length(jnp.asarray(a))
        np.testing.assert_allclose(found, np.cross(a, b, axis=0), atol=4 * EPS["float64"])
        np.testing.assert_allclose(square, 1.3**2, rtol=4 * EPS["float64"])
