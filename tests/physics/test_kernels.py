"""Kernels on the periodic lattice: values, symmetry, sum κ and coupling length L."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latent_nmr.errors import InputError
from latent_nmr.physics import kernels
from latent_nmr.physics.kernels import (
    coupling_length,
    coupling_spectrum,
    distance_grid,
    kernel_sum,
    kernel_table,
    tabulate,
)

EXAMPLES = [("gaussian", 3.0), ("power", 1.5), ("rkky", 3.0)]


def within_last_digit(printed):
    """The number in `printed`, give or take one unit of its last digit: five are certain."""
    decimals = len(printed.partition(".")[2])
    return pytest.approx(float(printed), rel=0, abs=10.0**-decimals)


class TestDistanceGrid:
    """Distances from site (0, 0) by the shorter way round."""

    def test_neighbours_are_one_lattice_constant_away_on_all_four_sides(self):
        distance = distance_grid(7)
        assert distance[0, 1] == distance[1, 0] == distance[0, -1] == distance[-1, 0] == 1.0

    @pytest.mark.parametrize(("n_edge", "farthest"), [(6, 3), (7, 3)])
    def test_no_site_is_farther_than_half_the_edge_in_either_direction(self, n_edge, farthest):
        assert distance_grid(n_edge).max() == pytest.approx(np.sqrt(2) * farthest)

    def test_a_lattice_without_neighbours_is_refused(self):
        with pytest.raises(InputError, match=r"n_edge must be .*at least 2, but is 1\. [GRL]"):
            distance_grid(1)


class TestKernelTable:
    """K(r) from site (0, 0)."""

    @pytest.mark.parametrize(
        ("kernel", "parameter", "at_five"),
        [
            ("gaussian", 4.0, np.exp(-25 / 16)),
            ("power", 1.5, 5**-1.5),
            # x = 2 r/γ = 2 with γ = 5.
            ("rkky", 5.0, (2 * np.cos(2) - np.sin(2)) / 16),
        ],
    )
    def test_the_value_at_a_distance_is_that_of_the_formula(self, kernel, parameter, at_five):
        # Site (3, 4) is 5 lattice constants from the origin.
        assert kernel_table(kernel, parameter, 12)[3, 4] == pytest.approx(at_five, rel=1e-14)

    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_no_spin_feels_itself(self, kernel, parameter):
        assert kernel_table(kernel, parameter, 8)[0, 0] == 0.0

    @pytest.mark.parametrize("n_edge", [8, 9])
    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_it_is_even_in_x_and_in_y(self, kernel, parameter, n_edge):
        table = kernel_table(kernel, parameter, n_edge)
        opposite = -np.arange(n_edge)
        np.testing.assert_array_equal(table[opposite, :], table)
        np.testing.assert_array_equal(table[:, opposite], table)

    def test_rkky_changes_sign_and_the_other_two_never_do(self):
        positive = {
            kernel: (kernel_table(kernel, parameter, 12)[distance_grid(12) > 0] > 0).mean()
            for kernel, parameter in EXAMPLES
        }
        assert positive["gaussian"] == positive["power"] == 1.0
        assert 0.0 < positive["rkky"] < 1.0

    def test_an_unknown_kernel_is_named_with_the_nearest_one(self):
        with pytest.raises(
            InputError, match=r"kernel must be one of gaussian, power, rkky.*'gauss'.*'gaussian'\?"
        ):
            kernel_table("gauss", 2.0, 8)

    @pytest.mark.parametrize("parameter", [0.0, -1.0, float("nan"), float("inf"), "2", None, True])
    @pytest.mark.parametrize("kernel", ["gaussian", "power", "rkky"])
    def test_a_parameter_that_is_no_positive_number_is_refused(self, kernel, parameter):
        with pytest.raises(
            InputError,
            match=rf"kernel_parameter must be > 0, but is {parameter!r}\. [GRL]",
        ):
            kernel_table(kernel, parameter, 8)


class TestLaws:
    """K as a function of distances, in NumPy and in JAX."""

    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_they_are_the_same_functions_in_jax(self, kernel, parameter):
        law, r = kernels.KERNELS[kernel].law, np.linspace(1, 7, 25)
        with jax.enable_x64(True):
            in_jax = law(jnp.asarray(r), jnp.asarray(parameter), jnp)
        # x cos x - sin x cancels where it changes sign; its parts are below 7 at these distances.
        np.testing.assert_allclose(in_jax, law(r, parameter, np), rtol=1e-14, atol=1e-14)


class TestTabulate:
    """A user's own K(r), as a function or as a table."""

    @pytest.mark.parametrize("n_edge", [7, 8])
    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_a_function_gives_the_table_of_the_law_it_is(self, kernel, parameter, n_edge):
        law = kernels.KERNELS[kernel].law
        np.testing.assert_array_equal(
            tabulate(lambda r: law(r, parameter, np), n_edge),
            kernel_table(kernel, parameter, n_edge),
        )

    @pytest.mark.parametrize("n_edge", [7, 8])
    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_a_table_of_all_distances_gives_the_same(self, kernel, parameter, n_edge):
        r = np.unique(distance_grid(n_edge))[1:]
        columns = np.stack([r, kernels.KERNELS[kernel].law(r, parameter, np)], axis=1)
        np.testing.assert_allclose(
            tabulate(columns, n_edge), kernel_table(kernel, parameter, n_edge), rtol=1e-14
        )

    def test_a_table_is_interpolated_linearly(self):
        # A straight line is its own interpolation.
        found = tabulate([[1, 9.0], [10, 0.0]], 8)
        r = distance_grid(8)
        np.testing.assert_allclose(found, np.where(r > 0, 10 - r, 0), atol=1e-14)

    def test_the_function_is_never_asked_about_the_origin(self):
        asked = []
        tabulate(lambda r: asked.append(r) or np.ones_like(r), 6)
        assert min(r.min() for r in asked) == 1.0

    @pytest.mark.parametrize(("law", "shape"), [(lambda r: r.sum(), ()), (lambda r: r[:-1], (34,))])
    def test_a_function_without_one_value_per_distance_is_refused(self, law, shape):
        message = f"one value per distance, but gives shape {shape} for shape (35,). Write it"
        with pytest.raises(InputError, match=re.escape(message)):
            tabulate(law, 6)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_a_value_that_is_not_finite_is_refused(self, value):
        with pytest.raises(
            InputError,
            match=rf"must be finite for r > 0, but K\(2\) = {value}\. Check K at this distance",
        ):
            tabulate(lambda r: np.where(r == 2, value, 1 / r), 6)

    @pytest.mark.parametrize(
        ("columns", "shape"),
        [
            ([1.0, 2.0, 9.0], (3,)),
            ([[1.0, 2.0, 3.0], [9.0, 2.0, 3.0]], (2, 3)),
            ([[9.0, 1.0], [1.0, 2.0]], (2, 2)),
            ([[1.0, 1.0], [1.0, 2.0], [9.0, 2.0]], (3, 2)),
        ],
        ids=["one column", "three columns", "falling", "twice the same distance"],
    )
    def test_a_table_that_is_no_function_of_rising_distances_is_refused(self, columns, shape):
        message = f"(n_distances, 2) with rising distances, but has shape {shape}. Sort its rows"
        with pytest.raises(InputError, match=re.escape(message)):
            tabulate(columns, 6)

    @pytest.mark.parametrize("ends", [(1.1, 9), (1, 4.2)])
    def test_a_table_that_does_not_reach_over_the_lattice_is_refused(self, ends):
        # Farthest site: 3√2 = 4.243.
        message = f"reach from r = 1 to 4.243, but reaches from {ends[0]} to {ends[1]}. Extend it"
        with pytest.raises(InputError, match=re.escape(message)):
            tabulate([[ends[0], 1.0], [ends[1], 0.5]], 6)


class TestCheckValues:
    """κ and L on 100 × 100 sites against values worked out beforehand, to five digits."""

    @pytest.mark.parametrize(
        ("kernel", "parameter", "printed"),
        [
            ("gaussian", 2.038144, "12.0503"),
            ("gaussian", 13.395668, "562.740"),
            ("rkky", 15.45, "-281.135"),
        ],
    )
    def test_kernel_sum(self, kernel, parameter, printed):
        assert kernel_sum(kernel_table(kernel, parameter, 100)) == within_last_digit(printed)

    @pytest.mark.parametrize(
        ("kernel", "parameter", "printed"),
        [
            ("gaussian", 8.0, "7.12411"),
            ("gaussian", 32.0, "26.4803"),
            ("power", 1.0, "28.6800"),
            ("power", 3.0, "3.12270"),
            ("rkky", 13.0, "8.12274"),
            ("rkky", 52.0, "26.2472"),
        ],
    )
    def test_coupling_length(self, kernel, parameter, printed):
        assert coupling_length(kernel_table(kernel, parameter, 100)) == within_last_digit(printed)


class TestCouplingLength:
    """L, the kernel's mean distance."""

    def test_nearest_neighbours_alone_are_one_apart(self):
        assert coupling_length(np.where(distance_grid(8) == 1.0, -2.5, 0.0)) == 1.0

    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_the_scale_of_the_kernel_does_not_matter(self, kernel, parameter):
        table = kernel_table(kernel, parameter, 10)
        assert coupling_length(-3 * table) == pytest.approx(coupling_length(table), rel=1e-12)


class TestCouplingSpectrum:
    """Eigenvalues of the convolution with K/κ."""

    @pytest.mark.parametrize("n_edge", [6, 7])
    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_it_is_the_cosine_sum_of_the_normalised_kernel(self, kernel, parameter, n_edge):
        table = kernel_table(kernel, parameter, n_edge)
        # cos k·r splits into a product because K is even in each direction.
        waves = np.cos(2 * np.pi * np.outer(np.arange(n_edge), np.arange(n_edge)) / n_edge)
        expected = waves @ (table / table.sum()) @ waves.T
        np.testing.assert_allclose(
            coupling_spectrum(table), expected[:, : n_edge // 2 + 1], atol=1e-13
        )

    @pytest.mark.parametrize(("kernel", "parameter"), EXAMPLES)
    def test_a_uniform_lattice_sees_exactly_its_own_spin(self, kernel, parameter):
        spectrum = coupling_spectrum(kernel_table(kernel, parameter, 8))
        assert spectrum[0, 0] == pytest.approx(1.0, rel=1e-14)

    @pytest.mark.parametrize("measure", [coupling_spectrum, coupling_length])
    def test_a_kernel_that_sums_to_nothing_is_refused(self, measure):
        table = np.zeros((4, 4))
        table[0, [1, -1]], table[[1, -1], 0] = 1.0, -1.0
        with pytest.raises(
            InputError, match=r"κ away from zero.*κ = 0 with Σ\|K\| = 4\. Change its parameter"
        ):
            measure(table)


def test_every_kernel_is_listed_with_the_symbol_of_its_parameter():
    symbols = {name: kernel.symbol for name, kernel in kernels.KERNELS.items()}
    assert symbols == {"gaussian": "ξ", "power": "p", "rkky": "γ"}


@pytest.mark.parametrize("law", ["abc", [[1, 2], [3]], lambda _: "a", lambda r: 1j * r])
def test_a_kernel_that_is_no_real_number_is_refused(law):
    with pytest.raises(InputError, match=r"must be an array of real numbers, but is (no array|dt)"):
        tabulate(law, 6)
