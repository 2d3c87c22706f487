"""Explicit spins to curves: batches, precision, refusals."""

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from latent_nmr.errors import InputError, NumericalError
from latent_nmr.physics.kernels import kernel_table
from latent_nmr.physics.lattices import simulate_lattices
from latent_nmr.physics.sequence import Pulse, Sequence, spin_echo
from latent_nmr.physics.steps import fixed_cut

N_EDGE = 8
SEQUENCE = spin_echo(dt=0.16, pulse_spacing=21, n_samples=64, flip_angle=1.3)


def batch(n_curves=5) -> dict[str, Any]:
    """Arguments of `simulate_lattices` that differ in every row."""
    kernels = [("gaussian", 1.5), ("power", 1.7), ("rkky", 3.0), ("power", 3.0), ("rkky", 2.0)]
    rng = np.random.default_rng(0)
    return {
        "frequencies": rng.uniform(-0.2, 0.2, (n_curves, N_EDGE, N_EDGE)),
        "kernel_tables": np.stack([kernel_table(*k, N_EDGE) for k in kernels[:n_curves]]),
        "couplings": rng.uniform(0.01, 0.2, (n_curves, 3)),
        "sequence": SEQUENCE,
        "decay_rate": 0.004 * np.arange(n_curves),
    }


class TestBatches:
    """Rows of a batch are independent of each other."""

    def test_a_batch_equals_single_runs(self):
        rows = batch()
        together = simulate_lattices(**rows)
        assert together.shape == (5, 64, 3)
        for i in range(5):
            alone = simulate_lattices(
                **{
                    name: value if name == "sequence" else value[i : i + 1]
                    for name, value in rows.items()
                }
            )
            np.testing.assert_array_equal(alone[0], together[i])
        # The rows are told apart by much more than rounding.
        for i in range(4):
            assert np.abs(together[i] - together[i + 1]).max() > 1e-3

    def test_one_decay_rate_stands_for_all_rows(self):
        rows = batch(2) | {"decay_rate": 0.01}
        np.testing.assert_array_equal(
            simulate_lattices(**rows), simulate_lattices(**rows | {"decay_rate": [0.01, 0.01]})
        )

    def test_a_kernel_and_its_multiple_give_the_same_curve(self):
        # Normalising by κ undoes the factor, of which powers of two round nothing.
        rows = batch(2)
        scaled = rows | {"kernel_tables": -4.0 * rows["kernel_tables"]}
        np.testing.assert_array_equal(simulate_lattices(**scaled), simulate_lattices(**rows))

    def test_the_arguments_are_left_as_they_were(self):
        rows, untouched = batch(2), batch(2)
        simulate_lattices(**rows)
        for name in ("frequencies", "kernel_tables", "couplings", "decay_rate"):
            np.testing.assert_array_equal(rows[name], untouched[name])


def nearly_even(dtype, n_ulps):
    """Even tables; the same with row 1 not even and row 2 not zero at the origin; one ulp."""
    ulp = max(np.finfo(dtype).eps, np.finfo(np.float32).eps)
    tables = batch(3)["kernel_tables"]
    exact = (tables / abs(tables).max(axis=(1, 2), keepdims=True)).astype(dtype)
    skew = exact.astype(np.float64)
    skew[1, 0, 1] += n_ulps * ulp
    skew[2, 0, 0] = n_ulps * ulp
    return exact, skew.astype(dtype), ulp


class TestGlobalSettings:
    """JAX belongs to the user."""

    @pytest.mark.parametrize("setting", [False, True])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_run_leaves_the_precision_of_jax_alone(self, dtype, setting):
        before = jax.config.jax_enable_x64
        with jax.enable_x64(setting):
            signal = simulate_lattices(**batch(2), dtype=dtype)
            assert jax.config.jax_enable_x64 == setting
            assert jnp.zeros(1).dtype == ("float64" if setting else "float32")
        assert signal.dtype == dtype
        assert jax.config.jax_enable_x64 == before

    def test_a_curve_is_the_same_where_the_caller_computes_in_float64(self):
        expected = simulate_lattices(**batch(2))
        before = jax.config.jax_enable_x64
        # The setting of the whole process, as a caller's script would make it.
        jax.config.update("jax_enable_x64", True)
        try:
            signal = simulate_lattices(**batch(2))
        finally:
            jax.config.update("jax_enable_x64", before)
        assert signal.dtype == np.float32
        np.testing.assert_array_equal(signal, expected)


class TestSequences:
    """One for all curves, or one for each."""

    def test_every_curve_is_that_of_its_own_sequence(self):
        rows = batch(3)
        sequences = [
            SEQUENCE,
            spin_echo(dt=0.1, pulse_spacing=30, n_samples=64, flip_error=0.1),
            Sequence(0.2, 64, (Pulse(0, 1.5), Pulse(9, 3.0, 1.0), Pulse(27, 2.9, 1.0))),
        ]
        together = simulate_lattices(**rows | {"sequence": sequences})
        assert together.shape == (3, 64, 3)
        for i, sequence in enumerate(sequences):
            alone = simulate_lattices(**rows | {"sequence": sequence})
            np.testing.assert_array_equal(together[i], alone[i])

    def test_one_for_all_is_the_same_for_each(self):
        rows = batch(2)
        np.testing.assert_array_equal(
            simulate_lattices(**rows), simulate_lattices(**rows | {"sequence": [SEQUENCE] * 2})
        )

    def test_records_of_different_lengths_are_refused(self):
        sequences = [SEQUENCE, spin_echo(dt=0.16, pulse_spacing=21, n_samples=63)]
        with pytest.raises(
            InputError, match=r"must have as many samples.*\[63, 64\]\. Simulate them in separate"
        ):
            simulate_lattices(**batch(2) | {"sequence": sequences})

    @pytest.mark.parametrize("n_sequences", [0, 1, 3])
    def test_another_number_of_them_than_of_curves_is_refused(self, n_sequences):
        with pytest.raises(
            InputError,
            match=rf"one for all or one per curve.*are {n_sequences} for 2 curves\. Give one row",
        ):
            simulate_lattices(**batch(2) | {"sequence": [SEQUENCE] * n_sequences})


class TestStep:
    """The time step, chosen or given."""

    def test_its_error_is_below_the_promised_thousandth(self):
        rows = batch(5)
        fine = simulate_lattices(**rows, step=0.125, dtype="float64")
        assert np.abs(simulate_lattices(**rows) - fine).max() < 1e-3


def spoiled(name, where, value):
    """A batch with one wrong number."""
    rows = batch(3)
    rows[name] = rows[name].copy()
    rows[name][where] = value
    return rows


class TestRefusals:
    """What `simulate_lattices` does not accept, and what it says."""

    @pytest.mark.parametrize("shape", [(8, 8), (2, 8, 7), (1, 2, 8, 8)])
    def test_fields_that_are_not_square_lattices(self, shape):
        with pytest.raises(
            InputError,
            match=r"frequencies must have shape \(n_curves, n_edge, n_edge\).*"
            + re.escape(f"{shape}. Reshape"),
        ):
            simulate_lattices(**batch(2) | {"frequencies": np.zeros(shape)})

    @pytest.mark.parametrize(
        ("name", "shape", "rule"),
        [
            ("kernel_tables", (2, 8, 9), (2, 8, 8)),
            ("kernel_tables", (3, 8, 8), (2, 8, 8)),
            ("kernel_tables", (8, 8), (2, 8, 8)),
            ("couplings", (3,), (2, 3)),
            ("couplings", (2, 2), (2, 3)),
            ("decay_rate", (3,), (2,)),
            ("decay_rate", (1,), (2,)),
        ],
    )
    def test_arrays_that_do_not_match_the_fields(self, name, shape, rule):
        with pytest.raises(
            InputError,
            match=re.escape(f"{name} must have shape {rule} to match frequencies, but has shape ")
            + re.escape(f"{shape}. Give one row per curve"),
        ):
            simulate_lattices(**batch(2) | {name: np.zeros(shape)})

    def test_no_curve_at_all(self):
        with pytest.raises(
            InputError,
            match=r"frequencies must hold at least one curve.*\(0, 8, 8\)\. [GRL]",
        ):
            simulate_lattices(**batch(2) | {"frequencies": np.zeros((0, 8, 8))})

    @pytest.mark.parametrize(
        ("value", "found"),
        [
            (np.zeros((2, 8, 8), complex), "dtype complex128"),
            (np.zeros((2, 8, 8), bool), "dtype bool"),
            ("fast", "dtype <U4"),
            (None, "dtype object"),
            ([[[1, 2], [3]]], r"no array \(.*inhomogeneous"),
        ],
        ids=["complex", "bool", "text", "None", "ragged"],
    )
    @pytest.mark.parametrize("name", ["frequencies", "kernel_tables", "couplings", "decay_rate"])
    def test_what_is_no_array_of_real_numbers(self, name, value, found):
        with pytest.raises(
            InputError, match=rf"{name} must be an array of real numbers, but is {found}.*Convert"
        ):
            simulate_lattices(**batch(2) | {name: value})

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize(
        ("name", "where"),
        [
            ("frequencies", (1, 2, 3)),
            ("kernel_tables", (2, 1, 1)),
            ("couplings", (0, 2)),
            ("decay_rate", (1,)),
        ],
    )
    def test_numbers_that_are_not_finite(self, name, where, value):
        with pytest.raises(
            InputError, match=rf"{name} must be finite, but holds {value}\. Replace it"
        ):
            simulate_lattices(**spoiled(name, where, value))

    def test_a_negative_decay(self):
        with pytest.raises(
            InputError, match=r"decay_rate must be >= 0 MHz, but is -0\.01\. Spins only lose"
        ):
            simulate_lattices(**spoiled("decay_rate", 2, -0.01))

    def test_a_spin_that_feels_itself(self):
        with pytest.raises(
            InputError,
            match=r"kernel_tables must be zero at the origin.*feels no field of its own.*"
            r"kernel_tables\[1, 0, 0\] = 0\.25\. Set it to 0",
        ):
            simulate_lattices(**spoiled("kernel_tables", (1, 0, 0), 0.25))

    @pytest.mark.parametrize("site", [(0, 1), (1, 0), (2, 3)])
    def test_a_kernel_that_is_not_even(self, site):
        rows = batch(3)
        value = rows["kernel_tables"][1][site] + 0.5
        with pytest.raises(
            InputError,
            match=r"kernel_tables must be even in x and in y.*row 1 differs.*by 0\.5\. Tabulate",
        ):
            simulate_lattices(**spoiled("kernel_tables", (1, *site), value))

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    def test_a_kernel_is_even_and_zero_at_the_origin_up_to_rounding(self, dtype):
        exact, rounded, ulp = nearly_even(dtype, n_ulps=4)
        assert (rounded[1:] != exact[1:]).any(axis=(1, 2)).all()
        kept = rounded.copy()
        found = simulate_lattices(**batch(3) | {"kernel_tables": rounded})
        expected = simulate_lattices(**batch(3) | {"kernel_tables": exact})
        np.testing.assert_allclose(found, expected, atol=20 * ulp)
        np.testing.assert_array_equal(rounded, kept)

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize(("row", "rule"), [(1, "even in x and in y"), (2, "at the origin")])
    def test_more_than_rounding_is_refused(self, dtype, row, rule):
        exact, skew, _ = nearly_even(dtype, n_ulps=100)
        exact[row] = skew[row]
        with pytest.raises(InputError, match=rule):
            simulate_lattices(**batch(3) | {"kernel_tables": exact})

    @pytest.mark.parametrize("kind", [np.float32, np.float64])
    def test_a_third_of_a_sample_is_one_in_any_precision(self, kind):
        for n in (3, 5, 6, 7):
            assert fixed_cut(kind(1 / n)) == (1, n, 1)
        with pytest.raises(InputError, match="step must be a whole number"):
            fixed_cut(kind(0.333))

    def test_a_kernel_that_is_even_about_the_origin_only(self):
        # K(-r) = K(r) is not enough: K must be even in x and in y.
        rows = batch(3)
        rows["kernel_tables"][1][[1, -1], [1, -1]] += 0.5
        with pytest.raises(InputError, match=r"row 1 differs from its mirror image by 0\.5\."):
            simulate_lattices(**rows)

    def test_a_kernel_without_a_sum(self):
        table = np.zeros((N_EDGE, N_EDGE))
        table[0, [1, -1]], table[[1, -1], 0] = 1.0, -1.0
        with pytest.raises(InputError, match=r"κ away from zero.*κ = 0 with Σ\|K\| = 4\. Change"):
            simulate_lattices(**spoiled("kernel_tables", 1, table))

    @pytest.mark.parametrize("step", [0, 1.5, float("nan"), "2"])
    def test_a_step_that_does_not_meet_the_samples(self, step):
        message = f"step must be a whole number of sample intervals.* but is {step!r}. Use 4, 2"
        with pytest.raises(InputError, match=message):
            simulate_lattices(**batch(2), step=step)

    @pytest.mark.parametrize(
        ("name", "value", "choices"),
        [
            ("scheme", "euler", "averaged, midpoint, source"),
            ("dtype", "float16", "float32, float64"),
        ],
    )
    def test_an_unknown_choice(self, name, value, choices):
        with pytest.raises(
            InputError, match=rf"{name} must be one of {choices}, but is '{value}'\."
        ):
            simulate_lattices(**batch(2) | {name: value})

    def test_a_curve_that_leaves_the_finite_numbers_is_an_error_and_names_its_row(self):
        # 2π · 1e38 MHz is beyond float32 and well inside float64.
        rows = spoiled("frequencies", (2, 0, 0), 1e38)
        with pytest.raises(
            NumericalError, match=r"must be finite, but row 2 is not.*shorter step or dtype float64"
        ):
            simulate_lattices(**rows)
        assert np.isfinite(simulate_lattices(**rows, dtype="float64")).all()


class TestArgumentsOfTheWrongKind:
    """Refused by name, not by the first line that stumbles over them."""

    @pytest.mark.parametrize("sequence", [None, ["a"] * 5, 3.0])
    def test_what_is_no_sequence(self, sequence):
        with pytest.raises(
            InputError, match=r"sequence must be a Sequence.*Make it with spin_echo"
        ):
            simulate_lattices(**(batch() | {"sequence": sequence}))

    @pytest.mark.parametrize(("names", "found"), [(["a"], 1), ("abcde", "'abcde'"), (5, 5)])
    def test_names_that_are_not_one_for_each_curve(self, names, found):
        with pytest.raises(InputError, match=rf"names must be one .* 5 curves, but are {found}\."):
            simulate_lattices(**batch(), names=names)

    def test_couplings_beyond_any_unit(self):
        rows = batch() | {"couplings": np.full((5, 3), 1e200)}
        with pytest.raises(InputError, match=r"by a finite angle.*1e\+200 MHz. Check the units"):
            simulate_lattices(**rows, step=1)
        with pytest.raises(InputError, match=r"at most 1 rad in.*1e\+200 MHz. Check the units"):
            simulate_lattices(**rows)
